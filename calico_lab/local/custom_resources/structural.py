"""Words for writing down structural schemas: what may stand in a field of a custom resource.

The words make the JSON of an OpenAPI v3 schema as a CustomResourceDefinition carries it
(https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from calico_lab.local.custom_resources.rules import Rule
from calico_lab.local.wire import JsonObject

# The body of a field that exists upstream and that the lab does not implement: anything passes here, because the
# field as such is denied later, by its name.
ANYTHING: JsonObject = {"x-kubernetes-preserve-unknown-fields": True}


def text(
    *,
    minimum: int | None = None,
    maximum: int | None = None,
    pattern: str = "",
    choices: Sequence[str] = (),
    form: str = "",
    default: str | None = None,
    rules: Sequence[Rule] = (),
) -> JsonObject:
    """Return the schema of a string, its length between ``minimum`` and ``maximum``."""
    return _schema(
        "string",
        default=default,
        rules=rules,
        enum=list(choices) or None,
        format=form or None,
        maxLength=maximum,
        minLength=minimum,
        pattern=pattern or None,
    )


def integer(
    minimum: int | None = None,
    maximum: int | None = None,
    *,
    form: str = "",
    choices: Sequence[int] = (),
    default: int | None = None,
) -> JsonObject:
    """Return the schema of a whole number."""
    return _schema(
        "integer", default=default, enum=list(choices) or None, format=form or None, maximum=maximum, minimum=minimum
    )


def flag(*, default: bool | None = None) -> JsonObject:
    """Return the schema of a boolean."""
    return _schema("boolean", default=default)


def record(
    properties: Mapping[str, JsonObject],
    *,
    required: Sequence[str] = (),
    default: Any = None,
    rules: Sequence[Rule] = (),
) -> JsonObject:
    """Return the schema of an object with these fields."""
    return _schema("object", default=default, rules=rules, properties=dict(properties), required=list(required) or None)


def mapping(values: JsonObject, *, maximum: int | None = None, rules: Sequence[Rule] = ()) -> JsonObject:
    """Return the schema of an object with free keys."""
    return _schema("object", rules=rules, additionalProperties=values, maxProperties=maximum)


def listing(
    items: JsonObject,
    *,
    minimum: int | None = None,
    maximum: int | None = None,
    keys: Sequence[str] = (),
    kind: str = "",
    default: Any = None,
    rules: Sequence[Rule] = (),
) -> JsonObject:
    """Return the schema of a list; with ``keys`` no two items may agree in all of them."""
    extra = {
        "x-kubernetes-list-map-keys": list(keys) or None,
        "x-kubernetes-list-type": "map" if keys else kind or None,
    }
    return _schema("array", default=default, rules=rules, items=items, maxItems=maximum, minItems=minimum, **extra)


def guarded(schema: JsonObject, *rules: Rule) -> JsonObject:
    """Return a schema with rules added to it."""
    return schema | {"x-kubernetes-validations": [{"message": rule.message, "rule": rule.expression} for rule in rules]}


def _schema(kind: str, *, default: Any = None, rules: Sequence[Rule] = (), **keywords: Any) -> JsonObject:
    schema = {"type": kind} | {key: value for key, value in keywords.items() if value is not None}
    if default is not None:
        schema["default"] = default
    return guarded(schema, *rules) if rules else schema
