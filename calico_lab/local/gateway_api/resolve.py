"""The whole computation: from a snapshot of all objects to what each Gateway serves and what every status says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from calico_lab.local.gateway_api import gateways, hostnames, http_routes, policies, precedence
from calico_lab.local.gateway_api.http_routes import Attachment, ResolvedRoute
from calico_lab.local.gateway_api.listeners import ListenerState, listener_states
from calico_lab.local.gateway_api.model import Gateway, Listener, Route, Source, VirtualHost, container_port
from calico_lab.local.gateway_api.references import gateway_of
from calico_lab.local.gateway_api.world import Infrastructure, ObjectName, World, name_of, oldest_first
from calico_lab.local.wire import JsonObject

# Statuses of one kind, by the names of the objects; their conditions have no times yet.
Statuses = Mapping[ObjectName, JsonObject]

# The routes at each listener, by the listener's full name.
Attachments = Mapping[str, list[Attachment]]


@dataclass(frozen=True)
class Resolution:
    """What the world comes to. An object that is missing from its kind's statuses has nothing said about it."""

    gateways: Mapping[ObjectName, Gateway]
    gateway_class_statuses: Statuses
    gateway_statuses: Statuses
    http_route_statuses: Statuses
    backend_traffic_policy_statuses: Statuses


def resolve(world: World) -> Resolution:
    """Apply the rules of the Gateway API, as Envoy Gateway 1.5.9 does, to a snapshot of all objects."""
    classes = gateways.class_parameters(world)
    ours = {name_of(item): item for item in gateways.owned(world, classes)}
    parameters = {
        name: gateways.gateway_parameters(world, item, classes[item["spec"]["gatewayClassName"]])
        for name, item in ours.items()
    }
    listeners = {name: listener_states(item) for name, item in ours.items() if not parameters[name].fault}
    routes = [item for item in oldest_first(world.http_routes) if _is_relevant(item, listeners)]
    attached = policies.attach(
        world.backend_traffic_policies,
        {(http_routes.KIND, name_of(item)): item for item in routes},
        {("Gateway", name): ours[name] for name in listeners},
    )
    resolved = {name_of(item): _resolve_route(world, item, listeners, attached) for item in routes}
    attachments = _by_listener(attachment for route in resolved.values() for attachment in route.attachments)
    return Resolution(
        gateways={
            name: _gateway(ours[name], states, parameters[name], attachments) for name, states in listeners.items()
        },
        gateway_class_statuses={
            name_of(item): gateways.class_status(item, classes[item["metadata"]["name"]])
            for item in world.gateway_classes
            if item["metadata"]["name"] in classes
        },
        gateway_statuses=_gateway_statuses(world, ours, listeners, parameters, attachments),
        http_route_statuses={name: {"parents": list(route.parents)} for name, route in resolved.items()},
        backend_traffic_policy_statuses=attached.statuses(),
    )


def _by_listener(attachments: Iterable[Attachment]) -> Attachments:
    found: dict[str, list[Attachment]] = defaultdict(list)
    for attachment in attachments:
        found[attachment.listener.name].append(attachment)
    return found


def _is_relevant(route: JsonObject, listeners: http_routes.Listeners) -> bool:
    namespace = route["metadata"]["namespace"]
    return any(gateway_of(reference, namespace) in listeners for reference in route["spec"].get("parentRefs") or [])


def _resolve_route(
    world: World, route: JsonObject, listeners: http_routes.Listeners, attached: policies.Attachments
) -> ResolvedRoute:
    target = (http_routes.KIND, name_of(route))
    return http_routes.resolve_route(world, route, listeners, lambda gateway: attached.traffic(target, gateway))


def _gateway_statuses(
    world: World,
    ours: Mapping[ObjectName, JsonObject],
    listeners: Mapping[ObjectName, list[ListenerState]],
    parameters: Mapping[ObjectName, gateways.Parameters],
    attachments: Attachments,
) -> Statuses:
    return {
        name: gateways.gateway_status(
            item,
            parameters[name],
            world.infrastructure.get(name, Infrastructure()),
            [state.status(len(attachments.get(state.name, ()))) for state in listeners.get(name, ())],
        )
        for name, item in ours.items()
    }


def _gateway(
    item: JsonObject,
    states: Iterable[ListenerState],
    parameters: gateways.Parameters,
    attachments: Attachments,
) -> Gateway:
    by_port: dict[int, list[ListenerState]] = defaultdict(list)
    for state in states:
        if state.ready:
            by_port[state.spec["port"]].append(state)
    spec = parameters.envoy_proxy.get("spec") or {}
    deployment = ((spec.get("provider") or {}).get("kubernetes") or {}).get("envoyDeployment") or {}
    return Gateway(
        name=name_of(item),
        class_name=item["spec"]["gatewayClassName"],
        listeners=tuple(
            Listener(sharing[0].name, port, container_port(port), _virtual_hosts(sharing, attachments))
            for port, sharing in by_port.items()
        ),
        replicas=deployment.get("replicas"),
        concurrency=spec.get("concurrency"),
        image=(deployment.get("container") or {}).get("image", ""),
    )


def _virtual_hosts(sharing: Iterable[ListenerState], attachments: Attachments) -> tuple[VirtualHost, ...]:
    """Return the virtual hosts of a port; a hostname that two listeners have belongs to the more specific one."""
    hosts: dict[str, VirtualHost] = {}
    for state in sorted(sharing, key=lambda state: _specificity(state.hostname), reverse=True):
        routes: dict[str, list[Route]] = defaultdict(list)
        for attachment in attachments.get(state.name, ()):
            for hostname in attachment.hostnames:
                suffix = "/" + hostname.replace(".", "_")
                routes[hostname] += [replace(route, name=route.name + suffix) for route in attachment.routes]
        for hostname, found in routes.items():
            if found and hostname not in hosts:
                name = f"{state.name}/{hostname.replace('.', '_')}"
                source = Source("Gateway", state.gateway, state.spec["name"])
                hosts[hostname] = VirtualHost(name, hostname, precedence.in_order(found), source)
    return tuple(hosts[hostname] for hostname in sorted(hosts))


def _specificity(hostname: str) -> tuple[bool, int]:
    return (bool(hostname) and not hostname.startswith(hostnames.ANY), len(hostname))
