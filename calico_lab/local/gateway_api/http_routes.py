"""HTTPRoutes: which listeners take them, what their statuses say, and the routes that they come to.

Conditions and their strings are those of Envoy Gateway 1.5.9.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from calico_lab.local.gateway_api import hostnames
from calico_lab.local.gateway_api.backends import Problem, endpoints_of
from calico_lab.local.gateway_api.conditions import condition, sentence
from calico_lab.local.gateway_api.listeners import ListenerState
from calico_lab.local.gateway_api.matches import matches_of
from calico_lab.local.gateway_api.model import Backend, Destination, Route, Source
from calico_lab.local.gateway_api.references import allows_namespace, gateway_of, selects
from calico_lab.local.gateway_api.traffic import Traffic
from calico_lab.local.gateway_api.world import CONTROLLER_NAME, ObjectName, World, generation_of, name_of
from calico_lab.local.wire import JsonObject

KIND = "HTTPRoute"

Listeners = Mapping[ObjectName, Sequence[ListenerState]]


@dataclass(frozen=True)
class Attachment:
    """A route at a listener: counted there, and served under ``hostnames``, of which there may be none."""

    listener: ListenerState
    hostnames: tuple[str, ...]
    routes: tuple[Route, ...]


@dataclass(frozen=True)
class ResolvedRoute:
    """What an HTTPRoute comes to."""

    parents: tuple[JsonObject, ...]
    attachments: tuple[Attachment, ...]


def resolve_route(
    world: World, route: JsonObject, listeners: Listeners, traffic: Callable[[ObjectName], Traffic]
) -> ResolvedRoute:
    """Resolve an HTTPRoute against the listeners of our Gateways; ``traffic`` gives the policy per Gateway."""
    parents: list[JsonObject] = []
    attachments: list[Attachment] = []
    for reference in route["spec"].get("parentRefs") or []:
        gateway = gateway_of(reference, route["metadata"]["namespace"])
        if gateway is None or gateway not in listeners:
            continue
        rules = _resolve_rules(world, route, traffic(gateway))
        accepted, attached = _attach(world, route, reference, listeners[gateway], rules)
        attachments += attached
        told = [rules.fault if rules.fault and accepted[0] else accepted, rules.resolved]
        conditions = [
            condition(kind, *entry, generation_of(route))
            for kind, entry in zip(("Accepted", "ResolvedRefs"), told, strict=True)
        ]
        parents.append({"parentRef": reference, "controllerName": CONTROLLER_NAME, "conditions": conditions})
    return ResolvedRoute(tuple(parents), tuple(attachments))


Told = tuple[bool, str, str]

_ACCEPTED: Told = (True, "Accepted", "Route is accepted")
_RESOLVED: Told = (True, "ResolvedRefs", "Resolved all the Object references for the Route")


@dataclass(frozen=True)
class _Rules:
    """The routes of all rules, without their hostnames, and what is wrong with the rules themselves."""

    routes: tuple[Route, ...]
    resolved: Told
    fault: Told | None


def _attach(
    world: World, route: JsonObject, reference: JsonObject, candidates: Sequence[ListenerState], rules: _Rules
) -> tuple[Told, list[Attachment]]:
    selected = [state for state in candidates if selects(reference, state.spec)]
    if not selected:
        return (False, "NoMatchingParent", "No listeners match this parent ref"), []
    allowed = [state for state in selected if KIND in state.kinds and _allows(world, state, route)]
    if not allowed:
        text = "No listeners included by this parent ref allowed this attachment."
        return (False, "NotAllowedByListeners", text), []
    attachments = [Attachment(state, _hostnames(route, state, candidates), rules.routes) for state in allowed]
    if not any(state.ready for state in selected):
        return (False, "NoReadyListeners", "There are no ready listeners for this parent ref"), attachments
    if not any(attachment.hostnames for attachment in attachments):
        text = "There were no hostname intersections between the HTTPRoute and this parent ref's Listener(s)."
        return (False, "NoMatchingListenerHostname", text), attachments
    return _ACCEPTED, attachments


def _allows(world: World, state: ListenerState, route: JsonObject) -> bool:
    name = route["metadata"]["namespace"]
    namespace = world.namespaces_by_name.get(name, {"metadata": {"name": name}})
    return allows_namespace(state.spec, state.gateway.namespace, namespace)


def _hostnames(route: JsonObject, state: ListenerState, siblings: Iterable[ListenerState]) -> tuple[str, ...]:
    others = {
        sibling.hostname
        for sibling in siblings
        if sibling is not state and sibling.hostname and sibling.spec["port"] == state.spec["port"]
    }
    return tuple(hostnames.at_listener(route["spec"].get("hostnames") or [], state.hostname, others))


def _resolve_rules(world: World, route: JsonObject, traffic: Traffic) -> _Rules:
    name = name_of(route)
    routes: list[Route] = []
    problems: list[Problem] = []
    faults: list[str] = []
    for index, rule in enumerate(route["spec"].get("rules") or []):
        prefix = f"httproute/{name}/rule/{index}"
        source = Source(KIND, name, rule.get("name", ""))
        try:
            matches = matches_of(rule)
        except ValueError as error:
            faults.append(sentence(f"failed to process route rule {index}: {error}"))
            continue
        backends, found = _backends(world, route, rule, prefix, index)
        problems += found
        destination = Destination(prefix, backends, traffic, source)
        target = destination if destination.reachable else None
        routes += [Route(f"{prefix}/match/{number}", match, target, source) for number, match in matches]
    fault = (False, "UnsupportedValue", "\n".join(faults)) if faults else None
    return _Rules(() if fault else tuple(routes), _told(problems), fault)


def _backends(
    world: World, route: JsonObject, rule: JsonObject, prefix: str, rule_index: int
) -> tuple[tuple[Backend, ...], list[Problem]]:
    backends, problems = [], []
    for index, reference in enumerate(rule.get("backendRefs") or []):
        try:
            endpoints = endpoints_of(world, reference, KIND, route["metadata"]["namespace"])
        except Problem as problem:
            endpoints = ()
            where = f"failed to process route rule {rule_index} backendRef {index}"
            problems.append(Problem(problem.reason, f"{where}: {problem.message}"))
        backends.append(Backend(f"{prefix}/backend/{index}", reference.get("weight", 1), endpoints))
    return tuple(backend for backend in backends if backend.weight), problems


def _told(problems: list[Problem]) -> Told:
    if not problems:
        return _RESOLVED
    reasons = ", ".join(sorted({problem.reason for problem in problems}))
    return False, reasons, "\n".join(sentence(problem.message) for problem in problems)
