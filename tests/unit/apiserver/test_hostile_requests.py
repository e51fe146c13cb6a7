"""10^5 hostile requests: each is answered, quickly, and an honest client notices nothing. (10^6: tests/soak.)"""

import gc
import os
from pathlib import Path

import pytest
from support.hostile import Ordeal

REQUESTS = int(os.environ.get("CALICO_LAB_HOSTILE_REQUESTS", "100000"))
SEED = 20261124
MOST_GROWTH = 10_000_000


def memory():
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.timeout(300)
async def test_hostile_requests_do_no_harm(server, client, gateway_api):
    ordeal = Ordeal(server, client, SEED)
    await ordeal.run(REQUESTS // 2)
    await ordeal.clean()
    before = memory()
    await ordeal.run(REQUESTS // 2)
    await ordeal.clean()
    grown = memory() - before
    assert ordeal.faults == []
    assert ordeal.slowest[0] < 1, ordeal.slowest
    assert grown < MOST_GROWTH
