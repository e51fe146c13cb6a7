"""What several checks say in the same words."""

from __future__ import annotations

from calico_lab import conditions
from calico_lab.lessons.checks.scene import JsonObject, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, not_yet, wrong


def waits(step: str, after: list[str], *evidence: Evidence) -> Verdict:
    """Return the verdict that a step is right as far as it goes, and stands on others that are not done."""
    return not_yet(
        f"{step}-waits", f"first these steps: {', '.join(after)}", *evidence,
        hint=f'Look at the first of them: lab.check("{after[0]}")',
    )  # fmt: skip


def missing(scene: Scene, step: str, kind: str, name: str) -> Verdict:
    """Return the verdict that an object is not there, in the learner's namespace or under the guide's name."""
    look = f"kubectl get {kind.lower()}s -A"
    elsewhere = scene.other_namespaces(kind, name)
    if elsewhere:
        return not_yet(
            f"{step}-other-namespace", f"there is no {kind} {name} in the namespace {scene.namespace}",
            Evidence("namespaces that have one", ", ".join(elsewhere), look),
            hint="Objects with a namespace find each other within it. Which one does your manifest name?",
        )  # fmt: skip
    others = [item["metadata"]["name"] for item in scene.objects(kind)]
    if others:
        return not_yet(
            f"{step}-other-name", f"there is no {kind} {name}",
            Evidence(f"{kind}s in the namespace {scene.namespace}", ", ".join(others), look),
            hint="The guide's later steps name it. Compare the names letter by letter.",
        )  # fmt: skip
    return not_yet(
        f"{step}-missing", f"there is no {kind} {name}", Evidence(f"{kind}s", "none", look),
        hint=f"This step of the guide makes it, in the namespace {scene.namespace}.",
    )  # fmt: skip


def said(item: JsonObject) -> Evidence:
    """Return an object's conditions as evidence."""
    kind, name = item["kind"], item["metadata"]["name"]
    lines = {
        f"{each['type']} {each['status']} ({each.get('reason', '')}) {each.get('message', '')}".rstrip()
        for each in conditions.of(item)
    }
    return Evidence(f"conditions of {kind} {name}", "\n".join(sorted(lines)) or "none", _describe(kind, name))


def _describe(kind: str, name: str) -> str:
    return f"kubectl describe {kind.lower()} {name}"


def is_false(item: JsonObject, kind: str) -> bool:
    """Whether a condition of this type says False."""
    return any(each["type"] == kind and each["status"] == "False" for each in conditions.of(item))


def route_refused(key: str, route: JsonObject, *, called: str = "it", hint: str = "") -> Verdict | None:
    """Return the verdict that the Gateway does not take a route, or one of its backends, if a condition says so."""
    if not (is_false(route, "Accepted") or is_false(route, "ResolvedRefs")):
        return None
    return wrong(
        key, f"the Gateway does not take {called} as it is", said(route),
        hint=hint or "The condition's reason and message say what it stumbled over.",
    )  # fmt: skip


def hostname_fits(hostname: str, host: str) -> bool:
    """Whether a hostname of the Gateway API, possibly ``*.example.com``, stands for a host; no hostname is any."""
    return hostname in ("", host) or (hostname.startswith("*.") and host.endswith(hostname[1:]))
