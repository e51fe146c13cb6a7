"""What routes came to, kept for as long as it holds: of a thousand routes, the one that changed is resolved anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from calico_lab.local.gateway_api.http_routes import ResolvedRoute
from calico_lab.local.gateway_api.route_parents import Listeners
from calico_lab.local.gateway_api.world import ObjectName, World, name_of
from calico_lab.local.wire import JsonObject

_NO_TIME = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class _Surroundings:
    """All that a route is resolved against: the world without its routes, and what the listeners are at this time."""

    world: World
    listeners: Listeners


@dataclass
class KnownRoutes:
    """HTTPRoutes and GRPCRoutes with what they came to, from one snapshot of the world to the next.

    A route that is the very same object comes to the same in the same surroundings, since it depends on no other route.
    """

    _surroundings: _Surroundings | None = None
    _by_kind: dict[str, dict[ObjectName, tuple[JsonObject, ResolvedRoute]]] = field(default_factory=dict)

    def look_at(self, world: World, listeners: Listeners) -> None:
        """Turn to another snapshot; where more than its routes is new, nothing is known any more."""
        rest = replace(world, http_routes=(), grpc_routes=(), tls_routes=(), tcp_routes=(), time=_NO_TIME)
        surroundings = _Surroundings(rest, listeners)
        if surroundings != self._surroundings:
            self._by_kind.clear()
        self._surroundings = surroundings

    def resolve(
        self, kind: str, routes: Iterable[JsonObject], resolve_route: Callable[[JsonObject], ResolvedRoute]
    ) -> dict[ObjectName, ResolvedRoute]:
        """Return what all routes of a kind come to, by name; those that are not known are resolved."""
        known = self._by_kind.get(kind, {})
        found: dict[ObjectName, tuple[JsonObject, ResolvedRoute]] = {}
        for route in routes:
            name = name_of(route)
            before = known.get(name)
            found[name] = before if before and before[0] is route else (route, resolve_route(route))
        self._by_kind[kind] = found
        return {name: resolved for name, (_, resolved) in found.items()}
