"""What is wrong with the lab or the library shows in 17: at this very cell, and not only somewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.labs import RunningLab, running_lab
from support.mutated_notebooks import failing_cell, preceded, replaced

LESSON = "17-who-may-come-in"
ALWAYS_RIGHT = """
limits.Limited.keeps_to_it = True
limits.Limited.passed = limits.Limited.refused = 25
"""

# What is wrong, and the cell that must be the first to fail.
MUTATIONS = {
    "another password in the Secret": (replaced("users", '"members", ann', '"members", guests.User("ann")'), "ask"),
    "the name of the user is not passed on": (
        replaced("apply-members", "\n    forwardUsernameHeader: x-user", ""),
        "ask",
    ),
    "bob is a member": (replaced("users", '"members", ann', '"members", ann, bob'), "ask"),
    "the Gateway's policy goes first": (
        preceded("ask-again", 'lab.cluster.delete("SecurityPolicy", "members")'),
        "ask-again",
    ),
    "another limit": (replaced("apply-limit", "requests: 20", "requests: 21"), "run-limit"),
    "no limit": (replaced("apply-limit", "name: open", "name: opened"), "run-limit"),
    "a verdict that is always the same": (preceded("run-limit", ALWAYS_RIGHT), "run-limit"),
    "one bucket for all users": (
        replaced("solution-1", "type: Distinct", "type: RegularExpression, value: '.*'"),
        "solution-1",
    ),
    "one Envoy": (replaced("solution-2", "replicas: 2", "replicas: 1"), "solution-2"),
}


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with running_lab("mutations-guarded") as lab:
        yield lab


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_cell_fails(lab, tmp_path, mutation):
    mutate, cell = MUTATIONS[mutation]
    assert failing_cell(LESSON, mutate, lab, tmp_path) == cell
