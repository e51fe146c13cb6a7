"""Conditions, and when their times change (https://kubernetes.io/docs/reference/using-api/api-concepts/)."""

from __future__ import annotations

from typing import Any

from calico_lab.local.gateway_api.world import CONTROLLER_NAME
from calico_lab.local.wire import JsonObject

# What identifies an entry of a list in a status.
_IDENTITIES = {
    "conditions": ("type",),
    "listeners": ("name",),
    "parents": ("controllerName", "parentRef"),
    "ancestors": ("controllerName", "ancestorRef"),
}


def condition(kind: str, true: bool, reason: str, message: str, generation: int) -> JsonObject:
    """Return a condition without its time, which :func:`settled` adds."""
    return {
        "type": kind,
        "status": "True" if true else "False",
        "reason": reason,
        "message": message,
        "observedGeneration": generation,
    }


def sentence(message: str) -> str:
    """Write an error as a condition's message: with a capital and a full stop."""
    return message[:1].upper() + message[1:] + ("" if message.endswith(".") else ".")


def settled(wanted: JsonObject, current: JsonObject, time: str) -> JsonObject:
    """Return the status to write: ``wanted``, each condition with its time.

    As in Envoy Gateway, ``lastTransitionTime`` is that of the condition's last change of any kind, not only of its
    status. Entries that other controllers put among parents or ancestors stay.
    """
    return {key: _settled_value(key, value, current.get(key), time) for key, value in wanted.items()}


def _settled_value(key: str, wanted: Any, current: Any, time: str) -> Any:
    if key not in _IDENTITIES:
        return wanted
    identity = _IDENTITIES[key]
    existing = current or []

    def before(entry: JsonObject) -> JsonObject:
        return next((old for old in existing if all(old.get(part) == entry.get(part) for part in identity)), {})

    if key == "conditions":
        return [_timed(entry, before(entry), time) for entry in wanted]
    others = [entry for entry in existing if entry.get("controllerName", CONTROLLER_NAME) != CONTROLLER_NAME]
    return others + [settled(entry, before(entry), time) for entry in wanted]


def _timed(wanted: JsonObject, old: JsonObject, time: str) -> JsonObject:
    same = all(old.get(key) == value for key, value in wanted.items())
    return wanted | {"lastTransitionTime": old.get("lastTransitionTime", time) if same else time}
