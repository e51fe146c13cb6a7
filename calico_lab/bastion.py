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
from typing import Any

from calico_lab.completed_command import CompletedCommand
from calico_lab.errors import NoBastionError
from calico_lab.host import Connection, Host

HOST = "bastion"
THIS_HOST = ("here", "local")


class Bastion(Host):
    """Runs commands on the bastion."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, "the bastion")

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
