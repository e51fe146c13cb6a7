"""Fields that stand twice in a JSON body: the decoder takes the last, and strict validation refuses them.

Reference: https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


class _Fields(list[tuple[str, Any]]):
    """An object as it was written: its fields in order, with those that stand twice."""


class _Found(Exception):
    pass


def duplicate_fields(body: bytes) -> list[str]:
    """Return ``duplicate field "spec.replicas"`` for every field that stands twice; of no JSON, nothing."""
    try:
        json.loads(body, object_pairs_hook=_once)
    except _Found:
        return list(dict.fromkeys(_duplicates(json.loads(body, object_pairs_hook=_Fields), "")))
    except (ValueError, RecursionError):
        pass  # the decoder proper says what is wrong
    return []


def _once(fields: list[tuple[str, Any]]) -> None:
    if len(fields) > 1 and len({name for name, _ in fields}) < len(fields):
        raise _Found


def _duplicates(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, _Fields):
        seen = set()
        for name, child in value:
            where = f"{path}.{name}" if path else name
            if name in seen:
                yield f'duplicate field "{where}"'
            seen.add(name)
            yield from _duplicates(child, where)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _duplicates(child, f"{path}[{index}]")
