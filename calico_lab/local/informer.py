"""A mirror of one resource in the memory of a controller, kept current by a watch, as client-go's informers are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import NamedTuple
from weakref import WeakValueDictionary

from calico_lab import errors
from calico_lab.local.client import ApiClient
from calico_lab.local.resources import Resource
from calico_lab.local.wire import JsonObject

logger = logging.getLogger(__name__)

SEE_OWN_WRITE_SECONDS = 5.0


class Key(NamedTuple):
    """Names an object within its resource; ``namespace`` is empty for cluster-scoped ones."""

    namespace: str
    name: str


def key_of(item: JsonObject) -> Key:
    """Return the key of an object."""
    metadata = item["metadata"]
    return Key(metadata.get("namespace", ""), metadata["name"])


Listener = Callable[[JsonObject | None, JsonObject | None], None]


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
        self.optional = optional
        self._ask_again = ask_again
        self._items: dict[Key, JsonObject] = {}
        self._listeners: list[Listener] = []
        self._version = 0
        self._news = asyncio.Event()
        self._runs = asyncio.Lock()

    def __iter__(self) -> Iterator[JsonObject]:
        return iter(list(self._items.values()))

    def get(self, key: Key) -> JsonObject | None:
        """Return the object as last seen. It is shared: copy before changing it."""
        return self._items.get(key)

    def on_change(self, listener: Listener) -> None:
        """Call ``listener(old, new)`` on every change from now on; what is mirrored already is told as new at once."""
        self._listeners.append(listener)
        for item in self:
            listener(None, item)

    def forget(self, listener: Listener) -> None:
        """Call ``listener`` no more."""
        self._listeners.remove(listener)

    async def caught_up(self, written: JsonObject) -> None:
        """Wait until the mirror is at least as new as an object that a write has just returned.

        Without it a controller would decide the next time on what it saw before its own write. Resource versions of
        one resource can be compared (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions).
        Raises ``TimeoutError`` when the watch does not bring it.
        """
        version = int(written["metadata"]["resourceVersion"])
        await self.until(lambda: self._version >= version)

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until ``true()``, looking again at everything that the watch brings; raises ``TimeoutError``."""
        async with asyncio.timeout(SEE_OWN_WRITE_SECONDS):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def run(self) -> None:
        """Mirror the resource until cancelled; of several callers one does it, and the next takes over from it."""
        async with self._runs:
            while True:
                await self._mirror()

    async def _mirror(self) -> None:
        try:
            await self._list_and_watch()
        except errors.Gone:
            return
        except errors.NotFound:
            if not self.optional:
                raise
            self._replace_all([])
            await asyncio.sleep(self._ask_again)
        except (OSError, errors.ApiError) as error:
            logger.warning("%s: %s; listing again", self.resource.plural, error)
            await asyncio.sleep(self._ask_again)

    async def _list_and_watch(self) -> None:
        items, version = await self._client.list(self.resource)
        self._version = int(version)
        self._replace_all(items)
        async for event in self._client.watch(self.resource, version):
            self._version = max(self._version, int(event.object["metadata"]["resourceVersion"]))
            if event.type == "DELETED":
                self._change(key_of(event.object), None)
            elif event.type != "BOOKMARK":
                self._change(key_of(event.object), event.object)
            self._news.set()

    def _replace_all(self, items: list[JsonObject]) -> None:
        current = {key_of(item): item for item in items}
        for key in [key for key in self._items if key not in current]:
            self._change(key, None)
        for key, item in current.items():
            self._change(key, item)
        self.synced.set()
        self._news.set()

    def _change(self, key: Key, new: JsonObject | None) -> None:
        old = self._items.pop(key, None) if new is None else self._items.get(key)
        if new is not None:
            self._items[key] = new
        for listener in list(self._listeners):
            listener(old, new)


_shared: WeakValueDictionary[tuple[ApiClient, Resource], Informer] = WeakValueDictionary()


def shared_informer(client: ApiClient, resource: Resource, *, optional: bool = False) -> Informer:
    """Return the one informer of this client for a resource, so that ten controllers need one watch and one copy.

    It is optional as soon as one of them says so.
    """
    informer = _shared.get((client, resource))
    if informer is None:
        informer = _shared[client, resource] = Informer(client, resource)
    informer.optional = informer.optional or optional
    return informer
