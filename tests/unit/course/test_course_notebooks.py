import os

import pytest

from calico_lab import course_notebooks
from calico_lab.errors import LabError


def test_notebooks_land_in_a_folder_of_the_learner_s(tmp_path):
    copied, kept = course_notebooks.copy(tmp_path / "new/course")
    assert [path.name for path in copied] == sorted(path.name for path in course_notebooks.source().glob("*.ipynb"))
    assert kept == []


def test_what_the_learner_has_written_is_never_overwritten(tmp_path):
    mine = tmp_path / "02-round-robin.ipynb"
    mine.write_text("mine")
    said = []
    course_notebooks.tell(tmp_path, said.append)
    assert mine.read_text() == "mine"
    assert said[-1].startswith("1 were there already and are kept")


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LabError, match="cannot be put there"):
        course_notebooks.copy(tmp_path / "file/course")


@pytest.fixture
def become(monkeypatch):
    """What this process would become, and in which environment."""
    seen = []
    monkeypatch.setattr(os, "execve", lambda *arguments: seen.append(arguments))
    return seen


def test_the_lab_is_meant_whatever_the_environment_names(become, tmp_path, monkeypatch):
    course_notebooks.copy(tmp_path)
    monkeypatch.setenv("KUBECONFIG", "/other")
    monkeypatch.setenv("CALICO_LAB_BASTION", "me@elsewhere")
    course_notebooks.open_in_jupyter(tmp_path, ["--no-browser"], "/lab/kubeconfig")
    ((_program, command, environment),) = become
    assert environment["KUBECONFIG"] == "/lab/kubeconfig"
    assert "CALICO_LAB_BASTION" not in environment
    assert command[-1] == "--no-browser"


def test_one_s_own_cluster_is_meant_as_the_environment_names_it(become, tmp_path, monkeypatch):
    course_notebooks.copy(tmp_path)
    monkeypatch.setenv("KUBECONFIG", "/other")
    monkeypatch.setenv("CALICO_LAB_BASTION", "me@elsewhere")
    course_notebooks.open_in_jupyter(tmp_path, [], None)
    ((_program, _command, environment),) = become
    assert (environment["KUBECONFIG"], environment["CALICO_LAB_BASTION"]) == ("/other", "me@elsewhere")
