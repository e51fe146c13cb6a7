"""How even a distribution of requests over pods is, as an exact statement and not as a tolerance.

Each worker thread of Envoy turns a rotor of its own over the same pods, and starts it anywhere. One rotor that has
turned n times has been at each of P pods either floor(n/P) or ceil(n/P) times; W rotors together can be at most W
apart. So with equal weights, no retries and the same pods throughout, round robin means::

    max - min <= W      W = worker threads x Envoy replicas that saw traffic

whatever the number of requests. Anything more is not round robin.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from calico_lab.lessons.counted import counted


@dataclass(frozen=True, repr=False)
class Evenness:
    """Requests for each pod, judged against the bound of ``rotors``."""

    counts: tuple[int, ...]
    rotors: int

    @property
    def requests(self) -> int:
        """All requests together."""
        return sum(self.counts)

    @property
    def spread(self) -> int:
        """How many more requests the busiest pod got than the idlest."""
        return max(self.counts) - min(self.counts)

    @property
    def is_even(self) -> bool:
        """The verdict: whether round robin with this many rotors can have done this."""
        return self.requests > 0 and self.spread <= self.rotors

    @property
    def chance(self) -> float:
        """The probability that a balancer that draws pods at random comes out at least this even.

        The lower tail of Pearson's chi-square test; at its very end, where every pod has floor or ceil of the mean,
        the exact multinomial probability, because there the approximation would say 0.
        """
        pods, mean = len(self.counts), self.requests / len(self.counts)
        if self.requests == 0 or pods == 1:
            return 1.0
        if self.spread <= 1:
            return _chance_of_most_even(self.requests, pods)
        from scipy.special import chdtr

        statistic = sum((count - mean) ** 2 / mean for count in self.counts)
        return float(chdtr(pods - 1, statistic))

    @property
    def jain_index(self) -> float:
        """Jain's fairness index: 1 is perfectly even. A label and no test: at random it is above 0.9 too."""
        squares = sum(count**2 for count in self.counts)
        return self.requests**2 / (len(self.counts) * squares) if squares else 0.0

    def __repr__(self) -> str:
        if self.requests == 0:
            return "Not even: no pod got a request"
        comparison = "<=" if self.spread <= self.rotors else ">"
        return "\n".join(
            (
                f"{'Even' if self.is_even else 'Not even'}: {_text(self)}",
                f"spread (max - min) {self.spread} {comparison} bound {self.rotors}"
                f" ({counted(self.rotors, 'Envoy worker')})",
                f"chance that a random balancer is at least this even: {100 * self.chance:.1f} %",
                f"Jain's index: {self.jain_index:.3f}",
            )
        )


def judge(counts: Iterable[int], rotors: int) -> Evenness:
    """Judge requests for each pod. Raises ``ValueError`` when there are no pods or no rotors."""
    evenness = Evenness(tuple(int(count) for count in counts), rotors)
    if not evenness.counts or rotors < 1:
        raise ValueError("evenness is a statement about at least one pod and one rotor")
    return evenness


def _text(evenness: Evenness) -> str:
    listed = " ".join(str(count) for count in evenness.counts)
    return f"{evenness.requests} requests over {len(evenness.counts)} pods: {listed}"


def _chance_of_most_even(requests: int, pods: int) -> float:
    """Return the probability that equal pods drawn at random all get floor or ceil of the mean."""
    share, rest = divmod(requests, pods)
    one_way = math.lgamma(requests + 1) - requests * math.log(pods)
    one_way -= (pods - rest) * math.lgamma(share + 1) + rest * math.lgamma(share + 2)
    return math.exp(one_way) * math.comb(pods, rest)
