"""The lesson on backends that fail: each fault of its policy is told by its key, and each mood of the pod is met."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.labs import RunningLab
from support.lesson_lab import LessonLab

from calico_lab.lessons import resilience

RIGHT = """
retry: {numRetries: 2}
healthCheck: {passive: {consecutive5XxErrors: 3, maxEjectionPercent: 50}}
"""
PATCH = "kubectl patch backendtrafficpolicy round-robin-policy --type=json -p '[%s]'"

NOT_PRIME = '{"type": "ConsistentHash", "consistentHash": {"type": "SourceIP", "tableSize": 1024}}'

# What is done on the bastion, and what the check says.
FAULTS = {
    "no policy": ("kubectl delete backendtrafficpolicy round-robin-policy", "failing-missing"),
    "no retry": (PATCH % '{"op": "remove", "path": "/spec/retry"}', "failing-no-retry"),
    "retries, but none at all": (
        PATCH % '{"op": "replace", "path": "/spec/retry/numRetries", "value": 0}',
        "failing-no-retry",
    ),
    "no health check": (PATCH % '{"op": "remove", "path": "/spec/healthCheck"}', "failing-no-health-check"),
    "less than one pod may be left out": (
        PATCH % '{"op": "remove", "path": "/spec/healthCheck/passive/maxEjectionPercent"}',
        "failing-never-out",
    ),
    "a policy that cannot be applied": (
        PATCH % f'{{"op": "replace", "path": "/spec/loadBalancer", "value": {NOT_PRIME}}}',
        "failing-not-accepted",
    ),
    "a policy about another route": (
        PATCH % '{"op": "replace", "path": "/spec/targetRefs/0/name", "value": "round-robbin-route"}',
        "failing-envoy",
    ),
}


class Lesson(LessonLab):
    """A lab in which the pod and the policy can be put back."""

    def __init__(self, running: RunningLab) -> None:
        super().__init__(running)
        resilience.join(self.lab)

    def give(self, settings: str) -> None:
        # Anew: what a fault has patched in, an apply would not take out.
        self.lab.cluster.delete(resilience.KIND, resilience.POLICY, missing_ok=True)
        resilience.give(self.lab, settings)


@pytest.fixture(scope="module")
def lesson() -> Iterator[Lesson]:
    with Lesson.started("resilience", "route") as lesson:
        yield lesson


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_by_its_key(lesson, fault):
    command, key = FAULTS[fault]
    lesson.give(RIGHT)
    assert lesson.lab.check("failing")
    assert lesson.running.bastion(command).returncode == 0
    lesson.until("failing", key)
    verdict = lesson.lab.check("failing")
    assert verdict.hint
    assert verdict.evidence


def test_settings_that_envoy_does_not_have_yet_are_waited_for(lesson, monkeypatch):
    lesson.give(RIGHT)
    monkeypatch.setattr(resilience, "in_envoy", lambda _lab: None)
    verdict = lesson.lab.check("failing")
    assert verdict.key == "failing-envoy"
    assert "no such route" in verdict.evidence[-1].seen


@pytest.mark.parametrize(
    ("mood", "statuses"), [("well", {200: 8}), ("broken", {200: 6, 503: 2}), ("gone", {200: 6, 503: 2})]
)
def test_one_of_four_is_as_its_mood(lesson, mood, statuses):
    lesson.give("{}")
    resilience.mood(lesson.lab, mood)
    outcome = resilience.send(lesson.lab, 8)
    assert outcome.statuses == statuses
    assert outcome.tries == 2


def test_a_slow_pod_takes_two_seconds(lesson):
    lesson.give("{}")
    resilience.mood(lesson.lab, "slow")
    outcome = resilience.send(lesson.lab, 4, connections=4)
    assert outcome.served == 4
    assert outcome.slowest >= 2


def test_what_a_policy_asks_for_is_read_from_envoy_as_it_was_asked_for(lesson):
    """Every setting that the lesson uses, each with a value of its own."""
    everything = """
    retry: {numRetries: 3, perRetry: {timeout: 250ms}, retryOn: {triggers: [reset, 5xx]}}
    timeout: {http: {requestTimeout: 1m30s}}
    healthCheck:
      active: {type: HTTP, http: {path: /health}}
      passive: {consecutive5XxErrors: 7, maxEjectionPercent: 40}
      panicThreshold: 20
    circuitBreaker: {maxParallelRequests: 9}
    """
    lesson.give(everything)
    found = resilience.in_envoy(lesson.lab)
    assert found == resilience.Settings(3, "5xx, reset", 0.25, 90.0, 7, 40, "/health", 20, 9)


def test_ten_percent_of_four_pods_is_nobody(lesson):
    """What the lesson warns of: with the default of maxEjectionPercent, which the check complains about."""
    lesson.give("healthCheck: {passive: {consecutive5XxErrors: 3}}")
    resilience.mood(lesson.lab, "broken")
    assert resilience.send(lesson.lab, 40).failed == 10
    assert resilience.statistic(lesson.lab, "outlier_detection.ejections_active") == 0


def test_envoy_tells_how_requests_ended(lesson):
    lesson.give("timeout: {http: {requestTimeout: 500ms}}")
    resilience.mood(lesson.lab, "slow")
    path = "/round/late"
    assert resilience.send(lesson.lab, 4, connections=4, path=path).statuses == {200: 3, 504: 1}
    told = resilience.accounts(lesson.lab, path, 4)
    assert told.loc[504].to_dict() == {"flags": "UT", "details": "response_timeout", "requests": 1}
