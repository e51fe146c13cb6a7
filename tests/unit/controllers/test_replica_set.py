from datetime import UTC, datetime, timedelta

import pytest
from support.eventually import eventually

from calico_lab.local.controllers.replica_set import deletion_order
from calico_lab.local.resources import DEPLOYMENTS, PODS, REPLICA_SETS


async def test_a_deleted_pod_is_replaced(cluster):
    await cluster.deploy(replicas=3)
    await cluster.ready(3)
    victim, *kept = await cluster.names(PODS)
    await cluster.client.delete(PODS, victim, "default")
    await cluster.gone(PODS, victim)
    await cluster.ready(3)
    assert set(kept) < set(await cluster.names(PODS))


async def test_a_failed_pod_is_replaced(cluster):
    await cluster.deploy(replicas=1)
    await cluster.ready(1)
    (pod,) = await cluster.pods()
    cluster.kubelets.held = True
    await cluster.kubelets.say(pod, ready=False, phase="Failed")

    async def another():
        return len(await cluster.pods()) == 2

    await eventually(another)


async def test_a_pod_whose_label_changes_is_released_and_replaced(cluster):
    await cluster.deploy(replicas=2)
    await cluster.ready(2)
    name = (await cluster.names(PODS))[0]
    await cluster.change(PODS, name, {"metadata": {"labels": {"app": "other"}}})
    await cluster.ready(2, app="backend")
    await cluster.ready(1, app="other")
    assert "ownerReferences" not in (await cluster.get(PODS, name))["metadata"]


async def test_a_matching_orphan_is_adopted(cluster):
    await cluster.deploy(replicas=2)
    await cluster.ready(2)
    name = (await cluster.names(PODS))[0]
    before = set(await cluster.names(PODS))
    await cluster.change(PODS, name, {"metadata": {"ownerReferences": None}})

    async def adopted():
        return bool((await cluster.get(PODS, name))["metadata"].get("ownerReferences"))

    await eventually(adopted)
    await cluster.complete()
    assert set(await cluster.names(PODS)) == before


async def test_status_counts_ready_pods(cluster):
    await cluster.deploy(replicas=2)
    await cluster.complete()
    cluster.kubelets.held = True
    await cluster.kubelets.say((await cluster.pods())[0], ready=False)
    (replica_set,) = await cluster.names(REPLICA_SETS)

    async def one_ready():
        status = await cluster.status(replica_set, REPLICA_SETS)
        return (status["replicas"], status["readyReplicas"], status["availableReplicas"]) == (2, 1, 1)

    await eventually(one_ready)


async def test_created_pods_are_events(cluster):
    await cluster.deploy(replicas=2)
    await cluster.complete()
    expected = sorted(f"Created pod: {name}" for name in await cluster.names(PODS))
    assert sorted(await cluster.events("SuccessfulCreate")) == expected


async def test_scaling_down_takes_the_youngest_from_the_fuller_node(cluster):
    await cluster.deploy(replicas=4)
    await cluster.ready(4)
    await cluster.change(DEPLOYMENTS, "backend", {"spec": {"replicas": 2}})
    await cluster.ready(2)
    nodes = [pod["spec"]["nodeName"] for pod in await cluster.pods()]
    assert sorted(nodes) == ["worker1", "worker2"]


def _pod(name, *, age=10, node="worker1", phase="Running", ready=True, cost=None):
    created = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(seconds=age)
    annotations = {"controller.kubernetes.io/pod-deletion-cost": cost} if cost else {}
    metadata = {"name": name, "creationTimestamp": created.isoformat(), "annotations": annotations}
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {"metadata": metadata, "spec": {"nodeName": node}, "status": {"phase": phase, "conditions": conditions}}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (_pod("a", node=""), _pod("b", age=1)),
        (_pod("a", phase="Pending"), _pod("b", age=1)),
        (_pod("a", ready=False), _pod("b", age=1)),
        (_pod("a", cost="-1"), _pod("b", age=1)),
        (_pod("a", age=5), _pod("b", age=6)),
    ],
)
def test_who_is_deleted_first(first, second):
    assert [pod["metadata"]["name"] for pod in deletion_order([second, first])] == ["a", "b"]
    assert [pod["metadata"]["name"] for pod in deletion_order([first, second])] == ["a", "b"]


def test_of_pods_created_in_the_same_second_the_last_goes_first():
    pods = [_pod(name) for name in "abc"]
    assert [pod["metadata"]["name"] for pod in deletion_order(pods)] == ["c", "b", "a"]
