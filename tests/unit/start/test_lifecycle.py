import os
import threading
from pathlib import Path

import pytest

from calico_lab.errors import LabError
from calico_lab.local.start import beginning, launch, lifecycle
from calico_lab.local.start.programs import Programs
from calico_lab.local.start.state import Description, StateFolder

ANY = Path("/usr/bin/true")
PROGRAMS = Programs(*[ANY] * 10)


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(lifecycle.programs, "find", lambda: PROGRAMS)


def test_a_lab_that_never_was_is_not_running():
    found = lifecycle.status("one")
    assert (found.running, found.pid, found.problem) == (False, None, "there is no such lab")


def test_down_of_nothing_is_fine():
    assert lifecycle.down("one") is False


def test_a_first_process_that_fails_is_told_with_its_last_words(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch, "MODULE", "no_such_module")
    with pytest.raises(LabError, match="No module named no_such_module"):
        lifecycle.up("one", print)
    assert not StateFolder("one").alive()
    assert lifecycle.down("one") is True


def test_a_lab_that_is_not_ready_in_time_is_ended(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(beginning, "LIMIT_SECONDS", 0.0)
    with pytest.raises(LabError, match="not ready after"):
        lifecycle.up("one", print)
    assert lifecycle.down("one") is True


def test_a_process_that_is_not_the_labs_is_never_killed():
    state = StateFolder("one")
    with state.locked():
        alive = state.open_alive()
        state.describe(Description("one", pid=1, started=-1, api_port=1, ssh_port=1))
    with pytest.raises(LabError, match="another process"):
        lifecycle.down("one")
    assert alive


def test_down_waits_for_a_first_process_whose_up_was_killed():
    state = StateFolder("one")
    with state.locked():
        alive = state.open_alive()
    threading.Timer(0.2, os.close, [alive]).start()
    assert lifecycle.down("one") is True


def test_a_folder_that_is_not_ours_is_listed_with_what_is_wrong(tmp_path: Path):
    (tmp_path / "calico-lab/open").mkdir(parents=True, mode=0o755)
    (tmp_path / "calico-lab/one").mkdir(mode=0o700)
    found = {status.name: status.problem for status in lifecycle.all_labs()}
    assert found["one"] == "there is no such lab"
    assert "not a folder that belongs to you alone" in found["open"]
