"""What a decoder finds wrong with an object: values of the wrong type, and fields that its kind does not have.

The words are those of Go's JSON decoder, as the API server hands them on with status 400.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from calico_lab.local.wire import JsonObject

_PLAIN = {"boolean": "bool", "integer": "int64", "number": "float64", "string": "string"}
# Where a definition holds a schema, `additionalProperties: true` may stand too.
_SCHEMA = "v1.JSONSchemaProps"
_BOUNDS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1), "uint16": (0, 2**16 - 1)}
_QUANTITY = re.compile(r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)")
_DURATION = re.compile(r"0|[+-]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+")
_ROOT_FIELDS = ("apiVersion", "kind")


def type_error(kind: str, schema: JsonObject | None, item: JsonObject) -> str:
    """Return the decoder's words for the first value of a wrong type in an object, or an empty string."""
    found = next(_type_errors(schema, item, "", kind), None) if schema else None
    if found is None:
        return ""
    version = str(item.get("apiVersion", "")).rpartition("/")[2]
    return f'{kind} in version "{version}" cannot be handled as a {kind}: {found}'


def _type_errors(schema: JsonObject, value: Any, path: str, struct: str) -> Iterator[str]:
    kind = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        yield from _number_or_string(schema, value)
        return
    if value is None or kind is None or (isinstance(value, bool) and schema.get("$name") == _SCHEMA):
        return
    if not _fits(schema, value):
        # Go shows a number itself where it is one of the wrong size.
        number = f" {value}" if kind == "integer" and _word(value) == "number" else ""
        what = f"json: cannot unmarshal {_word(value)}{number}"
        yield f"{what} into Go struct field {struct}.{path} of type {_go_type(schema)}"
    elif kind == "object":
        name = schema.get("$name", "").rpartition(".")[2] or struct
        properties, others = schema.get("properties") or {}, schema.get("additionalProperties")
        for key, child in value.items():
            inner = properties.get(key) or (others if isinstance(others, dict) else None)
            if inner is not None:
                yield from _type_errors(inner, child, f"{path}.{key}" if path else key, name)
    elif kind == "array" and isinstance(schema.get("items"), dict):
        for child in value:
            yield from _type_errors(schema["items"], child, path, struct)
    elif kind == "string":
        yield from _parse_errors(schema.get("format", ""), value)


def _number_or_string(schema: JsonObject, value: Any) -> Iterator[str]:
    if schema.get("format") == "quantity":
        if value is not None and not (_word(value) in ("number", "string") and _QUANTITY.fullmatch(str(value))):
            yield f"quantities must match the regular expression '^{_QUANTITY.pattern}$'"
    elif value is not None and (isinstance(value, bool) or not isinstance(value, int | str)):
        yield f"json: cannot unmarshal {_word(value)} into Go value of type int32"


def _parse_errors(form: str, value: str) -> Iterator[str]:
    if form == "byte":
        with suppress(ValueError):
            base64.b64decode(value, validate=True)
            return
        yield f"illegal base64 data at input byte {_first_illegal(value)}"
    elif form == "duration" and not _DURATION.fullmatch(value):
        yield f'time: invalid duration "{value}"'


def _first_illegal(value: str) -> int:
    found = re.search(r"[^A-Za-z0-9+/]", value.rstrip("="))
    return found.start() if found else len(value) // 4 * 4


def _fits(schema: JsonObject, value: Any) -> bool:
    kind = schema["type"]
    if kind == "integer":
        low, high = _BOUNDS.get(schema.get("format", ""), _BOUNDS["int64"])
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    return _word(value) == {"boolean": "bool"}.get(kind, kind)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _go_type(schema: JsonObject) -> str:
    kind = schema.get("type", "object")
    if kind == "array":
        return "[]" + _go_type(schema.get("items") or {"type": "object"})
    if kind == "object":
        others = schema.get("additionalProperties")
        return f"map[string]{_go_type(others)}" if isinstance(others, dict) and "type" in others else _struct(schema)
    form: str = schema.get("format", "")
    return form if kind == "integer" and form else _PLAIN[kind]


def _struct(schema: JsonObject) -> str:
    name: str = schema.get("$name", "")
    return name or "map[string]interface {}"


def unknown_fields(schema: JsonObject | None, item: JsonObject, object_meta: JsonObject) -> list[str]:
    """Return ``unknown field "spec.foo"`` for every field that the schema doesn't have."""
    if schema is None:
        return []
    # A CustomResourceDefinition says of metadata only that it is an object.
    properties = (schema.get("properties") or {}) | {"metadata": object_meta}
    properties = {key: {"type": "string"} for key in _ROOT_FIELDS} | properties
    return [f'unknown field "{path}"' for path in _unknown(schema | {"properties": properties}, item, "")]


def _unknown(schema: JsonObject, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        items = schema.get("items")
        if isinstance(items, dict):
            for index, child in enumerate(value):
                yield from _unknown(items, child, f"{path}[{index}]")
    elif isinstance(value, dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        properties, others = schema.get("properties"), schema.get("additionalProperties")
        if properties is None and others is None:
            return
        for key, child in value.items():
            where = f"{path}.{key}" if path else key
            if properties and key in properties:
                yield from _unknown(properties[key], child, where)
            elif isinstance(others, dict):
                yield from _unknown(others, child, where)
            elif not others:
                yield where
