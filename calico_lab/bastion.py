"""The bastion: the machine from which the course's commands are typed, reached over SSH.

Where it is comes from the first of these that says so:

1. the argument of ``connect()``, and ``CALICO_LAB_BASTION``: ``here`` (or ``local``) when Jupyter itself runs on the
   bastion, else ``[user@]host[:port]`` or the name of a ``Host`` in the SSH configuration;
2. the ``calico-lab`` extension of the kubeconfig, by which a lab announces its own SSH configuration.

``CALICO_LAB_SSH_CONFIG`` names the SSH configuration to read in place of the lab's or ``~/.ssh/config``.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from calico_lab.completed_command import CompletedCommand
from calico_lab.errors import CommandError, NoBastionError

HOST = "bastion"
THIS_HOST = ("here", "local")


class Connection(Protocol):
    """A way to the bastion: over SSH, or none needed."""

    def run(self, command: str, *, stdin: str, time_limit: float) -> CompletedCommand:
        """Run a command to its end; raises ``TimeoutError`` when that takes longer than ``time_limit`` seconds."""

    def close(self) -> None:
        """Let go of what the connection holds; it is made again when needed."""

    def interactive(self, command: str | None) -> int:
        """Connect this process's own terminal or pipes with a command or a login shell; returns its exit code."""


class Bastion:
    """Runs commands on the bastion. The connection is made by the first of them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    def find(
        cls,
        announced_ssh_config: Path | None,
        environment: Mapping[str, str] = os.environ,
        *,
        named: str | None = None,
    ) -> Bastion:
        """Find the bastion as the head of this module says; ``announced_ssh_config`` is from the kubeconfig.

        Raises ``NoBastionError`` when nothing says where it is.
        """
        named = named or environment.get("CALICO_LAB_BASTION", "")
        given = environment.get("CALICO_LAB_SSH_CONFIG", "")
        if named in THIS_HOST:
            return cls(ThisHost())
        if not (named or given or announced_ssh_config):
            raise NoBastionError(
                "this cluster does not announce a bastion, and CALICO_LAB_BASTION does not name one",
                remedy="export CALICO_LAB_BASTION=user@address   (or `calico-lab up` for a lab that has one)",
            )
        from calico_lab.ssh import SshConnection, look_up

        own_config = Path("~/.ssh/config").expanduser()
        config = Path(given) if given else own_config if named or not announced_ssh_config else announced_ssh_config
        address = look_up(named or HOST, config, must_exist=bool(given) or config == announced_ssh_config)
        return cls(SshConnection(address))

    def run(self, command: str, *, stdin: str = "", time_limit: float = 60.0, check: bool = True) -> CompletedCommand:
        """Run a shell command and return what came of it.

        Raises ``CommandError`` when it exits with another code than 0 (unless ``check`` is false) or takes longer than
        ``time_limit`` seconds, and ``NoBastionError`` when the bastion cannot be reached.
        """
        try:
            completed = self._connection.run(command, stdin=stdin, time_limit=time_limit)
        except TimeoutError:
            raise CommandError(
                f"still running on the bastion after {time_limit:g} s, no longer waited for: {command}", exit_code=-1
            ) from None
        if check and completed.exit_code:
            said = (completed.errors or completed.output).rstrip()
            raise CommandError(
                f"exit code {completed.exit_code} on the bastion: {command}\n{said}",
                exit_code=completed.exit_code,
                output=completed.output,
                errors=completed.errors,
            )
        return completed

    def interactive(self, command: str | None = None) -> int:
        """Hand this process's terminal to a command, or to a login shell, on the bastion; returns its exit code."""
        return self._connection.interactive(command)

    def close(self) -> None:
        """Close the connection; the next command makes it again."""
        self._connection.close()


class ThisHost:
    """The bastion is the machine that this process runs on."""

    def run(self, command: str, *, stdin: str, time_limit: float) -> CompletedCommand:
        """Run a command with bash."""
        streams: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(["/bin/bash", "-c", command], text=True, start_new_session=True, **streams) as process:
            try:
                output, errors = process.communicate(stdin, time_limit)
            except subprocess.TimeoutExpired as error:
                os.killpg(process.pid, signal.SIGKILL)
                raise TimeoutError from error
        return CompletedCommand(command, process.returncode, output, errors)

    def interactive(self, command: str | None) -> int:
        """Run a command, or a login shell, on this process's own terminal."""
        arguments = ["--login"] if command is None else ["-c", command]
        return subprocess.run(["/bin/bash", *arguments], check=False).returncode

    def close(self) -> None:
        """Do nothing: there is no connection."""
