"""The step test where no access log can be read: Envoy's statistics, and what the backend's pods have printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from calico_lab.lessons import counts
from calico_lab.lessons.checks import backend
from calico_lab.lessons.checks.scene import GATEWAY, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, not_yet, wrong

REQUESTS = 100
# https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/stats; http-10080 is the listener's.
_NAMES = r"^http\.http-\d+\.(downstream_rq_total|downstream_rq_[245]xx|no_route)$"
_LOOK = "localhost:19000/stats"


def read(scene: Scene) -> Counter[str]:
    """Return how many requests the Envoys have seen: ``total``, ``2xx``, ``4xx``, ``5xx``, ``no_route``."""
    found: Counter[str] = Counter()
    for envoy in scene.envoys():
        for name, value in envoy.stats(_NAMES).items():
            found[str(name).rpartition(".")[2].removeprefix("downstream_rq_")] += int(value)
    return found


def judge(scene: Scene, found: Counter[str]) -> Verdict:
    """Judge all requests since Envoy and the pods started: a first try that went wrong cannot be told apart."""
    told = ", ".join(f"{name} {found[name]}" for name in ("total", "2xx", "5xx", "no_route"))
    seen = Evidence("Envoy's statistics", told, _LOOK)
    if not found["total"]:
        return no_requests(seen)
    if found["2xx"] >= REQUESTS:
        logs = [scene.lab.cluster.logs(pod["metadata"]["name"]) for pod in backend.pods(scene)]
        return shares(scene, [log.count(counts.REQUEST_LINE) for log in logs], "all requests", seen)
    if found["no_route"]:
        return wrong(
            "test-no-route", "requests came to Envoy that no route took", seen,
            hint="A route takes what fits its host and its path. Did you tell hey both?",
        )  # fmt: skip
    return too_few(found["2xx"], seen)


def too_few(answered: int, seen: Evidence) -> Verdict:
    """Return the verdict that part of the load is missing."""
    return not_yet(
        "test-too-few", f"{answered} requests were answered, and the guide sends {REQUESTS}", seen,
        hint="Each of hey's workers sends the same number of requests, a whole one: how many is that in all?",
    )  # fmt: skip


def no_requests(seen: Evidence) -> Verdict:
    """Return the verdict that there is nothing to judge."""
    return not_yet(
        "test-no-requests", "no request has come to the Gateway", seen,
        hint="Send the guide's load from the bastion. If it never arrives: does the bastion have a way there?",
    )  # fmt: skip


def shares(scene: Scene, per_pod: Sequence[int], which: str, seen: Evidence) -> Verdict:
    """Judge what each pod got by the bound of round robin: see :mod:`calico_lab.lessons.evenness`."""
    pods, bound = len(backend.pods(scene)), counts.rotors(scene.lab.cluster, GATEWAY, scene.namespace)
    shared = [*per_pod, *[0] * (pods - len(per_pod))]
    spread = max(shared) - min(shared)
    if spread > bound:
        return wrong(
            "test-uneven", f"the pods' shares of {which} are too far apart for round robin", seen,
            Evidence("most less least", f"{spread}, where round robin stays within {bound}"),
            hint="Was the policy in force, and were all pods there, when these requests were sent? Send them again.",
        )  # fmt: skip
    return done(
        f"{which} were answered, and {len(shared)} pods shared them evenly", seen,
        Evidence("most less least", f"within the bound of round robin, {bound}"),
    )  # fmt: skip
