"""Copies of the notebooks for the stage: the narration stands, each cell of code is emptied to a prompt.

The course's own notebooks stay the one source. What a prompt says is derived from the cell that stood there, and
``%solution`` and ``%run_to`` (:mod:`calico_lab.views.stage`) read that cell when they are asked.
"""

from __future__ import annotations

import copy
from typing import Any

from calico_lab.lessons import outline

EXTENSION = "calico_lab.views.stage"
_HOW = """\
> **A copy for the stage.** Each cell of code says what to type. In any cell, `%solution` puts the cell's own source in
> its place; `%run_to` brings the lab and the variables to where everything above that cell has been done, whatever was
> done before. `%run_to NAME` and `%solution NAME` name another cell; `%stage` lists the names."""


def derive(name: str, document: dict[str, Any]) -> dict[str, Any]:
    """Return the copy for the stage of a notebook, given as the JSON of its file; ``name`` is its file's stem."""
    derived = copy.deepcopy(document)
    derived["cells"] = [*_opening(name), *map(_emptied, derived["cells"])]
    return derived


def _opening(name: str) -> list[dict[str, Any]]:
    source = f"%load_ext {EXTENSION}\n%stage {name}"
    how: dict[str, Any] = {"cell_type": "markdown", "id": "stage-how", "metadata": {}, "source": _HOW}
    code: dict[str, Any] = {"cell_type": "code", "id": "stage", "metadata": {}, "source": source}
    return [how, _without_outputs(code)]


def _emptied(cell: dict[str, Any]) -> dict[str, Any]:
    if cell["cell_type"] != "code":
        return cell
    is_solution = outline.SOLUTION in cell["metadata"].get("tags", ())
    cell["source"] = outline.EXERCISE if is_solution else outline.of("".join(cell["source"]))
    cell["metadata"].pop("jupyter", None)  # it hides a solution, and here there is one to be typed
    return _without_outputs(cell)


def _without_outputs(cell: dict[str, Any]) -> dict[str, Any]:
    return cell | {"outputs": [], "execution_count": None}
