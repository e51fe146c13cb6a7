"""What the server writes into an object's metadata over its life.

Reference: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from calico_lab.local.apiserver.kinds import Kind
from calico_lab.local.objects import now
from calico_lab.local.wire import JsonObject

DEFAULT_POD_GRACE_SECONDS = 30
_SERVER_OWNED = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds")
_NEVER_KEPT = ("selfLink",)
_NOT_DESIRED_STATE = ("metadata", "status", "apiVersion", "kind")


def start_life(kind: Kind, metadata: JsonObject, uid: str) -> None:
    """Set what every new object gets, in place; whatever the client sent for it is dropped."""
    for name in (*_SERVER_OWNED, *_NEVER_KEPT, "resourceVersion", "managedFields"):
        metadata.pop(name, None)
    metadata["uid"] = uid
    metadata["creationTimestamp"] = now()
    if kind.generations:
        metadata["generation"] = 1
    _drop_empty(metadata)


def carry_over(metadata: JsonObject, old: JsonObject) -> None:
    """Put back what a client cannot change, in place."""
    for name in _NEVER_KEPT:
        metadata.pop(name, None)
    for name in (*_SERVER_OWNED, "resourceVersion", "name", "namespace", "generateName"):
        if name in old:
            metadata[name] = old[name]
        else:
            metadata.pop(name, None)
    _drop_empty(metadata)


def without_managers(item: JsonObject) -> JsonObject:
    """Return an object without the record of who manages its fields."""
    return item | {"metadata": {key: value for key, value in item["metadata"].items() if key != "managedFields"}}


def count_generation(kind: Kind, item: JsonObject, old: JsonObject) -> None:
    """Raise the generation where the desired state has changed."""
    if kind.generations and _desired(kind, item) != _desired(kind, old):
        item["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1


def mark_deleted(kind: Kind, metadata: JsonObject, grace_seconds: int) -> None:
    """Set the time of deletion, which lies ``grace_seconds`` ahead."""
    when = datetime.now(UTC) + timedelta(seconds=grace_seconds)
    metadata["deletionTimestamp"] = when.strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata["deletionGracePeriodSeconds"] = grace_seconds
    if kind.generations:
        metadata["generation"] = metadata.get("generation", 0) + 1


def grace_of(kind: Kind, item: JsonObject, wanted: int | None) -> int:
    """Return how long an object may still live after a deletion; only a pod that may be running has such a time."""
    if (kind.group, kind.kind) != ("", "Pod"):
        return 0
    ended = item.get("status", {}).get("phase") in ("Succeeded", "Failed")
    if not item["spec"].get("nodeName") or ended:
        return 0
    if wanted is not None:
        return max(wanted, 0)
    seconds: int = item["spec"].get("terminationGracePeriodSeconds", DEFAULT_POD_GRACE_SECONDS)
    return seconds


def is_finished(kind: Kind, item: JsonObject) -> bool:
    """Whether a deleted object has nothing left to wait for."""
    metadata = item["metadata"]
    if "deletionTimestamp" not in metadata or metadata.get("finalizers"):
        return False
    if (kind.group, kind.kind) == ("", "Namespace"):
        return not item.get("spec", {}).get("finalizers")
    return not metadata.get("deletionGracePeriodSeconds")


def _desired(kind: Kind, item: JsonObject) -> JsonObject:
    desired = {key: value for key, value in item.items() if key not in _NOT_DESIRED_STATE}
    if kind.kind == "Deployment":
        desired["annotations"] = item["metadata"].get("annotations")
    return desired


def _drop_empty(metadata: JsonObject) -> None:
    for name in ("labels", "annotations", "finalizers", "ownerReferences", "generateName"):
        if name in metadata and not metadata[name]:
            del metadata[name]
