"""Small questions and answers about Kubernetes objects held as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from calico_lab.local.wire import JsonObject


def now() -> str:
    """Return the time as the API writes it: RFC 3339, UTC, whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def labels(item: JsonObject) -> dict[str, str]:
    """Return an object's labels, empty when it has none."""
    return item["metadata"].get("labels") or {}


def matches(selector: Mapping[str, str] | None, item: JsonObject) -> bool:
    """Whether an object carries every label of a selector; an empty selector matches nothing, as in a Service."""
    return bool(selector) and all(labels(item).get(key) == value for key, value in (selector or {}).items())


def is_deleting(item: JsonObject) -> bool:
    """Whether deletion was asked for and has not ended yet."""
    return "deletionTimestamp" in item["metadata"]


def owner_reference(owner: JsonObject, *, controller: bool = True) -> JsonObject:
    """Return the reference by which an object names its owner, for garbage collection."""
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }
    return reference | ({"controller": True, "blockOwnerDeletion": True} if controller else {})


def controller_uid(item: JsonObject) -> str:
    """Return the uid of the object's controlling owner, or an empty string."""
    references = item["metadata"].get("ownerReferences") or []
    return next((reference["uid"] for reference in references if reference.get("controller")), "")


def condition(item: JsonObject, kind: str) -> Mapping[str, Any]:
    """Return the condition of one type from an object's status, empty when there is none."""
    conditions = item.get("status", {}).get("conditions") or []
    return next((entry for entry in conditions if entry["type"] == kind), {})


def is_ready(pod: JsonObject) -> bool:
    """Whether a pod's Ready condition is True."""
    return condition(pod, "Ready").get("status") == "True"


def contains(actual: Any, wanted: Any) -> bool:
    """Whether everything in ``wanted`` stands in ``actual`` too, which may say more (defaults, others' fields).

    A ``None`` stands for a field that must not be there, as in a merge patch; lists must be of the same length.
    """
    if isinstance(wanted, dict):
        return isinstance(actual, dict) and all(
            key not in actual if value is None else key in actual and contains(actual[key], value)
            for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        same_length = isinstance(actual, list) and len(actual) == len(wanted)
        return same_length and all(contains(*pair) for pair in zip(actual, wanted, strict=True))
    return bool(actual == wanted)
