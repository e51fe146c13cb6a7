"""The sign of life of a node: a Lease that its kubelet renews, and a Node that says Ready.

Upstream (https://kubernetes.io/docs/concepts/architecture/nodes/#node-heartbeats) renews every 10 s; here it is every
2 s, so that nobody waits long to see what becomes of a node cut off.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

from calico_lab import errors
from calico_lab.local.client import ApiClient
from calico_lab.local.kubelet.node import node
from calico_lab.local.objects import is_ready, now
from calico_lab.local.resources import LEASES, NODES
from calico_lab.local.topology import Host
from calico_lab.local.wire import JsonObject

logger = logging.getLogger(__name__)

RENEWAL_SECONDS = 2.0
TRY_AGAIN_SECONDS = 0.1
LEASE_SECONDS = 40
NAMESPACE = "kube-node-lease"


class Heartbeat:
    """Shows the API that the kubelet of ``host`` lives."""

    def __init__(self, client: ApiClient, host: Host) -> None:
        self._client = client
        self._host = host

    async def run(self) -> None:
        """Renew until cancelled; where that fails, again soon."""
        while True:
            try:
                await self._renew()
                await self._say_ready()
                await asyncio.sleep(RENEWAL_SECONDS)
            except (errors.ApiError, OSError) as error:
                logger.warning("%s shows no sign of life: %s", self._host.name, error)
                await asyncio.sleep(TRY_AGAIN_SECONDS)

    async def _renew(self) -> None:
        time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {"holderIdentity": self._host.name, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": time}
        try:
            await self._client.patch(LEASES, self._host.name, NAMESPACE, {"spec": spec})
        except errors.NotFound:
            metadata = {"name": self._host.name, "namespace": NAMESPACE}
            lease: JsonObject = {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": metadata}
            await self._client.create(LEASES, lease | {"spec": spec})

    async def _say_ready(self) -> None:
        """Say so where the API says otherwise, as the controller of nodes makes it after a silence."""
        current = await self._client.get(NODES, self._host.name)
        if not is_ready(current):
            status = node(self._host, now())["status"]
            await self._client.patch(NODES, self._host.name, "", {"status": status}, subresource="status")
