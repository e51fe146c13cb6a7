"""Waiting for what the guide sleeps 60 seconds for: conditions, and an answer from the gateway.

Each shows a bar, returns an :class:`~calico_lab.cluster.Awaited`, whose text is the same in every run, and raises
``WaitTimeout``, which tells what stood in the way, after the guide's 60 seconds; or as many as
``CALICO_LAB_TIME_LIMIT`` says: a cluster that pulls images may need more.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from calico_lab import conditions
from calico_lab.bastion import Bastion
from calico_lab.cluster import Awaited, Cluster, JsonObject
from calico_lab.errors import NotFound, ReportError, WaitTimeout
from calico_lab.lessons import counts, obstacles
from calico_lab.lessons.counted import counted
from calico_lab.tools import envoy_admin, hey
from calico_lab.views import progress

TIME_LIMIT = float(os.environ.get("CALICO_LAB_TIME_LIMIT", "60"))
POLL_SECONDS = 0.1


def until(
    is_so: Callable[[], bool],
    description: str,
    *,
    remedy: str,
    time_limit: float = TIME_LIMIT,
    poll_seconds: float = POLL_SECONDS,
    in_the_way: Callable[[], str] = str,
    shown: bool = True,
) -> Awaited:
    """Wait until a question about anything is answered with yes; ``remedy`` is the command to look further with.

    ``in_the_way`` is asked at the limit, for lines that tell what stands in the way; at Jupyter's Interrupt too, which
    ends the wait. ``shown`` shows a bar.
    """
    with progress.bar(description, time_limit) if shown else progress.no_bar() as bar:
        start = time.monotonic()
        try:
            while not is_so():
                waited = time.monotonic() - start
                if waited > time_limit:
                    raise _in_vain(f"not within {time_limit:g} s: {description}", in_the_way, remedy)
                bar.waited(waited)
                time.sleep(poll_seconds)
        except KeyboardInterrupt:
            bar.failed()
            raise _in_vain(f"no longer waited for: {description}", in_the_way, remedy) from None
        except Exception:
            bar.failed()
            raise
        seconds = time.monotonic() - start
        bar.done(seconds)
    return Awaited(description, {}, seconds)


def _in_vain(problem: str, in_the_way: Callable[[], str], remedy: str) -> WaitTimeout:
    because = f"\n{lines}" if (lines := in_the_way()) else ""
    return WaitTimeout(f"{problem}{because}", remedy=remedy)


def together(*awaited: Awaited) -> progress.Together:
    """Show what has been waited for, one after the other, and how long in all."""
    return progress.Together([each.description for each in awaited], sum(each.seconds for each in awaited))


def rolled_out(cluster: Cluster, deployment: str, *, time_limit: float = TIME_LIMIT) -> Awaited:
    """Wait until every pod of a deployment is ready. Its own condition, Available, is content with three of four."""
    description = f"Deployment {deployment}: all pods are ready"
    awaited = _object(cluster, "Deployment", deployment, all_pods_ready, description, time_limit)
    pods = awaited.object["status"].get("readyReplicas", 0)
    return replace(awaited, description=f"Deployment {deployment}: {pods} of {pods} pods are ready")


def all_pods_ready(deployment: JsonObject) -> bool:
    """Whether every pod of a deployment is ready, and of its current template."""
    status = deployment.get("status") or {}
    wanted = deployment["spec"]["replicas"]
    current = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    counts = {status.get(count, 0) for count in ("replicas", "updatedReplicas", "readyReplicas")}
    return current and counts == {wanted}


def programmed(cluster: Cluster, gateway: str, *, time_limit: float = TIME_LIMIT) -> Awaited:
    """Wait until a Gateway has an address and an Envoy that runs its configuration."""
    return condition(cluster, "Gateway", gateway, "Programmed", time_limit=time_limit)


def accepted(cluster: Cluster, kind: str, name: str, *, time_limit: float = TIME_LIMIT) -> Awaited:
    """Wait until a route or policy is accepted for each of its parents."""
    return condition(cluster, kind, name, "Accepted", time_limit=time_limit)


def condition(cluster: Cluster, kind: str, name: str, kind_of: str, *, time_limit: float = TIME_LIMIT) -> Awaited:
    """Wait until an object has a condition of type ``kind_of``, and every such one is True."""

    def is_so(found: JsonObject) -> bool:
        return conditions.is_true(found, kind_of)

    return _object(cluster, kind, name, is_so, f"{kind} {name} is {kind_of}", time_limit)


def endpoints(cluster: Cluster, gateway: str, number: int, *, time_limit: float = TIME_LIMIT) -> Awaited:
    """Wait until a Gateway's Envoys send requests to so many endpoints, in all its clusters together.

    Envoy hears of a pod some moments after Kubernetes does.
    """

    def known() -> list[int]:
        configurations = [envoy.configuration() for envoy in envoy_admin.of_gateway(cluster, gateway)]
        return [sum(len(each.endpoints) for each in found.clusters) for found in configurations]

    return until(
        lambda: set(known()) == {number}, f"Envoy knows {number} endpoints", remedy="kubectl get endpointslices",
        time_limit=time_limit, in_the_way=lambda: f"  - Envoy knows {', '.join(map(str, known())) or 'nothing'}",
    )  # fmt: skip


def envoy_knows_pods(
    cluster: Cluster, gateway: str, pods: int, *, labels: str = counts.BACKEND, time_limit: float = TIME_LIMIT
) -> Awaited:
    """Wait until so many pods with these labels are ready, and a Gateway's Envoys send requests to these and no others.

    That a pod has gone, and another has come in its place, the mere number of endpoints does not tell.
    """

    def known() -> list[set[str]]:
        configurations = [envoy.configuration() for envoy in envoy_admin.of_gateway(cluster, gateway)]
        return [
            {endpoint.rpartition(":")[0] for each in found.clusters for endpoint in each.endpoints}
            for found in configurations
        ]

    def is_so() -> bool:
        wanted, found = ready_addresses(cluster, labels), known()
        return len(wanted) == pods and bool(found) and all(each == wanted for each in found)

    return until(
        is_so, f"Envoy knows the {pods} pods that are ready", remedy="kubectl get endpointslices,pods",
        time_limit=time_limit,
    )  # fmt: skip


def ready_addresses(cluster: Cluster, labels: str) -> set[str]:
    """Return the addresses of the pods with these labels that are ready, and stay."""
    found = cluster.list("Pod", labels=labels)
    stay = [pod for pod in found if "deletionTimestamp" not in pod["metadata"] and conditions.is_true(pod, "Ready")]
    return {pod["status"]["podIP"] for pod in stay}


def load_balancer(cluster: Cluster, service: str, *, time_limit: float = TIME_LIMIT) -> str:
    """Wait until a Service of type LoadBalancer has an address, and return that."""

    def addresses(found: JsonObject) -> list[JsonObject]:
        return (found["status"].get("loadBalancer") or {}).get("ingress") or []

    description = f"Service {service} has an address"
    found = _object(cluster, "Service", service, lambda it: bool(addresses(it)), description, time_limit).object
    return str(addresses(found)[0]["ip"])


def envoy_workers(
    cluster: Cluster, gateway: str, workers: int, *, time_limit: float = TIME_LIMIT, shown: bool = True
) -> Awaited:
    """Wait until a gateway's Envoys have so many worker threads together, and no Envoy of before is left."""

    def is_so() -> bool:
        pods = envoy_admin.pods_of_gateway(cluster, gateway)
        ready = all(conditions.is_true(pod, "Ready") and "deletionTimestamp" not in pod["metadata"] for pod in pods)
        # Of the same pods: one that came in between would be counted, and not known to be ready.
        return bool(pods) and ready and counts.workers_of(cluster, pods) == workers

    return until(
        is_so, f"Envoy runs with {counted(workers, 'worker')}", time_limit=time_limit, shown=shown,
        remedy=f"kubectl get pods --all-namespaces -l {envoy_admin.OWNER}-name={gateway} -o yaml",
    )  # fmt: skip


def envoy_balances(
    cluster: Cluster, gateway: str, policy: str, pods: int, *, time_limit: float = TIME_LIMIT
) -> Awaited:
    """Wait until a gateway's Envoys spread requests for routes by ``policy``, such as ``round_robin``, over ``pods``.

    It is Envoy's own configuration that is asked: the status of a policy can be a moment ahead of it.
    """
    seen = ""

    def is_so() -> bool:
        nonlocal seen
        configurations = [envoy.configuration() for envoy in envoy_admin.of_gateway(cluster, gateway)]
        clusters = [each for found in configurations for each in found.clusters if each.source is not None]
        seen = ", ".join(f"{each.policy} over {len(each.endpoints)}" for each in clusters)
        return bool(clusters) and all((each.policy, len(each.endpoints)) == (policy, pods) for each in clusters)

    return until(
        is_so, f"Envoy balances by {policy} over {pods} pods", time_limit=time_limit,
        remedy="kubectl describe backendtrafficpolicies,httproutes,endpointslices",
        in_the_way=lambda: f"  - it does so by {seen or 'nothing'}",
    )  # fmt: skip


def answers(bastion: Bastion, address: str, *, who: str = "the gateway", time_limit: float = TIME_LIMIT) -> Awaited:
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

    def in_the_way() -> str:
        route = bastion.run(f"ip route get {address}", check=False)
        return f"  - the bastion's way to it: {(route.output or route.errors).strip()}"

    return until(
        has_answered, f"{who} answers the bastion", remedy=f"ip route get {address}   on the bastion",
        time_limit=time_limit, in_the_way=in_the_way,
    )  # fmt: skip


def _object(
    cluster: Cluster,
    kind: str,
    name: str,
    is_so: Callable[[JsonObject], bool],
    description: str,
    time_limit: float,
) -> Awaited:
    last: JsonObject = {}

    def look() -> bool:
        nonlocal last
        try:
            last = cluster.get(kind, name)
        except NotFound:
            return False
        return is_so(last)

    awaited = until(
        look, description, remedy=f"kubectl describe {kind.lower()} {name}", time_limit=time_limit,
        in_the_way=partial(obstacles.about, cluster, kind, name),
    )  # fmt: skip
    return replace(awaited, object=last)
