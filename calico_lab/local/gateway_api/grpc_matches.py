"""From the matches of a GRPCRoute to those of the model: a method of a service is a path of an HTTP/2 request."""

from __future__ import annotations

from calico_lab.local.gateway_api.matches import check_expression, header_matches_of
from calico_lab.local.gateway_api.model import Match, MatchType
from calico_lab.local.wire import JsonObject

# What a name can be where only the other one is given (https://grpc.io/docs/guides/wire: "Path").
_ANY_SERVICE = "[A-Za-z_][A-Za-z_0-9.]*"
_ANY_METHOD = "[A-Za-z_][A-Za-z_0-9]*"


def grpc_matches_of(rule: JsonObject) -> list[tuple[int, Match]]:
    """Return the matches of a rule with their indices; a rule without any matches all, with index -1.

    Raises ``ValueError`` with Envoy Gateway's words for a regular expression that is not valid.
    """
    matches = rule.get("matches") or []
    if not matches:
        return [(-1, Match())]
    return [(index, _match(match)) for index, match in enumerate(matches)]


def _match(spec: JsonObject) -> Match:
    path, path_type = _path(spec.get("method") or {})
    return Match(path, path_type, header_matches_of(spec))


def _path(method: JsonObject) -> tuple[str, MatchType]:
    service, name = method.get("service", ""), method.get("method", "")
    if not service and not name:
        return "/", MatchType.PATH_PREFIX
    if MatchType(method.get("type", "Exact")) is MatchType.REGULAR_EXPRESSION:
        for expression in filter(None, (service, name)):
            check_expression(expression)
        return f"/{service or _ANY_SERVICE}/{name or _ANY_METHOD}", MatchType.REGULAR_EXPRESSION
    if not name:
        return f"/{service}/", MatchType.PATH_PREFIX
    if not service:
        return f"/{_ANY_SERVICE}/{name}", MatchType.REGULAR_EXPRESSION
    return f"/{service}/{name}", MatchType.EXACT
