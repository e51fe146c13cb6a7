"""The lesson on canaries: each fault is told by its own key, and the slider shifts what a load gets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.eventually import LIMIT_SECONDS
from support.labs import RunningLab
from support.lesson_lab import LessonLab

from calico_lab.lessons import canary, stage
from calico_lab.views import traffic_shift
from calico_lab.views.traffic_shift import TrafficShift

PATCH = (
    "kubectl patch httproute canary --type=json "
    """-p '[{"op": "replace", "path": "/spec/rules/0/%s", "value": %s}]'"""
)

# What is done on the bastion, and what the check says.
FAULTS = {
    "no route": ("kubectl delete httproute canary", "canary-missing"),
    "one version alone": (PATCH % ("backendRefs", '[{"name": "backend", "port": 3000}]'), "canary-version"),
    "another port": (PATCH % ("backendRefs/1/port", "3001"), "canary-not-accepted"),
    "no weight at all": (PATCH % ("backendRefs/0/weight", "0"), "canary-nobody"),
}


class Lesson(LessonLab):
    """A lab in which the lesson's route can be put back."""

    def __init__(self, running: RunningLab) -> None:
        super().__init__(running)
        stage.second_version(self.lab)


@pytest.fixture(scope="module")
def lesson() -> Iterator[Lesson]:
    with Lesson.started("canary", "gateway") as lesson:
        yield lesson


def test_the_slider_shifts_what_a_load_gets(lesson, monkeypatch):
    monkeypatch.setattr(traffic_shift, "SECONDS", 1.0)
    shift = TrafficShift(lesson.lab, lesson.address)
    for share in (100, 0):
        shift.slider.value = share
        running = shift.start()
        assert shift.start() is None
        running.join(LIMIT_SECONDS)
        assert f"v1 {100 - share}, v2 {share}: as wanted" in shift.status.value
        assert "The load has ended" in shift.status.value
        assert bytes(shift.picture.value).startswith(b"\x89PNG")
        assert not shift.button.disabled


def test_what_goes_wrong_is_said_at_the_slider(lesson):
    shift = TrafficShift(lesson.lab, "'")  # which is no address, and no word of bash
    shift.start().join(LIMIT_SECONDS)
    assert "That did not work" in shift.status.value
    assert not shift.button.disabled


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_by_its_key(lesson, fault):
    command, key = FAULTS[fault]
    canary.shift(lesson.lab, 0)
    assert lesson.lab.check("canary")
    lesson.running.bastion(command)
    lesson.until("canary", key)
    verdict = lesson.lab.check("canary")
    assert verdict.hint
    assert verdict.evidence


def test_weights_that_envoy_does_not_have_yet_are_waited_for(lesson, monkeypatch):
    canary.shift(lesson.lab, 50)
    monkeypatch.setattr(canary, "in_envoy", lambda _lab: [100])
    verdict = lesson.lab.check("canary")
    assert verdict.key == "canary-envoy"
    assert "asked for: backend 50, backend-v2 50\nin Envoy: [100]" in verdict.evidence[0].seen
