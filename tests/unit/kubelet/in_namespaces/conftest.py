"""Three kubelets with the real API server and the real pod network; the tests stand in for the scheduler."""

import asyncio
import json

import pytest
from support.eventually import eventually

from calico_lab import errors
from calico_lab.local import process, resources
from calico_lab.local.apiserver.server import ApiServer
from calico_lab.local.client import ApiClient
from calico_lab.local.kubelet import Kubelet
from calico_lab.local.kubelet.images import ECHO_BASIC
from calico_lab.local.network.hosts import create_hosts
from calico_lab.local.network.pods import PodNetwork
from calico_lab.local.objects import is_ready
from calico_lab.local.start import programs
from calico_lab.local.topology import NODES
from calico_lab.local.wire import Request

TOKEN = "a-token-of-the-tests"


class World:
    """A cluster of nodes without a control plane beyond the API server."""

    def __init__(self):
        self.hosts = create_hosts()
        self.server = ApiServer(seed="tests", tokens={TOKEN: "kubernetes-admin"})
        self.client = ApiClient(self.server.handle, token=TOKEN)
        self.tasks = []

    async def start(self):
        await self.create(resources.SERVICE_ACCOUNTS, "default")
        found = programs.find()
        for host in NODES:
            namespaces = self.hosts[host.name]
            kubelet = Kubelet(self.client, host, namespaces, PodNetwork(host, namespaces), found, b"the CA")
            self.server.connect_kubelet(host.name, kubelet.handle)
            self.tasks.append(asyncio.create_task(kubelet.run()))

    async def stop(self):
        """End everything; no part may have ended by itself."""
        ended = [task for task in self.tasks if task.done()]
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        assert not ended, ended

    async def create(self, resource, name, **content):
        return await self.client.create(resource, {"metadata": {"name": name, "namespace": "default"}, **content})

    async def pod(self, name, node="worker1", volumes=(), **container):
        """Create a pod of echo-basic, bound to a node."""
        field = {"fieldRef": {"fieldPath": "metadata.name"}}
        container = {
            "name": "backend",
            "image": ECHO_BASIC,
            "env": [{"name": "POD_NAME", "valueFrom": field}],
        } | container
        spec = {
            "nodeName": node,
            "containers": [container],
            "volumes": list(volumes),
            "terminationGracePeriodSeconds": 60,
        }
        return await self.create(resources.PODS, name, spec=spec)

    async def get(self, name):
        return await self.client.get(resources.PODS, name, "default")

    async def status(self, name):
        return (await self.get(name)).get("status", {})

    async def container(self, name):
        statuses = (await self.status(name)).get("containerStatuses")
        return statuses[0] if statuses else {"state": {}, "lastState": {}, "restartCount": 0}

    async def ready(self, *names):
        """Wait until pods are ready."""

        async def so():
            return all([is_ready(await self.get(name)) for name in names])

        await eventually(so)

    async def waiting(self, name, reason):
        """Wait until a pod's container waits for a reason; returns the message."""

        async def so():
            return (await self.container(name))["state"].get("waiting", {}).get("reason") == reason

        await eventually(so)
        return (await self.container(name))["state"]["waiting"].get("message", "")

    async def gone(self, name):
        """Wait until the API has a pod no more."""

        async def so():
            try:
                await self.get(name)
            except errors.NotFound:
                return True
            return False

        await eventually(so)

    async def run(self, host, command):
        _exit_code, output = await process.run(["/bin/bash", "-c", command], inside=self.hosts[host])
        return output.decode()

    async def ask(self, name, path):
        """Ask a pod over HTTP from its node; returns the answer's body."""
        status = await self.status(name)
        host = next(host.name for host in NODES if str(host.address) == status["hostIP"])
        return await self.run(host, f"curl -s --max-time 2 'http://{status['podIP']}:3000{path}'")

    async def echo(self, name, path="/round"):
        return json.loads(await self.ask(name, path))

    async def log(self, name, **query):
        headers = {"authorization": f"Bearer {TOKEN}"}
        path = f"/api/v1/namespaces/default/pods/{name}/log"
        response = await self.server.handle(Request("GET", path, tuple(query.items()), headers))
        if response.stream is None:
            return json.loads(response.body)["message"]
        return b"".join([piece async for piece in response.stream]).decode()

    async def events(self, name):
        items, _ = await self.client.list(resources.EVENTS, "default")
        return {item["reason"]: item["message"] for item in items if item["involvedObject"]["name"] == name}


@pytest.fixture(scope="session")
async def world():
    world = World()
    await world.start()
    yield world
    await world.stop()
