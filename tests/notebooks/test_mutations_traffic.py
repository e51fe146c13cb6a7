"""What is wrong with the lab or the library shows in 09: at this very cell, and not only somewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.labs import RunningLab, running_lab
from support.mutated_notebooks import failing_cell, preceded, replaced

LESSON = "09-routing"
ALL_TO_ONE = """
lab.bastion.run("kubectl patch service backend-v3 -p '{\\"spec\\":{\\"selector\\":{\\"app\\":\\"backend-v2\\"}}}'")
import time; time.sleep(1)
"""
NOTHING_IS_WRONG = """
predictions.Predictions.wrong = []
"""

# What is wrong, and the cell that must be the first to fail.
MUTATIONS = {
    "a path that is not exact": (replaced("apply-routing", "type: Exact", "type: PathPrefix"), "ask"),
    "pods of another version": (preceded("check", ALL_TO_ONE), "check"),
    "a verdict that is always the same": (preceded("ask", NOTHING_IS_WRONG), "ask"),
    "a header that is not asked for": (replaced("apply-second", "value: two", "value: three"), "ask-second"),
}


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with running_lab("mutations-traffic") as lab:
        yield lab


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_cell_fails(lab, tmp_path, mutation):
    mutate, cell = MUTATIONS[mutation]
    assert failing_cell(LESSON, mutate, lab, tmp_path) == cell
