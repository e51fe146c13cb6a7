"""The lesson on consistent hashing: each fault is told by its own key, and keys move as the lesson says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.labs import RunningLab
from support.lesson_lab import LessonLab, applied_in

from calico_lab.lessons import hashing
from calico_lab.lessons.hashing import Moves
from calico_lab.lessons.steps import manifest

PATCH = (
    """kubectl patch backendtrafficpolicy users --type=json -p '[{"op": "replace", "path": "/spec/%s", "value": %s}]'"""
)
HASHED = "loadBalancer/consistentHash"

# What is done on the bastion, and what the check says.
FAULTS = {
    "no policy": ("kubectl delete backendtrafficpolicy users", "hash-missing"),
    "another route": (PATCH % ("targetRefs/0/name", '"user"'), "hash-target"),
    "round robin": (PATCH % ("loadBalancer", '{"type": "RoundRobin"}'), "hash-other-type"),
    "another header": (PATCH % (f"{HASHED}/header/name", '"name"'), "hash-other-type"),
    "the client's address": (PATCH % (HASHED, '{"type": "SourceIP"}'), "hash-other-type"),
    "a table that is not prime": (
        PATCH % (HASHED, '{"type": "Header", "header": {"name": "user"}, "tableSize": 1024}'),
        "hash-not-accepted",
    ),
    "one pod takes part": (
        "kubectl label --overwrite $(kubectl get pods -l app=backend -o name | tail -3) takes-part=no",
        "hash-pods",
    ),
    "a backend that there is not": (
        "kubectl patch httproute users --type=merge -p "
        '\'{"spec": {"rules": [{"backendRefs": [{"name": "backend-v9", "port": 3000}]}]}}\'',
        "cannot-look",
    ),
}


class Lesson(LessonLab):
    """A lab in which the lesson's policy stands, and is put back."""

    def __init__(self, running: RunningLab) -> None:
        super().__init__(running)
        self.policy = applied_in("12-consistent-hash", "apply")

    @property
    def pods(self) -> list[str]:
        return [pod["metadata"]["name"] for pod in self.lab.cluster.list("Pod", labels="app=backend")]

    def begin(self) -> None:
        self.running.bastion("kubectl delete backendtrafficpolicy users")
        self.lab.cluster.apply(manifest("hashing/users"))
        self.lab.cluster.apply(self.policy)
        hashing.take_part(self.lab, self.pods)
        hashing.in_force(self.lab)


@pytest.fixture(scope="module")
def running() -> Iterator[Lesson]:
    with Lesson.started("hashing", "gateway") as lesson:
        yield lesson


@pytest.fixture
def lesson(running: Lesson) -> Lesson:
    running.begin()
    return running


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_by_its_key(lesson, fault):
    command, key = FAULTS[fault]
    lesson.until("hash", "")
    assert lesson.running.bastion(command).returncode == 0
    lesson.until("hash", key)
    verdict = lesson.lab.check("hash")
    assert verdict.hint
    assert verdict.evidence


def test_what_envoy_does_not_hash_yet_is_waited_for(lesson, monkeypatch):
    placements = [hashing.modulo(["a", "b"]), hashing.modulo(["b", "a"])]
    monkeypatch.setattr(hashing, "ask", lambda *_arguments: placements.pop())
    assert lesson.lab.check("hash").key == "hash-strays"
    placements[:] = [hashing.modulo(["a"])] * 2
    assert lesson.lab.check("hash").key == "hash-one-pod"


def test_every_pod_gets_its_share_of_the_keys(lesson):
    """Each of 600 keys falls to one of four pods: 95 or fewer for one of them are less likely than one in a million.

    (Binomial, n = 600, p = 1/4, five standard deviations of 10.6 below 150.)
    """
    assert min(hashing.ask(lesson.lab, lesson.address).keys_per_pod) > 95


def test_the_keys_of_a_pod_that_goes_move_and_come_back_with_it(lesson):
    before = hashing.ask(lesson.lab, lesson.address)
    for gone in lesson.pods:
        hashing.take_part(lesson.lab, [gone], yes=False)
        hashing.in_force(lesson.lab, pods=3)
        moves = Moves(before, hashing.ask(lesson.lab, lesson.address))
        assert moves.gone == {gone}
        # At most 0.9 % by the algorithm for whichever four of the addresses that a lab gives to its first ten pods.
        assert len(moves.needless) < 0.02 * moves.stayable
        hashing.take_part(lesson.lab, [gone])
        hashing.in_force(lesson.lab)
        assert Moves(before, hashing.ask(lesson.lab, lesson.address)).moved == []
