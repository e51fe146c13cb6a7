"""YAML in requests: what JSON could say too, and nothing else."""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

from calico_lab import errors

# An alias costs nothing to write and everything to unfold.
MOST_VALUES = 200_000
# The parser takes a time that grows with the square of the depth, and a piece of the stack for every level.
DEEPEST = 200
_BRACKET = re.compile(rb"[\[\]{}]")
_COMPACT_NESTING = re.compile(rb"(?:[-?:][ \t]+){%d}" % DEEPEST)


class _Loader(yaml.CSafeLoader):
    """Leaves texts that look like times alone, as JSON does."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def parse(body: bytes) -> Any:
    """Return the value of a document in YAML. Raises ``BadRequest`` for what JSON could not say."""
    if _is_deep(body):
        raise errors.BadRequest("error converting YAML to JSON: exceeded max depth")
    try:
        return _Unfolding().plain(yaml.load(body, Loader=_Loader))  # noqa: S506 - it is a safe loader
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise errors.BadRequest(f"error converting YAML to JSON: {error}") from None


def _is_deep(body: bytes) -> bool:
    depth = 0
    for bracket in _BRACKET.findall(body):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEEPEST:
            return True
    return _COMPACT_NESTING.search(body) is not None


class _Unfolding:
    def __init__(self) -> None:
        self._values = 0

    def plain(self, value: Any) -> Any:
        self._values += 1
        if self._values > MOST_VALUES:
            raise ValueError("document contains excessive aliasing")
        if isinstance(value, dict):
            return {_key(key): self.plain(child) for key, child in value.items()}
        if isinstance(value, list):
            return [self.plain(child) for child in value]
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float) and math.isfinite(value):
            return value
        raise ValueError(f"{type(value).__name__} is not JSON")


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, str | int):
        return str(key)
    raise ValueError(f"the key of a map must be a text, not {type(key).__name__}")
