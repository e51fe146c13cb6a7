"""Those who have seen a request on its way, and whom each of them took for whom."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from calico_lab.errors import LabError, ReportError
from calico_lab.lessons.counts import BACKEND
from calico_lab.lessons.path import Path
from calico_lab.tools import access_log

if TYPE_CHECKING:
    import pandas as pd

    from calico_lab.lab import Lab
    from calico_lab.tools.access_log import Request
    from calico_lab.tools.envoy_admin import EnvoyAdmin

# Envoy holds its access log back, for ten seconds unless it is told otherwise.
LOG_SECONDS = 15.0
_PAUSE = 0.05


def who_is(lab: Lab, address: str) -> str:
    """Return who in the lab has an address, such as ``Envoy`` or ``a node``; what nobody has stays an address.

    Not which node or pod: that may differ from run to run.
    """
    pods = lab.cluster.list("Pod", all_namespaces=True, fields=f"status.podIP={address}")
    for labels in (pod["metadata"].get("labels") or {} for pod in pods):
        name, _, value = BACKEND.partition("=")
        return "Envoy" if labels.get("app.kubernetes.io/name") == "envoy" else (
            "a pod of the backend" if labels.get(name) == value else "another pod"
        )  # fmt: skip
    nodes = [each["address"] for node in lab.cluster.list("Node") for each in node["status"].get("addresses") or ()]
    if address in nodes:
        return "a node"
    return "the bastion" if f" {address}/" in lab.bastion.run("ip -o -4 address", check=False).output else address


def logged(lab: Lab, envoy: EnvoyAdmin, path: str) -> Request:
    """Return the last request for a path in an Envoy's access log, once it stands there; raises ``ReportError``."""
    start = time.monotonic()
    while time.monotonic() - start < LOG_SECONDS:
        found = [each for each in access_log.read(lab.cluster, envoy.pod, envoy.namespace) if each.path == path]
        if found:
            return found[-1]
        time.sleep(_PAUSE)
    raise ReportError(f"Envoy's access log tells of no request for {path}", remedy="kubectl logs of Envoy's pod")


def legs(request: Request, path: Path) -> pd.DataFrame:
    """Return who speaks with whom on the way of one request, as Envoy's access log tells: ``from`` and ``to``.

    The client's ports, which are drawn at random, are left out; which pod was chosen too.
    """
    import pandas as pd

    endpoints = {pod.endpoint for pod in path.pods}
    pod = "one of the pods" if request.upstream in endpoints else request.upstream or "nobody"
    rows = {
        "the bastion asks": (path.client, path.destination),
        "Envoy is asked": (_without_port(request.client), request.received_at),
        "Envoy asks": (_without_port(request.sent_from), pod),
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["from", "to"])


def _without_port(endpoint: str) -> str:
    return endpoint.rpartition(":")[0]


def on_node(lab: Lab, node: str, command: str) -> str:
    """Return what a command prints on a node or, where the lab opens no shell there, what to do instead."""
    try:
        return lab.node(node).run(command).output.strip()
    except LabError as error:
        return str(error)
