"""How many requests each pod got, from the pods' own logs, and which Envoy workers sent them there.

Pods appear as ``pod 1`` to ``pod n`` in the order of their names, which differ from run to run.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from calico_lab.errors import ReportError

if TYPE_CHECKING:
    import pandas as pd

    from calico_lab.bastion import Bastion
    from calico_lab.cluster import Cluster, JsonObject, Objects

BACKEND = "app=backend"
# What the echo server prints for each request that it answers, except for /health and /status/NNN.
REQUEST_LINE = "Echoing back request made to "
LOG_SECONDS = 0.15  # within which what a pod has printed stands in its log
# What nginx prints for each that it answers well; it also prints a line, without a status, for one that has to wait.
NGINX_ANSWER = ' HTTP/1.1" 200 '
# The guide's own loop: what a pod has printed, less the two lines from its start.
GUIDE_LOOP = (
    'kubectl get pods -l app=backend --no-headers -o custom-columns=":metadata.name" | while read -r pod; do '
    'echo "$pod: received $(($(kubectl logs $pod | wc -l) - 2)) requests"; done'
)


def requests_per_pod(cluster: Cluster, labels: str = BACKEND, *, line: str = REQUEST_LINE) -> pd.DataFrame:
    """Count, for each pod with these labels, the requests that its log tells of: how often it has ``line``."""
    pods = cluster.list("Pod", labels=labels)
    return _table([cluster.logs(pod["metadata"]["name"]).count(line) for pod in pods])


def added_by(cluster: Cluster, send: Callable[[], object], labels: str = BACKEND) -> pd.DataFrame:
    """Count the requests that come to each pod while ``send`` runs."""
    before = settled(cluster, labels)
    send()
    return settled(cluster, labels) - before


def settled(cluster: Cluster, labels: str = BACKEND, *, line: str = REQUEST_LINE) -> pd.DataFrame:
    """Count as :func:`requests_per_pod` does, once what has just been printed stands in the logs."""
    found = requests_per_pod(cluster, labels, line=line)
    while True:
        time.sleep(LOG_SECONDS)
        latest = requests_per_pod(cluster, labels, line=line)
        if latest.equals(found):
            return latest
        found = latest


def requests_per_pod_by_the_guide(bastion: Bastion) -> pd.DataFrame:
    """Count as the guide does: run its loop on the bastion and read what it prints."""
    return parse_guide_loop(bastion.run(GUIDE_LOOP).output)


def parse_guide_loop(text: str) -> pd.DataFrame:
    """Read lines such as ``backend-765694d47f-7plj9: received 25 requests``; raises ``ReportError`` on others."""
    matches = [re.fullmatch(r"(\S+): received (-?\d+) requests", line) for line in text.splitlines()]
    counts = {match[1]: int(match[2]) for match in matches if match}
    if not counts or len(counts) < len(matches):
        raise ReportError(f"this is not what the guide's loop prints: {text.strip()[:200]!r}", remedy=GUIDE_LOOP)
    return _table([count for _name, count in sorted(counts.items())])


def rotors(cluster: Cluster, gateway: str, namespace: str | None = None) -> int:
    """Count the worker threads of all Envoys behind a gateway: each is a rotor of its own.

    Envoy starts as many as ``--concurrency`` says, or else one for each processor of its node.
    """
    owner = namespace or cluster.kubeconfig.namespace
    labels = (
        f"gateway.envoyproxy.io/owning-gateway-name={gateway},gateway.envoyproxy.io/owning-gateway-namespace={owner}"
    )
    pods = cluster.list("Pod", labels=labels, all_namespaces=True)
    return workers_of(cluster, pods)


def workers_of(cluster: Cluster, pods: Objects) -> int:
    """Count the worker threads of these Envoys' pods, but for those that are about to end."""
    return sum(_workers(cluster, pod) for pod in pods if "deletionTimestamp" not in pod["metadata"])


def _workers(cluster: Cluster, pod: JsonObject) -> int:
    containers: Objects = pod["spec"]["containers"]
    arguments = next((container.get("args") or [] for container in containers if container["name"] == "envoy"), [])
    for option, value in zip(arguments, [*arguments[1:], ""], strict=True):
        if option == "--concurrency":
            return int(value)
        if option.startswith("--concurrency="):
            return int(option.partition("=")[2])
    node = cluster.get("Node", pod["spec"]["nodeName"])
    return int(node["status"]["capacity"]["cpu"])


def _table(counts: list[int]) -> pd.DataFrame:
    import pandas as pd

    names = [f"pod {number}" for number in range(1, len(counts) + 1)]
    return pd.DataFrame({"requests": counts}, index=pd.Index(names, name="pod"), dtype=int)
