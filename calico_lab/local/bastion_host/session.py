"""One SSH session on a host of the lab: a login shell, or one command, with or without a terminal."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import termios
from typing import TYPE_CHECKING, Any, NamedTuple

from calico_lab.local import process as programs
from calico_lab.local.bastion_host.files import HOME, PATH
from calico_lab.local.process import until_readable
from calico_lab.local.start.namespaces import Namespaces

if TYPE_CHECKING:
    import asyncssh

SHELL = "/bin/bash"
HANGUP_GRACE_SECONDS = 1.0
BLOCK = 65536
END_OF_INPUT = b"\x04"  # Ctrl-D, as it is typed at a terminal


class _Ends(NamedTuple):
    """What connects a session with its program: the program's three descriptors, and our ends of the same.

    With a terminal our ends are all its master side; without, ``errors`` is apart from ``output``.
    """

    program: tuple[int, int, int]
    stdin: io.FileIO
    output: io.FileIO
    errors: io.FileIO | None


class Session:
    """Runs what one SSH channel asks for, from its first byte to its exit status."""

    def __init__(self, process: asyncssh.SSHServerProcess[bytes], namespaces: Namespaces, *, user: str) -> None:
        self._process = process
        self._namespaces = namespaces
        self._user = user
        self._terminal = process.term_type is not None

    async def run(self) -> None:
        """Run the program to its end; a client that goes away takes its program with it."""
        if self._process.subsystem:
            self._process.stderr.write(b"The lab's hosts have no subsystems, only a shell.\n")
            self._process.exit(1)
            return
        ends = _open_terminal() if self._terminal else _open_pipes()
        try:
            program = self._start(ends)
        finally:
            for descriptor in set(ends.program):
                os.close(descriptor)
        try:
            exit_code = await self._carry(program, ends)
        finally:
            await _hang_up(program)
        if exit_code >= 0:
            self._process.exit(exit_code)
        else:
            self._process.exit_with_signal(signal.Signals(-exit_code).name.removeprefix("SIG"))

    def _start(self, ends: _Ends) -> programs.Process:
        command = self._process.command
        if self._terminal:
            self._resize(ends.stdin)
        stdin, stdout, stderr = ends.program
        return programs.spawn(
            [SHELL, "--login"] if command is None else [SHELL, "-c", command],
            inside=self._namespaces,
            environment=self._environment(),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            terminal=self._terminal,
            directory=HOME,
        )

    def _environment(self) -> dict[str, str]:
        user = self._user
        environment = {"HOME": HOME, "PATH": PATH, "USER": user, "LOGNAME": user, "SHELL": SHELL, "LANG": "C.UTF-8"}
        if self._process.term_type:
            environment["TERM"] = self._process.term_type
        return environment

    async def _carry(self, program: programs.Process, ends: _Ends) -> int:
        """Carry bytes both ways until the program has ended and all that it wrote is on its way."""
        ended = asyncio.ensure_future(program.wait())
        outputs = [_carry_output(ends.output, self._process.stdout, ended)]
        if ends.errors is not None:
            outputs.append(_carry_output(ends.errors, self._process.stderr, ended))
        done: asyncio.Future[Any] = asyncio.gather(ended, *outputs)
        gone: asyncio.Future[Any] = asyncio.ensure_future(self._process.wait_closed())
        stdin = asyncio.ensure_future(self._carry_input(program, ends.stdin))
        try:
            await asyncio.wait([done, gone], return_when=asyncio.FIRST_COMPLETED)
            return ended.result() if ended.done() else -signal.SIGHUP
        finally:
            for task in (done, gone, stdin):
                task.cancel()
            await asyncio.gather(done, gone, stdin, return_exceptions=True)
            for end in ends[1:]:
                if end is not None:
                    end.close()

    async def _carry_input(self, program: programs.Process, stdin: io.FileIO) -> None:
        import asyncssh

        block = b"more"
        while block:
            try:
                block = await self._process.stdin.read(BLOCK)
                await _write(stdin, block)
            except asyncssh.TerminalSizeChanged:
                self._resize(stdin)
            except asyncssh.BreakReceived:
                program.signal(signal.SIGINT)
            except asyncssh.SignalReceived as received:
                program.signal(getattr(signal, f"SIG{received.signal}", signal.SIGTERM))
            except BrokenPipeError:  # The program has closed its input.
                return
        if self._terminal:
            await _write(stdin, END_OF_INPUT)
        else:
            stdin.close()

    def _resize(self, terminal: io.FileIO) -> None:
        columns, rows, _width, _height = self._process.term_size
        if columns and rows:
            termios.tcsetwinsize(terminal, (rows, columns))


def _open_terminal() -> _Ends:
    master, slave = os.openpty()
    os.set_blocking(master, False)
    ours = io.FileIO(master, "r+")
    return _Ends((slave, slave, slave), ours, ours, None)


def _open_pipes() -> _Ends:
    (stdin, our_stdin), (our_output, output), (our_errors, errors) = os.pipe(), os.pipe(), os.pipe()
    for descriptor in (our_stdin, our_output, our_errors):
        os.set_blocking(descriptor, False)
    ours = io.FileIO(our_stdin, "w"), io.FileIO(our_output), io.FileIO(our_errors)
    return _Ends((stdin, output, errors), *ours)


async def _carry_output(source: io.FileIO, writer: asyncssh.SSHWriter[bytes], ended: asyncio.Future[int]) -> None:
    """Copy until end of file, or until the program has ended and nothing that it wrote is left.

    A program that stays in the background keeps the pipe open: it must not keep the session open too.
    """
    while True:
        last = ended.done()
        try:
            block = source.read(BLOCK)
        except OSError:  # EIO is how a terminal says that nobody has it open any more.
            return
        if block:
            writer.write(block)
            await writer.drain()
        elif block is None and not last:
            await until_readable(source, ended)
        else:
            return


async def _write(target: io.FileIO, block: bytes) -> None:
    loop = asyncio.get_running_loop()
    while block:
        written = target.write(block)
        if written is None:
            writable = asyncio.Event()
            loop.add_writer(target, writable.set)
            try:
                await writable.wait()
            finally:
                loop.remove_writer(target)
        else:
            block = block[written:]


async def _hang_up(program: programs.Process) -> None:
    """End a program whose client has gone, as a terminal that is hung up does; nothing to do when it has ended."""
    if not program.running:
        return
    program.signal(signal.SIGHUP)
    try:
        await asyncio.wait_for(program.wait(), HANGUP_GRACE_SECONDS)
    except TimeoutError:
        program.signal(signal.SIGKILL)
