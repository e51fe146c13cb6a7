"""The lesson on who may come in: a route that asks for a password, and one that takes only so many requests."""

from __future__ import annotations

import base64
import binascii
import http.client
from dataclasses import replace

from calico_lab.lessons import guests, limits, side_by_side
from calico_lab.lessons.checks import common
from calico_lab.lessons.checks.scene import HOST, JsonObject, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, first, not_yet, wrong

MEMBERS = "members"  # the SecurityPolicy, its Secret and its route
_UNAUTHORIZED, _TOO_MANY = http.client.UNAUTHORIZED, http.client.TOO_MANY_REQUESTS


def check_members(scene: Scene) -> Verdict:
    """Whether the SecurityPolicy guards the route of the members, and nobody comes in without a password."""
    policy = scene.find("SecurityPolicy", MEMBERS)
    if policy is None:
        return common.missing(scene, "members", "SecurityPolicy", MEMBERS)
    return first(
        lambda: _target_wrong("members", policy, MEMBERS),
        lambda: _not_accepted("members", policy),
        lambda: _answers(scene, policy),
    )


def check_limit(scene: Scene) -> Verdict:
    """Whether the policy limits the open route, and Envoy works by it."""
    policy = scene.find("BackendTrafficPolicy", limits.POLICY)
    if policy is None:
        return common.missing(scene, "limit", "BackendTrafficPolicy", limits.POLICY)
    return first(
        lambda: _target_wrong("limit", policy, limits.ROUTE),
        lambda: _not_accepted("limit", policy),
        lambda: _without_limit(policy),
        lambda: _in_envoys(scene, policy),
    )


def _target_wrong(step: str, policy: JsonObject, route: str) -> Verdict | None:
    targets = policy["spec"].get("targetRefs") or ()
    if any((each["kind"], each["name"]) == ("HTTPRoute", route) for each in targets):
        return None
    kind, name = policy["kind"], policy["metadata"]["name"]
    return wrong(
        f"{step}-target", f"the policy is not about the route {route}",
        Evidence(
            "targetRefs", ", ".join(f"{each['kind']} {each['name']}" for each in targets) or "none",
            f"kubectl get {kind.lower()} {name} -o yaml",
        ),
        common.said(policy),
        hint="A policy about a route that is not there has an empty status. Compare with kubectl get httproutes.",
    )  # fmt: skip


def _not_accepted(step: str, policy: JsonObject) -> Verdict | None:
    if common.is_false(policy, "Accepted"):
        return wrong(
            f"{step}-not-accepted", "Envoy Gateway does not take the policy as it is", common.said(policy),
            hint="The condition's message says what it misses, and until then requests are answered 500.",
        )  # fmt: skip
    return None


def _answers(scene: Scene, policy: JsonObject) -> Verdict:
    if not scene.address:
        return common.waits("members", ["gateway"])
    address, path = scene.address, f"/{MEMBERS}"
    (answer,) = side_by_side.ask(scene.lab.bastion, [(address, HOST, path)])
    look = f"curl -i -H 'Host: {HOST}' http://{address}{path}"
    seen = Evidence("without a password", f"status {answer.status or 'none'}", look)
    if answer.status == _UNAUTHORIZED:
        return done(f"nobody comes to {path} without a password", seen, _users(scene, policy))
    if answer.status == http.client.OK:
        return not_yet(
            "members-open", f"{path} is open to everybody", seen, common.said(policy),
            hint="Envoy takes up a policy in a moment. After that: does the policy ask for anything?",
        )  # fmt: skip
    return not_yet(
        "members-no-route", f"{path} is answered neither by a pod nor with {_UNAUTHORIZED:d}", seen,
        hint="Does a route take this path, and is it accepted? A policy guards only what is there.",
    )  # fmt: skip


def _users(scene: Scene, policy: JsonObject) -> Evidence:
    """Return whom the Secret lists, without their passwords or the hashes of those."""
    name = ((policy["spec"].get("basicAuth") or {}).get("users") or {}).get("name", "")
    secret = scene.find("Secret", name) or {}
    try:
        text = base64.b64decode((secret.get("data") or {}).get(guests.USERS_KEY, "")).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    names = [line.partition(":")[0] for line in text.split()]
    return Evidence(f"users in the Secret {name}", ", ".join(names) or "none", f"kubectl describe secret {name}")


def _without_limit(policy: JsonObject) -> Verdict | None:
    if limits.asked_for(policy) is None:
        return wrong(
            "limit-none", "the policy has no limit for all requests",
            Evidence("spec", ", ".join(policy["spec"]), f"kubectl get backendtrafficpolicy {limits.POLICY} -o yaml"),
            hint="A rule with clientSelectors counts only the requests that fit them. Which rule is for the others?",
        )  # fmt: skip
    return None


def _in_envoys(scene: Scene, policy: JsonObject) -> Verdict:
    wanted, found = limits.asked_for(policy), limits.in_envoys(scene.lab)
    seen = Evidence(
        "limit", f"asked for: {wanted}\nin Envoy: {', '.join(str(each or 'none') for each in found) or 'no Envoy'}",
        f"calico-lab envoy backendtrafficpolicy {limits.POLICY}",
    )  # fmt: skip
    if wanted is None or not found or any(each != wanted for each in found):
        return not_yet(
            "limit-envoy", "Envoy does not work by this limit", seen,
            hint="Envoy takes up a change in a moment; if it does not, look at the conditions of policy and route.",
        )  # fmt: skip
    return done(f"more than {replace(wanted, envoys=len(found))} is answered {_TOO_MANY:d}", seen)
