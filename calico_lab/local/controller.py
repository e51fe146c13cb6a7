"""What every controller is made of: informers that mirror resources, and a queue of keys to reconcile.

As in client-go: an informer lists, then watches, and keeps what it saw; a controller maps each change to the keys it
concerns and reconciles one key at a time, again and with a growing delay where that fails. A controller never holds
state that it could read from the API.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping

from calico_lab import errors
from calico_lab.local.client import ApiClient
from calico_lab.local.informer import Informer, Key, Listener, key_of, shared_informer
from calico_lab.local.objects import contains, is_deleting
from calico_lab.local.resources import Resource
from calico_lab.local.wire import JsonObject

__all__ = ["Controller", "Informer", "Key", "Queue", "key_of"]

logger = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 0.005
LAST_RETRY_SECONDS = 5.0


class Queue:
    """Keys to reconcile, each at most once in the queue, retried with a growing delay where ``reconcile`` fails."""

    def __init__(self, name: str, reconcile: Callable[[Key], Awaitable[None]]) -> None:
        self._name = name
        self._reconcile = reconcile
        self._waiting: dict[Key, None] = {}
        self._failures: dict[Key, int] = {}
        self._something = asyncio.Event()

    def add(self, key: Key) -> None:
        """Reconcile ``key`` soon."""
        self._waiting[key] = None
        self._something.set()

    def add_after(self, key: Key, seconds: float) -> None:
        """Reconcile ``key`` after a delay."""
        asyncio.get_running_loop().call_later(seconds, self.add, key)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._something.wait()
            while self._waiting:
                key = next(iter(self._waiting))
                del self._waiting[key]
                await self._reconcile_once(key)
            self._something.clear()

    async def _reconcile_once(self, key: Key) -> None:
        try:
            await self._reconcile(key)
            self._failures.pop(key, None)
        except Exception as error:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            # A conflict says only that somebody else was faster: the next look will be at the newer object.
            level = logging.DEBUG if isinstance(error, errors.Conflict) else logging.WARNING
            logger.log(level, "%s %s: %s", self._name, "/".join(key), error, exc_info=level > logging.DEBUG)
            self.add_after(key, min(FIRST_RETRY_SECONDS * 2 ** min(failures - 1, 16), LAST_RETRY_SECONDS))


def _without_status(item: JsonObject) -> JsonObject:
    metadata = {key: item["metadata"][key] for key in item["metadata"].keys() - {"managedFields", "resourceVersion"}}
    return {key: item[key] for key in item.keys() - {"status"}} | {"metadata": metadata}


class Controller:
    """Base of the controllers: declare informers in ``__init__``, override :meth:`reconcile`.

    The writing methods return when the informer they are given has seen the write, so that the next reconciliation
    never decides on a state older than what the controller itself has done. All but ``create`` write nothing when
    nothing would change.
    """

    name = "controller"

    def __init__(self, client: ApiClient) -> None:
        self.client = client
        self.queue = Queue(self.name, self.reconcile)
        self._subscriptions: list[tuple[Informer, Listener]] = []

    def inform(
        self,
        resource: Resource,
        keys: Callable[[JsonObject], Iterable[Key]] = lambda item: (key_of(item),),
        *,
        optional: bool = False,
        but_status: bool = False,
    ) -> Informer:
        """Mirror ``resource``; each change enqueues ``keys(old)`` and ``keys(new)``.

        With ``but_status`` a change of the status alone enqueues nothing: for kinds whose status is the controller's.
        """
        informer = shared_informer(self.client, resource, optional=optional)

        def enqueue(old: JsonObject | None, new: JsonObject | None) -> None:
            if but_status and old and new and _without_status(old) == _without_status(new):
                return
            for item in (old, new):
                for key in keys(item) if item is not None else ():
                    self.queue.add(key)

        self._subscriptions.append((informer, enqueue))
        return informer

    async def reconcile(self, key: Key) -> None:
        """Make the world what the object of this key says; called again on every change and after failures."""
        raise NotImplementedError

    async def run(self) -> None:
        """Run until cancelled; reconciles nothing before every informer has seen the whole of its resource."""
        try:
            async with asyncio.TaskGroup() as group:
                for informer, listener in self._subscriptions:
                    informer.on_change(listener)
                    group.create_task(informer.run(), name=f"{self.name}: {informer.resource.plural}")
                for informer, _ in self._subscriptions:
                    await informer.synced.wait()
                group.create_task(self.queue.run(), name=f"{self.name}: queue")
        finally:
            for informer, listener in self._subscriptions:
                informer.forget(listener)

    async def create(self, informer: Informer, item: JsonObject) -> JsonObject:
        """Create an object of the informer's resource."""
        created = await self.client.create(informer.resource, item)
        await informer.caught_up(created)
        return created

    async def change(self, informer: Informer, item: JsonObject, change: JsonObject) -> JsonObject:
        """Merge ``change`` (RFC 7396) into an object; raises ``Conflict`` when it is no longer as ``item`` says."""
        if contains(item, change):
            return item
        metadata = item["metadata"]
        version = {"metadata": change.get("metadata", {}) | {"resourceVersion": metadata["resourceVersion"]}}
        changed = await self.client.patch(
            informer.resource, metadata["name"], metadata.get("namespace", ""), change | version
        )
        await informer.caught_up(changed)
        return changed

    async def write_status(
        self, informer: Informer, item: JsonObject, status: JsonObject, *, annotations: Mapping[str, str] | None = None
    ) -> JsonObject:
        """Replace an object's status, and merge in annotations, which built-in kinds take along with it.

        Raises ``Conflict`` when the object is no longer as ``item`` says.
        """
        current = item["metadata"].get("annotations") or {}
        merged = current | dict(annotations or {})
        if item.get("status", {}) == status and merged == current:
            return item
        metadata = item["metadata"] | ({"annotations": merged} if merged else {})
        wanted = item | {"metadata": metadata, "status": status}
        written = await self.client.replace(informer.resource, wanted, subresource="status")
        await informer.caught_up(written)
        return written

    async def delete(self, informer: Informer, item: JsonObject) -> None:
        """Ask for an object's deletion, if it is still this very one."""
        if is_deleting(item):
            return
        key, uid = key_of(item), item["metadata"]["uid"]
        try:
            await self.client.delete(informer.resource, key.name, key.namespace, uid=uid)
        except errors.NotFound:
            return

        def seen() -> bool:
            current = informer.get(key)
            return current is None or current["metadata"]["uid"] != uid or is_deleting(current)

        await informer.until(seen)

    async def ensure(self, resource: Resource, wanted: JsonObject) -> JsonObject:
        """Create an object, or merge into the existing one what it lacks; fields that ``wanted`` omits stay."""
        metadata = wanted["metadata"]
        name, namespace = metadata["name"], metadata.get("namespace", "")
        try:
            current = await self.client.get(resource, name, namespace)
        except errors.NotFound:
            return await self.client.create(resource, wanted)
        if contains(current, wanted):
            return current
        return await self.client.patch(resource, name, namespace, wanted)
