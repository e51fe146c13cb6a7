"""10^6 hostile requests, of another seed than those of the unit tests."""

import pytest
from support.hostile import TOKEN, Ordeal, by_itself, memory

from calico_lab.local import custom_resources, resources
from calico_lab.local.apiserver.server import ApiServer
from calico_lab.local.client import ApiClient

ROUNDS = 10
REQUESTS = 100_000
MOST_GROWTH = 10_000_000


@pytest.mark.timeout(900)
async def test_a_million_hostile_requests():
    server = ApiServer(seed="tests", tokens={TOKEN: "kubernetes-admin"})
    client = ApiClient(server.handle, token=TOKEN)
    await client.create(resources.SERVICE_ACCOUNTS, {"metadata": {"name": "default", "namespace": "default"}})
    for definition in custom_resources.definitions():
        await client.create(resources.CUSTOM_RESOURCE_DEFINITIONS, definition)
    ordeal = Ordeal(server, client, "for long")
    after = []
    with by_itself():
        for _ in range(ROUNDS):
            await ordeal.run(REQUESTS)
            await ordeal.clean()
            after.append(memory())
    assert ordeal.faults == []
    assert ordeal.slowest[0] < 1, ordeal.slowest
    # The first rounds fill the histories, which are bounded.
    assert after[-1] - after[ROUNDS // 2] < MOST_GROWTH
