"""What a node must know of Services and EndpointSlices: each port of a service, its addresses and its endpoints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from calico_lab.local.controller import Key
from calico_lab.local.objects import labels
from calico_lab.local.wire import JsonObject

SERVICE_NAME_LABEL = "kubernetes.io/service-name"


@dataclass(frozen=True, order=True)
class Endpoint:
    """Where connections to a service port may end; ``node`` is empty for what runs outside the pod network."""

    address: str
    port: int
    node: str = ""


@dataclass(frozen=True)
class ServicePort:
    """One port of one service, with its usable endpoints.

    ``external_local`` and ``internal_local`` stand for the traffic policies Local, ``ready_here`` for a ready endpoint
    on the node that asks.
    """

    namespace: str
    service: str
    name: str
    protocol: str
    port: int
    cluster_address: str = ""
    node_port: int = 0
    load_balancer_addresses: tuple[str, ...] = ()
    external_ips: tuple[str, ...] = ()
    external_local: bool = False
    internal_local: bool = False
    endpoints: tuple[Endpoint, ...] = ()
    local_endpoints: tuple[Endpoint, ...] = ()
    ready_here: bool = False


def service_ports(services: Iterable[JsonObject], slices: Iterable[JsonObject], node: str) -> list[ServicePort]:
    """Return the ports of all services as seen from one node, in the order of namespace and name."""
    by_service: dict[Key, list[JsonObject]] = defaultdict(list)
    for item in slices:
        service = labels(item).get(SERVICE_NAME_LABEL, "")
        by_service[Key(item["metadata"]["namespace"], service)].append(item)
    ordered = sorted(services, key=lambda item: (item["metadata"]["namespace"], item["metadata"]["name"]))
    return [port for service in ordered for port in _ports_of(service, by_service, node)]


def _ports_of(service: JsonObject, slices: dict[Key, list[JsonObject]], node: str) -> Iterator[ServicePort]:
    spec, metadata = service["spec"], service["metadata"]
    if spec.get("clusterIP", "None") == "None" or spec.get("type") == "ExternalName":
        return
    key = Key(metadata["namespace"], metadata["name"])
    for port in spec.get("ports") or []:
        found = list(_endpoints(slices[key], port.get("name", "")))
        here = [(endpoint, conditions) for endpoint, conditions in found if endpoint.node == node]
        yield ServicePort(
            namespace=key.namespace,
            service=key.name,
            name=port.get("name", ""),
            protocol=port.get("protocol", "TCP").lower(),
            port=port["port"],
            cluster_address=spec["clusterIP"],
            node_port=port.get("nodePort", 0),
            load_balancer_addresses=_load_balancer_addresses(service),
            external_ips=tuple(spec.get("externalIPs") or ()),
            external_local=spec.get("externalTrafficPolicy") == "Local",
            internal_local=spec.get("internalTrafficPolicy") == "Local",
            endpoints=_usable(found),
            local_endpoints=_usable(here),
            ready_here=any(_is_ready(conditions) for _, conditions in here),
        )


def _load_balancer_addresses(service: JsonObject) -> tuple[str, ...]:
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    return tuple(entry["ip"] for entry in ingress if "ip" in entry)


def _endpoints(slices: Iterable[JsonObject], port_name: str) -> Iterator[tuple[Endpoint, JsonObject]]:
    for item in slices:
        numbers = [port["port"] for port in item.get("ports") or [] if (port.get("name") or "") == port_name]
        for endpoint in item.get("endpoints") or [] if item["addressType"] == "IPv4" else []:
            for number in numbers:
                address = endpoint["addresses"][0]
                yield Endpoint(address, number, endpoint.get("nodeName", "")), endpoint.get("conditions") or {}


def _is_ready(conditions: JsonObject) -> bool:
    return bool(conditions.get("ready", True))


def _is_ending(conditions: JsonObject) -> bool:
    return bool(conditions.get("serving") and conditions.get("terminating"))


def _usable(found: Iterable[tuple[Endpoint, JsonObject]]) -> tuple[Endpoint, ...]:
    """Return the ready endpoints or, failing any, those that end but still answer (KEP-1669)."""
    known = list(found)
    ready = {endpoint for endpoint, conditions in known if _is_ready(conditions)}
    ending = {endpoint for endpoint, conditions in known if _is_ending(conditions)}
    return tuple(sorted(ready or ending))
