"""Server-side apply: a manager says what it wants of an object, and the server finds out what that changes.

Reference: https://kubernetes.io/docs/reference/using-api/server-side-apply/.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from calico_lab import errors
from calico_lab.local.apiserver import field_managers, field_sets
from calico_lab.local.apiserver.field_managers import Managed, Manager, Managers
from calico_lab.local.apiserver.field_sets import FieldSet, Path, children, is_divisible
from calico_lab.local.apiserver.kinds import Kind
from calico_lab.local.objects import now
from calico_lab.local.wire import JsonObject

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def applied(
    kind: Kind, schema: JsonObject | None, live: JsonObject, config: JsonObject, manager: Manager, *, force: bool
) -> tuple[JsonObject, list[JsonObject]]:
    """Return the object after ``manager`` has applied ``config`` to ``live``, and its managedFields.

    ``live`` is ``{}`` for an object that does not exist yet. Raises ``Conflict`` where another manager's field would
    change and ``force`` is not set, ``BadRequest`` for a configuration that does not fit the kind.
    """
    schema = field_managers.with_metadata(schema)
    managers = field_managers.read(live.get("metadata", {}).get("managedFields"))
    config = _of_endpoint(kind, config, manager)
    fields = _own_fields(kind, schema, config)
    merged = _merged(schema, live, config)
    lost = managers.get(manager, Managed(frozenset(), "")).fields - fields
    others = {other: managed for other, managed in managers.items() if other != manager}
    merged = _pruned(schema, merged, lost, [fields, *(managed.fields for managed in others.values())])
    changed, removed = field_managers.compared(schema, live, merged)
    if not force:
        _require_no_conflict(others, changed - _still_as_last_applied(schema, live, manager))
    managers_after = field_managers.take_away(managers, manager, changed, removed)
    before = managers.get(manager)
    unchanged = before is not None and before.fields == fields and not changed and not removed
    time = before.time if unchanged and before else now()
    _keep_last_applied(merged, live, config, manager)
    return merged, field_managers.write(managers_after | {manager: Managed(fields, time)})


def _of_endpoint(kind: Kind, config: JsonObject, manager: Manager) -> JsonObject:
    """Return the part of a configuration that the endpoint it was sent to takes."""
    if manager.subresource == "status":
        names = ("apiVersion", "kind", "name", "namespace", "uid", "resourceVersion")
        metadata = {key: value for key, value in config["metadata"].items() if key in names}
        return {key: value for key, value in config.items() if key in (*names, "status")} | {"metadata": metadata}
    return {key: value for key, value in config.items() if key != "status" or not kind.has_status}


def _own_fields(kind: Kind, schema: JsonObject, config: JsonObject) -> FieldSet:
    try:
        return field_managers.managed_by(schema, config)
    except field_sets.DuplicateElement as error:
        metadata = config["metadata"]
        name = f"{metadata['namespace']}/{metadata.get('name')}" if "namespace" in metadata else metadata.get("name")
        subject = f"({name}; {kind.api_version}, Kind={kind.kind})"
        raise errors.BadRequest(f"failed to create typed patch object {subject}: {error}") from None


def _still_as_last_applied(schema: JsonObject, live: JsonObject, manager: Manager) -> FieldSet:
    """Return what kubectl has applied on the client's side and nobody has changed since: it may change these."""
    text = ((live.get("metadata") or {}).get("annotations") or {}).get(_LAST_APPLIED)
    if manager.name != "kubectl" or not text:
        return frozenset()
    try:
        last = json.loads(text)
        fields = field_managers.managed_by(schema, last)
    except (AttributeError, TypeError, ValueError):
        return frozenset()
    return fields - field_managers.compared(schema, live, last)[0]


def _merged(schema: JsonObject, live: Any, config: Any) -> Any:
    if isinstance(config, dict) and isinstance(live, dict) and is_divisible(schema, config):
        result = dict(live)
        for key, value in config.items():
            result[key] = _merged(field_sets.child_schema(schema, key), live.get(key), value)
        return result
    if isinstance(config, list) and isinstance(live, list) and is_divisible(schema, config):
        return _merged_list(schema, live, config)
    return copy.deepcopy(config)


def _merged_list(schema: JsonObject, live: list[Any], config: list[Any]) -> list[Any]:
    """Merge by keys: what is applied comes in its own order, what is only live stands where it stood before it."""
    try:
        before = field_sets.elements(schema, live)
    except field_sets.DuplicateElement:
        return copy.deepcopy(config)
    wanted = field_sets.elements(schema, config)
    inner = field_sets.item_schema(schema)
    result: list[Any] = []
    waiting = list(before.items())
    for name, value in wanted.items():
        if name in before:
            # The live ones that stand before it, and that nobody applies now, keep their place.
            position = next((index for index, (other, _) in enumerate(waiting) if other == name), None)
            if position is not None:
                result += [item for other, item in waiting[:position] if other not in wanted]
                waiting = [entry for entry in waiting[:position] if entry[0] in wanted] + waiting[position + 1 :]
        result.append(_merged(inner, before.get(name), value))
    return result + [item for name, item in waiting if name not in wanted]


def _pruned(schema: JsonObject, item: JsonObject, lost: FieldSet, owned: list[FieldSet]) -> JsonObject:
    """Remove what a manager applies no longer, unless somebody else has it or something in it."""
    kept = {path[:length] for fields in owned for path in fields for length in range(1, len(path) + 1)}
    gone = frozenset(path for path in lost if path not in kept)
    result: JsonObject = _without(schema, item, gone, ()) if gone else item
    return result


def _without(schema: JsonObject, value: Any, gone: FieldSet, path: Path) -> Any:
    if not is_divisible(schema, value) or not any(field[: len(path)] == path for field in gone):
        return value
    try:
        parts = list(children(schema, value))
    except field_sets.DuplicateElement:
        return value
    left = [
        (name, _without(inner, child, gone, (*path, name)), child)
        for name, inner, child in parts
        if (*path, name) not in gone
    ]
    # A map that has lost all of its fields goes with the last of them.
    kept = [(name, new) for name, new, old in left if new or new == old or not isinstance(new, dict | list)]
    return {name[2:]: new for name, new in kept} if isinstance(value, dict) else [new for _, new in kept]


def _keep_last_applied(merged: JsonObject, live: JsonObject, config: JsonObject, manager: Manager) -> None:
    """Keep the annotation of kubectl's client-side apply true, where the object has it."""
    annotations = (live.get("metadata") or {}).get("annotations") or {}
    if manager.name == "kubectl" and _LAST_APPLIED in annotations:
        text = json.dumps(config, separators=(",", ":"), sort_keys=True) + "\n"
        metadata = merged["metadata"]
        metadata["annotations"] = (metadata.get("annotations") or {}) | {_LAST_APPLIED: text}


def _require_no_conflict(others: Managers, changed: FieldSet) -> None:
    found = [(other, path) for other, managed in others.items() for path in managed.fields & changed]
    if not found:
        return
    found.sort(key=lambda entry: (field_managers.described(entry[0]), entry[1]))
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f"conflict with {field_managers.described(other)}",
            "field": field_sets.path_text(path),
        }
        for other, path in found
    ]
    raise errors.Conflict(f"Apply failed with {_listed(found)}", details={"causes": causes})


def _listed(found: list[tuple[Manager, Path]]) -> str:
    if len(found) == 1:
        return f"1 conflict: conflict with {field_managers.described(found[0][0])}: {field_sets.path_text(found[0][1])}"
    lines = []
    for name in dict.fromkeys(field_managers.described(other) for other, _ in found):
        lines.append(f"conflicts with {name}:")
        lines += [f"- {field_sets.path_text(path)}" for other, path in found if field_managers.described(other) == name]
    return f"{len(found)} conflicts: " + "\n".join(lines)
