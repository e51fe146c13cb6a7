"""The objects, one counter of resourceVersions over all of them, and what happened lately.

Everything here is synchronous: a change is whole before anybody else runs. Objects in the store are never changed in
place, so that lists, watches and the history can share them. The history of a resource is bounded; who asks for
something older must list again (HTTP 410), as with the API server's watch cache.
"""

from __future__ import annotations

import asyncio
import bisect
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from calico_lab.local.apiserver.answers import encode
from calico_lab.local.wire import JsonObject

HISTORY = 1024

ResourceKey = tuple[str, str]
ObjectKey = tuple[str, str]


@dataclass(slots=True)
class Stored:
    """An object as it stands at one resourceVersion; its JSON is made once for each version it is asked in."""

    item: JsonObject
    _encoded: dict[str, bytes] = field(default_factory=dict)

    def in_version(self, api_version: str) -> JsonObject:
        """Return the object in another version of its group: only the version's name differs (strategy None)."""
        return self.item if self.item["apiVersion"] == api_version else self.item | {"apiVersion": api_version}

    def encoded(self, api_version: str) -> bytes:
        """Return the object's JSON in a version."""
        if api_version not in self._encoded:
            self._encoded[api_version] = encode(self.in_version(api_version))
        return self._encoded[api_version]


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a resource's history; ``old`` is None for a creation, ``gone`` marks a deletion."""

    resource_version: int
    old: Stored | None
    new: Stored
    gone: bool = False


class History:
    """The latest changes of one resource; a reader keeps its own position, so that nobody waits for a slow one."""

    def __init__(self, forgotten: int = 0) -> None:
        self.forgotten = forgotten
        self.closed = False
        self._first = 0
        self._changes: list[Change] = []
        self._waiting: set[asyncio.Event] = set()

    def add(self, change: Change) -> None:
        """Append a change and wake those who wait for it."""
        self._changes.append(change)
        if len(self._changes) > 2 * HISTORY:
            self.forgotten = self._changes[HISTORY - 1].resource_version
            self._first += HISTORY
            del self._changes[:HISTORY]
        for event in self._waiting:
            event.set()

    def position_after(self, resource_version: int) -> int | None:
        """Return the position of the first change after a resourceVersion; None where it is forgotten."""
        if resource_version < self.forgotten:
            return None
        index = bisect.bisect_right(self._changes, resource_version, key=lambda change: change.resource_version)
        return self._first + index

    def read(self, position: int, limit: int) -> tuple[list[Change], int] | None:
        """Return up to ``limit`` changes from a position, and the next position; None where they are forgotten."""
        if position < self._first:
            return None
        changes = self._changes[position - self._first : position - self._first + limit]
        return changes, position + len(changes)

    def listen(self, event: asyncio.Event) -> None:
        """Set ``event`` at every change from now on."""
        self._waiting.add(event)

    def unlisten(self, event: asyncio.Event) -> None:
        """Undo :meth:`listen`."""
        self._waiting.discard(event)

    def close(self) -> None:
        """End the watches of a resource that is served no longer."""
        self.closed = True
        for event in self._waiting:
            event.set()


class Store:
    """Objects by resource, namespace and name."""

    def __init__(self) -> None:
        self.resource_version = 0
        self._objects: defaultdict[ResourceKey, dict[ObjectKey, Stored]] = defaultdict(dict)
        self._histories: defaultdict[ResourceKey, History] = defaultdict(History)
        self._listeners: defaultdict[ResourceKey, list[Callable[[Change], None]]] = defaultdict(list)

    def history(self, resource: ResourceKey) -> History:
        """Return a resource's history."""
        return self._histories[resource]

    def get(self, resource: ResourceKey, namespace: str, name: str) -> Stored | None:
        """Return an object, or None."""
        return self._objects[resource].get((namespace, name))

    def list(self, resource: ResourceKey, namespace: str = "") -> list[Stored]:
        """Return the objects of a namespace, or of all, in the order of their names."""
        objects = self._objects[resource]
        return [objects[key] for key in sorted(objects) if not namespace or key[0] == namespace]

    def each(self, resource: ResourceKey) -> Iterator[JsonObject]:
        """Yield the objects of a resource in no particular order; they must not be changed."""
        return (stored.item for stored in list(self._objects[resource].values()))

    def on_change(self, resource: ResourceKey, listener: Callable[[Change], None]) -> None:
        """Call ``listener`` with every change of a resource, before anybody else sees it."""
        self._listeners[resource].append(listener)

    def put(self, resource: ResourceKey, item: JsonObject) -> Stored:
        """Create or replace an object: it gets the next resourceVersion. The store owns ``item`` from here on."""
        self.resource_version += 1
        metadata = item["metadata"]
        metadata["resourceVersion"] = str(self.resource_version)
        key = (metadata.get("namespace", ""), metadata["name"])
        stored = Stored(item)
        change = Change(self.resource_version, self._objects[resource].get(key), stored)
        self._objects[resource][key] = stored
        self._record(resource, change)
        return stored

    def remove(self, resource: ResourceKey, namespace: str, name: str) -> Stored:
        """Remove an object; returns its last state, with the resourceVersion of the removal."""
        self.resource_version += 1
        old = self._objects[resource].pop((namespace, name))
        metadata = old.item["metadata"] | {"resourceVersion": str(self.resource_version)}
        last = Stored(old.item | {"metadata": metadata})
        self._record(resource, Change(self.resource_version, old, last, gone=True))
        return last

    def drop(self, resource: ResourceKey) -> None:
        """Forget a resource, its objects and its history; watches of it end."""
        for namespace, name in list(self._objects[resource]):
            self.remove(resource, namespace, name)
        self._histories[resource].close()
        self._histories[resource] = History(forgotten=self.resource_version)

    def _record(self, resource: ResourceKey, change: Change) -> None:
        for listener in self._listeners[resource]:
            listener(change)
        self._histories[resource].add(change)
