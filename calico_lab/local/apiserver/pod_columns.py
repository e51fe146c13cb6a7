"""READY, STATUS and RESTARTS of a pod, as Kubernetes prints them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from calico_lab.local.wire import JsonObject


def ready(pod: JsonObject) -> str:
    """Return how many containers are ready, of how many; sidecars count."""
    sidecars = {container["name"] for container in _init_containers(pod) if _is_sidecar(container)}
    counted = [entry for entry in _statuses(pod, "initContainerStatuses") if entry["name"] in sidecars]
    counted += _statuses(pod, "containerStatuses")
    total = len(pod["spec"].get("containers") or ()) + len(sidecars)
    return f"{sum(1 for entry in counted if entry.get('ready'))}/{total}"


def status(pod: JsonObject) -> str:
    """Return the word that says best what a pod is doing."""
    state = pod.get("status", {})
    phase = state.get("phase", "")
    word = _initializing(pod) or _running(pod, state.get("reason") or phase)
    if "deletionTimestamp" in pod["metadata"]:
        if state.get("reason") == "NodeLost":
            return "Unknown"
        if phase not in ("Succeeded", "Failed"):
            return "Terminating"
    return word


def restarts(pod: JsonObject, age_since: Callable[[str], str]) -> str:
    """Return how often containers were started again, and when the last time was."""
    entries = _statuses(pod, "containerStatuses")
    ends = [((entry.get("lastState") or {}).get("terminated") or {}).get("finishedAt", "") for entry in entries]
    count = sum(entry.get("restartCount", 0) for entry in entries)
    last = max(ends, default="")
    return f"{count} ({age_since(last)} ago)" if count and last else str(count)


def readiness_gates(pod: JsonObject) -> str:
    """Return how many readiness gates are open, of how many."""
    gates = pod["spec"].get("readinessGates") or ()
    conditions = pod.get("status", {}).get("conditions") or ()
    true = {entry["type"] for entry in conditions if entry["status"] == "True"}
    passed = sum(1 for gate in gates if gate["conditionType"] in true)
    return f"{passed}/{len(gates)}" if gates else "<none>"


def _initializing(pod: JsonObject) -> str:
    containers = _init_containers(pod)
    by_name = {container["name"]: container for container in containers}
    for index, entry in enumerate(_statuses(pod, "initContainerStatuses")):
        state = entry.get("state") or {}
        terminated, waiting = state.get("terminated"), state.get("waiting") or {}
        if terminated is not None and terminated.get("exitCode") == 0:
            continue
        if _is_sidecar(by_name.get(entry["name"], {})) and entry.get("started"):
            continue
        if terminated is not None:
            return "Init:" + _end(terminated)
        if waiting.get("reason") not in (None, "", "PodInitializing"):
            return f"Init:{waiting['reason']}"
        return f"Init:{index}/{len(containers)}"
    return ""


def _running(pod: JsonObject, word: str) -> str:
    runs = False
    for entry in reversed(_statuses(pod, "containerStatuses")):
        state = entry.get("state") or {}
        waiting, terminated = state.get("waiting") or {}, state.get("terminated")
        if waiting.get("reason"):
            word = waiting["reason"]
        elif terminated is not None:
            word = _end(terminated)
        elif entry.get("ready") and state.get("running") is not None:
            runs = True
    if word != "Completed" or not runs:
        return word
    conditions = pod["status"].get("conditions") or ()
    is_ready = any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)
    return "Running" if is_ready else "NotReady"


def _end(terminated: JsonObject) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _init_containers(pod: JsonObject) -> list[Any]:
    return pod["spec"].get("initContainers") or []


def _statuses(pod: JsonObject, name: str) -> list[Any]:
    return pod.get("status", {}).get(name) or []


def _is_sidecar(container: JsonObject) -> bool:
    return container.get("restartPolicy") == "Always"
