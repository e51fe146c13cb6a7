"""How to bring lab and kernel to where a lesson stands before one of its cells: which cells to run, and which not.

Everything above the cell is run, in order and from the lesson's own beginning, so that no variable is missing, but for

- cells that only show something: a check, a plot, a picture, a quiz;
- cells that take steps of the guide right after the lesson has begun: it begins after these steps then, which comes to
  the same lab in less time, because one need not wait for one step before the next.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from calico_lab.errors import StepError
from calico_lab.lessons import outline
from calico_lab.lessons.steps import STEPS, manifest, upto

_BEGIN = re.compile(r"""lab\.begin\((["'])(?P<step>[\w-]+)\1""")
_STEP_ON_BASTION = re.compile(r"%%bastion\b.*--step[ =](?P<step>[\w-]+)")
END = "end"


@dataclass(frozen=True)
class CodeCell:
    """A cell of code in a lesson: its id, and its source."""

    name: str
    source: str


def cells_before(cells: Sequence[CodeCell], target: str) -> list[CodeCell]:
    """Return what to run to come to where the cell ``target`` is next, or to the ``end``.

    Raises ``StepError`` when the lesson has no such cell.
    """
    above = list(cells[: place(cells, target)])
    shown = _names_of_views(cells)
    kept = [cell for cell in above if not _only_shows(cell, shown)]
    begin = next((number for number, cell in enumerate(kept) if begins(cell)), None)
    if begin is None:
        return kept
    after, rest = _steps_at_once(kept[begin], kept[begin + 1 :])
    return [*kept[:begin], after, *rest]


def begins(cell: CodeCell) -> bool:
    """Whether a cell brings the lab to the state that a lesson begins in."""
    return _BEGIN.search(cell.source) is not None


def place(cells: Sequence[CodeCell], name: str) -> int:
    """Return the place of a cell in a lesson; raises ``StepError`` when there is none of that name."""
    names = [cell.name for cell in cells]
    if name == END:
        return len(names)
    if name not in names:
        raise StepError(f"there is no cell {name!r} in this lesson", remedy=f"name one of {', '.join([*names, END])}")
    return names.index(name)


def _steps_at_once(begin: CodeCell, rest: list[CodeCell]) -> tuple[CodeCell, list[CodeCell]]:
    """Let a lesson begin after as many steps as the cells right behind its beginning take; returns those left too."""
    found = _BEGIN.search(begin.source)
    assert found is not None  # noqa: S101 - the caller has looked
    to_come = list(STEPS[len(upto(found["step"])) :])
    left: list[CodeCell] = []
    step = found["step"]
    for number, cell in enumerate(rest):
        if to_come and _takes(cell, to_come[0].name):
            step = to_come.pop(0).name
        elif _assigns(cell):  # what it reads of the lab may be of this moment
            left += rest[number:]
            break
        else:
            left.append(cell)
    start, end = found.span("step")
    return replace(begin, source=begin.source[:start] + step + begin.source[end:]), left


def _takes(cell: CodeCell, step: str) -> bool:
    """Whether a cell takes a step of the guide, and does nothing else."""
    import yaml

    if on_bastion := _STEP_ON_BASTION.match(cell.source):
        return on_bastion["step"] == step
    head, _, body = cell.source.partition("\n")
    is_manifest = head.strip() == "%%apply" and not next(one for one in STEPS if one.name == step).command
    return is_manifest and list(yaml.safe_load_all(body)) == list(yaml.safe_load_all(manifest(step)))


def _assigns(cell: CodeCell) -> bool:
    return any(isinstance(node, ast.Assign) for node in outline.parsed(cell.source).body)


def _names_of_views(cells: Sequence[CodeCell]) -> set[str]:
    """Return the names that the lesson imports of what shows things."""
    imports = (node for cell in cells for node in outline.parsed(cell.source).body if isinstance(node, ast.ImportFrom))
    return {name.name for node in imports if (node.module or "").startswith("calico_lab.views") for name in node.names}


def _only_shows(cell: CodeCell, views: set[str]) -> bool:
    """Whether a cell is one look at what is there: nothing is called to make what it looks at, and nothing kept."""
    match outline.parsed(cell.source).body:
        case [ast.Expr(value=ast.Call(func=function) as call)] if ast.unparse(function).removesuffix(".of") in (
            views | {"lab.check"}
        ):
            arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
            return not any(isinstance(node, ast.Call) for argument in arguments for node in ast.walk(argument))
    return False
