"""A pod that fails, and what a BackendTrafficPolicy does about it: retries, timeouts, health checks, a circuit breaker.

The policy is the guide's. What it asks for and what Envoy works by are read into the same :class:`Settings`, so that
the two can be compared. What the fields are, and what stands for those that a policy leaves out:
https://gateway.envoyproxy.io/docs/api/extension_types/#backendtrafficpolicyspec
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import yaml

from calico_lab import kubectl
from calico_lab.lessons import waits
from calico_lab.lessons.counts import BACKEND
from calico_lab.lessons.durations import seconds
from calico_lab.lessons.steps import GATEWAY, gateway_address, manifest
from calico_lab.tools import access_log, envoy_admin, hey

if TYPE_CHECKING:
    import pandas as pd

    from calico_lab.cluster import Awaited
    from calico_lab.lab import Lab
    from calico_lab.tools.envoy_admin import EnvoyAdmin

JsonObject = dict[str, Any]

KIND, POLICY, ROUTE = "BackendTrafficPolicy", "round-robin-policy", "round-robin-route"
FAILING = "shaky"  # the Deployment of the pod that fails
PODS = 4
MOODS = ("well", "broken", "slow", "gone")
OK = 200
TIME_LIMIT = 30.0


def join(lab: Lab) -> Awaited:
    """Put the pod that fails in the place of one of the guide's four, well for now, and wait until Envoy has it."""
    lab.cluster.apply(manifest("failing/shaky"))
    kubectl.run(lab.kubeconfig, "scale", "deployment", "backend", f"--replicas={PODS - 1}", time_limit=TIME_LIMIT)
    waits.rolled_out(lab.cluster, FAILING)
    return waits.envoy_balances(lab.cluster, GATEWAY, "round_robin", pods=PODS)


def mood(lab: Lab, name: str) -> None:
    """Make the pod ``well``, ``broken`` (it answers 503), ``slow`` (2 s) or ``gone`` (it hangs up), from now on.

    Raises ``ValueError`` for another mood.
    """
    if name not in MOODS:
        raise ValueError(f"there is no mood {name!r}: {', '.join(MOODS)}")
    files = " ".join(f"/tmp/{each}" for each in MOODS[1:])  # noqa: S108  in the pod, which is its own
    command = f"rm -f {files}" + ("" if name == "well" else f" && touch /tmp/{name}")
    kubectl.run(
        lab.kubeconfig, "exec", f"deployment/{FAILING}", "-c", "nginx", "--", "sh", "-c", command, time_limit=TIME_LIMIT
    )


@dataclass(frozen=True)
class Settings:
    """What is asked for against failure; None stands for what is not asked for. Times are in seconds.

    A retry is ``on`` the triggers, sorted; ``failures`` in a row eject a pod, of which ``ejected`` percent at most are
    left out at once; ``asks`` is the path of the active health check; ``parallel`` requests are under way at most.
    """

    retries: int | None = None
    on: str | None = None
    try_seconds: float | None = None
    request_seconds: float | None = None
    failures: int | None = None
    ejected: int | None = None
    asks: str | None = None
    panic: int | None = None
    parallel: int | None = None

    def __str__(self) -> str:
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        return ", ".join(f"{name} {value}" for name, value in told.items() if value is not None) or "nothing"


def asked_for(spec: JsonObject) -> Settings:
    """Return what a policy's ``spec`` asks for, with what Envoy Gateway puts in for what is left out."""
    retry, check = spec.get("retry"), spec.get("healthCheck") or {}
    passive, active = check.get("passive"), check.get("active") or {}
    retry_on = (retry or {}).get("retryOn") or {}
    triggers = retry_on.get("triggers") or _DEFAULT_TRIGGERS
    return Settings(
        retries=None if retry is None else retry.get("numRetries", 2),
        on=None if retry is None else _sorted(triggers),
        try_seconds=seconds(((retry or {}).get("perRetry") or {}).get("timeout")),
        request_seconds=seconds(((spec.get("timeout") or {}).get("http") or {}).get("requestTimeout")),
        failures=None if passive is None else passive.get("consecutive5XxErrors", 5),
        ejected=None if passive is None else passive.get("maxEjectionPercent", 10),
        asks=(active.get("http") or {}).get("path"),
        panic=_unless(check.get("panicThreshold"), 50),
        parallel=_unless((spec.get("circuitBreaker") or {}).get("maxParallelRequests"), 1024),
    )


_DEFAULT_TRIGGERS = ("connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes")


def _sorted(triggers: Iterable[str]) -> str:
    """Return what a retry is for; the order in which it stands there means nothing."""
    return ", ".join(sorted(triggers))


def _unless(value: int | None, default: int) -> int | None:
    """Return a value, or None where it is Envoy's own default."""
    return None if value == default else value


def in_envoy(lab: Lab) -> Settings | None:
    """Return what the first Envoy of the guide's Gateway does for the guide's route; None where it has no route."""
    configuration = envoy(lab).configuration()
    namespace = lab.cluster.kubeconfig.namespace
    routes = configuration.routes_from("HTTPRoute", ROUTE, namespace)
    clusters = configuration.clusters_from("HTTPRoute", ROUTE, namespace)
    if not routes or not clusters:
        return None
    return read(routes[0].content.get("route", {}), clusters[0].content)


def read(action: JsonObject, cluster: JsonObject) -> Settings:
    """Read Envoy's own RouteAction and Cluster."""
    retry, passive = action.get("retry_policy") or {}, cluster.get("outlier_detection") or {}
    (check, *_) = cluster.get("health_checks") or [{}]
    (limits, *_) = (cluster.get("circuit_breakers") or {}).get("thresholds") or [{}]
    threshold = (cluster.get("common_lb_config") or {}).get("healthy_panic_threshold")
    return Settings(
        retries=retry.get("num_retries"),
        on=_sorted(retry["retry_on"].split(",")) if "retry_on" in retry else None,
        try_seconds=seconds(retry.get("per_try_timeout")),
        request_seconds=seconds(action.get("timeout")),
        failures=passive.get("consecutive_5xx"),
        ejected=passive.get("max_ejection_percent"),
        asks=(check.get("http_health_check") or {}).get("path"),
        panic=None if threshold is None else _unless(int(threshold.get("value", 0)), 50),
        parallel=_unless(limits.get("max_requests"), 1024),
    )


def envoy(lab: Lab) -> EnvoyAdmin:
    """Return the admin page of the first Envoy of the guide's Gateway."""
    (first, *_) = envoy_admin.of_gateway(lab.cluster, GATEWAY)
    return first


def in_force(lab: Lab) -> Awaited:
    """Wait until Envoy does against failure what the policy asks for; pods to be asked first have been asked then."""
    wanted = asked_for(lab.cluster.get(KIND, POLICY)["spec"])
    return waits.until(
        lambda: in_envoy(lab) == wanted, "Envoy works by the policy", remedy=f"calico-lab envoy {KIND} {POLICY}",
        in_the_way=lambda: f"  - asked for: {wanted}\n  - in Envoy: {in_envoy(lab)}",
    )  # fmt: skip


def give(lab: Lab, settings: str) -> Awaited:
    """Give the guide's policy these settings, YAML of its ``spec``, in the place of those before; wait for Envoy."""
    policy = next(each for each in yaml.safe_load_all(manifest("route")) if each["kind"] == KIND)
    policy["spec"] |= yaml.safe_load(settings) or {}
    lab.cluster.apply(yaml.safe_dump(policy))
    return in_force(lab)


@dataclass(frozen=True, repr=False)
class Outcome:
    """What became of ``sent`` requests.

    ``answers`` has a row for each that got one, as :func:`calico_lab.tools.hey.parse_csv` returns them. ``tries`` is
    how often the pod that fails was asked, retries among them.
    """

    sent: int
    answers: pd.DataFrame
    tries: int

    @property
    def statuses(self) -> Mapping[int, int]:
        """How many answers had which status."""
        return Counter(int(status) for status in self.answers[hey.STATUS])

    @property
    def served(self) -> int:
        """How many requests were answered with status 200."""
        return self.statuses.get(OK, 0)

    @property
    def failed(self) -> int:
        """How many were not."""
        return self.sent - self.served

    @property
    def slowest(self) -> float:
        """How long the slowest answer took, in seconds."""
        return float(self.answers[hey.SECONDS].max())

    def __repr__(self) -> str:
        parts = [f"{self.served} served"]
        parts += [f"{count} got status {status}" for status, count in sorted(self.statuses.items()) if status != OK]
        parts += [f"{lost} got no answer"] if (lost := self.sent - len(self.answers)) else []
        return f"{self.sent} requests: {', '.join(parts)}"


def send(lab: Lab, requests: int = 100, *, connections: int = 1, rate: int = 0, path: str = "/round") -> Outcome:
    """Send requests to the guide's gateway from the bastion, ``rate`` a second over each connection; 0 is no limit."""
    address = gateway_address(lab)
    options = f"-n {requests} -c {connections} -q {rate} -t 20 -o csv -host www.example.com"
    before = tries(lab)
    printed = lab.bastion.run(f"hey {options} 'http://{address}{path}'").output
    return Outcome(hey.requests_sent(requests, connections), hey.parse_csv(printed), tries(lab) - before)


def tries(lab: Lab) -> int:
    """Return how often Envoy has asked the pod that fails, since its cluster is as it is."""
    addresses = {pod["status"].get("podIP") for pod in lab.cluster.list("Pod", labels=f"{BACKEND},version={FAILING}")}
    asked = envoy(lab).clusters()
    hosts = asked["endpoint"].str.rpartition(":")[0]
    return int(asked["requests"][hosts.isin(addresses)].sum())


def statistic(lab: Lab, name: str) -> int:
    """Return one of Envoy's statistics of the guide's route, such as ``upstream_rq_retry``; 0 where it has none.

    They are told at https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats
    """
    return int(envoy(lab).stats(rf"^cluster\.httproute/[^.]*/{ROUTE}/.*\.{re.escape(name)}$").sum())


def accounts(lab: Lab, path: str, requests: int) -> pd.DataFrame:
    """Count how requests for a path ended, as Envoy's access log tells: by ``status``, ``flags`` and ``details``.

    Waits until so many requests stand there: Envoy holds its log back, for ten seconds unless it is told otherwise.
    What flags and details mean: https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage
    """
    import pandas as pd

    proxy = envoy(lab)
    found: list[access_log.Request] = []

    def are_logged() -> bool:
        found[:] = [each for each in access_log.read(lab.cluster, proxy.pod, proxy.namespace) if each.path == path]
        return len(found) >= requests

    remedy = f"kubectl logs -n {proxy.namespace} {proxy.pod} -c {access_log.CONTAINER}"
    waits.until(are_logged, f"Envoy's log tells of {requests} requests for {path}", remedy=remedy, shown=False)
    counted = Counter((each.status, each.flags, each.details) for each in found)
    rows = [(*how, number) for how, number in sorted(counted.items())]
    return pd.DataFrame(rows, columns=["status", "flags", "details", "requests"]).set_index("status")
