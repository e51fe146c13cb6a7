"""Watchers that never read, and watchers that vanish: they hold nobody up, and those who read miss nothing."""

import asyncio
import contextlib
import ssl

import pytest
from support.eventually import LIMIT_SECONDS, eventually
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


async def write(client):
    """Make changes one after the other; one that waited for a watcher would never end."""
    async with asyncio.timeout(LIMIT_SECONDS):
        for number in range(CHANGES):
            change = {"data": {"number": str(number), "much": "x" * BYTES}}
            await client.patch(CONFIG_MAPS, "settings", "default", change)
            await asyncio.sleep(0)


async def test_who_never_reads_holds_nobody_up(client, connect, make):
    created = await client.create(CONFIG_MAPS, make.config_map())
    version = created["metadata"]["resourceVersion"]
    for _ in range(WATCHERS):
        await connect(version)
    await asyncio.sleep(0.1)
    response = client.watch(CONFIG_MAPS, version, "default")
    await write(client)
    seen = []
    async for event in response:
        seen.append(int(event.object["data"]["number"]))
        if seen[-1] == CHANGES - 1:
            break
    assert seen == list(range(CHANGES))


async def test_who_vanishes_is_forgotten(server, client, connect, make):
    created = await client.create(CONFIG_MAPS, make.config_map())
    watchers = [await connect(created["metadata"]["resourceVersion"]) for _ in range(WATCHERS)]
    history = server._store.history(("", "configmaps"))
    await eventually(lambda: len(history._waiting) == WATCHERS)
    for writer in watchers:
        writer.transport.abort()
    await write(client)
    await eventually(lambda: not history._waiting)
