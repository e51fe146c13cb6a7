import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from calico_lab.cluster import Applied
from calico_lab.completed_command import CompletedCommand
from calico_lab.errors import CommandError, ConsentError
from calico_lab.lab import Lab
from calico_lab.views import magics


class FakeLab(Lab):
    """Keeps what it is asked for; the real one is asked in tests/lab."""

    def __init__(self, exit_code=0):
        self.asked = []
        self.exit_code = exit_code
        self.cluster = self

    bastion = property(lambda self: self)

    def apply(self, text, *, yes):
        self.asked.append((text, yes))
        return Applied(("configmap/x created",))

    def run(self, command, *, time_limit, check):
        self.asked.append((command, time_limit))
        return CompletedCommand(command, self.exit_code, "out\n", "err\n")


@pytest.fixture
def shell():
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "calico_lab")
    shell.user_ns["lab"] = FakeLab()
    return shell


def test_apply_returns_what_kubectl_said(shell):
    assert repr(shell.run_cell_magic("apply", "", "kind: ConfigMap\n")) == "configmap/x created"
    shell.run_cell_magic("apply", "--yes", "kind: ConfigMap\n")
    assert shell.user_ns["lab"].asked == [("kind: ConfigMap\n", False), ("kind: ConfigMap\n", True)]


@pytest.mark.parametrize(
    ("line", "cell", "message"),
    [
        ("", "kind: ConfigMap\nmetadata: {name: [x}\n", "line 2 of the YAML"),
        ("", "just words", "not a Kubernetes object"),
        ("", "# nothing\n", "no YAML"),
        ("now", "kind: ConfigMap", "no option but --yes"),
    ],
)
def test_apply_tells_a_slip_in_one_line_and_applies_nothing(shell, line, cell, message):
    with pytest.raises(UsageError, match=message) as caught:
        shell.run_cell_magic("apply", line, cell)
    assert "\n" not in str(caught.value)
    assert shell.user_ns["lab"].asked == []


def test_bastion_prints_and_keeps_what_came_of_it(shell, capsys):
    shell.run_cell_magic("bastion", "-o kept --time-limit 5", "echo out\n")
    assert capsys.readouterr() == ("out\n", "err\n")
    assert shell.user_ns["kept"].output == "out\n"
    assert shell.user_ns["lab"].asked == [("echo out\n", 5.0)]


def test_bastion_fails_as_its_command_does_unless_told_not_to(shell, capsys):
    shell.user_ns["lab"] = FakeLab(exit_code=3)
    with pytest.raises(CommandError, match="exit code 3"):
        shell.run_cell_magic("bastion", "", "exit 3")
    shell.run_cell_magic("bastion", "--no-check", "exit 3")
    assert capsys.readouterr().out == "out\nout\n"


@pytest.mark.parametrize("line", ["--nonsense", "ls", "-o 2", "--time-limit soon"])
def test_bastion_tells_a_slip_in_one_line_and_runs_nothing(shell, line):
    with pytest.raises(UsageError) as caught:
        shell.run_cell_magic("bastion", line, "ls")
    assert "\n" not in str(caught.value)
    assert shell.user_ns["lab"].asked == []


def test_names_of_python_go_into_a_line(shell, capsys):
    shell.user_ns["address"] = "10.10.10.0"
    shell.run_cell("%bastion ping {address}")
    assert shell.user_ns["lab"].asked == [("ping 10.10.10.0", magics.TIME_LIMIT)]


def test_something_else_named_lab_is_told(shell):
    shell.user_ns["lab"] = "a dog"
    with pytest.raises(UsageError, match=r"calico_lab\.connect\(\)"):
        shell.run_cell_magic("bastion", "", "ls")


class BastionOfOthers(FakeLab):
    """Lacks what is looked for, and belongs to a cluster that others share."""

    name = "theirs"
    may_change_shared_things = False

    def run(self, command, *, check=True, time_limit=0):
        self.asked.append(command)
        return CompletedCommand(command, 1 if command == "command -v hey" else 0, "", "")


def test_a_step_that_has_been_taken_is_not_taken_again(shell, capsys):
    shell.user_ns["lab"] = lab = BastionOfOthers()
    lab.run = lambda command, **_: lab.asked.append(command) or CompletedCommand(command, 0, "", "")
    shell.run_cell_magic("bastion", "--step hey --yes", "sudo apt install -y hey\n")
    assert lab.asked == ["command -v hey"]
    assert "Nothing to do" in capsys.readouterr().out


def test_a_step_on_a_bastion_that_others_share_is_taken_only_with_yes(shell):
    shell.user_ns["lab"] = lab = BastionOfOthers()
    with pytest.raises(ConsentError, match="sudo apt install"):
        shell.run_cell_magic("bastion", "--step hey", "sudo apt install -y hey\n")
    assert lab.asked == ["command -v hey"]
    shell.run_cell_magic("bastion", "--step hey --yes", "sudo apt install -y hey\n")
    assert lab.asked[-1] == "sudo apt install -y hey\n"
