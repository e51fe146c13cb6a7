"""The schema of HTTPRoute (Gateway API 1.3.0, experimental channel)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from calico_lab.local.custom_resources.common import (
    BACKEND_REFERENCE_FIELDS,
    DURATION,
    HOSTNAME,
    MATCHES_IN_ALL,
    PARENT_REFERENCES,
    PORT_FOR_SERVICE,
    ROUTE_STATUS,
    RULE_NAMES_UNIQUE,
    SECTION_NAME,
)
from calico_lab.local.custom_resources.filters import FILTERS, HEADER_NAME, METHODS
from calico_lab.local.custom_resources.rules import Rule, rule
from calico_lab.local.custom_resources.structural import integer, listing, record, text
from calico_lab.local.wire import JsonObject

_PATH_CHARACTERS = re.compile(r"^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$")
_LITERAL = ("Exact", "PathPrefix")


def _path_rule(message: str, expression: str, holds: Callable[[str], bool]) -> Rule:
    """Return a rule about the value of a path that is not a regular expression."""
    return rule(
        message,
        f"!(self.type in ['Exact', 'PathPrefix']) || {expression}",
        lambda path: path["type"] not in _LITERAL or holds(path["value"]),
    )


def _without(part: str) -> Rule:
    message = f"must not contain '{part}' when type one of ['Exact', 'PathPrefix']"
    return _path_rule(message, f"!self.value.contains('{part}')", lambda value: part not in value)


def _not_ending(part: str) -> Rule:
    message = f"must not end with '{part}' when type one of ['Exact', 'PathPrefix']"
    return _path_rule(message, f"!self.value.endsWith('{part}')", lambda value: not value.endswith(part))


_PATH = record(
    {
        "type": text(choices=["Exact", "PathPrefix", "RegularExpression"], default="PathPrefix"),
        "value": text(maximum=1024, default="/"),
    },
    default={"type": "PathPrefix", "value": "/"},
    rules=[
        _path_rule(
            "value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']",
            "self.value.startsWith('/')",
            lambda value: value.startswith("/"),
        ),
        *(_without(part) for part in ("//", "/./", "/../", "%2f", "%2F", "#")),
        *(_not_ending(part) for part in ("/..", "/.")),
        _path_rule(
            f"must only contain valid characters (matching {_PATH_CHARACTERS.pattern}) for types "
            "['Exact', 'PathPrefix']",
            f'self.value.matches(r"""{_PATH_CHARACTERS.pattern}""")',
            lambda value: bool(_PATH_CHARACTERS.match(value)),
        ),
    ],
)


def named_values(longest: int) -> JsonObject:
    """Return the schema of the headers or query parameters that a match asks for, with values of limited length."""
    match = record(
        {
            "name": HEADER_NAME,
            "type": text(choices=["Exact", "RegularExpression"], default="Exact"),
            "value": text(minimum=1, maximum=longest),
        },
        required=["name", "value"],
    )
    return listing(match, maximum=16, keys=["name"])


_MATCH = record(
    {
        "headers": named_values(4096),
        "method": text(choices=METHODS),
        "path": _PATH,
        "queryParams": named_values(1024),
    }
)


def _one_prefix_match(message: str, holders: str, field: str, filters: Callable[[JsonObject], Iterator[Any]]) -> Rule:
    """Return the rule that replacing a prefix needs exactly one prefix to replace."""

    def holds(route_rule: JsonObject) -> bool:
        replaces = any("replacePrefixMatch" in item.get(field, {}).get("path", {}) for item in filters(route_rule))
        matches = route_rule.get("matches") or []
        return not replaces or (len(matches) == 1 and matches[0].get("path", {}).get("type") == "PathPrefix")

    expression = (
        f"!{holders}.exists(f, has(f.{field}) && has(f.{field}.path) && has(f.{field}.path.replacePrefixMatch)) || "
        "(size(self.matches) == 1 && self.matches[0].path.type == 'PathPrefix')"
    )
    return rule(message, expression, holds)


def _own_filters(route_rule: JsonObject) -> Iterator[JsonObject]:
    yield from route_rule.get("filters") or []


def _backend_filters(route_rule: JsonObject) -> Iterator[JsonObject]:
    for reference in route_rule.get("backendRefs") or []:
        yield from reference.get("filters") or []


_EXACTLY_ONE = "path.replacePrefixMatch, exactly one PathPrefix match must be specified"
_OWN = "self.?filters.orValue([])"
_BACKENDS = "self.?backendRefs.orValue([]).map(b, b.?filters.orValue([])).flatten()"
_RULE_RULES = [
    rule(
        "RequestRedirect filter must not be used together with backendRefs",
        "size(self.?backendRefs.orValue([])) == 0 || !self.?filters.orValue([]).exists(f, has(f.requestRedirect))",
        lambda route_rule: (
            not route_rule.get("backendRefs") or not any("requestRedirect" in item for item in _own_filters(route_rule))
        ),
    ),
    _one_prefix_match(f"When using RequestRedirect filter with {_EXACTLY_ONE}", _OWN, "requestRedirect", _own_filters),
    _one_prefix_match(f"When using URLRewrite filter with {_EXACTLY_ONE}", _OWN, "urlRewrite", _own_filters),
    _one_prefix_match(
        f"Within backendRefs, when using RequestRedirect filter with {_EXACTLY_ONE}",
        _BACKENDS,
        "requestRedirect",
        _backend_filters,
    ),
    _one_prefix_match(
        f"Within backendRefs, When using URLRewrite filter with {_EXACTLY_ONE}",
        _BACKENDS,
        "urlRewrite",
        _backend_filters,
    ),
]

_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def duration(value: str) -> timedelta:
    """Return the length of a Gateway API duration such as ``1m30s`` (GEP-2257)."""
    parts = re.findall(r"(\d+)(ms|h|m|s)", value)
    return timedelta(seconds=sum(int(number) * _SECONDS[unit] for number, unit in parts))


def _backend_request_fits(timeouts: JsonObject) -> bool:
    request, backend = duration(timeouts.get("request", "0s")), duration(timeouts.get("backendRequest", "0s"))
    return not request or backend <= request


_TIMEOUTS = record(
    {"backendRequest": DURATION, "request": DURATION},
    rules=[
        rule(
            "backendRequest timeout cannot be longer than request timeout",
            "!has(self.request) || !has(self.backendRequest) || duration(self.request) == duration('0s') || "
            "duration(self.backendRequest) <= duration(self.request)",
            _backend_request_fits,
        )
    ],
)

SESSION_PERSISTENCE = record(
    {
        "absoluteTimeout": DURATION,
        "cookieConfig": record({"lifetimeType": text(choices=["Permanent", "Session"], default="Session")}),
        "idleTimeout": DURATION,
        "sessionName": text(maximum=128),
        "type": text(choices=["Cookie", "Header"], default="Cookie"),
    },
    rules=[
        rule(
            "AbsoluteTimeout must be specified when cookie lifetimeType is Permanent",
            "self.?cookieConfig.?lifetimeType.orValue('') != 'Permanent' || has(self.absoluteTimeout)",
            lambda session: (
                session.get("cookieConfig", {}).get("lifetimeType") != "Permanent" or "absoluteTimeout" in session
            ),
        )
    ],
)

_BACKEND = record(
    BACKEND_REFERENCE_FIELDS | {"filters": FILTERS, "weight": integer(0, 1_000_000, form="int32", default=1)},
    required=["name"],
    rules=[PORT_FOR_SERVICE],
)

_EVERY_PATH = {"path": {"type": "PathPrefix", "value": "/"}}
_RULE = record(
    {
        "backendRefs": listing(_BACKEND, maximum=16),
        "filters": FILTERS,
        "matches": listing(_MATCH, maximum=64, default=[_EVERY_PATH]),
        "name": SECTION_NAME,
        "retry": record(
            {"attempts": integer(), "backoff": DURATION, "codes": listing(integer(400, 599))},
        ),
        "sessionPersistence": SESSION_PERSISTENCE,
        "timeouts": _TIMEOUTS,
    },
    rules=_RULE_RULES,
)


_SPEC = record(
    {
        "hostnames": listing(HOSTNAME, maximum=16),
        "parentRefs": PARENT_REFERENCES,
        "rules": listing(
            _RULE,
            maximum=16,
            default=[{"matches": [_EVERY_PATH]}],
            rules=[MATCHES_IN_ALL, RULE_NAMES_UNIQUE],
        ),
    }
)

HTTP_ROUTE = record({"spec": _SPEC, "status": ROUTE_STATUS}, required=["spec"])
