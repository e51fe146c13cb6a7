"""Watchers that never read, and watchers that vanish: they hold nobody up, and those who read miss nothing."""

import asyncio
import contextlib
import ssl
import time

import pytest
from support.kubectl import TOKEN

from calico_lab.local.resources import CONFIG_MAPS

WATCHERS, CHANGES, BYTES = 20, 400, 8_000


@pytest.fixture
async def connect(kubectl):
    """Open watches over TLS, whose answers nobody reads."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(kubectl.folder / "both.pem")

    async def connect(version):
        _, writer = await asyncio.open_connection("127.0.0.1", kubectl.port, ssl=context, limit=2**12)
        path = f"/api/v1/namespaces/default/configmaps?watch=true&resourceVersion={version}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        await writer.drain()
        opened.append(writer)
        return writer

    opened = []
    yield connect
    for writer in opened:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def write(client, slowest=0.0):
    """Make changes one after the other; return how long the slowest took."""
    for number in range(CHANGES):
        began = time.perf_counter()
        change = {"data": {"number": str(number), "much": "x" * BYTES}}
        await client.patch(CONFIG_MAPS, "settings", "default", change)
        slowest = max(slowest, time.perf_counter() - began)
        await asyncio.sleep(0)
    return slowest


async def test_who_never_reads_holds_nobody_up(client, connect, make):
    created = await client.create(CONFIG_MAPS, make.config_map())
    version = created["metadata"]["resourceVersion"]
    for _ in range(WATCHERS):
        await connect(version)
    await asyncio.sleep(0.1)
    response = client.watch(CONFIG_MAPS, version, "default")
    slowest = await write(client)
    seen = []
    async for event in response:
        seen.append(int(event.object["data"]["number"]))
        if seen[-1] == CHANGES - 1:
            break
    assert seen == list(range(CHANGES))
    assert slowest < 0.5


async def test_who_vanishes_is_forgotten(server, client, connect, make):
    created = await client.create(CONFIG_MAPS, make.config_map())
    watchers = [await connect(created["metadata"]["resourceVersion"]) for _ in range(WATCHERS)]
    history = server._store.history(("", "configmaps"))
    await eventually(lambda: len(history._waiting) == WATCHERS)
    for writer in watchers:
        writer.transport.abort()
    await write(client)
    await eventually(lambda: not history._waiting)


async def eventually(true):
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come true")
