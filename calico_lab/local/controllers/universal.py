"""A base for controllers that care about objects of every kind, also of kinds that are defined while they run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from calico_lab.local.client import ApiClient
from calico_lab.local.controller import Controller
from calico_lab.local.informer import Informer, shared_informer
from calico_lab.local.resources import CUSTOM_RESOURCE_DEFINITIONS, Resource
from calico_lab.local.wire import JsonObject


class UniversalController(Controller):
    """Mirrors every resource served and follows CustomResourceDefinitions; override :meth:`changed`."""

    def __init__(self, client: ApiClient) -> None:
        super().__init__(client)
        self.mirrors: dict[Resource, Informer] = {}
        self._definitions = shared_informer(client, CUSTOM_RESOURCE_DEFINITIONS)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def changed(self, informer: Informer, old: JsonObject | None, new: JsonObject | None) -> None:
        """Hear of a change of any object of any kind."""
        raise NotImplementedError

    async def run(self) -> None:
        """Run until cancelled; reconciles nothing before all that is served from the start has been seen."""
        async with asyncio.TaskGroup() as group:
            for resource in await self.client.discover():
                self._follow(group, resource)
            for informer in self.mirrors.values():
                await informer.synced.wait()
            with self._following_definitions(group):
                await self.queue.run()

    @contextmanager
    def _following_definitions(self, group: asyncio.TaskGroup) -> Iterator[None]:
        def follow(old: JsonObject | None, new: JsonObject | None) -> None:
            if new is not None:
                self._follow(group, resource_of(new))
            elif old is not None:
                self._leave(resource_of(old))

        self._definitions.on_change(follow)
        try:
            yield
        finally:
            self._definitions.forget(follow)

    def _follow(self, group: asyncio.TaskGroup, resource: Resource) -> None:
        name = f"{resource.plural}.{resource.group}"
        if name not in self._tasks:
            self._tasks[name] = group.create_task(self._mirror(resource), name=f"{self.name}: {name}")
            self.mirrors[resource] = shared_informer(self.client, resource, optional=True)

    def _leave(self, resource: Resource) -> None:
        task = self._tasks.pop(f"{resource.plural}.{resource.group}", None)
        if task is not None:
            task.cancel()

    async def _mirror(self, resource: Resource) -> None:
        informer = shared_informer(self.client, resource, optional=True)
        listener = partial(self.changed, informer)
        informer.on_change(listener)
        try:
            await informer.run()
        finally:
            informer.forget(listener)
            self.mirrors.pop(resource, None)
            for item in informer:
                self.changed(informer, item, None)


def resource_of(definition: JsonObject) -> Resource:
    """Return the resource that a CustomResourceDefinition defines, in the version in which it is stored."""
    spec = definition["spec"]
    version = next(each["name"] for each in spec["versions"] if each.get("storage"))
    names = spec["names"]
    return Resource(spec["group"], version, names["plural"], names["kind"], spec["scope"] == "Namespaced")
