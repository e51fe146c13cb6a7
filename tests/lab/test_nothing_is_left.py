"""Nothing of a lab is left, whatever ends it: no process, namespace, mount, link, port or file, and the next one works.

Each test counts what is left in a quarantine of its own. These are short forms; ``tests/soak`` has the long ones.
"""

from __future__ import annotations

import signal

import pytest
from support import quarantine


@pytest.fixture(params=quarantine.users())
def user(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_first_process_killed_during_up(user: str):
    assert quarantine.run("kill_first_process_during_up", "0.15", "0.3", "0.45", user=user, time_limit=60) >= 2


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGHUP], ids=["kill -9", "Ctrl-C", "hang-up"])
def test_up_ended_on_its_way(user: str, number: signal.Signals):
    assert quarantine.run("kill_command_during_up", str(int(number)), "0.2", "0.4", user=user, time_limit=60) >= 1


def test_first_process_killed_under_load(user: str):
    (processes,) = quarantine.run("kill_first_process_under_load", "1.5", user=user, time_limit=60)
    assert processes > 12


def test_first_process_and_down_killed_together(user: str):
    assert quarantine.run("kill_first_process_during_down", "0.12", user=user, time_limit=60) == 1


def test_state_folder_deleted(user: str):
    assert quarantine.run("delete_state_folder", user=user, time_limit=60) < 2


@pytest.mark.parametrize(
    ("options", "words"), [("size=64k", "state folder: 0 MiB are free"), ("nr_inodes=6", "No space left on device")]
)
def test_no_room_for_the_state_folder(user: str, options: str, words: str):
    assert words in quarantine.run("fill_disk", options, user=user, time_limit=60)


def test_disk_full_under_a_running_lab(user: str):
    assert quarantine.run("fill_disk_of_running_lab", user=user, time_limit=60) > 1024


def test_up_and_down_again_and_again(user: str):
    assert len(quarantine.run("cycles", "3", user=user, time_limit=60)["seconds"]) == 3
