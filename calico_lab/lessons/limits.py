"""A local rate limit: what a policy asks for, what each Envoy works by, and what a load gets of it.

Envoy keeps a bucket of tokens for each rule of a route. It is full in the beginning, each request that passes takes a
token, and new ones come at an even pace, as many in a unit of time as the bucket holds
(https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/local_rate_limit_filter). A request
that finds none is answered 429. Each Envoy has buckets of its own; its workers share them.
"""

from __future__ import annotations

import http.client
import json
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from calico_lab import kubectl
from calico_lab.errors import PrerequisiteError
from calico_lab.lessons import waits
from calico_lab.lessons.guests import HOST, User
from calico_lab.lessons.steps import GATEWAY
from calico_lab.tools import envoy_admin, hey

if TYPE_CHECKING:
    import pandas as pd

    from calico_lab.cluster import Awaited, JsonObject
    from calico_lab.lab import Lab

POLICY, ROUTE = "limit", "open"
SECONDS = {"Second": 1, "Minute": 60, "Hour": 3600, "Day": 86400}
TIME_LIMIT = 60.0
_FILTER = "envoy.filters.http.local_ratelimit"


@dataclass(frozen=True)
class Limit:
    """So many ``requests`` in each ``seconds``, at each of so many ``envoys``."""

    requests: int
    seconds: float
    envoys: int = 1

    @property
    def at_once(self) -> int:
        """How many requests pass when all buckets are full."""
        return self.requests * self.envoys

    def most(self, seconds: float) -> float:
        """Return how many requests can pass, at the most, in so many seconds."""
        return self.at_once * (1 + seconds / self.seconds)

    def __str__(self) -> str:
        unit = next((name.lower() for name, length in SECONDS.items() if length == self.seconds), f"{self.seconds:g} s")
        return f"{self.requests} per {unit}" + (f" at each of {self.envoys} Envoys" if self.envoys > 1 else "")


@dataclass(frozen=True, repr=False)
class Limited:
    """What became of a load under a limit.

    ``answers`` has a row for each request, with its ``status``, its ``offset`` in seconds since the load began, and
    ``answered``, on the same clock.
    """

    limit: Limit
    answers: pd.DataFrame

    @property
    def passed(self) -> int:
        """How many requests were answered by a pod."""
        return int((self.answers["status"] == http.client.OK).sum())

    @property
    def refused(self) -> int:
        """How many were answered 429."""
        return int((self.answers["status"] == http.client.TOO_MANY_REQUESTS).sum())

    @property
    def seconds(self) -> float:
        """How long the load lasted, from the first request to the last answer."""
        return float(self.answers["answered"].max() - self.answers["offset"].min())

    @property
    def keeps_to_it(self) -> bool:
        """The verdict: a full bucket passed, more as tokens came, never more than those, and the rest got 429.

        The first token is taken after the first request was sent, and a request has its token before its answer: so
        the bound holds however slow everything is.
        """
        begun = self.answers["offset"].min()
        times = self.answers["answered"][self.answers["status"] == http.client.OK].sort_values() - begun
        # hey writes its times in tenths of a millisecond.
        within = all(count <= self.limit.most(time) + 0.01 for count, time in enumerate(times, start=1))
        full = self.passed >= min(self.limit.at_once, len(self.answers))
        return within and full and self._goes_on(times + begun) and self.passed + self.refused == len(self.answers)

    def _goes_on(self, times: pd.Series[float]) -> bool:
        """Whether more than full buckets passed, where a new token must have come before the last request was sent."""
        if len(times) != self.limit.at_once:
            return True
        waited = self.answers["offset"].max() - times.max()
        return bool(waited < self.limit.seconds / self.limit.requests)

    def __repr__(self) -> str:
        verdict = "as the limit wants" if self.keeps_to_it else "not as the limit wants"
        # How many passed is the same in every run only where no new token can have come meanwhile.
        if self.limit.most(self.seconds) < self.limit.at_once + 1:
            counts = f"{self.passed} passed, {self.refused} got 429"
        else:
            counts = f"a full bucket of {self.limit.at_once} passed, then as many as tokens came, and others got 429"
        return f"{len(self.answers)} requests, {self.limit}: {counts if self.keeps_to_it else self._faults}; {verdict}"

    @property
    def _faults(self) -> str:
        counts = self.answers["status"].value_counts().sort_index()
        return ", ".join(f"{count} got {status}" for status, count in counts.items())


def asked_for(policy: JsonObject) -> Limit | None:
    """Return the limit of a BackendTrafficPolicy for all requests: that of its rule without selectors, if any."""
    rules = ((policy["spec"].get("rateLimit") or {}).get("local") or {}).get("rules") or ()
    for rule in rules:
        if not rule.get("clientSelectors"):
            return Limit(rule["limit"]["requests"], SECONDS[rule["limit"]["unit"]])
    return None


def in_envoys(lab: Lab) -> list[Limit | None]:
    """Return the limit by which each of the Gateway's Envoys works for the route ``open``, if any."""
    namespace = lab.cluster.kubeconfig.namespace
    configurations = [envoy.configuration() for envoy in envoy_admin.of_gateway(lab.cluster, GATEWAY)]
    return [
        next((_in_route(route.content) for route in found.routes_from("HTTPRoute", ROUTE, namespace)), None)
        for found in configurations
    ]


def _in_route(content: JsonObject) -> Limit | None:
    bucket = content.get("typed_per_filter_config", {}).get(_FILTER, {}).get("token_bucket")
    return Limit(bucket["max_tokens"], float(bucket["fill_interval"].removesuffix("s"))) if bucket else None


def in_force(lab: Lab) -> Awaited:
    """Wait until every Envoy works by the limit that the policy ``limit`` asks for."""
    wanted = asked_for(lab.cluster.get("BackendTrafficPolicy", POLICY))
    return waits.until(
        lambda: set(in_envoys(lab)) == {wanted}, f"Envoy limits the route {ROUTE} to {wanted}",
        remedy=f"calico-lab envoy backendtrafficpolicy {POLICY}",
    )  # fmt: skip


def change(lab: Lab, requests: int, unit: str) -> Awaited:
    """Give the policy ``limit`` one rule, for all requests: so many in a unit of time; wait until it is so."""
    rule = {"limit": {"requests": requests, "unit": unit}}
    patch = json.dumps({"spec": {"rateLimit": {"type": "Local", "local": {"rules": [rule]}}}})
    patched = ("patch", "backendtrafficpolicy", POLICY, "--type=merge", f"--patch={patch}")
    kubectl.run(lab.kubeconfig, *patched, time_limit=TIME_LIMIT)
    return in_force(lab)


def reached(lab: Lab, address: str) -> Awaited:
    """Wait until requests from the bastion reach every Envoy; they ask for no host that has a route, or a limit."""
    envoys = envoy_admin.of_gateway(lab.cluster, GATEWAY)

    def seen() -> list[int]:
        return [int(envoy.stats(r"^http.http-10080.downstream_cx_total").sum()) for envoy in envoys]

    before = seen()

    def is_so() -> bool:
        lab.bastion.run(f"hey -n 20 -c 20 -t 1 http://{address}/", check=False)
        return all(now > then for now, then in zip(seen(), before, strict=True))

    return waits.until(
        is_so, f"the bastion reaches {len(envoys)} Envoys", remedy=f"ip route get {address}   on the bastion"
    )


def send(
    lab: Lab, address: str, requests: int, limit: Limit | None = None, *,
    path: str = "/", connections: int = 5, rate: int = 20, user: User | None = None,
) -> Limited:  # fmt: skip
    """Send requests, ``rate`` a second over each connection, and judge them by a limit.

    Without one by that of the policy ``limit``, at as many Envoys as there are; raises ``PrerequisiteError`` when it
    has none.
    """
    limit = limit or _of_policy(lab)
    by = ["-H", user.header] if user else []  # hey 0.1.4 sends no header for its own option -a
    load = f"hey -n {requests} -c {connections} -q {rate} -t 10 -o csv -host {HOST}"
    printed = lab.bastion.run(f"{load} {shlex.join([*by, f'http://{address}{path}'])}", time_limit=TIME_LIMIT).output
    answers = hey.parse_csv(printed).rename(columns={hey.STATUS: "status"})
    answers["answered"] = answers[hey.OFFSET] + answers[hey.SECONDS]
    return Limited(limit, answers[["status", hey.OFFSET, "answered"]])


def _of_policy(lab: Lab) -> Limit:
    asked = asked_for(lab.cluster.get("BackendTrafficPolicy", POLICY))
    if asked is None:
        raise PrerequisiteError(f"the policy {POLICY} limits nothing", remedy='lab.check("limit")')
    return replace(asked, envoys=len(envoy_admin.of_gateway(lab.cluster, GATEWAY)))
