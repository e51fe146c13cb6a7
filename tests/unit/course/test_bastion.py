import time

import pytest

from calico_lab.bastion import Bastion
from calico_lab.completed_command import CompletedCommand
from calico_lab.errors import CommandError, NoBastionError

HERE = Bastion.find(None, {"CALICO_LAB_BASTION": "local"})


def test_output_and_errors_apart():
    done = HERE.run("echo out; echo err >&2")
    assert (done.exit_code, done.output, done.errors) == (0, "out\n", "err\n")


def test_a_command_reads_what_it_is_given():
    assert HERE.run("tr a-z A-Z", stdin="quiet").output == "QUIET"


def test_a_failing_command_is_an_error_with_all_that_it_left():
    with pytest.raises(CommandError, match="no such thing") as caught:
        HERE.run("echo half; echo no such thing >&2; exit 3")
    assert (caught.value.exit_code, caught.value.output) == (3, "half\n")


def test_a_failure_that_is_expected():
    assert HERE.run("exit 3", check=False).exit_code == 3


def test_a_command_that_takes_too_long_is_stopped_with_its_children():
    begun = time.monotonic()
    with pytest.raises(CommandError, match="still running"):
        HERE.run("sleep 30 | cat", time_limit=0.2)
    assert time.monotonic() - begun < 25


def test_text_shows_output_then_errors_then_a_code_that_is_not_zero():
    assert repr(CompletedCommand("c", 0, "out\n", "")) == "out"
    assert repr(CompletedCommand("c", 2, "out\n", "err\n")) == "out\nerr\nexit code 2"


def test_html_is_escaped():
    assert "&lt;none&gt;" in CompletedCommand("c", 0, "<none>\n", "")._repr_html_()


def test_no_bastion_says_how_to_name_one():
    with pytest.raises(NoBastionError) as caught:
        Bastion.find(None, {})
    assert "CALICO_LAB_BASTION" in caught.value.remedy


def test_an_ssh_configuration_that_is_not_there(tmp_path):
    with pytest.raises(NoBastionError, match="does not exist"):
        Bastion.find(tmp_path / "ssh_config", {})
