import asyncio
from contextlib import suppress

import pytest
from support.eventually import eventually

from calico_lab import errors
from calico_lab.local.controllers import node_lifecycle
from calico_lab.local.controllers.node_lifecycle import UNREACHABLE, seconds_tolerated
from calico_lab.local.objects import condition, is_ready
from calico_lab.local.resources import EVENTS, LEASES, NODES, PODS
from calico_lab.local.topology import NODES as HOSTS

TAINT = {"key": UNREACHABLE, "effect": "NoExecute", "timeAdded": "2020-01-01T00:00:00Z"}


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch):
    monkeypatch.setattr(node_lifecycle, "LOOK_SECONDS", 0.05)


@pytest.fixture
async def silent(cluster):
    """The names of nodes whose leases are not renewed; all others' are."""
    names = set()

    async def renew():
        for number in range(10_000):
            for host in HOSTS:
                if host.name in names:
                    continue
                spec = {"holderIdentity": host.name, "leaseTransitions": number}
                try:
                    await cluster.client.patch(LEASES, host.name, "kube-node-lease", {"spec": spec})
                except errors.NotFound:
                    metadata = {"namespace": "kube-node-lease"}
                    await cluster.apply(LEASES, host.name, metadata=metadata, spec=spec)
            await asyncio.sleep(0.02)

    renewing = asyncio.create_task(renew())
    yield names
    renewing.cancel()
    with suppress(asyncio.CancelledError):
        await renewing


async def taints(cluster, name):
    return {taint["key"] for taint in (await cluster.get(NODES, name))["spec"].get("taints", [])}


async def fallen_silent(cluster, silent, name):
    silent.add(name)

    async def tainted():
        return UNREACHABLE in await taints(cluster, name)

    await eventually(tainted)


async def test_a_node_that_falls_silent_is_unknown_and_tainted(cluster, silent):
    await fallen_silent(cluster, silent, "worker1")
    ready = condition(await cluster.get(NODES, "worker1"), "Ready")
    assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusUnknown")
    assert not await taints(cluster, "worker2")
    messages = [event["message"] for event in await cluster.all(EVENTS)]
    assert "Node worker1 status is now: NodeNotReady" in messages


async def test_a_node_that_speaks_again_loses_its_taint(cluster, silent):
    await fallen_silent(cluster, silent, "worker1")
    silent.clear()
    words = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    await asyncio.sleep(0.1)
    await cluster.client.patch(NODES, "worker1", "", {"status": {"conditions": [words]}}, subresource="status")

    async def healed():
        return not await taints(cluster, "worker1")

    await eventually(healed)
    await asyncio.sleep(0.2)
    assert is_ready(await cluster.get(NODES, "worker1"))


async def test_pods_of_a_silent_node_are_not_ready_at_once_and_moved_later(cluster, silent):
    await cluster.deploy(replicas=2)
    await cluster.ready(2)
    cluster.kubelets.held = True
    (there,) = [pod for pod in await cluster.pods() if pod["spec"]["nodeName"] == "worker1"]
    await fallen_silent(cluster, silent, "worker1")

    async def not_ready():
        return not is_ready(await cluster.get(PODS, there["metadata"]["name"]))

    async def moved():
        return [pod["spec"].get("nodeName") for pod in await cluster.pods()] == ["worker2", "worker2"]

    await eventually(not_ready)
    assert len(await cluster.pods()) == 2
    await eventually(moved)


def pod(**toleration):
    given = {"key": UNREACHABLE, "operator": "Exists", "effect": "NoExecute"} | toleration
    return {"spec": {"tolerations": [given]}}


def test_a_pod_without_toleration_goes_at_once():
    assert seconds_tolerated({"spec": {}}, TAINT) == 0


def test_a_toleration_without_limit_holds_for_ever():
    assert seconds_tolerated(pod(), TAINT) == float("inf")


def test_a_limit_counts_from_when_the_taint_was_added():
    assert seconds_tolerated(pod(tolerationSeconds=5), TAINT) < 0
    assert 4 < seconds_tolerated(pod(tolerationSeconds=5), {"key": UNREACHABLE, "effect": "NoExecute"}) <= 5
