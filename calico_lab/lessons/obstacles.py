"""What stands in the way of an object's being as wanted: its conditions, its pods, and the warnings about them."""

from __future__ import annotations

from collections.abc import Iterator

from calico_lab import conditions
from calico_lab.cluster import Cluster, JsonObject
from calico_lab.errors import ApiError, NotFound

WARNINGS_SHOWN = 3


def about(cluster: Cluster, kind: str, name: str) -> str:
    """Return, in lines for an error's text, what an object's status, its pods and its events say against it."""
    try:
        found = cluster.get(kind, name)
        lines = list(_of_object(cluster, kind, found))
    except NotFound:
        lines = [f"{kind} {name} does not exist"]
    except ApiError as error:
        lines = [str(error)]
    return "\n".join(f"  - {line}" for line in lines)


def _of_object(cluster: Cluster, kind: str, found: JsonObject) -> Iterator[str]:
    name = found["metadata"]["name"]
    yield from _conditions(kind, name, found)
    yield from _warnings(cluster, kind, name)
    selector = (found["spec"].get("selector") or {}).get("matchLabels") if kind == "Deployment" else None
    if selector:
        pods = cluster.list("Pod", labels=",".join(f"{key}={value}" for key, value in selector.items()))
        yield f"{len(pods)} of {found['spec']['replicas']} pods exist"
        for pod in pods:
            yield from _of_pod(cluster, pod)


def _conditions(kind: str, name: str, found: JsonObject) -> Iterator[str]:
    listed = list(conditions.of(found))
    if not listed:
        yield f"{kind} {name} has no condition in its status: no controller has taken it up"
    for entry in listed:
        if entry["status"] != "True":
            reason, message = entry.get("reason", ""), entry.get("message", "")
            yield f"{kind} {name}: {entry['type']} is {entry['status']} ({reason}) {message}".rstrip()


def _of_pod(cluster: Cluster, pod: JsonObject) -> Iterator[str]:
    name = pod["metadata"]["name"]
    if conditions.is_true(pod, "Ready"):
        return
    states = [status.get("state", {}) for status in pod["status"].get("containerStatuses") or ()]
    why = [f"{state['waiting'].get('reason', '')}" for state in states if "waiting" in state]
    yield f"Pod {name} is {pod['status'].get('phase', 'Pending')} and not ready{': ' * bool(why)}{', '.join(why)}"
    yield from _warnings(cluster, "Pod", name)


def _warnings(cluster: Cluster, kind: str, name: str) -> Iterator[str]:
    warnings = [event for event in cluster.events(kind, name) if event.get("type") == "Warning"]
    for event in warnings[-WARNINGS_SHOWN:]:
        yield f"{kind} {name}: {event['reason']}: {event.get('message', '')}"
