"""Which rule of several HTTPRoutes gets a request: the words of the Gateway API specification, one after another.

Written from https://gateway-api.sigs.k8s.io/reference/spec/#httproutespec (hostnames) and #httprouterule (matches),
and from nothing of the lab. It compares every match of every route with a request, then the matches with each other.

Envoy Gateway departs from it in what :class:`Departures` names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Request:
    host: str
    path: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)


class Specification:
    """The rules as they are specified; that regular expressions come last is left to the implementation."""

    PATHS = ("Exact", "PathPrefix", "RegularExpression")

    def conditions(self, match: Json) -> tuple[int, ...]:
        """What matches of equal paths are compared by."""
        return (int("method" in match), len(match.get("headers", ())), len(match.get("queryParams", ())))

    def hosts(self, found: list[Candidate]) -> list[Candidate]:
        """Which candidates are compared at all."""
        return found


class Departures(Specification):
    """As Envoy Gateway 1.5.9: regular expressions go before prefixes, a method is a header like others.

    Of two equal numbers of headers, and then of query parameters, more exact ones go first. The most specific hostname
    has a request to itself, whether or not one of its rules matches.
    """

    PATHS = ("Exact", "RegularExpression", "PathPrefix")

    def conditions(self, match: Json) -> tuple[int, ...]:
        headers, query = match.get("headers", []), match.get("queryParams", [])
        method = int("method" in match)
        return (len(headers) + method, _exact(headers) + method, len(query), _exact(query))

    def hosts(self, found: list[Candidate]) -> list[Candidate]:
        most = max((each.host for each in found), default=None)
        return [each for each in found if each.host == most]


@dataclass(frozen=True)
class Candidate:
    """A match of a route by way of one of its hostnames; the greater ``host`` is the more specific one."""

    route: Json
    rule: int
    match: Json
    host: tuple[int, int]


def chosen(routes: list[Json], request: Request, rules: Specification) -> tuple[str, int] | None:
    """Return the name of the route and the index of the rule that get a request, None where none does."""
    found = rules.hosts([each for route in routes for each in _candidates(route, request.host)])
    matching = [each for each in found if _matches(each.match, request)]
    if not matching:
        return None
    # The sort is stable: among equals the first rule stays first.
    by_age = sorted(matching, key=lambda each: (each.route["metadata"]["creationTimestamp"], _name(each.route)))
    best = max(by_age, key=lambda each: (each.host, _path_rank(each.match, rules), rules.conditions(each.match)))
    return _name(best.route), best.rule


def _name(route: Json) -> str:
    return str(route["metadata"]["name"])


def _candidates(route: Json, host: str) -> Iterator[Candidate]:
    for hostname in route["spec"].get("hostnames") or [""]:
        if _has_host(hostname, host):
            for index, rule in enumerate(route["spec"]["rules"]):
                for match in rule.get("matches") or [{}]:
                    yield Candidate(route, index, match, _host_rank(hostname))


def _has_host(hostname: str, host: str) -> bool:
    if hostname.startswith("*."):
        return host.endswith(hostname[1:]) and len(host) > len(hostname[1:])
    return hostname in ("", host)


def _host_rank(hostname: str) -> tuple[int, int]:
    """The number of characters of a hostname without a wildcard, then of any."""
    return (0 if hostname.startswith("*") else len(hostname), len(hostname))


def _path_rank(match: Json, rules: Specification) -> tuple[int, int]:
    path = match.get("path") or {"type": "PathPrefix", "value": "/"}
    return -rules.PATHS.index(path["type"]), len(path["value"])


def _matches(match: Json, request: Request) -> bool:
    return (
        _path_matches(match.get("path") or {"type": "PathPrefix", "value": "/"}, request.path)
        and match.get("method", request.method) == request.method
        and all(_value_matches(each, request.headers) for each in match.get("headers", ()))
        and all(_value_matches(each, request.query) for each in match.get("queryParams", ()))
    )


def _path_matches(path: Json, asked: str) -> bool:
    value: str = path["value"]
    match path["type"]:
        case "Exact":
            return asked == value
        case "RegularExpression":
            return re.fullmatch(value, asked) is not None
        case _:
            # Split by slashes, the elements of the prefix must be the first of the path; one at the end is ignored.
            wanted = value.strip("/").split("/") if value.strip("/") else []
            return asked.lstrip("/").split("/")[: len(wanted)] == wanted


def _value_matches(wanted: Json, values: dict[str, str]) -> bool:
    value = values.get(wanted["name"])
    if value is None:
        return False
    if wanted.get("type") == "RegularExpression":
        return re.fullmatch(wanted["value"], value) is not None
    return bool(value == wanted["value"])


def _exact(matches: list[Json]) -> int:
    return sum(each.get("type", "Exact") == "Exact" for each in matches)
