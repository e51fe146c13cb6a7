"""The supervisor of BIRD: what starting, stopping, restarting and dying bring about."""

import os
import signal
import time

import pytest
from support.eventually import eventually

from calico_lab.errors import LabError
from calico_lab.local.network import bird


@pytest.fixture(autouse=True)
async def _sound(world):
    yield
    with world.hosts["bastion"].entered():
        bird.write_bastion_configuration()
    await world.bird.restart()


async def test_it_answers_as_soon_as_it_is_started(world):
    await world.bird.restart()
    assert (await world.birdc("bastion", "show", "status")).startswith("BIRD 1.6.8 ready.")


async def test_stopped_it_stays_stopped(world):
    await world.bird.stop()
    assert not world.bird.running
    told = await world.birdc("bastion", "show", "status")
    assert "Unable to connect to server control socket" in told


async def test_killed_it_comes_back(world):
    before = await _pid(world)
    os.kill(before, signal.SIGKILL)
    await eventually(lambda: _runs_with_another_pid(world, before))


async def test_a_broken_configuration_is_refused_in_birds_own_words(world):
    await world.run("bastion", "sed -i 's/reject;/rejekt;/' /etc/bird/bird.conf")
    with pytest.raises(LabError, match=r"/etc/bird/bird\.conf:9:31 syntax error"):
        await world.bird.restart()
    assert not world.bird.running


async def test_a_broken_configuration_does_not_disturb_the_running_one(world):
    before = await _pid(world)
    await world.run("bastion", "echo nonsense >> /etc/bird/bird.conf")
    with pytest.raises(LabError, match="syntax error"):
        await world.bird.configure()
    assert await _pid(world) == before


async def test_configure_brings_the_new_configuration_into_force(world):
    await world.run("bastion", "sed -i 's/protocol bgp control1/protocol bgp renamed/' /etc/bird/bird.conf")
    await world.bird.configure()
    assert "renamed" in await world.birdc("bastion", "show", "protocols")


async def test_one_that_hangs_keeps_nobody_waiting(world):
    os.kill(await _pid(world), signal.SIGSTOP)
    for _ in range(20):  # more than can wait at its socket, where one that waited would wait for ever
        world.bird._listens()
    os.kill(await _pid(world), signal.SIGCONT)


async def test_it_is_woken_at_each_full_second(world, monkeypatch):
    woken = []
    monkeypatch.setattr(world.bird, "_listens", lambda: woken.append(time.monotonic() % 1))
    await eventually(lambda: len(woken) == 3)
    assert min(woken) < 0.1  # a busy machine may be late, not each time


async def _pid(world):
    found = await world.run("bastion", "pgrep -f 'bird -f -c /etc/bird'")
    return int(found or 0)


async def _runs_with_another_pid(world, before):
    return world.bird.running and await _pid(world) not in (0, before)
