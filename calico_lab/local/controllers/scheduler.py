"""The scheduler: gives each pod without a node one, always the same one in the same situation.

What a node must have follows https://kubernetes.io/docs/concepts/scheduling-eviction/: nodeSelector, taints and
tolerations, cordons, readiness. Which of the fitting nodes is taken is simpler than upstream's scoring: the one with
the fewest pods of the same owner, then with the fewest pods, then the first by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from calico_lab import errors
from calico_lab.local.client import ApiClient
from calico_lab.local.controller import Controller, Key, key_of
from calico_lab.local.controllers.replica_set import is_active
from calico_lab.local.events import NORMAL, WARNING, EventRecorder
from calico_lab.local.objects import condition, controller_uid, is_deleting, is_ready, labels, now
from calico_lab.local.resources import NODES, PODS
from calico_lab.local.wire import JsonObject

SCHEDULER_NAME = "default-scheduler"


class Scheduler(Controller):
    """Binds pods to nodes through the ``binding`` subresource."""

    name = SCHEDULER_NAME

    def __init__(self, client: ApiClient) -> None:
        super().__init__(client)
        self._events = EventRecorder(client, self.name)
        self._pods = self.inform(PODS, lambda pod: [key_of(pod)] if wants_node(pod) else [])
        self._nodes = self.inform(NODES, self._waiting_pods)

    def _waiting_pods(self, _: JsonObject) -> Iterable[Key]:
        return [key_of(pod) for pod in self._pods if wants_node(pod)]

    async def reconcile(self, key: Key) -> None:
        """Bind one pod, or say why no node takes it; a change of the nodes brings it here again."""
        pod = self._pods.get(key)
        if pod is None or not wants_node(pod):
            return
        obstacles = {node["metadata"]["name"]: obstacle(pod, node) for node in self._nodes}
        fitting = [node for node, reason in obstacles.items() if not reason]
        if not fitting:
            await self._give_up(pod, Counter(obstacles.values()))
            return
        await self._bind(pod, self._best(pod, fitting))

    def _best(self, pod: JsonObject, nodes: list[str]) -> str:
        owner, all_pods, same_owner = controller_uid(pod), Counter[str](), Counter[str]()
        for other in self._pods:
            if is_active(other) and (node := other["spec"].get("nodeName")):
                all_pods[node] += 1
                same_owner[node] += bool(owner) and controller_uid(other) == owner
        return min(nodes, key=lambda node: (same_owner[node], all_pods[node], node))

    async def _bind(self, pod: JsonObject, node: str) -> None:
        key = key_of(pod)
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": key.name, "namespace": key.namespace, "uid": pod["metadata"]["uid"]},
            "target": {"apiVersion": "v1", "kind": NODES.kind, "name": node},
        }
        try:
            await self.client.create_subresource(PODS, key.name, key.namespace, "binding", binding)
        except errors.NotFound:
            return
        await self._pods.until(lambda: not wants_node(self._pods.get(key)))
        message = f"Successfully assigned {key.namespace}/{key.name} to {node}"
        await self._events.event(pod, NORMAL, "Scheduled", message)

    async def _give_up(self, pod: JsonObject, obstacles: Counter[str]) -> None:
        reasons = ", ".join(sorted(f"{count} {reason}" for reason, count in obstacles.items()))
        message = f"0/{obstacles.total()} nodes are available: {reasons}." if obstacles else "no nodes available"
        if condition(pod, "PodScheduled").get("message") == message:
            return
        status = pod.get("status", {})
        others = [entry for entry in status.get("conditions") or [] if entry["type"] != "PodScheduled"]
        unscheduled = {
            "type": "PodScheduled",
            "status": "False",
            "lastTransitionTime": condition(pod, "PodScheduled").get("lastTransitionTime") or now(),
            "reason": "Unschedulable",
            "message": message,
        }
        await self.write_status(self._pods, pod, status | {"conditions": [*others, unscheduled]})
        await self._events.event(pod, WARNING, "FailedScheduling", message)


def wants_node(pod: JsonObject | None) -> bool:
    """Whether a pod is still to be bound, and by this scheduler."""
    if pod is None or is_deleting(pod) or pod["spec"].get("nodeName"):
        return False
    return bool(pod["spec"].get("schedulerName", SCHEDULER_NAME) == SCHEDULER_NAME)


def obstacle(pod: JsonObject, node: JsonObject) -> str:
    """Return why a node cannot take a pod, in the words of kube-scheduler, or an empty string when it can."""
    wanted = pod["spec"].get("nodeSelector") or {}
    tolerations = pod["spec"].get("tolerations") or []
    if any(labels(node).get(key) != value for key, value in wanted.items()):
        return "node(s) didn't match Pod's node affinity/selector"
    for taint in node["spec"].get("taints") or []:
        if taint["effect"] in ("NoSchedule", "NoExecute") and not any(tolerates(each, taint) for each in tolerations):
            return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    if node["spec"].get("unschedulable"):
        return "node(s) were unschedulable"
    if not is_ready(node):
        return "node(s) were not ready"
    return ""


def tolerates(toleration: JsonObject, taint: JsonObject) -> bool:
    """Whether a toleration matches a taint (https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/)."""
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    same_value = (toleration.get("value") or "") == (taint.get("value") or "")
    return toleration.get("key") == taint["key"] and same_value
