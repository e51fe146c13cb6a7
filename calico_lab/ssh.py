"""SSH to the bastion, as the learner's own SSH configuration describes it, with the hosts' keys checked.

Of the configuration this is read: ``HostName``, ``Port``, ``User``, ``IdentityFile``, ``IdentitiesOnly``,
``UserKnownHostsFile``, ``GlobalKnownHostsFile`` and ``ProxyJump`` (ssh_config(5)); of the environment, the agent. A way
by ``ProxyCommand`` is refused.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import paramiko

from calico_lab import ssh_terminal
from calico_lab.completed_command import CompletedCommand
from calico_lab.errors import NoBastionError
from calico_lab.ssh_address import Address, look_up

__all__ = ["Address", "SshConnection", "look_up"]

CONNECT_SECONDS = 10.0
# So large that a command never waits for one of its two outputs to be read while the other one is.
WINDOW = 2**31 - 1
BLOCK = 65536


class SshConnection:
    """A connection that is made when it is first needed, kept, and made again when it was lost."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._clients: list[paramiko.SSHClient] = []

    def run(self, command: str, *, stdin: str, time_limit: float) -> CompletedCommand:
        """Run a command; raises ``TimeoutError`` at the limit.

        The lab's bastion ends the command then; OpenSSH's server leaves that to the command, which finds nobody to
        write to.
        """
        deadline = time.monotonic() + time_limit
        with self._open_session() as channel, self._not_lost(command):
            channel.exec_command(command)
            channel.settimeout(time_limit)
            channel.sendall(stdin.encode())
            channel.shutdown_write()
            output = _read(channel, channel.recv, deadline)
            errors = _read(channel, channel.recv_stderr, deadline)
            if not channel.status_event.wait(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            if channel.exit_status < 0:
                raise EOFError("no exit code came")
            return CompletedCommand(command, channel.exit_status, output, errors)

    def interactive(self, command: str | None) -> int:
        """Run a command with this process's streams, or a login shell on its terminal; returns the exit code."""
        with self._open_session() as channel:
            return ssh_terminal.connect(channel, command)

    def close(self) -> None:
        """Close the connection."""
        while self._clients:
            self._clients.pop().close()

    def _open_session(self) -> paramiko.Channel:
        transport = self._clients[-1].get_transport() if self._clients else None
        if transport is None or not transport.is_active():
            self.close()
            self._clients = _connect_by_way_of(self._address)
            transport = self._clients[-1].get_transport()
        if transport is None:
            raise self._lost("")
        with self._not_lost(""):
            return transport.open_session(window_size=WINDOW, timeout=CONNECT_SECONDS)

    @contextmanager
    def _not_lost(self, command: str) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            raise
        except (paramiko.SSHException, EOFError, OSError) as error:
            self.close()
            raise self._lost(command) from error

    def _lost(self, command: str) -> NoBastionError:
        during = f" while this ran: {command}" if command else ""
        return NoBastionError(f"the connection to the bastion {self._address} was lost{during}", remedy="run it again")


def _connect_by_way_of(address: Address) -> list[paramiko.SSHClient]:
    """Connect with a host and with those on the way to it, of which it is the last."""
    if address.jump is None:
        return [_connect(address, None)]
    clients = _connect_by_way_of(address.jump)
    try:
        return [*clients, _connect(address, clients[-1].get_transport())]
    except NoBastionError:
        for client in reversed(clients):
            client.close()
        raise


def _connect(address: Address, jump: paramiko.Transport | None) -> paramiko.SSHClient:
    client = paramiko.SSHClient()
    try:
        for path in address.known_hosts:
            if path.exists():
                client.load_host_keys(str(path))
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        client.connect(
            address.host,
            address.port,
            address.user,
            key_filename=[path for path in address.identities if address.exists(path)],  # type: ignore[arg-type]
            allow_agent=not address.only_these_identities,
            look_for_keys=not address.only_these_identities,
            sock=_dial(address) if jump is None else _dial_from(jump, address),
            timeout=CONNECT_SECONDS,
            banner_timeout=CONNECT_SECONDS,
            auth_timeout=CONNECT_SECONDS,
        )
    except (OSError, EOFError, paramiko.SSHException) as error:
        client.close()
        said = str(error) or type(error).__name__
        raise NoBastionError(f"no way to the bastion {address}: {said}", remedy=_remedy(address, error)) from error
    return client


def _dial(address: Address) -> socket.socket:
    connection = socket.create_connection((address.host, address.port), CONNECT_SECONDS)
    # Else every command waits 40 ms for the acknowledgement that the other side holds back.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    return connection


def _dial_from(jump: paramiko.Transport, address: Address) -> paramiko.Channel:
    return jump.open_channel("direct-tcpip", (address.host, address.port), ("127.0.0.1", 0), timeout=CONNECT_SECONDS)


def _remedy(address: Address, error: Exception) -> str:
    by_hand = address.command
    match error:
        case paramiko.BadHostKeyException():
            return f"{by_hand}   (the host's key has changed: find out why before you trust the new one)"
        case paramiko.PasswordRequiredException():
            return "ssh-add   (a key with a passphrase is only used through the agent)"
        case paramiko.AuthenticationException():
            return (
                f"{by_hand}   (the bastion takes none of your keys: ssh-add, or IdentityFile in your SSH configuration)"
            )
        case paramiko.SSHException() if "not found in known_hosts" in str(error):
            return f"{by_hand}   (once, to look at the host's key and accept it)"
    return f"{by_hand}   (for a local lab: calico-lab status)"


def _read(channel: paramiko.Channel, receive: Callable[[int], bytes], deadline: float) -> str:
    blocks: list[bytes] = []
    while True:
        channel.settimeout(max(0.0, deadline - time.monotonic()))
        block = receive(BLOCK)
        if not block:
            return b"".join(blocks).decode(errors="replace")
        blocks.append(block)
