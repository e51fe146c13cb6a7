"""The step test: the requests that the learner sent, as Envoy's access log tells of them.

Judged are the last hundred, so that a first try that went wrong does no harm. Requests for ``/`` that no route took
are left out: that is how the course itself asks whether a gateway answers.

Envoy holds its access log back for up to ten seconds, and newer versions of Calico Enterprise write it elsewhere. Where
Envoy's counters know of more requests than the log, these counters and the pods' own logs tell as much as they can.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from calico_lab.lessons.checks import common, statistics
from calico_lab.lessons.checks.scene import HOST, PATH, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, wrong
from calico_lab.tools import access_log
from calico_lab.tools.access_log import Request

REQUESTS = statistics.REQUESTS
_LINES = 20 * REQUESTS
# A log that is about to be written is worth a moment.
_ATTEMPTS, _PAUSE = 4, 0.05
OK = 200
_LOOK = "kubectl logs -n NAMESPACE POD -c envoy   for Envoy's pod"


def check(scene: Scene) -> Verdict:
    """Whether the last hundred requests were answered, and every pod got its share of them."""
    if not scene.envoys():
        return common.waits("test", scene.unfinished("gateway", "route", "policy", "ready") or ["ready"])
    counted = statistics.read(scene)
    requests = _logged(scene, counted["total"])
    verdict = statistics.judge(scene, counted) if requests is None else _judge(scene, requests)
    earlier = scene.unfinished("backend", "gateway", "route", "policy", "ready", "address")
    # What is wrong with a request itself can be said at once; what becomes of a right one depends on the steps before.
    return common.waits("test", earlier, *verdict.evidence) if earlier and verdict.key not in _SENT_WRONG else verdict


_SENT_WRONG = ("test-no-host", "test-other-host", "test-other-path")


def _judge(scene: Scene, requests: Sequence[Request]) -> Verdict:
    last = last_of([request for request in requests if not (request.path == "/" and "NR" in request.flags)])
    answered = last_of([request for request in last_of(requests, _LINES) if request.status == OK])
    failed = [request for request in last if request.status != OK]
    seen = _seen(last)
    if not last:
        return statistics.no_requests(seen)
    # A few that no route took, after a run that went well, are somebody looking around.
    stray = len(answered) >= REQUESTS and 2 * len(failed) < len(last) and all("NR" in one.flags for one in failed)
    if failed and not stray:
        return _explain(failed, seen)
    if len(answered) < REQUESTS:
        return statistics.too_few(len(answered), seen)
    per_pod = Counter(request.upstream for request in answered)
    return statistics.shares(scene, list(per_pod.values()), f"the last {REQUESTS} requests", _seen(answered))


def last_of(requests: Sequence[Request], number: int = REQUESTS) -> list[Request]:
    """Return the last requests in the order of their start: so many, and those that started with the first of them.

    With nobody left out who started at the same time, they are a whole stretch of each rotor's turn.
    """
    in_order = sorted(requests, key=lambda request: request.time)
    since = in_order[-number].time if len(in_order) >= number else ""
    return [request for request in in_order if request.time >= since]


def _explain(failed: Sequence[Request], seen: Evidence) -> Verdict:
    """Say why requests failed, from what most of them have in common."""
    kind, _count = Counter(map(_reason, failed)).most_common(1)[0]
    sample = next(request for request in failed if _reason(request) == kind)
    asked = Evidence("such a request", f"Host {sample.host}, path {sample.path}, status {sample.status}", _LOOK)
    match kind:
        case "no-host":
            return wrong(
                "test-no-host", "requests were sent without the Host that the route is for", seen, asked,
                hint="An address alone says nothing about the host that is meant. How does one tell hey?",
            )  # fmt: skip
        case "other-host":
            return wrong(
                "test-other-host", f"requests were sent for the host {sample.host}, which no route is for", seen, asked,
                hint="Compare with the route's hostnames letter by letter.",
            )  # fmt: skip
        case "other-path":
            return wrong(
                "test-other-path", f"requests were sent for the path {sample.path}, which no route is for", seen, asked,
                hint="Compare with the path in the route's rule.",
            )  # fmt: skip
    return wrong(
        "test-errors", f"requests were answered with status {sample.status}", seen, asked,
        Evidence("Envoy's response flags", sample.flags or "none", _LOOK),
        hint="Envoy gives each answer of its own a flag. What does this one mean, and is it still so? Send them again.",
    )  # fmt: skip


def _reason(request: Request) -> str:
    host = request.host.rpartition(":")[0] or request.host
    if "NR" not in request.flags and request.status != 404:
        return "errors"
    if host != HOST:
        return "no-host" if host.replace(".", "").isdigit() else "other-host"
    return "other-path" if not f"{request.path.partition('?')[0]}/".startswith(f"{PATH}/") else "errors"


def _seen(last: Sequence[Request]) -> Evidence:
    statuses = Counter(request.status for request in last)
    told = ", ".join(f"{count} with status {status}" for status, count in sorted(statuses.items()))
    return Evidence(f"Envoy's access log, the last {REQUESTS} requests", told or "none", _LOOK)


def _logged(scene: Scene, total: int) -> list[Request] | None:
    """Return the requests in the access logs, or None when they lack some of the ``total`` that Envoy has counted."""
    for _attempt in range(_ATTEMPTS):
        cluster = scene.lab.cluster
        requests = [
            request for envoy in scene.envoys()
            for request in access_log.read(cluster, envoy.pod, envoy.namespace, last_lines=_LINES)
        ]  # fmt: skip
        if len(requests) >= min(total, _LINES):
            return requests
        time.sleep(_PAUSE)
    return None
