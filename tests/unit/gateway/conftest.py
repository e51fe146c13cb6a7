"""Envoy Gateway against the real API server in this process; the tests stand in for the other controllers."""

import asyncio

import pytest
from support import gateway_api
from support.envoys import shown

from calico_lab import errors
from calico_lab.local import custom_resources, resources
from calico_lab.local.apiserver.server import ApiServer
from calico_lab.local.client import ApiClient
from calico_lab.local.controllers.envoy_gateway import NAMESPACE, EnvoyGateway
from calico_lab.local.controllers.envoy_gateway_discovery import DiscoveryService

TOKEN = "a-token-of-the-tests"


class Discovery(DiscoveryService):
    """The discovery service, with what it was given to tell."""

    def __init__(self):
        super().__init__()
        self.published = {}

    def publish(self, snapshots):
        super().publish(snapshots)
        self.published = {name: shown(snapshot) for name, snapshot in snapshots.items()}


class Cluster:
    """What the tests do to the cluster and ask of it."""

    def __init__(self, client):
        self.client = client
        self.discovery = Discovery()

    async def create(self, resource, item):
        metadata = {key: item["metadata"][key] for key in ("name", "namespace", "labels") if item["metadata"].get(key)}
        if not resource.namespaced:
            metadata.pop("namespace", None)
        wanted = item | {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}
        return await self.client.create(resource, wanted)

    async def guide(self):
        await self.create(resources.GATEWAY_CLASSES, gateway_api.gateway_class())
        await self.create(resources.SERVICES, gateway_api.service())
        await self.create(resources.ENDPOINT_SLICES, gateway_api.endpoints("10.48.1.1", "10.48.1.2"))
        await self.create(resources.GATEWAYS, gateway_api.gateway())
        await self.create(resources.BACKEND_TRAFFIC_POLICIES, gateway_api.policy())
        await self.create(resources.HTTP_ROUTES, gateway_api.http_route())

    async def find(self, resource, name, namespace="default"):
        try:
            return await self.client.get(resource, name, namespace if resource.namespaced else "")
        except errors.NotFound:
            return None

    async def conditions(self, resource, name):
        item = await self.find(resource, name)
        return {each["type"]: (each["status"], each["reason"]) for each in item["status"].get("conditions", [])}


@pytest.fixture
def server():
    return ApiServer(seed="tests", tokens={TOKEN: "kubernetes-admin"})


@pytest.fixture
async def operated(server):
    """A cluster where the operator has done its work."""
    client = ApiClient(server.handle, token=TOKEN)
    for definition in custom_resources.definitions():
        await client.create(resources.CUSTOM_RESOURCE_DEFINITIONS, definition)
    await client.create(resources.NAMESPACES, {"metadata": {"name": NAMESPACE}})
    return Cluster(client)


@pytest.fixture
async def cluster(server, operated):
    """A cluster where Envoy Gateway runs, in this process."""
    client = ApiClient(server.handle, token=TOKEN)
    controller = asyncio.create_task(EnvoyGateway(client, operated.discovery).run())
    yield operated
    assert not controller.done()
    controller.cancel()
    await asyncio.gather(controller, return_exceptions=True)
