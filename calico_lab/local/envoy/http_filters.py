"""The HTTP filters that a listener's routes need, in Envoy Gateway's order, and what each says for one route.

A filter that a route uses stands in the listener's connection manager, where it does nothing, and again in the
route, with what it does there (https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/http_filters).
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from calico_lab.local.envoy.messages import duration, type_url, typed
from calico_lab.local.envoy.rate_limit import FILTER_NAME as RATE_LIMIT
from calico_lab.local.envoy.rate_limit import local_rate_limit, unlimited
from calico_lab.local.gateway_api.model import BasicAuthentication, Listener, Route, Session
from calico_lab.local.wire import JsonObject

SESSION = "envoy.filters.http.stateful_session"
BASIC_AUTHENTICATION = "envoy.filters.http.basic_auth"
_EXTENSIONS = "extensions.filters.http"

ROUTER = typed("envoy.filters.http.router", f"{_EXTENSIONS}.router.v3.Router", suppress_envoy_headers=True)
# Where a listener has a GRPCRoute: calls from browsers become calls of gRPC, and calls are counted by method.
_GRPC = (
    typed("envoy.filters.http.grpc_web", f"{_EXTENSIONS}.grpc_web.v3.GrpcWeb"),
    typed(
        "envoy.filters.http.grpc_stats",
        f"{_EXTENSIONS}.grpc_stats.v3.FilterConfig",
        emit_filter_state=True,
        stats_for_all_methods=True,
    ),
)


class Order(IntEnum):
    """The place of each filter among the others, that of Envoy Gateway 1.5.9; the router is the last."""

    CORS = 3
    BASIC_AUTHENTICATION = 7
    SESSION = 10
    LOCAL_RATE_LIMIT = 302


@dataclass(frozen=True)
class RouteFilter:
    """A filter that a route uses: its typed configuration in the connection manager, and in the route.

    ``disabled``: on other routes it is not even passed. A route's configuration passes it again.
    """

    name: str
    order: Order
    in_listener: JsonObject
    in_route: JsonObject
    disabled: bool = True


def http_filters(listener: Listener) -> list[JsonObject]:
    """Return the filters (HttpConnectionManager.http_filters) that the routes of a listener need, each once."""
    found = {
        each.name: each for host in listener.virtual_hosts for route in host.routes for each in route_filters(route)
    }
    in_order = sorted(found.values(), key=lambda each: (each.order, each.name))
    calls = any(route.source.kind == "GRPCRoute" for host in listener.virtual_hosts for route in host.routes)
    return [*(_GRPC if calls else ()), *map(_in_listener, in_order), ROUTER]


def typed_per_filter_config(route: Route) -> dict[str, JsonObject]:
    """Return what the filters do on a route (Route.typed_per_filter_config), by their names; often nothing."""
    return {each.name: each.in_route for each in route_filters(route)}


def route_filters(route: Route) -> Iterator[RouteFilter]:
    """Yield the filters that a route uses."""
    if route.authentication is not None:
        yield _basic_authentication(route.authentication)
    if route.destination is None:
        return
    if route.session is not None:
        yield _stateful_session(route.session)
    limit = route.destination.traffic.rate_limit
    if limit is not None:
        yield RouteFilter(RATE_LIMIT, Order.LOCAL_RATE_LIMIT, unlimited(), local_rate_limit(limit), disabled=False)


def _in_listener(each: RouteFilter) -> JsonObject:
    disabled = {"disabled": True} if each.disabled else {}
    return {"name": each.name, "typed_config": each.in_listener} | disabled


def _basic_authentication(model: BasicAuthentication) -> RouteFilter:
    # Each policy has a filter of its own, since the header for the user's name can't be given in a route.
    message = f"{_EXTENSIONS}.basic_auth.v3.BasicAuth"
    users = {"users": {"inline_bytes": base64.b64encode(model.users.encode()).decode()}}
    header = {"forward_username_header": model.user_header} if model.user_header else {}
    return RouteFilter(
        f"{BASIC_AUTHENTICATION}/{model.name}",
        Order.BASIC_AUTHENTICATION,
        {"@type": type_url(message), **users, **header},
        {"@type": type_url(f"{message}PerRoute"), **users},
    )


def _stateful_session(model: Session) -> RouteFilter:
    message = f"{_EXTENSIONS}.stateful_session.v3.StatefulSession"
    state = {"session_state": _session_state(model)}
    return RouteFilter(
        SESSION,
        Order.SESSION,
        # Those of one name in a listener differ in what stands in the routes alone.
        {"@type": type_url(message)},
        {"@type": type_url(f"{message}PerRoute"), "stateful_session": state},
    )


def _session_state(model: Session) -> JsonObject:
    package = "extensions.http.stateful_session"
    if not model.in_cookie:
        message = f"{package}.header.v3.HeaderBasedSessionState"
        return typed("envoy.http.stateful_session.header", message, name=model.name)
    cookie: JsonObject = {"name": model.name, "path": model.path}
    if model.lifetime is not None:
        cookie["ttl"] = duration(model.lifetime)
    message = f"{package}.cookie.v3.CookieBasedSessionState"
    return typed("envoy.http.stateful_session.cookie", message, cookie=cookie)
