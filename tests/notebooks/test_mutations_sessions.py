"""What is wrong with the lab or the library shows in 11: at this very cell, and not only somewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.labs import RunningLab, running_lab
from support.mutated_notebooks import failing_cell, preceded, replaced

LESSON = "11-sticky-sessions"
FORGETFUL = """
Clients._request = lambda self, _client: ["-H", "Host: www.example.com", self._url]
"""
ALWAYS_KEPT = """
from calico_lab.lessons.clients import Visits
Visits.kept = property(lambda visits: len(visits.by_client))
"""

# What is wrong, and the cell that must be the first to fail.
MUTATIONS = {
    "one pod alone": (replaced("without", '"cart")', '"cart", number=1)'), "without"),
    "a cookie of another name": (replaced("apply", "sessionName: cart", "sessionName: trolley"), "wait"),
    "clients that forget": (preceded("kept", FORGETFUL), "kept"),
    "a verdict that is always the same": (preceded("without", ALWAYS_KEPT), "without"),
    "a robot without a cookie": (replaced("uneven", '-H "Cookie: ', '-H "Trolley: '), "uneven"),
    "a session in place of a permanent one": (
        replaced("lifetime", '"lifetimeType": "Permanent"', '"lifetimeType": "Session"'),
        "lifetime",
    ),
}


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with running_lab("mutations-sessions") as lab:
        yield lab


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_cell_fails(lab, tmp_path, mutation):
    mutate, cell = MUTATIONS[mutation]
    assert failing_cell(LESSON, mutate, lab, tmp_path) == cell
