"""Which of several matching routes gets a request, in the order that Envoy Gateway 1.5 gives them.

The Gateway API (https://gateway-api.sigs.k8s.io/reference/spec/#httproutespec) asks for: exact path, longest prefix,
method, most headers, most query parameters, oldest route, first rule. Envoy Gateway puts any regular expression
before any prefix and counts a method as a header.
"""

from __future__ import annotations

from collections.abc import Iterable

from calico_lab.local.gateway_api.model import Match, MatchType, Route, ValueMatch

_PATH_TYPES = (MatchType.PATH_PREFIX, MatchType.REGULAR_EXPRESSION, MatchType.EXACT)


def rank(match: Match) -> tuple[int, ...]:
    """Return what matches are compared by: the greater goes first."""
    everything = match.path_type is MatchType.PATH_PREFIX and match.path == "/"
    return (
        _PATH_TYPES.index(match.path_type),
        0 if everything else len(match.path),
        len(match.headers),
        _exact(match.headers),
        len(match.query),
        _exact(match.query),
    )


def in_order(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Sort routes by precedence; equal ones stay in the order given: oldest HTTPRoute first, then by rule."""
    return tuple(sorted(routes, key=lambda route: rank(route.match), reverse=True))


def _exact(matches: tuple[ValueMatch, ...]) -> int:
    return sum(match.type is MatchType.EXACT for match in matches)
