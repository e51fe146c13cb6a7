"""Programs that the lab runs: started inside a host or a pod, awaited without a thread.

The lab's first process is also the init of its PID namespace, so it is the parent of every orphan there;
:func:`reap_orphans` buries those that nobody waits for.
"""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from signal import SIGTERM
from typing import IO, Any

from calico_lab.local.start.namespaces import Namespaces

_awaited: set[int] = set()

Stream = int | IO[bytes] | None


class Process:
    """A running program; :meth:`wait` gives its exit code, negative for the signal that ended it."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self.popen = popen
        self.pid = popen.pid
        loop = asyncio.get_running_loop()
        self._exit_code: asyncio.Future[int] = loop.create_future()
        _awaited.add(self.pid)
        self._pidfd = os.pidfd_open(self.pid)
        loop.add_reader(self._pidfd, self._ended)

    def _ended(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        exit_code = self.popen.wait()
        _awaited.discard(self.pid)
        if not self._exit_code.done():
            self._exit_code.set_result(exit_code)
        if os.getpid() == 1:
            reap_orphans()  # one that ended meanwhile had to wait behind this program

    @property
    def running(self) -> bool:
        """Whether the program has not ended yet."""
        return not self._exit_code.done()

    async def wait(self) -> int:
        """Wait for the end and return the exit code."""
        return await asyncio.shield(self._exit_code)

    def signal(self, number: int) -> None:
        """Send a signal to the program and to every program of its process group, if it still runs."""
        if self.running:
            os.killpg(self.pid, number)

    async def stop(self, grace_seconds: float, first: int = SIGTERM) -> int:
        """End the program: with the ``first`` signal, and SIGKILL once the grace is over. Returns the exit code."""
        self.signal(first)
        try:
            return await asyncio.wait_for(self.wait(), grace_seconds)
        except TimeoutError:
            self.signal(signal.SIGKILL)
            return await self.wait()


def spawn(
    arguments: Sequence[str],
    *,
    inside: Namespaces | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: Stream = subprocess.DEVNULL,
    stdout: Stream = subprocess.DEVNULL,
    stderr: Stream = subprocess.STDOUT,
    terminal: bool = False,
    directory: str | None = None,
) -> Process:
    """Start a program, in a session of its own, inside a host's or pod's namespaces.

    With ``terminal`` its standard input becomes its controlling terminal. Raises ``OSError`` when the program cannot
    be started. Must be called from the lab's event loop.
    """

    def start() -> Process:
        return Process(
            subprocess.Popen(
                arguments,
                env=environment,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                cwd=directory,
                start_new_session=True,
                preexec_fn=_take_terminal if terminal else None,
            )
        )

    if inside is None:
        return start()
    with inside.entered():
        return start()


def ending(exit_code: int) -> str:
    """Say in words how a program ended."""
    return f"it exited with {exit_code}" if exit_code >= 0 else f"it was killed by {signal.Signals(-exit_code).name}"


async def run(
    arguments: Sequence[str],
    *,
    inside: Namespaces | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    time_limit: float = 10.0,
) -> tuple[int, bytes]:
    """Run a short command to its end; returns its exit code and its output with the errors in it."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as output, os.fdopen(os.memfd_create("stdin"), "w+b") as given:
        given.write(stdin)
        given.seek(0)
        try:
            process = spawn(arguments, inside=inside, environment=environment, stdin=given, stdout=writing)
        finally:
            os.close(writing)
        collected = asyncio.create_task(_read_all(output))
        try:
            exit_code = await asyncio.wait_for(process.wait(), time_limit)
        except TimeoutError:
            process.signal(signal.SIGKILL)
            exit_code = await process.wait()
        return exit_code, await collected


async def _read_all(pipe: IO[bytes]) -> bytes:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    try:
        return await reader.read()
    finally:
        transport.close()


async def until_readable(source: int | IO[bytes] | io.FileIO, ended: asyncio.Future[Any]) -> None:
    """Wait until a descriptor has something to read, or until ``ended`` is done."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(source, readable.set)
    waiting: asyncio.Future[Any] = asyncio.ensure_future(readable.wait())
    try:
        await asyncio.wait([waiting, ended], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        loop.remove_reader(source)


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    # A lab that a script has started in the background was told to ignore these, which would be handed down to here.
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def reap_orphans() -> None:
    """Bury the ended children that no :class:`Process` waits for; to be called on SIGCHLD."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid in _awaited:
            return
        os.waitpid(ended.si_pid, os.WNOHANG)
