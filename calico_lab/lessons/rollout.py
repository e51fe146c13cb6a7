"""All pods of the backend are replaced, as kubectl is asked to, and the new ones waited for."""

from __future__ import annotations

import shlex

from calico_lab import conditions, kubectl
from calico_lab.cluster import Awaited
from calico_lab.lab import Lab
from calico_lab.lessons import waits
from calico_lab.lessons.counts import BACKEND

RESTART = "rollout restart deployment backend"


def replace(lab: Lab, arguments: str = RESTART) -> Awaited:
    """Have kubectl do what replaces the pods, and wait until as many new ones are ready and no old one is left.

    Raises ``WaitTimeout`` when that does not come about, ``CommandError`` with kubectl's words when it refuses.
    """
    pods = lab.cluster.list("Pod", labels=BACKEND)
    old = {pod["metadata"]["name"] for pod in pods}
    wanted = sum("deletionTimestamp" not in pod["metadata"] for pod in pods)
    kubectl.run(lab.kubeconfig, *shlex.split(arguments), time_limit=waits.TIME_LIMIT)

    def is_done() -> bool:
        found = lab.cluster.list("Pod", labels=BACKEND)
        ready = [pod for pod in found if conditions.is_true(pod, "Ready")]
        return len(found) == len(ready) == wanted and not old & {pod["metadata"]["name"] for pod in found}

    return waits.until(
        is_done, f"{wanted} pods of the backend are new", remedy=f"kubectl get pods -l {BACKEND}", shown=False
    )
