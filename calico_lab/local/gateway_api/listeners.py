"""Whether each listener of a Gateway can be programmed, and what its status says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from calico_lab.local.gateway_api.conditions import condition
from calico_lab.local.gateway_api.world import GATEWAY_GROUP, ObjectName, generation_of, name_of
from calico_lab.local.wire import JsonObject

# The kinds of routes that a listener of each protocol takes; of the protocols that Envoy Gateway has, the lab serves
# these, and admission denies the others.
ROUTE_KINDS = {"HTTP": ("HTTPRoute", "GRPCRoute")}


@dataclass(frozen=True)
class ListenerState:
    """A listener of a Gateway, the conditions it has and whether it is ready to be programmed."""

    gateway: ObjectName
    spec: JsonObject
    conditions: tuple[JsonObject, ...]
    kinds: tuple[str, ...]
    ready: bool

    @property
    def name(self) -> str:
        """The name that everything made from this listener starts with."""
        return f"{self.gateway}/{self.spec['name']}"

    @property
    def hostname(self) -> str:
        """The listener's hostname, empty where it takes all."""
        hostname: str = self.spec.get("hostname") or ""
        return hostname

    def status(self, attached_routes: int) -> JsonObject:
        """Return the listener's entry in the status of its Gateway."""
        kinds = [{"group": GATEWAY_GROUP, "kind": kind} for kind in self.kinds]
        return {
            "name": self.spec["name"],
            "supportedKinds": kinds,
            "attachedRoutes": attached_routes,
            "conditions": list(self.conditions),
        }


def listener_states(gateway: JsonObject) -> list[ListenerState]:
    """Return the state of each listener of a Gateway, in order."""
    specs = gateway["spec"]["listeners"]
    protocols = {port: {spec["protocol"] for spec in specs if spec["port"] == port} for port in _ports(specs)}
    hostnames = Counter((spec["port"], spec.get("hostname") or "") for spec in specs)
    states = []
    for spec in specs:
        faults = _conflicts(spec, protocols, hostnames) + _kind_faults(spec)
        states.append(_state(gateway, spec, faults))
    return states


def _ports(specs: list[JsonObject]) -> set[int]:
    return {spec["port"] for spec in specs}


def _state(gateway: JsonObject, spec: JsonObject, faults: list[tuple[str, bool, str, str]]) -> ListenerState:
    told = faults or [
        ("Programmed", True, "Programmed", "Sending translated listener configuration to the data plane"),
        ("Accepted", True, "Accepted", "Listener has been successfully translated"),
    ]
    if faults:
        message = "Listener is invalid, see other Conditions for details."
        told = [*told, ("Programmed", False, "Invalid", message)]
    if "ResolvedRefs" not in [kind for kind, *_ in told]:
        told = [*told, ("ResolvedRefs", True, "ResolvedRefs", "Listener references have been resolved")]
    generation = generation_of(gateway)
    return ListenerState(
        gateway=name_of(gateway),
        spec=spec,
        conditions=tuple(condition(*entry, generation) for entry in told),
        kinds=_supported_kinds(spec),
        ready=not faults,
    )


def _conflicts(
    spec: JsonObject, protocols: dict[int, set[str]], hostnames: Counter[tuple[int, str]]
) -> list[tuple[str, bool, str, str]]:
    # The later of two conflicts replaces the earlier: a listener has one condition of a type.
    if hostnames[spec["port"], spec.get("hostname") or ""] > 1:
        text = "All listeners for a given port must use a unique hostname"
        return [("Conflicted", True, "HostnameConflict", text)]
    if len(protocols[spec["port"]]) > 1:
        text = "All listeners for a given port must use a compatible protocol"
        return [("Conflicted", True, "ProtocolConflict", text)]
    return []


def _kind_faults(spec: JsonObject) -> list[tuple[str, bool, str, str]]:
    protocol = spec["protocol"]
    if protocol not in ROUTE_KINDS:
        text = f"Protocol {protocol} is unsupported, must be HTTP, HTTPS, TCP or UDP."
        return [("Accepted", False, "UnsupportedProtocol", text)]
    supported = _supported_kinds(spec)
    named = " ".join(supported or ROUTE_KINDS[protocol])
    text = ""
    for kind in _asked_kinds(spec):
        if kind.get("group", GATEWAY_GROUP) != GATEWAY_GROUP:
            text = f"Group is not supported, group must be {GATEWAY_GROUP}"
        elif kind["kind"] not in ROUTE_KINDS[protocol]:
            text = f"{kind['kind']} is not supported, kind must be one of [{named}]"
    return [("ResolvedRefs", False, "InvalidRouteKinds", text)] if text else []


def _asked_kinds(spec: JsonObject) -> list[JsonObject]:
    return (spec.get("allowedRoutes") or {}).get("kinds") or []


def _supported_kinds(spec: JsonObject) -> tuple[str, ...]:
    possible = ROUTE_KINDS.get(spec["protocol"], ())
    asked = _asked_kinds(spec)
    if not asked:
        return possible
    return tuple(
        kind["kind"] for kind in asked if kind.get("group", GATEWAY_GROUP) == GATEWAY_GROUP and kind["kind"] in possible
    )
