"""Commands inside a container that is already there: those of probes and hooks, and those that a client sends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from calico_lab.local.kubelet import channels as words
from calico_lab.local.kubelet import tasks
from calico_lab.local.kubelet.channels import Channels
from calico_lab.local.kubelet.program_ends import ProgramEnds, blocks
from calico_lab.local.process import Process, spawn
from calico_lab.local.start.namespaces import Namespaces

_OUTPUT_BYTES = 10 * 1024
_HANGUP_GRACE_SECONDS = 1.0


class Commands:
    """Starts commands in one container; they end with it."""

    def __init__(self, inside: Namespaces, environment: Mapping[str, str], directory: str) -> None:
        self._inside = inside
        self._environment = environment
        self._directory = directory
        self._running: set[Process] = set()

    async def run(self, arguments: list[str]) -> tuple[int, bytes]:
        """Run a command to its end; returns its exit code and the first 10 KB that it wrote.

        Raises ``OSError`` when it cannot be started. A command whose caller is cancelled is killed.
        """
        ends = ProgramEnds.open(stdin=False, terminal=False)
        output = bytearray()

        async def collect(descriptor: int) -> None:
            async for block in blocks(descriptor, ended):
                output.extend(block[: _OUTPUT_BYTES - len(output)])

        try:
            process = self._start(arguments, ends)
            ended = asyncio.ensure_future(process.wait())
            try:
                await asyncio.gather(*map(collect, ends.outputs.values()))
                return _shell_code(await ended), bytes(output)
            finally:
                process.signal(signal.SIGKILL)
        finally:
            ends.close_outputs()

    async def serve(self, arguments: list[str], channels: Channels, *, stdin: bool, terminal: bool) -> None:
        """Run a command for a client: its streams are the client's, and it ends with it."""
        ends = ProgramEnds.open(stdin=stdin or terminal, terminal=terminal)
        environment = {"TERM": "xterm"} if terminal else {}
        try:
            try:
                process = self._start(arguments, ends, environment)
            except OSError as error:
                await channels.finish(words.not_started(arguments, error))
                return
            channels.resize = ends.resize
            await _carry(process, ends, channels)
        finally:
            ends.close_input()
            ends.close_outputs()

    def kill(self) -> None:
        """End every command that still runs."""
        for process in list(self._running):
            process.signal(signal.SIGKILL)

    def _start(self, arguments: list[str], ends: ProgramEnds, more: Mapping[str, str] | None = None) -> Process:
        stdin, stdout, stderr = ends.program
        try:
            process = spawn(
                arguments,
                inside=self._inside,
                environment={**self._environment, **(more or {})},
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                terminal=ends.terminal,
                directory=self._directory,
            )
        finally:
            ends.release_program()
        self._running.add(process)
        tasks.start(self._forget(process), f"command {arguments[0]}")
        return process

    async def _forget(self, process: Process) -> None:
        await process.wait()
        self._running.discard(process)


async def _carry(process: Process, ends: ProgramEnds, channels: Channels) -> None:
    ended = asyncio.ensure_future(process.wait())

    async def carry(stream: str, descriptor: int) -> None:
        async for block in blocks(descriptor, ended):
            await channels.send(stream, block)

    async def feed() -> None:
        async for data in channels.input():
            with suppress(OSError):  # the command reads no more
                await (ends.write(data) if data else ends.end_input())

    outputs: asyncio.Future[Any] = asyncio.gather(*(carry(*end) for end in ends.outputs.items()))
    feeding: asyncio.Future[Any] = asyncio.ensure_future(feed())
    try:
        await asyncio.wait([outputs, feeding], return_when=asyncio.FIRST_COMPLETED)
        if outputs.done() and not outputs.exception():
            await channels.finish(words.ended_with(_shell_code(await ended)))
    finally:
        feeding.cancel()
        outputs.cancel()
        await asyncio.gather(outputs, feeding, return_exceptions=True)
        await _hang_up(process)


async def _hang_up(process: Process) -> None:
    """End a command whose client has gone, as a terminal that is hung up does; nothing to do when it has ended."""
    if process.running:
        process.signal(signal.SIGHUP)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _HANGUP_GRACE_SECONDS)
        process.signal(signal.SIGKILL)


def _shell_code(exit_code: int) -> int:
    return exit_code if exit_code >= 0 else 128 - exit_code
