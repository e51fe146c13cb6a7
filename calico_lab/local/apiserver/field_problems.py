"""What is wrong with a field, in the words of the real server.

Reference: https://github.com/kubernetes/apimachinery, package ``util/validation/field``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FieldProblem:
    """One cause of a Status with reason Invalid: ``message`` without the path, which is shown before it."""

    path: str
    reason: str
    message: str


def shown(value: Any) -> str:
    """Return a value as messages show it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def required(path: str, detail: str = "") -> FieldProblem:
    """Return the problem of a field that must not be missing or empty."""
    return FieldProblem(path, "FieldValueRequired", f"Required value{detail and ': '}{detail}")


def invalid(path: str, value: Any, detail: str) -> FieldProblem:
    """Return the problem of a value that breaks a rule."""
    return FieldProblem(path, "FieldValueInvalid", f"Invalid value: {shown(value)}: {detail}")


def invalid_whole(path: str, detail: str) -> FieldProblem:
    """Return the problem of an object or a list whose value is too long to be shown."""
    return FieldProblem(path, "FieldValueInvalid", f"Invalid value: {detail}")


def wrong_type(path: str, value: Any, detail: str) -> FieldProblem:
    """Return the problem of a value of the wrong type."""
    return FieldProblem(path, "FieldValueTypeInvalid", f"Invalid value: {shown(value)}: {detail}")


def not_supported(path: str, value: Any, choices: Iterable[Any]) -> FieldProblem:
    """Return the problem of a value that is none of the choices."""
    supported = ", ".join(shown(choice) if isinstance(choice, str) else shown(shown(choice)) for choice in choices)
    message = f"Unsupported value: {shown(value)}: supported values: {supported}"
    return FieldProblem(path, "FieldValueNotSupported", message)


def duplicate(path: str, value: Any) -> FieldProblem:
    """Return the problem of a value that stands twice."""
    return FieldProblem(path, "FieldValueDuplicate", f"Duplicate value: {shown(value)}")


def not_found(path: str, value: Any) -> FieldProblem:
    """Return the problem of a name that nothing bears."""
    return FieldProblem(path, "FieldValueNotFound", f"Not found: {shown(value)}")


def forbidden(path: str, detail: str) -> FieldProblem:
    """Return the problem of a field that may not stand here."""
    return FieldProblem(path, "FieldValueForbidden", f"Forbidden: {detail}")


def too_long(path: str, limit: int) -> FieldProblem:
    """Return the problem of a string over its limit."""
    return FieldProblem(path, "FieldValueTooLong", f"Too long: may not be more than {limit} bytes")


def too_many(path: str, count: int, limit: int) -> FieldProblem:
    """Return the problem of a list over its limit."""
    items = "item" if limit == 1 else "items"
    return FieldProblem(path, "FieldValueTooMany", f"Too many: {count}: must have at most {limit} {items}")
