"""The kubelet of one node: presents its host as a Node and runs the pods that are bound to it."""

from __future__ import annotations

import asyncio
import json
import logging
import re

from calico_lab import errors
from calico_lab.local.client import ApiClient
from calico_lab.local.events import EventRecorder
from calico_lab.local.informer import Informer, Key
from calico_lab.local.kubelet import log_server, mounts, streaming, tasks
from calico_lab.local.kubelet.container import Container
from calico_lab.local.kubelet.heartbeat import Heartbeat
from calico_lab.local.kubelet.node import node
from calico_lab.local.kubelet.pod_worker import NodeContext, PodWorker
from calico_lab.local.network.pods import PodNetwork
from calico_lab.local.objects import now
from calico_lab.local.resources import CONFIG_MAPS, NODES, PODS, SECRETS, SERVICES
from calico_lab.local.start.namespaces import Namespaces
from calico_lab.local.start.programs import Programs
from calico_lab.local.topology import Host
from calico_lab.local.wire import JsonObject, Request, Response

logger = logging.getLogger(__name__)

_PATH = re.compile(r"/(containerLogs|exec|attach|portForward)/([^/]+)/([^/]+)(?:/([^/]+))?")


class Kubelet:
    """One for each node, all in the lab's first process.

    ``namespaces`` are the node's, ``network`` gives its pods their addresses, ``certificate_authority`` is the PEM
    file by which pods trust the API server.
    """

    def __init__(
        self,
        client: ApiClient,
        host: Host,
        namespaces: Namespaces,
        network: PodNetwork | None,
        programs: Programs,
        certificate_authority: bytes,
    ) -> None:
        self._client = client
        self._host = host
        self._namespaces = namespaces
        self._pods = Informer(client, PODS)
        self._config_maps = Informer(client, CONFIG_MAPS)
        self._secrets = Informer(client, SECRETS)
        self._services = Informer(client, SERVICES)
        self._workers: dict[str, PodWorker] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._group = asyncio.TaskGroup()
        self._pods.on_change(self._hear)
        self._config_maps.on_change(self._refresh_volumes)
        self._secrets.on_change(self._refresh_volumes)
        self._events: asyncio.Queue[tuple[JsonObject, str, str, str]] = asyncio.Queue()
        self._context = NodeContext(
            client=client,
            host=host,
            namespaces=namespaces,
            network=network,
            programs=programs,
            certificate_authority=certificate_authority,
            config_map=lambda namespace, name: self._config_maps.get(Key(namespace, name)),
            secret=lambda namespace, name: self._secrets.get(Key(namespace, name)),
            services=lambda: self._services,
            say=lambda pod, kind, reason, message: self._events.put_nowait((pod, kind, reason, message)),
        )

    async def run(self) -> None:
        """Register the node and run its pods until cancelled. The pods then go on, and are taken over the next time."""
        if not self._running:
            with self._namespaces.entered():
                mounts.prepare_node()
        await self._register()
        async with asyncio.TaskGroup() as self._group:
            self._group.create_task(self._record_events(), name=f"kubelet {self._host.name}: events")
            self._group.create_task(Heartbeat(self._client, self._host).run(), name=f"{self._host.name}: heartbeat")
            # Pods come last: what they refer to is known by then.
            for informer in (self._config_maps, self._secrets, self._services, self._pods):
                self._group.create_task(informer.run(), name=f"kubelet {self._host.name}: {informer.resource.plural}")
                await informer.synced.wait()

    async def handle(self, request: Request) -> Response:
        """Answer GET /containerLogs, /exec and /attach/NAMESPACE/POD/CONTAINER, and /portForward/NAMESPACE/POD.

        The query of the first is that of the API's ``pods/log``, that of the others the kubelet's own.
        """
        path = _PATH.fullmatch(request.path)
        if request.method != "GET" or path is None:
            return _refusal(errors.NotFound("404 page not found"))
        what, namespace, pod, container = path.groups()
        try:
            worker = self._find(namespace, pod)
            if what == "portForward":
                return streaming.forward(worker.inside, request)
            found = worker.container(container or "")
            if what == "exec":
                return streaming.execute(f"{namespace}/{pod}", found, request)
            if what == "attach":
                return streaming.attach(f"{pod}_{namespace}", found, request)
            return _log(pod, found, request)
        except errors.ApiError as error:
            return _refusal(error)

    def _find(self, namespace: str, pod: str) -> PodWorker:
        found = [worker for worker in self._workers.values() if worker.key == Key(namespace, pod)]
        if not found:
            raise errors.NotFound(f'pod "{pod}" does not exist')
        return found[-1]

    async def _register(self) -> None:
        presented = node(self._host, now())
        try:
            await self._client.create(NODES, presented)
        except errors.AlreadyExists:
            change = {"metadata": {"labels": presented["metadata"]["labels"]}}
            await self._client.patch(NODES, self._host.name, "", change)
        await self._client.patch(NODES, self._host.name, "", {"status": presented["status"]}, subresource="status")

    def _hear(self, old: JsonObject | None, new: JsonObject | None) -> None:
        """Take note of a change of a pod, this node's or another's."""
        if old is not None and (new is None or new["metadata"]["uid"] != old["metadata"]["uid"]):
            worker = self._workers.get(old["metadata"]["uid"])
            if worker is not None:
                worker.vanish()
        if new is None or new["spec"].get("nodeName") != self._host.name:
            return
        uid = new["metadata"]["uid"]
        if uid in self._workers:
            self._workers[uid].update(new)
        else:
            self._workers[uid] = PodWorker(new, self._context)
            # Not in the group of what this kubelet runs: pods outlive the end of their kubelet.
            self._running[uid] = tasks.start(self._work(uid), f"pod {new['metadata']['name']}")

    async def _work(self, uid: str) -> None:
        worker = self._workers[uid]
        try:
            await worker.run()
        except Exception:
            logger.exception("pod %s", "/".join(worker.key))
        finally:
            del self._workers[uid], self._running[uid]

    def _refresh_volumes(self, _old: JsonObject | None, new: JsonObject | None) -> None:
        if new is not None:
            for worker in self._workers.values():
                worker.refresh(new)

    async def _record_events(self) -> None:
        recorder = EventRecorder(self._client, "kubelet", host=self._host.name)
        while True:
            await recorder.event(*await self._events.get())


def _log(pod: str, container: Container, request: Request) -> Response:
    options = log_server.LogOptions.of(request)
    log = log_server.choose_log(pod, container.state, container.logs, previous=options.previous)
    run = container.last_run
    if run is not None and run.log is log:
        log.drain()
        run.console.forget()
    return Response(200, content_type="text/plain", stream=log_server.stream(log, options))


def _refusal(error: errors.ApiError) -> Response:
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": str(error),
        "reason": error.reason,
        "code": error.code,
    }
    return Response(error.code, json.dumps(status).encode())
