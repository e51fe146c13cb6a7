"""The garbage collector: what an object owned goes when the object goes.

Rules as in https://kubernetes.io/docs/concepts/architecture/garbage-collection/: an object with owner references is
deleted when none of its owners exists any more; an owner deleted in the foreground waits for the dependents that
block it; one deleted as ``orphan`` lets its dependents go free.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from calico_lab import errors
from calico_lab.local.client import ApiClient, group_of
from calico_lab.local.controller import Key
from calico_lab.local.controllers.universal import UniversalController
from calico_lab.local.informer import Informer
from calico_lab.local.objects import is_deleting
from calico_lab.local.resources import Resource
from calico_lab.local.wire import JsonObject

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
UNKNOWN_KIND_RETRY_SECONDS = 1.0


class GarbageCollector(UniversalController):
    """Keeps the graph of owners and dependents by uid; a key of its queue is the uid of an object to look at."""

    name = "generic-garbage-collector"

    def __init__(self, client: ApiClient) -> None:
        super().__init__(client)
        self._nodes: dict[str, tuple[Resource, JsonObject]] = {}
        self._dependents: defaultdict[str, dict[str, None]] = defaultdict(dict)

    def changed(self, informer: Informer, old: JsonObject | None, new: JsonObject | None) -> None:
        """Keep the graph current and look at whatever the change concerns."""
        if old is not None and (new is None or _uid(new) != _uid(old)):
            self._remove(old)
        if new is not None:
            self._put(informer.resource, old, new)

    def _put(self, resource: Resource, old: JsonObject | None, new: JsonObject) -> None:
        uid = _uid(new)
        before = {owner["uid"] for owner in _owners(old)} if old is not None and _uid(old) == uid else set()
        after = {owner["uid"] for owner in _owners(new)}
        self._nodes[uid] = resource, new
        for owner in before - after:
            self._unlink(owner, uid)
        for owner in after:
            self._dependents[owner][uid] = None
        if after != before or (is_deleting(new) and _finalizers(new) & {FOREGROUND, ORPHAN}):
            self._look_at(uid)

    def _remove(self, old: JsonObject) -> None:
        uid = _uid(old)
        self._nodes.pop(uid, None)
        for dependent in self._dependents.get(uid, {}):
            self._look_at(dependent)
        for owner in _owners(old):
            self._unlink(owner["uid"], uid)

    def _unlink(self, owner: str, dependent: str) -> None:
        dependents = self._dependents[owner]
        dependents.pop(dependent, None)
        if not dependents:
            del self._dependents[owner]
        self._look_at(owner)

    def _look_at(self, uid: str) -> None:
        self.queue.add(Key("", uid))

    async def reconcile(self, key: Key) -> None:
        """Do with one object what its owners' fate, or its own finalizers, ask for."""
        if key.name not in self._nodes:
            return
        resource, item = self._nodes[key.name]
        if not is_deleting(item):
            await self._judge(key, resource, item)
        elif FOREGROUND in _finalizers(item):
            await self._finish_foreground(resource, item)
        elif ORPHAN in _finalizers(item):
            await self._release_dependents(resource, item)

    async def _judge(self, key: Key, resource: Resource, item: JsonObject) -> None:
        """Delete an object whose owners are all gone or wait for it; forget the owners that are gone otherwise."""
        owners = _owners(item)
        exist = [await self._exists(owner, item["metadata"].get("namespace", "")) for owner in owners]
        if None in exist:
            self.queue.add_after(key, UNKNOWN_KIND_RETRY_SECONDS)
            return
        waiting = [owner for owner in owners if self._waits(owner)]
        solid = [owner for owner, exists in zip(owners, exist, strict=True) if exists and owner not in waiting]
        if len(solid) == len(owners):
            return
        if solid:
            await self._patch(resource, item, {"ownerReferences": solid})
            return
        foreground = bool(waiting and self._dependents.get(_uid(item)))
        await self._delete(resource, item, "Foreground" if foreground else "Background")

    async def _exists(self, owner: JsonObject, namespace: str) -> bool | None:
        """Whether an owner exists: asked of the server itself where the mirrors do not know it; None if unknowable."""
        if owner["uid"] in self._nodes:
            return True
        group, _ = group_of(owner["apiVersion"])
        known = (each for each in self.mirrors if (each.group, each.kind) == (group, owner["kind"]))
        resource = next(known, None)
        if resource is None:
            return None
        try:
            found = await self.client.get(resource, owner["name"], namespace if resource.namespaced else "")
        except errors.NotFound:
            return False
        return bool(_uid(found) == owner["uid"])

    def _waits(self, owner: JsonObject) -> bool:
        if not owner.get("blockOwnerDeletion") or owner["uid"] not in self._nodes:
            return False
        _, item = self._nodes[owner["uid"]]
        return is_deleting(item) and FOREGROUND in _finalizers(item)

    async def _finish_foreground(self, resource: Resource, item: JsonObject) -> None:
        blocking = [
            dependent
            for dependent in self._dependents.get(_uid(item), {})
            if any(owner["uid"] == _uid(item) and self._waits(owner) for owner in _owners(self._nodes[dependent][1]))
        ]
        for dependent in blocking:
            self._look_at(dependent)
        if not blocking:
            await self._drop_finalizer(resource, item, FOREGROUND)

    async def _release_dependents(self, resource: Resource, item: JsonObject) -> None:
        for uid in list(self._dependents.get(_uid(item), {})):
            dependent_resource, dependent = self._nodes[uid]
            rest = [owner for owner in _owners(dependent) if owner["uid"] != _uid(item)]
            await self._patch(dependent_resource, dependent, {"ownerReferences": rest or None})
        await self._drop_finalizer(resource, item, ORPHAN)

    async def _drop_finalizer(self, resource: Resource, item: JsonObject, finalizer: str) -> None:
        rest = [each for each in item["metadata"]["finalizers"] if each != finalizer]
        await self._patch(resource, item, {"finalizers": rest or None})

    async def _patch(self, resource: Resource, item: JsonObject, change: JsonObject) -> None:
        metadata = item["metadata"]
        versioned = {"metadata": change | {"resourceVersion": metadata["resourceVersion"]}}
        try:
            await self.client.patch(resource, metadata["name"], metadata.get("namespace", ""), versioned)
        except errors.NotFound:
            return

    async def _delete(self, resource: Resource, item: JsonObject, propagation: str) -> None:
        metadata = item["metadata"]
        name, namespace = metadata["name"], metadata.get("namespace", "")
        try:
            await self.client.delete(resource, name, namespace, uid=metadata["uid"], propagation=propagation)
        except errors.NotFound:
            return


def _uid(item: JsonObject) -> str:
    uid: str = item["metadata"]["uid"]
    return uid


def _owners(item: JsonObject) -> list[Any]:
    return item["metadata"].get("ownerReferences") or []


def _finalizers(item: JsonObject) -> set[str]:
    return set(item["metadata"].get("finalizers") or [])
