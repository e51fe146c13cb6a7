"""Route configurations (RDS): which request goes to which cluster."""

from __future__ import annotations

from calico_lab.local.envoy.changes import header_fields, mirror_policies, redirect_action, rewrite_fields
from calico_lab.local.envoy.http_filters import typed_per_filter_config
from calico_lab.local.envoy.messages import metadata
from calico_lab.local.envoy.traffic import route_action
from calico_lab.local.gateway_api.model import Destination, Listener, Match, MatchType, Route, ValueMatch, VirtualHost
from calico_lab.local.wire import JsonObject

# Not to be found among the clusters, so that the share of invalid backends is answered 500.
INVALID_CLUSTER = "invalid-backend-cluster"


def route_configuration(listener: Listener) -> JsonObject:
    """Return the route configuration (config.route.v3.RouteConfiguration) of a listener."""
    return {
        "name": listener.name,
        "ignore_port_in_host_matching": True,
        "virtual_hosts": [_virtual_host(host) for host in listener.virtual_hosts],
    }


def _virtual_host(host: VirtualHost) -> JsonObject:
    return {
        "name": host.name,
        "domains": [host.hostname],
        "metadata": metadata(host.source),
        "routes": [_route(route) for route in host.routes],
    }


def _route(route: Route) -> JsonObject:
    common = {"name": route.name, "match": _match(route.match), "metadata": metadata(route.source)}
    if filters := typed_per_filter_config(route):
        common["typed_per_filter_config"] = filters
    common |= header_fields(route.changes)
    if route.changes.redirect is not None:
        return common | {"redirect": redirect_action(route.changes.redirect, route.match)}
    if route.destination is None:
        return common | {"direct_response": {"status": 500}}
    traffic = route_action(route.destination.traffic, timeout=route.timeout, retry=route.retry)
    action = _clusters(route.destination) | traffic
    if route.changes.rewrite is not None:
        action |= rewrite_fields(route.changes.rewrite, route.match)
    if route.mirrors:
        action["request_mirror_policies"] = mirror_policies(route.mirrors)
    if route.source.kind != "GRPCRoute":
        action["upgrade_configs"] = [{"upgrade_type": "websocket"}]
    return common | {"route": action}


def split(destination: Destination) -> bool:
    """Whether each backend needs a cluster of its own.

    So it is where some requests are answered 500 or changed for one alone, or where only some have names to look up.
    """
    mixed = len({backend.named for backend in destination.backends}) > 1
    return mixed or not all(backend.endpoints and not backend.changes for backend in destination.backends)


def _clusters(destination: Destination) -> JsonObject:
    if not split(destination):
        return {"cluster": destination.name}
    invalid = sum(backend.weight for backend in destination.backends if not backend.endpoints)
    clusters: list[JsonObject] = [{"name": INVALID_CLUSTER, "weight": invalid}] if invalid else []
    clusters += [
        {"name": backend.name, "weight": backend.weight, **header_fields(backend.changes)}
        for backend in destination.backends
        if backend.endpoints
    ]
    return {
        "cluster_not_found_response_code": "INTERNAL_SERVER_ERROR",
        "weighted_clusters": {"clusters": clusters},
    }


def _match(match: Match) -> JsonObject:
    result = _path(match)
    if match.headers:
        result["headers"] = [_value(header) for header in match.headers]
    if match.query:
        result["query_parameters"] = [_value(parameter) for parameter in match.query]
    return result


def _path(match: Match) -> JsonObject:
    match match.path_type:
        case MatchType.EXACT:
            return {"path": match.path}
        case MatchType.REGULAR_EXPRESSION:
            return {"safe_regex": {"regex": match.path}}
        case _ if match.path == "/":
            return {"prefix": "/"}
        case _:
            return {"path_separated_prefix": match.path.removesuffix("/")}


def _value(match: ValueMatch) -> JsonObject:
    match match.type:
        case MatchType.REGULAR_EXPRESSION:
            how: JsonObject = {"safe_regex": {"regex": match.value}}
        case MatchType.SUFFIX:
            how = {"suffix": match.value}
        case _:
            how = {"exact": match.value}
    return {"name": match.name, "string_match": how}
