"""The part of JSONPath that CustomResourceDefinitions use in their columns.

Fields, ``[0]``, ``[*]`` and ``[?(@.field=="value")]``
(https://kubernetes.io/docs/reference/kubectl/jsonpath/).
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from typing import Any

from calico_lab import errors

Step = Callable[[list[Any]], list[Any]]

_STEP = re.compile(
    r"""\.(?P<field>(?:[^.\[\]\\]|\\.)+)
      | \[\s*(?P<index>-?\d+)\s*\]
      | (?P<every>\[\*\]|\.\*)
      | \['(?P<quoted>[^']*)'\]
      | \[\?\(\s*@\.(?P<name>[\w./-]+)\s*(?P<operator>==|!=)\s*(?P<value>"[^"]*"|'[^']*'|[\w.-]+)\s*\)\]""",
    re.VERBOSE,
)


@functools.cache
def compile_path(text: str) -> Callable[[Any], list[Any]]:
    """Return the function that finds all values a path leads to. Raises ``BadRequest`` for what is not such a path."""
    steps: list[Step] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise errors.BadRequest(f"the JSONPath {text!r} cannot be read from position {position}")
        steps.append(_step(match))
        position = match.end()

    def find(value: Any) -> list[Any]:
        values = [value]
        for step in steps:
            values = step(values)
        return values

    return find


def _step(match: re.Match[str]) -> Step:
    if match["every"]:
        return lambda values: [entry for value in values for entry in _entries(value)]
    if match["index"]:
        index = int(match["index"])
        return lambda values: [v[index] for v in values if isinstance(v, list) and -len(v) <= index < len(v)]
    if match["name"]:
        path, wanted, negative = match["name"].split("."), _literal(match["value"]), match["operator"] == "!="
        return lambda values: [
            entry for value in values for entry in _entries(value) if (_lookup(entry, path) == wanted) != negative
        ]
    name = match["quoted"] if match["field"] is None else re.sub(r"\\(.)", r"\1", match["field"])
    return lambda values: [value[name] for value in values if isinstance(value, dict) and name in value]


def _entries(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _lookup(value: Any, path: list[str]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _literal(text: str) -> Any:
    if text[0] in "\"'":
        return text[1:-1]
    try:
        return json.loads(text)
    except ValueError:
        return text
