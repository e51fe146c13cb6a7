import pytest
from support.network_world import World


@pytest.fixture(scope="session")
async def world():
    made = World()
    await made.start()
    yield made
    await made.stop()
