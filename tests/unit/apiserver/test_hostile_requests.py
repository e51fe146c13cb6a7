"""10^5 hostile requests: each is answered, none keeps the server for a second, an honest client notices nothing."""

import os

import pytest
from support.hostile import Ordeal, by_itself, memory

REQUESTS = int(os.environ.get("CALICO_LAB_HOSTILE_REQUESTS", "100000"))
SEED = 20261124
MOST_GROWTH = 10_000_000


@pytest.mark.timeout(300)
async def test_hostile_requests_do_no_harm(server, client, gateway_api):
    ordeal = Ordeal(server, client, SEED)
    with by_itself():
        await ordeal.run(REQUESTS // 2)
        await ordeal.clean()
        before = memory()
        await ordeal.run(REQUESTS // 2)
        await ordeal.clean()
        grown = memory() - before
    assert ordeal.faults == []
    assert ordeal.slowest[0] < 1, ordeal.slowest
    assert grown < MOST_GROWTH
