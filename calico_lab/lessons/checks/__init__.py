"""Checks of the guide's steps: ``lab.check("backend")`` answers done, not yet, or wrong because.

Each step has a module that judges what stands by itself: a step whose own part is right is done, or waits for the
steps that it stands on, so that of two faults each is told at its own step. A check only looks, and never raises for
what can happen: a cluster or bastion that does not answer is a verdict too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from calico_lab import errors
from calico_lab.lessons.checks import (
    backend,
    bgp,
    bird,
    canary,
    clean_up,
    fail_over,
    failing,
    gateway,
    gateway_api,
    guarded,
    hashing,
    hey,
    ingress,
    load,
    policy,
    pools,
    ready,
    route,
    routing,
    sessions,
    tcp,
    tls,
)
from calico_lab.lessons.checks.scene import Scene
from calico_lab.lessons.checks.verdict import Evidence, Status, Verdict, Verdicts, wrong

if TYPE_CHECKING:
    from calico_lab.lab import Lab

__all__ = ["STEPS", "Evidence", "Status", "Step", "Verdict", "Verdicts", "check", "check_all"]


@dataclass(frozen=True)
class Step:
    """A step of the guide that can be checked."""

    name: str
    title: str
    check: Callable[[Scene], Verdict]


STEPS = {
    step.name: step
    for step in (
        Step("ip-pool", "addresses for load balancers", pools.check),
        Step("bgp", "BGP with the bastion", bgp.check),
        Step("import-filter", "the bastion's import filter", bird.check),
        Step("gateway-api", "the Gateway API", gateway_api.check),
        Step("hey", "hey on the bastion", hey.check),
        Step("backend", "the backend's pods", backend.check),
        Step("gateway", "the Gateway", gateway.check),
        Step("route", "the HTTPRoute", route.check),
        Step("policy", "the traffic policy", policy.check),
        Step("ready", "everything is ready", ready.check_ready),
        Step("address", "the Gateway's address", ready.check_address),
        Step("test", "the load test", load.check),
        Step("clean-up", "nothing is left", clean_up.check),
    )
}


# What lessons beyond the guide have to be checked: by its name alone, not with all of the guide's steps.
BEYOND = {
    step.name: step
    for step in (
        Step("ingress", "an Ingress that is served", ingress.check_ingress),
        Step("conversion", "its conversion beside it", ingress.check_conversion),
        Step("migrated", "the old way in is gone", ingress.check_migrated),
        Step("routing", "requests go by path and method", routing.check),
        Step("canary", "two versions share the requests", canary.check),
        Step("tcp", "connections are dealt out in turn", tcp.check),
        Step("tls", "TLS ends at the gateway", tls.check_termination),
        Step("passthrough", "TLS passes through to a pod", tls.check_passthrough),
        Step("members", "a password is asked for", guarded.check_members),
        Step("limit", "only so many requests pass", guarded.check_limit),
        Step("sticky", "a client stays with its pod", sessions.check),
        Step("hash", "a key stays with its pod", hashing.check),
        Step("failing", "users do not notice a pod that fails", failing.check),
        Step("fail-over", "a second site for when the first one fails", fail_over.check),
    )
}


def check(lab: Lab, step: str) -> Verdict:
    """Return the verdict on one step; raises ``StepError`` when there is no such step."""
    if step not in (known := {**STEPS, **BEYOND}):
        raise errors.StepError(f"there is no step {step!r} to check", remedy=f"name one of {', '.join(known)}")
    return glance(lab).verdict(step)


def glance(lab: Lab) -> Scene:
    """Return a scene to look at: the lab as it is now, each thing read at most once."""
    return Scene(lab, _judge)


def check_all(lab: Lab) -> Verdicts:
    """Return the verdicts on all steps, in the order of the guide."""
    scene = glance(lab)
    return Verdicts(tuple(scene.verdict(step) for step in STEPS))


def _judge(scene: Scene, name: str) -> Verdict:
    step = STEPS.get(name) or BEYOND[name]
    try:
        verdict = step.check(scene)
    except errors.CalicoLabError as error:
        verdict = _cannot_look(error)
    return replace(verdict, step=name, title=step.title)


def _cannot_look(error: errors.CalicoLabError) -> Verdict:
    """Return the verdict when the cluster or the bastion does not let us look."""
    match error:
        case errors.NoClusterError():
            key, because = "no-cluster", "the cluster does not answer"
        case errors.NoBastionError():
            key, because = "no-bastion", "there is no way to the bastion"
        case errors.Forbidden() | errors.Unauthorized():
            key, because = "not-allowed", "this user may not look"
        case _:
            key, because = "cannot-look", "what should be looked at does not answer as expected"
    return wrong(key, because, Evidence(type(error).__name__, error.problem), hint=error.remedy or "Try it once more.")
