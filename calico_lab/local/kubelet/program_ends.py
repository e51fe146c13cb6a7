"""What connects a program with the kubelet: pipes, or a terminal."""

from __future__ import annotations

import asyncio
import os
import termios
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from calico_lab.local.process import Process, until_readable

BLOCK_BYTES = 64 * 1024
_END_OF_INPUT = b"\x04"  # Ctrl-D, as it is typed at a terminal

STDOUT, STDERR = "stdout", "stderr"
# Starts a program with ends of its own; raises OSError where it cannot be started.
Start = Callable[["ProgramEnds"], Process]


@dataclass
class ProgramEnds:
    """The program's three descriptors, and our ends of the same: ``stdin`` if it has one, and its outputs by name."""

    program: tuple[int, int, int]
    stdin: int | None
    outputs: dict[str, int]
    terminal: bool

    @classmethod
    def open(cls, *, stdin: bool, terminal: bool) -> ProgramEnds:
        """Open a terminal, or pipes; without ``stdin`` the program has nothing to read."""
        if terminal:
            master, slave = os.openpty()
            os.set_blocking(master, False)
            return cls((slave, slave, slave), os.dup(master) if stdin else None, {STDOUT: master}, True)
        reading, ours = os.pipe() if stdin else (os.open(os.devnull, os.O_RDONLY), None)
        (output, stdout), (errors, stderr) = os.pipe(), os.pipe()
        for descriptor in (ours, output, errors):
            if descriptor is not None:
                os.set_blocking(descriptor, False)
        return cls((reading, stdout, stderr), ours, {STDOUT: output, STDERR: errors}, False)

    def release_program(self) -> None:
        """Close the program's descriptors: it has its own copies by now, or was not started."""
        for descriptor in set(self.program):
            os.close(descriptor)
        self.program = (-1, -1, -1)

    async def write(self, data: bytes) -> None:
        """Give the program something to read, waiting while it is slow. Raises ``OSError`` when it reads no more."""
        loop = asyncio.get_running_loop()
        while data and self.stdin is not None:
            try:
                data = data[os.write(self.stdin, data) :]
            except BlockingIOError:
                writable = asyncio.Event()
                descriptor = self.stdin
                loop.add_writer(descriptor, writable.set)
                try:
                    await writable.wait()
                finally:
                    loop.remove_writer(descriptor)

    async def end_input(self) -> None:
        """Tell the program that nothing more will come."""
        if self.terminal:
            await self.write(_END_OF_INPUT)
        else:
            self.close_input()

    def close_input(self) -> None:
        """Let go of our end of the program's input."""
        if self.stdin is not None:
            os.close(self.stdin)
            self.stdin = None

    def close_outputs(self) -> None:
        """Let go of our ends of the program's outputs."""
        for descriptor in self.outputs.values():
            os.close(descriptor)
        self.outputs = {}

    def resize(self, columns: int, rows: int) -> None:
        """Say how large the terminal is."""
        if self.terminal and self.stdin is not None:
            termios.tcsetwinsize(self.stdin, (rows, columns))


async def blocks(descriptor: int, ended: asyncio.Future[Any]) -> AsyncIterator[bytes]:
    """Yield what a program writes: to its end of file, or until it has ``ended`` and nothing that it wrote is left.

    What it has left running in the background may keep the pipe open, and must not keep the reader.
    """
    while True:
        last = ended.done()
        try:
            block = os.read(descriptor, BLOCK_BYTES)
        except BlockingIOError:
            if last:
                return
            await until_readable(descriptor, ended)
            continue
        except OSError:  # EIO is how a terminal says that nobody has it open any more.
            return
        if not block:
            return
        yield block
