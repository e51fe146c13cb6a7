"""Rules of ConfigMaps and Secrets.

Messages: https://github.com/kubernetes/kubernetes, package ``pkg/apis/core/validation``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from calico_lab.local.apiserver import field_problems as problem
from calico_lab.local.apiserver.field_problems import FieldProblem
from calico_lab.local.wire import JsonObject

_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_KEY_DETAIL = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_IMMUTABLE = "field is immutable when `immutable` is set"


def config_map_problems(item: JsonObject, old: JsonObject | None) -> Iterator[FieldProblem]:
    """Yield what is wrong with a ConfigMap."""
    yield from _content(item, old, ("data", "binaryData"))
    for key in sorted((item.get("data") or {}).keys() & (item.get("binaryData") or {}).keys()):
        yield problem.invalid(f"data[{key}]", key, "duplicate of key present in binaryData")


def secret_problems(item: JsonObject, old: JsonObject | None) -> Iterator[FieldProblem]:
    """Yield what is wrong with a Secret."""
    yield from _content(item, old, ("data",))
    if old is not None and item.get("type") != old.get("type"):
        yield problem.invalid("type", item.get("type", ""), "field is immutable")


def _content(item: JsonObject, old: JsonObject | None, fields: tuple[str, ...]) -> Iterator[FieldProblem]:
    for field in fields:
        for key in item.get(field) or {}:
            if not _KEY.fullmatch(key):
                yield problem.invalid(f"{field}[{key}]", key, _KEY_DETAIL)
    if old is not None and old.get("immutable"):
        if not item.get("immutable"):
            yield problem.forbidden("immutable", _IMMUTABLE)
        for field in fields:
            if (item.get(field) or {}) != (old.get(field) or {}):
                yield problem.forbidden(field, _IMMUTABLE)
