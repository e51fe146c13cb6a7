import pwd
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest
from support.labs import CALICO_LAB

from calico_lab import cli
from calico_lab.local.start.discovery_cache import forget_discovery


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


def test_list_of_no_labs(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["list", "--json"]) == 0
    assert capsys.readouterr().out == "[]\n"


def test_another_system_is_refused_in_the_doctors_words(capsys: pytest.CaptureFixture[str], monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cli.main(["up"]) == 1
    assert "not Linux" in capsys.readouterr().err


def test_a_user_without_a_home_folder_is_told_so(capsys: pytest.CaptureFixture[str], monkeypatch):
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", Mock(side_effect=KeyError))
    assert cli.main(["doctor"]) == 1
    assert "export HOME=" in capsys.readouterr().err


def test_what_stands_behind_two_dashes_is_a_command_with_its_own_options():
    parsed = cli._parse(["node", "worker1", "--name", "one", "--", "ip", "--name", "two"])
    assert (parsed.node, parsed.name, parsed.words) == ("worker1", "one", ["ip", "--name", "two"])


def test_a_command_for_what_takes_none_is_refused():
    with pytest.raises(SystemExit):
        cli.main(["down", "--", "ls"])


@pytest.mark.parametrize("name", ["up", "reset", "node", "logs", "doctor", "list", "steps", "bastion", "env"])
def test_each_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        cli.main([name, "--help"])
    assert ended.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) > 8


def test_discovery_of_a_server_is_forgotten_by_its_address(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("KUBECACHEDIR", str(tmp_path))
    for port in (1234, 12345):
        (tmp_path / f"discovery/127.0.0.1_{port}/v1").mkdir(parents=True)
    forget_discovery(1234)
    assert [path.name for path in (tmp_path / "discovery").iterdir()] == ["127.0.0.1_12345"]


@pytest.mark.parametrize("command", ["up", "down", "status", "reset", "logs lab", "bastion", "node worker1", "env"])
@pytest.mark.parametrize("name", ["..", "a/b", "-x", "A"])
def test_a_name_that_is_none_is_refused(command: str, name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert cli.main([*command.split(), f"--name={name}"]) == 1
    assert "cannot name a lab" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_had_enough_is_no_error():
    done = subprocess.run(["bash", "-c", f"{CALICO_LAB} doctor | true"], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
