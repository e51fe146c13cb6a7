"""The cluster, through its API: apply, get, list, wait, delete, logs, events.

``apply`` is kubectl's own, because its three-way merge is what the guide's commands mean; everything else goes over
the official Python client. Objects come out as plain dictionaries, as they stand in YAML.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from calico_lab import conditions, consent, errors, kubectl, manifests
from calico_lab.api import REQUEST_SECONDS, Api
from calico_lab.kubeconfig import Kubeconfig

JsonObject = dict[str, Any]
Objects = list[JsonObject]
Changes = list[consent.Change]
Kinds = dict[str, list[str]]

APPLY_SECONDS = 60.0
POLL_SECONDS = 0.1
ANONYMOUS = '"system:anonymous"'


@dataclass(frozen=True, repr=False)
class Applied:
    """What kubectl said of each object, such as ``service/backend created``."""

    lines: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join(self.lines)


@dataclass(frozen=True, repr=False)
class Awaited:
    """A condition that came true: what it was, the object it was seen on, and how long it took."""

    description: str
    object: JsonObject
    seconds: float

    def __repr__(self) -> str:
        return self.description


class Cluster:
    """The objects of one cluster. Namespaces default to that of the kubeconfig's context."""

    def __init__(self, kubeconfig: Kubeconfig) -> None:
        self.kubeconfig = kubeconfig
        self._api = Api(kubeconfig)

    def version(self) -> str:
        """Return the version of Kubernetes, such as ``v1.37.0``; raises ``NoClusterError`` when none answers."""
        answer = self._api.read("/version")
        try:
            return str(json.loads(answer)["gitVersion"])
        except (ValueError, TypeError, KeyError):
            raise errors.NoClusterError(
                f"what answers at {self.kubeconfig.server} is no Kubernetes API: {answer[:80]!r}",
                remedy="kubectl config view   (is this the server's URL?)",
            ) from None

    def user(self) -> str:
        """Return as whom the cluster sees this kubeconfig; raises ``Unauthorized`` when it does not.

        Where the cluster cannot say (https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/self-subject-review-v1/
        is served from Kubernetes 1.28 on) it is the name that the kubeconfig gives.
        """
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            answer = self._api.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", review)
        except errors.Forbidden as error:
            if ANONYMOUS in error.problem:
                raise errors.Unauthorized(
                    error.problem, remedy="kubectl config view   (has the user a token?)"
                ) from None
            return self.kubeconfig.user
        except (errors.NotFound, errors.MethodNotAllowed):
            return self.kubeconfig.user
        return str(answer["status"]["userInfo"]["username"])

    def apply(self, text: str, *, yes: bool = False, time_limit: float = APPLY_SECONDS) -> Applied:
        """Apply one or more YAML documents, as ``kubectl apply -f -`` does; raises ``CommandError`` with its words.

        Where they name the guide's namespace they mean the learner's. On a cluster that is no lab of one's own
        ``ConsentError`` shows what would change for others; with ``yes`` that is done.
        """
        if self.kubeconfig.namespace != manifests.GUIDE_NAMESPACE:
            text = manifests.in_namespace(text, self.kubeconfig.namespace)
        if not yes:
            how = "%%apply --yes   or   lab.cluster.apply(..., yes=True)"
            consent.require(self.kubeconfig, self.shared_changes(text), how)
        output = kubectl.run(self.kubeconfig, "apply", "-f", "-", stdin=text, time_limit=time_limit)
        return Applied(tuple(output.splitlines()))

    def shared_changes(self, text: str) -> Changes:
        """Return what applying YAML would change for others on this cluster; nothing in a lab of one's own."""
        if self.kubeconfig.lab:
            return []
        found = (self._shared_change(document) for document in manifests.documents(text))
        return [change for change in found if change is not None]

    def _shared_change(self, document: JsonObject) -> consent.Change | None:
        kind, metadata, api_version = document["kind"], document["metadata"], document.get("apiVersion", "")
        try:
            shared = self._is_shared(kind, metadata.get("namespace"), api_version)
        except errors.NotFound:
            return None  # kubectl says it better that there is no such kind
        if not shared:
            return None
        items = self.list(kind, metadata.get("namespace"), api_version=api_version)
        return consent.of_applying(items, document)

    def _is_shared(self, kind: str, namespace: str | None, api_version: str) -> bool:
        with self._api.speaking():
            namespaced = self._api.resource(kind, api_version).namespaced
        return not namespaced or namespace not in (None, self.kubeconfig.namespace)

    def get(self, kind: str, name: str, namespace: str | None = None, *, api_version: str = "") -> JsonObject:
        """Return one object; raises ``NotFound`` when there is none."""
        with self._api.speaking():
            resource = self._api.resource(kind, api_version)
            found: JsonObject = resource.get(name=name, **self._options(resource, namespace)).to_dict()
            return found

    def exists(self, kind: str, name: str, namespace: str | None = None, *, api_version: str = "") -> bool:
        """Whether there is such an object; false too when the cluster does not serve its kind."""
        try:
            self.get(kind, name, namespace, api_version=api_version)
        except errors.NotFound:
            return False
        return True

    def list(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
        all_namespaces: bool = False,
        api_version: str = "",
    ) -> Objects:
        """Return the objects of a kind, by name; ``labels`` and ``fields`` are selectors as for kubectl."""
        with self._api.speaking():
            resource = self._api.resource(kind, api_version)
            options = self._options(resource, namespace)
            if all_namespaces:
                options.pop("namespace", None)
            found = resource.get(label_selector=labels or None, field_selector=fields or None, **options)
            return sorted(found.to_dict()["items"], key=lambda item: str(item["metadata"]["name"]))

    def delete(
        self,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        api_version: str = "",
        missing_ok: bool = False,
        yes: bool = False,
        time_limit: float = 60.0,
    ) -> None:
        """Delete an object and wait until it is gone, as kubectl does.

        What others share is deleted only with ``yes``, except in a lab of one's own; else ``ConsentError`` shows it.
        """
        try:
            if not (yes or self.kubeconfig.lab) and self._is_shared(kind, namespace, api_version):
                change = consent.of_deleting(self.get(kind, name, namespace, api_version=api_version))
                how = f"lab.cluster.delete({kind!r}, {name!r}, ..., yes=True)"
                consent.require(self.kubeconfig, [change], how)
            with self._api.speaking():
                resource = self._api.resource(kind, api_version)
                body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
                resource.delete(name=name, body=body, **self._options(resource, namespace))
        except errors.NotFound:
            if missing_ok:
                return
            raise
        self.wait_gone(kind, name, namespace, api_version=api_version, time_limit=time_limit)

    def wait(
        self,
        kind: str,
        name: str,
        until: str | Callable[[JsonObject], bool],
        namespace: str | None = None,
        *,
        description: str = "",
        api_version: str = "",
        time_limit: float = 60.0,
    ) -> Awaited:
        """Wait until an object exists and is as wanted; returns the object in an :class:`Awaited`.

        ``until`` is the type of a condition that must be True, or a predicate on the object. Raises ``WaitTimeout``
        after ``time_limit`` seconds: it says what was last seen and the command with which to look further.
        """
        is_so = until if callable(until) else lambda item: conditions.is_true(item, until)
        description = description or f"{kind} {name} is {until if isinstance(until, str) else 'as wanted'}"
        start = time.monotonic()
        last: JsonObject | None = None
        while True:
            try:
                last = self.get(kind, name, namespace, api_version=api_version)
                if is_so(last):
                    return Awaited(description, last, time.monotonic() - start)
            except errors.NotFound:
                last = None
            if time.monotonic() - start > time_limit:
                raise self._timeout(description, kind, name, namespace, last, time_limit)
            time.sleep(POLL_SECONDS)

    def wait_gone(
        self,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        api_version: str = "",
        time_limit: float = 60.0,
    ) -> None:
        """Wait until an object does not exist any more; raises ``WaitTimeout``."""
        start = time.monotonic()
        while self.exists(kind, name, namespace, api_version=api_version):
            if time.monotonic() - start > time_limit:
                last = self.get(kind, name, namespace, api_version=api_version)
                raise self._timeout(f"{kind} {name} is gone", kind, name, namespace, last, time_limit)
            time.sleep(POLL_SECONDS)

    def logs(self, pod: str, namespace: str | None = None, *, container: str = "", timestamps: bool = False) -> str:
        """Return what a pod has printed since it started."""
        path = f"/api/v1/namespaces/{namespace or self.kubeconfig.namespace}/pods/{pod}/log"
        query = ({"container": container} if container else {}) | ({"timestamps": "true"} if timestamps else {})
        return self._api.read(path, **query).decode(errors="replace")

    def served(self, group: str) -> Kinds:
        """Return the kinds of an API group, each with the versions in which it is served, newest first.

        There are none when the cluster does not serve the group at all.
        """
        try:
            versions = json.loads(self._api.read(f"/apis/{group}"))["versions"]
        except errors.NotFound:
            return {}
        kinds: Kinds = {}
        for version in versions:
            for resource in json.loads(self._api.read(f"/apis/{version['groupVersion']}"))["resources"]:
                if "/" not in resource["name"]:
                    kinds.setdefault(resource["kind"], []).append(version["version"])
        return kinds

    def events(self, kind: str, name: str, namespace: str | None = None) -> Objects:
        """Return the events about an object, oldest first."""
        found = self.list("Event", namespace, fields=f"involvedObject.kind={kind},involvedObject.name={name}")
        return sorted(found, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))

    def _options(self, resource: Any, namespace: str | None) -> dict[str, Any]:
        named = {"namespace": namespace or self.kubeconfig.namespace} if resource.namespaced else {}
        return {"_request_timeout": REQUEST_SECONDS} | named

    def _timeout(
        self, description: str, kind: str, name: str, namespace: str | None, last: JsonObject | None, limit: float
    ) -> errors.WaitTimeout:
        seen = conditions.summary(last) if last else "it does not exist"
        where = f" -n {namespace}" if namespace else ""
        return errors.WaitTimeout(
            f"not within {limit:g} s: {description}\nLast seen: {seen}",
            remedy=f"kubectl describe {kind.lower()} {name}{where}",
        )
