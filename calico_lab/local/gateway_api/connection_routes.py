"""What TCPRoutes and TLSRoutes have in common: they send whole connections to backends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from calico_lab.local.gateway_api.backends import Problem, backend_of
from calico_lab.local.gateway_api.listeners import ListenerState
from calico_lab.local.gateway_api.model import (
    Backend,
    ConnectionListener,
    ConnectionRoute,
    Destination,
    Source,
    container_port,
)
from calico_lab.local.gateway_api.traffic import Traffic
from calico_lab.local.gateway_api.world import ObjectName, World, name_of
from calico_lab.local.wire import JsonObject

# How a policy wants a route's traffic to be spread, by the Gateway that it comes through.
TrafficOf = Callable[[ObjectName], Traffic]


@dataclass(frozen=True)
class ConnectionAttachment:
    """A route at a listener: counted there, and served unless ``route`` is None."""

    listener: ListenerState
    route: ConnectionRoute | None


@dataclass(frozen=True)
class ResolvedConnections:
    """What a TCPRoute or TLSRoute comes to."""

    parents: tuple[JsonObject, ...]
    attachments: tuple[ConnectionAttachment, ...]


def backends_of(
    world: World, route: JsonObject, kind: str, references: Iterable[JsonObject]
) -> tuple[tuple[Backend, ...], list[Problem]]:
    """Return the backends that have endpoints and a weight, and what is wrong with the others' references.

    As in Envoy Gateway, a backend that isn't valid has no share of the connections: the others get them.
    """
    backends: list[Backend] = []
    problems: list[Problem] = []
    for index, reference in enumerate(references):
        name = f"{route_name(kind, route)}/rule/-1/backend/{index}"
        try:
            backends.append(backend_of(world, reference, kind, route["metadata"]["namespace"], name=name))
        except Problem as problem:
            problems.append(problem)
    return tuple(each for each in backends if each.weight and each.endpoints), problems


def route_name(kind: str, route: JsonObject) -> str:
    """Return the name of everything that a route comes to."""
    return f"{kind.lower()}/{name_of(route)}"


def destination_of(route: JsonObject, kind: str, backends: tuple[Backend, ...], traffic: Traffic) -> Destination:
    """Return the destination of a route's connections."""
    return Destination(f"{route_name(kind, route)}/rule/-1", backends, traffic, Source(kind, name_of(route)))


def connection_listeners(
    states: Iterable[ListenerState], attachments: Iterable[ConnectionAttachment]
) -> tuple[ConnectionListener, ...]:
    """Return the TLS and TCP listeners of a Gateway that are ready, with the routes attached to them.

    Of two routes for one server name on a port, the listener and the route that come first have it: Envoy would refuse
    the port as a whole.
    """
    routes: dict[str, list[ConnectionRoute]] = defaultdict(list)
    for attachment in attachments:
        if attachment.route is not None:
            routes[attachment.listener.name].append(attachment.route)
    ready = [state for state in states if state.ready]
    taken = {(each.spec["port"], each.hostname) for each in ready if each.spec["protocol"] == "HTTPS"}
    return tuple(
        ConnectionListener(
            state.name,
            state.spec["port"],
            container_port(state.spec["port"]),
            tuple(_free(routes[state.name], state.spec["port"], taken)),
        )
        for state in ready
        if state.spec["protocol"] in ("TCP", "TLS")
    )


def _free(routes: Iterable[ConnectionRoute], port: int, taken: set[tuple[int, str]]) -> Iterable[ConnectionRoute]:
    for route in routes:
        wanted = route.server_names or ("",)
        free = tuple(name for name in wanted if (port, name) not in taken)
        taken.update((port, name) for name in free)
        if free:
            names = free if route.server_names else ()
            yield ConnectionRoute(route.name, route.destination, names, route.certificates)
