"""What is wrong with the lab or the library shows in 13: at this very cell, and not only somewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.labs import RunningLab, running_lab
from support.mutated_notebooks import failing_cell, preceded, replaced

LESSON = "13-when-backends-fail"
NOBODY_COUNTS = """
resilience.tries = lambda _lab: 0
"""
NEVER_BROKEN = """
resilience.mood = lambda _lab, _name: None
"""

# What is wrong, and the cell that must be the first to fail.
MUTATIONS = {
    "a pod that does not break": (replaced("break", "/tmp/broken", "/tmp/else"), "as-it-is"),
    "tries that nobody counts": (preceded("retry", NOBODY_COUNTS), "retry"),
    "a pod that may not be left out": (replaced("passive", "50", "10"), "passive"),
    "a pod that is well when it is asked": (preceded("active", 'resilience.mood(lab, "well")'), "active"),
    "a pod that is never slow": (preceded("slow", NEVER_BROKEN), "slow"),
    "another limit": (replaced("breaker", "8}", "9}"), "breaker"),
    "no retry when the pod breaks": (replaced("together", "retry: {", "retry: {numRetries: 0, "), "together"),
}


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with running_lab("mutations-failing") as lab:
        yield lab


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_cell_fails(lab, tmp_path, mutation):
    mutate, cell = MUTATIONS[mutation]
    assert failing_cell(LESSON, mutate, lab, tmp_path) == cell
