"""A pod's status as a pure function of what the kubelet knows of its containers.

The rules are those of Kubernetes' kubelet (pkg/kubelet/kubelet_pods.go, pkg/kubelet/status/generate.go) and
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from calico_lab.local.kubelet.quality_of_service import qos_class
from calico_lab.local.objects import condition, now
from calico_lab.local.wire import JsonObject

CREATING: JsonObject = {"waiting": {"reason": "ContainerCreating"}}
INITIALIZING: JsonObject = {"waiting": {"reason": "PodInitializing"}}


@dataclass
class ContainerState:
    """What the kubelet knows of one container. ``state`` and ``last_state`` are as in the API's ContainerStatus."""

    name: str
    image: str
    state: JsonObject = field(default_factory=lambda: dict(CREATING))
    last_state: JsonObject = field(default_factory=dict)
    container_id: str = ""
    ready: bool = False
    started: bool = False
    restart_count: int = 0

    @property
    def succeeded(self) -> bool:
        """Whether the container has ended, and well."""
        return bool((self.state.get("terminated") or {}).get("exitCode") == 0)

    def as_status(self) -> JsonObject:
        """Return the ContainerStatus."""
        return {
            "name": self.name,
            "image": self.image,
            "imageID": self.image if self.container_id else "",
            "state": self.state,
            "lastState": self.last_state,
            "ready": self.ready,
            "started": self.started,
            "restartCount": self.restart_count,
        } | ({"containerID": self.container_id} if self.container_id else {})


@dataclass(frozen=True)
class Sandbox:
    """Where a pod runs; ``pod_address`` is empty until the pod has its network."""

    host_address: str
    pod_address: str = ""
    ending: bool = False


def pod_status(
    pod: JsonObject,
    containers: Sequence[ContainerState],
    sandbox: Sandbox,
    time: str,
    init_containers: Sequence[ContainerState] = (),
) -> JsonObject:
    """Return the status of a pod; the times of conditions that did not change are kept from the pod's last status."""
    phase = pod_phase(pod, containers, ending=sandbox.ending, init_containers=init_containers)
    status: JsonObject = {
        "phase": phase,
        "conditions": _conditions(pod, phase, containers, sandbox, time, init_containers),
        "hostIP": sandbox.host_address,
        "hostIPs": [{"ip": sandbox.host_address}],
        "startTime": pod.get("status", {}).get("startTime", time),
        "containerStatuses": [entry.as_status() for entry in sorted(containers, key=lambda entry: entry.name)],
        "qosClass": qos_class(pod["spec"]),
    }
    if init_containers:
        status["initContainerStatuses"] = [entry.as_status() | {"ready": entry.succeeded} for entry in init_containers]
    if sandbox.pod_address:
        status |= {"podIP": sandbox.pod_address, "podIPs": [{"ip": sandbox.pod_address}]}
    return status


def pod_phase(
    pod: JsonObject,
    containers: Sequence[ContainerState],
    *,
    ending: bool = False,
    init_containers: Sequence[ContainerState] = (),
) -> str:
    """Return Pending, Running, Succeeded or Failed."""
    unfinished = [entry for entry in init_containers if not entry.succeeded]
    if unfinished:
        hopeless = ending or pod["spec"].get("restartPolicy", "Always") == "Never"
        return "Failed" if hopeless and any("terminated" in entry.state for entry in unfinished) else "Pending"
    if any("waiting" in entry.state and not entry.last_state for entry in containers):
        return "Pending"
    if any("running" in entry.state for entry in containers):
        return "Running"
    policy = pod["spec"].get("restartPolicy", "Always")
    if policy == "Always" and not ending:
        return "Running"
    failed = any((entry.state.get("terminated") or {}).get("exitCode", 1) != 0 for entry in containers)
    if failed:
        return "Failed" if policy == "Never" or ending else "Running"
    return "Succeeded"


def terminated(exit_code: int, reason: str, started: str, container_id: str, message: str = "") -> JsonObject:
    """Return the state of a container that has just ended."""
    times = {"startedAt": started, "finishedAt": now()}
    words = {"message": message} if message else {}
    return {"terminated": {"exitCode": exit_code, "reason": reason, **words, **times, "containerID": container_id}}


def _conditions(
    pod: JsonObject,
    phase: str,
    containers: Sequence[ContainerState],
    sandbox: Sandbox,
    time: str,
    init_containers: Sequence[ContainerState],
) -> list[JsonObject]:
    unready = [entry.name for entry in containers if not entry.ready]
    readiness: JsonObject = {"status": "True"}
    if phase == "Succeeded":
        readiness = {"status": "False", "reason": "PodCompleted"}
    elif phase == "Failed":
        readiness = {"status": "False", "reason": "PodFailed"}
    elif unready:
        message = f"containers with unready status: [{' '.join(unready)}]"
        readiness = {"status": "False", "reason": "ContainersNotReady", "message": message}
    incomplete = [entry.name for entry in init_containers if not entry.succeeded]
    initialized: JsonObject = {"status": "True"}
    if incomplete and phase != "Succeeded":
        message = f"containers with incomplete status: [{' '.join(incomplete)}]"
        initialized = {"status": "False", "reason": "ContainersNotInitialized", "message": message}
    conditions = {
        "PodReadyToStartContainers": {"status": "True" if sandbox.pod_address and not sandbox.ending else "False"},
        "Initialized": initialized,
        "Ready": readiness,
        "ContainersReady": readiness,
        "PodScheduled": {"status": "True"},
    }
    return [
        {"type": kind, "lastTransitionTime": _since(pod, kind, value["status"], time)} | value
        for kind, value in conditions.items()
    ]


def _since(pod: JsonObject, kind: str, value: str, time: str) -> str:
    before = condition(pod, kind)
    return str(before.get("lastTransitionTime") or time) if before.get("status") == value else time
