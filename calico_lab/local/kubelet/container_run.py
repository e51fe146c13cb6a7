"""One run of a container: its program from the start to the end, with its console, probes and hooks."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from functools import partial

from calico_lab.local.events import WARNING
from calico_lab.local.kubelet import tasks
from calico_lab.local.kubelet.commands import Commands
from calico_lab.local.kubelet.console import Console
from calico_lab.local.kubelet.container_log import ContainerLog
from calico_lab.local.kubelet.container_probes import ContainerProbes, Reaches
from calico_lab.local.kubelet.hooks import HookFailed, run_hook
from calico_lab.local.kubelet.images import Image
from calico_lab.local.kubelet.listening import until_listening
from calico_lab.local.kubelet.probes import Prober
from calico_lab.local.kubelet.status import ContainerState
from calico_lab.local.kubelet.surroundings import Surroundings
from calico_lab.local.process import Process, spawn
from calico_lab.local.wire import JsonObject

# What is left to the program when its preStop hook has used up the grace: as upstream.
LEAST_GRACE_SECONDS = 2.0


class ContainerRun:
    """Made when the program starts. Raises ``OSError`` when it cannot be started; the log has ended then."""

    def __init__(
        self,
        spec: JsonObject,
        state: ContainerState,
        log: ContainerLog,
        around: Surroundings,
        environment: Mapping[str, str],
        image: Image,
        arguments: list[str],
    ) -> None:
        self._spec = spec
        self._image = image
        self._state = state
        self._around = around
        self._hooks = spec.get("lifecycle") or {}
        directory = spec.get("workingDir") or "/"
        self._environment = environment
        self.log = log
        self.console = Console(spec, log)
        self.commands = Commands(around.inside, environment, directory)
        self._prober = Prober(around.node, around.facts.pod_address, self.commands.run)
        self._stopping: asyncio.Task[int] | None = None
        self._tending: asyncio.Task[None] | None = None
        try:
            self._process = self._spawn(environment, arguments, directory)
        except OSError:
            self.end()
            raise

    @property
    def running(self) -> bool:
        """Whether the program has not ended yet."""
        return self._process.running

    async def attend(self) -> int:
        """Probe the program until it ends; returns its exit code as a shell has it."""
        around = self._around
        restart = partial(self.stop, around.facts.pod["spec"].get("terminationGracePeriodSeconds", 30))
        probes = ContainerProbes(
            self._spec,
            self._state,
            self._prober,
            self._listening(),
            changed=around.changed,
            say=around.say,
            restart=restart,
        )
        self._tending = tasks.start(self._tend(probes), f"probes of {self._state.name}")
        try:
            exit_code = await self._process.wait()
        finally:
            self._tending.cancel()
            self._state.ready = self._state.started = False
            self.commands.kill()
        return exit_code if exit_code >= 0 else 128 - exit_code

    def _listening(self) -> list[Reaches]:
        ports = self._image.ports(self._environment)
        if ports is None:
            return [partial(until_listening, self._process.pid)]
        return [partial(self._prober.connect, self._prober.pod_address, port) for port in ports]

    def end(self) -> None:
        """Take what is left of the program's output."""
        self.log.end()
        self.console.end()

    def stop(self, grace_seconds: float) -> asyncio.Task[int]:
        """End the program within its grace, of which its preStop hook has a part; returns the task that does it."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop(grace_seconds))
        return self._stopping

    def kill(self) -> None:
        """End the program at once."""
        self._process.signal(signal.SIGKILL)

    async def wait(self) -> None:
        """Wait until the program has ended."""
        await self._process.wait()

    async def _tend(self, probes: ContainerProbes) -> None:
        if "postStart" in self._hooks:
            try:
                await run_hook(self._hooks["postStart"], self._spec, self.commands, self._prober)
            except HookFailed as failure:
                self._around.say(WARNING, "FailedPostStartHook", f"PostStartHook failed: {failure}")
                self.kill()
                return
        await probes.run()

    async def _stop(self, grace_seconds: float) -> int:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace_seconds
        if self._tending is not None:
            self._tending.cancel()  # a program that is to end must not be kept up by probes
        if "preStop" in self._hooks and grace_seconds > 0 and self.running:
            await self._before_stop(grace_seconds)
        left = max(deadline - loop.time(), LEAST_GRACE_SECONDS if grace_seconds else 0)
        return await self._process.stop(left, self._image.stop_signal)

    async def _before_stop(self, grace_seconds: float) -> None:
        hook = run_hook(self._hooks["preStop"], self._spec, self.commands, self._prober)
        try:
            await asyncio.wait_for(hook, grace_seconds)
        except HookFailed as failure:
            self._around.say(WARNING, "FailedPreStopHook", f"PreStopHook failed: {failure}")
        except TimeoutError:
            message = f"PreStopHook failed: it did not end within {grace_seconds:g} s"
            self._around.say(WARNING, "FailedPreStopHook", message)

    def _spawn(self, environment: Mapping[str, str], arguments: list[str], directory: str) -> Process:
        stdin, stdout, stderr = self.console.ends.program
        try:
            return spawn(
                arguments,
                inside=self._around.inside,
                environment=environment,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                terminal=self.console.ends.terminal,
                directory=directory,
            )
        finally:
            self.console.ends.release_program()
