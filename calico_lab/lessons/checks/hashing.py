"""The lesson on consistent hashing: the same key goes to the same pod, and not every key to one."""

from __future__ import annotations

from calico_lab import conditions
from calico_lab.lessons import hashing
from calico_lab.lessons.checks import common
from calico_lab.lessons.checks.scene import HOST, JsonObject, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, first, not_yet, wrong

KIND = "BackendTrafficPolicy"
# All on one of two pods or more, by chance: one in a billion.
KEYS = hashing.KEYS[:32]
_LOOK = f"kubectl get backendtrafficpolicy {hashing.NAME} -o yaml"


def check(scene: Scene) -> Verdict:
    """Whether the lesson's policy hashes a header, and the same key goes to the same pod."""
    policy = scene.find(KIND, hashing.NAME)
    if policy is None:
        return common.missing(scene, "hash", KIND, hashing.NAME)
    return first(
        lambda: _target_wrong(policy),
        lambda: _type_wrong(policy),
        lambda: _not_accepted(policy),
        lambda: _pods(scene),
        lambda: _keys(scene),
    )


def _target_wrong(policy: JsonObject) -> Verdict | None:
    targets = [f"{each['kind']} {each['name']}" for each in policy["spec"].get("targetRefs") or ()]
    if f"HTTPRoute {hashing.NAME}" in targets:
        return None
    return wrong(
        "hash-target", f"the policy is not about the route {hashing.NAME}",
        Evidence("targetRefs", ", ".join(targets) or "none", _LOOK),
        hint="A policy about something that does not exist has an empty status: nobody complains.",
    )  # fmt: skip


def _type_wrong(policy: JsonObject) -> Verdict | None:
    asked_for = hashing.asked_for(policy)
    if asked_for.partition(",")[0] == f"header {hashing.HEADER}":  # whatever the table's size
        return None
    balancer = policy["spec"].get("loadBalancer") or {}
    return wrong(
        "hash-other-type", f"the policy does not hash the header {hashing.HEADER}",
        Evidence("what is hashed", asked_for or f"nothing, by {balancer.get('type') or 'no type'}", _LOOK),
        hint="Two things are said in loadBalancer: that requests are hashed, and what of them.",
    )  # fmt: skip


def _not_accepted(policy: JsonObject) -> Verdict | None:
    if common.is_false(policy, "Accepted"):
        return wrong(
            "hash-not-accepted", "Envoy Gateway does not take the policy as it is", common.said(policy),
            hint="The condition's message names the value that it stumbled over.",
        )  # fmt: skip
    if conditions.is_true(policy, "Accepted"):
        return None
    return not_yet(
        "hash-unseen", "Envoy Gateway has not looked at it so far", common.said(policy),
        hint="Some seconds are normal. After that: is there the route, and does Envoy Gateway's own pod run?",
    )  # fmt: skip


def _pods(scene: Scene) -> Verdict | None:
    pods = scene.objects("Pod", labels=hashing.TAKES_PART)
    if len(pods) > 1:
        return None
    return not_yet(
        "hash-pods", "there are not two pods among which to choose",
        Evidence("pods that take part", str(len(pods)), f"kubectl get pods -l {hashing.TAKES_PART}"),
        hint="The lesson's Service selects by two labels. Which of the pods bear both?",
    )  # fmt: skip


def _keys(scene: Scene) -> Verdict:
    if not scene.address:
        return common.waits("hash", ["gateway"])
    address = scene.address
    once, again = (hashing.ask(scene.lab, address, KEYS) for _ in range(2))
    strayed = hashing.Moves(once, again).moved
    seen = Evidence(
        f"{len(KEYS)} keys, asked twice", f"pods that answered: {len(once.keys_per_pod)}\nanother pod the second time: "
        f"{len(strayed)}", f"curl -H 'Host: {HOST}' -H '{hashing.HEADER}: {KEYS[0]}' http://{address}/",
    )  # fmt: skip
    if strayed:
        return not_yet(
            "hash-strays", "the same key goes now to one pod, now to another", seen,
            hint="Envoy takes up a change in a moment. After that: do the requests bring the header?",
        )  # fmt: skip
    if len(once.keys_per_pod) == 1:
        return wrong("hash-one-pod", "all keys go to one pod", seen, hint="What have all these requests in common?")
    return done("the same key goes to the same pod, and others to others", seen)
