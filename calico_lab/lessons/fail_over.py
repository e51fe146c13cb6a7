"""Two sites behind one route, the second of which is asked when the first is not well: what users get meanwhile.

The sites are objects of the kind Backend, one of them with ``fallback: true``:
https://gateway.envoyproxy.io/docs/tasks/traffic/failover/
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING, Any

from calico_lab import kubectl
from calico_lab.lessons import waits
from calico_lab.lessons.resilience import envoy
from calico_lab.lessons.steps import gateway_address, manifest
from calico_lab.tools import access_log, hey

if TYPE_CHECKING:
    import pandas as pd

    from calico_lab.cluster import Awaited
    from calico_lab.lab import Lab
    from calico_lab.tools.envoy_admin import EnvoyCluster
    from calico_lab.views.progress import Together

JsonObject = dict[str, Any]

ROUTE = POLICY = "site"
FIRST, SECOND = SITES = ("site", "apology")  # each a Deployment, a Service and a Backend
HOST = "www.example.com"
NOBODY = "nobody"
OK = 200
KUBECTL_SECONDS = 30.0
TIME_LIMIT = 90.0  # a cluster that has had no request so far is checked only once a minute
_OTHER_LINES = 100  # of other paths in the log, among those of a load
_ENOUGH = 24  # requests after which it is no chance that one site has answered all
# A load in parts, of a third of a second each: so it can end soon when it is to end.
PART, CONNECTIONS, RATE = 60, 4, 50
CALM = 220  # requests before the first site fails: Envoy tells its workers of one change a second


def open_sites(lab: Lab) -> Together:
    """Start the two sites, and wait until their pods are ready."""
    lab.cluster.apply(manifest("fail-over/sites"))
    return waits.together(*(waits.rolled_out(lab.cluster, site) for site in SITES))


def fail(lab: Lab) -> None:
    """Let the first site answer 503 to everything, from now on."""
    _run_in_site(lab, "touch /tmp/broken")


def mend(lab: Lab) -> None:
    """Let the first site answer well again."""
    _run_in_site(lab, "rm -f /tmp/broken")


def _run_in_site(lab: Lab, command: str) -> None:
    kubectl.run(
        lab.kubeconfig, "exec", f"deployment/{FIRST}", "--", "sh", "-c", command, time_limit=KUBECTL_SECONDS
    )  # fmt: skip


def cluster(lab: Lab) -> EnvoyCluster | None:
    """Return the cluster that the first rule of the route made in Envoy, or None."""
    found = envoy(lab).configuration().clusters_from("HTTPRoute", ROUTE, lab.cluster.kubeconfig.namespace)
    return found[0] if found else None


def priorities(found: EnvoyCluster | None) -> list[int]:
    """Return the priority of each backend of a cluster, in the order of the backendRefs: 0 is asked first."""
    return [int(each.get("priority", 0)) for each in found.localities] if found else []


def is_watched(found: EnvoyCluster | None) -> bool:
    """Whether a cluster has health checks of either kind."""
    return bool(found and ("health_checks" in found.content or "outlier_detection" in found.content))


def asks_elsewhere(lab: Lab) -> bool:
    """Whether Envoy's retries of the route's requests go to the other priority after one try."""
    routes = envoy(lab).configuration().routes_from("HTTPRoute", ROUTE, lab.cluster.kubeconfig.namespace)
    policies = [each.content.get("route", {}).get("retry_policy") or {} for each in routes]
    return bool(policies) and all("retry_priority" in each for each in policies)


def in_force(lab: Lab) -> Awaited:
    """Wait until Envoy has both sites for the route and does what the policy, where there is one, asks for."""
    spec: JsonObject = {}
    if lab.cluster.exists("BackendTrafficPolicy", POLICY):
        spec = lab.cluster.get("BackendTrafficPolicy", POLICY)["spec"]
    wanted = ([0, 1], "healthCheck" in spec, "numAttemptsPerPriority" in spec.get("retry", {}))

    def is_so() -> bool:
        found = cluster(lab)
        return (priorities(found), is_watched(found), asks_elsewhere(lab)) == wanted

    return waits.until(is_so, "Envoy has both sites, and the policy", remedy=f"calico-lab envoy httproute {ROUTE}")


def answered_by(lab: Lab, site: str) -> Awaited:
    """Wait until a site, and no other, answers.

    Envoy's workers hear up to a second later than its statistics that a site is well or not, since such news are
    merged (``update_merge_window``: https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/cluster.proto).
    A worker to whom no site is well yet draws one for each request; that all of these fall on one site has a chance of
    one in 16 million.
    """
    return waits.until(
        lambda: send(lab, _ENOUGH)[site] == _ENOUGH, f"the {site} answers", remedy=f"calico-lab envoy httproute {ROUTE}"
    )


def send(lab: Lab, requests: int = 100, *, rate: int = 0) -> dict[str, int]:
    """Send requests, and count who answered them well: each site, and ``nobody``.

    ``rate`` is how many a second go over each of four connections; 0 is no limit.
    """
    path = _new_path()
    lab.bastion.run(_load(lab, path, requests, rate))
    answered = list(_answered(lab, path, hey.requests_sent(requests, CONNECTIONS))["site"])
    return {site: answered.count(site) for site in (*SITES, NOBODY)}


@dataclass(frozen=True, repr=False)
class FailOver:
    """What became of requests while the first site failed and was mended again.

    ``answers`` has a row for each request, in the order in which they came to Envoy: ``second`` since the first, and
    ``site``, which is who answered it well, or ``nobody``. ``failing`` and ``mended`` are the seconds in which the
    first site began to fail and was mended.
    """

    answers: pd.DataFrame
    failing: float
    mended: float

    def count(self, site: str) -> int:
        """Return how many requests a site, or ``nobody``, answered well."""
        return int((self.answers["site"] == site).sum())

    def __repr__(self) -> str:
        # How many there were, and were lost, differs from run to run: a check may come right after the failure.
        answered = list(self.answers["site"])
        meanwhile = [site for site in SITES if site in answered and site not in (answered[0], answered[-1])]
        told = {
            "at the beginning": answered[0],
            "meanwhile": " and ".join(meanwhile) or "nobody else",
            "at the end": answered[-1],
        }
        return "\n".join(f"{when:16}  {who}" for when, who in told.items())


def through_an_outage(lab: Lab) -> FailOver:
    """Let the first site fail and be mended while requests come in, each for as long as it takes to be noticed.

    Raises ``WaitTimeout`` when the other site does not step in: then nothing checks the first one.
    """
    path, is_over = _new_path(), Event()
    _wait(lambda: send(lab, _ENOUGH)[FIRST] == _ENOUGH, f"the {FIRST} answers")
    with ThreadPoolExecutor(1) as bastion:
        start = time.monotonic()
        running = bastion.submit(_send_until, is_over, lab, path)

        def until(is_so: Callable[[], bool], description: str) -> None:
            _wait(lambda: running.done() or is_so(), description)

        try:
            until(lambda: len(_logged(lab, path, CALM)) >= CALM, "the load is under way")
            failing = time.monotonic() - start
            fail(lab)
            try:
                until(lambda: healthy(lab) == 1, "Envoy has noticed that the first site fails")
                until(lambda: _latest(lab, path) == SECOND, "the other site answers")
            finally:
                mended = time.monotonic() - start
                mend(lab)
            until(lambda: healthy(lab) == len(SITES), "Envoy has noticed that the first site is back")
            until(lambda: _latest(lab, path) == FIRST, "the first site answers")
        finally:
            is_over.set()
        sent = running.result()
    return FailOver(_answered(lab, path, sent), failing, mended)


def _send_until(is_over: Event, lab: Lab, path: str) -> int:
    """Send one part of a load after the other, until all is over and one more; return how many requests that were."""
    sent = 0
    while True:
        is_last = is_over.is_set()
        lab.bastion.run(_load(lab, path, PART))
        sent += hey.requests_sent(PART, CONNECTIONS)
        if is_last:
            return sent


def healthy(lab: Lab) -> int:
    """Return how many of the sites Envoy takes for healthy."""
    return int(envoy(lab).stats(rf"^cluster\.httproute/[^.]*/{ROUTE}/.*\.membership_healthy$").sum())


def _wait(is_so: Callable[[], bool], description: str) -> Awaited:
    return waits.until(
        is_so, description, remedy=f"calico-lab envoy httproute {ROUTE}", time_limit=TIME_LIMIT, shown=False
    )


def _new_path() -> str:
    """Return a path that nobody has asked for yet, by which a load is found in Envoy's log."""
    return f"/{secrets.token_hex(4)}"


def _load(lab: Lab, path: str, requests: int, rate: int = RATE) -> str:
    address = gateway_address(lab)
    return f"hey -n {requests} -c {CONNECTIONS} -q {rate} -t 5 -host {HOST} http://{address}{path}"


def _answered(lab: Lab, path: str, requests: int) -> pd.DataFrame:
    """Return ``second`` and ``site`` of the requests for a path, as Envoy's access log tells, once it has all."""
    import pandas as pd

    _wait(lambda: len(_logged(lab, path, requests)) >= requests, f"Envoy's log tells of {requests} requests")
    sites, logged = _sites(lab), _logged(lab, path, requests)
    rows = sorted((datetime.fromisoformat(each.time).timestamp(), _site(each, sites)) for each in logged)
    return pd.DataFrame([(second - rows[0][0], site) for second, site in rows], columns=["second", "site"])


def _logged(lab: Lab, path: str, requests: int) -> list[access_log.Request]:
    """Return so many of the last requests for a path, among which there are hardly any for others."""
    proxy = envoy(lab)
    logged = access_log.read(lab.cluster, proxy.pod, proxy.namespace, last_lines=requests + _OTHER_LINES)
    return [each for each in logged if each.path == path]


def _latest(lab: Lab, path: str) -> str:
    """Return who has answered the last request for a path; nobody where there was none so far."""
    logged = _logged(lab, path, 1)
    return _site(logged[-1], _sites(lab)) if logged else NOBODY


def _sites(lab: Lab) -> dict[str, str]:
    """Return the sites by the addresses of their Services."""
    return {lab.cluster.get("Service", site)["spec"]["clusterIP"]: site for site in SITES}


def _site(request: access_log.Request, sites: dict[str, str]) -> str:
    return sites.get(request.upstream.rpartition(":")[0], NOBODY) if request.status == OK else NOBODY
