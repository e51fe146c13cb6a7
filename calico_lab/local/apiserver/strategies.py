"""What the server itself writes into objects of particular kinds when they are created or changed.

Defaults of plain fields are not here but in ``defaults.py``.
"""

from __future__ import annotations

import base64
from typing import Any

from calico_lab.local.apiserver import answers, custom_resources
from calico_lab.local.apiserver.field_problems import FieldProblem
from calico_lab.local.apiserver.kinds import Kind
from calico_lab.local.apiserver.services import ServiceAllocator, drop_what_the_type_needs_no_more
from calico_lab.local.apiserver.store import Store
from calico_lab.local.wire import JsonObject

NAMESPACES = ("", "namespaces")
SERVICE_ACCOUNTS = ("", "serviceaccounts")

# What pods tolerate that do not say otherwise. Upstream's 300 s are adjusted so that learners see pods move.
_PATIENCE_SECONDS = 5


class Strategy:
    """Does nothing, which is right for most kinds."""

    def prepare(self, _item: JsonObject, _old: JsonObject | None, /) -> None:
        """Complete an object, in place, before defaults are filled in; the second is what it replaces."""

    def complete(self, _item: JsonObject, _old: JsonObject | None, /) -> list[FieldProblem]:
        """Complete an object that has been found valid; returns what keeps it from being stored."""
        return []


class NamespaceStrategy(Strategy):
    """A namespace carries its own name as a label, and goes only when its finalizer has emptied it."""

    def prepare(self, item: JsonObject, old: JsonObject | None, /) -> None:
        """Label it, and give it its finalizer."""
        labels = item["metadata"].setdefault("labels", {})
        labels["kubernetes.io/metadata.name"] = item["metadata"].get("name", "")
        if old is None:
            item["spec"] = {"finalizers": ["kubernetes"]}
            item["status"] = {"phase": "Active"}


class PodStrategy(Strategy):
    """Pods start as Pending, under a service account that exists."""

    def __init__(self, kind: Kind, store: Store) -> None:
        self._kind = kind
        self._store = store

    def prepare(self, item: JsonObject, old: JsonObject | None, /) -> None:
        """Fill in what depends on nothing but the pod."""
        spec = item.get("spec")
        if old or not isinstance(spec, dict):
            return
        account = spec.setdefault("serviceAccountName", spec.get("serviceAccount") or "default")
        spec["serviceAccount"] = account
        spec.setdefault("priority", 0)
        spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
        spec.setdefault("enableServiceLinks", True)

    def complete(self, item: JsonObject, old: JsonObject | None, /) -> list[FieldProblem]:
        """Start a pod's status. Raises ``Forbidden`` where its service account does not exist."""
        if old is None:
            item["status"] = {"phase": "Pending", "qosClass": quality_of_service(item["spec"])}
            _tolerate_short_outages(item["spec"])
            self._require_service_account(item)
        return []

    def _require_service_account(self, pod: JsonObject) -> None:
        namespace, account = pod["metadata"]["namespace"], pod["spec"]["serviceAccountName"]
        if self._store.get(SERVICE_ACCOUNTS, namespace, account) is None:
            why = f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found'
            raise answers.forbidden(self._kind, pod["metadata"]["name"], why)


class ServiceStrategy(Strategy):
    """Services get addresses and ports."""

    def __init__(self, allocator: ServiceAllocator) -> None:
        self._allocator = allocator

    def prepare(self, item: JsonObject, old: JsonObject | None, /) -> None:
        """Forget what a change of type has made meaningless."""
        if old and isinstance(item.get("spec"), dict) and item["spec"].get("type") != old["spec"].get("type"):
            drop_what_the_type_needs_no_more(item["spec"], old["spec"])

    def complete(self, item: JsonObject, old: JsonObject | None, /) -> list[FieldProblem]:
        """Allocate what the service asks for."""
        item.setdefault("status", {"loadBalancer": {}})
        return self._allocator.allocate(item, old)


class SecretStrategy(Strategy):
    """``stringData`` is written only: it becomes ``data``."""

    def prepare(self, item: JsonObject, _old: JsonObject | None, /) -> None:
        """Move texts to where they are kept."""
        texts = item.pop("stringData", None)
        if isinstance(texts, dict):
            encoded = {key: base64.b64encode(str(value).encode()).decode() for key, value in texts.items()}
            item["data"] = (item.get("data") or {}) | encoded


class DefinitionStrategy(Strategy):
    """A CustomResourceDefinition is established at once."""

    def complete(self, item: JsonObject, _old: JsonObject | None, /) -> list[FieldProblem]:
        """Write the status of a definition that can be served."""
        problems = custom_resources.definition_problems(item)
        if not problems:
            custom_resources.establish(item)
        return problems


def quality_of_service(spec: JsonObject) -> str:
    """Return the class of a pod (https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/)."""
    containers: list[Any] = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    resources = [container.get("resources") or {} for container in containers]
    if not any(entry.get("limits") or entry.get("requests") for entry in resources):
        return "BestEffort"
    for entry in resources:
        limits, requests = entry.get("limits") or {}, entry.get("requests") or {}
        if not {"cpu", "memory"} <= limits.keys() or any(requests.get(n, limits[n]) != limits[n] for n in limits):
            return "Burstable"
    return "Guaranteed"


def _tolerate_short_outages(spec: JsonObject) -> None:
    tolerations = spec.setdefault("tolerations", [])
    for condition in ("not-ready", "unreachable"):
        key = f"node.kubernetes.io/{condition}"
        if not any(
            entry.get("key") in (key, None, "") and entry.get("effect") in ("NoExecute", None, "")
            for entry in tolerations
        ):
            toleration = {"key": key, "operator": "Exists", "effect": "NoExecute"}
            tolerations.append(toleration | {"tolerationSeconds": _PATIENCE_SECONDS})
