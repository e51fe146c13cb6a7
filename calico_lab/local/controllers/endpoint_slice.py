"""The EndpointSlice controller: which pods stand behind a Service, at which addresses and ports.

Shape as in https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from calico_lab import errors
from calico_lab.local.client import ApiClient
from calico_lab.local.controller import Controller, Key, key_of
from calico_lab.local.objects import is_deleting, is_ready, labels, matches, owner_reference
from calico_lab.local.resources import ENDPOINT_SLICES, PODS, SERVICES
from calico_lab.local.wire import JsonObject

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
HEADLESS = "service.kubernetes.io/headless"
MANAGER = "endpointslice-controller.k8s.io"
MAX_ENDPOINTS = 100

Content = tuple[list[JsonObject], list[JsonObject]]
"""The ports and the endpoints of one slice."""


class EndpointSliceController(Controller):
    """Keeps the EndpointSlices of every Service that has a selector."""

    name = "endpoint-slice-controller"

    def __init__(self, client: ApiClient) -> None:
        super().__init__(client)
        self._services = self.inform(SERVICES)
        self._pods = self.inform(PODS, self._services_of)
        self._slices = self.inform(ENDPOINT_SLICES, _service_of)

    def _services_of(self, pod: JsonObject) -> Iterable[Key]:
        return [key_of(service) for service in self._services if _stands_behind(pod, service)]

    async def reconcile(self, key: Key) -> None:
        """Make a Service's slices what its pods say; slices of a deleted Service are the garbage collector's."""
        service = self._services.get(key)
        if service is None or is_deleting(service) or not service["spec"].get("selector"):
            return
        if service["spec"].get("type") == "ExternalName":
            return
        slices = [each for each in self._slices if key in _service_of(each) and not is_deleting(each)]
        contents = slice_contents(service, [pod for pod in self._pods if _stands_behind(pod, service)])
        slices, contents = _pair(slices, contents)
        for existing, content in zip(slices, contents, strict=False):
            await self._update(existing, _slice(service, content))
        for content in contents[len(slices) :]:
            await self.create(self._slices, _slice(service, content))
        for surplus in slices[len(contents) :]:
            await self.delete(self._slices, surplus)

    async def _update(self, existing: JsonObject, wanted: JsonObject) -> None:
        same_labels = labels(existing) == labels(wanted)
        if same_labels and all((existing.get(field) or []) == wanted[field] for field in ("endpoints", "ports")):
            return
        metadata = existing["metadata"] | {"labels": labels(wanted)}
        try:
            written = await self.client.replace(ENDPOINT_SLICES, existing | wanted | {"metadata": metadata})
        except errors.NotFound:
            return
        await self._slices.caught_up(written)


def _service_of(endpoint_slice: JsonObject) -> list[Key]:
    given = labels(endpoint_slice)
    if given.get(MANAGED_BY) != MANAGER or SERVICE_NAME not in given:
        return []
    return [Key(endpoint_slice["metadata"]["namespace"], given[SERVICE_NAME])]


def _stands_behind(pod: JsonObject, service: JsonObject) -> bool:
    same_namespace = pod["metadata"]["namespace"] == service["metadata"]["namespace"]
    return same_namespace and matches(service["spec"].get("selector"), pod)


def slice_contents(service: JsonObject, pods: list[JsonObject]) -> list[Content]:
    """Return the ports and endpoints of each slice that a Service needs: one for every set of port numbers.

    Pods differ in those where a targetPort is a name that their containers give to different numbers. Without any
    endpoint there is one empty slice, as upstream keeps one.
    """
    groups: dict[str, Content] = {}
    for pod in sorted(pods, key=key_of):
        status = pod.get("status", {})
        if not status.get("podIP") or status.get("phase") in ("Succeeded", "Failed"):
            continue
        ports = [resolved for port in service["spec"].get("ports") or [] if (resolved := _resolve(port, pod))]
        groups.setdefault(repr(ports), (ports, []))[1].append(_endpoint(service, pod))
    return [
        (ports, endpoints[start : start + MAX_ENDPOINTS])
        for ports, endpoints in groups.values()
        for start in range(0, len(endpoints), MAX_ENDPOINTS)
    ] or [([], [])]


def _resolve(port: JsonObject, pod: JsonObject) -> JsonObject | None:
    target, protocol = port.get("targetPort", port["port"]), port.get("protocol", "TCP")
    if isinstance(target, str):
        named = (
            declared["containerPort"]
            for container in pod["spec"]["containers"]
            for declared in container.get("ports") or []
            if declared.get("name") == target and declared.get("protocol", "TCP") == protocol
        )
        target = next(named, None)
    if not target:
        return None
    application = {"appProtocol": port["appProtocol"]} if "appProtocol" in port else {}
    return {"name": port.get("name", ""), "port": target, "protocol": protocol, **application}


def _endpoint(service: JsonObject, pod: JsonObject) -> JsonObject:
    metadata, spec = pod["metadata"], pod["spec"]
    serving, terminating = is_ready(pod), is_deleting(pod)
    ready = (serving and not terminating) or bool(service["spec"].get("publishNotReadyAddresses"))
    endpoint: dict[str, Any] = {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        "nodeName": spec.get("nodeName"),
        "targetRef": {
            "kind": PODS.kind,
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
    }
    if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
        endpoint["hostname"] = spec["hostname"]
    return endpoint


def _slice(service: JsonObject, content: Content) -> JsonObject:
    metadata = service["metadata"]
    ports, endpoints = content
    headless = {HEADLESS: ""} if service["spec"].get("clusterIP") == "None" else {}
    own = {SERVICE_NAME: metadata["name"], MANAGED_BY: MANAGER}
    return {
        "apiVersion": ENDPOINT_SLICES.api_version,
        "kind": ENDPOINT_SLICES.kind,
        "metadata": {
            "generateName": f"{metadata['name']}-",
            "namespace": metadata["namespace"],
            "labels": labels(service) | headless | own,
            "ownerReferences": [owner_reference(service)],
        },
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": ports,
    }


def _pair(slices: list[JsonObject], contents: list[Content]) -> tuple[list[JsonObject], list[Content]]:
    """Put slices and contents of the same ports first and in the same order, so that a slice keeps its ports."""
    slices, paired_slices, paired, rest = list(slices), [], [], []
    for content in contents:
        same = next((each for each in slices if (each.get("ports") or []) == content[0]), None)
        if same is None:
            rest.append(content)
        else:
            slices.remove(same)
            paired_slices.append(same)
            paired.append(content)
    return paired_slices + slices, paired + rest
