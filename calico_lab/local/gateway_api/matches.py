"""From the matches of an HTTPRoute to those of the model."""

from __future__ import annotations

import re2

from calico_lab.local.gateway_api.model import Match, MatchType, ValueMatch
from calico_lab.local.wire import JsonObject

# How Go, in which Envoy Gateway is written, names what is wrong with an expression, and how RE2, which Envoy matches
# with: https://pkg.go.dev/regexp/syntax#ErrorCode, https://github.com/google/re2/blob/main/re2/regexp.cc
_GO_WORDS = {
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
    "no argument for repetition operator": "missing argument to repetition operator",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid repetition size": "invalid repeat count",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "trailing \\": "trailing backslash at end of expression",
    "invalid named capture group": "invalid named capture",
}
_QUIET = re2.Options()
_QUIET.log_errors = False


def matches_of(rule: JsonObject) -> list[tuple[int, Match]]:
    """Return the matches of a rule with their indices; a rule without any matches all, with index -1.

    Raises ``ValueError`` with Envoy Gateway's words for a regular expression that is not valid.
    """
    matches = rule.get("matches") or []
    if not matches:
        return [(-1, Match())]
    return [(index, _match(match)) for index, match in enumerate(matches)]


def _match(spec: JsonObject) -> Match:
    path = spec.get("path") or {}
    path_type, value = MatchType(path.get("type", "PathPrefix")), path.get("value", "/")
    if path_type is MatchType.REGULAR_EXPRESSION:
        check_expression(value)
    headers = header_matches_of(spec)
    if "method" in spec:
        headers += (ValueMatch(":method", spec["method"]),)
    query = [_value_match(parameter) for parameter in spec.get("queryParams") or []]
    return Match(value, path_type, headers, tuple(query))


def header_matches_of(spec: JsonObject) -> tuple[ValueMatch, ...]:
    """Return the headers that a match asks for; raises ``ValueError`` as :func:`matches_of` does."""
    return tuple(_value_match(header) for header in spec.get("headers") or [])


def _value_match(spec: JsonObject) -> ValueMatch:
    match = ValueMatch(spec["name"], spec["value"], MatchType(spec.get("type", "Exact")))
    if match.type is MatchType.REGULAR_EXPRESSION:
        check_expression(match.value)
    return match


def check_expression(expression: str) -> None:
    """Raise ``ValueError`` with Envoy Gateway's words for a regular expression that Envoy would not take."""
    try:
        re2.compile(expression, _QUIET)
    except re2.error as error:
        fault = error.args[0]
        problem, _, place = (fault.decode() if isinstance(fault, bytes) else str(fault)).partition(": ")
        text = f"{_GO_WORDS.get(problem, problem)}: `{place}`"
        raise ValueError(f'regex "{expression}" is invalid: error parsing regexp: {text}') from None
