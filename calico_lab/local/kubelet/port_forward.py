"""Port-forward: connections of a client to ports of a pod, from inside the pod's own network.

kubectl opens two streams a connection, for data and for an error, in SPDY through a WebSocket; other clients open one
WebSocket a connection, whose channels are the same two (v4.channel.k8s.io).
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from calico_lab.errors import LabError
from calico_lab.local.kubelet import spdy, tasks
from calico_lab.local.start.namespaces import Namespaces
from calico_lab.local.wire import Request, WebSocket

TUNNEL = "SPDY/3.1+portforward.k8s.io"
CHANNELS = "v4.channel.k8s.io"
PROTOCOLS = (TUNNEL, CHANNELS)
_BLOCK_BYTES = 64 * 1024

Talk = Callable[[WebSocket], Awaitable[None]]


def talk(protocol: str, inside: Namespaces, request: Request) -> Talk:
    """Return what is to be done with the WebSocket of a client that asks for ports of a pod."""

    async def over_spdy(client: WebSocket) -> None:
        await _Tunnel(client, inside).run()

    async def over_channels(client: WebSocket) -> None:
        ports = [int(port) for key, value in request.query if key == "ports" for port in value.split(",")]
        await _forward_channels(client, inside, ports)

    return over_spdy if protocol == TUNNEL else over_channels


async def connect(inside: Namespaces, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to a port of a pod's loopback address. Raises ``LabError`` with the words for the client."""
    # A socket belongs for life to the network namespace in which it was made.
    with inside.entered():
        connection = socket.socket(type=socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
        return await asyncio.open_connection(sock=connection)
    except OSError as error:
        connection.close()
        why = os.strerror(error.errno).lower() if error.errno else str(error)
        raise LabError(
            f"error forwarding port {port} to pod {inside.name}: failed to connect to localhost:{port} inside the"
            f" pod's network namespace: dial tcp4 127.0.0.1:{port}: connect: {why}"
        ) from error


class _Tunnel:
    """The connections of one ``kubectl port-forward``."""

    def __init__(self, client: WebSocket, inside: Namespaces) -> None:
        self._client = client
        self._inside = inside
        self._framer = spdy.Framer()
        self._error_streams: dict[str, int] = {}
        self._inputs: dict[int, asyncio.Queue[bytes | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        try:
            with suppress(ConnectionError, spdy.SpdyError):
                while (message := await self._client.receive()) is not None:
                    for frame in self._framer.feed(message):
                        await self._take(frame)
        finally:
            for task in self._tasks:
                task.cancel()

    async def _take(self, frame: spdy.Frame) -> None:
        if frame.kind == spdy.SYN_STREAM:
            await self._client.send(self._framer.accept_stream(frame.stream))
            self._open(frame)
        elif frame.kind == spdy.PING:
            await self._client.send(spdy.pong(frame))
        elif frame.kind in (0, spdy.RST_STREAM) and frame.stream in self._inputs:
            if frame.kind == 0 and frame.data:
                self._inputs[frame.stream].put_nowait(frame.data)
            if frame.kind == spdy.RST_STREAM or frame.ends_stream:
                self._inputs[frame.stream].put_nowait(None)

    def _open(self, frame: spdy.Frame) -> None:
        kind, request = frame.headers.get("streamtype", ""), frame.headers.get("requestid", "")
        if kind == "error":
            self._error_streams[request] = frame.stream
        elif kind == "data":
            self._inputs[frame.stream] = asyncio.Queue()
            errors = self._error_streams.pop(request, 0)
            task = tasks.start(self._forward(frame.stream, errors, frame.headers.get("port", "")), "port-forward")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _forward(self, stream: int, errors: int, port: str) -> None:
        async def send(block: bytes) -> None:
            await self._client.send(spdy.data(stream, block))

        message = b""
        with suppress(ConnectionError):
            try:
                await _exchange(await connect(self._inside, int(port)), self._inputs[stream], send)
            except LabError as error:
                message = str(error).encode()
            finally:
                del self._inputs[stream]
            await self._client.send(spdy.data(errors, message, fin=True))
            await self._client.send(spdy.data(stream, b"", fin=True))


async def _forward_channels(client: WebSocket, inside: Namespaces, ports: list[int]) -> None:
    """Serve one connection for each port; their channels are 0 and 1, 2 and 3, and so on."""
    inputs: list[asyncio.Queue[bytes | None]] = [asyncio.Queue() for _ in ports]

    async def forward(index: int, port: int) -> None:
        async def send(block: bytes) -> None:
            await client.send(bytes([2 * index]) + block)

        try:
            await _exchange(await connect(inside, port), inputs[index], send)
        except LabError as error:
            await client.send(bytes([2 * index + 1]) + str(error).encode())

    async def receive() -> None:
        while (message := await client.receive()) is not None:
            index, is_error = divmod(message[0], 2) if message else (len(ports), 0)
            if index < len(ports) and not is_error:
                inputs[index].put_nowait(message[1:])

    with suppress(ConnectionError):
        for index, port in enumerate(ports):
            for channel in (2 * index, 2 * index + 1):
                await client.send(bytes([channel]) + struct.pack("<H", port))
        receiving: asyncio.Future[Any] = asyncio.ensure_future(receive())
        forwarding: asyncio.Future[Any] = asyncio.gather(*(forward(index, port) for index, port in enumerate(ports)))
        try:
            await asyncio.wait([receiving, forwarding], return_when=asyncio.FIRST_COMPLETED)
        finally:
            receiving.cancel()
            forwarding.cancel()
            await asyncio.gather(receiving, forwarding, return_exceptions=True)


async def _exchange(
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    given: asyncio.Queue[bytes | None],
    send: Callable[[bytes], Awaitable[None]],
) -> None:
    """Carry bytes both ways until the pod's end is closed."""
    reader, writer = connection

    async def feed() -> None:
        with suppress(ConnectionError):
            while (block := await given.get()) is not None:
                writer.write(block)
                await writer.drain()
            writer.write_eof()

    feeding = asyncio.ensure_future(feed())
    try:
        while block := await reader.read(_BLOCK_BYTES):
            await send(block)
    except ConnectionResetError:
        return
    finally:
        feeding.cancel()
        writer.close()
