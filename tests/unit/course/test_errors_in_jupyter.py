"""What a learner sees in a notebook when something has gone wrong that can: the problem and the next command."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

from calico_lab import errors
from calico_lab.bastion import Bastion
from calico_lab.lab import Lab

RAISED = errors.PrerequisiteError("there is no route to try it on", remedy='lab.begin("route")')


class BrokenLab(Lab):
    """A lab of which nothing answers."""

    def __init__(self):
        self.cluster = self

    bastion = property(lambda self: self)

    def apply(self, *_, **__):
        raise errors.NoClusterError("no API server answers", remedy="calico-lab status")

    def run(self, *_, **__):
        raise errors.NoBastionError("no way to the bastion", remedy="ssh bastion")


@pytest.fixture
def seen(capsys):
    """Run a cell and return all that is seen of it."""
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "calico_lab")
    shell.user_ns |= {"lab": BrokenLab(), "raised": RAISED, "here": Bastion.find(None, {"CALICO_LAB_BASTION": "here"})}

    def run(cell):
        assert not shell.run_cell(cell).success
        shown = capsys.readouterr()
        return shown.out + shown.err

    return run


@pytest.mark.parametrize(
    ("cell", "problem", "remedy"),
    [
        ("raise raised", "PrerequisiteError: there is no route to try it on", 'Next: lab.begin("route")'),
        ("lab.cluster.apply('')", "NoClusterError: no API server answers", "Next: calico-lab status"),
        ("%%apply\nkind: ConfigMap", "NoClusterError: no API server answers", "Next: calico-lab status"),
        ("%%bastion\nls", "NoBastionError: no way to the bastion", "Next: ssh bastion"),
        ("%bastion ls", "NoBastionError: no way to the bastion", "Next: ssh bastion"),
        ("here.run('echo no such thing >&2; exit 3')", "CommandError: exit code 3 on the bastion", "no such thing"),
        ("%%apply --now\nkind: ConfigMap", "UsageError: %%apply takes no option but --yes", "--now"),
    ],
)
def test_an_error_is_seen_without_a_traceback(seen, cell, problem, remedy):
    shown = seen(cell)
    assert problem in shown
    assert remedy in shown
    assert "Traceback" not in shown
    assert ".py" not in shown


def test_every_error_of_the_tree_is_shown_so():
    def below(kind):
        yield kind
        for child in kind.__subclasses__():
            yield from below(child)

    for kind in below(errors.CalicoLabError):
        assert kind._render_traceback_ is errors.CalicoLabError._render_traceback_, kind
