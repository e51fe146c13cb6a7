"""The life of one container: its program started, restarted when it ends, and stopped."""

from __future__ import annotations

import asyncio
import hashlib

from calico_lab.local.events import NORMAL, WARNING
from calico_lab.local.kubelet import images, tasks
from calico_lab.local.kubelet.container_log import ContainerLog
from calico_lab.local.kubelet.container_probes import Say
from calico_lab.local.kubelet.container_run import ContainerRun
from calico_lab.local.kubelet.environment import ContainerConfigError, environment_of, expand
from calico_lab.local.kubelet.images import ArgumentsRefused, Image, ImageMissing
from calico_lab.local.kubelet.status import ContainerState, terminated
from calico_lab.local.kubelet.surroundings import Surroundings
from calico_lab.local.objects import now
from calico_lab.local.wire import JsonObject

# The delays between restarts, and how long a container must have run to be forgiven: those of Kubernetes
# (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts).
FIRST_DELAY_SECONDS = 10.0
LAST_DELAY_SECONDS = 300.0
FORGIVEN_AFTER_SECONDS = 600.0
TRY_AGAIN_SECONDS = 1.0
KEPT_LOGS = 2


class Container:
    """One container of a pod; ``state`` is what its status says, ``logs`` those of its last runs, newest last.

    ``last_run`` is the newest run. A container that runs ``once`` (an init container) is done when it has succeeded.
    """

    def __init__(self, spec: JsonObject, *, once: bool = False) -> None:
        self.spec = spec
        self.state = ContainerState(spec["name"], spec["image"])
        self.logs: list[ContainerLog] = []
        self.last_run: ContainerRun | None = None
        self._once = once
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        # The first restart follows at once; but an interactive program's last words wait for whoever attaches.
        self._delay = FIRST_DELAY_SECONDS if spec.get("stdinOnce") else 0.0

    def start(self, around: Surroundings) -> None:
        """Run the container from now on."""
        self._task = tasks.start(self._run(around), f"container {self.state.name}")

    async def stop(self, grace_seconds: float, say: Say) -> None:
        """End the container for good, within its grace."""
        self._stopping = True
        if self.last_run is not None and self.last_run.running:
            say(NORMAL, "Killing", f"Stopping container {self.state.name}")
            await self.last_run.stop(grace_seconds)
        elif self._task is not None:
            self._task.cancel()
        if self._task is not None:
            await asyncio.wait([self._task])

    def kill(self) -> None:
        """End the container for good and at once."""
        self._stopping = True
        if self.last_run is not None and self.last_run.running:
            self.last_run.kill()
        elif self._task is not None:
            self._task.cancel()

    async def close(self) -> None:
        """Wait for the end of a container that was stopped or killed, and let go of its logs."""
        if self.last_run is not None:
            await self.last_run.wait()
        if self._task is not None:
            self._task.cancel()
        for log in self.logs:
            log.close()

    async def done(self) -> bool:
        """Wait until the container will not be started again; returns whether it has succeeded."""
        if self._task is not None:
            await asyncio.wait([self._task])
        return (self.state.state.get("terminated") or {}).get("exitCode") == 0

    async def _run(self, around: Surroundings) -> None:
        image = await self._find_image(around)
        around.say(NORMAL, "Pulled", f'Container image "{self.state.image}" already present on machine')
        loop = asyncio.get_running_loop()
        while True:
            environment, arguments = await self._configure(image, around)
            began = loop.time()
            self.state.state = await self._run_once(image, environment, arguments, around)
            around.changed()
            if self._stopping or not self._starts_again(around.facts.pod["spec"].get("restartPolicy", "Always")):
                return
            self.state.last_state = self.state.state
            await self._back_off(loop.time() - began, around)
            self.state.restart_count += 1

    def _starts_again(self, policy: str) -> bool:
        succeeded = self.state.state["terminated"]["exitCode"] == 0
        if succeeded:
            return policy == "Always" and not self._once
        return policy != "Never"

    async def _configure(self, image: Image, around: Surroundings) -> tuple[dict[str, str], list[str]]:
        """Return environment and command line, as soon as everything that they refer to exists."""
        while True:
            try:
                environment = environment_of(self.spec, around.facts)
                command, arguments = (
                    [expand(argument, environment) for argument in self.spec.get(field) or []]
                    for field in ("command", "args")
                )
                return environment, image.command_line(around.programs, command, arguments)
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
            run = self.last_run = ContainerRun(self.spec, self.state, log, around, environment, image, arguments)
        except OSError as error:
            around.say(WARNING, "Failed", f"Error: {error}")
            return terminated(128, "StartError", started, self.state.container_id, str(error))
        self.state.state = {"running": {"startedAt": started}}
        around.say(NORMAL, "Started", f"Started container {name}")
        around.changed()
        exit_code = await run.attend()
        run.end()
        # That a program ran is told even when it has ended meanwhile: somebody may be waiting to be attached.
        await around.told()
        return terminated(exit_code, "Error" if exit_code else "Completed", started, self.state.container_id)

    def _new_log(self, around: Surroundings) -> ContainerLog:
        path = around.logs / self.state.name / f"{self.state.restart_count}.log"
        self.logs.append(ContainerLog(path, around.node.entered))
        for old in self.logs[:-KEPT_LOGS]:
            old.close()
        del self.logs[:-KEPT_LOGS]
        return self.logs[-1]

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

    async def _find_image(self, around: Surroundings) -> Image:
        """Return the image; waits for ever for one that the lab does not have."""
        name = self.state.image
        try:
            return images.find(name)
        except ImageMissing as error:
            problem = str(error)
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
        return await asyncio.Future()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
