"""What an API server and its clients hand each other: one request, one response.

Both ends of the lab's API speak in these two types, so that a client in the same process and one at the far end of a
TLS connection are answered by the same code.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """An HTTP request: header names in lower case, ``query`` as decoded (name, value) pairs in order of arrival.

    ``client_certificate`` is the one that the client has shown (DER), if any, signed by the lab's own authority.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client_certificate: bytes = b""

    def parameter(self, name: str, default: str = "") -> str:
        """Return the first value of a query parameter."""
        return next((value for key, value in self.query if key == name), default)


class WebSocket(Protocol):
    """The server's end of a WebSocket (RFC 6455), of which only whole messages are seen."""

    async def receive(self) -> bytes | None:
        """Return the next message, or None once the client has closed or is gone."""

    async def send(self, message: bytes) -> None:
        """Send a binary message; waits while the client is slow. Raises ``ConnectionError`` when it is gone."""

    async def close(self) -> None:
        """Say goodbye, with code 1000."""


@dataclass(frozen=True)
class Response:
    """An HTTP response: either ``body`` or, where it goes on (watch, logs -f), ``stream``, or ``websocket``.

    ``websocket`` (exec, attach, port-forward) has status 101 and the chosen subprotocol in the header
    ``Sec-WebSocket-Protocol``; it is called once the connection is upgraded, which ends when it returns.
    """

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: AsyncIterator[bytes] | None = None
    websocket: Callable[[WebSocket], Awaitable[None]] | None = None


Handler = Callable[[Request], Awaitable[Response]]
