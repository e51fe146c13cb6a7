"""The program in the pods of ``kube-system/coredns``: DNS over UDP and TCP on port 53."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import cast

from calico_lab.local import in_cluster
from calico_lab.local.client import ApiClient
from calico_lab.local.cluster_dns.answer import answer
from calico_lab.local.cluster_dns.records import Cluster
from calico_lab.local.informer import Informer, Key, key_of
from calico_lab.local.resources import ENDPOINT_SLICES, NAMESPACES, SERVICES
from calico_lab.local.wire import JsonObject

logger = logging.getLogger(__name__)

PORT = 53
SERVICE_NAME = "kubernetes.io/service-name"
IDLE_SECONDS = 10.0


class ClusterDns:
    """Answers from mirrors of the cluster's Services and EndpointSlices."""

    def __init__(self, client: ApiClient) -> None:
        self._services = Informer(client, SERVICES)
        self._namespaces = Informer(client, NAMESPACES)
        self._slices = Informer(client, ENDPOINT_SLICES)
        self._slices_of: dict[Key, dict[Key, JsonObject]] = defaultdict(dict)
        self._slices.on_change(self._file)
        self._cluster = Cluster(
            namespaces=lambda: (item["metadata"]["name"] for item in self._namespaces),
            service=lambda namespace, name: self._services.get(Key(namespace, name)),
            slices=lambda namespace, name: self._slices_of.get(Key(namespace, name), {}).values(),
        )

    async def run(self, address: str = "0.0.0.0", port: int = PORT) -> None:  # noqa: S104 - of the pod alone
        """Serve until cancelled; nothing is answered before everything is known."""
        async with asyncio.TaskGroup() as group:
            for informer in (self._namespaces, self._services, self._slices):
                group.create_task(informer.run())
                await informer.synced.wait()
            loop = asyncio.get_running_loop()
            udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self._cluster), (address, port))
            try:
                async with await asyncio.start_server(self._talk, address, port) as tcp:
                    logger.info("answering for cluster.local on port %d, UDP and TCP", port)
                    await tcp.serve_forever()
            finally:
                udp.close()

    def _file(self, old: JsonObject | None, new: JsonObject | None) -> None:
        """Keep the slices by the Service that they belong to."""
        for item in (old, new):
            if item is None:
                continue
            key = key_of(item)
            slices = self._slices_of[Key(key.namespace, (item["metadata"].get("labels") or {}).get(SERVICE_NAME, ""))]
            slices.pop(key, None)
            if item is new:
                slices[key] = item

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the queries of one TCP connection, each with its length before it (RFC 1035, 4.2.2)."""
        with suppress(asyncio.IncompleteReadError, TimeoutError, ConnectionError):
            while True:
                async with asyncio.timeout(IDLE_SECONDS):
                    query = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
                reply = answer(query, self._cluster, over_udp=False)
                if reply is None:
                    break
                writer.write(len(reply).to_bytes(2) + reply)
                await writer.drain()
        writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        reply = answer(data, self._cluster)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)


async def run(service_account: Path = in_cluster.SERVICE_ACCOUNT) -> None:
    """Run in a pod until SIGTERM."""
    async with in_cluster.connection(service_account) as handler:
        task = asyncio.create_task(ClusterDns(ApiClient(handler, user="coredns")).run())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        with suppress(asyncio.CancelledError):
            await task


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(run())
