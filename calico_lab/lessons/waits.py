"""Waiting for what the guide sleeps 60 seconds for: conditions, and an answer from the gateway.

Each returns an :class:`~calico_lab.cluster.Awaited`, whose text is the same in every run, and raises ``WaitTimeout``
after the guide's 60 seconds, or as many as ``CALICO_LAB_TIME_LIMIT`` says: a cluster that pulls images may need more.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace

from calico_lab.bastion import Bastion
from calico_lab.cluster import Awaited, Cluster, JsonObject
from calico_lab.errors import ReportError, WaitTimeout
from calico_lab.tools import hey

TIME_LIMIT = float(os.environ.get("CALICO_LAB_TIME_LIMIT", "60"))
POLL_SECONDS = 0.1


def until(
    is_so: Callable[[], bool],
    description: str,
    *,
    remedy: str,
    time_limit: float = TIME_LIMIT,
    poll_seconds: float = POLL_SECONDS,
) -> Awaited:
    """Wait until a question about anything is answered with yes; ``remedy`` is the command to look further with."""
    start = time.monotonic()
    while not is_so():
        if time.monotonic() - start > time_limit:
            raise WaitTimeout(f"not within {time_limit:g} s: {description}", remedy=remedy)
        time.sleep(poll_seconds)
    return Awaited(description, {}, time.monotonic() - start)


def rolled_out(cluster: Cluster, deployment: str, *, time_limit: float = TIME_LIMIT) -> Awaited:
    """Wait until every pod of a deployment is ready. Its own condition, Available, is content with three of four."""
    awaited = cluster.wait(
        "Deployment", deployment, _all_pods_ready, description=f"Deployment {deployment}: all pods are ready",
        time_limit=time_limit,
    )  # fmt: skip
    pods = awaited.object["status"]["readyReplicas"]
    return replace(awaited, description=f"Deployment {deployment}: {pods} of {pods} pods are ready")


def _all_pods_ready(deployment: JsonObject) -> bool:
    status = deployment.get("status") or {}
    wanted = deployment["spec"]["replicas"]
    current = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    counts = {status.get(count, 0) for count in ("replicas", "updatedReplicas", "readyReplicas")}
    return current and counts == {wanted}


def programmed(cluster: Cluster, gateway: str, *, time_limit: float = TIME_LIMIT) -> Awaited:
    """Wait until a Gateway has an address and an Envoy that runs its configuration."""
    return cluster.wait("Gateway", gateway, "Programmed", time_limit=time_limit)


def accepted(cluster: Cluster, kind: str, name: str, *, time_limit: float = TIME_LIMIT) -> Awaited:
    """Wait until a route or policy is accepted for each of its parents."""
    return cluster.wait(kind, name, "Accepted", time_limit=time_limit)


def answers(bastion: Bastion, address: str, *, time_limit: float = TIME_LIMIT) -> Awaited:
    """Wait until the gateway answers the bastion: there is a way to it, and an Envoy at its end.

    Asks for ``/`` of no particular host, which no route of the guide serves: Envoy says 404 by itself, and no pod
    counts a request.
    """

    def has_answered() -> bool:
        printed = bastion.run(f"hey -n 1 -c 1 -t 1 http://{address}/", check=False).output
        try:
            return bool(hey.parse(printed).statuses)
        except ReportError:
            return False

    return until(
        has_answered, "the gateway answers the bastion", remedy=f"ip route get {address}   on the bastion",
        time_limit=time_limit,
    )  # fmt: skip
