"""A cluster for the controllers' tests: the real API server in this process, three nodes, and a stand-in for kubelets.

The stand-in only moves the statuses of pods, which is all that controllers see of a kubelet.
"""

import asyncio
from contextlib import suppress

import pytest
from support.eventually import eventually

from calico_lab import errors
from calico_lab.local import resources
from calico_lab.local.apiserver.server import ApiServer
from calico_lab.local.client import ApiClient
from calico_lab.local.controller import Controller
from calico_lab.local.controllers import all_controllers
from calico_lab.local.objects import is_deleting, is_ready, now
from calico_lab.local.topology import NODES

TOKEN = "a-token-of-the-tests"
CONTROL_PLANE_TAINT = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}


class KubeletStandIn(Controller):
    """Says that bound pods run and are ready, and lets deleted ones go, as long as it is not held."""

    name = "kubelet stand-in"

    def __init__(self, client):
        super().__init__(client)
        self.held = False
        self._started = 0
        self.pods = self.inform(resources.PODS)

    async def reconcile(self, key):
        pod = self.pods.get(key)
        if pod is None or not pod["spec"].get("nodeName"):
            return
        if is_deleting(pod):
            with suppress(errors.NotFound):
                await self.client.delete(resources.PODS, key.name, key.namespace, grace_seconds=0)
        elif not self.held and not is_ready(pod):
            self._started += 1
            address = pod["status"].get("podIP") or f"10.48.1.{self._started}"
            await self.say(pod, ready=True, phase="Running", podIP=address)

    async def say(self, pod, *, ready, **fields):
        condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": now()}
        metadata = pod["metadata"]
        await self.client.patch(
            resources.PODS,
            metadata["name"],
            metadata["namespace"],
            {"status": fields | {"conditions": [condition]}},
            subresource="status",
        )

    def release(self):
        self.held = False
        for pod in self.pods:
            self.queue.add((pod["metadata"]["namespace"], pod["metadata"]["name"]))


class Cluster:
    """What the tests do to the cluster and ask of it."""

    def __init__(self, client, kubelets):
        self.client = client
        self.kubelets = kubelets

    async def apply(self, resource, name, namespace="default", **content):
        metadata = {"name": name} | ({"namespace": namespace} if resource.namespaced else {})
        metadata |= content.pop("metadata", {})
        body = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, **content}
        return await self.client.create(resource, body)

    async def deploy(self, name="backend", replicas=4, **spec):
        labels = {"app": name}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "one"}]}}
        wanted = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template} | spec
        return await self.apply(resources.DEPLOYMENTS, name, spec=wanted)

    async def change(self, resource, name, change, namespace="default"):
        return await self.client.patch(resource, name, namespace, change)

    async def set_image(self, image, name="backend"):
        change = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}}
        await self.change(resources.DEPLOYMENTS, name, change)

    async def get(self, resource, name, namespace="default"):
        return await self.client.get(resource, name, namespace if resource.namespaced else "")

    async def all(self, resource, namespace=""):
        return (await self.client.list(resource, namespace))[0]

    async def names(self, resource, namespace="default"):
        return [item["metadata"]["name"] for item in await self.all(resource, namespace)]

    async def pods(self, **labels):
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        items, _ = await self.client.list(resources.PODS, "default", label_selector=selector)
        return [pod for pod in items if not is_deleting(pod)]

    async def ready(self, number, **labels):
        """Wait until exactly this many pods are there, all of them ready."""

        async def so():
            pods = await self.pods(**labels)
            return len(pods) == number and all(is_ready(pod) for pod in pods)

        await eventually(so)

    async def all_pods(self, namespace):
        return [pod for pod in await self.all(resources.PODS, namespace) if not is_deleting(pod)]

    async def ready_in(self, namespace, number):
        """Wait until a namespace has this many pods, all of them ready."""

        async def so():
            try:
                pods = await self.all_pods(namespace)
            except errors.NotFound:
                return False
            return len(pods) == number and all(is_ready(pod) for pod in pods)

        await eventually(so)

    async def status(self, name="backend", resource=resources.DEPLOYMENTS):
        return (await self.get(resource, name)).get("status", {})

    async def condition(self, kind, name="backend"):
        entries = (await self.status(name)).get("conditions", [])
        found = {entry["type"]: entry for entry in entries}.get(kind, {})
        return tuple(found.get(field) for field in ("status", "reason", "message"))

    async def complete(self, name="backend"):
        """Wait for what ``kubectl rollout status`` waits for."""

        async def so():
            deployment = await self.get(resources.DEPLOYMENTS, name)
            status, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
            seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
            counts = {status.get(field, 0) for field in ("replicas", "updatedReplicas", "availableReplicas")}
            return seen and counts == {wanted}

        await eventually(so)

    async def gone(self, resource, name, namespace="default"):
        """Wait until an object is not there any more."""

        async def so():
            return name not in await self.names(resource, namespace)

        await eventually(so)

    async def events(self, reason, namespace="default"):
        return [event["message"] for event in await self.all(resources.EVENTS, namespace) if event["reason"] == reason]

    async def add_node(self, name, *, taints=(), ready=True):
        spec = {"taints": list(taints)} if taints else {}
        await self.apply(resources.NODES, name, metadata={"labels": {"kubernetes.io/hostname": name}}, spec=spec)
        condition = {"type": "Ready", "status": "True" if ready else "False"}
        await self.client.patch(
            resources.NODES, name, "", {"status": {"conditions": [condition]}}, subresource="status"
        )


@pytest.fixture
async def client():
    server = ApiServer(seed="tests", tokens={TOKEN: "kubernetes-admin"})
    return ApiClient(server.handle, token=TOKEN)


@pytest.fixture
async def running():
    """Runs controllers until the test is over; none may end before."""
    tasks = []

    async def run(*controllers):
        tasks.extend(asyncio.create_task(each.run(), name=each.name) for each in controllers)

    yield run
    ended = [task for task in tasks if task.done()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not ended


@pytest.fixture
async def cluster(client, running):
    """A cluster with three nodes, control1 tainted, and every controller running."""
    kubelets = KubeletStandIn(client)
    await running(*all_controllers(client), kubelets)
    cluster = Cluster(client, kubelets)
    for node in NODES:
        await cluster.add_node(node.name, taints=[CONTROL_PLANE_TAINT] if node.control_plane else ())

    async def default_account():
        return "default" in await cluster.names(resources.SERVICE_ACCOUNTS)

    await eventually(default_account)
    return cluster
