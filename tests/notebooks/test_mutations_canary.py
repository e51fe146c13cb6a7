"""What is wrong with the lab or the library shows in 10: at this very cell, and not only somewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.labs import RunningLab, running_lab
from support.mutated_notebooks import failing_cell, preceded, replaced

LESSON = "10-canary-and-blue-green"
NEVER_AS_WANTED = """
shares.Shares.holds = lambda _self, _name: False
"""
ONE_VERSION = """
lab.bastion.run("kubectl patch service backend-v2 -p '{\\"spec\\":{\\"selector\\":{\\"app\\":\\"backend\\"}}}'")
import time; time.sleep(1)
"""

# What is wrong, and the cell that must be the first to fail.
MUTATIONS = {
    "a weight where none is asked for": (replaced("apply", "weight: 0", "weight: 20"), "dark-run"),
    "pods of another version": (preceded("ask-testers", ONE_VERSION), "ask-testers"),
    "other weights than are said": (replaced("ninety-ten", '"value": 10', '"value": 30'), "ninety-ten-run"),
    "a verdict that is always the same": (preceded("drawn-run", NEVER_AS_WANTED), "drawn-run"),
    "half of the way": (replaced("switch", "canary.shift(lab, 100)", "canary.shift(lab, 50)"), "switch"),
}


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with running_lab("mutations-canary") as lab:
        yield lab


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_cell_fails(lab, tmp_path, mutation):
    mutate, cell = MUTATIONS[mutation]
    assert failing_cell(LESSON, mutate, lab, tmp_path) == cell
