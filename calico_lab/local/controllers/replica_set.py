"""The ReplicaSet controller: as many pods of one template as asked for.

Behaviour as in https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from calico_lab import errors
from calico_lab.local.client import ApiClient
from calico_lab.local.controller import Controller, Key, key_of
from calico_lab.local.controllers.ownership import claim, controlled_by, selects
from calico_lab.local.events import NORMAL, WARNING, EventRecorder
from calico_lab.local.objects import condition, controller_uid, is_deleting, is_ready, now, owner_reference
from calico_lab.local.resources import PODS, REPLICA_SETS
from calico_lab.local.wire import JsonObject


class ReplicaSetController(Controller):
    """Creates and deletes pods until each ReplicaSet has ``spec.replicas`` of them."""

    name = "replicaset-controller"

    def __init__(self, client: ApiClient) -> None:
        super().__init__(client)
        self._events = EventRecorder(client, self.name)
        self._replica_sets = self.inform(REPLICA_SETS)
        self._pods = self.inform(PODS, self._keys_of_pod)

    def _keys_of_pod(self, pod: JsonObject) -> Iterable[Key]:
        namespace = pod["metadata"]["namespace"]
        if owner := controlled_by(pod, REPLICA_SETS.kind):
            yield Key(namespace, owner)
        elif not controller_uid(pod):
            for replica_set in self._replica_sets:
                if replica_set["metadata"]["namespace"] == namespace and selects(replica_set["spec"]["selector"], pod):
                    yield key_of(replica_set)

    async def reconcile(self, key: Key) -> None:
        """Bring the number of pods to what is asked for, then say in the status how many there are."""
        replica_set = self._replica_sets.get(key)
        if replica_set is None:
            return
        pods = [pod for pod in await claim(self, replica_set, self._pods) if is_active(pod)]
        failure: JsonObject | None = None
        if not is_deleting(replica_set):
            try:
                await self._scale(replica_set, pods)
            except (errors.Forbidden, errors.Invalid) as error:
                failure = _replica_failure(replica_set, error)
        await self._report(key, failure)
        if failure:
            raise errors.ApiError(failure["message"])

    async def _scale(self, replica_set: JsonObject, pods: list[JsonObject]) -> None:
        missing = replica_set["spec"].get("replicas", 1) - len(pods)
        for _ in range(missing):
            await self._create_pod(replica_set)
        for pod in deletion_order(pods)[: max(0, -missing)]:
            await self.delete(self._pods, pod)
            await self._events.event(replica_set, NORMAL, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")

    async def _create_pod(self, replica_set: JsonObject) -> None:
        try:
            pod = await self.create(self._pods, new_pod(replica_set))
        except errors.ApiError as error:
            await self._events.event(replica_set, WARNING, "FailedCreate", f"Error creating: {error}")
            raise
        await self._events.event(replica_set, NORMAL, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")

    async def _report(self, key: Key, failure: JsonObject | None) -> None:
        replica_set = self._replica_sets.get(key)
        if replica_set is None:
            return
        uid = replica_set["metadata"]["uid"]
        pods = [pod for pod in self._pods if controller_uid(pod) == uid and is_active(pod)]
        min_ready = replica_set["spec"].get("minReadySeconds", 0)
        waits = [wait for pod in pods if (wait := seconds_until_available(pod, min_ready)) is not None]
        status = _status(replica_set, pods, sum(wait <= 0 for wait in waits))
        if failure:
            status["conditions"] = [failure]
        await self.write_status(self._replica_sets, replica_set, status)
        if later := [wait for wait in waits if wait > 0]:
            self.queue.add_after(key, min(later))


def is_active(pod: JsonObject) -> bool:
    """Whether a pod counts as a replica: neither ended nor on its way out."""
    return not is_deleting(pod) and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")


def new_pod(replica_set: JsonObject) -> JsonObject:
    """Return the pod that a ReplicaSet's template describes, still without a name of its own."""
    template, metadata = replica_set["spec"]["template"], replica_set["metadata"]
    given = template.get("metadata") or {}
    kept = {field: given[field] for field in ("labels", "annotations", "finalizers") if given.get(field)}
    return {
        "apiVersion": PODS.api_version,
        "kind": PODS.kind,
        "metadata": {
            "generateName": f"{metadata['name']}-",
            "namespace": metadata["namespace"],
            "ownerReferences": [owner_reference(replica_set)],
            **kept,
        },
        "spec": template["spec"],
    }


def deletion_order(pods: list[JsonObject]) -> list[JsonObject]:
    """Sort pods by who goes first: unscheduled, not running, not ready, cheap, crowded on one node, then youngest.

    The order of https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#scaling-down-a-replicaset. Age is
    that of creation alone, with the order in which the pods were seen, so that the same steps delete the same pods.
    """
    crowd = Counter(pod["spec"].get("nodeName", "") for pod in pods)

    def rank(place: int) -> tuple[bool, bool, bool, int, int]:
        pod = pods[place]
        running = pod.get("status", {}).get("phase") == "Running"
        cost = int((pod["metadata"].get("annotations") or {}).get("controller.kubernetes.io/pod-deletion-cost", "0"))
        node = pod["spec"].get("nodeName", "")
        return bool(node), running, is_ready(pod), cost, -crowd[node]

    by_age = sorted(range(len(pods)), key=lambda place: (pods[place]["metadata"]["creationTimestamp"], place))
    youngest_first = by_age[::-1]
    return [pods[place] for place in sorted(youngest_first, key=rank)]


def seconds_until_available(pod: JsonObject, min_ready_seconds: int) -> float | None:
    """Return how long a ready pod must still stay so to count as available (0 or less: it does), None if not ready."""
    if not is_ready(pod):
        return None
    if not min_ready_seconds:
        return 0
    since = datetime.fromisoformat(condition(pod, "Ready")["lastTransitionTime"])
    return min_ready_seconds - (datetime.now(UTC) - since).total_seconds()


def _status(replica_set: JsonObject, pods: list[JsonObject], available: int) -> JsonObject:
    template = {"matchLabels": (replica_set["spec"]["template"].get("metadata") or {}).get("labels")}
    counts = {
        "fullyLabeledReplicas": sum(selects(template, pod) for pod in pods),
        "readyReplicas": sum(is_ready(pod) for pod in pods),
        "availableReplicas": available,
        "observedGeneration": replica_set["metadata"].get("generation", 0),
    }
    return {"replicas": len(pods)} | {name: count for name, count in counts.items() if count}


def _replica_failure(replica_set: JsonObject, error: errors.ApiError) -> JsonObject:
    earlier = condition(replica_set, "ReplicaFailure")
    return {
        "type": "ReplicaFailure",
        "status": "True",
        "lastTransitionTime": earlier.get("lastTransitionTime") or now(),
        "reason": "FailedCreate",
        "message": str(error),
    }
