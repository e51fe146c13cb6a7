"""Nothing of a lab is left, whatever ends it: no process, namespace, mount, link, port or file, and the next one works.

Each test counts what is left in a quarantine for each user. These are short forms; ``tests/soak`` has the long ones.
"""

from __future__ import annotations

import signal

import pytest
from support.quarantine import run_for_all

LIMIT = 110


def test_first_process_killed_during_up():
    assert min(run_for_all("kill_first_process_during_up", "0.4", "0.6", "0.8", time_limit=LIMIT)) >= 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGHUP], ids=["kill -9", "Ctrl-C", "hang-up"])
def test_up_ended_on_its_way(number: signal.Signals):
    assert min(run_for_all("kill_command_during_up", str(int(number)), "0.3", "0.6", time_limit=LIMIT)) >= 1


def test_first_process_killed_under_load():
    for (processes,) in run_for_all("kill_first_process_under_load", "0.5", time_limit=LIMIT):
        assert processes > 1


def test_first_process_and_down_killed_together():
    assert set(run_for_all("kill_first_process_during_down", "0.12", time_limit=LIMIT)) == {1}


def test_state_folder_deleted():
    run_for_all("delete_state_folder", time_limit=LIMIT)


@pytest.mark.parametrize(
    ("options", "words"), [("size=64k", "state folder: 0 MiB are free"), ("nr_inodes=6", "No space left on device")]
)
def test_no_room_for_the_state_folder(options: str, words: str):
    assert all(words in said for said in run_for_all("fill_disk", options, time_limit=LIMIT))


def test_disk_full_under_a_running_lab():
    assert min(run_for_all("fill_disk_of_running_lab", time_limit=LIMIT)) > 1024


def test_up_and_down_again_and_again():
    assert all(len(told["seconds"]) == 3 for told in run_for_all("cycles", "3", time_limit=LIMIT))
