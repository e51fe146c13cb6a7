"""What a container's probes make of it: started, ready, or to be restarted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from calico_lab.local.events import NORMAL, WARNING
from calico_lab.local.kubelet.probes import TIMED_OUT, Prober, Schedule, observe, until_first_success
from calico_lab.local.kubelet.status import ContainerState
from calico_lab.local.wire import JsonObject

Say = Callable[[str, str, str], None]
Reaches = Callable[[], Awaitable[None]]


class ContainerProbes:
    """The probes of one run of a container.

    ``listening`` are attempts to see that it can be reached, all of which must succeed; ``changed`` is called
    when ``state`` has changed, ``say`` with an event's type, reason and message, ``restart`` when the container is to
    be ended for its own good.
    """

    def __init__(
        self,
        spec: JsonObject,
        state: ContainerState,
        prober: Prober,
        listening: Sequence[Reaches],
        *,
        changed: Callable[[], None],
        say: Say,
        restart: Callable[[], object],
    ) -> None:
        self._spec = spec
        self._state = state
        self._prober = prober
        self._listening = listening
        self._changed = changed
        self._say = say
        self._restart = restart

    async def run(self) -> None:
        """Probe until cancelled."""
        if "startupProbe" in self._spec:
            await self._wait_for_startup()
        self._state.started = True
        self._changed()
        async with asyncio.TaskGroup() as group:
            if "livenessProbe" in self._spec:
                group.create_task(self._observe("liveness", partial(self._give_up_unless, "liveness")))
            if "readinessProbe" in self._spec:
                group.create_task(self._observe("readiness", self._set_ready))
            else:
                group.create_task(self._wait_for_ports())

    def _observe(self, kind: str, verdict: Callable[[bool], None]) -> Coroutine[Any, Any, None]:
        probe = self._spec[f"{kind}Probe"]

        def failed(message: str) -> None:
            if "exec" in probe and message == TIMED_OUT:
                command = " ".join(probe["exec"]["command"])
                message = f'command timed out: "{command}" timed out after {probe.get("timeoutSeconds") or 1}s'
            self._say(WARNING, "Unhealthy", f"{kind.capitalize()} probe failed: {message}")

        return observe(partial(self._prober.attempt, probe, self._spec), Schedule.of(probe), verdict, failed)

    async def _wait_for_startup(self) -> None:
        started = asyncio.Event()

        def verdict(up: bool) -> None:
            if up:
                started.set()
            self._give_up_unless("startup", up)

        observing = asyncio.create_task(self._observe("startup", verdict))
        try:
            await started.wait()
        finally:
            observing.cancel()

    async def _wait_for_ports(self) -> None:
        """Without a readiness probe a container is ready once it can be reached, and as long as it runs."""
        for reaches in self._listening:
            await until_first_success(reaches)
        self._set_ready(True)

    def _set_ready(self, ready: bool) -> None:
        if ready != self._state.ready:
            self._state.ready = ready
            self._changed()

    def _give_up_unless(self, kind: str, alive: bool) -> None:
        if not alive:
            self._say(NORMAL, "Killing", f"Container {self._state.name} failed {kind} probe, will be restarted")
            self._restart()
