"""The whole computation: from a snapshot of all objects to what each Gateway serves and what every status says."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from calico_lab.local.gateway_api import gateways, http_routes, tcp_routes, tls_routes
from calico_lab.local.gateway_api.backends import backend_status
from calico_lab.local.gateway_api.connection_routes import (
    ConnectionAttachment,
    ResolvedConnections,
    TrafficOf,
    connection_listeners,
)
from calico_lab.local.gateway_api.http_listeners import Attachments, http_listeners, ports
from calico_lab.local.gateway_api.http_routes import Attachment, ResolvedRoute
from calico_lab.local.gateway_api.http_rules import Policies
from calico_lab.local.gateway_api.known_routes import KnownRoutes
from calico_lab.local.gateway_api.listeners import ListenerState, listener_states
from calico_lab.local.gateway_api.model import Gateway
from calico_lab.local.gateway_api.policies import Target
from calico_lab.local.gateway_api.references import gateway_of
from calico_lab.local.gateway_api.route_parents import Listeners
from calico_lab.local.gateway_api.security_policies import SecurityPolicies
from calico_lab.local.gateway_api.traffic_policies import TrafficPolicies
from calico_lab.local.gateway_api.world import Infrastructure, ObjectName, World, name_of, oldest_first
from calico_lab.local.wire import JsonObject

# Statuses of one kind, by the names of the objects; their conditions have no times yet.
Statuses = Mapping[ObjectName, JsonObject]


@dataclass(frozen=True)
class Resolution:
    """What the world comes to. An object that is missing from its kind's statuses has nothing said about it."""

    gateways: Mapping[ObjectName, Gateway]
    gateway_class_statuses: Statuses
    gateway_statuses: Statuses
    http_route_statuses: Statuses
    grpc_route_statuses: Statuses
    tls_route_statuses: Statuses
    tcp_route_statuses: Statuses
    backend_traffic_policy_statuses: Statuses
    security_policy_statuses: Statuses
    backend_statuses: Statuses


def resolve(world: World, known: KnownRoutes | None = None) -> Resolution:
    """Apply the rules of the Gateway API, as Envoy Gateway 1.5.9 does, to a snapshot of all objects.

    ``known``, given again with each snapshot, spares most of the work when few routes have changed.
    """
    known = known or KnownRoutes()
    classes = gateways.class_parameters(world)
    ours = {name_of(item): item for item in gateways.owned(world, classes)}
    parameters = {
        name: gateways.gateway_parameters(world, item, classes[item["spec"]["gatewayClassName"]])
        for name, item in ours.items()
    }
    listeners = {name: listener_states(world, item) for name, item in ours.items() if not parameters[name].fault}
    known.look_at(world, listeners)
    http = [item for item in oldest_first(world.http_routes) if _is_relevant(item, listeners)]
    grpc = [item for item in oldest_first(world.grpc_routes) if _is_relevant(item, listeners)]
    tls = [item for item in oldest_first(world.tls_routes) if _is_relevant(item, listeners)]
    tcp = [item for item in oldest_first(world.tcp_routes) if _is_relevant(item, listeners)]
    of_http = _targets({http_routes.KIND: http, http_routes.GRPC_KIND: grpc})
    of_connections = _targets({tls_routes.KIND: tls, tcp_routes.KIND: tcp})
    of_gateways = {("Gateway", name): ours[name] for name in listeners}
    attached, secured = TrafficPolicies(), SecurityPolicies(world)
    attached.attach(world.backend_traffic_policies, of_http | of_connections, of_gateways)
    secured.attach(world.security_policies, of_http, of_gateways)
    policies = partial(_policies, attached, secured)
    http_resolved = _resolve_routes(world, http, http_routes.KIND, listeners, policies, known)
    grpc_resolved = _resolve_routes(world, grpc, http_routes.GRPC_KIND, listeners, policies, known)
    resolved = (*http_resolved.values(), *grpc_resolved.values())
    attachments = _by_listener(attachment for route in resolved for attachment in route.attachments)
    tls_resolved = {
        name_of(item): tls_routes.resolve_route(
            world, item, listeners, _traffic(attached, tls_routes.KIND, name_of(item))
        )
        for item in tls
    }
    tcp_resolved = tcp_routes.resolve_routes(world, tcp, listeners, partial(_traffic, attached, tcp_routes.KIND))
    connections = [each for route in (*tls_resolved.values(), *tcp_resolved.values()) for each in route.attachments]
    return Resolution(
        gateways={
            name: _gateway(ours[name], states, parameters[name], attachments, connections)
            for name, states in listeners.items()
        },
        gateway_class_statuses={
            name_of(item): gateways.class_status(item, classes[item["metadata"]["name"]])
            for item in world.gateway_classes
            if item["metadata"]["name"] in classes
        },
        gateway_statuses=_gateway_statuses(world, ours, listeners, parameters, _counts(attachments, connections)),
        http_route_statuses=_route_statuses(http_resolved),
        grpc_route_statuses=_route_statuses(grpc_resolved),
        tls_route_statuses=_route_statuses(tls_resolved),
        tcp_route_statuses=_route_statuses(tcp_resolved),
        backend_traffic_policy_statuses=attached.statuses(),
        security_policy_statuses=secured.statuses(),
        backend_statuses={name_of(item): backend_status(item) for item in world.backends},
    )


def _targets(routes: Mapping[str, Iterable[JsonObject]]) -> dict[Target, JsonObject]:
    return {(kind, name_of(item)): item for kind, items in routes.items() for item in items}


def _by_listener(attachments: Iterable[Attachment]) -> Attachments:
    found: dict[str, list[Attachment]] = defaultdict(list)
    for attachment in attachments:
        found[attachment.listener.name].append(attachment)
    return found


def _is_relevant(route: JsonObject, listeners: Listeners) -> bool:
    namespace = route["metadata"]["namespace"]
    return any(gateway_of(reference, namespace) in listeners for reference in route["spec"].get("parentRefs") or [])


def _resolve_routes(
    world: World,
    routes: Iterable[JsonObject],
    kind: str,
    listeners: Listeners,
    policies: Callable[[Target, ObjectName], Policies],
    known: KnownRoutes,
) -> dict[ObjectName, ResolvedRoute]:
    def resolve_route(route: JsonObject) -> ResolvedRoute:
        return http_routes.resolve_route(world, route, kind, listeners, partial(policies, (kind, name_of(route))))

    return known.resolve(kind, routes, resolve_route)


def _policies(traffic: TrafficPolicies, security: SecurityPolicies, route: Target, gateway: ObjectName) -> Policies:
    return Policies(traffic.traffic(route, gateway), security.security(route, gateway))


def _traffic(attached: TrafficPolicies, kind: str, route: ObjectName) -> TrafficOf:
    """Return how a route's traffic is to be spread, by the Gateway that it comes through."""
    return lambda gateway: attached.traffic((kind, route), gateway)


def _gateway_statuses(
    world: World,
    ours: Mapping[ObjectName, JsonObject],
    listeners: Mapping[ObjectName, list[ListenerState]],
    parameters: Mapping[ObjectName, gateways.Parameters],
    attached_routes: Mapping[str, int],
) -> Statuses:
    return {
        name: gateways.gateway_status(
            item,
            parameters[name],
            world.infrastructure.get(name, Infrastructure()),
            [state.status(attached_routes.get(state.name, 0)) for state in listeners.get(name, ())],
        )
        for name, item in ours.items()
    }


def _counts(attachments: Attachments, connections: Iterable[ConnectionAttachment]) -> Mapping[str, int]:
    counts = Counter({name: len(found) for name, found in attachments.items()})
    counts.update(attachment.listener.name for attachment in connections)
    return counts


def _route_statuses(routes: Mapping[ObjectName, ResolvedRoute] | Mapping[ObjectName, ResolvedConnections]) -> Statuses:
    return {name: {"parents": list(route.parents)} for name, route in routes.items()}


def _gateway(
    item: JsonObject,
    states: Sequence[ListenerState],
    parameters: gateways.Parameters,
    attachments: Attachments,
    connections: Iterable[ConnectionAttachment],
) -> Gateway:
    spec = parameters.envoy_proxy.get("spec") or {}
    deployment = ((spec.get("provider") or {}).get("kubernetes") or {}).get("envoyDeployment") or {}
    return Gateway(
        name=name_of(item),
        class_name=item["spec"]["gatewayClassName"],
        listeners=http_listeners(states, attachments),
        connection_listeners=connection_listeners(states, connections),
        ports=ports(states),
        replicas=deployment.get("replicas"),
        concurrency=spec.get("concurrency"),
        image=(deployment.get("container") or {}).get("image", ""),
    )
