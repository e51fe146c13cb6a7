"""A machine that the course runs commands on: the bastion, and in a lab of one's own the nodes."""

from __future__ import annotations

from typing import Protocol

from calico_lab.completed_command import CompletedCommand
from calico_lab.errors import CommandError


class Connection(Protocol):
    """A way to a machine: over SSH, or none needed."""

    def run(self, command: str, *, stdin: str, time_limit: float) -> CompletedCommand:
        """Run a command to its end; raises ``TimeoutError`` when that takes longer than ``time_limit`` seconds."""

    def close(self) -> None:
        """Let go of what the connection holds; it is made again when needed."""

    def interactive(self, command: str | None) -> int:
        """Connect this process's own terminal or pipes with a command or a login shell; returns its exit code."""


class Host:
    """Runs commands on a machine. The connection is made by the first of them; ``name`` is for people to read."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self.name = name

    def run(self, command: str, *, stdin: str = "", time_limit: float = 60.0, check: bool = True) -> CompletedCommand:
        """Run a shell command and return what came of it.

        Raises ``CommandError`` when it exits with another code than 0 (unless ``check`` is false) or takes longer than
        ``time_limit`` seconds, and ``NoBastionError`` when the machine cannot be reached.
        """
        try:
            completed = self._connection.run(command, stdin=stdin, time_limit=time_limit)
        except TimeoutError:
            raise CommandError(
                f"still running on {self.name} after {time_limit:g} s, no longer waited for: {command}", exit_code=-1
            ) from None
        if check and completed.exit_code:
            said = (completed.errors or completed.output).rstrip()
            raise CommandError(
                f"exit code {completed.exit_code} on {self.name}: {command}\n{said}",
                exit_code=completed.exit_code,
                output=completed.output,
                errors=completed.errors,
            )
        return completed

    def interactive(self, command: str | None = None) -> int:
        """Hand this process's terminal to a command, or to a login shell, on the machine; returns its exit code."""
        return self._connection.interactive(command)

    def close(self) -> None:
        """Close the connection; the next command makes it again."""
        self._connection.close()
