"""The class of service that a pod's requests and limits amount to."""

from __future__ import annotations

from calico_lab.local.wire import JsonObject


def qos_class(spec: JsonObject) -> str:
    """Return Guaranteed, Burstable or BestEffort.

    The rules: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/.
    """
    resources = [container.get("resources") or {} for container in spec["containers"]]
    asked = [{kind: values.get(kind) or {} for kind in ("requests", "limits")} for values in resources]
    if not any(values["requests"] or values["limits"] for values in asked):
        return "BestEffort"
    for values in asked:
        limits = values["limits"]
        requests = limits | values["requests"]
        if not all(limits.get(name) and requests[name] == limits[name] for name in ("cpu", "memory")):
            return "Burstable"
    return "Guaranteed"
