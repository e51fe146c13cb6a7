"""Rules of roles and their bindings.

Messages: https://github.com/kubernetes/kubernetes, package ``pkg/apis/rbac/validation``.
"""

from __future__ import annotations

from collections.abc import Iterator

from calico_lab.local.apiserver import field_problems as problem
from calico_lab.local.apiserver.authorization import GROUP
from calico_lab.local.apiserver.field_problems import FieldProblem
from calico_lab.local.wire import JsonObject


def role_problems(item: JsonObject, _old: JsonObject | None) -> Iterator[FieldProblem]:
    """Yield what is wrong with a Role."""
    for index, rule in enumerate(item.get("rules") or ()):
        yield from _rule(rule, f"rules[{index}]", namespaced=True)


def cluster_role_problems(item: JsonObject, _old: JsonObject | None) -> Iterator[FieldProblem]:
    """Yield what is wrong with a ClusterRole."""
    for index, rule in enumerate(item.get("rules") or ()):
        yield from _rule(rule, f"rules[{index}]", namespaced=False)


def binding_problems(item: JsonObject, old: JsonObject | None) -> Iterator[FieldProblem]:
    """Yield what is wrong with a RoleBinding."""
    yield from _binding(item, old, ("Role", "ClusterRole"))


def cluster_binding_problems(item: JsonObject, old: JsonObject | None) -> Iterator[FieldProblem]:
    """Yield what is wrong with a ClusterRoleBinding."""
    yield from _binding(item, old, ("ClusterRole",))


def _rule(rule: JsonObject, path: str, *, namespaced: bool) -> Iterator[FieldProblem]:
    if not rule.get("verbs"):
        yield problem.required(f"{path}.verbs", "verbs must contain at least one value")
    urls = rule.get("nonResourceURLs") or []
    if urls:
        if namespaced:
            detail = "namespaced rules cannot apply to non-resource URLs"
            yield problem.invalid(f"{path}.nonResourceURLs", urls, detail)
        if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
            detail = "rules cannot apply to both regular resources and non-resource URLs"
            yield problem.invalid(f"{path}.nonResourceURLs", urls, detail)
        return
    if not rule.get("apiGroups"):
        yield problem.required(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield problem.required(f"{path}.resources", "resource rules must supply at least one resource")


def _binding(item: JsonObject, old: JsonObject | None, kinds: tuple[str, ...]) -> Iterator[FieldProblem]:
    reference = item.get("roleRef") or {}
    if old is not None and old["roleRef"] != reference:
        yield problem.invalid("roleRef", reference, "cannot change roleRef")
    if reference.get("apiGroup") != GROUP:
        yield problem.not_supported("roleRef.apiGroup", reference.get("apiGroup"), (GROUP,))
    if reference.get("kind") not in kinds:
        yield problem.not_supported("roleRef.kind", reference.get("kind"), kinds)
    for index, subject in enumerate(item.get("subjects") or ()):
        yield from _subject(subject, f"subjects[{index}]")


def _subject(subject: JsonObject, path: str) -> Iterator[FieldProblem]:
    kind, group = subject.get("kind"), subject.get("apiGroup") or ""
    if kind not in ("ServiceAccount", "User", "Group"):
        yield problem.not_supported(f"{path}.kind", kind, ("ServiceAccount", "User", "Group"))
        return
    wanted = "" if kind == "ServiceAccount" else GROUP
    if group != wanted:
        yield problem.not_supported(f"{path}.apiGroup", group, (wanted,))
    if kind == "ServiceAccount" and not subject.get("namespace"):
        yield problem.required(f"{path}.namespace")
