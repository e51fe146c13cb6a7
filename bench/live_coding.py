"""How soon `%run_to` brings a teacher anywhere: every third cell of every lesson."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bench.measure import Figure
from calico_lab import course_notebooks
from tests.support.kernel import kernel
from tests.support.labs import running_lab

EVERY = 3


def figures() -> Iterator[Figure]:
    """Jump to cells of each lesson in one kernel; the lab's part, and all of it."""
    made, taken = [], []
    with running_lab("bench-live") as lab:
        for lesson in sorted(path.stem for path in course_notebooks.source().glob("*.ipynb")):
            with kernel(KUBECONFIG=str(lab.kubeconfig)) as opened:
                opened.run(f"%load_ext calico_lab.views.stage\n%stage {lesson}")
                for cell in course_notebooks.code_cells(lesson)[2::EVERY]:
                    ((_stream, said),) = opened.run(f"%run_to {cell.name}").shown
                    whole, lab_alone = map(float, re.findall(r"in ([\d.]+) s", said))
                    made.append(lab_alone)
                    taken.append(whole)
    yield Figure(f"%run_to, the lab's part of it, for {len(made)} cells", made, "s", "2")
    yield Figure("  all of it, with what the cells before compute", taken, "s", "")
