"""Each fault that a learner can make in the lesson on routing is told by its own key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.labs import RunningLab
from support.lesson_lab import LessonLab, applied_in

from calico_lab.lessons.steps import manifest

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


class Lesson(LessonLab):
    """A lab in which the lesson's route stands, and is put back."""

    def __init__(self, running: RunningLab) -> None:
        super().__init__(running)
        self.route = applied_in("09-routing", "apply-routing")
        self.lab.cluster.apply(manifest("routing/versions"))


@pytest.fixture(scope="module")
def lesson() -> Iterator[Lesson]:
    with Lesson.started("routing-checks", "gateway") as lesson:
        yield lesson


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_by_its_key(lesson, fault):
    command, key = FAULTS[fault]
    lesson.lab.cluster.apply(lesson.route)
    lesson.until("routing", "")
    lesson.running.bastion(command)
    lesson.until("routing", key)
    verdict = lesson.lab.check("routing")
    assert bool(verdict) is (not key)
    assert verdict.evidence
    assert bool(verdict.hint) is bool(key)
