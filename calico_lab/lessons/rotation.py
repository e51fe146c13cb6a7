"""In which order requests reach the pods: the thing that "round robin" names.

Counts tell how evenly the pods were loaded. That one follows the other, always in the same order, only the sequence
shows. A balancer that draws each of P pods at random produces n requests in turn, in whichever order of the pods, with
a probability of P! / P ** n (:func:`calico_lab.lessons.luck.chance_in_turn`): for 4 pods and 16 requests, one in 170
million; for 12 requests, one in 700,000.
"""

from __future__ import annotations

from dataclasses import dataclass

from calico_lab.cluster import Cluster
from calico_lab.lab import Lab
from calico_lab.lessons import numbered
from calico_lab.lessons.counts import BACKEND, REQUEST_LINE


@dataclass(frozen=True, repr=False)
class Rotation:
    """The pods that got one request after the other, as numbers from 1 to ``pods``."""

    sequence: tuple[int, ...]
    pods: int

    @property
    def in_turn(self) -> bool:
        """Whether every pod has its turn in every round, and always after the same one."""
        first_round = self.sequence[: self.pods]
        expected = (first_round * len(self.sequence))[: len(self.sequence)]
        return len(self.sequence) >= self.pods == len(set(first_round)) and self.sequence == expected

    def __repr__(self) -> str:
        # Where the rotation starts differs from run to run, so only a sequence that is out of turn is spelled out.
        if self.in_turn:
            return f"{len(self.sequence)} requests, one after the other: the {self.pods} pods in turn"
        listed = " ".join(str(pod) for pod in self.sequence)
        return f"{len(self.sequence)} requests, one after the other, not in turn: pods {listed}"


def last_requests(cluster: Cluster, requests: int, labels: str = BACKEND) -> Rotation:
    """Read from the pods' logs which of them got the last requests, by the times at which they were logged.

    For requests that came one at a time and far enough apart for these times: ``hey -c 1 -q 10``.
    """
    pods = cluster.list("Pod", labels=labels)
    logged = [
        (_sortable(line.partition(" ")[0]), number)
        for number, pod in enumerate(pods, 1)
        for line in cluster.logs(pod["metadata"]["name"], timestamps=True).splitlines()
        if REQUEST_LINE in line
    ]
    return Rotation(tuple(number for _time, number in sorted(logged)[-requests:]), len(pods))


def one_by_one(lab: Lab, address: str, requests: int) -> Rotation:
    """Send requests one after the other, each over a connection of its own, and tell which pods they reached.

    Exact however fast they follow: each has a number in its path, which the pods log.
    """
    path = numbered.new_path()
    lab.bastion.run(numbered.command(path, address, requests))
    pairs = numbered.found(lab.cluster, path, requests)
    return Rotation(tuple(pod for _number, pod in pairs), len(lab.cluster.list("Pod", labels=BACKEND)))


def _sortable(timestamp: str) -> tuple[str, str]:
    """Split RFC 3339 with nanoseconds, whose trailing zeros Kubernetes drops, into parts that sort as text."""
    seconds, _, fraction = timestamp.removesuffix("Z").partition(".")
    return seconds, fraction.ljust(9, "0")
