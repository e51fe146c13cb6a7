"""The lesson on passwords and limits: what Envoy does, and each fault is told by its own key."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from support.labs import RunningLab
from support.lesson_lab import LessonLab

from calico_lab.lessons import guests, limits, side_by_side, stage, waits
from calico_lab.lessons.guests import User
from calico_lab.lessons.steps import GATEWAY, manifest

MERGE = "kubectl patch {} --type=merge --patch='{}'"


def policy(kind: str, name: str, target: str, **spec: Any) -> str:
    reference = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": target}
    return yaml.safe_dump(
        {
            "apiVersion": "gateway.envoyproxy.io/v1alpha1",
            "kind": kind,
            "metadata": {"name": name},
            "spec": {"targetRefs": [reference], **spec},
        }
    )


def limit(requests: int, unit: str = "Hour") -> str:
    rules = [{"limit": {"requests": requests, "unit": unit}}]
    return policy("BackendTrafficPolicy", "limit", "open", rateLimit={"type": "Local", "local": {"rules": rules}})


MEMBERS = policy("SecurityPolicy", "members", "members", basicAuth={"users": {"name": "members"}})


def merge(item: str, **content: Any) -> str:
    return f"kubectl patch {item} --type=merge --patch={shlex.quote(json.dumps(content))}"


def about(route: str) -> dict[str, Any]:
    return {"targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": route}]}


def ruled(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"rateLimit": {"local": {"rules": rules}}}


SOME = {"clientSelectors": [{"headers": [{"name": "x", "value": "y"}]}], "limit": {"requests": 1, "unit": "Minute"}}
ALL = {"limit": {"requests": 1, "unit": "Hour"}}
GUARD, LIMIT, USERS = "securitypolicy members", "backendtrafficpolicy limit", "secret members"

# The check, what is done on the bastion, and what the check says.
FAULTS = {
    "no policy": ("members", f"kubectl delete {GUARD}", "members-missing"),
    "a target misspelt": ("members", merge(GUARD, spec=about("member")), "members-target"),
    "no users": ("members", f"kubectl delete {USERS}", "members-not-accepted"),
    "another hash": ("members", merge(USERS, stringData={".htpasswd": "ann:$apr1$x"}), "members-not-accepted"),
    "nothing asked for": ("members", merge(GUARD, spec={"basicAuth": None}), "members-open"),
    "no route": ("members", "kubectl delete httproute members open", "members-no-route"),
    "no limit": ("limit", f"kubectl delete {LIMIT}", "limit-missing"),
    "another route": ("limit", merge(LIMIT, spec=about("opened")), "limit-target"),
    "only for some": ("limit", merge(LIMIT, spec=ruled(SOME)), "limit-none"),
    "units that do not go together": ("limit", merge(LIMIT, spec=ruled(ALL, SOME)), "limit-not-accepted"),
    "its route is gone": ("limit", "kubectl delete httproute open", "limit-envoy"),
}


class Lesson(LessonLab):
    """A lab in which the lesson's objects can be put back."""

    def __init__(self, running: RunningLab) -> None:
        super().__init__(running)
        self.ann = User("ann")

    def prepare(self) -> None:
        for each in (manifest("guarded/routes"), guests.secret("members", self.ann), MEMBERS, limit(20)):
            self.lab.cluster.apply(each)
        self.until("members", "")
        self.until("limit", "")

    def workers(self, number: int) -> None:
        """Give the Gateway's Envoy so many workers."""
        reference = "parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: workers}"
        proxy = "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyProxy\nmetadata: {name: workers}\n"
        gateway = manifest("gateway").replace("spec:\n", f"spec:\n  infrastructure: {{{reference}}}\n")
        self.lab.cluster.apply(f"{proxy}spec: {{concurrency: {number}}}\n---\n{gateway}")
        waits.envoy_workers(self.lab.cluster, GATEWAY, number, shown=False)
        limits.in_force(self.lab)
        limits.reached(self.lab, self.address)


@pytest.fixture(scope="module")
def lesson() -> Iterator[Lesson]:
    with Lesson.started("guarded", "gateway") as lesson:
        yield lesson


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_by_its_key(lesson, fault):
    check, command, key = FAULTS[fault]
    lesson.prepare()
    lesson.running.bastion(command)
    lesson.until(check, key)
    verdict = lesson.lab.check(check)
    assert verdict.hint
    assert verdict.evidence


def test_the_check_shows_whom_the_secret_lists_and_no_hash(lesson):
    lesson.prepare()
    shown = repr(lesson.lab.check("members"))
    assert "users in the Secret members: ann" in shown
    assert lesson.ann.line.partition("}")[2] not in shown


def test_a_header_of_the_client_s_is_believed_only_where_a_policy_sets_it(lesson):
    lesson.prepare()
    forwarding = {"users": {"name": "members"}, "forwardUsernameHeader": "x-user"}
    lesson.lab.cluster.apply(policy("SecurityPolicy", "members", "members", basicAuth=forwarding))
    stage.in_force(lesson.lab, "SecurityPolicy", "members")
    claims = "-H x-user:eve"
    password = f"-u ann:{lesson.ann.password}"

    def told(request: str) -> str:
        (answer,) = side_by_side.ask(lesson.lab.bastion, [(lesson.address, guests.HOST, request)])
        return answer.headers.get("X-User", "")

    waits.until(lambda: told(f"{password} {claims} /members") == "ann", "the pod is told the user", remedy="")
    assert told(f"{claims} /") == "eve"


def test_the_workers_of_an_envoy_share_its_bucket(lesson):
    lesson.prepare()
    lesson.workers(4)
    found = limits.send(lesson.lab, lesson.address, 200, connections=50)
    assert (found.passed, found.refused) == (20, 180)


def test_each_route_of_a_limited_gateway_has_a_bucket(lesson):
    lesson.prepare()
    wide = yaml.safe_load(limit(20))
    wide["spec"]["targetRefs"][0] |= {"kind": "Gateway", "name": GATEWAY}
    for kind, name in (("BackendTrafficPolicy", "limit"), ("SecurityPolicy", "members")):
        lesson.lab.cluster.delete(kind, name)
    lesson.lab.cluster.apply(yaml.safe_dump(wide))
    limits.in_force(lesson.lab)
    lesson.until("members", "members-missing")
    for path in ("/", "/members"):
        assert limits.send(lesson.lab, lesson.address, 50, path=path).passed == 20
