"""Removal of fields that a schema does not have, as the API server does before it stores an object.

Reference: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#field-pruning.
"""

from __future__ import annotations

from typing import Any

from calico_lab.local.wire import JsonObject

_ALWAYS_KEPT = ("apiVersion", "kind", "metadata")


def prune(schema: JsonObject, item: JsonObject) -> None:
    """Remove, in place, what the structural schema of a kind does not know."""
    _prune_object(schema, item, _ALWAYS_KEPT)


def _prune(schema: JsonObject, value: Any) -> None:
    if isinstance(value, dict):
        _prune_object(schema, value, _ALWAYS_KEPT if schema.get("x-kubernetes-embedded-resource") else ())
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for entry in value:
            _prune(schema["items"], entry)


def _prune_object(schema: JsonObject, item: JsonObject, kept: tuple[str, ...]) -> None:
    properties = schema.get("properties") or {}
    others = schema.get("additionalProperties")
    open_ended = not properties and "additionalProperties" not in schema and schema.get("type") != "object"
    for key in [key for key in item if key not in kept]:
        if key in properties:
            _prune(properties[key], item[key])
        elif isinstance(others, dict):
            _prune(others, item[key])
        elif not (others or open_ended or schema.get("x-kubernetes-preserve-unknown-fields")):
            del item[key]
