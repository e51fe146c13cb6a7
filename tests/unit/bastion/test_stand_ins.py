"""sudo and apt as a learner types them; each script runs for real, in a folder of its own."""

import subprocess
from importlib import resources

import pytest

STAND_INS = resources.files("calico_lab.local.bastion_host") / "stand_ins"


@pytest.fixture
def bastion(tmp_path):
    """A function that runs a command line with the stand-ins first on PATH."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in ("sudo", "apt"):
        (commands / name).write_text((STAND_INS / f"{name}.sh").read_text())
        (commands / name).chmod(0o755)
    (tmp_path / "packages/hey").mkdir(parents=True)
    (tmp_path / "packages/hey/hey").symlink_to("/bin/echo")
    environment = {"PATH": f"{commands}:/usr/bin:/bin"}
    return lambda line: subprocess.run(["/bin/sh", "-c", line], env=environment, capture_output=True, text=True)


def test_sudo_runs_what_it_is_given(bastion):
    assert bastion("sudo printf '%s|' a 'b c'").stdout == "a|b c|"


def test_sudo_hands_back_the_exit_code(bastion):
    assert bastion("sudo sh -c 'exit 7'").returncode == 7


def test_sudo_sets_variables(bastion):
    assert bastion("sudo -E GREETING=hello sh -c 'echo $GREETING'").stdout == "hello\n"


@pytest.mark.parametrize("line", ["sudo -u bird id", "sudo -i", "sudo"])
def test_sudo_refuses_what_it_does_not_know(bastion, line):
    done = bastion(line)
    assert (done.returncode, done.stdout) == (1, "")
    assert "stand-in for sudo" in done.stderr


def test_sudo_names_a_command_that_is_not_there(bastion):
    assert bastion("sudo no-such-command").stderr == "sudo: no-such-command: command not found\n"


def test_hey_is_there_only_after_it_is_installed(bastion):
    assert bastion("hey works").returncode == 127
    assert bastion("sudo apt install -y hey").returncode == 0
    assert bastion("hey works").stdout == "works\n"


def test_installing_twice_is_fine(bastion):
    bastion("apt install hey")
    done = bastion("apt install hey")
    assert (done.returncode, "already the newest version" in done.stdout) == (0, True)


def test_apt_removes_and_lists(bastion):
    bastion("apt install hey")
    assert bastion("apt list").stdout == "hey/lab [installed]\n"
    bastion("apt remove -y hey")
    assert bastion("apt list").stdout == "hey/lab\n"
    assert bastion("hey").returncode == 127


def test_an_unknown_package_installs_nothing(bastion):
    done = bastion("apt install -y hey nmap")
    assert (done.returncode, done.stderr) == (100, "E: Unable to locate package nmap\n")
    assert bastion("hey").returncode == 127


@pytest.mark.parametrize("line", ["apt", "apt purge hey", "apt install --download-only hey"])
def test_apt_refuses_what_it_does_not_know(bastion, line):
    done = bastion(line)
    assert done.returncode == 100
    assert "stand-in for apt" in done.stderr
