"""Each fault that a learner can make in the lesson on routing is told by its own key."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from support.labs import RunningLab, calico_lab, running_lab

from calico_lab import connect
from calico_lab.lab import Lab
from calico_lab.lessons.steps import manifest

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "09-routing.ipynb"
SECONDS = 20.0
PATCH = """kubectl patch httproute routing --type=json -p '[{"op": "replace", "path": "/spec/%s", "value": %s}]'"""

# What is done on the bastion, and what the check says.
FAULTS = {
    "no route": ("kubectl delete httproute routing", "routing-missing"),
    "another Gateway": (PATCH % ("parentRefs/0/name", '"load-balancer"'), "routing-parent"),
    "a Service that there is not": (PATCH % ("rules/1/backendRefs/0/name", '"backend-v9"'), "routing-not-accepted"),
    "a path that is not exact": (PATCH % ("rules/2/matches/0/path/type", '"PathPrefix"'), "routing-answers"),
    "another method": (PATCH % ("rules/2/matches/1/method", '"PUT"'), "routing-answers"),
    "backends of two rules changed": (PATCH % ("rules/1/backendRefs/0/name", '"backend"'), "routing-answers"),
    "as in the lesson": ("true", ""),
}


class Lesson:
    """A lab in which the lesson's route stands, and is put back."""

    def __init__(self, running: RunningLab) -> None:
        self.running = running
        self.lab: Lab = connect(running.kubeconfig)
        cells = {cell.id: cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells}
        self.route = cells["apply-routing"].source.partition("\n")[2] + "\n"
        self.lab.cluster.apply(manifest("routing/versions"))

    def until(self, key: str) -> None:
        deadline = time.monotonic() + SECONDS
        while (verdict := self.lab.check("routing")).key != key or (not key and not verdict):
            assert time.monotonic() < deadline, verdict
            time.sleep(0.1)


@pytest.fixture(scope="module")
def lesson() -> Iterator[Lesson]:
    with running_lab("routing-checks") as lab:
        calico_lab("reset", "--name", lab.name, "--to", "gateway")
        yield Lesson(lab)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_by_its_key(lesson, fault):
    command, key = FAULTS[fault]
    lesson.lab.cluster.apply(lesson.route)
    lesson.until("")
    lesson.running.bastion(command)
    lesson.until(key)
    verdict = lesson.lab.check("routing")
    assert bool(verdict) is (not key)
    assert verdict.evidence
    assert bool(verdict.hint) is bool(key)
