"""How far a learner is, told from the lab: after every step, after a kernel's restart, and on the page of results."""

import re

import pytest
from support.jupyter import write_notebook
from support.kernel import kernel
from support.labs import calico_lab, running_lab

import calico_lab as course
from calico_lab.lessons import steps

# What `lab.check()` calls a step of the guide's that takes a manifest of another name.
DONE_AFTER = {"ip-pool": 1, "bgp": 2, "import-filter": 3, "gateway-api": 4, "hey": 5, "backend": 6, "route": 11}


@pytest.fixture(scope="module")
def running():
    with running_lab("progress") as running:
        yield running


def test_each_step_counts_when_it_is_done(running):
    lab = course.connect(running.kubeconfig)
    seen = {}
    for step in steps.STEPS:
        steps.take(lab, step.name, lambda _title: None)
        seen[step.name] = lab.progress().done
    assert {step: seen[step] for step in DONE_AFTER} == DONE_AFTER
    assert lab.progress().next.step == "test"


def test_a_step_that_was_undone_is_no_longer_done(running):
    lab = course.connect(running.kubeconfig)
    lab.begin("route")
    lab.cluster.delete("Deployment", "backend")
    assert not lab.progress().verdicts["backend"]
    assert lab.progress().next.step == "backend"


def test_a_new_kernel_knows_it_as_the_old_one_did(running):
    """Nothing is kept in a kernel, and no file of progress: text and HTML are the same in the next one."""
    said = []
    for begin in ('lab.begin("route")', "pass"):
        with kernel(KUBECONFIG=str(running.kubeconfig)) as opened:
            opened.run(f"import calico_lab\nlab = calico_lab.connect()\n{begin}")
            said += opened.run("lab.progress()").shown
    assert said[0] == said[1]
    assert said[0][1]["text/plain"].startswith("11 of 12 steps of the guide are done\n")


def test_the_command_writes_the_page_with_the_state_of_the_lab(running, tmp_path):
    write_notebook(tmp_path / "mine.ipynb", "1 + 1")
    nothing = calico_lab("report", str(tmp_path), "--name", running.name)
    assert nothing.returncode == 1
    assert "no notebook that was run" in nothing.stderr
    with kernel(KUBECONFIG=str(running.kubeconfig)) as opened:
        opened.run("import calico_lab\ncalico_lab.connect().begin('route')")
    text = (tmp_path / "mine.ipynb").read_text()
    (tmp_path / "mine.ipynb").write_text(text.replace('"execution_count": null', '"execution_count": 1'))
    done = calico_lab("report", str(tmp_path), "--name", running.name)
    assert done.stdout.strip() == str(tmp_path / "calico-lab-report.html"), done.stderr
    page = (tmp_path / "calico-lab-report.html").read_text()
    assert "11 of 12 steps of the guide are done" in page
    assert "mine: 1 of 1 cells run" in page
    assert not re.search(r"(src|href)=.?http", page)


def test_without_a_lab_the_page_says_so(tmp_path):
    write_notebook(tmp_path / "mine.ipynb", "1 + 1")
    text = (tmp_path / "mine.ipynb").read_text()
    (tmp_path / "mine.ipynb").write_text(text.replace('"execution_count": null', '"execution_count": 1'))
    assert calico_lab("report", str(tmp_path), "--name", "there-is-none").returncode == 0
    assert "The lab did not answer" in (tmp_path / "calico-lab-report.html").read_text()
