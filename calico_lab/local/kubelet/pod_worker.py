"""The life of one pod on a node: volumes, network, containers, status, and the end of them all."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from typing import TypeVar

from calico_lab import errors
from calico_lab.local.client import ApiClient
from calico_lab.local.events import WARNING
from calico_lab.local.informer import key_of
from calico_lab.local.kubelet import images, mounts, name_resolution, tasks
from calico_lab.local.kubelet.container import Container
from calico_lab.local.kubelet.environment import PodFacts
from calico_lab.local.kubelet.status import INITIALIZING, Sandbox, pod_status
from calico_lab.local.kubelet.surroundings import Surroundings
from calico_lab.local.kubelet.volumes import Credentials, PodVolumes, VolumeError, refers_to
from calico_lab.local.network.pods import PodNetwork
from calico_lab.local.objects import is_deleting, is_ready, now
from calico_lab.local.resources import PODS, SERVICE_ACCOUNTS
from calico_lab.local.start.namespaces import Namespaces
from calico_lab.local.start.programs import Programs
from calico_lab.local.topology import Host
from calico_lab.local.wire import JsonObject

logger = logging.getLogger(__name__)

TRY_AGAIN_SECONDS = 1.0
VANISHED_GRACE_SECONDS = 1.0
TOLD_SECONDS = 1.0
TOKEN_SECONDS = 3607
LOGS = Path("/var/log/pods")

T = TypeVar("T")
Find = Callable[[str, str], JsonObject | None]


@dataclass(frozen=True)
class NodeContext:
    """What a node gives its pods; ``config_map`` and ``secret`` find an object by namespace and name."""

    client: ApiClient
    host: Host
    namespaces: Namespaces
    network: PodNetwork | None
    programs: Programs
    certificate_authority: bytes
    config_map: Find
    secret: Find
    services: Callable[[], Iterable[JsonObject]]
    say: Callable[[JsonObject, str, str, str], None]


class PodWorker:
    """Runs one pod until it is deleted; ``inside`` are its namespaces, while it has any."""

    def __init__(self, pod: JsonObject, node: NodeContext) -> None:
        self.pod = pod
        self.containers = [Container(spec) for spec in pod["spec"]["containers"]]
        self.init_containers = [Container(spec, once=True) for spec in pod["spec"].get("initContainers") or []]
        if self.init_containers:
            for container in self.all_containers:
                container.state.state = dict(INITIALIZING)
        self._node = node
        metadata = pod["metadata"]
        self._namespace, self._name, self._uid = metadata["namespace"], metadata["name"], metadata["uid"]
        self.key = key_of(pod)
        self._volumes = PodVolumes(
            pod, mounts.KUBELET_FOLDER / "pods" / self._uid, self._facts(""), node.namespaces.entered
        )
        self._logs = LOGS / f"{self._namespace}_{self._name}_{self._uid}"
        self._credentials = Credentials({}, node.certificate_authority)
        self._sandbox = Sandbox(str(node.host.address))
        self._address: IPv4Address | None = None
        self.inside: Namespaces | None = None
        self._published: JsonObject = pod.get("status") or {}
        self._published_version = 0
        self._changed = asyncio.Event()
        self._published_all = asyncio.Event()
        self._news = asyncio.Event()
        self._ending = asyncio.Event()
        self._vanished = False
        self.update(pod)

    @property
    def all_containers(self) -> list[Container]:
        """The pod's containers, those that initialize it first."""
        return [*self.init_containers, *self.containers]

    def container(self, name: str) -> Container:
        """Return a container. Raises ``NotFound``."""
        for container in self.all_containers:
            if container.state.name == name:
                return container
        raise errors.NotFound(f'container "{name}" not found in pod "{self._name}"')

    def update(self, pod: JsonObject) -> None:
        """Take note of the pod as it is in the API now."""
        self.pod = pod
        self._correct(pod)
        if is_deleting(pod):
            self._ending.set()

    def _correct(self, pod: JsonObject) -> None:
        """Publish again where somebody else said of the pod, while this node was cut off, that it is not ready."""
        newer = int(pod["metadata"].get("resourceVersion", 0)) > self._published_version > 0
        if newer and is_ready(pod) != is_ready({"status": self._published}):
            self._published = pod["status"]
            self._change()

    def vanish(self) -> None:
        """Take note that the API has the pod no more."""
        self._vanished = True
        if self._ending.is_set():
            for container in self.all_containers:  # deleted for the second time, by force: no grace is left
                container.kill()
        self._ending.set()

    def refresh(self, item: JsonObject) -> None:
        """Take note of a changed ConfigMap or Secret: write the volumes that show it."""
        metadata = item["metadata"]
        if metadata["namespace"] != self._namespace or not refers_to(self.pod, item["kind"], metadata["name"]):
            return
        self._news.set()
        if self.inside is not None and not self._ending.is_set():
            with suppress(VolumeError):  # what is gone from the API stays in the pod
                self._volumes.write(self._credentials)

    async def run(self) -> None:
        """Run the pod to its end."""
        publishing = tasks.start(self._publish_changes(), f"status of {self._name}")
        starting = tasks.start(self._start(), f"start of {self._name}")
        self._change()
        try:
            await self._ending.wait()
            starting.cancel()
            await asyncio.wait([starting])
            await self._stop()
        finally:
            starting.cancel()
            publishing.cancel()
            await self._take_down()
        await self._delete()

    async def _start(self) -> None:
        await self._retry("FailedMount", self._prepare_volumes)
        inside = await self._retry("FailedCreatePodSandBox", self._attach)
        around = Surroundings(
            facts=self._facts(self._sandbox.pod_address),
            inside=inside,
            node=self._node.namespaces,
            programs=self._node.programs,
            logs=self._logs,
            changed=self._change,
            told=self._told,
            say=self._say,
        )
        for container in self.init_containers:
            container.start(around)
            if not await container.done():
                return
        for container in self.containers:
            container.start(around)

    async def _retry(self, reason: str, step: Callable[[], Awaitable[T]]) -> T:
        """Take a step, again where it fails: after a while, or at once when what it waits for appears."""
        while True:
            self._news.clear()
            try:
                return await step()
            except (errors.LabError, errors.ApiError, OSError) as error:
                self._say(WARNING, reason, str(error))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), TRY_AGAIN_SECONDS)

    def _change(self) -> None:
        self._published_all.clear()
        self._changed.set()

    async def _told(self) -> None:
        """Wait until what has changed until now stands in the API, if that can be reached."""
        with suppress(TimeoutError):
            async with asyncio.timeout(TOLD_SECONDS):
                await self._published_all.wait()

    async def _prepare_volumes(self) -> None:
        missing = self._volumes.audiences() - self._credentials.tokens.keys()
        tokens = {audience: await self._token(audience) for audience in sorted(missing)}
        self._credentials = Credentials({**self._credentials.tokens, **tokens}, self._node.certificate_authority)
        self._volumes.write(self._credentials)

    async def _token(self, audience: str) -> str:
        spec: JsonObject = {
            "expirationSeconds": TOKEN_SECONDS,
            "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": self._name, "uid": self._uid},
        }
        spec |= {"audiences": [audience]} if audience else {}
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        account = self.pod["spec"].get("serviceAccountName") or "default"
        answer = await self._node.client.create_subresource(
            SERVICE_ACCOUNTS, account, self._namespace, "token", request
        )
        return str(answer["status"]["token"])

    async def _attach(self) -> Namespaces:
        if self._node.network is None or self.pod["spec"].get("hostNetwork"):
            raise errors.LabError("the local lab runs pods on the pod network alone")
        volumes = self._volumes.mounts()

        def prepare() -> None:
            mounts.show(volumes, images.folders_of(self.pod))
            name_resolution.write(self.pod)

        names = name_resolution.names(self.pod)
        inside, self._address = self._node.network.attach(self._name, prepare, namespace=self._namespace, names=names)
        self.inside = inside
        self._sandbox = replace(self._sandbox, pod_address=str(self._address))
        self._change()
        return inside

    async def _stop(self) -> None:
        grace = self.pod["metadata"].get("deletionGracePeriodSeconds", VANISHED_GRACE_SECONDS)
        await asyncio.gather(*(container.stop(grace, self._say) for container in self.all_containers))
        self._sandbox = replace(self._sandbox, ending=True)
        await self._publish()

    async def _take_down(self) -> None:
        for container in self.all_containers:
            container.kill()
        for container in self.all_containers:
            await container.close()
        if self._node.network is not None and self._address is not None:
            self._node.network.detach(self._address)
        if self.inside is not None:
            self.inside.close()
            self.inside = None
        self._volumes.remove()
        with self._node.namespaces.entered():
            shutil.rmtree(self._logs, ignore_errors=True)

    async def _delete(self) -> None:
        if not self._vanished:
            with suppress(errors.NotFound, errors.Conflict):  # another pod of this name may have come in between
                await self._node.client.delete(PODS, self._name, self._namespace, uid=self._uid, grace_seconds=0)

    async def _publish_changes(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._publish()
                if not self._changed.is_set():
                    self._published_all.set()
            except (errors.ApiError, OSError) as error:
                logger.warning("status of %s/%s not written: %s", self._namespace, self._name, error)
                asyncio.get_running_loop().call_later(TRY_AGAIN_SECONDS, self._change)

    async def _publish(self) -> None:
        states = [container.state for container in self.containers]
        init_states = [container.state for container in self.init_containers]
        status = pod_status(self.pod | {"status": self._published}, states, self._sandbox, now(), init_states)
        if status == self._published or self._vanished:
            return
        with suppress(errors.NotFound):
            written = await self._node.client.patch(
                PODS, self._name, self._namespace, {"status": status}, subresource="status"
            )
            self._published_version = int(written["metadata"]["resourceVersion"])
        self._published = status

    def _facts(self, pod_address: str) -> PodFacts:
        return PodFacts(
            self.pod,
            pod_address,
            str(self._node.host.address),
            partial(self._node.config_map, self._namespace),
            partial(self._node.secret, self._namespace),
            self._node.services,
        )

    def _say(self, kind: str, reason: str, message: str) -> None:
        self._node.say(self.pod, kind, reason, message)
