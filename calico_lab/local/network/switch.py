"""The switch's ports: pulling a host's cable, and what a node's own programs then cannot do any more.

Kubelets live in the lab's first process, where no cable leads through the switch. So that a node cut off is cut off
from the API server too, their requests are made to depend on the cables: on whether the kernel says that they carry.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

from calico_lab import errors
from calico_lab.local.network import links
from calico_lab.local.topology import API_PORT, CONTROL1, HOSTS, Host
from calico_lab.local.wire import Handler, Request, Response

# As long as a request waits for a cable to be put back before it fails, as a connection would that is being tried.
CONNECT_SECONDS = 5.0
KUBELET_PORT = 10250
LARGEST_ANNOUNCEMENT = 65536


def port(host: Host) -> str:
    """Return the name of the switch's port that leads to a host."""
    return f"to-{host.name}"


class Switch:
    """Knows which cables carry, whoever takes a link down at either end. Stands in the lab's own network namespace."""

    def __init__(self) -> None:
        self._carrying = {host.name: links.carries(port(host)) for host in HOSTS}
        self._news = asyncio.Event()

    def cut(self, host: Host) -> None:
        """Pull a host's cable."""
        links.take_down(port(host))
        self._look()

    def join(self, host: Host) -> None:
        """Put a host's cable back."""
        links.bring_up(port(host))
        self._look()

    def carries(self, host: Host) -> bool:
        """Whether a host is on the network."""
        return self._carrying[host.name]

    async def run(self) -> None:
        """Watch the cables until cancelled."""
        loop = asyncio.get_running_loop()
        with links.open_announcements() as announcements:
            loop.add_reader(announcements, self._hear, announcements)
            try:
                self._look()
                await asyncio.Event().wait()
            finally:
                loop.remove_reader(announcements)

    def to_api_server(self, host: Host, handler: Handler) -> Handler:
        """Return a handler for requests that a host sends to the API server: they wait, and fail, with the cables.

        What the server streams waits too, and is lost no more than in a TCP connection.
        """

        async def handle(request: Request) -> Response:
            await self._connected(host)
            response = await handler(request)
            return response if response.stream is None else replace(response, stream=self._held(host, response.stream))

        return handle

    def to_kubelet(self, host: Host, handler: Handler) -> Handler:
        """Return a handler for requests that the API server sends to a host's kubelet. They fail at once."""

        async def handle(request: Request) -> Response:
            if not self._connects(host):
                address = f"{host.address}:{KUBELET_PORT}"
                problem = f"dial tcp {address}: connect: no route to host"
                raise errors.ApiError(f'{request.method.capitalize()} "https://{address}{request.path}": {problem}')
            return await handler(request)

        return handle

    def _connects(self, host: Host) -> bool:
        return host == CONTROL1 or (self.carries(host) and self.carries(CONTROL1))

    async def _connected(self, host: Host) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._until_connected(host)
        except TimeoutError:
            server = f"{CONTROL1.address}:{API_PORT}"
            raise OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH), server) from None

    async def _until_connected(self, host: Host) -> None:
        while not self._connects(host):
            self._news.clear()
            await self._news.wait()

    async def _held(self, host: Host, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in stream:
            await self._until_connected(host)
            yield piece

    def _hear(self, announcements: socket.socket) -> None:
        try:
            announcements.recv(LARGEST_ANNOUNCEMENT)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ENOBUFS):  # some were missed: look all the same
                raise
        self._look()

    def _look(self) -> None:
        self._carrying = {host.name: links.carries(port(host)) for host in HOSTS}
        self._news.set()
