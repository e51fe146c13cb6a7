"""Rules that span several fields of a Service.

Messages: https://github.com/kubernetes/kubernetes, package ``pkg/apis/core/validation``. Addresses and node ports are
the allocator's business (``services.py``).
"""

from __future__ import annotations

from collections.abc import Iterator

from calico_lab.local.apiserver import field_problems as problem
from calico_lab.local.apiserver.field_problems import FieldProblem
from calico_lab.local.wire import JsonObject

_EXTERNAL = ("LoadBalancer", "NodePort")


def service_problems(item: JsonObject, old: JsonObject | None) -> Iterator[FieldProblem]:
    """Yield what is wrong with a Service."""
    spec = item["spec"]
    ports = spec.get("ports") or []
    headless = spec.get("clusterIP") == "None"
    if not ports and not headless and spec["type"] != "ExternalName":
        yield problem.required("spec.ports")
    yield from _ports(ports)
    if spec["type"] in _EXTERNAL and headless:
        detail = f"may not be set to 'None' for {spec['type']} services"
        yield problem.invalid("spec.clusterIPs[0]", "None", detail)
    if spec["type"] == "ExternalName" and not spec.get("externalName"):
        yield problem.required("spec.externalName")
    policy = spec.get("externalTrafficPolicy")
    # One that is left from a former type of the service is no offence.
    left_over = old is not None and old["spec"].get("externalTrafficPolicy") == policy
    if policy and not left_over and spec["type"] not in _EXTERNAL and not spec.get("externalIPs"):
        detail = "may only be set for externally-accessible services"
        yield problem.invalid("spec.externalTrafficPolicy", policy, detail)
    if "loadBalancerClass" in spec and spec["type"] != "LoadBalancer":
        yield problem.forbidden("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'")


def _ports(ports: list[JsonObject]) -> Iterator[FieldProblem]:
    seen = set()
    for index, port in enumerate(ports):
        if len(ports) > 1 and not port.get("name"):
            yield problem.required(f"spec.ports[{index}].name")
        key = (port.get("protocol"), port.get("port"))
        if key in seen:
            yield problem.duplicate(f"spec.ports[{index}]", {"port": port.get("port"), "protocol": port["protocol"]})
        seen.add(key)
