"""The API server by itself, in this process: lists, creates, watches, and what its objects weigh."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import quantiles
from typing import Any

from bench.measure import Figure
from calico_lab.local import custom_resources, resources
from calico_lab.local.apiserver.server import ApiServer
from calico_lab.local.client import ApiClient
from calico_lab.local.wire import Request
from tests.support.hostile import Ordeal

TOKEN = "bench"
PODS, LISTS, CREATES, HOSTILE = 1000, 300, 2000, 100_000
WATCHERS, CHANGES, PACE_SECONDS = 200, 1000, 0.02
# Resident memory of a process of its own, before and after, as proc(5) counts it.
WEIGH = """
import asyncio, resource
from bench.apiserver import fill, new_client
client = new_client()
asyncio.run(fill(client, 5000))
print(int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 1e6)
"""


def figures() -> Iterator[Figure]:
    """Measure each in turn; latencies are given as their 99th percentile."""
    lists = asyncio.run(list_pods())
    yield Figure(f"list of {PODS} pods, 99th percentile", [1000 * _percentile(lists)], "ms", "30")
    yield Figure("creates by one client", [asyncio.run(create())], "1/s", "500")
    seen = asyncio.run(watch())
    yield Figure(f"{WATCHERS} watchers, {CHANGES} changes: 99th percentile", [1000 * _percentile(seen)], "ms", "50")
    yield Figure(f"the slowest of {HOSTILE} hostile requests", [1000 * asyncio.run(slowest_answer())], "ms", "1000")
    weighed = subprocess.run([sys.executable, "-c", WEIGH], capture_output=True, text=True, check=True).stdout
    yield Figure("memory (RSS) of a server with 5,000 pods", [float(weighed)], "MB", "120")


def new_server() -> ApiServer:
    """Return a fresh API server."""
    return ApiServer(seed="bench", tokens={TOKEN: "kubernetes-admin"})


def new_client() -> ApiClient:
    """Return a client of a fresh API server."""
    return ApiClient(new_server().handle, token=TOKEN)


def config_map(number: int) -> dict[str, Any]:
    """Return a small object."""
    return {"metadata": {"name": f"map-{number}", "namespace": "default"}, "data": {"key": "value"}}


async def slowest_answer() -> float:
    """Ask as tests/unit/apiserver/test_hostile_requests.py does; return the seconds that the slowest answer took."""
    server = new_server()
    client = ApiClient(server.handle, token=TOKEN)
    for definition in custom_resources.definitions():
        await client.create(resources.CUSTOM_RESOURCE_DEFINITIONS, definition)
    ordeal = Ordeal(server, client, "bench")
    return max([(await ordeal.ask(ordeal.hostile.request()))[2] for _ in range(HOSTILE)])


async def fill(client: ApiClient, pods: int) -> None:
    """Create pods as the guide's Deployment would."""
    account = {"metadata": {"name": "default", "namespace": "default"}}
    await client.create(resources.SERVICE_ACCOUNTS, account)
    container = {"name": "backend", "image": "echo-basic", "ports": [{"containerPort": 3000}]}
    for number in range(pods):
        metadata = {"name": f"backend-{number}", "namespace": "default", "labels": {"app": "backend"}}
        await client.create(resources.PODS, {"metadata": metadata, "spec": {"containers": [container]}})


async def list_pods() -> list[float]:
    """List pods again and again, one of them changed each time; times the server alone, not the client's parsing."""
    server = new_server()
    client = ApiClient(server.handle, token=TOKEN)
    await fill(client, PODS)
    request = Request("GET", resources.PODS.path(), headers={"authorization": f"Bearer {TOKEN}"})
    taken = []
    for number in range(LISTS):
        await client.patch(resources.PODS, f"backend-{number}", "default", {"metadata": {"labels": {"seen": "yes"}}})
        begun = time.perf_counter()
        await server.handle(request)
        taken.append(time.perf_counter() - begun)
    return taken


async def create() -> float:
    """Create objects one after the other; returns how many a second."""
    client = new_client()
    begun = time.perf_counter()
    for number in range(CREATES):
        await client.create(resources.CONFIG_MAPS, config_map(number))
    return CREATES / (time.perf_counter() - begun)


async def watch() -> list[float]:
    """Let many watchers see every change; returns the seconds from each change to each watcher."""
    client = new_client()
    _, version = await client.list(resources.CONFIG_MAPS)
    changed: dict[str, float] = {}
    delays: list[float] = []

    async def watcher() -> None:
        seen = 0
        async for event in client.watch(resources.CONFIG_MAPS, version):
            delays.append(time.perf_counter() - changed[event.object["metadata"]["name"]])
            seen += 1
            if seen == CHANGES:
                return

    async with asyncio.TaskGroup() as group:
        for _ in range(WATCHERS):
            group.create_task(watcher())
        await asyncio.sleep(0.1)
        for number in range(CHANGES):
            changed[f"map-{number}"] = time.perf_counter()
            await client.create(resources.CONFIG_MAPS, config_map(number))
            await asyncio.sleep(PACE_SECONDS)
    assert len(delays) == WATCHERS * CHANGES, "events were lost"
    return delays


def _percentile(values: list[float]) -> float:
    return quantiles(values, n=100)[-1]
