"""The program behind the image echo-basic: an HTTP server that answers with what it was asked, and by whom.

It stands in for ``gcr.io/k8s-staging-gateway-api/echo-basic`` at the tag that the guide names. Plain HTTP is served
on HTTP_PORT (3000), HTTP/2 with prior knowledge on H2C_PORT (3001), HTTPS on HTTPS_PORT (8443) where TLS_SERVER_CERT
and TLS_SERVER_PRIVKEY name a certificate and its key. Every line of its log is written before the
response that it speaks of, so that whoever has an answer finds it in the log.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

import httptools
import uvloop

from calico_lab.local.kubelet.images import serves_tls
from calico_lab.local.kubelet.images.echo_answer import (
    Context,
    EchoRequest,
    EchoResponse,
    answer,
    canonical_name,
    plain_error,
)

if TYPE_CHECKING:
    import ssl

STANDARD_OUTPUT = 1
BACKLOG = 4096
QUIET_SECONDS = 0.3
# For so long at the most: health checks ask for ever.
ENDING_SECONDS = 3.0


class HttpConnection(asyncio.Protocol):
    """One HTTP/1 connection: requests one after the other, also where the client sends them ahead."""

    def __init__(self, answer: Callable[[EchoRequest], EchoResponse]) -> None:
        self._answer = answer
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._peer = ""
        self._uri = b""
        self._headers: list[tuple[str, str]] = []
        self._waiting: list[tuple[EchoResponse, bytes, bool]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note who is at the other end."""
        self._transport = cast(asyncio.Transport, transport)
        address, port = transport.get_extra_info("peername")[:2]
        self._peer = f"{address}:{port}"

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; the parser calls the methods below."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # As Go does: an offer to change the protocol is passed over, and the connection goes on as it was.
            self._parser = httptools.HttpRequestParser(self)
            self.data_received(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._refuse("400 Bad Request")

    def pause_writing(self) -> None:
        """Take no more requests from a client that does not read its answers."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Take requests again."""
        self._transport.resume_reading()

    def on_message_begin(self) -> None:
        """Start a request."""
        self._uri = b""
        self._headers = []

    def on_url(self, url: bytes) -> None:
        """Collect the request's URI, which may come in pieces."""
        self._uri += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header."""
        self._headers.append((canonical_name(name.decode("latin-1")), value.decode(errors="replace")))

    def on_headers_complete(self) -> None:
        """Ask for the body where the client waits to be asked."""
        if ("Expect", "100-continue") in self._headers:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_message_complete(self) -> None:
        """Answer the request."""
        version = self._parser.get_http_version()
        host = next((value for name, value in self._headers if name == "Host"), None)
        if host is None:
            if version != "1.0":
                self._refuse("400 Bad Request: missing required Host header")
                return
            host = ""
        request = EchoRequest(
            self._parser.get_method().decode(), self._uri.decode(), f"HTTP/{version}", host, self._headers, self._peer
        )
        keep_alive = self._parser.should_keep_alive()
        response = self._answer(request)
        if response.log:
            os.write(STANDARD_OUTPUT, response.log.encode())
        head_only = request.method == "HEAD"
        connection = b"" if keep_alive and version != "1.0" else f"Connection: {_CONNECTION[keep_alive]}\r\n".encode()
        message = encode(response, connection, head_only=head_only)
        if response.delay or self._waiting:
            self._send_later(response, message, keep_alive)
        else:
            self._send(message, keep_alive)

    def _refuse(self, words: str) -> None:
        """Refuse what is no HTTP, in the words of Go's server, and hang up."""
        head = f"HTTP/1.1 {words}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
        self._transport.write((head + words).encode())
        self._transport.close()

    def _send(self, message: bytes, keep_alive: bool) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(message)
        if not keep_alive:
            self._transport.close()

    def _send_later(self, response: EchoResponse, message: bytes, keep_alive: bool) -> None:
        self._waiting.append((response, message, keep_alive))
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_later(response.delay, self._send_first)

    def _send_first(self) -> None:
        _, message, keep_alive = self._waiting.pop(0)
        self._send(message, keep_alive)
        if self._waiting:
            asyncio.get_running_loop().call_later(self._waiting[0][0].delay, self._send_first)


_CONNECTION = {True: "keep-alive", False: "close"}


class H2cConnection(asyncio.Protocol):
    """A connection to the h2c port: HTTP/2 where the client knows it, a refusal otherwise."""

    PREFACE = b"PRI * HTTP/2.0\r\n"

    def __init__(self, answer: Callable[[EchoRequest], EchoResponse]) -> None:
        self._answer = answer
        self._start = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first bytes, which tell the protocol."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Hand the connection to the protocol that the client speaks."""
        self._start += data
        start = self._start[: len(self.PREFACE)]
        if start != self.PREFACE[: len(start)]:
            self._become(HttpConnection(refuse))
        elif len(start) == len(self.PREFACE):
            # HTTP/2 costs 30 ms and some memory to import, and few pods are asked for it.
            from calico_lab.local.kubelet.images.echo_http2 import Http2Connection

            self._become(Http2Connection(self._answer))

    def _become(self, protocol: asyncio.Protocol) -> None:
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(self._start)


def refuse(_request: EchoRequest) -> EchoResponse:
    """Answer HTTP/1 at the h2c port."""
    return plain_error(400, "Expected h2c request")


def encode(response: EchoResponse, connection: bytes, *, head_only: bool) -> bytes:
    """Return a response as HTTP/1.1 bytes, its headers in the order in which Go writes them."""
    names = response.headers
    lines = "".join([f"{name}: {names[name]}\r\n" for name in sorted(names)])
    bodiless = response.status in (204, 304)
    length = "" if bodiless else f"Content-Length: {len(response.body)}\r\n"
    head = f"{status_line(response.status)}{lines}Date: {_date(int(time.time()))}\r\n{length}".encode()
    return b"".join((head, connection, b"\r\n", b"" if head_only or bodiless else response.body))


@lru_cache
def status_line(status: int) -> str:
    """Return the first line of a response; a code without a name gets the words that Go gives it."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = f"status code {status}"
    return f"HTTP/1.1 {status} {phrase}\r\n"


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(second))


class Answering:
    """Answers, and knows when it was last asked."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._asked = 0.0

    def __call__(self, request: EchoRequest) -> EchoResponse:
        """Answer a request."""
        response = answer(request, self._context)
        self._asked = max(self._asked, time.monotonic() + response.delay)
        return response

    async def until_quiet(self) -> None:
        """Wait until nobody has asked anything for a while, from now on, but not without end."""
        self._asked = max(self._asked, time.monotonic())
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDING_SECONDS):
                while (left := self._asked + QUIET_SECONDS - time.monotonic()) > 0:  # noqa: ASYNC110 - requests move it
                    await asyncio.sleep(left)


async def serve(environment: Mapping[str, str]) -> None:
    """Listen on the ports that the environment names until SIGTERM, and then until nobody asks any more.

    Whoever sends requests here hears a moment after this program that the pod goes away. The program of the image
    itself ends at once, and loses the requests of that moment.
    """
    loop = asyncio.get_running_loop()
    told_to_end = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, told_to_end.set)
    answering = Answering(Context.of(environment))
    servers: list[tuple[str, str, Callable[[], asyncio.Protocol], ssl.SSLContext | None]] = [
        (environment.get("HTTP_PORT") or "3000", "http", lambda: HttpConnection(answering), None),
        (environment.get("H2C_PORT") or "3001", "h2c", lambda: H2cConnection(answering), None),
    ]
    if serves_tls(environment):
        from calico_lab.local.kubelet.images.echo_tls import TlsConnection, server_context

        # Clients that break off a handshake are nothing to tell: a probe of the port is one.
        loop.set_exception_handler(lambda _loop, _told: None)
        secure = server_context(environment)
        port = environment.get("HTTPS_PORT") or "8443"
        servers.append((port, "https", lambda: TlsConnection(answering, HttpConnection), secure))
    for port, name, connection, tls in servers:
        os.write(STANDARD_OUTPUT, f"Starting server, listening on port {port} ({name})\n".encode())
        listening = socket.create_server(("", int(port)), backlog=BACKLOG)
        await loop.create_server(connection, sock=listening, backlog=BACKLOG, ssl=tls)
    await told_to_end.wait()
    await answering.until_quiet()
    loop.remove_signal_handler(signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Serve as the environment says."""
    try:
        uvloop.new_event_loop().run_until_complete(serve(os.environ))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"panic: Failed to start listening: {error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
