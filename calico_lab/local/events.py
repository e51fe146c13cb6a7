"""Recording Kubernetes events: what a controller or the kubelet did to an object, for ``kubectl describe`` to show.

Fields as in https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ (served as core/v1).
"""

from __future__ import annotations

import logging
import time

from calico_lab import errors
from calico_lab.local.client import ApiClient
from calico_lab.local.objects import now
from calico_lab.local.resources import EVENTS
from calico_lab.local.wire import JsonObject

logger = logging.getLogger(__name__)

NORMAL = "Normal"
WARNING = "Warning"
MOST_REMEMBERED = 4096


class EventRecorder:
    """Writes events on behalf of a component, such as ``kubelet`` on a host."""

    def __init__(self, client: ApiClient, component: str, *, host: str = "") -> None:
        self._client = client
        self._source = {"component": component} | ({"host": host} if host else {})
        self._names: dict[tuple[str, ...], str] = {}

    async def event(self, item: JsonObject, kind: str, reason: str, message: str) -> None:
        """Say about an object that something happened; ``kind`` is ``Normal`` or ``Warning``.

        The same about the same object again raises that event's count. An event that cannot be written (its
        namespace is going away, say) is only logged: nothing may fail because of it.
        """
        metadata = item["metadata"]
        namespace = metadata.get("namespace") or "default"
        said = (metadata.get("uid", ""), kind, reason, message)
        try:
            if await self._repeat(self._names.get(said, ""), namespace):
                return
            # Named by the time, as upstream, so that events are listed in the order in which they happened.
            name = f"{metadata['name']}.{time.time_ns():x}"
            await self._client.create(EVENTS, self._new(name, namespace, item, kind, reason, message))
        except (errors.ApiError, OSError) as error:
            logger.info("event %s of %s not recorded: %s", reason, metadata["name"], error)
        else:
            self._remember(said, name)

    def _remember(self, said: tuple[str, ...], name: str) -> None:
        self._names[said] = name
        if len(self._names) > MOST_REMEMBERED:
            del self._names[next(iter(self._names))]

    async def _repeat(self, name: str, namespace: str) -> bool:
        """Count an event once more; returns whether it is there."""
        if not name:
            return False
        try:
            event = await self._client.get(EVENTS, name, namespace)
            change = {"count": event["count"] + 1, "lastTimestamp": now()}
            await self._client.patch(EVENTS, name, namespace, change)
        except errors.NotFound:
            return False
        return True

    def _new(self, name: str, namespace: str, item: JsonObject, kind: str, reason: str, message: str) -> JsonObject:
        metadata, happened = item["metadata"], now()
        involved = {
            "apiVersion": item["apiVersion"],
            "kind": item["kind"],
            "name": metadata["name"],
            "namespace": metadata.get("namespace"),
            "uid": metadata.get("uid"),
            "resourceVersion": metadata.get("resourceVersion"),
        }
        return {
            "apiVersion": EVENTS.api_version,
            "kind": EVENTS.kind,
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": {key: value for key, value in involved.items() if value},
            "type": kind,
            "reason": reason,
            "message": message,
            "source": self._source,
            "reportingComponent": self._source["component"],
            "reportingInstance": self._source.get("host", ""),
            "firstTimestamp": happened,
            "lastTimestamp": happened,
            "count": 1,
        }
