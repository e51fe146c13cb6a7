"""The server on the network: HTTP/1.1 over TLS on any number of listening sockets.

Nothing else in this package knows of HTTP as a transport, so that the lab's own controllers need none of it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress

from aiohttp import WSMsgType, web

from calico_lab.local.wire import Handler, Request, Response, WebSocket

LARGEST_REQUEST = 4 * 1024 * 1024
# X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which ssl does not name.
_WHATEVER_THE_TIME = ssl.VerifyFlags(0x200000)


def trust_clients_of(tls: ssl.SSLContext, authority: str) -> None:
    """Let clients show certificates that an authority (PEM) has signed.

    One that has expired passes the handshake, so that its owner is told so with a Status (401), as by Kubernetes.
    """
    tls.load_verify_locations(cadata=authority)
    tls.verify_mode = ssl.CERT_OPTIONAL
    tls.verify_flags |= _WHATEVER_THE_TIME


async def serve(handler: Handler, sockets: Sequence[socket.socket], tls: ssl.SSLContext) -> None:
    """Serve until cancelled. A client that goes away ends the stream that it was being sent."""

    async def answer(incoming: web.BaseRequest) -> web.StreamResponse:
        return await _answer(handler, incoming)

    server = web.Server(answer, handler_cancellation=True, access_log=None)
    runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    try:
        for listening in sockets:
            await web.SockSite(runner, listening, ssl_context=tls).start()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


async def _answer(handler: Handler, incoming: web.BaseRequest) -> web.StreamResponse:
    request = Request(
        method=incoming.method,
        path=incoming.path,
        query=tuple(incoming.query.items()),
        headers={name.lower(): value for name, value in incoming.headers.items()},
        body=await _body(incoming),
        client_certificate=_client_certificate(incoming),
    )
    response = await handler(request)
    if response.stream is not None:
        return await _stream(incoming, response, response.stream)
    if response.websocket is not None:
        return await _upgrade(incoming, response, response.websocket)
    headers = {"Content-Type": response.content_type, **response.headers}
    return web.Response(status=response.status, body=response.body, headers=headers)


def _client_certificate(incoming: web.BaseRequest) -> bytes:
    """Return the certificate that came with the connection, which the handshake has verified."""
    tls: ssl.SSLObject | None = incoming.get_extra_info("ssl_object")
    return (tls.getpeercert(binary_form=True) if tls else None) or b""


async def _body(incoming: web.BaseRequest) -> bytes:
    """Read a body, one byte over the limit at most: the handler refuses what is too large."""
    body = bytearray()
    async for piece in incoming.content.iter_any():
        body += piece
        if len(body) > LARGEST_REQUEST:
            break
    return bytes(body)


async def _stream(incoming: web.BaseRequest, response: Response, stream: AsyncIterator[bytes]) -> web.StreamResponse:
    headers = {"Content-Type": response.content_type, **response.headers}
    outgoing = web.StreamResponse(status=response.status, headers=headers)
    outgoing.enable_chunked_encoding()
    # Whoever is sent a stream may leave at any moment.
    with suppress(ConnectionResetError):
        await outgoing.prepare(incoming)
        try:
            async for piece in stream:
                await outgoing.write(piece)
        finally:
            # An async generator runs its clean-up only when it is closed.
            if close := getattr(stream, "aclose", None):
                await close()
        await outgoing.write_eof()
    return outgoing


class _Upgraded:
    """A WebSocket as aiohttp has it."""

    def __init__(self, connection: web.WebSocketResponse) -> None:
        self._connection = connection

    async def receive(self) -> bytes | None:
        while True:
            message = await self._connection.receive()
            if message.type is WSMsgType.BINARY:
                return bytes(message.data)
            if message.type is WSMsgType.TEXT:
                return str(message.data).encode()
            if message.type not in (WSMsgType.PING, WSMsgType.PONG):
                return None

    async def send(self, message: bytes) -> None:
        await self._connection.send_bytes(message)

    async def close(self) -> None:
        await self._connection.close()


async def _upgrade(
    incoming: web.BaseRequest, response: Response, talk: Callable[[WebSocket], Awaitable[None]]
) -> web.StreamResponse:
    chosen = response.headers.get("Sec-WebSocket-Protocol")
    connection = web.WebSocketResponse(protocols=(chosen,) if chosen else (), compress=False)
    if not connection.can_prepare(incoming):
        return web.Response(status=400, text="this is not the opening handshake of a WebSocket\n")
    await connection.prepare(incoming)
    try:
        await talk(_Upgraded(connection))
    finally:
        await connection.close()
    return connection
