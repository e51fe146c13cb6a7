import pytest

from calico_lab.local.kubelet.quality_of_service import qos_class
from calico_lab.local.kubelet.status import ContainerState, Sandbox, pod_phase, pod_status, terminated
from calico_lab.local.objects import condition

POD = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "backend"}]}}
CREATING = ContainerState("backend", "x")
RUNNING = ContainerState("backend", "x", {"running": {}}, started=True)
READY = ContainerState("backend", "x", {"running": {}}, ready=True, started=True)
FAILED = ContainerState("backend", "x", terminated(1, "Error", "t", "id"))
SUCCEEDED = ContainerState("backend", "x", terminated(0, "Completed", "t", "id"))
BACKING_OFF = ContainerState("backend", "x", {"waiting": {"reason": "CrashLoopBackOff"}}, FAILED.state)


def status(*containers, pod=POD, sandbox=None, time="2026-11-24T00:00:00Z"):
    return pod_status(pod, containers, sandbox or Sandbox("10.0.1.31", "10.48.1.0"), time)


@pytest.mark.parametrize(
    ("containers", "policy", "phase"),
    [
        ([CREATING], "Always", "Pending"),
        ([RUNNING, CREATING], "Always", "Pending"),
        ([RUNNING], "Always", "Running"),
        ([READY, FAILED], "Never", "Running"),
        ([BACKING_OFF], "Always", "Running"),
        ([FAILED], "Always", "Running"),
        ([FAILED], "Never", "Failed"),
        ([FAILED], "OnFailure", "Running"),
        ([SUCCEEDED], "Never", "Succeeded"),
        ([SUCCEEDED], "OnFailure", "Succeeded"),
        ([SUCCEEDED, FAILED], "Never", "Failed"),
    ],
)
def test_phase(containers, policy, phase):
    assert pod_phase({"spec": {"restartPolicy": policy}}, containers) == phase


def test_pod_that_is_ending_has_failed_or_succeeded():
    assert pod_phase(POD, [FAILED], ending=True) == "Failed"
    assert pod_phase(POD, [SUCCEEDED], ending=True) == "Succeeded"


def test_conditions_of_a_ready_pod():
    conditions = status(READY)["conditions"]
    kinds = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"]
    assert [(entry["type"], entry["status"]) for entry in conditions] == [(kind, "True") for kind in kinds]


def test_unready_containers_are_named():
    other = ContainerState("other", "x", {"running": {}}, ready=True)
    ready = condition({"status": status(RUNNING, other)}, "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "ContainersNotReady")
    assert ready["message"] == "containers with unready status: [backend]"


def test_before_the_sandbox_there_is_no_address():
    before = status(CREATING, sandbox=Sandbox("10.0.1.31"))
    assert "podIP" not in before
    assert condition({"status": before}, "PodReadyToStartContainers")["status"] == "False"


def test_addresses():
    found = status(READY)
    assert (found["podIP"], found["podIPs"]) == ("10.48.1.0", [{"ip": "10.48.1.0"}])
    assert (found["hostIP"], found["hostIPs"]) == ("10.0.1.31", [{"ip": "10.0.1.31"}])


def test_only_what_changes_gets_a_new_time():
    first = status(RUNNING, time="1")
    second = status(READY, pod=POD | {"status": first}, time="2")
    times = {entry["type"]: entry["lastTransitionTime"] for entry in second["conditions"]}
    assert (times["Ready"], times["ContainersReady"]) == ("2", "2")
    assert (times["Initialized"], times["PodScheduled"], second["startTime"]) == ("1", "1", "1")


def test_container_statuses_are_sorted_by_name():
    found = status(ContainerState("b", "x"), ContainerState("a", "y"))["containerStatuses"]
    assert [entry["name"] for entry in found] == ["a", "b"]


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([{}], "BestEffort"),
        ([{"requests": {"cpu": "100m"}}], "Burstable"),
        ([{"limits": {"cpu": "1", "memory": "1Gi"}}], "Guaranteed"),
        ([{"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}], "Burstable"),
        ([{"limits": {"cpu": "1", "memory": "1Gi"}}, {}], "Burstable"),
    ],
)
def test_quality_of_service(resources, expected):
    assert qos_class({"containers": [{"resources": entry} for entry in resources]}) == expected
