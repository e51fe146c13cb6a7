"""Who manages which fields: the entries of ``metadata.managedFields``.

Reference: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from calico_lab.local.apiserver import field_sets
from calico_lab.local.apiserver.field_sets import FieldSet, Path
from calico_lab.local.apiserver.schema import load
from calico_lab.local.objects import now
from calico_lab.local.wire import JsonObject

# What every write carries or the server writes itself, and nobody manages.
_IDENTITY = ("f:apiVersion", "f:kind")
_NOBODYS_METADATA = {
    f"f:{name}"
    for name in (
        "name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields", "resourceVersion",
        "deletionTimestamp", "deletionGracePeriodSeconds",
    )
}  # fmt: skip
APPLY, UPDATE = "Apply", "Update"


@dataclass(frozen=True)
class Manager:
    """Who writes, and through which endpoint."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""


@dataclass(frozen=True)
class Managed:
    """The fields of one manager, and when it last changed any."""

    fields: FieldSet
    time: str


Managers = dict[Manager, Managed]


def read(entries: Any) -> Managers:
    """Return the managers that entries describe; none where they cannot be read."""
    managers: Managers = {}
    try:
        for entry in entries or ():
            texts = [entry.get(key) or "" for key in ("manager", "operation", "apiVersion", "subresource", "time")]
            if not all(isinstance(text, str) for text in texts) or texts[1] not in (APPLY, UPDATE):
                return {}
            fields = field_sets.decoded(entry.get("fieldsV1") or {})
            managers[Manager(*texts[:4])] = Managed(fields, texts[4])
    except (AttributeError, TypeError, ValueError):
        return {}
    return managers


def write(managers: Managers) -> list[JsonObject]:
    """Return the entries for managers, those that manage nothing left out."""
    entries = []
    for manager, managed in sorted(managers.items(), key=_rank):
        if not managed.fields:
            continue
        entry = {
            "manager": manager.name,
            "operation": manager.operation,
            "apiVersion": manager.api_version,
            "time": managed.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": field_sets.encoded(managed.fields),
        }
        entries.append(entry | ({"subresource": manager.subresource} if manager.subresource else {}))
    return entries


def _rank(entry: tuple[Manager, Managed]) -> tuple[str, ...]:
    manager, managed = entry
    return manager.operation, managed.time, manager.name, manager.api_version, manager.subresource


@cache
def _object_meta() -> JsonObject:
    return load().object_meta()


def with_metadata(schema: JsonObject | None) -> JsonObject:
    """Return a kind's schema with the schema of metadata in it, which definitions leave out."""
    properties = (schema or {}).get("properties") or {}
    return (schema or {}) | {"properties": properties | {"metadata": _object_meta()}}


def compared(schema: JsonObject, old: JsonObject, new: JsonObject) -> tuple[FieldSet, FieldSet]:
    """Return the fields that were added or changed, and those that were removed."""
    found = list(field_sets.differences(schema, old, new))
    return _managed(path for there, path in found if there), _managed(path for there, path in found if not there)


def managed_by(schema: JsonObject, config: JsonObject) -> FieldSet:
    """Return the fields that whoever applies ``config`` manages from then on."""
    return _managed(field_sets.fields_of(schema, config))


def _managed(paths: Iterable[Path]) -> FieldSet:
    return frozenset(
        path
        for path in paths
        if path
        and path[0] not in _IDENTITY
        and not (path[0] == "f:metadata" and (len(path) == 1 or path[1] in _NOBODYS_METADATA))
    )


def after_update(
    schema: JsonObject, managers: Managers, manager: Manager, old: JsonObject, new: JsonObject
) -> Managers:
    """Return the managers after one has written ``new`` over ``old``: what it changed is its own alone."""
    changed, removed = compared(schema, old, new)
    if not changed and not removed:
        return managers
    result = take_away(managers, manager, changed, removed)
    before = managers.get(manager, Managed(frozenset(), ""))
    kept = field_sets.without(before.fields, removed) | changed
    return result | {manager: Managed(kept, now())}


def take_away(managers: Managers, manager: Manager, changed: FieldSet, removed: FieldSet) -> Managers:
    """Return the managers after everybody but one has lost what was changed, and all what was removed."""
    return {
        other: replace(managed, fields=field_sets.without(managed.fields - changed, removed))
        for other, managed in managers.items()
        if other != manager
    }


def described(manager: Manager) -> str:
    """Return a manager as messages of conflicts name it."""
    text = f'"{manager.name}"'
    if manager.subresource:
        text += f' with subresource "{manager.subresource}"'
    return f"{text} using {manager.api_version}" if manager.operation == UPDATE else text
