"""What is wrong with the lab or the library shows in 12: at this very cell, and not only somewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.labs import RunningLab, running_lab
from support.mutated_notebooks import failing_cell, preceded, replaced

LESSON = "12-consistent-hash"
# As a pod that is started anew would be: it has the keys of nobody.
ANOTHER_POD = """
lab.cluster.delete("Pod", gone)
while len(pods := lab.cluster.list("Pod", labels="app=backend")) < 4:
    pass
gone = ({pod["metadata"]["name"] for pod in pods} - {*before.pods.values()}).pop()
"""
NOTHING_MOVES = """
Moves.moved = property(lambda _self: [])
"""
HASHED = "ConsistentHash\n    consistentHash:\n      type: Header\n      header:\n        name: user"

# What is wrong, and the cell that must be the first to fail.
MUTATIONS = {
    "requests dealt out": (replaced("apply", HASHED, "RoundRobin"), "wait"),
    "another header": (replaced("apply", "        name: user", "        name: who"), "wait"),
    "users who do not say who they are": (replaced("users", "(lab, address)", '(lab, address, header="x")'), "users"),
    "a verdict that is always the same": (preceded("gone", NOTHING_MOVES), "gone"),
    "a pod that is replaced and not put back": (preceded("back", ANOTHER_POD), "back"),
}


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with running_lab("mutations-hashing") as lab:
        yield lab


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_cell_fails(lab, tmp_path, mutation):
    mutate, cell = MUTATIONS[mutation]
    assert failing_cell(LESSON, mutate, lab, tmp_path) == cell
