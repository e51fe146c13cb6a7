"""Conditions: how a Kubernetes object says how far its controllers have come with it.

https://gateway-api.sigs.k8s.io/geps/gep-1364/ tells where routes and policies keep theirs: one list for each parent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

JsonObject = dict[str, Any]


def of(item: JsonObject) -> Iterator[JsonObject]:
    """Yield the conditions of an object: its own, and those that a route or policy has for each parent."""
    status = item.get("status") or {}
    for holder in (status, *(status.get("parents") or ()), *(status.get("ancestors") or ())):
        yield from holder.get("conditions") or ()


def is_true(item: JsonObject, kind: str) -> bool:
    """Whether every condition of this type is True and speaks of the object as it is now; there must be one."""
    generation = item["metadata"].get("generation", 0)
    found = [entry for entry in of(item) if entry["type"] == kind]
    return bool(found) and all(
        entry["status"] == "True" and entry.get("observedGeneration", generation) >= generation for entry in found
    )


def summary(item: JsonObject) -> str:
    """Return all conditions in one line, for a message."""
    lines = [
        f"{entry['type']}={entry['status']} ({entry.get('reason', '')}) {entry.get('message', '')}".rstrip()
        for entry in of(item)
    ]
    return "; ".join(lines) or "no conditions in its status"
