"""The lesson on backends that fail: a policy that hides a failing pod from users, and takes it out."""

from __future__ import annotations

from calico_lab.lessons import counts, resilience
from calico_lab.lessons.checks import common
from calico_lab.lessons.checks.scene import JsonObject, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, first, not_yet, wrong
from calico_lab.lessons.resilience import KIND, POLICY, Settings

_LOOK = f"kubectl get {KIND.lower()} {POLICY} -o yaml"
_IN_ENVOY = f"calico-lab envoy {KIND.lower()} {POLICY}"


def check(scene: Scene) -> Verdict:
    """Whether the guide's policy retries, finds a failing pod and may leave it out, and Envoy works by it."""
    policy = scene.find(KIND, POLICY)
    if policy is None:
        return common.missing(scene, "failing", KIND, POLICY)
    wanted = resilience.asked_for(policy["spec"])
    return first(
        lambda: _not_accepted(policy),
        lambda: _not_asked_for(wanted),
        lambda: _never_out(scene, wanted),
        lambda: _envoy(scene, wanted),
    )


def _asks(wanted: Settings) -> Evidence:
    return Evidence("the policy asks for", str(wanted), _LOOK)


def _not_accepted(policy: JsonObject) -> Verdict | None:
    if common.is_false(policy, "Accepted"):
        return wrong(
            "failing-not-accepted", "Envoy Gateway does not take the policy as it is", common.said(policy),
            hint="The condition's reason and message say what it stumbled over.",
        )  # fmt: skip
    return None


def _not_asked_for(wanted: Settings) -> Verdict | None:
    if not wanted.retries:
        return not_yet(
            "failing-no-retry", "a request that meets the failing pod is lost", _asks(wanted),
            hint="What could Envoy do with a request that one of four pods could not answer?",
        )  # fmt: skip
    if wanted.failures is None and wanted.asks is None:
        return not_yet(
            "failing-no-health-check", "nobody notices that a pod fails all the time", _asks(wanted),
            hint="There are two ways to find out: ask the pod, or watch what it answers.",
        )  # fmt: skip
    return None


def _never_out(scene: Scene, wanted: Settings) -> Verdict | None:
    """Whether too few pods may be left out for even one: then a passive check alone does nothing."""
    pods = len(scene.objects("Pod", labels=counts.BACKEND))
    if wanted.asks is not None or wanted.ejected is None or wanted.ejected * pods >= 100:
        return None
    return wrong(
        "failing-never-out", "no pod may be left out, however often it fails",
        Evidence("may be left out", f"{wanted.ejected} % of {pods} pods, which is less than one", _LOOK),
        hint="How many percent of your pods is one pod?",
    )  # fmt: skip


def _envoy(scene: Scene, wanted: Settings) -> Verdict:
    found = resilience.in_envoy(scene.lab)
    seen = Evidence("Envoy works by", str(found or "nothing: it has no such route"), _IN_ENVOY)
    if found != wanted:
        return not_yet(
            "failing-envoy", "Envoy does not work by the policy", _asks(wanted), seen,
            hint="A change takes a moment. After that: whom is the policy about, and is that route there?",
        )  # fmt: skip
    return done("a failing pod is hidden from users, and left out", _asks(wanted), seen)
