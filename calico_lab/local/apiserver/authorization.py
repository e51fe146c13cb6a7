"""Who may do what: roles and their bindings (https://kubernetes.io/docs/reference/access-authn-authz/rbac/).

Upstream whoever no binding names may do nothing. Here a user or a service account is held to its roles from the moment
that a binding names it; before, a token may do everything, so that trying things out needs no roles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from calico_lab import errors
from calico_lab.local.apiserver.authentication import User
from calico_lab.local.apiserver.kinds import Kind
from calico_lab.local.apiserver.routes import Route
from calico_lab.local.apiserver.store import Store
from calico_lab.local.wire import JsonObject, Request

GROUP = "rbac.authorization.k8s.io"
_ADMINISTRATORS = "system:masters"
_ACCOUNT = "system:serviceaccount:"
_EVERYTHING: JsonObject = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


@dataclass(frozen=True)
class Attempt:
    """What somebody wants to do; ``resource`` has a subresource after a slash, empty names mean all."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    @classmethod
    def of(cls, kind: Kind, route: Route, request: Request) -> Attempt:
        """Return what a request attempts."""
        if request.method == "GET" and not route.name:
            verb = "watch" if request.parameter("watch") in ("true", "1") else "list"
        elif request.method == "GET":
            verb = "get"
        elif request.method == "DELETE":
            verb = "delete" if route.name else "deletecollection"
        else:
            verb = _VERBS.get(request.method, request.method.lower())
        resource = f"{kind.plural}/{route.subresource}" if route.subresource else kind.plural
        return cls(verb, kind.group, resource, route.namespace, route.name)

    @classmethod
    def from_review(cls, asked: JsonObject) -> Attempt:
        """Return what the ``resourceAttributes`` of a SelfSubjectAccessReview ask about."""
        said = {field: str(value or "") for field, value in asked.items()}
        resource = "/".join(filter(None, (said.get("resource"), said.get("subresource"))))
        return cls(
            said.get("verb", ""), said.get("group", ""), resource, said.get("namespace", ""), said.get("name", "")
        )


class Authorizer:
    """Decides by the roles and bindings in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def require(self, user: User, attempt: Attempt) -> None:
        """Raise ``Forbidden``, in upstream's words, for what a user may not do."""
        if self.allows(user, attempt):
            return
        resource = f"{attempt.resource.partition('/')[0]}{attempt.group and '.'}{attempt.group}"
        where = f'in the namespace "{attempt.namespace}"' if attempt.namespace else "at the cluster scope"
        which = f' "{attempt.name}"' if attempt.name else ""
        raise errors.Forbidden(
            f'{resource}{which} is forbidden: User "{user.name}" cannot {attempt.verb} resource "{attempt.resource}" '
            f'in API group "{attempt.group}" {where}'
        )

    def allows(self, user: User, attempt: Attempt) -> bool:
        """Whether a user may do something."""
        return any(_covers(rule, attempt) for rule in self._rules(user, attempt.namespace))

    def rules(self, user: User, namespace: str) -> list[JsonObject]:
        """Return the rules that say what a user may do in a namespace."""
        return list(self._rules(user, namespace))

    def _rules(self, user: User, namespace: str) -> Iterator[JsonObject]:
        if _ADMINISTRATORS in user.groups or not any(_names(b, user) for b in self._bindings()):
            yield _EVERYTHING
            return
        for binding in self._bindings(namespace):
            if any(_is_meant(subject, user) for subject in binding.get("subjects") or ()):
                yield from self._role(binding)

    def _bindings(self, namespace: str | None = None) -> Iterator[JsonObject]:
        """Yield the bindings that count in a namespace, or all that there are."""
        yield from self._store.each((GROUP, "clusterrolebindings"))
        for binding in self._store.each((GROUP, "rolebindings")):
            if namespace is None or binding["metadata"]["namespace"] == namespace:
                yield binding

    def _role(self, binding: JsonObject) -> list[JsonObject]:
        reference = binding["roleRef"]
        namespace = binding["metadata"].get("namespace", "") if reference["kind"] == "Role" else ""
        plural = "roles" if reference["kind"] == "Role" else "clusterroles"
        found = self._store.get((GROUP, plural), namespace, reference["name"])
        return (found.item.get("rules") or []) if found else []


def _names(binding: JsonObject, user: User) -> bool:
    """Whether a binding names a user itself, and not a group alone."""
    return any(subject["kind"] != "Group" and _is_meant(subject, user) for subject in binding.get("subjects") or ())


def _is_meant(subject: JsonObject, user: User) -> bool:
    if subject["kind"] == "Group":
        return subject["name"] in user.groups
    if subject["kind"] == "ServiceAccount":
        return user.name == f"{_ACCOUNT}{subject['namespace']}:{subject['name']}"
    return bool(subject["name"] == user.name)


def _covers(rule: JsonObject, attempt: Attempt) -> bool:
    plain, _, subresource = attempt.resource.partition("/")
    resources = {"*", attempt.resource} | ({f"*/{subresource}"} if subresource else {plain})
    names = rule.get("resourceNames") or []
    return (
        not {"*", attempt.verb}.isdisjoint(rule.get("verbs") or ())
        and not {"*", attempt.group}.isdisjoint(rule.get("apiGroups") or ())
        and not resources.isdisjoint(rule.get("resources") or ())
        and (not names or attempt.name in names)
    )
