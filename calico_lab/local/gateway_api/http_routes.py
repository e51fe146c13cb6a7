"""HTTPRoutes and GRPCRoutes: which listeners take them, what their statuses say, and the routes that they come to.

Conditions and their strings are those of Envoy Gateway 1.5.9.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from calico_lab.local.gateway_api.changes import Redirect
from calico_lab.local.gateway_api.grpc_matches import grpc_matches_of
from calico_lab.local.gateway_api.http_rules import Policies, resolve_rules
from calico_lab.local.gateway_api.listeners import ListenerState
from calico_lab.local.gateway_api.matches import matches_of
from calico_lab.local.gateway_api.model import Route
from calico_lab.local.gateway_api.route_parents import (
    ACCEPTED,
    Listeners,
    hostnames_at,
    no_matching_hostname,
    parents_of,
)
from calico_lab.local.gateway_api.world import ObjectName, World
from calico_lab.local.wire import JsonObject

KIND = "HTTPRoute"
GRPC_KIND = "GRPCRoute"

_MATCHES_OF = {KIND: matches_of, GRPC_KIND: grpc_matches_of}
_WELL_KNOWN_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Attachment:
    """A route at a listener: counted there, and served under ``hostnames``, of which there may be none."""

    listener: ListenerState
    hostnames: tuple[str, ...]
    routes: tuple[Route, ...]

    @cached_property
    def by_hostname(self) -> Mapping[str, tuple[Route, ...]]:
        """What is served under each hostname, named after it: each time the very same objects."""
        return {
            hostname: tuple(replace(route, name=f"{route.name}/{hostname.replace('.', '_')}") for route in self.routes)
            for hostname in self.hostnames
        }


@dataclass(frozen=True)
class ResolvedRoute:
    """What a route comes to."""

    parents: tuple[JsonObject, ...]
    attachments: tuple[Attachment, ...]


def resolve_route(
    world: World, route: JsonObject, kind: str, listeners: Listeners, policies: Callable[[ObjectName], Policies]
) -> ResolvedRoute:
    """Resolve a route of a kind against the listeners of our Gateways; ``policies`` tells of them by Gateway."""
    parents: list[JsonObject] = []
    attachments: list[Attachment] = []
    for parent in parents_of(world, route, kind, listeners):
        rules = resolve_rules(world, route, kind, policies(parent.gateway), _MATCHES_OF[kind])
        attached = [
            Attachment(state, hostnames_at(route, state, listeners[parent.gateway]), _at(state, rules.routes))
            for state in parent.listeners
        ]
        accepted = rules.fault or parent.accepted
        if accepted is ACCEPTED and not any(attachment.hostnames for attachment in attached):
            accepted = no_matching_hostname(kind)
        attachments += attached
        parents.append(parent.status(route, accepted, rules.resolved))
    return ResolvedRoute(tuple(parents), tuple(attachments))


def _at(state: ListenerState, routes: Iterable[Route]) -> tuple[Route, ...]:
    """Return routes as a listener has them: a redirect that names no port leads to the listener's, or its scheme's."""
    return tuple(
        replace(route, changes=replace(route.changes, redirect=_with_port(route.changes.redirect, state)))
        if route.changes.redirect
        else route
        for route in routes
    )


def _with_port(redirect: Redirect, state: ListenerState) -> Redirect:
    port = redirect.port or _WELL_KNOWN_PORTS.get(redirect.scheme, state.spec["port"])
    # As in Envoy Gateway, a port that goes without saying for any scheme is left out of the address.
    return replace(redirect, port=None if port in _WELL_KNOWN_PORTS.values() else port)
