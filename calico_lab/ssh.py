"""SSH to the bastion, as the learner's own SSH configuration describes it, with the host's key checked.

Only what the configuration needs for this is read: ``HostName``, ``Port``, ``User``, ``IdentityFile``,
``IdentitiesOnly`` and ``UserKnownHostsFile`` (ssh_config(5)). One that goes through another host is refused.
"""

from __future__ import annotations

import getpass
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import paramiko

from calico_lab import ssh_terminal
from calico_lab.completed_command import CompletedCommand
from calico_lab.errors import NoBastionError

CONNECT_SECONDS = 10.0
# So large that a command never waits for one of its two outputs to be read while the other one is.
WINDOW = 2**31 - 1
BLOCK = 65536


@dataclass(frozen=True)
class Address:
    """Where the bastion is, and with which keys it is reached."""

    host: str
    port: int = 22
    user: str = field(default_factory=getpass.getuser)
    identities: tuple[str, ...] = ()
    only_these_identities: bool = False
    known_hosts: tuple[Path, ...] = (Path("~/.ssh/known_hosts").expanduser(),)

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}"


def look_up(name: str, config_file: Path, *, must_exist: bool) -> Address:
    """Return the address behind ``[user@]host[:port]``, completed from an SSH configuration file.

    Raises ``NoBastionError`` when the file should exist and does not, or asks for what this module cannot do.
    """
    user, _, host_and_port = name.rpartition("@")
    host, _, port = host_and_port.partition(":")
    if not config_file.exists():
        if must_exist:
            raise NoBastionError(
                f"the SSH configuration {config_file} does not exist", remedy="calico-lab up   (for a local lab)"
            )
        return Address(host, int(port or 22), user or getpass.getuser())
    found = paramiko.SSHConfig.from_path(str(config_file)).lookup(host)
    for option in ("proxyjump", "proxycommand"):
        if found.get(option, "none") != "none":
            raise NoBastionError(
                f"{config_file} reaches {host} by way of another host ({option}), which this library cannot",
                remedy=f"ssh -N -L 2222:localhost:22 {host} &   and   export CALICO_LAB_BASTION=localhost:2222",
            )
    return Address(
        host=found["hostname"],
        port=int(port or found.get("port", "22")),
        user=user or found.get("user") or getpass.getuser(),
        identities=tuple(found.get("identityfile", ())),
        only_these_identities=found.get("identitiesonly", "no") == "yes",
        known_hosts=_paths(found.get("userknownhostsfile", "~/.ssh/known_hosts")),
    )


def _paths(value: str) -> tuple[Path, ...]:
    """Split a value that is one path, its quotes already gone, or several without blanks in them."""
    whole = Path(value).expanduser()
    return (whole,) if whole.exists() else tuple(Path(path).expanduser() for path in value.split())


class SshConnection:
    """A connection that is made when it is first needed, kept, and made again when it was lost."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._client: paramiko.SSHClient | None = None

    def run(self, command: str, *, stdin: str, time_limit: float) -> CompletedCommand:
        """Run a command; raises ``TimeoutError`` at the limit, and the bastion ends the command then."""
        deadline = time.monotonic() + time_limit
        with self._open_session() as channel:
            channel.exec_command(command)
            channel.settimeout(time_limit)
            channel.sendall(stdin.encode())
            channel.shutdown_write()
            output = _read(channel, channel.recv, deadline)
            errors = _read(channel, channel.recv_stderr, deadline)
            if not channel.status_event.wait(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            return CompletedCommand(command, channel.recv_exit_status(), output, errors)

    def interactive(self, command: str | None) -> int:
        """Run a command with this process's streams, or a login shell on its terminal; returns the exit code."""
        with self._open_session() as channel:
            return ssh_terminal.connect(channel, command)

    def close(self) -> None:
        """Close the connection."""
        if self._client:
            self._client.close()
            self._client = None

    def _open_session(self) -> paramiko.Channel:
        transport = self._client.get_transport() if self._client else None
        if transport is None or not transport.is_active():
            self._client = _connect(self._address)
            transport = self._client.get_transport()
        if transport is None:
            raise NoBastionError(f"the connection to the bastion {self._address} was lost", remedy="run the cell again")
        return transport.open_session(window_size=WINDOW, timeout=CONNECT_SECONDS)


def _connect(address: Address) -> paramiko.SSHClient:
    client = paramiko.SSHClient()
    for path in address.known_hosts:
        if path.exists():
            client.load_host_keys(str(path))
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    try:
        connection = socket.create_connection((address.host, address.port), CONNECT_SECONDS)
        # Else every command waits 40 ms for the acknowledgement that the other side holds back.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        client.connect(
            address.host,
            address.port,
            address.user,
            key_filename=[path for path in address.identities if Path(path).exists()],  # type: ignore[arg-type]
            allow_agent=not address.only_these_identities,
            look_for_keys=not address.only_these_identities,
            sock=connection,
            banner_timeout=CONNECT_SECONDS,
            auth_timeout=CONNECT_SECONDS,
        )
    except (OSError, paramiko.SSHException) as error:
        client.close()
        raise NoBastionError(f"no way to the bastion {address}: {error}", remedy=_remedy(address, error)) from error
    return client


def _remedy(address: Address, error: Exception) -> str:
    by_hand = f"ssh -p {address.port} {address.user}@{address.host}"
    match error:
        case paramiko.BadHostKeyException():
            return f"{by_hand}   (the host's key has changed: find out why before you trust the new one)"
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
