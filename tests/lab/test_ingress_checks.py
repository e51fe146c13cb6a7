"""Each fault that a learner can make in the lesson on Ingress is told by its own key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.eventually import wait_until
from support.labs import RunningLab
from support.lesson_lab import LessonLab, applied_in

from calico_lab.lessons.ingress_conversion import of_cluster
from calico_lab.lessons.steps import manifest

POOL = manifest("ip-pool")
NO_STATUS = """kubectl patch clusterrole traefik --type=json -p '[{"op": "remove", "path": "/rules/3"}]'"""


def patch(kind: str, name: str, change: str) -> str:
    return f"kubectl patch {kind} {name} --type=json -p '[{change}]'"


def replace(path: str, value: str) -> str:
    return f'{{"op": "replace", "path": "{path}", "value": {value}}}'


BACKEND = "/spec/rules/0/http/paths/0/backend/service"
OLD = "kubectl delete ingress shop shop-canary; kubectl delete deployment,service traefik"
# What is done on the bastion, the step that is looked at, what it says.
FAULTS = {
    "no Ingress": ("kubectl delete ingress shop", "ingress", "ingress-missing"),
    "a class that there is not": (
        patch("ingress", "shop", replace("/spec/ingressClassName", '"nginz"')), "ingress", "ingress-class",
    ),
    "a class whose controller does not read the annotations": (
        patch("ingress", "shop", replace("/spec/ingressClassName", '"traefik"')), "ingress", "ingress-other-controller",
    ),
    "a Service that there is not": (
        patch("ingress", "shop", replace(f"{BACKEND}/name", '"backnd"')), "ingress", "ingress-backend",
    ),
    "a port that the Service has not": (
        patch("ingress", "shop", replace(f"{BACKEND}/port", '{"number": 3001}')), "ingress", "ingress-backend",
    ),
    "no controller": ("kubectl scale deployment traefik --replicas=0", "ingress", "ingress-no-controller"),
    "a controller that may not write an address": (
        f"{NO_STATUS}; kubectl get ingress shop -o yaml | sed '/^status:/,$d' > /tmp/shop; kubectl delete ingress shop;"
        " sed -i '/uid:/d; /resourceVersion:/d' /tmp/shop; kubectl create -f /tmp/shop",
        "ingress", "ingress-no-address",
    ),
    "no Gateway": ("kubectl delete gateway shop", "conversion", "conversion-gateway-missing"),
    "no route": ("kubectl delete httproute shop-shop-example-com", "conversion", "conversion-no-route"),
    "a route at another Gateway": (
        patch("httproute", "shop-shop-example-com", replace("/spec/parentRefs/0/name", '"shpo"')),
        "conversion", "conversion-parent",
    ),
    "a backend of the route that there is not": (
        patch("httproute", "shop-shop-example-com", replace("/spec/rules/0/backendRefs/0/name", '"v9"')),
        "conversion", "conversion-not-accepted",
    ),
    "no address for the Gateway": (
        "kubectl delete ippool loadbalancer-ip-pool; kubectl get gateway shop -o yaml | sed '/^status:/,$d' > /tmp/gw;"
        " kubectl delete gateway shop; sed -i '/uid:/d; /resourceVersion:/d' /tmp/gw; kubectl create -f /tmp/gw",
        "conversion", "conversion-not-programmed",
    ),
    "nothing is taken away": ("true", "migrated", "migrated-not-begun"),
    "a controller without Ingresses": ("kubectl delete ingress shop shop-canary", "migrated", "migrated-left-over"),
    "the new is not there yet": ("kubectl delete gateway shop", "migrated", "migrated-waits"),
    "everything is taken away": (f"kubectl delete gateway shop; {OLD}", "migrated", "migrated-nothing-serves"),
    "the old is taken away": (OLD, "migrated", ""),
}  # fmt: skip


class Lesson(LessonLab):
    """A lab in which both ways in stand, and are put back."""

    def __init__(self, running: RunningLab) -> None:
        super().__init__(running)
        self.ingresses = applied_in("18-from-ingress", "ingress")
        self.old = manifest("ingress/traefik") + "---\n" + manifest("ingress/backend-v2") + "---\n" + self.ingresses
        self.lab.cluster.apply(self.old)
        self.new = of_cluster(self.lab.cluster, gateway="shop").manifest

    def stand(self) -> None:
        self.lab.cluster.apply(f"{POOL}---\n{self.old}---\n{self.new}")
        for step, key in (("ingress", ""), ("conversion", ""), ("migrated", "migrated-not-begun")):
            self.until(step, key)


@pytest.fixture(scope="module")
def lesson() -> Iterator[Lesson]:
    with Lesson.started("ingress-checks", "backend") as lesson:
        yield lesson


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_by_its_key(lesson, fault):
    command, step, key = FAULTS[fault]
    lesson.stand()
    lesson.running.bastion(command)
    lesson.until(step, key)
    verdict = lesson.lab.check(step)
    assert bool(verdict) is (not key)
    assert verdict.evidence
    assert bool(verdict.hint) is bool(key)


def test_these_steps_are_not_among_the_guides(lesson):
    assert not {"ingress", "conversion", "migrated"} & set(lesson.lab.check().frame().index)


def test_the_controller_is_a_pod_like_others_and_ends_with_it(lesson):
    """Traefik runs in its pod's namespaces, with modest memory, and leaves no process behind."""
    lesson.stand()
    pod = lesson.lab.cluster.list("Pod", labels="app=traefik")[0]["metadata"]["name"]
    status = lesson.running.kubectl("exec", pod, "--", "sh", "-c", "grep -h -E 'Name|RssAnon' /proc/[0-9]*/status")
    anonymous = [
        int(after.split()[1])
        for name, after in zip(*[iter(status.splitlines())] * 2, strict=False)
        if "traefik" in name
    ]
    assert anonymous, status
    assert max(anonymous) < 100_000
    lesson.running.kubectl("delete", "deployment", "traefik")
    wait_until(lambda: "traefik" not in lesson.running.bastion("ps -e -o comm=").stdout)


def test_a_controller_is_held_to_its_role(lesson):
    """Without the right to list Ingresses Traefik says so, in the API server's words."""
    lesson.stand()
    lesson.running.bastion(patch("clusterrole", "traefik", '{"op": "remove", "path": "/rules/2"}'))
    lesson.running.kubectl("rollout", "restart", "deployment/traefik")
    wanted = 'User "system:serviceaccount:default:traefik" cannot list resource "ingresses" in API group'
    # A pod may go while its log is asked for: then the next one is asked.
    logs = "kubectl logs -l app=traefik --tail=-1 || true"
    wait_until(lambda: wanted in lesson.running.bastion(logs).stdout.replace("\\", ""))
