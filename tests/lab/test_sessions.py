"""The lesson on sticky sessions: each fault is told by its own key, and in a session stands what the lesson says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.eventually import wait_until
from support.lesson_lab import LessonLab

from calico_lab.lessons import sessions, waits
from calico_lab.lessons.clients import Clients
from calico_lab.lessons.steps import manifest

COOKIE = {"type": "Cookie", "sessionName": "cart"}
HEADER = {"type": "Header", "sessionName": "x-cart"}
PERMANENT = COOKIE | {"cookieConfig": {"lifetimeType": "Permanent"}, "absoluteTimeout": "1h"}
PATCH = (
    "kubectl patch httproute round-robin-route --type=json "
    """-p '[{"op": "%s", "path": "/spec/rules/0%s", "value": %s}]'"""
)
# A route that is more specific than the guide's, and keeps no sessions.
OTHER = """kubectl apply -f - << 'END'
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: other}
spec:
  parentRefs: [{name: load-balancing-gateway}]
  hostnames: [www.example.com]
  rules:
    - matches: [{path: {type: Exact, value: /round}}]
      backendRefs: [{name: backend, port: 3000}]
      filters:
        - {type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: %s, value: cart=MTAuMC4wLjE6ODA=}]}}
END"""
FIRST = '{"matches": [{"path": {"value": "/round"}}], "backendRefs": [{"name": "backend", "port": 3000}]}'

# What is done on the bastion, and what the check says.
FAULTS = {
    "no route": ("kubectl delete httproute round-robin-route", "sticky-missing"),
    "no session": (PATCH % ("remove", "/sessionPersistence", "0"), "sticky-not-asked-for"),
    "a session in another rule": (PATCH % ("add", "", FIRST), "sticky-not-asked-for"),
    "a field that is refused": (PATCH % ("add", "/sessionPersistence/idleTimeout", '"1m"'), "sticky-not-accepted"),
    "another route serves": (OTHER % "x-cart", "sticky-nothing-told"),
    "a cookie that is not Envoy's": (OTHER % "set-cookie", "sticky-strays"),
    "one pod": ("kubectl scale deployment backend --replicas=1", "sticky-one-pod"),
}


class Lesson(LessonLab):
    """A lab in which the guide's route keeps sessions, and can be put back."""

    def begin(self) -> None:
        self.running.bastion("kubectl delete httproute round-robin-route other")
        self.lab.cluster.apply(manifest("route"))
        self.running.bastion("kubectl scale deployment backend --replicas=4")
        waits.envoy_knows_pods(self.lab.cluster, sessions.GATEWAY, 4)
        sessions.persist(self.lab, COOKIE)


@pytest.fixture(scope="module")
def running() -> Iterator[Lesson]:
    with Lesson.started("sessions", "route") as lesson:
        yield lesson


@pytest.fixture
def lesson(running: Lesson) -> Lesson:
    running.begin()
    return running


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_by_its_key(lesson, fault):
    command, key = FAULTS[fault]
    lesson.until("sticky", "")
    assert lesson.running.bastion(command).returncode == 0
    lesson.until("sticky", key)
    verdict = lesson.lab.check("sticky")
    assert verdict.hint
    assert verdict.evidence


@pytest.mark.parametrize("spec", [COOKIE, HEADER, PERMANENT])
def test_what_is_carried_holds_the_address_of_the_pod(lesson, spec):
    sessions.persist(lesson.lab, spec)
    clients = Clients(lesson.lab.bastion, lesson.address, spec["sessionName"])
    visits = clients.ask(3)
    assert visits.kept == 12
    assert visits.clients_per_pod == [3, 3, 3, 3]
    assert clients.told == 12
    addresses = {
        pod["metadata"]["name"]: f"{pod['status']['podIP']}:3000"
        for pod in lesson.lab.cluster.list("Pod", labels="app=backend")
    }
    values = [value.removeprefix("cart=") for carried in clients.carried for value in carried.values()]
    assert [sessions.address_in(value) for value in values] == [addresses[pod] for pod in visits.last]


def test_only_those_whose_pod_has_gone_are_told_anew(lesson):
    clients = Clients(lesson.lab.bastion, lesson.address, "cart")
    before = clients.ask(2)
    lesson.lab.cluster.delete("Pod", before.last[0])
    waits.envoy_knows_pods(lesson.lab.cluster, sessions.GATEWAY, 4)
    after = clients.ask(2)
    assert after.moved_since(before) == [number for number, pod in enumerate(before.last, 1) if pod == before.last[0]]
    assert (len(after.moved_since(before)), clients.told, after.kept) == (3, 15, 12)


def test_a_permanent_session_ends_with_its_time(lesson):
    """Its end stands in the cookie too, so that it does not depend on what the client forgets."""
    sessions.persist(lesson.lab, PERMANENT | {"absoluteTimeout": "2s"})
    (client,) = (Clients(lesson.lab.bastion, lesson.address, "cart", number=1),)
    client.ask(1)
    assert client.told == 1
    wait_until(lambda: client.ask(1) or client.told != 1)
