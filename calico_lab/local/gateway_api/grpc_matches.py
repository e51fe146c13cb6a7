"""From the matches of a GRPCRoute to those of the model: a method of a service is a path of an HTTP/2 request."""

from __future__ import annotations

from calico_lab.local.gateway_api.matches import check_expression, header_matches_of
from calico_lab.local.gateway_api.model import Match, MatchType, ValueMatch
from calico_lab.local.wire import JsonObject

# What a name can be where only the other one is asked for.
_ANY_SERVICE = r"(?i)\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*"
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
    headers, method = header_matches_of(spec), spec.get("method") or {}
    if MatchType(method.get("type", "Exact")) is MatchType.REGULAR_EXPRESSION:
        return Match(_expression(method), MatchType.REGULAR_EXPRESSION, headers)
    match method:
        case {"service": service, "method": name}:
            return Match(f"/{service}/{name}", MatchType.EXACT, headers)
        case {"service": service}:
            return Match(f"/{service}", MatchType.PATH_PREFIX, headers)
        case {"method": name}:
            # Envoy matches no path by its end, but a header, which the path is one of in HTTP/2.
            return Match(headers=(*headers, ValueMatch(":path", f"/{name}", MatchType.SUFFIX)))
        case _:
            return Match(headers=headers)


def _expression(method: JsonObject) -> str:
    for name in ("service", "method"):
        if name in method:
            check_expression(method[name])
    return f"/{method.get('service', _ANY_SERVICE)}/{method.get('method', _ANY_METHOD)}"
