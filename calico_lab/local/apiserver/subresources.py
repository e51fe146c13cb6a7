"""What lies below an object's path besides its status: scale, binding, token, streams; and reviews of oneself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calico_lab import errors
from calico_lab.local.apiserver import answers
from calico_lab.local.apiserver.authentication import Authenticator, User
from calico_lab.local.apiserver.authorization import Attempt, Authorizer
from calico_lab.local.apiserver.bodies import checked, parse_object, write_options
from calico_lab.local.apiserver.field_problems import FieldProblem
from calico_lab.local.apiserver.kinds import Kind
from calico_lab.local.apiserver.kubelets import STREAMING, Kubelets
from calico_lab.local.apiserver.patch import patched
from calico_lab.local.apiserver.routes import Route
from calico_lab.local.apiserver.store import Store
from calico_lab.local.apiserver.writes import Writer
from calico_lab.local.objects import now
from calico_lab.local.wire import JsonObject, Request, Response

SCALE = Kind("autoscaling", "v1", "scales", "Scale")


class Subresources:
    """Answers requests for subresources; raises the ``ApiError`` that the client is to get."""

    def __init__(self, store: Store, writer: Writer, authenticator: Authenticator) -> None:
        self._store = store
        self._writer = writer
        self._authenticator = authenticator
        self.kubelets = Kubelets()

    async def answer(self, kind: Kind, route: Route, request: Request) -> Response:
        """Answer a request for a subresource other than status."""
        name, method = route.subresource, request.method
        if name == "scale" and method in ("GET", "PUT", "PATCH"):
            return self._scale(kind, route, request)
        if name == "binding" and method == "POST":
            return self._bind(kind, route, request)
        if name == "token" and method == "POST":
            return self._issue_token(kind, route, request)
        if name == "log" and method == "GET":
            return await self.kubelets.logs(self._object(kind, route), request)
        if name in STREAMING and method in ("GET", "POST"):
            return await self.kubelets.stream(self._object(kind, route), name, request)
        if name == "finalize" and method == "PUT":
            options = write_options(request)
            item = parse_object(request)
            return answers.answer(self._writer.update(kind, "", route.name, item, options, "finalize"))
        raise answers.method_not_allowed()

    def _object(self, kind: Kind, route: Route) -> JsonObject:
        stored = self._store.get(kind.storage_key, route.namespace, route.name)
        if stored is None:
            raise answers.not_found(kind, route.name)
        return stored.item

    def _scale(self, kind: Kind, route: Route, request: Request) -> Response:
        current = scale_of(self._object(kind, route))
        if request.method == "GET":
            return answers.answer(current)
        changed = parse_object(request) if request.method == "PUT" else checked(patched(SCALE, None, current, request))
        spec = changed.get("spec") or {}
        replicas = spec.get("replicas", 0) if isinstance(spec, dict) else None
        if not isinstance(replicas, int) or isinstance(replicas, bool):
            raise errors.BadRequest(
                'Scale in version "v1" cannot be handled as a Scale: spec.replicas must be an integer'
            )
        if replicas < 0:
            message = f"Invalid value: {replicas}: must be greater than or equal to 0"
            problem = FieldProblem("spec.replicas", "FieldValueInvalid", message)
            raise answers.invalid(SCALE, route.name, [problem])

        def with_replicas(item: JsonObject) -> JsonObject:
            version = changed["metadata"].get("resourceVersion") or item["metadata"]["resourceVersion"]
            metadata = item["metadata"] | {"resourceVersion": version}
            return item | {"metadata": metadata, "spec": item["spec"] | {"replicas": replicas}}

        options = write_options(request)
        item = self._writer.change(kind, route.namespace, route.name, with_replicas, options, "scale")
        return answers.answer(scale_of(item))

    def _bind(self, kind: Kind, route: Route, request: Request) -> Response:
        target: Any = parse_object(request).get("target")
        node = target.get("name") if isinstance(target, dict) else None
        if not isinstance(node, str) or not node:
            problem = FieldProblem("target.name", "FieldValueRequired", "Required value")
            raise answers.invalid(Kind("", "v1", "bindings", "Binding"), route.name, [problem])

        def bound(pod: JsonObject) -> JsonObject:
            if pod["spec"].get("nodeName"):
                why = f'pod {route.name} is already assigned to node "{pod["spec"]["nodeName"]}"'
                raise answers.conflict(Kind("", "v1", "pods/binding", "Binding"), route.name, why)
            scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now()}
            before = pod.get("status", {}).get("conditions") or []
            others = [condition for condition in before if condition["type"] != "PodScheduled"]
            status = pod.get("status", {}) | {"conditions": [*others, scheduled]}
            return pod | {"spec": pod["spec"] | {"nodeName": node}, "status": status}

        self._writer.change(kind, route.namespace, route.name, bound, write_options(request), "binding")
        return answers.answer(
            {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201
        )

    def _issue_token(self, kind: Kind, route: Route, request: Request) -> Response:
        account = self._object(kind, route)
        asked: Any = parse_object(request).get("spec") or {}
        if not isinstance(asked, dict):
            raise errors.BadRequest(
                'TokenRequest in version "v1" cannot be handled as a TokenRequest: spec is no object'
            )
        token, end = ("", None) if write_options(request).dry_run else self._authenticator.issue(account)
        metadata = {"name": route.name, "namespace": route.namespace, "creationTimestamp": now()}
        spec = {"audiences": ["https://kubernetes.default.svc.cluster.local"], "expirationSeconds": 3600} | asked
        status = {"token": token, "expirationTimestamp": end}
        identity = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1"}
        return answers.answer(identity | {"metadata": metadata, "spec": spec, "status": status}, 201)


def scale_of(item: JsonObject) -> JsonObject:
    """Return the Scale of a deployment or replica set."""
    metadata = item["metadata"]
    shown = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    labels = (item["spec"].get("selector") or {}).get("matchLabels") or {}
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: metadata[key] for key in shown if key in metadata},
        "spec": {"replicas": item["spec"].get("replicas", 1)},
        "status": {"replicas": item.get("status", {}).get("replicas", 0), "selector": selector},
    }


def review(kind: Kind, user: User, request: Request, authorizer: Authorizer) -> Response:
    """Answer a review: who one is, and what one may do."""
    item = parse_object(request)
    result: Mapping[str, Any]
    if kind.kind == "SelfSubjectReview":
        result = {"userInfo": {"username": user.name, "groups": list(user.groups)}}
    elif kind.kind == "SelfSubjectAccessReview":
        attempt = Attempt.from_review(_part(_part(item, "spec"), "resourceAttributes"))
        result = {"allowed": authorizer.allows(user, attempt)}
    else:
        urls = {"verbs": ["*"], "nonResourceURLs": ["*"]}
        rules = authorizer.rules(user, str(_part(item, "spec").get("namespace") or ""))
        result = {"resourceRules": rules, "nonResourceRules": [urls], "incomplete": False}
    return answers.answer(item | {"apiVersion": kind.api_version, "kind": kind.kind, "status": result}, 201)


def _part(item: JsonObject, field: str) -> JsonObject:
    found: Any = item.get(field) or {}
    if not isinstance(found, dict):
        raise errors.BadRequest(f"the review cannot be handled: {field} is no object")
    return found
