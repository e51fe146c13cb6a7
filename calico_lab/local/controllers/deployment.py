"""The Deployment controller: a ReplicaSet for each pod template, and the way from the old one to the new.

Behaviour as in https://kubernetes.io/docs/concepts/workloads/controllers/deployment/. Proportional scaling during a
rollout is left out: a Deployment that is scaled while it rolls out reaches the same end by other steps.
"""

from __future__ import annotations

from collections.abc import Iterable

from calico_lab import errors
from calico_lab.local.client import ApiClient
from calico_lab.local.controller import Controller, Key, key_of
from calico_lab.local.controllers.deployment_status import seconds_to_deadline, status_of
from calico_lab.local.controllers.ownership import claim, controlled_by, selects
from calico_lab.local.controllers.rollout import (
    HASH_LABEL,
    first_scale,
    is_recreate,
    limits_of,
    next_scale,
    replicas_of,
    revision_of,
    same_template,
    template_hash,
)
from calico_lab.local.events import NORMAL, EventRecorder
from calico_lab.local.objects import controller_uid, is_deleting, owner_reference
from calico_lab.local.resources import DEPLOYMENTS, PODS, REPLICA_SETS
from calico_lab.local.wire import JsonObject

REVISION = "deployment.kubernetes.io/revision"
DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"
NOT_COPIED = {REVISION, DESIRED_REPLICAS, MAX_REPLICAS, "kubectl.kubernetes.io/last-applied-configuration"}
DEFAULT_HISTORY = 10


class DeploymentController(Controller):
    """Creates, scales and clears away the ReplicaSets of each Deployment."""

    name = "deployment-controller"

    def __init__(self, client: ApiClient) -> None:
        super().__init__(client)
        self._events = EventRecorder(client, self.name)
        self._deployments = self.inform(DEPLOYMENTS)
        self._replica_sets = self.inform(REPLICA_SETS, self._keys_of_replica_set)
        self._pods = self.inform(PODS, self._keys_of_pod)

    def _keys_of_replica_set(self, replica_set: JsonObject) -> Iterable[Key]:
        namespace = replica_set["metadata"]["namespace"]
        if owner := controlled_by(replica_set, DEPLOYMENTS.kind):
            yield Key(namespace, owner)
        elif not controller_uid(replica_set):
            for deployment in self._deployments:
                selector = deployment["spec"]["selector"]
                if deployment["metadata"]["namespace"] == namespace and selects(selector, replica_set):
                    yield key_of(deployment)

    def _keys_of_pod(self, pod: JsonObject) -> Iterable[Key]:
        # Only Recreate waits for pods themselves; every other step follows from the ReplicaSets' statuses.
        namespace = pod["metadata"]["namespace"]
        replica_set = self._replica_sets.get(Key(namespace, controlled_by(pod, REPLICA_SETS.kind)))
        if replica_set is None:
            return []
        key = Key(namespace, controlled_by(replica_set, DEPLOYMENTS.kind))
        deployment = self._deployments.get(key)
        return [key] if deployment and is_recreate(deployment) else []

    async def reconcile(self, key: Key) -> None:
        """Take the next step of one Deployment's rollout and write down where it stands."""
        deployment = self._deployments.get(key)
        if deployment is None:
            return
        if is_deleting(deployment):
            await self._report(key, created=False)
            return
        await claim(self, deployment, self._replica_sets)
        created = await self._step(deployment)
        await self._report(key, created=created)

    def _split(self, deployment: JsonObject) -> tuple[JsonObject | None, list[JsonObject]]:
        """Return the ReplicaSet of the current template, if there is one, and the others."""
        uid = deployment["metadata"]["uid"]
        own = [each for each in self._replica_sets if controller_uid(each) == uid and not is_deleting(each)]
        own.sort(key=lambda each: (each["metadata"]["creationTimestamp"], each["metadata"]["name"]))
        new = next((each for each in own if same_template(deployment, each)), None)
        return new, [each for each in own if each is not new]

    async def _step(self, deployment: JsonObject) -> bool:
        """Scale or create ReplicaSets; returns whether the new one was created."""
        new, old = self._split(deployment)
        paused, created = bool(deployment["spec"].get("paused")), False
        if not paused and is_recreate(deployment) and await self._stop_old(deployment, old):
            return False
        if new is not None:
            new = await self._annotate(deployment, new, old)
        elif not paused:
            new, created = await self._create(deployment, old), True
        for replica_set, replicas in next_scale(deployment, new, old):
            await self._scale(deployment, replica_set, replicas)
        if not paused:
            await self._clear_history(deployment, old)
        return created

    async def _stop_old(self, deployment: JsonObject, old: list[JsonObject]) -> bool:
        """Scale the old ReplicaSets to nothing; returns whether a pod of theirs is still there."""
        for replica_set in old:
            if replicas_of(replica_set):
                await self._scale(deployment, replica_set, 0)
        uids = {each["metadata"]["uid"] for each in old}
        return any(controller_uid(pod) in uids and not _has_ended(pod) for pod in self._pods)

    async def _create(self, deployment: JsonObject, old: list[JsonObject]) -> JsonObject:
        collisions = deployment.get("status", {}).get("collisionCount", 0)
        wanted = new_replica_set(deployment, old, collisions)
        try:
            created = await self.create(self._replica_sets, wanted)
        except errors.AlreadyExists:
            # Another template of the same hash, or one that is not ours: count it, and hash anew the next time.
            await self.write_status(
                self._deployments, deployment, deployment.get("status", {}) | {"collisionCount": collisions + 1}
            )
            raise
        await self._say_scaled(deployment, created, 0, replicas_of(created))
        return created

    async def _annotate(self, deployment: JsonObject, new: JsonObject, old: list[JsonObject]) -> JsonObject:
        """Give the new ReplicaSet the highest revision and what it takes over from the Deployment."""
        revision = str(max(revision_of(new), 1 + max((revision_of(each) for each in old), default=0)))
        annotations = _copied_annotations(deployment) | {REVISION: revision}
        min_ready = deployment["spec"].get("minReadySeconds") or None
        change = {"metadata": {"annotations": annotations}, "spec": {"minReadySeconds": min_ready}}
        return await self.change(self._replica_sets, new, change)

    async def _scale(self, deployment: JsonObject, replica_set: JsonObject, replicas: int) -> None:
        before = replicas_of(replica_set)
        change = {"spec": {"replicas": replicas}, "metadata": {"annotations": _scale_annotations(deployment)}}
        await self.change(self._replica_sets, replica_set, change)
        await self._say_scaled(deployment, replica_set, before, replicas)

    async def _say_scaled(self, deployment: JsonObject, replica_set: JsonObject, before: int, after: int) -> None:
        direction, name = "up" if after > before else "down", replica_set["metadata"]["name"]
        message = f"Scaled {direction} replica set {name} from {before} to {after}"
        await self._events.event(deployment, NORMAL, "ScalingReplicaSet", message)

    async def _clear_history(self, deployment: JsonObject, old: list[JsonObject]) -> None:
        keep = deployment["spec"].get("revisionHistoryLimit", DEFAULT_HISTORY)
        idle = [each for each in old if not replicas_of(each) and not each.get("status", {}).get("replicas")]
        surplus = max(0, len(idle) - keep)
        for replica_set in sorted(idle, key=revision_of)[:surplus]:
            await self.delete(self._replica_sets, replica_set)

    async def _report(self, key: Key, *, created: bool) -> None:
        deployment = self._deployments.get(key)
        if deployment is None:
            return
        new, old = self._split(deployment)
        status = status_of(deployment, new, old, created=created)
        revision = {REVISION: str(revision_of(new))} if new else {}
        await self.write_status(self._deployments, deployment, status, annotations=revision)
        if (seconds := seconds_to_deadline(deployment, status)) is not None:
            self.queue.add_after(key, max(seconds, 0) + 1)


def new_replica_set(deployment: JsonObject, old: list[JsonObject], collisions: int) -> JsonObject:
    """Return the ReplicaSet for a Deployment's present template."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    template_metadata = spec["template"].get("metadata") or {}
    own_hash = {HASH_LABEL: template_hash(spec["template"], collisions)}
    template_labels = (template_metadata.get("labels") or {}) | own_hash
    revision = 1 + max((revision_of(each) for each in old), default=0)
    selector = spec["selector"]
    return {
        "apiVersion": REPLICA_SETS.api_version,
        "kind": REPLICA_SETS.kind,
        "metadata": {
            "name": f"{metadata['name']}-{own_hash[HASH_LABEL]}",
            "namespace": metadata["namespace"],
            "labels": template_labels,
            "annotations": _copied_annotations(deployment) | _scale_annotations(deployment) | {REVISION: str(revision)},
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": {
            "replicas": first_scale(deployment, old),
            "selector": selector | {"matchLabels": (selector.get("matchLabels") or {}) | own_hash},
            "template": spec["template"] | {"metadata": template_metadata | {"labels": template_labels}},
        }
        | ({"minReadySeconds": spec["minReadySeconds"]} if spec.get("minReadySeconds") else {}),
    }


def _copied_annotations(deployment: JsonObject) -> dict[str, str]:
    annotations = deployment["metadata"].get("annotations") or {}
    return {key: value for key, value in annotations.items() if key not in NOT_COPIED}


def _scale_annotations(deployment: JsonObject) -> dict[str, str]:
    return {DESIRED_REPLICAS: str(replicas_of(deployment)), MAX_REPLICAS: str(limits_of(deployment).most)}


def _has_ended(pod: JsonObject) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
