"""Route configurations (RDS): which request goes to which cluster."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from calico_lab.local.envoy.changes import header_fields, mirror_policies, redirect_action, rewrite_fields
from calico_lab.local.envoy.http_filters import typed_per_filter_config
from calico_lab.local.envoy.messages import metadata
from calico_lab.local.envoy.protobuf import Message, message
from calico_lab.local.envoy.traffic import route_action
from calico_lab.local.gateway_api.model import Destination, Listener, Match, MatchType, Route, ValueMatch, VirtualHost
from calico_lab.local.wire import JsonObject

# Not to be found among the clusters, so that the share of invalid backends is answered 500.
INVALID_CLUSTER = "invalid-backend-cluster"


def route_configuration(listener: Listener, routes: Iterator[Message]) -> Message:
    """Return the route configuration (config.route.v3.RouteConfiguration) of a listener.

    ``routes`` yields the messages (config.route.v3.Route) of its routes, and as many are taken.
    """
    fields = {
        "name": listener.name,
        "ignore_port_in_host_matching": True,
        "virtual_hosts": [_virtual_host(host) for host in listener.virtual_hosts],
    }
    result = message("config.route.v3.RouteConfiguration", fields)
    for host, described in zip(listener.virtual_hosts, result.virtual_hosts, strict=True):
        described.routes.extend(islice(routes, len(host.routes)))
    return result


def _virtual_host(host: VirtualHost) -> JsonObject:
    return {"name": host.name, "domains": [host.hostname], "metadata": metadata(host.source)}


def route(model: Route) -> JsonObject:
    """Return a route (config.route.v3.Route)."""
    common = {"name": model.name, "match": _match(model.match), "metadata": metadata(model.source)}
    if filters := typed_per_filter_config(model):
        common["typed_per_filter_config"] = filters
    common |= header_fields(model.changes)
    if model.changes.redirect is not None:
        return common | {"redirect": redirect_action(model.changes.redirect, model.match)}
    if model.destination is None:
        return common | {"direct_response": {"status": 500}}
    traffic = route_action(model.destination.traffic, timeout=model.timeout, retry=model.retry)
    action = _clusters(model.destination) | traffic
    if model.changes.rewrite is not None:
        action |= rewrite_fields(model.changes.rewrite, model.match)
    if model.mirrors:
        action["request_mirror_policies"] = mirror_policies(model.mirrors)
    if model.source.kind != "GRPCRoute":
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
