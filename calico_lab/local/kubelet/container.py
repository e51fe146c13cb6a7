"""The life of one container: its program started, restarted when it ends, and stopped."""

from __future__ import annotations

import asyncio
import hashlib
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from calico_lab.local.events import NORMAL, WARNING
from calico_lab.local.kubelet import tasks
from calico_lab.local.kubelet.container_log import ContainerLog
from calico_lab.local.kubelet.container_probes import ContainerProbes, Say
from calico_lab.local.kubelet.environment import ContainerConfigError, PodFacts, environment_of, expand
from calico_lab.local.kubelet.images import IMAGES, ArgumentsRefused, Image
from calico_lab.local.kubelet.probes import Prober
from calico_lab.local.kubelet.status import ContainerState, terminated
from calico_lab.local.objects import now
from calico_lab.local.process import Process, spawn
from calico_lab.local.start.namespaces import Namespaces
from calico_lab.local.start.programs import Programs
from calico_lab.local.wire import JsonObject

# The delays between restarts, and how long a container must have run to be forgiven: those of Kubernetes
# (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts).
FIRST_DELAY_SECONDS = 10.0
LAST_DELAY_SECONDS = 300.0
FORGIVEN_AFTER_SECONDS = 600.0
TRY_AGAIN_SECONDS = 1.0
KEPT_LOGS = 2


@dataclass(frozen=True)
class Surroundings:
    """What a pod gives its containers; ``say(type, reason, message)`` records an event about the pod."""

    facts: PodFacts
    inside: Namespaces
    node: Namespaces
    programs: Programs
    logs: Path
    changed: Callable[[], None]
    say: Say


class Container:
    """One container of a pod; ``state`` is what its status says, ``logs`` those of its last runs, newest last."""

    def __init__(self, spec: JsonObject) -> None:
        self.spec = spec
        self.state = ContainerState(spec["name"], spec["image"])
        self.logs: list[ContainerLog] = []
        self._process: Process | None = None
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._delay = 0.0

    def start(self, around: Surroundings) -> None:
        """Run the container from now on."""
        self._task = tasks.start(self._run(around), f"container {self.state.name}")

    async def stop(self, grace_seconds: float, say: Say) -> None:
        """End the container for good, within its grace."""
        self._stopping = True
        if self._process is not None and self._process.running:
            say(NORMAL, "Killing", f"Stopping container {self.state.name}")
            await self._process.stop(grace_seconds)
        elif self._task is not None:
            self._task.cancel()
        if self._task is not None:
            await asyncio.wait([self._task])

    def kill(self) -> None:
        """End the container for good and at once."""
        self._stopping = True
        if self._process is not None:
            self._process.signal(signal.SIGKILL)
        elif self._task is not None:
            self._task.cancel()

    async def close(self) -> None:
        """Wait for the end of a container that was stopped or killed, and let go of its logs."""
        if self._process is not None:
            await self._process.wait()
        if self._task is not None:
            self._task.cancel()
        for log in self.logs:
            log.close()

    async def _run(self, around: Surroundings) -> None:
        image = IMAGES.get(self.spec["image"])
        if image is None:
            await self._miss_image(around)
            return
        around.say(NORMAL, "Pulled", f'Container image "{self.state.image}" already present on machine')
        policy = around.facts.pod["spec"].get("restartPolicy", "Always")
        loop = asyncio.get_running_loop()
        while True:
            environment, arguments = await self._configure(image, around)
            began = loop.time()
            self.state.state = await self._run_once(image, environment, arguments, around)
            around.changed()
            succeeded = self.state.state["terminated"]["exitCode"] == 0
            if self._stopping or policy == "Never" or (policy == "OnFailure" and succeeded):
                return
            self.state.last_state = self.state.state
            await self._back_off(loop.time() - began, around)
            self.state.restart_count += 1

    async def _configure(self, image: Image, around: Surroundings) -> tuple[dict[str, str], list[str]]:
        """Return environment and command line, as soon as everything that they refer to exists."""
        while True:
            try:
                if self.spec.get("command"):
                    raise ArgumentsRefused("the local lab runs its own program for this image and takes no command")
                environment = environment_of(self.spec, around.facts)
                arguments = [expand(argument, environment) for argument in self.spec.get("args") or []]
                return environment, image.command_line(around.programs, arguments)
            except ContainerConfigError as error:
                self._wait_because("CreateContainerConfigError", str(error), around)
            except ArgumentsRefused as error:
                self._wait_because("CreateContainerError", str(error), around)
            await asyncio.sleep(TRY_AGAIN_SECONDS)

    def _wait_because(self, reason: str, message: str, around: Surroundings) -> None:
        waiting = {"waiting": {"reason": reason, "message": message}}
        if self.state.state != waiting:
            self.state.state = waiting
            around.say(WARNING, "Failed", f"Error: {message}")
            around.changed()

    async def _run_once(
        self, image: Image, environment: dict[str, str], arguments: list[str], around: Surroundings
    ) -> JsonObject:
        """Run the program to its end; returns the terminated state that it ends in."""
        name, started = self.state.name, now()
        log = self._new_log(around)
        identity = f"{around.facts.pod['metadata']['uid']}/{name}/{self.state.restart_count}"
        self.state.container_id = f"calico-lab://{hashlib.sha256(identity.encode()).hexdigest()}"
        around.say(NORMAL, "Created", f"Created container: {name}")
        try:
            process = self._process = self._spawn(environment, arguments, log, around)
        except OSError as error:
            log.end()
            around.say(WARNING, "Failed", f"Error: {error}")
            return terminated(128, "StartError", started, self.state.container_id, str(error))
        self.state.state = {"running": {"startedAt": started}}
        around.say(NORMAL, "Started", f"Started container {name}")
        around.changed()
        exit_code = await self._attend(process, image.ports(environment), around)
        log.end()
        return terminated(exit_code, "Error" if exit_code else "Completed", started, self.state.container_id)

    def _spawn(
        self, environment: dict[str, str], arguments: list[str], log: ContainerLog, around: Surroundings
    ) -> Process:
        with log.writing_ends() as (output, errors):
            return spawn(
                arguments,
                inside=around.inside,
                environment=environment,
                stdout=output,
                stderr=errors,
                directory=self.spec.get("workingDir") or "/",
            )

    def _new_log(self, around: Surroundings) -> ContainerLog:
        path = around.logs / self.state.name / f"{self.state.restart_count}.log"
        self.logs.append(ContainerLog(path, around.node.entered))
        for old in self.logs[:-KEPT_LOGS]:
            old.close()
        del self.logs[:-KEPT_LOGS]
        return self.logs[-1]

    async def _attend(self, process: Process, ports: tuple[int, ...], around: Surroundings) -> int:
        """Probe the program until it ends; returns its exit code as a shell would give it."""
        grace = around.facts.pod["spec"].get("terminationGracePeriodSeconds", 30)
        stopping: list[asyncio.Task[int]] = []

        def restart() -> None:
            if not stopping:
                stopping.append(asyncio.create_task(process.stop(grace)))

        prober = Prober(around.node, around.facts.pod_address)
        probes = ContainerProbes(
            self.spec, self.state, prober, ports, changed=around.changed, say=around.say, restart=restart
        )
        probing = tasks.start(probes.run(), f"probes of {self.state.name}")
        try:
            exit_code = await process.wait()
        finally:
            probing.cancel()
            self.state.ready = self.state.started = False
        return exit_code if exit_code >= 0 else 128 - exit_code

    async def _back_off(self, ran_seconds: float, around: Surroundings) -> None:
        """Wait before a restart: not at all the first time, then longer and longer."""
        delay = 0.0 if ran_seconds > FORGIVEN_AFTER_SECONDS else self._delay
        self._delay = min(max(2 * delay, FIRST_DELAY_SECONDS), LAST_DELAY_SECONDS)
        if delay <= ran_seconds:
            return
        metadata, name = around.facts.pod["metadata"], self.state.name
        pod = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
        message = f"back-off {_duration(delay)} restarting failed container={name} pod={pod}"
        self.state.state = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
        around.say(WARNING, "BackOff", f"Back-off restarting failed container {name} in pod {pod}")
        around.changed()
        await asyncio.sleep(delay)

    async def _miss_image(self, around: Surroundings) -> None:
        name = self.state.image
        problem = f'the local lab does not have the image "{name}"; it has: {", ".join(sorted(IMAGES))}'
        around.say(NORMAL, "Pulling", f'Pulling image "{name}"')
        around.say(WARNING, "Failed", f'Failed to pull image "{name}": {problem}')
        around.say(WARNING, "Failed", "Error: ErrImagePull")
        self.state.state = {"waiting": {"reason": "ErrImagePull", "message": problem}}
        around.changed()
        await asyncio.sleep(TRY_AGAIN_SECONDS)
        message = f'Back-off pulling image "{name}": ErrImagePull: {problem}'
        self.state.state = {"waiting": {"reason": "ImagePullBackOff", "message": message}}
        around.say(NORMAL, "BackOff", f'Back-off pulling image "{name}"')
        around.say(WARNING, "Failed", "Error: ImagePullBackOff")
        around.changed()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
