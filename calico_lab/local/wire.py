"""What an API server and its clients hand each other: one request, one response.

Both ends of the lab's API speak in these two types, so that a client in the same process and one at the far end of a
TLS connection are answered by the same code.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """An HTTP request: header names in lower case, ``query`` as decoded (name, value) pairs in order of arrival."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def parameter(self, name: str, default: str = "") -> str:
        """Return the first value of a query parameter."""
        return next((value for key, value in self.query if key == name), default)


@dataclass(frozen=True)
class Response:
    """An HTTP response: either ``body`` or, where it goes on (watch, logs -f), ``stream``."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: AsyncIterator[bytes] | None = None


Handler = Callable[[Request], Awaitable[Response]]
