"""A fresh API server in this process, and ways to ask it: a client, and plain requests for what a client hides."""

import asyncio
import json
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from support.eventually import LIMIT_SECONDS
from support.kubectl import TOKEN, serving

from calico_lab.local import custom_resources, resources
from calico_lab.local.apiserver.server import ApiServer
from calico_lab.local.client import ApiClient
from calico_lab.local.wire import Request

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@dataclass
class Answer:
    """What a request was answered with."""

    status: int
    body: object
    headers: dict


class Asker:
    """Sends requests that are not in a client's repertoire."""

    def __init__(self, server):
        self.server = server

    async def __call__(
        self, method, path, body=None, *, accept="application/json", content_type=None, upgrade="", **query
    ):
        headers = {"authorization": f"Bearer {TOKEN}", "accept": accept}
        if upgrade:
            headers["upgrade"] = upgrade
        if body is not None:
            headers["content-type"] = content_type or "application/json"
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = await self.server.handle(Request(method, path, tuple(query.items()), headers, body or b""))
        content = json.loads(response.body) if response.content_type.startswith("application/json") else response.body
        return Answer(response.status, content, response.headers)

    async def watch(self, path, *, accept="application/json", **query):
        """Start a watch; returns a function that awaits the next events."""
        headers = {"authorization": f"Bearer {TOKEN}", "accept": accept}
        request = Request("GET", path, (("watch", "true"), *query.items()), headers)
        response = await self.server.handle(request)
        assert response.status == 200, response.body
        return Events(response.stream)


class Events:
    """Events of a watch, one at a time."""

    def __init__(self, stream):
        self._stream = stream
        self._ready = []

    async def next(self):
        while not self._ready:
            piece = await asyncio.wait_for(anext(self._stream), LIMIT_SECONDS)
            self._ready = [json.loads(line) for line in piece.splitlines()]
        return self._ready.pop(0)

    async def take(self, count):
        """Return the next events as (type, name)."""
        events = [await self.next() for _ in range(count)]
        return [(event["type"], event["object"]["metadata"].get("name")) for event in events]

    async def ended(self):
        """Whether there is nothing more to come."""
        try:
            await asyncio.wait_for(anext(self._stream), LIMIT_SECONDS)
        except StopAsyncIteration:
            return True
        return False

    async def close(self):
        await self._stream.aclose()


def config_map(name="settings", namespace="default", **data):
    return {"metadata": {"name": name, "namespace": namespace}, "data": data}


def pod(name="web", namespace="default", **spec):
    containers = [{"name": "main", "image": "echo"}]
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"containers": containers} | spec}


def deployment(name="web", replicas=4):
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "echo"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec}


def service(name="web", **spec):
    ports = [{"name": "http", "port": 80}]
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"ports": ports} | spec}


@pytest.fixture
def make():
    """Smallest objects of some kinds."""
    return SimpleNamespace(config_map=config_map, pod=pod, deployment=deployment, service=service)


@pytest.fixture
async def server():
    return ApiServer(seed="tests", tokens={TOKEN: "kubernetes-admin"})


@pytest.fixture
async def client(server):
    client = ApiClient(server.handle, token=TOKEN)
    await client.create(resources.SERVICE_ACCOUNTS, {"metadata": {"name": "default", "namespace": "default"}})
    return client


@pytest.fixture
async def ask(server, client):
    return Asker(server)


@pytest.fixture
async def kubectl(server, client, tmp_path):
    async with serving(server, tmp_path) as kubectl:
        yield kubectl


@pytest.fixture
async def gateway_api(client):
    """The custom resources of Gateway API and Envoy Gateway, as the operator defines them."""
    for definition in custom_resources.definitions():
        await client.create(resources.CUSTOM_RESOURCE_DEFINITIONS, definition)
