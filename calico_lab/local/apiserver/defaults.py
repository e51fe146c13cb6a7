"""What the API server fills in before it validates an object.

Defaults of custom resources stand in their schemas; those of Kubernetes' own kinds and of Calico's are code there, and
so they are here. Names and values: https://kubernetes.io/docs/reference/kubernetes-api/ and Calico 3.30.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

from calico_lab.local.apiserver.pod_defaults import apply_pod_spec_defaults, request_limits
from calico_lab.local.wire import JsonObject

_ZERO_VALUES: dict[str, Any] = {"array": [], "boolean": False, "integer": 0, "number": 0, "string": ""}


def apply_defaults(group: str, kind: str, schema: JsonObject | None, item: JsonObject) -> None:
    """Fill in, in place, the defaults of an object's schema and kind. A ``null`` counts as absent, and goes."""
    _drop_nulls(item)
    if schema is not None and "$name" in schema:
        _fill_holes(schema, item)
    elif schema is not None:
        _fill(schema, item)
    complete = _BY_KIND.get((group, kind))
    if complete is not None and isinstance(item.get("spec", {}), dict):
        complete(item)


def _drop_nulls(item: JsonObject) -> None:
    waiting: list[Any] = [item]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            for key in [key for key, child in value.items() if child is None]:
                del value[key]
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _fill_holes(schema: JsonObject, value: Any) -> None:
    """Replace a ``null`` that is an item of a list by what Go's decoder makes of it: the zero value of its type."""
    if isinstance(value, dict):
        properties, others = schema.get("properties") or {}, schema.get("additionalProperties")
        for key, child in value.items():
            inner = properties.get(key, others)
            if isinstance(child, dict | list) and isinstance(inner, dict):
                _fill_holes(inner, child)
    elif isinstance(schema.get("items"), dict):
        zero = _ZERO_VALUES.get(schema["items"].get("type", ""), {})
        value[:] = [copy.deepcopy(zero) if child is None else child for child in value]
        for child in value:
            if isinstance(child, dict | list):
                _fill_holes(schema["items"], child)


def _fill(schema: JsonObject, value: Any) -> None:
    if isinstance(value, dict):
        properties, others = schema.get("properties") or {}, schema.get("additionalProperties")
        for key, child in properties.items():
            if key not in value and "default" in child:
                value[key] = copy.deepcopy(child["default"])
        for key, child in value.items():
            inner = properties.get(key, others)
            if isinstance(inner, dict):
                _fill(inner, child)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for child in value:
            _fill(schema["items"], child)


def _pod(item: JsonObject) -> None:
    apply_pod_spec_defaults(item.get("spec") or {})
    request_limits(item.get("spec") or {})


def _template(spec: JsonObject) -> None:
    template = spec.get("template") or {}
    if isinstance(template.get("spec"), dict):
        apply_pod_spec_defaults(template["spec"])


def _deployment(item: JsonObject) -> None:
    spec = item.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxSurge", "25%")
        rolling.setdefault("maxUnavailable", "25%")
    _template(spec)


def _replica_set(item: JsonObject) -> None:
    spec = item.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    _template(spec)


def _service(item: JsonObject) -> None:
    spec = item.setdefault("spec", {})
    kind = spec.setdefault("type", "ClusterIP")
    if spec.setdefault("sessionAffinity", "None") == "ClientIP":
        client = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        client.setdefault("timeoutSeconds", 10800)
    if kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and spec.get("externalIPs")):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if kind != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        if not port.get("targetPort") and "port" in port:
            port["targetPort"] = port["port"]


def _binding(item: JsonObject) -> None:
    for reference in (item.get("roleRef"), *(item.get("subjects") or ())):
        if isinstance(reference, dict) and reference.get("kind") != "ServiceAccount":
            reference["apiGroup"] = reference.get("apiGroup") or "rbac.authorization.k8s.io"


def _secret(item: JsonObject) -> None:
    item.setdefault("type", "Opaque")


def _endpoint_slice(item: JsonObject) -> None:
    for port in item.get("ports") or ():
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")


def _endpoints(item: JsonObject) -> None:
    for subset in item.get("subsets") or ():
        for port in subset.get("ports") or ():
            port.setdefault("protocol", "TCP")


def _ip_pool(item: JsonObject) -> None:
    spec = item.setdefault("spec", {})
    spec["allowedUses"] = spec.get("allowedUses") or ["Workload", "Tunnel"]
    for key, value in (
        ("ipipMode", "Never"),
        ("vxlanMode", "Never"),
        ("nodeSelector", "all()"),
        ("assignmentMode", "Automatic"),
    ):
        spec[key] = spec.get(key) or value
    try:
        network = ip_network(spec.get("cidr", ""), strict=False)
    except ValueError:
        return  # an invalid CIDR is reported by calico_rules
    spec["blockSize"] = spec.get("blockSize") or (26 if network.version == 4 else 122)


_BY_KIND: dict[tuple[str, str], Callable[[JsonObject], None]] = {
    ("", "Endpoints"): _endpoints,
    ("", "Pod"): _pod,
    ("", "Secret"): _secret,
    ("", "Service"): _service,
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("discovery.k8s.io", "EndpointSlice"): _endpoint_slice,
    ("projectcalico.org", "IPPool"): _ip_pool,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _binding,
    ("rbac.authorization.k8s.io", "RoleBinding"): _binding,
}
