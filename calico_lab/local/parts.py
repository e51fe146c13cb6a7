"""The parts of a running lab: each started again when it ends, and each end counted and said.

A part is what would be a program of its own on a real machine: a controller, a kubelet, the SSH server, BIRD. Its end
is told in ``calico-lab status`` and by an event about the host that it runs on, in the manner of a kubelet.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from calico_lab.local import resources
from calico_lab.local.events import WARNING, EventRecorder
from calico_lab.local.objects import now
from calico_lab.local.topology import NODES, Host
from calico_lab.local.wire import JsonObject

logger = logging.getLogger(__name__)

FIRST_RESTART_SECONDS = 0.05
LAST_RESTART_SECONDS = 5.0

Run = Callable[[], Awaitable[None]]


@dataclass
class Part:
    """What is told of a part; ``last_end`` is why it ended the last time, ``restarted`` when it was started again."""

    name: str
    host: str
    restarts: int = 0
    last_end: str = ""
    restarted: str = ""
    task: asyncio.Task[Any] | None = field(default=None, repr=False)

    def as_json(self) -> JsonObject:
        """Return what ``calico-lab status --json`` shows."""
        about = {"name": self.name, "host": self.host, "restarts": self.restarts}
        return about | ({"lastEnd": self.last_end, "restarted": self.restarted} if self.restarts else {})


class Parts:
    """Starts parts as tasks of ``group``, counts their ends, and has ``events`` tell of them."""

    def __init__(self, group: asyncio.TaskGroup, events: EventRecorder) -> None:
        self._group = group
        self._events = events
        self._parts: dict[str, Part] = {}

    def as_json(self) -> list[JsonObject]:
        """Return what there is to tell of every part, in the order of their starts."""
        return [part.as_json() for part in self._parts.values()]

    def keep_running(self, name: str, host: Host, run: Run) -> None:
        """Run a part, again whenever it ends, with a growing delay; why it ended goes to the log too."""
        part = self._parts[name] = Part(name, host.name)
        self._group.create_task(self._keep_running(part, run), name=name)

    def ended(self, name: str, why: str) -> None:
        """Take note of the end of a part's program that the part itself has started again."""
        self._note(self._parts[name], why)

    def kill(self, name: str) -> bool:
        """End a part, as a test of what becomes of the lab then; returns whether there is such a part."""
        part = self._parts.get(name)
        if part is None or part.task is None:
            return False
        part.task.cancel()
        return True

    async def _keep_running(self, part: Part, run: Run) -> None:
        delay = FIRST_RESTART_SECONDS
        while True:
            begun = time.monotonic()
            why = await self._run(part, run)
            if time.monotonic() - begun > LAST_RESTART_SECONDS:
                delay = FIRST_RESTART_SECONDS
            await asyncio.sleep(delay)
            delay = min(2 * delay, LAST_RESTART_SECONDS)
            self._note(part, why)

    async def _run(self, part: Part, run: Run) -> str:
        """Run a part to its end; returns why it ended."""
        part.task = asyncio.ensure_future(run())
        try:
            await asyncio.wait([part.task])
        finally:
            part.task.cancel()
        if part.task.cancelled():
            return "it was killed"
        error = part.task.exception()
        logger.error("%s ended", part.name, exc_info=error)
        return f"{type(error).__name__}: {error}" if error else "it ended"

    def _note(self, part: Part, why: str) -> None:
        part.restarts, part.last_end, part.restarted = part.restarts + 1, why, now()
        logger.warning("%s: %s; started again", part.name, why)
        event = self._events.event(_host_object(part.host), WARNING, "Restarted", f"{part.name}: {why}; started again")
        self._group.create_task(event, name=f"event about {part.name}")


def _host_object(name: str) -> JsonObject:
    """Return what an event names as its object: the Node or, for the bastion, a host that is none."""
    if any(node.name == name for node in NODES):
        return {"apiVersion": "v1", "kind": resources.NODES.kind, "metadata": {"name": name, "uid": name}}
    return {"apiVersion": "calico-lab/v1", "kind": "Host", "metadata": {"name": name}}
