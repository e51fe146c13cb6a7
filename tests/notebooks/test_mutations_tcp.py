"""What is wrong with the lab or the library shows in 15: at this very cell, and not only somewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.labs import RunningLab, running_lab
from support.mutated_notebooks import failing_cell, preceded, replaced

LESSON = "15-tcp-routing"
A_NEW_CONNECTION_FOR_EACH = """
send = connections.send
connections.send = lambda lab, url, connections=1, requests_each=1: send(lab, url, connections=24)
"""

DRAWN = """
policy = lab.cluster.get("BackendTrafficPolicy", "tcp-turns")
policy["spec"]["loadBalancer"]["type"] = "Random"
import time, yaml
lab.cluster.apply(yaml.safe_dump(policy))
time.sleep(1)
"""

# What is wrong, and the cell that must be the first to fail.
MUTATIONS = {
    "a policy that draws": (preceded("turns", DRAWN), "turns"),
    "a greeting on the port that reads HTTP": (
        replaced("first-word", "{address}/80'", "{address}/7000'"),
        "first-word",
    ),
    "a port that reads HTTP too": (
        replaced("unread", '"port 8000": f"{address}:8000"', '"port 8000": address'),
        "unread",
    ),
    "a connection for each request": (preceded("strips", A_NEW_CONNECTION_FOR_EACH), "strips"),
    "other weights than are said": (replaced("weights", '"weight": 3}', '"weight": 1}'), "weights-run"),
}


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with running_lab("mutations-tcp") as lab:
        yield lab


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_cell_fails(lab, tmp_path, mutation):
    mutate, cell = MUTATIONS[mutation]
    assert failing_cell(LESSON, mutate, lab, tmp_path) == cell
