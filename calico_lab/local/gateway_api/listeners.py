"""Whether each listener of a Gateway can be programmed, and what its status says.

Conditions, their order and their words are those of Envoy Gateway 1.5.9. One fault it overlooks: a TCP listener on the
port of an HTTP, HTTPS or TLS listener. There its Service would have two ports of one number, which Kubernetes refuses.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from calico_lab.local.gateway_api.certificates import Found, certificates_of
from calico_lab.local.gateway_api.conditions import condition
from calico_lab.local.gateway_api.model import Certificate
from calico_lab.local.gateway_api.overlaps import Overlap, overlaps
from calico_lab.local.gateway_api.references import selector_fault
from calico_lab.local.gateway_api.world import GATEWAY_GROUP, ObjectName, World, generation_of, name_of
from calico_lab.local.wire import JsonObject

# The kinds of routes that a listener of each protocol takes. UDP is Envoy Gateway's as well; admission denies it.
ROUTE_KINDS = {
    "HTTP": ("HTTPRoute", "GRPCRoute"),
    "HTTPS": ("HTTPRoute", "GRPCRoute"),
    "TCP": ("TCPRoute",),
}
TLS_ROUTE_KINDS = {"Passthrough": ("TLSRoute",), "Terminate": ("TCPRoute",), "": ("TCPRoute", "TLSRoute")}

# Which protocols can share a port.
_PORT_GROUPS = {"HTTPS": "https/tls", "TLS": "https/tls"}

# A condition of a listener: status, reason and message, by type. What is told twice is told where it was told first.
Told = dict[str, tuple[bool, str, str]]


@dataclass(frozen=True)
class ListenerState:
    """A listener of a Gateway, the conditions it has and whether it is ready to be programmed."""

    gateway: ObjectName
    spec: JsonObject
    conditions: tuple[JsonObject, ...]
    kinds: tuple[str, ...]
    ready: bool
    certificates: tuple[Certificate, ...] = ()
    overlapping: bool = False

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


@dataclass
class _Examined:
    """What was found out about a listener."""

    spec: JsonObject
    told: Told = field(default_factory=dict)
    found: Found = field(default_factory=Found)
    overlap: Overlap | None = None


def listener_states(world: World, gateway: JsonObject) -> list[ListenerState]:
    """Return the state of each listener of a Gateway, in order."""
    name = name_of(gateway)
    examined = [_Examined(spec) for spec in gateway["spec"]["listeners"]]
    _tell_conflicts(examined)
    for each in examined:
        _tell_kinds(each)
        _tell_namespaces(each)
        _tell_tls(world, each, name)
    secure = [each for each in examined if each.spec["protocol"] == "HTTPS"]
    for each, overlap in zip(secure, overlaps([(it.spec, it.found.dns_names) for it in secure]), strict=True):
        each.overlap = overlap
    return [_state(each, name, generation_of(gateway)) for each in examined]


def route_kinds(spec: JsonObject) -> tuple[str, ...]:
    """Return the kinds of routes that a listener can take, none where its protocol is not known."""
    if spec["protocol"] == "TLS":
        return TLS_ROUTE_KINDS[_mode(spec) if "tls" in spec else ""]
    return ROUTE_KINDS.get(spec["protocol"], ())


def _mode(spec: JsonObject) -> str:
    mode: str = (spec.get("tls") or {}).get("mode", "Terminate")
    return mode


def _state(each: _Examined, gateway: ObjectName, generation: int) -> ListenerState:
    ready = not each.told
    if ready:
        sending = "Sending translated listener configuration to the data plane"
        each.told["Programmed"] = (True, "Programmed", sending)
        each.told["Accepted"] = (True, "Accepted", "Listener has been successfully translated")
    each.told.setdefault("Programmed", (False, "Invalid", "Listener is invalid, see other Conditions for details."))
    each.told.setdefault("ResolvedRefs", (True, "ResolvedRefs", "Listener references have been resolved"))
    if each.overlap:
        each.told["OverlappingTLSConfig"] = (True, *each.overlap)
    return ListenerState(
        gateway=gateway,
        spec=each.spec,
        conditions=tuple(condition(kind, *entry, generation) for kind, entry in each.told.items()),
        kinds=_supported_kinds(each.spec),
        ready=ready,
        certificates=each.found.certificates,
        overlapping=each.overlap is not None,
    )


def _tell_conflicts(examined: Iterable[_Examined]) -> None:
    by_port: dict[int, list[_Examined]] = defaultdict(list)
    for each in examined:
        if each.spec["protocol"] != "UDP":
            by_port[each.spec["port"]].append(each)
    for sharing in by_port.values():
        _tell_conflicts_of_port(sharing)


def _tell_conflicts_of_port(sharing: Sequence[_Examined]) -> None:
    groups = {_PORT_GROUPS.get(each.spec["protocol"], each.spec["protocol"]) for each in sharing}
    hostnames = Counter(each.spec.get("hostname") or "" for each in sharing if each.spec["protocol"] != "TCP")
    for index, each in enumerate(sharing):
        if len(groups) > 1:
            text = "All listeners for a given port must use a compatible protocol"
            each.told["Conflicted"] = (True, "ProtocolConflict", text)
        if each.spec["protocol"] == "TCP":
            if len(groups) == 1 and index:
                text = "Only one TCP listener is allowed in a given port"
                each.told["Conflicted"] = (True, "ProtocolConflict", text)
        elif hostnames[each.spec.get("hostname") or ""] > 1:
            text = "All listeners for a given port must use a unique hostname"
            each.told["Conflicted"] = (True, "HostnameConflict", text)


def _tell_kinds(each: _Examined) -> None:
    possible, supported = route_kinds(each.spec), _supported_kinds(each.spec)
    if not possible:
        text = f"Protocol {each.spec['protocol']} is unsupported, must be HTTP, HTTPS, TCP or UDP."
        each.told["Accepted"] = (False, "UnsupportedProtocol", text)
        return
    for kind in _asked_kinds(each.spec):
        if kind.get("group", GATEWAY_GROUP) != GATEWAY_GROUP:
            text = f"Group is not supported, group must be {GATEWAY_GROUP}"
        elif kind["kind"] not in possible:
            text = f"{kind['kind']} is not supported, kind must be one of [{' '.join(supported or possible)}]"
        else:
            continue
        each.told["ResolvedRefs"] = (False, "InvalidRouteKinds", text)


def _tell_namespaces(each: _Examined) -> None:
    namespaces = (each.spec.get("allowedRoutes") or {}).get("namespaces") or {}
    if namespaces.get("from") != "Selector":
        return
    field = "The allowedRoutes.namespaces.selector"
    if "selector" not in namespaces:
        text = f'{field} field must be specified when allowedRoutes.namespaces.from is set to "Selector".'
        each.told["Programmed"] = (False, "Invalid", text)
    elif fault := selector_fault(namespaces["selector"]):
        each.told["Programmed"] = (False, "Invalid", f"{field} could not be parsed: {fault}.")


def _tell_tls(world: World, each: _Examined, gateway: ObjectName) -> None:
    protocol, tls = each.spec["protocol"], each.spec.get("tls")
    if protocol not in ("HTTPS", "TLS"):
        return
    references = (tls or {}).get("certificateRefs") or []
    fault = ""
    if tls is None:
        fault = f"Listener must have TLS set when protocol is {protocol}."
    elif protocol == "TLS" and _mode(each.spec) == "Passthrough":
        if references:
            fault = "Listener must not have TLS certificate refs set for TLS mode Passthrough."
    elif not references:
        fault = (
            "Listener must have at least 1 TLS certificate ref"
            if protocol == "HTTPS"
            else "Listener must have TLS certificate refs set for TLS mode Terminate."
        )
    if fault:
        each.told["Programmed"] = (False, "Invalid", fault)
        return
    each.found = certificates_of(world, references, gateway)
    if each.found.fault:
        each.told["ResolvedRefs"] = (False, each.found.fault.reason, each.found.fault.message)


def _asked_kinds(spec: JsonObject) -> list[JsonObject]:
    return (spec.get("allowedRoutes") or {}).get("kinds") or []


def _supported_kinds(spec: JsonObject) -> tuple[str, ...]:
    possible = route_kinds(spec)
    asked = _asked_kinds(spec)
    if not asked:
        return possible
    return tuple(
        kind["kind"] for kind in asked if kind.get("group", GATEWAY_GROUP) == GATEWAY_GROUP and kind["kind"] in possible
    )
