"""The long forms of ``tests/lab/test_nothing_is_left.py``: fifty kills for each user, and two hundred labs."""

from __future__ import annotations

import signal

import pytest
from support import quarantine

UP, LOAD, DOWN = 30, 8, 12
COMMAND = 10
CYCLES = 200
LEAST_MEMORY_OF_A_LAB_KILOBYTES = 1000


@pytest.fixture(params=quarantine.users())
def user(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def spread(count: int, last: float) -> list[str]:
    return [f"{last * number / count:.3f}" for number in range(count)]


@pytest.mark.timeout(180)
def test_first_process_killed_during_up(user: str):
    delays = spread(UP, 0.75)
    assert quarantine.run("kill_first_process_during_up", *delays, user=user, time_limit=170) > UP / 3


@pytest.mark.timeout(180)
def test_first_process_killed_under_load(user: str):
    delays = spread(LOAD, 4.0)
    assert max(quarantine.run("kill_first_process_under_load", *delays, user=user, time_limit=170)) > 12


@pytest.mark.timeout(180)
def test_first_process_and_down_killed_together(user: str):
    delays = spread(DOWN, 0.25)
    assert quarantine.run("kill_first_process_during_down", *delays, user=user, time_limit=170) == DOWN


@pytest.mark.timeout(180)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGHUP], ids=["kill -9", "Ctrl-C", "hang-up"])
def test_up_ended_on_its_way(user: str, number: signal.Signals):
    delays = spread(COMMAND, 0.7)
    ended = quarantine.run("kill_command_during_up", str(int(number)), *delays, user=user, time_limit=170)
    assert ended > COMMAND / 3


@pytest.mark.timeout(400)
def test_no_growth_in_two_hundred_labs():
    told = quarantine.run("cycles", str(CYCLES), user="ordinary", time_limit=390)
    first, last = told["kernel kilobytes"]
    assert last - first < CYCLES * LEAST_MEMORY_OF_A_LAB_KILOBYTES / 10, told
