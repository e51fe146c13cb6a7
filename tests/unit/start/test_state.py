import os
import stat
from pathlib import Path

import pytest

from calico_lab.errors import LabError
from calico_lab.local.start import state as state_module
from calico_lab.local.start.state import Description, StateFolder, start_of

DESCRIPTION = Description("one", pid=1, started=2, api_port=3, ssh_port=4)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateFolder:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return StateFolder("one")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folder_and_files_are_the_owners_alone(state: StateFolder):
    with state.locked():
        state.describe(DESCRIPTION)
        os.close(state.open_log())
    assert mode(state.path) == 0o700
    assert {mode(path) for path in state.path.iterdir()} == {0o600}


def test_description_is_read_back(state: StateFolder):
    with state.locked():
        assert state.description() is None
        state.describe(DESCRIPTION)
    assert state.description() == DESCRIPTION


def test_half_a_description_is_none(state: StateFolder):
    with state.locked():
        state.write(state.path / "lab.json", '{"name": "one", "pi')
        assert state.description() is None


def test_a_folder_open_to_others_is_refused(state: StateFolder):
    state.path.mkdir(parents=True)
    state.path.chmod(0o755)
    with pytest.raises(LabError, match="chmod 700"), state.locked():
        pass


def test_a_link_in_place_of_the_folder_is_refused(state: StateFolder, tmp_path: Path):
    state.path.parent.mkdir()
    state.path.symlink_to(tmp_path)
    with pytest.raises(LabError, match="belongs to you alone"):
        state.require_own()


@pytest.mark.parametrize("name", ["", "..", "a/b", "-a", "A", "a" * 64])
def test_names_that_could_mislead_are_refused(name: str):
    with pytest.raises(LabError, match="cannot name a lab"):
        StateFolder(name)


def test_a_lab_lives_while_any_copy_of_the_descriptor_is_open(state: StateFolder):
    with state.locked():
        first = state.open_alive()
        copy = os.dup(first)
        os.close(first)
        assert state.alive()
        os.close(copy)
        assert not state.alive()


def test_a_lock_on_a_deleted_folder_is_taken_anew(state: StateFolder):
    with state.locked():
        state.remove()
    with state.locked():
        assert state.path.is_dir()


def test_start_of_tells_processes_apart():
    assert 0 < start_of(os.getppid()) <= start_of(os.getpid())
    assert start_of(2**22 + 1) == 0


def test_all_labs_are_named_in_order_and_nothing_else(state: StateFolder, tmp_path: Path):
    assert state_module.all_names() == []
    for name in ("two", "one", "Not-a-lab", ".hidden"):
        (tmp_path / "calico-lab" / name).mkdir(parents=True)
    assert state_module.all_names() == ["one", "two"]


def test_a_log_begins_anew_with_each_lab(state: StateFolder):
    with state.locked():
        for text in (b"old", b"new"):
            log = state.open_log()
            os.write(log, text)
            os.close(log)
    assert state.log.read_text() == "new"
