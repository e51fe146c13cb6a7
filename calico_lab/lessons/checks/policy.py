"""The step policy: Envoy sends the route's requests to one pod after the other."""

from __future__ import annotations

from calico_lab import conditions
from calico_lab.lessons.checks import common
from calico_lab.lessons.checks.scene import GATEWAY, POLICY, ROUTE, JsonObject, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, first, not_yet, wrong

KIND = "BackendTrafficPolicy"
GROUP = "gateway.networking.k8s.io"
TYPE = "RoundRobin"
ENVOY_POLICY = "round_robin"
_LOOK = f"kubectl get backendtrafficpolicy {POLICY} -o yaml"
_TARGETS = (("HTTPRoute", ROUTE), ("Gateway", GATEWAY))


def check(scene: Scene) -> Verdict:
    """Whether the policy is about the guide's route, asks for round robin, and Envoy works by it."""
    if not scene.serves(KIND):
        return common.waits("policy", ["gateway-api"])
    policy = scene.find(KIND, POLICY)
    if policy is None:
        return common.missing(scene, "policy", KIND, POLICY)
    return first(
        lambda: _target_wrong(policy),
        lambda: _type_wrong(policy),
        lambda: _not_accepted(scene, policy),
        lambda: _in_envoy(scene, policy),
    )


def _target_wrong(policy: JsonObject) -> Verdict | None:
    spec = policy["spec"]
    targets = [*(spec.get("targetRefs") or ()), *filter(None, [spec.get("targetRef")])]
    if spec.get("targetSelectors") or any(_is_target(each) for each in targets):
        return None
    return wrong(
        "policy-target", f"the policy is not about the route {ROUTE}",
        Evidence("targetRefs", ", ".join(f"{each['kind']} {each['name']}" for each in targets) or "none", _LOOK),
        common.said(policy),
        hint="A policy about something that does not exist has an empty status: nobody complains. "
        "Compare its target with kubectl get httproutes.",
    )  # fmt: skip


def _is_target(reference: JsonObject) -> bool:
    return reference.get("group") == GROUP and (reference["kind"], reference["name"]) in _TARGETS


def _type_wrong(policy: JsonObject) -> Verdict | None:
    balancer = policy["spec"].get("loadBalancer") or {}
    if balancer.get("type") == TYPE:
        return None
    return wrong(
        "policy-other-type", "the policy asks for another way of load balancing",
        Evidence("loadBalancer of the policy", balancer.get("type") or "nothing said of it", _LOOK),
        hint="What is this lesson about, and what does the policy tell Envoy to do?",
    )  # fmt: skip


def _not_accepted(scene: Scene, policy: JsonObject) -> Verdict | None:
    if common.is_false(policy, "Accepted"):
        return wrong(
            "policy-not-accepted", "Envoy Gateway does not take the policy as it is", common.said(policy),
            hint="The condition's reason and message say why. Is there a second policy about the same route?",
        )  # fmt: skip
    if conditions.is_true(policy, "Accepted"):
        return None
    earlier = scene.unfinished("gateway-api", "gateway", "route")
    if earlier:
        return common.waits("policy", earlier, common.said(policy))
    return not_yet(
        "policy-unseen", "Envoy Gateway has not looked at it so far", common.said(policy),
        hint="Some seconds are normal. After that: does Envoy Gateway's own pod run?",
    )  # fmt: skip


def _in_envoy(scene: Scene, policy: JsonObject) -> Verdict:
    configuration = scene.envoy_configuration()
    clusters = configuration.clusters_from("HTTPRoute", ROUTE, scene.namespace) if configuration else []
    if not clusters:
        return done(f"the policy {POLICY} is accepted", common.said(policy))
    seen = Evidence(
        "Envoy's own configuration, for the route", ", ".join(sorted({each.policy for each in clusters})),
        "localhost:19000/config_dump",
    )  # fmt: skip
    if any(each.policy != ENVOY_POLICY for each in clusters):
        return not_yet(
            "policy-not-in-envoy", "Envoy still balances in another way", seen, common.said(policy),
            hint="Some seconds are normal. After that: does Envoy Gateway's own pod run?",
        )  # fmt: skip
    return done(f"the policy {POLICY} is accepted, and Envoy works by it", common.said(policy), seen)
