"""The discovery service (xDS): Envoys keep a stream each to it, over mutual TLS, and are told what their Gateway needs.

The protocol is ``envoy/delta_discovery``'s; here are the connections. Behind it stands gRPC's own server.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from calico_lab.local.envoy.delta_discovery import Conversation, DeltaDiscoveryRequest
from calico_lab.local.envoy.protobuf import Message
from calico_lab.local.envoy.snapshot import Snapshot

logger = logging.getLogger(__name__)

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
METHOD = "DeltaAggregatedResources"
# How long an Envoy that does not answer, or a cluster that does not get warm, holds up what comes next.
PATIENCE_SECONDS = 1.0

_Stream = grpc.aio.ServicerContext[Any, Any]
# Envoys make sure every few seconds that this server is there; it does the same, and takes no offence.
_OPTIONS = (
    ("grpc.keepalive_time_ms", 5000),
    ("grpc.keepalive_timeout_ms", 5000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 1000),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
)


class DiscoveryService:
    """What the Envoys of each Gateway are to have, and the streams on which they hear of it."""

    def __init__(self) -> None:
        self._snapshots: dict[str, Snapshot] = {}
        self._changes: set[asyncio.Event] = set()

    def publish(self, snapshots: Mapping[str, Snapshot]) -> None:
        """Tell the Envoys, by the names of their Gateways; those of other Gateways hear nothing any more."""
        self._snapshots = dict(snapshots)
        for changed in self._changes:
            changed.set()

    @asynccontextmanager
    async def serving(self, address: str, certificates: Path) -> AsyncIterator[int]:
        """Serve at ``address``, which is ``host:port``; provides the port.

        The folder holds ``tls.crt``, ``tls.key``, and ``ca.crt`` by which clients are known; they are read again for
        each connection. Raises ``OSError`` where these are missing and ``RuntimeError`` where the address is taken.
        """
        credentials = grpc.dynamic_ssl_server_credentials(
            _certificates(certificates), lambda: _certificates(certificates), require_client_authentication=True
        )
        server = grpc.aio.server(options=_OPTIONS)
        method: grpc.RpcMethodHandler[Any, Any] = grpc.stream_stream_rpc_method_handler(
            self._converse, DeltaDiscoveryRequest.FromString, lambda response: response.SerializeToString()
        )
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {METHOD: method}),))
        port = server.add_secure_port(address, credentials)
        await server.start()
        try:
            yield port
        finally:
            await server.stop(grace=None)

    async def _converse(self, requests: AsyncIterator[Message], stream: _Stream) -> None:
        """Hold the conversation with one Envoy until it hangs up."""
        first = await anext(requests, None)
        if first is None:
            return
        gateway, proxy = first.node.cluster, first.node.id
        logger.info("%s of %s has connected", proxy, gateway)
        conversation, changed, clock = Conversation(), asyncio.Event(), asyncio.get_running_loop().time
        conversation.receive(first)
        listening = asyncio.create_task(_listen(requests, conversation, changed, proxy))
        self._changes.add(changed)
        try:
            while not listening.done():
                changed.clear()
                snapshot = self._snapshots.get(gateway)
                if snapshot is not None:
                    for response in conversation.responses(snapshot, clock()):
                        await stream.write(response)
                await _next(changed, conversation)
        finally:
            self._changes.discard(changed)
            listening.cancel()


def _certificates(folder: Path) -> grpc.ServerCertificateConfiguration:
    key, certificate, authority = ((folder / name).read_bytes() for name in ("tls.key", "tls.crt", "ca.crt"))
    return grpc.ssl_server_certificate_configuration([(key, certificate)], authority)


async def _listen(
    requests: AsyncIterator[Message], conversation: Conversation, changed: asyncio.Event, proxy: str
) -> None:
    try:
        async for request in requests:
            refusal = conversation.receive(request)
            if refusal:
                logger.error("%s refuses what it was told: %s", proxy, refusal)
            changed.set()
    finally:
        changed.set()


async def _next(changed: asyncio.Event, conversation: Conversation) -> None:
    """Wait until there may be something to tell."""
    since = conversation.waiting_since
    if since is None:
        await changed.wait()
        return
    with suppress(TimeoutError):
        async with asyncio.timeout_at(since + PATIENCE_SECONDS):
            await changed.wait()
            return
    conversation.give_up_waiting()
