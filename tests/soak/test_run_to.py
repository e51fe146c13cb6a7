"""`%run_to end` in every lesson: what it leaves out is missed by no cell below."""

import pytest
from support.kernel import kernel
from support.labs import running_lab

from calico_lab import course_notebooks

NAMES = sorted(path.stem for path in course_notebooks.source().glob("*.ipynb"))


@pytest.fixture(scope="module")
def running():
    with running_lab("run-to") as running:
        yield running


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_can_be_caught_up_with_to_its_end(running, name):
    with kernel(KUBECONFIG=str(running.kubeconfig)) as opened:
        opened.run(f"%load_ext calico_lab.views.stage\n%stage {name}")
        ((stream, said),) = opened.run("%run_to end").shown
    assert (stream, said.partition(":")[0]) == ("stdout", "Next is end")
