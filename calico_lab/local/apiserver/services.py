"""What the server gives a Service: cluster addresses and node ports.

Kubernetes draws both at random; here they follow from the service's name and the lab's seed, so that the same service
gets the same address in every lab (https://kubernetes.io/docs/concepts/services-networking/service/).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from calico_lab.local import topology
from calico_lab.local.apiserver.field_problems import FieldProblem
from calico_lab.local.apiserver.names import Generator
from calico_lab.local.apiserver.store import Store
from calico_lab.local.wire import JsonObject

SERVICES = ("", "services")
FIRST_NODE_PORT, LAST_NODE_PORT = 30000, 32767
NO_ADDRESS = "None"


class ServiceAllocator:
    """Allocates addresses and ports that no other service in the store has."""

    def __init__(self, store: Store, generator: Generator) -> None:
        self._store = store
        self._generator = generator

    def allocate(self, service: JsonObject, old: JsonObject | None) -> list[FieldProblem]:
        """Complete a service's spec in place; returns what cannot be allocated."""
        spec, old_spec = service["spec"], (old or {}).get("spec", {})
        if spec.get("type", "ClusterIP") == "ExternalName":
            for name in ("clusterIP", "clusterIPs"):
                spec.pop(name, None)
            return []
        problems = self._cluster_ip(service, old_spec) or self._node_ports(service, old_spec)
        _fill_address_families(spec)
        return problems

    def _cluster_ip(self, service: JsonObject, old_spec: JsonObject) -> list[FieldProblem]:
        spec = service["spec"]
        wanted = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or ()), "")
        kept = old_spec.get("clusterIP", "")
        address = wanted or kept or self._free_address(service)
        spec["clusterIP"], spec["clusterIPs"] = address, [address]
        if kept and address != kept:
            shown = f'["{address}"]'
            return [_invalid("spec.clusterIPs[0]", shown, "may not change once set")]
        if kept or address == NO_ADDRESS or not wanted:
            return []
        return self._refusal_of_address(address, service)

    def _refusal_of_address(self, address: str, service: JsonObject) -> list[FieldProblem]:
        try:
            inside = IPv4Address(address) in topology.SERVICE_NETWORK
        except ValueError:
            return [
                _invalid(
                    "spec.clusterIPs[0]",
                    f'"{address}"',
                    "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
                )
            ]
        if not inside:
            reason = (
                f"failed to allocate IP {address}: the provided IP ({address}) is not in the valid range. "
                f"The range of valid IPs is {topology.SERVICE_NETWORK}"
            )
        elif address in set(self._used_addresses(service)):
            reason = f"failed to allocate IP {address}: provided IP is already allocated"
        else:
            return []
        return [_invalid("spec.clusterIPs", f'["{address}"]', reason)]

    def _free_address(self, service: JsonObject) -> str:
        used = set(self._used_addresses(service))
        size = topology.SERVICE_NETWORK.num_addresses
        start = self._generator.number(f"clusterIP/{_name(service)}", size)
        for step in range(size):
            # Neither the network's address, its broadcast address, nor that of the API server's own service.
            offset = 2 + (start + step) % (size - 3)
            address = str(topology.SERVICE_NETWORK[offset])
            if address not in used:
                return address
        return NO_ADDRESS

    def _used_addresses(self, service: JsonObject) -> Iterator[str]:
        return (other["spec"].get("clusterIP", "") for other in self._others(service))

    def _node_ports(self, service: JsonObject, old_spec: JsonObject) -> list[FieldProblem]:
        spec = service["spec"]
        kind = spec.get("type", "ClusterIP")
        local = kind == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"
        if kind == "ClusterIP":
            return []
        used = set(self._used_ports(service))
        problems = []
        if kind == "NodePort" or spec.get("allocateLoadBalancerNodePorts", True):
            before = {_port_key(port): port.get("nodePort") for port in old_spec.get("ports") or ()}
            for index, port in enumerate(spec.get("ports") or ()):
                port["nodePort"] = (
                    port.get("nodePort") or before.get(_port_key(port)) or self._free_port(service, port, used)
                )
                problems += _refusal_of_port(f"spec.ports[{index}].nodePort", port["nodePort"], used)
                used.add(port["nodePort"])
        if local and not spec.get("healthCheckNodePort"):
            kept = old_spec.get("healthCheckNodePort")
            spec["healthCheckNodePort"] = kept or self._free_port(service, {"name": "health check"}, used)
        return problems

    def _free_port(self, service: JsonObject, port: JsonObject, used: set[int]) -> int:
        size = LAST_NODE_PORT - FIRST_NODE_PORT + 1
        start = self._generator.number(f"nodePort/{_name(service)}/{_port_key(port)}", size)
        ports = (FIRST_NODE_PORT + (start + step) % size for step in range(size))
        return next((candidate for candidate in ports if candidate not in used), 0)

    def _used_ports(self, service: JsonObject) -> Iterator[int]:
        for other in self._others(service):
            yield from (port["nodePort"] for port in other["spec"].get("ports") or () if port.get("nodePort"))
            if other["spec"].get("healthCheckNodePort"):
                yield other["spec"]["healthCheckNodePort"]

    def _others(self, service: JsonObject) -> Iterator[JsonObject]:
        return (other for other in self._store.each(SERVICES) if _name(other) != _name(service))


def drop_what_the_type_needs_no_more(spec: JsonObject, old_spec: JsonObject) -> None:
    """Remove, in place, fields left over from a service's former type, unless the client has just changed them."""
    kind = spec.get("type", "ClusterIP")
    external = kind in ("NodePort", "LoadBalancer")
    unneeded = [] if external else ["externalTrafficPolicy"]
    unneeded += [] if kind == "LoadBalancer" else ["allocateLoadBalancerNodePorts", "healthCheckNodePort"]
    unneeded += ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] if kind == "ExternalName" else []
    for name in unneeded:
        if name in spec and spec[name] == old_spec.get(name):
            del spec[name]
    before = {_port_key(port): port.get("nodePort") for port in old_spec.get("ports") or ()}
    for port in () if external else spec.get("ports") or ():
        if port.get("nodePort") == before.get(_port_key(port)):
            port.pop("nodePort", None)


def _fill_address_families(spec: JsonObject) -> None:
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")


def _refusal_of_port(path: str, port: int, used: set[int]) -> list[FieldProblem]:
    if not FIRST_NODE_PORT <= port <= LAST_NODE_PORT:
        valid = f"{FIRST_NODE_PORT}-{LAST_NODE_PORT}"
        reason = f"provided port is not in the valid range. The range of valid ports is {valid}"
        return [_invalid(path, str(port), reason)]
    return [_invalid(path, str(port), "provided port is already allocated")] if port in used else []


def _invalid(path: str, value: str, reason: str) -> FieldProblem:
    return FieldProblem(path, "FieldValueInvalid", f"Invalid value: {value}: {reason}")


def _name(service: JsonObject) -> str:
    return f"{service['metadata'].get('namespace', '')}/{service['metadata']['name']}"


def _port_key(port: JsonObject) -> tuple[str, str, int]:
    return port.get("name", ""), port.get("protocol", "TCP"), port.get("port", 0)
