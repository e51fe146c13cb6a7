"""Requests that carry a number in their path, such as ``/round/3f9c1a2b/17``: by it the pods' logs tell them apart.

A pod prints the path of every request that it answers. So numbers say in which order requests came, or in which run of
several, exactly and in any cluster, where the times in the logs are those at which a node read them.
"""

from __future__ import annotations

import re
import secrets

from calico_lab.cluster import Cluster
from calico_lab.lessons import waits
from calico_lab.lessons.counts import BACKEND, REQUEST_LINE

TIME_LIMIT = 10.0  # within which a node has read what a pod has printed


def new_path() -> str:
    """Return a path below that of the guide's route, under which nobody has asked for anything yet."""
    return f"/round/{secrets.token_hex(4)}"


def command(path: str, address: str, numbers: int, load: str = "-n 1 -c 1") -> str:
    """Return the shell command that runs hey for each number in turn, each with connections of its own."""
    target = f'-host "www.example.com" http://{address}{path}/$number'
    return f"for number in $(seq {numbers}); do hey {load} {target} > /dev/null; done"


def found(cluster: Cluster, path: str, requests: int, labels: str = BACKEND) -> list[tuple[int, int]]:
    """Return the number and the pod (1 for the first by name) of each request that the logs tell of, by number.

    Waits until there are ``requests`` of them; raises ``WaitTimeout`` when that does not come about.
    """
    pods = [pod["metadata"]["name"] for pod in cluster.list("Pod", labels=labels)]
    pattern = re.compile(rf"{re.escape(REQUEST_LINE)}{re.escape(path)}/(\d+) ")
    pairs: list[tuple[int, int]] = []

    def is_complete() -> bool:
        logs = [(pod, cluster.logs(name)) for pod, name in enumerate(pods, 1)]
        pairs[:] = sorted((int(number), pod) for pod, log in logs for number in pattern.findall(log))
        return len(pairs) >= requests

    waits.until(
        is_complete, f"the pods' logs tell of {requests} requests for {path}", remedy="kubectl logs -l app=backend",
        time_limit=TIME_LIMIT, in_the_way=lambda: f"  - they tell of {len(pairs)}", shown=False,
    )  # fmt: skip
    return pairs
