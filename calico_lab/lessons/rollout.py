"""All pods of a deployment are replaced while requests come: what became of each request, and which pods there were.

hey sends from the bastion and tells of every answer; which pods are ready is asked of the cluster over and over. Both
are seen from outside, so it is the same on any cluster.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab import conditions, kubectl
from calico_lab.cluster import JsonObject
from calico_lab.lab import Lab
from calico_lab.lessons import waits
from calico_lab.lessons.counts import BACKEND
from calico_lab.tools import hey

if TYPE_CHECKING:
    import pandas as pd

OK = 200
RESTART = "rollout restart deployment backend"
ROUND, CONNECTIONS, RATE = 100, 20, 10  # of hey: 200 requests a second, for half a second
BEFORE_SECONDS = 0.6  # of load, before the first pod is replaced
LOOK_SECONDS = 0.05
TIME_LIMIT = 120.0
_LOOK = "kubectl get pods -l app=backend"


@dataclass(frozen=True)
class PodsSeen:
    """How many pods were ready ``seconds`` after the first request: those of before, and those in their place."""

    seconds: float
    old: int
    new: int


@dataclass(frozen=True, repr=False)
class Rollout:
    """The answers, as :func:`calico_lab.tools.hey.parse_csv` returns them; requests sent; pods seen meanwhile."""

    sent: int
    answers: pd.DataFrame
    pods: tuple[PodsSeen, ...]

    @property
    def answered(self) -> int:
        """How many requests got what they asked for."""
        return int((self.answers[hey.STATUS] == OK).sum())

    @property
    def lost(self) -> int:
        """How many did not: answered by Envoy with an error of its own, or not at all."""
        return self.sent - self.answered

    @property
    def is_done(self) -> bool:
        """Whether at the end all pods were others than at the beginning, as many as before."""
        return self.pods[-1].old == 0 and self.pods[-1].new == self.pods[0].old > 0

    def __repr__(self) -> str:
        # How many are sent and lost differs from run to run.
        before, after = self.pods[0].old, self.pods[-1].new
        done = f"{before} pods replaced by {after}" if self.is_done else "the pods were not all replaced"
        return f"{done} under load: {'some requests were lost' if self.lost else 'no request was lost'}"


def under_load(lab: Lab, address: str, kubectl_arguments: str = RESTART) -> Rollout:
    """Have kubectl replace the pods of the backend while requests are sent, until the new ones are there.

    Raises ``WaitTimeout`` when they do not come about, ``CommandError`` with kubectl's words when it refuses.
    """
    waits.until(lambda: not any(map(_is_leaving, _pods(lab))), "no pod of before is left", remedy=_LOOK, shown=False)
    old = {pod["metadata"]["name"] for pod in _pods(lab)}
    with ThreadPoolExecutor(2) as threads:
        start = time.monotonic()
        replaced = threads.submit(_replace, lab, shlex.split(kubectl_arguments), old)
        answers = threads.submit(_send_until, lab, address, start, replaced.done)
        pods = []
        while not answers.done():
            pods.append(_look(lab, old, start))
            time.sleep(LOOK_SECONDS)
        replaced.result()
    rounds = answers.result()
    import pandas as pd

    return Rollout(len(rounds) * ROUND, pd.concat(rounds, ignore_index=True), tuple(pods))


def _send_until(lab: Lab, address: str, start: float, is_over: Callable[[], bool]) -> list[pd.DataFrame]:
    """Send one round of requests after the other; how long it must go on is not known in advance."""
    target = f'-host "www.example.com" http://{address}/round'
    rounds: list[pd.DataFrame] = []
    while not rounds or not is_over():
        begun = time.monotonic() - start
        load = f"hey -n {ROUND} -c {CONNECTIONS} -q {RATE} -t 5 -o csv {target}"
        answers = hey.parse_csv(lab.bastion.run(load, time_limit=TIME_LIMIT).output)
        answers[hey.OFFSET] += begun
        rounds.append(answers)
    return rounds


def _replace(lab: Lab, arguments: Sequence[str], old: Collection[str]) -> None:
    time.sleep(BEFORE_SECONDS)
    kubectl.run(lab.kubeconfig, *arguments, time_limit=TIME_LIMIT)

    def is_done() -> bool:
        new = [pod for pod in _pods(lab) if pod["metadata"]["name"] not in old]
        ready = [pod for pod in new if conditions.is_true(pod, "Ready")]
        return len(ready) == len(old) == len(_pods(lab))

    waits.until(is_done, "all pods of the backend are new", remedy=_LOOK, shown=False)


def _look(lab: Lab, old: Collection[str], start: float) -> PodsSeen:
    seconds = time.monotonic() - start
    pods = _pods(lab)
    ready = [pod for pod in pods if conditions.is_true(pod, "Ready") and not _is_leaving(pod)]
    of_before = sum(pod["metadata"]["name"] in old for pod in ready)
    return PodsSeen(seconds, of_before, len(ready) - of_before)


def _pods(lab: Lab) -> list[JsonObject]:
    return lab.cluster.list("Pod", labels=BACKEND)


def _is_leaving(pod: JsonObject) -> bool:
    return "deletionTimestamp" in pod["metadata"]
