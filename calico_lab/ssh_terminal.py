"""An SSH channel connected with this process's own streams: raw terminal, window size, separate errors, exit code."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import paramiko

BLOCK = 65536
STDIN, STDOUT, STDERR = 0, 1, 2


def connect(channel: paramiko.Channel, command: str | None) -> int:
    """Run ``command``, or a login shell on a terminal, until it ends; returns its exit code.

    The shell gets a terminal when this process has one on its standard input; a command never does, so that its
    output and its errors stay apart and can be redirected, as with ``ssh``.
    """
    with ExitStack() as stack:
        sources = [STDIN]
        if command is None and os.isatty(STDIN):
            columns, rows = os.get_terminal_size(STDIN)
            channel.get_pty(os.environ.get("TERM", "xterm"), columns, rows)
            sources.append(stack.enter_context(_window_changes()))
            stack.enter_context(_raw_terminal())
        if command is None:
            channel.invoke_shell()
        else:
            channel.exec_command(command)
        _carry(channel, sources)
    return channel.recv_exit_status()


def _carry(channel: paramiko.Channel, sources: list[int]) -> None:
    while not _drain(channel):
        ready, _, _ = select.select([channel.fileno(), *sources], [], [])
        for source in set(ready).intersection(sources):
            block = os.read(source, BLOCK)
            if source != STDIN:
                columns, rows = os.get_terminal_size(STDIN)
                channel.resize_pty(columns, rows)
            elif block:
                channel.sendall(block)
            else:
                sources.remove(STDIN)
                channel.shutdown_write()


def _drain(channel: paramiko.Channel) -> bool:
    """Write out all that has arrived; returns whether nothing more can."""
    # Asked before reading: what arrives after the question is read in the next round.
    ended = bool(channel.closed or (channel.eof_received and channel.exit_status_ready()))
    while channel.recv_ready():
        _write(STDOUT, channel.recv(BLOCK))
    while channel.recv_stderr_ready():
        _write(STDERR, channel.recv_stderr(BLOCK))
    return ended


def _write(descriptor: int, block: bytes) -> None:
    while block:
        block = block[os.write(descriptor, block) :]


@contextmanager
def _raw_terminal() -> Iterator[None]:
    before = termios.tcgetattr(STDIN)
    try:
        tty.setraw(STDIN)
        yield
    finally:
        termios.tcsetattr(STDIN, termios.TCSADRAIN, before)
        sys.stdout.flush()


@contextmanager
def _window_changes() -> Iterator[int]:
    """Give a file descriptor from which a byte can be read after every change of the window's size."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.signal(signal.SIGWINCH, lambda _number, _frame: os.write(writing, b"w"))
    try:
        yield reading
    finally:
        signal.signal(signal.SIGWINCH, before)
        os.close(reading)
        os.close(writing)
