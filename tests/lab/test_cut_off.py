"""A host cut off: what becomes of its Node, its pods and the routes to it; and everything heals when it is joined."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.demo import ADDRESS, BACKENDS, ENVOYS, SESSIONS, demo_lab, events, is_ready, pods
from support.eventually import wait_until
from support.labs import RunningLab, calico_lab

HOST, HOST_ADDRESS = "worker2", "10.0.1.30"
ANSWER = f"curl -s -m 2 -o /dev/null -w '%{{http_code}}' -H 'Host: www.example.com' http://{ADDRESS}/round"


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with demo_lab("cut") as lab:
        yield lab


@pytest.fixture(scope="module")
def cut(lab: RunningLab) -> Iterator[RunningLab]:
    """The lab with worker2, where Envoy runs, cut off for long enough that all has come of it."""
    assert {pod["spec"]["nodeName"] for pod in pods(lab, *ENVOYS)} == {HOST}
    assert calico_lab("cut", HOST, "--name", lab.name).returncode == 0
    wait_until(lambda: sum(map(is_ready, elsewhere(pods(lab, *BACKENDS)))) == 4)
    wait_until(lambda: any(map(is_ready, elsewhere(pods(lab, *ENVOYS)))))
    yield lab
    assert calico_lab("join", HOST, "--name", lab.name).returncode == 0


def elsewhere(items: list[dict]) -> list[dict]:
    return [pod for pod in items if pod["spec"].get("nodeName") not in (HOST, None)]


def node(lab: RunningLab) -> dict:
    return lab.get("node", HOST)


def test_a_host_cut_off_for_a_moment_is_missed_by_nobody(lab: RunningLab):
    before = [pod["metadata"]["name"] for pod in pods(lab, *BACKENDS)]
    calico_lab("cut", HOST, "--name", lab.name)
    assert lab.bastion(f"ping -c 1 -W 1 {HOST_ADDRESS}").returncode != 0
    calico_lab("join", HOST, "--name", lab.name)
    wait_until(lambda: lab.bastion(ANSWER).stdout == "200")
    assert is_ready(node(lab))
    assert [pod["metadata"]["name"] for pod in pods(lab, *BACKENDS)] == before


def test_pods_are_ready_again_on_a_host_that_comes_back_before_they_are_moved(lab: RunningLab):
    before = [pod["metadata"]["name"] for pod in pods(lab, *BACKENDS)]
    calico_lab("cut", HOST, "--name", lab.name)
    wait_until(lambda: not all(map(is_ready, pods(lab, *BACKENDS))))
    calico_lab("join", HOST, "--name", lab.name)
    wait_until(lambda: is_ready(node(lab)) and not node(lab)["spec"].get("taints"))
    wait_until(lambda: all(map(is_ready, pods(lab, *BACKENDS))))
    assert [pod["metadata"]["name"] for pod in pods(lab, *BACKENDS)] == before
    wait_until(lambda: lab.bastion(ANSWER).stdout == "200")


def test_status_tells_who_is_cut_off(cut: RunningLab):
    assert f"cut off         {HOST}\n" in calico_lab("status", "--name", cut.name).stdout


def test_its_node_is_not_ready(cut: RunningLab):
    (ready,) = [each for each in node(cut)["status"]["conditions"] if each["type"] == "Ready"]
    assert (ready["status"], ready["reason"], ready["message"]) == (
        "Unknown",
        "NodeStatusUnknown",
        "Kubelet stopped posting node status.",
    )
    taints = {(taint["key"], taint["effect"]) for taint in node(cut)["spec"]["taints"]}
    assert taints == {("node.kubernetes.io/unreachable", effect) for effect in ("NoSchedule", "NoExecute")}


def test_the_address_has_moved(cut: RunningLab):
    assert HOST_ADDRESS not in cut.bastion("ip route").stdout
    wait_until(lambda: cut.bastion(ANSWER).stdout == "200")


def test_its_endpoints_are_not_ready(cut: RunningLab):
    slices = cut.get("endpointslices", "-l", "kubernetes.io/service-name=backend")["items"]
    endpoints = [endpoint for each in slices for endpoint in each["endpoints"]]
    assert not any(endpoint["conditions"]["ready"] for endpoint in endpoints if endpoint["nodeName"] == HOST)
    assert sum(endpoint["conditions"]["ready"] for endpoint in endpoints) == 4


def test_its_pods_wait_for_their_kubelet_to_end_them(cut: RunningLab):
    there = [pod for pod in cut.get("pods", *BACKENDS)["items"] if pod["spec"]["nodeName"] == HOST]
    assert there
    assert all("deletionTimestamp" in pod["metadata"] for pod in there)


def test_its_kubelet_cannot_be_reached(cut: RunningLab):
    there = next(pod for pod in cut.get("pods", *BACKENDS)["items"] if pod["spec"]["nodeName"] == HOST)
    with pytest.raises(AssertionError, match="no route to host"):
        cut.kubectl("logs", there["metadata"]["name"])


def test_events_tell(cut: RunningLab):
    assert f"Node {HOST} status is now: NodeNotReady" in events(cut, "NodeNotReady")
    assert any(
        words.startswith("Marking for deletion Pod default/backend-") for words in events(cut, "TaintManagerEviction")
    )


def test_joined_again_everything_heals(cut: RunningLab):
    calico_lab("join", HOST, "--name", cut.name)
    wait_until(lambda: is_ready(node(cut)))
    wait_until(lambda: not node(cut)["spec"].get("taints"))
    wait_until(lambda: len(cut.get("pods", *BACKENDS)["items"]) == 4)
    assert cut.bastion(SESSIONS).returncode == 0
    assert cut.bastion(ANSWER).stdout == "200"
