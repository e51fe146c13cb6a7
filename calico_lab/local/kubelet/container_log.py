"""What a container writes: read from pipes in large batches, so that the container hardly notices."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from calico_lab.local.kubelet.log_file import LogFile

PAUSE_SECONDS = 0.05
_READ_BYTES = 256 * 1024
# A busy pod writes 1 MB a second; this is what it can write while the kubelet does something else.
_PIPE_BYTES = 1024 * 1024


Listener = Callable[[str, bytes], None]


class ContainerLog:
    """The log of one run of a container, from its first line to its last."""

    def __init__(self, path: Path, inside: Callable[[], AbstractContextManager[None]]) -> None:
        self.file = LogFile(path, inside)
        self._pipes: list[_Pipe] = []
        self._listeners: list[Listener] = []

    def read(self, descriptor: int, stream: str) -> None:
        """Read from a descriptor from now on, as ``stdout`` or ``stderr``; it is closed in the end."""
        self._pipes.append(_Pipe(descriptor, stream, self._take))

    def listen(self, listener: Listener) -> None:
        """Call ``listener(stream, data)`` for everything that is read from now on."""
        self._listeners.append(listener)

    def drain(self) -> None:
        """Read everything that the container has written until now."""
        for pipe in self._pipes:
            pipe.drain()

    def end(self) -> None:
        """Read what is left: the container has ended."""
        self.drain()
        for pipe in self._pipes:
            pipe.close()
        self.file.end()

    def close(self) -> None:
        """Let go of the log and of its files."""
        for pipe in self._pipes:
            pipe.close()
        self.file.close()

    def _take(self, stream: str, data: bytes) -> None:
        self.file.append(stream, data)
        for listener in self._listeners:
            listener(stream, data)


class _Pipe:
    """The reading end of a pipe. Between two batches it is not watched at all."""

    def __init__(self, descriptor: int, stream: str, take: Listener) -> None:
        os.set_blocking(descriptor, False)
        with suppress(OSError):  # over the limit of an ordinary user: the pipe works at its usual size
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._descriptor = descriptor
        self._stream = stream
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._watch()

    def drain(self) -> None:
        """Read until there is nothing more."""
        while self._open:
            try:
                data = os.read(self._descriptor, _READ_BYTES)
            except BlockingIOError:
                return
            except OSError:  # EIO is how a terminal says that nobody has it open any more
                data = b""
            if not data:
                self.close()
                return
            self._take(self._stream, data)

    def close(self) -> None:
        """Stop reading."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)

    def _watch(self) -> None:
        if self._open:
            self._loop.add_reader(self._descriptor, self._readable)

    def _readable(self) -> None:
        self._loop.remove_reader(self._descriptor)
        self.drain()
        self._loop.call_later(PAUSE_SECONDS, self._watch)
