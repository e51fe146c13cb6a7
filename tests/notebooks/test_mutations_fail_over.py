"""What is wrong with the lab or the library shows in 14: at this very cell, and not only somewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.labs import RunningLab, running_lab
from support.mutated_notebooks import failing_cell, preceded, replaced

LESSON = "14-fail-over"
NEVER_BACK = """
fail_over.mend = lambda _lab: None
"""
# Asked twice a second, the site might be found out before it has lost a request.
NOBODY_SAVES = """
lab.bastion.run("kubectl patch backendtrafficpolicy site --type=merge -p '{\\"spec\\":{\\"retry\\":null,"
    "\\"healthCheck\\":{\\"active\\":{\\"interval\\":\\"5s\\"}}}}'")
"""

# What is wrong, and the cell that must be the first to fail.
MUTATIONS = {
    "a site that does not fail": (replaced("broken", "/tmp/broken", "/tmp/else"), "unnoticed-run"),
    "a check that takes 503 for well": (
        replaced("apply-policy", "path: /}", "path: /, expectedStatuses: [200, 503]}"),
        "noticed",
    ),
    "a site that stays away": (preceded("outage", NEVER_BACK), "outage"),
    "no retry, and a check that comes late": (preceded("retry-run", NOBODY_SAVES), "retry-run"),
}


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with running_lab("mutations-fail-over") as lab:
        yield lab


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_cell_fails(lab, tmp_path, mutation):
    mutate, cell = MUTATIONS[mutation]
    assert failing_cell(LESSON, mutate, lab, tmp_path) == cell
