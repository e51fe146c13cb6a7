"""One interactive shell on the bastion, on a terminal, into which a test types as a learner would."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
import pyte

MARK = "end-of-command"
COLUMNS, LINES = 160, 50
CONTROL_C = "\x03"


class BastionShell:
    """A bash on a terminal; :meth:`run` types a command as it stands and returns what came back."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel
        self._screen = ""
        self.run("stty -echo; PS1=; PS2=")

    def run(self, command: str, *, time_limit: float = 60) -> str:
        """Type a command and return its output; raises when it does not succeed."""
        exit_code, output = self.attempt(command, time_limit=time_limit)
        assert exit_code == 0, f"exit {exit_code} from: {command}\n{output}"
        return output

    def attempt(self, command: str, *, time_limit: float = 60) -> tuple[int, str]:
        """Type a command; returns its exit code and its output."""
        self._screen = ""
        self._channel.sendall(f"{command}\nprintf '\\n{MARK} %s\\n' $?\n".encode())
        match = self.wait_for(rf"\n{MARK} (\d+)\n", time_limit=time_limit)
        return int(match[1]), self._screen[: match.start()]

    def watch(self, command: str, until: str, *, time_limit: float = 15) -> str:
        """Type a command that paints the whole screen until Ctrl-C; returns the screen that showed ``until``."""
        screen = pyte.Screen(COLUMNS, LINES)
        painter = pyte.Stream(screen)
        deadline = time.monotonic() + time_limit
        self._channel.sendall(f"{command}\n".encode())
        while not re.search(until, shown := "\n".join(screen.display)):
            painter.feed(self._receive(deadline, shown))
        self._channel.sendall(CONTROL_C.encode())
        self.run("true")
        return shown

    def wait_for(self, pattern: str, *, time_limit: float = 15) -> re.Match[str]:
        """Read the terminal until ``pattern`` stands on it."""
        deadline = time.monotonic() + time_limit
        while not (match := re.search(pattern, self._screen)):
            self._screen += self._receive(deadline, self._screen).replace("\r\n", "\n")
        return match

    def _receive(self, deadline: float, shown: str) -> str:
        self._channel.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            received = self._channel.recv(65536)
        except TimeoutError:
            raise AssertionError(f"what was awaited did not appear; the terminal shows:\n{shown}") from None
        assert received, f"the shell ended; its terminal shows:\n{shown}"
        return received.decode(errors="replace")


@contextmanager
def bastion_shell(ssh_config: Path) -> Iterator[BastionShell]:
    """Log in as ``ssh bastion`` would, with the lab's own SSH configuration."""
    settings = paramiko.SSHConfig.from_path(str(ssh_config)).lookup("bastion")
    client = paramiko.SSHClient()
    client.load_host_keys(settings["userknownhostsfile"])
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    client.connect(
        settings["hostname"],
        int(settings["port"]),
        settings["user"],
        key_filename=settings["identityfile"][0],
        look_for_keys=False,
        allow_agent=False,
    )
    try:
        channel = client.get_transport().open_session()
        channel.get_pty(width=COLUMNS, height=LINES)
        channel.exec_command("bash --noediting")
        yield BastionShell(channel)
    finally:
        client.close()
