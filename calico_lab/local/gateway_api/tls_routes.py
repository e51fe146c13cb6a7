"""TLSRoutes: connections that TLS listeners pass on as they are, by the name that the client asks for (SNI).

Conditions and their strings are those of Envoy Gateway 1.5.9, where the one about hostnames speaks of HTTPRoutes.
"""

from __future__ import annotations

from calico_lab.local.gateway_api import hostnames
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
    hostnames_at,
    no_matching_hostname,
    parents_of,
    resolved_references,
)
from calico_lab.local.gateway_api.world import World
from calico_lab.local.wire import JsonObject

KIND = "TLSRoute"


def resolve_route(world: World, route: JsonObject, listeners: Listeners, traffic: TrafficOf) -> ResolvedConnections:
    """Resolve a TLSRoute against the listeners of our Gateways."""
    parents: list[JsonObject] = []
    attachments: list[ConnectionAttachment] = []
    references = [each for rule in route["spec"].get("rules") or [] for each in rule.get("backendRefs") or []]
    backends, problems = backends_of(world, route, KIND, references)
    for parent in parents_of(world, route, KIND, listeners):
        accepted = parent.accepted
        reached = {
            state.name: hostnames_at(route, state, listeners[parent.gateway])
            for state in parent.listeners
            if accepted is ACCEPTED
        }
        if accepted is ACCEPTED and not any(reached.values()):
            accepted = no_matching_hostname("HTTPRoute")
        for state in parent.listeners:
            names = reached.get(state.name, ())
            asked = tuple(name for name in names if name != hostnames.ANY)
            destination = destination_of(route, KIND, backends, traffic(parent.gateway))
            served = ConnectionRoute(route_name(KIND, route), destination, asked)
            attachments.append(ConnectionAttachment(state, served if names else None))
        parents.append(parent.status(route, accepted, resolved_references(problems)))
    return ResolvedConnections(tuple(parents), tuple(attachments))
