"""The node lifecycle controller: notices nodes that fall silent, and moves their pods elsewhere.

Conditions, taints and evictions as in https://kubernetes.io/docs/concepts/architecture/nodes/#condition and
https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions. Upstream waits 50 s
for a silent node; here it is some 6 s. There is no limit to how many nodes may lose their pods at once.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from calico_lab import errors
from calico_lab.local.client import ApiClient
from calico_lab.local.controller import Controller, Key, key_of
from calico_lab.local.controllers.scheduler import tolerates
from calico_lab.local.events import NORMAL, WARNING, EventRecorder
from calico_lab.local.objects import condition, is_deleting, is_ready, now
from calico_lab.local.resources import LEASES, NODES, PODS
from calico_lab.local.wire import JsonObject

LEASE_NAMESPACE = "kube-node-lease"
LOOK_SECONDS = 1.0
# Looks, not seconds: when this whole process stands still, nodes are not to blame for their silence.
SILENT_LOOKS = 6

UNREACHABLE, NOT_READY = "node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"
_OURS = (UNREACHABLE, NOT_READY)


class NodeLifecycleController(Controller):
    """Writes the conditions and taints of silent nodes, and deletes pods that do not tolerate them."""

    name = "node-lifecycle-controller"

    def __init__(self, client: ApiClient) -> None:
        super().__init__(client)
        self._events = EventRecorder(client, "node-controller")
        self._evictions = EventRecorder(client, "taint-eviction-controller")
        self._nodes = self.inform(NODES)
        self._leases = self.inform(LEASES, lambda _lease: ())
        self._pods = self.inform(PODS, lambda pod: [Key("", node)] if (node := pod["spec"].get("nodeName")) else [])
        self._renewals: dict[str, str] = {}
        self._missed: dict[str, int] = {}

    async def run(self) -> None:
        """Run until cancelled; the leases are looked at again and again, since silence is no event."""
        async with asyncio.TaskGroup() as group:
            group.create_task(super().run(), name=self.name)
            group.create_task(self._look(), name=f"{self.name}: leases")

    async def _look(self) -> None:
        await self._leases.synced.wait()
        while True:
            for node in self._nodes:
                self._look_at(node)
            await asyncio.sleep(LOOK_SECONDS)

    def _look_at(self, node: JsonObject) -> None:
        name = node["metadata"]["name"]
        renewal = self._renewal(name)
        heard = renewal != self._renewals.get(name)
        self._renewals[name] = renewal
        self._missed[name] = 0 if heard else self._missed.get(name, 0) + 1
        if self._is_silent(node) and condition(node, "Ready").get("status") != "Unknown":
            self.queue.add(key_of(node))

    def _renewal(self, node: str) -> str:
        """Return what changes with every renewal of a node's lease."""
        lease = self._leases.get(Key(LEASE_NAMESPACE, node))
        return str(lease["metadata"]["resourceVersion"]) if lease else ""

    def _is_silent(self, node: JsonObject) -> bool:
        name = node["metadata"]["name"]
        return self._missed.get(name, 0) >= SILENT_LOOKS and self._renewal(name) == self._renewals[name]

    async def reconcile(self, key: Key) -> None:
        """Make one node's conditions, taints and pods what its silence, or its kubelet's word, come to."""
        node = self._nodes.get(key)
        if node is None:
            return
        if self._is_silent(node) and condition(node, "Ready").get("status") != "Unknown":
            node = await self._write_off(node)
        node = await self._taint(node)
        pods = [pod for pod in self._pods if pod["spec"].get("nodeName") == key.name and not is_deleting(pod)]
        if not is_ready(node):
            for pod in pods:
                await self._mark_not_ready(pod)
        for pod in pods:
            await self._evict(pod, node)

    async def _write_off(self, node: JsonObject) -> JsonObject:
        time = now()
        words = {"status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
        conditions = [each | words | {"lastTransitionTime": time} for each in node["status"]["conditions"]]
        written = await self.write_status(self._nodes, node, node["status"] | {"conditions": conditions})
        name = node["metadata"]["name"]
        about = node | {"metadata": {"name": name, "uid": name}}
        await self._events.event(about, NORMAL, "NodeNotReady", f"Node {name} status is now: NodeNotReady")
        return written

    async def _taint(self, node: JsonObject) -> JsonObject:
        """Give a node the taint of its condition in both effects, or take it away."""
        present = node["spec"].get("taints") or []
        status = condition(node, "Ready").get("status")
        wanted = {"True": "", "Unknown": UNREACHABLE}.get(status or "", NOT_READY)
        if {taint["key"] for taint in present if taint["key"] in _OURS} == ({wanted} if wanted else set()):
            return node
        taints = [taint for taint in present if taint["key"] not in _OURS]
        if wanted:
            effects = ("NoSchedule", "NoExecute")
            taints += [{"key": wanted, "effect": effect, "timeAdded": now()} for effect in effects]
        return await self.change(self._nodes, node, {"spec": {"taints": taints or None}})

    async def _mark_not_ready(self, pod: JsonObject) -> None:
        """Say of a pod what its kubelet cannot: nobody knows any more whether it answers."""
        if not is_ready(pod):
            return
        change = {"status": "False", "lastTransitionTime": now()}
        conditions = [each | (change if each["type"] == "Ready" else {}) for each in pod["status"]["conditions"]]
        try:
            await self.write_status(self._pods, pod, pod["status"] | {"conditions": conditions})
        except errors.NotFound:
            return
        await self._events.event(pod, WARNING, "NodeNotReady", "Node is not ready")

    async def _evict(self, pod: JsonObject, node: JsonObject) -> None:
        taints = [taint for taint in node["spec"].get("taints") or [] if taint["effect"] == "NoExecute"]
        patience = min((seconds_tolerated(pod, taint) for taint in taints), default=float("inf"))
        if patience == float("inf"):
            return
        if patience > 0:
            self.queue.add_after(key_of(node), patience)
            return
        name = "/".join(key_of(pod))
        await self._evictions.event(pod, NORMAL, "TaintManagerEviction", f"Marking for deletion Pod {name}")
        await self.delete(self._pods, pod)


def seconds_tolerated(pod: JsonObject, taint: JsonObject) -> float:
    """Return how much longer a pod may stay on a node with a taint, 0 or less when its time is over."""
    tolerations = [each for each in pod["spec"].get("tolerations") or [] if tolerates(each, taint)]
    if not tolerations:
        return 0
    limits = [each["tolerationSeconds"] for each in tolerations if each.get("tolerationSeconds") is not None]
    if not limits:
        return float("inf")
    since = datetime.fromisoformat(taint["timeAdded"]) if "timeAdded" in taint else datetime.now(UTC)
    return float(min(limits)) - (datetime.now(UTC) - since).total_seconds()
