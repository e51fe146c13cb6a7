"""Copies of notebooks in which one thing is wrong, judged by nbval against the outputs that are stored."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path

import nbformat

from support.labs import RunningLab

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
Cells = dict[str, nbformat.NotebookNode]
Mutate = Callable[[Cells], None]

# What a mutation keeps from coming true must not be waited for as long as a learner would. Not by the course's own
# limit: that stands in what a wait shows, so that every cell that waits would differ from what is stored.
CELL_SECONDS = 30
SECONDS = 280  # of a whole notebook, on a machine that has other things to do


def replaced(cell: str, old: str, new: str) -> Mutate:
    """Replace something in a cell."""

    def mutate(cells: Cells) -> None:
        assert old in cells[cell].source
        cells[cell].source = cells[cell].source.replace(old, new)

    return mutate


def preceded(cell: str, code: str) -> Mutate:
    """Run code before a cell in Python; it shows nothing, or that alone would differ from what is stored."""

    def mutate(cells: Cells) -> None:
        assert not cells[cell].source.startswith("%%")
        cells[cell].source = f"{code}\n{cells[cell].source}"

    return mutate


def nbval(notebook: Path, lab: RunningLab) -> subprocess.CompletedProcess[str]:
    """Run nbval on a notebook in a lab, up to the first cell that is wrong."""
    # -x: the first cell that is wrong decides, those after it need not wait for what will not come.
    options = ["-x", "-p", "no:cacheprovider", "-c", os.devnull]
    options += ["--nbval-cell-timeout", str(CELL_SECONDS)]
    command = [sys.executable, "-m", "pytest", *options, "--nbval", str(notebook)]
    environment = os.environ | {"KUBECONFIG": str(lab.kubeconfig)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS)


def failing_cell(
    name: str, mutate: Mutate, lab: RunningLab, folder: Path, *, without: Collection[str] = frozenset()
) -> str:
    """Return the id of the first cell that fails in a notebook with a mutation, and ``without`` these cells."""
    document = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    assert set(without) <= {cell.id for cell in document.cells}
    document.cells = [cell for cell in document.cells if cell.id not in without]
    mutate({cell.id: cell for cell in document.cells})
    copy = folder / f"{name}.ipynb"
    nbformat.write(document, copy)
    done = nbval(copy, lab)
    found = re.search(r"^FAILED .*::Cell (\d+)", done.stdout, re.M)
    assert done.returncode == 1, done.stdout
    assert found is not None, done.stdout
    return str([cell.id for cell in document.cells if cell.cell_type == "code"][int(found[1])])
