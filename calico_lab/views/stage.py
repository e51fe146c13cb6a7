"""Magics for live coding, in the notebooks that ``calico-lab notebooks --live`` writes and in IPython alike.

    %load_ext calico_lab.views.stage

    %stage NAME           the lesson that is taught; without a name, its cells and where it stands
    %solution [CELL]      put the source of this cell, or of the one named, here to be run
    %run_to [CELL]        bring lab and variables to where this cell, or the one named, is next

JupyterLab says which cell a magic is run in. Elsewhere "this cell" is the one after the last that was put here.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.utils.capture import capture_output

from calico_lab import course_notebooks
from calico_lab.errors import CalicoLabError, LabError
from calico_lab.lessons import catching_up
from calico_lab.lessons.catching_up import END, CodeCell

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add the magics to a shell: what ``%load_ext calico_lab.views.stage`` calls."""
    shell.register_magics(StageMagics)


@magics_class
class StageMagics(Magics):
    """The magics; they keep which lesson is taught, and which of its cells is next."""

    _cells: tuple[CodeCell, ...] = ()
    _next = 0

    @line_magic
    def stage(self, line: str) -> None:
        """Say which lesson is taught; without a name, list its cells."""
        if line.strip():
            self._cells, self._next = tuple(course_notebooks.code_cells(line.strip())), 0
        self._require_lesson()
        names = [cell.name for cell in self._cells]
        marked = [f"[{name}]" if number == self._next else name for number, name in enumerate(names)]
        print(" ".join(marked))  # noqa: T201

    @line_magic
    def solution(self, line: str) -> None:
        """Put the source of a cell in the place of this one, or after the prompt."""
        number = self._place(line.strip())
        if number == len(self._cells):
            raise UsageError("the lesson is at its end: %solution CELL names a cell")
        self._next = number + 1
        assert self.shell is not None  # noqa: S101 - magics are made by a shell
        self.shell.set_next_input(self._cells[number].source, replace=True)

    @line_magic
    def run_to(self, line: str) -> None:
        """Run, unseen, what brings lab and variables to where a cell is next."""
        number = self._place(line.strip())
        target = self._cells[number].name if number < len(self._cells) else END
        wanted = catching_up.cells_before(self._cells, target)
        seconds = {cell: self._run(cell) for cell in wanted}
        self._next = number
        lab = sum(taken for cell, taken in seconds.items() if catching_up.begins(cell))
        print(  # noqa: T201
            f"Next is {target}: cells run before it: {len(wanted)}, in {sum(seconds.values()):.1f} s, "
            f"of which the lab was made in {lab:.1f} s"
        )

    def _run(self, cell: CodeCell) -> float:
        """Run a cell and show nothing of it; returns how many seconds it took."""
        assert self.shell is not None  # noqa: S101
        begun = time.monotonic()
        with capture_output() as seen:
            result = self.shell.run_cell(cell.source, store_history=False, silent=True)  # type: ignore[no-untyped-call]
        error = result.error_before_exec or result.error_in_exec
        if isinstance(error, KeyboardInterrupt):
            raise error
        if error is not None:
            problem = error.problem if isinstance(error, CalicoLabError) else f"{type(error).__name__}: {error}"
            raise LabError(f"the cell {cell.name} failed: {problem}\n{seen.stderr}".rstrip(), remedy="%run_to, again")
        return time.monotonic() - begun

    def _place(self, name: str) -> int:
        self._require_lesson()
        try:
            return catching_up.place(self._cells, name or self._this_cell() or END)
        except CalicoLabError as error:
            raise UsageError(str(error)) from None

    def _this_cell(self) -> str:
        """Return the cell that the magic is run in, where the front end says so, or else the next of the lesson."""
        names = [cell.name for cell in self._cells]
        parent = getattr(self.shell, "parent_header", None) or {}
        told = parent.get("metadata", {}).get("cellId", "")
        if told in names:
            return str(told)
        return names[self._next] if self._next < len(names) else ""

    def _require_lesson(self) -> None:
        if not self._cells:
            raise UsageError("which lesson is taught? %stage NAME, such as: %stage 02-round-robin")
