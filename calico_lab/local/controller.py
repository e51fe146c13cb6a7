"""What every controller is made of: informers that mirror resources, and a queue of keys to reconcile.

As in client-go: an informer lists, then watches, and keeps what it saw; a controller maps each change to the keys it
concerns and reconciles one key at a time, again and with a growing delay where that fails. A controller never holds
state that it could read from the API.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import NamedTuple

from calico_lab import errors
from calico_lab.local.client import ApiClient
from calico_lab.local.resources import Resource
from calico_lab.local.wire import JsonObject

logger = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 0.05
LAST_RETRY_SECONDS = 5.0


class Key(NamedTuple):
    """Names an object within its resource; ``namespace`` is empty for cluster-scoped ones."""

    namespace: str
    name: str


def key_of(item: JsonObject) -> Key:
    """Return the key of an object."""
    metadata = item["metadata"]
    return Key(metadata.get("namespace", ""), metadata["name"])


class Informer:
    """A mirror of one resource, kept current by a watch; ``on_change`` hears (old, new), either of which may be None.

    ``optional`` resources may be unknown to the server for a while (custom resources before their definition): the
    mirror is then empty and the informer asks again every ``ask_again`` seconds.
    """

    def __init__(
        self, client: ApiClient, resource: Resource, *, optional: bool = False, ask_again: float = 0.1
    ) -> None:
        self.resource = resource
        self.synced = asyncio.Event()
        self._client = client
        self._optional = optional
        self._ask_again = ask_again
        self._items: dict[Key, JsonObject] = {}
        self._listeners: list[Callable[[JsonObject | None, JsonObject | None], None]] = []

    def __iter__(self) -> Iterator[JsonObject]:
        return iter(list(self._items.values()))

    def get(self, key: Key) -> JsonObject | None:
        """Return the object as last seen. It is shared: copy before changing it."""
        return self._items.get(key)

    def on_change(self, listener: Callable[[JsonObject | None, JsonObject | None], None]) -> None:
        """Call ``listener(old, new)`` on every change from now on."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """Mirror the resource until cancelled."""
        while True:
            try:
                await self._list_and_watch()
            except errors.Gone:
                continue
            except errors.NotFound:
                if not self._optional:
                    raise
                self._replace_all([])
                await asyncio.sleep(self._ask_again)
            except (OSError, errors.ApiError) as error:
                logger.warning("%s: %s; listing again", self.resource.plural, error)
                await asyncio.sleep(self._ask_again)

    async def _list_and_watch(self) -> None:
        items, version = await self._client.list(self.resource)
        self._replace_all(items)
        async for event in self._client.watch(self.resource, version):
            if event.type == "DELETED":
                self._change(key_of(event.object), None)
            elif event.type != "BOOKMARK":
                self._change(key_of(event.object), event.object)

    def _replace_all(self, items: list[JsonObject]) -> None:
        current = {key_of(item): item for item in items}
        for key in [key for key in self._items if key not in current]:
            self._change(key, None)
        for key, item in current.items():
            self._change(key, item)
        self.synced.set()

    def _change(self, key: Key, new: JsonObject | None) -> None:
        old = self._items.pop(key, None) if new is None else self._items.get(key)
        if new is not None:
            self._items[key] = new
        for listener in self._listeners:
            listener(old, new)


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
            self.add_after(key, min(FIRST_RETRY_SECONDS * 2**failures, LAST_RETRY_SECONDS))


class Controller:
    """Base of the controllers: declare informers in ``__init__``, override :meth:`reconcile`."""

    name = "controller"

    def __init__(self, client: ApiClient) -> None:
        self.client = client
        self.queue = Queue(self.name, self.reconcile)
        self._informers: list[Informer] = []

    def inform(
        self,
        resource: Resource,
        keys: Callable[[JsonObject], Iterable[Key]] = lambda item: (key_of(item),),
        *,
        optional: bool = False,
    ) -> Informer:
        """Mirror ``resource``; each change enqueues ``keys(old)`` and ``keys(new)``."""
        informer = Informer(self.client, resource, optional=optional)

        def enqueue(old: JsonObject | None, new: JsonObject | None) -> None:
            for item in (old, new):
                for key in keys(item) if item is not None else ():
                    self.queue.add(key)

        informer.on_change(enqueue)
        self._informers.append(informer)
        return informer

    async def reconcile(self, key: Key) -> None:
        """Make the world what the object of this key says; called again on every change and after failures."""
        raise NotImplementedError

    async def run(self) -> None:
        """Run until cancelled; reconciles nothing before every informer has seen the whole of its resource."""
        async with asyncio.TaskGroup() as group:
            for informer in self._informers:
                group.create_task(informer.run(), name=f"{self.name}: {informer.resource.plural}")
            for informer in self._informers:
                await informer.synced.wait()
            group.create_task(self.queue.run(), name=f"{self.name}: queue")
