"""The input and output of one run of a container, and the clients that are attached to them."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from calico_lab.local.kubelet import tasks
from calico_lab.local.kubelet.channels import SUCCESS, Channels
from calico_lab.local.kubelet.container_log import ContainerLog
from calico_lab.local.kubelet.program_ends import ProgramEnds
from calico_lab.local.wire import JsonObject

# What an interactive container writes before anybody is attached, kept for the first who is.
_HISTORY_BYTES = 256 * 1024
_SIZE_SECONDS = 0.05

_Queue = asyncio.Queue[tuple[str, bytes] | None]


class Console:
    """Whoever attaches hears what the container writes from then on.

    One difference to upstream: the first to attach to a container with ``stdin`` hears what it wrote before, too, even
    if it has ended meanwhile; but not what somebody has read from its log. Programs are started so fast here that
    ``kubectl run -it`` always comes too late.
    """

    def __init__(self, spec: JsonObject, log: ContainerLog) -> None:
        self.ends = ProgramEnds.open(stdin=bool(spec.get("stdin")), terminal=bool(spec.get("tty")))
        self._once = bool(spec.get("stdinOnce"))
        self._history: list[tuple[str, bytes]] | None = [] if spec.get("stdin") else None
        self._history_bytes = 0
        self._queues: set[_Queue] = set()
        self._ended = False
        for stream, descriptor in self.ends.outputs.items():
            log.read(descriptor, stream)
        log.listen(self._hear)

    @property
    def unheard(self) -> bool:
        """Whether nobody has been attached yet to an interactive container."""
        return self._history is not None

    def forget(self) -> None:
        """Take note that somebody has read the log of this run."""
        if self._history:
            self._history = []

    def end(self) -> None:
        """Take note that the container has ended and that everything it wrote has been read."""
        self._ended = True
        self.ends.close_input()
        for queue in self._queues:
            queue.put_nowait(None)

    async def attach(self, channels: Channels) -> None:
        """Serve one client until it goes, or the container ends."""
        queue: _Queue = asyncio.Queue()
        for heard in self._history or ():
            queue.put_nowait(heard)
        self._history = None
        if self._ended:
            queue.put_nowait(None)
        self._queues.add(queue)
        channels.resize = self.ends.resize
        feeding = tasks.start(self._feed(channels, queue), "input of an attached client")
        try:
            while (piece := await queue.get()) is not None:
                await channels.send(*piece)
            if self._ended:
                if self.ends.terminal:  # kubectl tells the size of its terminal at once, and complains if it cannot
                    await asyncio.sleep(_SIZE_SECONDS)
                await channels.finish(SUCCESS)
        finally:
            feeding.cancel()
            self._queues.discard(queue)

    async def _feed(self, channels: Channels, queue: _Queue) -> None:
        with suppress(OSError):
            async for data in channels.input():
                if data:
                    await self.ends.write(data)
                elif self._once:
                    await self.ends.end_input()
            if self._once:
                await self.ends.end_input()
        queue.put_nowait(None)

    def _hear(self, stream: str, data: bytes) -> None:
        if self._history is not None and self._history_bytes < _HISTORY_BYTES:
            self._history_bytes += len(data)
            self._history.append((stream, data))
        for queue in self._queues:
            queue.put_nowait((stream, data))
