"""Rules that span several fields: what upstream writes in CEL, with the Python that decides the same.

A CustomResourceDefinition carries such a rule as text (``x-kubernetes-validations``). The lab has no CEL interpreter:
it recognises a rule by its text and calls the function registered with it. Messages are those of Gateway API 1.3 and
Envoy Gateway 1.5, since learners read them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Predicate = Callable[[Any, Any], bool]

_PREDICATES: dict[str, Predicate] = {}


@dataclass(frozen=True)
class Rule:
    """One rule: ``holds`` gets the value and the value that an update replaces, ``None`` if there is none."""

    message: str
    expression: str
    holds: Predicate = field(compare=False)

    def __post_init__(self) -> None:
        _PREDICATES[self.expression] = self.holds


def predicate(expression: str) -> Predicate | None:
    """Return the function that decides a rule, or None for a rule that the lab does not know."""
    return _PREDICATES.get(expression)


def rule(message: str, expression: str, holds: Callable[[Any], bool]) -> Rule:
    """Return a rule about the new value alone."""
    return Rule(message, expression, lambda value, _old: holds(value))


def immutable() -> Rule:
    """Return the rule that a field keeps its first value."""
    return Rule("Value is immutable", "self == oldSelf", lambda value, old: old is None or value == old)
