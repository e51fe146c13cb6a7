"""The lesson on TCP: each fault is told by its own key, and connections are dealt out where requests are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from support.labs import RunningLab
from support.lesson_lab import LessonLab, applied_in

from calico_lab.errors import ReportError
from calico_lab.lessons import connections, stage
from calico_lab.lessons.steps import manifest


class Lesson(LessonLab):
    """A lab in which the lesson's objects can be put back."""

    def __init__(self, running: RunningLab) -> None:
        super().__init__(running)
        self.objects = [applied_in("15-tcp-routing", name) for name in ("apply", "apply-raw")]
        self.lab.cluster.apply(manifest("tcp/greeter"))
        self.put_back()

    def put_back(self) -> None:
        for text in self.objects:
            self.lab.cluster.apply(text)
        self.running.kubectl("scale", "deployment", "greeter", "--replicas=3")
        self.running.kubectl("rollout", "status", "deployment/greeter")

    def patch(self, what: str, path: str, value: str) -> None:
        change = f'[{{"op": "replace", "path": "{path}", "value": {value}}}]'
        self.running.kubectl("patch", *what.split(), "--type=json", "-p", change)

    def second_on_its_listener(self) -> None:
        """The route is younger than another that is on its listener: the older one has it."""
        self.patch("tcproute raw", "/spec/parentRefs/0/sectionName", '"greetings"')
        self.running.kubectl("delete", "tcproute", "greeter")
        self.lab.cluster.apply(self.objects[0])


# What is done, and what the check says.
FAULTS: dict[str, tuple[str, Callable[[Lesson], object]]] = {
    "no route": ("tcp-other-name", lambda it: it.running.kubectl("delete", "tcproute", "greeter")),
    "a route for the listener that reads HTTP": (
        "tcp-listener", lambda it: it.patch("tcproute greeter", "/spec/parentRefs/0/sectionName", '"http"'),
    ),
    "two routes on one listener": ("tcp-not-accepted", Lesson.second_on_its_listener),
    "a Service that there is not": (
        "tcp-not-accepted", lambda it: it.patch("tcproute greeter", "/spec/rules/0/backendRefs/0/name", '"greeters"'),
    ),
    "no pod": ("tcp-silent", lambda it: it.running.kubectl("scale", "deployment", "greeter", "--replicas=0")),
    "no policy": ("tcp-turns", lambda it: it.running.kubectl("delete", "backendtrafficpolicy", "tcp-turns")),
}  # fmt: skip


@pytest.fixture(scope="module")
def lesson() -> Iterator[Lesson]:
    with Lesson.started("tcp", "route") as lesson:
        yield lesson


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_by_its_key(lesson, fault):
    key, seed = FAULTS[fault]
    lesson.put_back()
    lesson.until("tcp", "")
    seed(lesson)
    lesson.until("tcp", key)
    verdict = lesson.lab.check("tcp")
    assert verdict.hint
    assert verdict.evidence


def test_an_http_listener_deals_out_requests_and_a_tcp_listener_connections(lesson):
    lesson.put_back()
    lesson.until("tcp", "")
    stage.in_force(lesson.lab, "TCPRoute", "raw", "over 4 endpoints")
    http, raw = (f"http://{lesson.address}{rest}" for rest in ("/round", ":8000/round"))
    assert connections.send(lesson.lab, http, requests_each=12).requests_in_turn
    one = connections.send(lesson.lab, raw, requests_each=12)
    assert one.one_pod_each
    assert not one.requests_in_turn
    assert connections.send(lesson.lab, raw, connections=6, requests_each=2).connections_in_turn


def test_nobody_greets_on_the_port_that_reads_http(lesson, monkeypatch):
    monkeypatch.setattr(connections, "_SECONDS", 1)
    with pytest.raises(ReportError):
        connections.greeted(lesson.lab, lesson.address, 80, 1)
