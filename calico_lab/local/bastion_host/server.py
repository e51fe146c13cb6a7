"""The SSH server of the lab: one host key, one authorized key, and shells inside the hosts' namespaces.

The server itself runs in the lab's first process and listens on sockets that were made outside the lab, which is how
SSH reaches the bastion from the machine's loopback address. It hands on nothing but shells and commands: no password
is ever accepted, and connections, agents, files and displays are not forwarded, because whatever is connected from
this process would leave from the lab's own network and not from the bastion's.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

from calico_lab.local.bastion_host import units
from calico_lab.local.bastion_host.session import Session
from calico_lab.local.start.namespaces import Namespaces

if TYPE_CHECKING:
    import asyncssh

    from calico_lab.local.network.bird import Bird

KEEPALIVE_SECONDS = 15
T = TypeVar("T")


async def serve(
    sockets: Sequence[socket.socket],
    host_key: str,
    authorized_key: str,
    namespaces: Namespaces,
    bird: Bird,
    nodes: Mapping[str, Namespaces] | None = None,
) -> None:
    """Answer SSH on ``sockets``, and ``systemctl`` on the bastion, until cancelled.

    ``host_key`` is a private key and ``authorized_key`` a line of an authorized_keys file, both in OpenSSH's formats.
    Any user name is accepted with that key, for each host has one user: the name of one of ``nodes`` leads to that
    node, any other to the bastion.
    """
    import asyncssh  # 0.2 s that the other parts of the lab need not wait for

    # One line per connection would bury the lab's own log.
    asyncssh.set_log_level(logging.WARNING)

    connections: WeakSet[asyncssh.SSHServerConnection] = WeakSet()

    class Server(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            connections.add(conn)

    async def handle(process: asyncssh.SSHServerProcess[bytes]) -> None:
        node = (nodes or {}).get(process.get_extra_info("username"))
        await Session(process, node or namespaces, user="root" if node else "user").run()

    asyncio.get_running_loop().set_default_executor(_SameThreadExecutor())
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_abort, connections)
        stack.callback((await units.listen(namespaces, bird)).close)
        for listening in sockets:
            acceptor = await asyncssh.listen(
                sock=listening.dup(),  # the caller's stays open, for the next time that this is called
                server_factory=Server,
                process_factory=handle,
                encoding=None,
                server_host_keys=[asyncssh.import_private_key(host_key)],
                authorized_client_keys=asyncssh.import_authorized_keys(authorized_key),
                password_auth=False,
                kbdint_auth=False,
                host_based_auth=False,
                gss_host=None,
                agent_forwarding=False,
                line_editor=False,
                keepalive_interval=KEEPALIVE_SECONDS,
            )
            stack.callback(acceptor.close)
        await asyncio.Event().wait()


async def _abort(connections: Iterable[asyncssh.SSHServerConnection]) -> None:
    for connection in list(connections):
        connection.abort()
        await connection.wait_closed()


class _SameThreadExecutor(ThreadPoolExecutor):
    """Runs at once what asyncssh would hand to a thread: reading its options, which waits for nothing.

    A process with a second thread may not enter another mount namespace (setns(2)), and this one must.
    """

    def submit(self, function: Callable[..., T], /, *args: Any, **keywords: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(function(*args, **keywords))
        except Exception as error:
            future.set_exception(error)
        return future
