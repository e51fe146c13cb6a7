"""The long forms of ``tests/lab/test_nothing_is_left.py``: fifty kills for each user."""

from __future__ import annotations

import signal

import pytest
from support.quarantine import run_for_all

UP, LOAD, DOWN = 30, 8, 12
COMMAND = 6

pytestmark = pytest.mark.timeout(900)


def spread(count: int, last: float) -> list[str]:
    return [f"{last * number / count:.3f}" for number in range(count)]


def test_first_process_killed_during_up():
    assert min(run_for_all("kill_first_process_during_up", *spread(UP, 1.1), time_limit=400)) > UP / 3


def test_first_process_killed_under_load():
    for processes in run_for_all("kill_first_process_under_load", *spread(LOAD, 4.0), time_limit=400):
        assert min(processes) > 1


def test_first_process_and_down_killed_together():
    assert set(run_for_all("kill_first_process_during_down", *spread(DOWN, 0.25), time_limit=400)) == {DOWN}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGHUP], ids=["kill -9", "Ctrl-C", "hang-up"])
def test_up_ended_on_its_way(number: signal.Signals):
    parts = spread(COMMAND, 1.0)
    assert min(run_for_all("kill_command_during_up", str(int(number)), *parts, time_limit=400)) > COMMAND / 3
