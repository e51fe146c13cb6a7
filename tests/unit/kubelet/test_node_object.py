import platform

from calico_lab.local.kubelet.node import node
from calico_lab.local.objects import condition
from calico_lab.local.topology import CONTROL1, KUBERNETES_VERSION, WORKER1

TIME = "2026-11-24T00:00:00Z"


def test_worker():
    found = node(WORKER1, TIME)
    assert found["metadata"]["labels"]["kubernetes.io/hostname"] == "worker1"
    assert found["spec"] == {}
    assert found["status"]["addresses"] == [
        {"type": "InternalIP", "address": "10.0.1.31"},
        {"type": "Hostname", "address": "worker1"},
    ]


def test_control_plane_has_its_label_and_its_taint():
    found = node(CONTROL1, TIME)
    role = "node-role.kubernetes.io/control-plane"
    assert found["metadata"]["labels"][role] == ""
    assert found["spec"]["taints"] == [{"key": role, "effect": "NoSchedule"}]


def test_ready_in_the_words_of_a_kubelet():
    ready = condition(node(WORKER1, TIME), "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "KubeletReady")
    assert ready["message"] == "kubelet is posting ready status"


def test_tells_what_the_machine_is():
    status = node(WORKER1, TIME)["status"]
    assert status["nodeInfo"]["kubeletVersion"] == KUBERNETES_VERSION
    assert status["nodeInfo"]["kernelVersion"] == platform.release()
    assert int(status["capacity"]["memory"].removesuffix("Ki")) > 100_000
