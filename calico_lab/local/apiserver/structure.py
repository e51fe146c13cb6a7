"""Validation of a custom resource against the structural schema of its CustomResourceDefinition.

Messages are the API server's, which has them from the OpenAPI validator that it uses
(https://github.com/kubernetes/kube-openapi, package ``validation``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from calico_lab.local.apiserver import field_problems as problem
from calico_lab.local.apiserver.field_problems import FieldProblem
from calico_lab.local.custom_resources import rules
from calico_lab.local.wire import JsonObject

_TYPES: dict[str, Callable[[Any], bool]] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: not isinstance(value, bool) and (isinstance(value, int) or _is_whole(value)),
    "number": lambda value: not isinstance(value, bool) and isinstance(value, int | float),
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}
_TYPE_NAMES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
_BLOCKING = {"FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany"} | {
    "FieldValueTypeInvalid"
}
_UNCHECKED = (
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete "
    "validation"
)
_DATE_TIME = re.compile(r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$")


def structural_problems(schema: JsonObject, item: JsonObject, old: JsonObject | None) -> list[FieldProblem]:
    """Return what is wrong with a custom resource: types and limits first, then the rules of its definition."""
    found = list(_value(schema, item, ""))
    if any(entry.reason in _BLOCKING for entry in found):
        return [*found, FieldProblem("<nil>", "FieldValueInvalid", f"Invalid value: null: {_UNCHECKED}")]
    return found + list(_rules(schema, item, old, ""))


def _value(schema: JsonObject, value: Any, path: str) -> Iterator[FieldProblem]:
    if value is None and schema.get("nullable"):
        return
    kind = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        kind = "integer" if isinstance(value, int) else "string"
    if kind is None:
        return
    if not _TYPES[kind](value):
        found = _TYPE_NAMES.get(type(value), "null")
        yield problem.wrong_type(path, found, f'{path} in body must be of type {kind}: "{found}"')
        return
    if "enum" in schema and value not in schema["enum"]:
        yield problem.not_supported(path, value, schema["enum"])
    if kind == "object":
        yield from _object(schema, value, path)
    elif kind == "array":
        yield from _array(schema, value, path)
    elif kind == "string":
        yield from _string(schema, value, path)
    elif kind in ("integer", "number"):
        yield from _number(schema, value, path)


def _object(schema: JsonObject, value: JsonObject, path: str) -> Iterator[FieldProblem]:
    properties = schema.get("properties") or {}
    others = schema.get("additionalProperties")
    for key in schema.get("required") or ():
        if key not in value:
            yield problem.required(_child(path, key))
    if "maxProperties" in schema and len(value) > schema["maxProperties"]:
        yield problem.too_many(path, len(value), schema["maxProperties"])
    for key, child in value.items():
        if key in properties:
            yield from _value(properties[key], child, _child(path, key))
        elif isinstance(others, dict):
            yield from _value(others, child, _child(path, key))


def _array(schema: JsonObject, value: list[Any], path: str) -> Iterator[FieldProblem]:
    if "maxItems" in schema and len(value) > schema["maxItems"]:
        yield problem.too_many(path, len(value), schema["maxItems"])
    if len(value) < schema.get("minItems", 0):
        limit = schema["minItems"]
        yield problem.invalid(path, len(value), f"{path} in body should have at least {limit} items")
    items = schema.get("items")
    if isinstance(items, dict):
        for index, child in enumerate(value):
            yield from _value(items, child, f"{path}[{index}]")
    yield from _duplicates(schema, value, path)


def _duplicates(schema: JsonObject, value: list[Any], path: str) -> Iterator[FieldProblem]:
    kind = schema.get("x-kubernetes-list-type")
    if kind not in ("map", "set"):
        return
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    seen = set()
    for index, child in enumerate(value):
        identity = (
            {key: child[key] for key in keys if key in child} if kind == "map" and isinstance(child, dict) else child
        )
        if (text := problem.shown(identity)) in seen:
            yield problem.duplicate(f"{path}[{index}]", identity)
        seen.add(text)


def _string(schema: JsonObject, value: str, path: str) -> Iterator[FieldProblem]:
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        yield problem.too_long(path, schema["maxLength"])
    if len(value) < schema.get("minLength", 0):
        limit = schema["minLength"]
        yield problem.invalid(path, value, f"{path} in body should be at least {limit} chars long")
    if "pattern" in schema and not _compiled(schema["pattern"]).search(value):
        yield problem.invalid(path, value, f"{path} in body should match '{schema['pattern']}'")
    if schema.get("format") == "date-time" and not _DATE_TIME.match(value):
        yield problem.invalid(path, value, f'{path} in body must be of type date-time: "{value}"')


def _number(schema: JsonObject, value: float, path: str) -> Iterator[FieldProblem]:
    if "minimum" in schema and value < schema["minimum"]:
        detail = f"{path} in body should be greater than or equal to {schema['minimum']}"
        yield problem.invalid(path, value, detail)
    if "maximum" in schema and value > schema["maximum"]:
        yield problem.invalid(path, value, f"{path} in body should be less than or equal to {schema['maximum']}")


def _rules(schema: JsonObject, value: Any, old: Any, path: str) -> Iterator[FieldProblem]:
    for rule in schema.get("x-kubernetes-validations") or ():
        holds = rules.predicate(rule["rule"])
        if holds is not None and not holds(value, old):
            message = rule.get("message") or f"failed rule: {rule['rule']}"
            whole = isinstance(value, dict | list)
            yield problem.invalid_whole(path, message) if whole else problem.invalid(path, value, message)
    if isinstance(value, dict):
        before = old if isinstance(old, dict) else {}
        properties = schema.get("properties") or {}
        for key, child in value.items():
            if key in properties:
                yield from _rules(properties[key], child, before.get(key), _child(path, key))
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, child in enumerate(value):
            yield from _rules(schema["items"], child, None, f"{path}[{index}]")


def _child(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # Go's $ is the very end; Python's lets a newline follow.
    return re.compile(re.sub(r"(?<!\\)\$(?=$|\|)", r"\\Z", pattern))
