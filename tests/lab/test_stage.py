"""A lesson taught from its copy for the stage, by magics alone: the same is seen as in the course's own notebook."""

import json
import os
import re
import sys

import pexpect
import pytest
from support.kernel import comparable, kernel
from support.labs import running_lab

from calico_lab import course_notebooks

NAME = "02-round-robin"


@pytest.fixture(scope="module")
def running():
    with running_lab("stage") as running:
        yield running


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """The code cells of a live copy: their ids, and their prompts."""
    folder = tmp_path_factory.mktemp("stage")
    course_notebooks.copy(folder, live=True)
    cells = json.loads((folder / f"{NAME}.ipynb").read_text())["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"}


@pytest.fixture(scope="module")
def stored():
    """What each cell of the source shows, as it is stored there."""
    cells = json.loads((course_notebooks.source() / f"{NAME}.ipynb").read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    for output in (output for cell in code for output in cell["outputs"]):
        for where in (output, output.get("data", {})):
            where |= {kind: "".join(text) for kind, text in where.items() if isinstance(text, list)}
    return {cell["id"]: comparable(cell["outputs"]) for cell in code}


@pytest.fixture
def taught(running, live):
    """A kernel in which the lesson's copy has been opened."""
    with kernel(KUBECONFIG=str(running.kubeconfig)) as opened:
        opened.run(live["stage"], "stage")
        yield opened


def test_by_magics_alone_the_lesson_shows_what_its_source_shows(taught, live, stored):
    for cell in list(live)[1:]:
        assert taught.run(live[cell], cell).shown == []  # a prompt is a comment
        filled = taught.run("%solution", cell).replaced_by
        assert taught.run(filled, cell).shown == stored[cell], cell


@pytest.mark.parametrize("cell", ["apply-gateway", "run-hey", "count-exactly", "plot"])
def test_whatever_was_done_before_one_goes_on_from_any_cell(taught, running, stored, cell):
    running.kubectl("delete", "deployments,services,gatewayapis", "--all", "--wait=false")
    taught.run("lab = address = None")
    ((stream, said),) = taught.run("%run_to", cell).shown
    assert stream == "stdout"
    assert said.startswith(f"Next is {cell}: ")
    assert re.search(r"made in [\d.]+ s", said)
    assert taught.run(taught.run("%solution", cell).replaced_by, cell).shown == stored[cell]


def test_a_cell_that_fails_on_the_way_is_told(taught):
    taught.run("import calico_lab.lab\ndel calico_lab.lab.Lab.begin")
    name, said = taught.run("%run_to plot").shown[-1]
    assert name == "LabError"
    assert "the cell prepare failed: AttributeError" in said


def test_in_plain_ipython_the_solution_stands_after_the_prompt(running, tmp_path):
    """On a terminal the solution is put where the teacher types next: Enter runs it."""
    environment = os.environ | {"KUBECONFIG": str(running.kubeconfig), "TERM": "xterm", "IPYTHONDIR": str(tmp_path)}
    command = ["-m", "IPython", "--no-banner", "--colors=nocolor", "--no-confirm-exit"]
    terminal = pexpect.spawn(sys.executable, command, env=environment, encoding="utf-8", timeout=30)
    try:
        for typed, seen in (
            ("%load_ext calico_lab.views.stage", r"In \[.*2"),
            (f"%stage {NAME}", r"\[connect\] prepare"),
            ("%run_to prepare", "Next is prepare"),
            ("%solution", '"prerequisites"'),
            ("", "The lab stands after the step prerequisites"),
        ):
            terminal.send(f"{typed}\r")
            terminal.expect(seen)
    finally:
        terminal.terminate(force=True)
