"""Strategic merge patch: a merge patch that knows which lists are sets, and by which key their elements are told apart.

The rules and directives ($patch, $setElementOrder, $deleteFromPrimitiveList, $retainKeys) stand in
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md;
merge keys come from the schema's ``x-kubernetes-patch-merge-key`` and ``x-kubernetes-patch-strategy``.
"""

from __future__ import annotations

from typing import Any

from calico_lab import errors
from calico_lab.local.wire import JsonObject

_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"


def strategic_merge(current: JsonObject, change: JsonObject, schema: JsonObject) -> JsonObject:
    """Return the result of a strategic merge patch. Raises ``BadRequest`` for a malformed one."""
    directive = change.get("$patch")
    if directive == "replace":
        whole: JsonObject = _without_directives(change)
        return whole
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise errors.BadRequest(f"unknown patch type {directive!r} in a strategic merge patch")
    result = _retained(current, change)
    for key, value in change.items():
        if key.startswith("$"):
            continue
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value, _property(schema, key), change, key)
    _order_untouched_lists(result, change, schema)
    return result


def _merged(old: Any, new: Any, schema: JsonObject, change: JsonObject, key: str) -> Any:
    if isinstance(new, dict):
        return strategic_merge(old if isinstance(old, dict) else {}, new, schema)
    if not isinstance(new, list) or "merge" not in _strategies(schema):
        return new
    merge_key = schema.get("x-kubernetes-patch-merge-key")
    order = _list_of(change, _ORDER + key)
    if merge_key is None:
        return _ordered(_union(old or [], new), order, old or [], "")
    return _ordered(_merged_by_key(old or [], new, schema, merge_key), order, old or [], merge_key)


def _merged_by_key(old: list[Any], new: list[Any], schema: JsonObject, merge_key: str) -> list[Any]:
    items = schema.get("items") or {}
    if any(isinstance(entry, dict) and entry.get("$patch") == "replace" for entry in new):
        return [_without_directives(entry) for entry in new if entry.get("$patch") != "replace"]
    result = list(old)
    for entry in new:
        if not isinstance(entry, dict) or merge_key not in entry:
            raise errors.BadRequest(f"map: {entry} does not contain declared merge key: {merge_key}")
        position = _position(result, entry, merge_key)
        if entry.get("$patch") == "delete":
            result = [kept for kept in result if _identity(kept, merge_key) != entry[merge_key]]
        elif position is None:
            result.append(strategic_merge({}, entry, items))
        else:
            result[position] = strategic_merge(result[position], entry, items)
    return result


def _union(old: list[Any], new: list[Any]) -> list[Any]:
    return old + [value for index, value in enumerate(new) if value not in old and value not in new[:index]]


def _ordered(items: list[Any], order: list[Any] | None, old: list[Any], merge_key: str) -> list[Any]:
    """Put the elements that the patch names in its order, the others where they stood relative to them."""
    if order is None:
        return items
    wanted = [_identity(entry, merge_key) for entry in order]
    named = [item for identity in wanted for item in items if _identity(item, merge_key) == identity]
    others = [item for item in items if _identity(item, merge_key) not in wanted]
    before = [_identity(item, merge_key) for item in old]
    result: list[Any] = []
    while named and others:
        here, there = _identity(named[0], merge_key), _identity(others[0], merge_key)
        first = here in before and there in before and before.index(there) < before.index(here)
        result.append((others if first else named).pop(0))
    return result + named + others


def _order_untouched_lists(result: JsonObject, change: JsonObject, schema: JsonObject) -> None:
    for directive in change:
        if directive.startswith(_DELETE):
            key = directive.removeprefix(_DELETE)
            unwanted = _list_of(change, directive) or []
            result[key] = [value for value in result.get(key) or [] if value not in unwanted]
        elif directive.startswith(_ORDER):
            key = directive.removeprefix(_ORDER)
            items = result.get(key)
            if key not in change and isinstance(items, list):
                merge_key = _property(schema, key).get("x-kubernetes-patch-merge-key") or ""
                result[key] = _ordered(items, _list_of(change, directive), items, merge_key)


def _retained(current: JsonObject, change: JsonObject) -> JsonObject:
    kept = _list_of(change, "$retainKeys")
    return dict(current) if kept is None else {key: value for key, value in current.items() if key in kept}


def _without_directives(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_directives(entry)
            for key, entry in value.items()
            if not key.startswith("$") and entry is not None
        }
    return [_without_directives(entry) for entry in value] if isinstance(value, list) else value


def _list_of(change: JsonObject, directive: str) -> list[Any] | None:
    value = change.get(directive)
    if value is not None and not isinstance(value, list):
        raise errors.BadRequest(f"{directive} in a strategic merge patch must be a list")
    return value


def _property(schema: JsonObject, key: str) -> JsonObject:
    found = (schema.get("properties") or {}).get(key)
    if found is None:
        found = schema.get("additionalProperties")
    return found if isinstance(found, dict) else {}


def _strategies(schema: JsonObject) -> list[str]:
    return str(schema.get("x-kubernetes-patch-strategy", "")).split(",")


def _position(items: list[Any], entry: JsonObject, merge_key: str) -> int | None:
    wanted = entry[merge_key]
    return next((index for index, item in enumerate(items) if _identity(item, merge_key) == wanted), None)


def _identity(item: Any, merge_key: str) -> Any:
    return item.get(merge_key) if merge_key and isinstance(item, dict) else item
