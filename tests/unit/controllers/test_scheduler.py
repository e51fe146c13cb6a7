from collections import Counter

import pytest
from support.eventually import eventually

from calico_lab.local.controllers.scheduler import tolerates
from calico_lab.local.resources import NODES, PODS

TAINT = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}


async def run(cluster, name="p", **spec):
    await cluster.apply(PODS, name, spec={"containers": [{"name": "c", "image": "one"}], **spec})


async def bound(cluster, name="p"):
    async def so():
        return "nodeName" in (await cluster.get(PODS, name))["spec"]

    await eventually(so)
    return (await cluster.get(PODS, name))["spec"]["nodeName"]


async def unschedulable(cluster, name="p"):
    async def so():
        return bool(await cluster.events("FailedScheduling"))

    await eventually(so)
    return (await cluster.events("FailedScheduling"))[-1]


async def test_four_pods_are_spread_two_and_two_over_the_workers(cluster):
    await cluster.deploy(replicas=4)
    await cluster.ready(4)
    assert Counter(pod["spec"]["nodeName"] for pod in await cluster.pods()) == {"worker1": 2, "worker2": 2}


async def test_pods_of_one_owner_are_spread_even_where_other_pods_weigh(cluster):
    for name in "abc":
        await run(cluster, name, nodeName="worker2")
    await cluster.deploy(replicas=2)
    await cluster.ready(2, app="backend")
    nodes = [pod["spec"]["nodeName"] for pod in await cluster.pods(app="backend")]
    assert sorted(nodes) == ["worker1", "worker2"]


async def test_the_emptier_node_takes_a_lone_pod(cluster):
    await run(cluster, "a")
    assert await bound(cluster, "a") == "worker1"
    await run(cluster, "b")
    assert await bound(cluster, "b") == "worker2"


async def test_pods_made_all_at_once_are_spread_too(cluster):
    for name in "abcd":
        await run(cluster, name)
    assert Counter([await bound(cluster, name) for name in "abcd"]) == {"worker1": 2, "worker2": 2}


async def test_a_cordoned_node_gets_nothing(cluster):
    await cluster.change(NODES, "worker1", {"spec": {"unschedulable": True}})
    await cluster.deploy(replicas=3)
    await cluster.ready(3)
    assert {pod["spec"]["nodeName"] for pod in await cluster.pods()} == {"worker2"}


async def test_a_node_that_is_not_ready_gets_nothing(cluster):
    condition = {"type": "Ready", "status": "Unknown"}
    await cluster.client.patch(NODES, "worker1", "", {"status": {"conditions": [condition]}}, subresource="status")
    await run(cluster)
    assert await bound(cluster) == "worker2"


async def test_a_node_selector_is_honoured(cluster):
    await run(cluster, nodeSelector={"kubernetes.io/hostname": "worker2"})
    assert await bound(cluster) == "worker2"


async def test_a_toleration_lets_a_pod_onto_the_control_plane(cluster):
    selector = {"kubernetes.io/hostname": "control1"}
    await run(cluster, nodeSelector=selector, tolerations=[{"key": TAINT["key"], "operator": "Exists"}])
    assert await bound(cluster) == "control1"


async def test_binding_is_an_event(cluster):
    await run(cluster)
    await bound(cluster)

    async def told():
        return await cluster.events("Scheduled") == ["Successfully assigned default/p to worker1"]

    await eventually(told)


async def test_why_no_node_fits_is_said_and_mended_by_uncordoning(cluster):
    for node in ("worker1", "worker2"):
        await cluster.change(NODES, node, {"spec": {"unschedulable": True}})
    await run(cluster)
    assert await unschedulable(cluster) == (
        "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, "
        "2 node(s) were unschedulable."
    )
    condition = (await cluster.status("p", PODS))["conditions"][0]
    assert (condition["type"], condition["status"], condition["reason"]) == ("PodScheduled", "False", "Unschedulable")
    await cluster.change(NODES, "worker2", {"spec": {"unschedulable": None}})
    assert await bound(cluster) == "worker2"


async def test_a_pod_that_waits_is_scheduled_when_its_node_appears(cluster):
    await run(cluster, nodeSelector={"kubernetes.io/hostname": "worker3"})
    assert "didn't match Pod's node affinity/selector" in await unschedulable(cluster)
    await cluster.add_node("worker3")
    assert await bound(cluster) == "worker3"


async def test_other_schedulers_pods_are_left_alone(cluster):
    await run(cluster, "theirs", schedulerName="mine")
    await run(cluster, "ours")
    await bound(cluster, "ours")
    assert "nodeName" not in (await cluster.get(PODS, "theirs"))["spec"]


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "k", "operator": "Exists"}, True),
        ({"key": "k", "value": "v"}, True),
        ({"key": "k", "value": "other"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "k", "value": "v", "effect": "NoExecute"}, False),
        ({"key": "k", "value": "v", "effect": "NoSchedule"}, True),
    ],
)
def test_tolerations(toleration, expected):
    assert tolerates(toleration, {"key": "k", "value": "v", "effect": "NoSchedule"}) is expected
