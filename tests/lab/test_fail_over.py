"""The lesson on fail-over: each fault is told by its own key, and who answers is who should."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml
from support.labs import RunningLab
from support.lesson_lab import LessonLab, applied_in

from calico_lab.errors import WaitTimeout
from calico_lab.lessons import fail_over, stage

NAME = "14-fail-over"
PATCH = "kubectl patch %s --type=json -p '[%s]'"
REMOVE = '{"op": "remove", "path": "%s"}'

# What is done on the bastion, and what the check says.
FAULTS = {
    "no route": ("kubectl delete httproute site", "fail-over-missing"),
    "one site alone": (PATCH % ("httproute site", REMOVE % "/spec/rules/0/backendRefs/1"), "fail-over-one-site"),
    "no fallback": (PATCH % ("backend apology", REMOVE % "/spec/fallback"), "fail-over-no-fallback"),
    "nothing but fallbacks": (
        PATCH % ("backend site", '{"op": "add", "path": "/spec/fallback", "value": true}'),
        "fail-over-all-fallback",
    ),
    "a Backend that is not there": ("kubectl delete backend apology", "fail-over-not-resolved"),
    "no health check": ("kubectl delete backendtrafficpolicy site", "fail-over-unwatched"),
    "an address beside a name": (
        PATCH
        % (
            "backend apology",
            '{"op": "replace", "path": "/spec/endpoints", "value": [{"ip": {"address": "10.49.1.2", "port": 80}}]}',
        ),
        "fail-over-envoy",
    ),
}


class Lesson(LessonLab):
    """A lab in which the sites, their route and its policy can be put back."""

    def __init__(self, running: RunningLab) -> None:
        super().__init__(running)
        fail_over.open_sites(self.lab)

    def put_back(self, *, watched: bool = True) -> None:
        # Anew: what a fault has patched in, an apply would not take out.
        for kind, name in (("BackendTrafficPolicy", "site"), ("Backend", "site"), ("Backend", "apology")):
            self.lab.cluster.delete(kind, name, missing_ok=True)
        self.lab.cluster.apply(applied_in(NAME, "apply-sites"))
        fail_over.in_force(self.lab)
        # What has had no request so far, Envoy checks only once a minute.
        assert fail_over.send(self.lab, 8)["nobody"] == 0
        if watched:
            self.lab.cluster.apply(applied_in(NAME, "apply-policy"))
            fail_over.in_force(self.lab)


@pytest.fixture(scope="module")
def lesson() -> Iterator[Lesson]:
    with Lesson.started("fail-over", "gateway") as lesson:
        yield lesson


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_by_its_key(lesson, fault):
    command, key = FAULTS[fault]
    lesson.put_back()
    assert lesson.lab.check("fail-over")
    assert lesson.running.bastion(command).returncode == 0
    lesson.until("fail-over", key)
    verdict = lesson.lab.check("fail-over")
    assert verdict.hint
    assert verdict.evidence


def test_an_outage_is_noticed_over_and_back(lesson):
    lesson.put_back()
    seen = fail_over.through_an_outage(lesson.lab)
    answered = list(seen.answers["site"])
    assert (answered[0], answered[-1]) == ("site", "site")
    assert seen.count("apology") > 0
    assert seen.failing < seen.mended
    # What comes after the first site has been mended is not lost: it is asked only when it has answered a check.
    last_lost = max((second for second, site in seen.answers.itertuples(index=False) if site == "nobody"), default=0.0)
    assert last_lost < seen.mended


def test_an_outage_that_nobody_notices_ends_all_the_same(lesson, monkeypatch):
    lesson.put_back(watched=False)
    monkeypatch.setattr(fail_over, "TIME_LIMIT", 2.0)
    with pytest.raises(WaitTimeout, match="noticed that the first site fails"):
        fail_over.through_an_outage(lesson.lab)
    assert fail_over.send(lesson.lab, 8) == {"site": 8, "apology": 0, "nobody": 0}


@pytest.mark.parametrize(
    ("retry", "served"), [("{numRetries: 3}", 0), ("{numRetries: 1, numAttemptsPerPriority: 1}", 20)]
)
def test_a_retry_asks_the_other_site_only_when_it_is_told_to(lesson, retry, served):
    """Nobody checks the sites here: both are healthy for Envoy, and the first one fails."""
    lesson.put_back(watched=False)
    policy = yaml.safe_load(applied_in(NAME, "apply-policy"))
    del policy["spec"]["healthCheck"]
    lesson.lab.cluster.apply(yaml.safe_dump(policy | {"spec": policy["spec"] | {"retry": yaml.safe_load(retry)}}))
    stage.in_force(lesson.lab, "BackendTrafficPolicy", "site", "retry_policy")
    fail_over.fail(lesson.lab)
    try:
        assert fail_over.send(lesson.lab, 20) == {"site": 0, "apology": served, "nobody": 20 - served}
    finally:
        fail_over.mend(lesson.lab)
