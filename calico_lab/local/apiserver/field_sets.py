"""Sets of fields of an object, as ``metadata.managedFields`` writes them down.

A field is a path of elements: ``f:NAME`` a field of a map, ``k:{KEYS}`` an element of a list that is told apart by
keys, ``v:VALUE`` a member of a list that is a set
(https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management, FieldsV1).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from calico_lab.local.wire import JsonObject

Path = tuple[str, ...]
FieldSet = frozenset[Path]

_LEAF: JsonObject = {}
_PROTOCOL = "protocol"


class DuplicateElement(ValueError):
    """Two elements of a list have the same keys."""


def child_schema(schema: JsonObject, key: str) -> JsonObject:
    """Return the schema of a field of a map; empty where it is not known."""
    found = (schema.get("properties") or {}).get(key) or schema.get("additionalProperties")
    return found if isinstance(found, dict) else {}


def item_schema(schema: JsonObject) -> JsonObject:
    """Return the schema of a list's elements."""
    found = schema.get("items")
    return found if isinstance(found, dict) else {}


def is_divisible(schema: JsonObject, value: Any) -> bool:
    """Whether parts of a value can have owners of their own; what is atomic belongs to one owner as a whole."""
    if isinstance(value, dict):
        return schema.get("x-kubernetes-map-type") != "atomic"
    return isinstance(value, list) and _list_type(schema) != "atomic"


def elements(schema: JsonObject, items: list[Any]) -> dict[str, Any]:
    """Return the elements of a divisible list by their path element. Raises ``DuplicateElement``."""
    found: dict[str, Any] = {}
    for item in items:
        name = _element(schema, item)
        if name in found:
            raise DuplicateElement(f"duplicate entries for key {path_text((name,))}")
        found[name] = item
    return found


def _list_type(schema: JsonObject) -> str:
    declared = schema.get("x-kubernetes-list-type")
    if declared:
        return str(declared)
    if "merge" not in str(schema.get("x-kubernetes-patch-strategy", "")).split(","):
        return "atomic"
    return "map" if "x-kubernetes-patch-merge-key" in schema else "set"


def _element(schema: JsonObject, item: Any) -> str:
    if _list_type(schema) == "set" or not isinstance(item, dict):
        return sys.intern("v:" + json.dumps(item, separators=(",", ":"), sort_keys=True))
    names = schema.get("x-kubernetes-list-map-keys") or [schema.get("x-kubernetes-patch-merge-key")]
    keys = {name: item.get(name, _default(schema, name)) for name in names}
    present = {name: value for name, value in keys.items() if value is not None}
    return sys.intern("k:" + json.dumps(present, separators=(",", ":"), sort_keys=True))


def _default(schema: JsonObject, key: str) -> Any:
    # Kubernetes' own schemas have no defaults here; this is the only one among their keys.
    return child_schema(item_schema(schema), key).get("default", "TCP" if key == _PROTOCOL else None)


def children(schema: JsonObject, value: Any) -> Iterator[tuple[str, JsonObject, Any]]:
    """Yield (path element, schema, value) of what a divisible value consists of."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield sys.intern("f:" + key), child_schema(schema, key), child
    else:
        for name, child in elements(schema, value).items():
            yield name, item_schema(schema), child


def fields_of(schema: JsonObject, value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the fields that a value consists of. Raises ``DuplicateElement``."""
    if not value or not is_divisible(schema, value):
        yield path
        return
    known = schema.get("properties") or {}
    for name, inner, child in children(schema, value):
        yield from fields_of(inner, child, (*path, name))
        # Elements of lists, and values of open maps, are there for their own sake.
        if child and isinstance(child, dict) and (name[0] != "f" or name[2:] not in known):
            yield (*path, name)


def differences(schema: JsonObject, old: Any, new: Any, path: Path = ()) -> Iterator[tuple[bool, Path]]:
    """Yield (whether it is still there, field) for every field that differs between two values."""
    if old == new:
        return
    if type(old) is not type(new) or not is_divisible(schema, new):
        yield True, path
        return
    try:
        before = {name: child for name, _, child in children(schema, old)}
        after = {name: (inner, child) for name, inner, child in children(schema, new)}
    except DuplicateElement:
        yield True, path
        return
    for name, (inner, child) in after.items():
        if name in before:
            yield from differences(inner, before[name], child, (*path, name))
        else:
            yield from ((True, field) for field in _fields_or_whole(inner, child, (*path, name)))
            if name[0] != "f" or "additionalProperties" in inner:
                yield True, (*path, name)
    for name in before.keys() - after.keys():
        yield False, (*path, name)


def _fields_or_whole(schema: JsonObject, value: Any, path: Path) -> list[Path]:
    try:
        return list(fields_of(schema, value, path))
    except DuplicateElement:
        return [path]


def without(fields: FieldSet, removed: frozenset[Path]) -> FieldSet:
    """Return a set without some fields and all that lies below them."""
    if not removed:
        return fields
    return frozenset(path for path in fields if not any(path[:length] in removed for length in range(1, len(path) + 1)))


@lru_cache(maxsize=2048)
def encoded(fields: FieldSet) -> JsonObject:
    """Return a set as FieldsV1; to be read, not changed: equal sets share one."""
    root: JsonObject = {}
    prefixes = {path[:length] for path in fields for length in range(1, len(path))}
    for path in sorted(fields):
        node = root
        for name in path[:-1]:
            node = node.setdefault(name, {})
        if path in prefixes:
            node.setdefault(path[-1], {})["."] = _LEAF
        else:
            node[path[-1]] = _LEAF
    return root


def decoded(tree: Any) -> FieldSet:
    """Return the set that FieldsV1 describes. Raises ``ValueError`` for what is none."""
    return frozenset(_decoded(tree, ()))


def _decoded(tree: Any, path: Path) -> Iterator[Path]:
    if not isinstance(tree, dict):
        raise ValueError("not a map")
    if path and (not tree or "." in tree):
        yield path
    for name, inner in tree.items():
        if name == ".":
            continue
        if name[:2] not in ("f:", "k:", "v:", "i:"):
            raise ValueError(f"not an element of a path: {name}")
        yield from _decoded(inner, (*path, sys.intern(name)))


def path_text(path: Path) -> str:
    """Return a field as messages write it: ``.spec.containers[name="web"].image``."""
    return "".join(map(_element_text, path))


def _element_text(element: str) -> str:
    kind, _, rest = element.partition(":")
    if kind == "f":
        return "." + rest
    if kind == "k":
        keys = json.loads(rest)
        return "[" + ",".join(f"{name}={json.dumps(value)}" for name, value in sorted(keys.items())) + "]"
    return f"[={rest}]" if kind == "v" else f"[{rest}]"
