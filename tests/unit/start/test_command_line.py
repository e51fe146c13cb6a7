from pathlib import Path

import pytest

from calico_lab import cli


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_version_is_told(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("calico-lab 0.")


def test_an_error_is_its_text_and_exit_code_1(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["bastion", "--name", "nowhere", "--", "true"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "lab 'nowhere': there is no such lab\nNext: calico-lab up --name nowhere\n"


def test_status_of_no_lab_is_told_to_scripts_too(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["status", "--json"]) == 1
    assert '"running": false' in capsys.readouterr().out


def test_down_of_no_lab_is_what_was_asked_for():
    assert cli.main(["down"]) == 0
