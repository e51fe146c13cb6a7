"""The namespace controller: a namespace that is deleted takes everything in it along.

As in https://kubernetes.io/docs/tasks/administer-cluster/namespaces/: the namespace is Terminating until nothing is
left in it, then the controller takes ``kubernetes`` from its ``spec.finalizers``.
"""

from __future__ import annotations

from calico_lab import errors
from calico_lab.local.controller import Key
from calico_lab.local.controllers.universal import UniversalController
from calico_lab.local.informer import Informer
from calico_lab.local.objects import is_deleting
from calico_lab.local.resources import NAMESPACES, Resource
from calico_lab.local.wire import JsonObject

FINALIZER = "kubernetes"


class NamespaceController(UniversalController):
    """Empties namespaces that are being deleted."""

    name = "namespace-controller"

    def changed(self, informer: Informer, old: JsonObject | None, new: JsonObject | None) -> None:
        """Look at a namespace that is being deleted, and again whenever something in it goes."""
        if informer.resource == NAMESPACES and new is not None and is_deleting(new):
            self.queue.add(Key("", new["metadata"]["name"]))
        elif old is not None and new is None and self._is_terminating(old["metadata"].get("namespace", "")):
            self.queue.add(Key("", old["metadata"]["namespace"]))

    def _is_terminating(self, name: str) -> bool:
        namespaces = self.mirrors.get(NAMESPACES)
        namespace = namespaces.get(Key("", name)) if namespaces else None
        return namespace is not None and is_deleting(namespace)

    async def reconcile(self, key: Key) -> None:
        """Delete what is in one namespace, or let the namespace go when nothing is."""
        try:
            namespace = await self.client.get(NAMESPACES, key.name)
        except errors.NotFound:
            return
        finalizers = namespace["spec"].get("finalizers") or []
        if not is_deleting(namespace) or FINALIZER not in finalizers:
            return
        if await self._empty(key.name):
            return
        rest = [each for each in finalizers if each != FINALIZER]
        finalized = namespace | {"spec": namespace["spec"] | {"finalizers": rest}}
        await self.client.replace(NAMESPACES, finalized, subresource="finalize")

    async def _empty(self, namespace: str) -> bool:
        """Delete everything; returns whether anything was there. Named groups first: they hold the pods' owners."""
        found = False
        for resource in sorted(self.mirrors, key=lambda each: (not each.group, each.group, each.plural)):
            if resource.namespaced:
                found |= await self._delete_all(resource, namespace)
        return found

    async def _delete_all(self, resource: Resource, namespace: str) -> bool:
        try:
            items, _ = await self.client.list(resource, namespace)
        except errors.NotFound:
            return False
        for item in items:
            if not is_deleting(item):
                await self._delete(resource, item)
        return bool(items)

    async def _delete(self, resource: Resource, item: JsonObject) -> None:
        metadata = item["metadata"]
        try:
            await self.client.delete(resource, metadata["name"], metadata["namespace"], uid=metadata["uid"])
        except errors.NotFound:
            return
