"""From the matches of an HTTPRoute to those of the model."""

from __future__ import annotations

import re
import warnings

from calico_lab.local.gateway_api.model import Match, MatchType, ValueMatch
from calico_lab.local.wire import JsonObject

# What Python's regular expressions have and RE2, which Envoy matches with, has not:
# https://github.com/google/re2/wiki/Syntax
_NOT_IN_RE2 = re.compile(r"(?<!\\)(?:\\\\)*(\(\?(?:=|!|<=|<!|>|P=|\()|\\[1-9]|[*+?}]\+)")

# How Go, in which Envoy Gateway is written, names the faults that people make; ``{0}`` is the whole expression,
# ``{1}`` what stands from the fault on, ``{2}`` its first character (https://pkg.go.dev/regexp/syntax#ErrorCode).
_GO_WORDS = {
    "missing ), unterminated subpattern": "missing closing ): `{0}`",
    "unbalanced parenthesis": "unexpected ): `{0}`",
    "unterminated character set": "missing closing ]: `{1}`",
    "nothing to repeat": "missing argument to repetition operator: `{2}`",
    "bad escape (end of pattern)": "trailing backslash at end of expression: ``",
}


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
    """Raise ``ValueError`` with Envoy Gateway's words for a regular expression that is not valid."""
    unknown = _NOT_IN_RE2.search(expression)
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(expression)
    except re.error as error:
        problem = _in_words_of_go(error, expression)
    else:
        problem = f"invalid or unsupported Perl syntax: `{unknown[1]}`" if unknown else ""
    if problem:
        raise ValueError(f'regex "{expression}" is invalid: error parsing regexp: {problem}')


def _in_words_of_go(error: re.error, expression: str) -> str:
    rest = expression[error.pos or 0 :]
    words = _GO_WORDS.get(error.msg)
    return words.format(expression, rest, rest[:1]) if words else str(error)
