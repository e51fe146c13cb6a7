"""Which listeners a route of any kind is attached to by one of its parentRefs, and what the route is told of it.

Conditions and their strings are those of Envoy Gateway 1.5.9.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from calico_lab.local.gateway_api import hostnames
from calico_lab.local.gateway_api.backends import Problem
from calico_lab.local.gateway_api.conditions import condition, sentence
from calico_lab.local.gateway_api.listeners import ListenerState
from calico_lab.local.gateway_api.references import allows_namespace, gateway_of, selects
from calico_lab.local.gateway_api.world import CONTROLLER_NAME, ObjectName, World, generation_of
from calico_lab.local.wire import JsonObject

Listeners = Mapping[ObjectName, Sequence[ListenerState]]

# A condition's status, reason and message.
Told = tuple[bool, str, str]

ACCEPTED: Told = (True, "Accepted", "Route is accepted")
RESOLVED: Told = (True, "ResolvedRefs", "Resolved all the Object references for the Route")


@dataclass(frozen=True)
class Parent:
    """A parentRef to a Gateway of ours: the listeners that count the route as theirs, and whether they take it."""

    reference: JsonObject
    gateway: ObjectName
    listeners: tuple[ListenerState, ...]
    accepted: Told

    def status(self, route: JsonObject, accepted: Told, resolved: Told | None = None) -> JsonObject:
        """Return the entry of this parent in the status of the route."""
        told = [("Accepted", accepted)] + ([("ResolvedRefs", resolved)] if resolved else [])
        conditions = [condition(kind, *entry, generation_of(route)) for kind, entry in told]
        return {"parentRef": self.reference, "controllerName": CONTROLLER_NAME, "conditions": conditions}


def parents_of(world: World, route: JsonObject, kind: str, listeners: Listeners) -> list[Parent]:
    """Return what becomes of each parentRef of a route; those to Gateways of others are left out."""
    found = []
    for reference in route["spec"].get("parentRefs") or []:
        gateway = gateway_of(reference, route["metadata"]["namespace"])
        if gateway is not None and gateway in listeners:
            found.append(_parent(world, route, kind, reference, gateway, listeners[gateway]))
    return found


def hostnames_at(route: JsonObject, state: ListenerState, siblings: Iterable[ListenerState]) -> tuple[str, ...]:
    """Return the hostnames by which a route is reached at a listener; ``siblings`` are its Gateway's listeners."""
    others = {
        sibling.hostname
        for sibling in siblings
        if sibling is not state and sibling.hostname and sibling.spec["port"] == state.spec["port"]
    }
    return tuple(hostnames.at_listener(route["spec"].get("hostnames") or [], state.hostname, others))


def resolved_references(problems: Sequence[Problem]) -> Told:
    """Return the condition ResolvedRefs of a TCPRoute or TLSRoute."""
    if not problems:
        return RESOLVED
    reasons = joined(problem.reason for problem in problems)
    if len(problems) == 1:
        return False, reasons, problems[0].message
    return False, reasons, "\n".join(sentence(problem.message) for problem in problems)


def no_matching_hostname(kind: str) -> Told:
    """Return the condition Accepted of a route of a kind that has no hostname in common with its listeners."""
    text = f"There were no hostname intersections between the {kind} and this parent ref's Listener(s)."
    return False, "NoMatchingListenerHostname", text


def joined(reasons: Iterable[str]) -> str:
    """Return several reasons as one. Envoy Gateway has a space after each comma; no API server stores such a reason."""
    return ",".join(sorted(set(reasons)))


def _parent(
    world: World,
    route: JsonObject,
    kind: str,
    reference: JsonObject,
    gateway: ObjectName,
    candidates: Iterable[ListenerState],
) -> Parent:
    selected = [state for state in candidates if selects(reference, state.spec)]
    allowed = tuple(state for state in selected if kind in state.kinds and _allows(world, state, route))
    accepted = ACCEPTED
    if not selected:
        accepted = (False, "NoMatchingParent", "No listeners match this parent ref")
    elif not allowed:
        text = "No listeners included by this parent ref allowed this attachment."
        accepted = (False, "NotAllowedByListeners", text)
    elif not any(state.ready for state in selected):
        accepted = (False, "NoReadyListeners", "There are no ready listeners for this parent ref")
    return Parent(reference, gateway, allowed, accepted)


def _allows(world: World, state: ListenerState, route: JsonObject) -> bool:
    name = route["metadata"]["namespace"]
    namespace = world.namespaces_by_name.get(name, {"metadata": {"name": name}})
    return allows_namespace(state.spec, state.gateway.namespace, namespace)
