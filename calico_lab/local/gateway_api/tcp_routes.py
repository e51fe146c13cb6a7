"""TCPRoutes: all connections of a TCP listener, or what TLS carried on a TLS listener that terminates it.

Conditions and their strings are those of Envoy Gateway 1.5.9. A listener serves one TCPRoute, the oldest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from calico_lab.local.gateway_api.connection_routes import (
    ConnectionAttachment,
    ResolvedConnections,
    TrafficOf,
    backends_of,
    destination_of,
    route_name,
)
from calico_lab.local.gateway_api.model import ConnectionRoute
from calico_lab.local.gateway_api.route_parents import (
    ACCEPTED,
    Listeners,
    Parent,
    Told,
    parents_of,
    resolved_references,
)
from calico_lab.local.gateway_api.world import ObjectName, World, name_of
from calico_lab.local.wire import JsonObject

KIND = "TCPRoute"

_ONE_RULE: Told = (False, "InvalidRule", "One and only one rule is supported")
_ONE_ROUTE: Told = (False, "UnsupportedValue", "Multiple routes on the same TCP listener")


def resolve_routes(
    world: World, routes: Iterable[JsonObject], listeners: Listeners, traffic: Callable[[ObjectName], TrafficOf]
) -> Mapping[ObjectName, ResolvedConnections]:
    """Resolve TCPRoutes, oldest first, against the listeners of our Gateways; ``traffic`` gives the policy of each."""
    attached: Counter[str] = Counter()
    return {name_of(route): _resolve(world, route, listeners, traffic(name_of(route)), attached) for route in routes}


def _resolve(
    world: World, route: JsonObject, listeners: Listeners, traffic: TrafficOf, attached: Counter[str]
) -> ResolvedConnections:
    rules = route["spec"].get("rules") or []
    parents = parents_of(world, route, KIND, listeners)
    attached.update(state.name for parent in parents for state in parent.listeners)
    if len(rules) != 1:
        counted = tuple(ConnectionAttachment(state, None) for parent in parents for state in parent.listeners)
        return ResolvedConnections(tuple(parent.status(route, _ONE_RULE) for parent in parents), counted)
    backends, problems = backends_of(world, route, KIND, rules[0].get("backendRefs") or [])
    statuses: list[JsonObject] = []
    attachments: list[ConnectionAttachment] = []
    for parent in parents:
        free = _free_listeners(parent, attached)
        accepted = _ONE_ROUTE if parent.accepted is ACCEPTED and not free else parent.accepted
        statuses.append(parent.status(route, accepted, resolved_references(problems)))
        for state in parent.listeners:
            names = (state.hostname,) if state.hostname else ()
            destination = destination_of(route, KIND, backends, traffic(parent.gateway))
            served = ConnectionRoute(route_name(KIND, route), destination, names, state.certificates)
            attachments.append(ConnectionAttachment(state, served if state.name in free else None))
    return ResolvedConnections(tuple(statuses), tuple(attachments))


def _free_listeners(parent: Parent, attached: Counter[str]) -> set[str]:
    if parent.accepted is not ACCEPTED:
        return set()
    return {state.name for state in parent.listeners if state.ready and attached[state.name] == 1}
