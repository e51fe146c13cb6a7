"""A Deployment's status, pure: counts and conditions, with the reasons and messages that kubectl waits for.

Types and reasons as in https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status.
"""

from __future__ import annotations

from datetime import UTC, datetime

from calico_lab.local.controllers.rollout import available_of, limits_of, replicas_of
from calico_lab.local.objects import condition, now
from calico_lab.local.wire import JsonObject

DEFAULT_DEADLINE_SECONDS = 600


def status_of(deployment: JsonObject, new: JsonObject | None, old: list[JsonObject], *, created: bool) -> JsonObject:
    """Return the whole status; ``created`` says that ``new`` was made just now."""
    everything = [*old, *([new] if new else [])]
    replicas, ready = (_sum(everything, field) for field in ("replicas", "readyReplicas"))
    available = sum(available_of(each) for each in everything)
    counts = {
        "observedGeneration": deployment["metadata"].get("generation", 0),
        "replicas": replicas,
        "updatedReplicas": _sum([new] if new else [], "replicas"),
        "readyReplicas": ready,
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(replicas_of(each) for each in everything) - available),
        "collisionCount": deployment.get("status", {}).get("collisionCount", 0),
    }
    status: JsonObject = {name: count for name, count in counts.items() if count}
    conditions = [
        _available(deployment, available),
        _progressing(deployment, status, new, created=created),
        *(condition(each, "ReplicaFailure") for each in everything),
    ]
    status["conditions"] = [entry for entry in conditions if entry]
    return status


def seconds_to_deadline(deployment: JsonObject, status: JsonObject) -> float | None:
    """Return when the rollout will have taken too long, None when it is complete or has already."""
    progressing = condition({"status": status}, "Progressing")
    if progressing.get("reason") in (None, "NewReplicaSetAvailable", "ProgressDeadlineExceeded", "DeploymentPaused"):
        return None
    return _deadline(deployment) - _age(progressing["lastUpdateTime"])


def _sum(replica_sets: list[JsonObject], field: str) -> int:
    return sum(each.get("status", {}).get(field, 0) for each in replica_sets)


def _deadline(deployment: JsonObject) -> int:
    seconds: int = deployment["spec"].get("progressDeadlineSeconds", DEFAULT_DEADLINE_SECONDS)
    return seconds


def _age(time: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(time)).total_seconds()


def _entry(deployment: JsonObject, kind: str, status: str, reason: str, message: str) -> JsonObject:
    earlier, time = condition(deployment, kind), now()
    if (earlier.get("status"), earlier.get("reason"), earlier.get("message")) == (status, reason, message):
        return dict(earlier)
    same_status = earlier.get("status") == status
    return {
        "type": kind,
        "status": status,
        "lastUpdateTime": time,
        "lastTransitionTime": earlier["lastTransitionTime"] if same_status else time,
        "reason": reason,
        "message": message,
    }


def _available(deployment: JsonObject, available: int) -> JsonObject:
    if available >= limits_of(deployment).least_available:
        message = "Deployment has minimum availability."
        return _entry(deployment, "Available", "True", "MinimumReplicasAvailable", message)
    message = "Deployment does not have minimum availability."
    return _entry(deployment, "Available", "False", "MinimumReplicasUnavailable", message)


def _progressing(deployment: JsonObject, status: JsonObject, new: JsonObject | None, *, created: bool) -> JsonObject:
    earlier = condition(deployment, "Progressing")
    if deployment["spec"].get("paused"):
        return _entry(deployment, "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused")
    if earlier.get("reason") == "DeploymentPaused":
        return _entry(deployment, "Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed")
    if new is None:
        return dict(earlier)
    subject = f'ReplicaSet "{new["metadata"]["name"]}"'
    if created:
        message = f'Created new replica set "{new["metadata"]["name"]}"'
        return _entry(deployment, "Progressing", "True", "NewReplicaSetCreated", message)
    if earlier.get("reason") == "NewReplicaSetAvailable" and _only_new(status):
        return dict(earlier)
    if _is_complete(deployment, status):
        message = f"{subject} has successfully progressed."
        return _entry(deployment, "Progressing", "True", "NewReplicaSetAvailable", message)
    if _moved(deployment, status) or not earlier:
        entry = _entry(deployment, "Progressing", "True", "ReplicaSetUpdated", f"{subject} is progressing.")
        return entry | {"lastUpdateTime": now()}
    if earlier["reason"] != "NewReplicaSetAvailable" and _age(earlier["lastUpdateTime"]) > _deadline(deployment):
        message = f"{subject} has timed out progressing."
        return _entry(deployment, "Progressing", "False", "ProgressDeadlineExceeded", message)
    return dict(earlier)


def _is_complete(deployment: JsonObject, status: JsonObject) -> bool:
    wanted = replicas_of(deployment)
    counts = (status.get(field, 0) for field in ("replicas", "updatedReplicas", "availableReplicas"))
    return all(count == wanted for count in counts)


def _only_new(status: JsonObject) -> bool:
    """Whether no old pod is left: a finished rollout stays finished when pods die or the Deployment is scaled."""
    return bool(status.get("replicas", 0) == status.get("updatedReplicas", 0))


def _moved(deployment: JsonObject, status: JsonObject) -> bool:
    before = deployment.get("status", {})

    def growth(field: str) -> int:
        difference: int = status.get(field, 0) - before.get(field, 0)
        return difference

    old_shrank = growth("replicas") - growth("updatedReplicas") < 0
    return old_shrank or any(growth(field) > 0 for field in ("updatedReplicas", "readyReplicas", "availableReplicas"))
