"""Clients that speak TLS or plain TCP to a port of this machine, and servers for them."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from support.certificates import Pair
from support.eventually import LIMIT_SECONDS


class Seen(NamedTuple):
    """What a client saw: the certificate (DER), the protocol agreed on, and what came back."""

    certificate: bytes
    protocol: str | None
    answer: str


def request(host: str, path: str = "/round") -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode()


async def ask(port: int, name: str, *, protocols: tuple[str, ...] = ("http/1.1",), send: bytes | None = None) -> Seen:
    """Ask for a name (SNI). Raises ``OSError`` where the connection is refused or closed in the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    async with asyncio.timeout(LIMIT_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
        connection = writer.get_extra_info("ssl_object")
        agreed = connection.selected_alpn_protocol()
        answer = b""
        if agreed != "h2":
            writer.write(request(name) if send is None else send)
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                answer = await reader.read(65536)
        certificate = connection.getpeercert(binary_form=True)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return Seen(certificate, agreed, answer.decode())


def server_context(content: Pair, folder: Path) -> ssl.SSLContext:
    file = folder / "server.pem"
    file.write_text(content.certificate + content.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@asynccontextmanager
async def echo_server(tls: ssl.SSLContext | None = None, greeting: bytes = b""):
    """A server that sends back what it is sent, after a greeting; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            writer.write(greeting)
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def exchange(port: int, data: bytes = b"hello") -> bytes:
    """Send something over plain TCP and return the first that comes back, nothing from a connection that is closed."""
    async with asyncio.timeout(LIMIT_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with suppress(ConnectionError):
            writer.write(data)
            answer = await reader.read(65536)
            writer.close()
            return answer
    return b""
