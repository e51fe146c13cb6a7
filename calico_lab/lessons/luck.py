"""How often a balancer that draws pods at random passes the tests of round robin: how much a verdict is worth.

Every request goes to any of P pods with the same probability, independent of the others. So all P ** n sequences of n
requests are equally likely, and the chances here are exact: no test statistic, no approximation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from calico_lab.lessons.shares import ONE_IN_A_MILLION

if TYPE_CHECKING:
    import pandas as pd


def chance_of_even(requests: int, pods: int, bound: int = 1) -> float:
    """Return the probability that the busiest pod gets at most ``bound`` requests more than the idlest.

    Raises ``ValueError`` when there is nothing to be even.
    """
    if requests < 1 or pods < 1 or bound < 0:
        raise ValueError("evenness is a statement about at least one request and one pod, and no negative bound")
    lowest = range(max(0, -(-requests // pods) - bound), requests // pods + 1)
    # Of the counts between m and m + bound, those of which none is m have been counted at another m.
    found = sum(
        _chance_of_counts(requests, pods, least, least + bound)
        - _chance_of_counts(requests, pods, least + 1, least + bound)
        for least in lowest
    )
    return min(1.0, max(0.0, found))


def chance_in_turn(requests: int, pods: int) -> float:
    """Return the probability that the pods have their turns in a fixed order; ``requests`` are one round at least."""
    if requests < pods:
        raise ValueError(f"{requests} requests are less than one round of {pods} pods")
    return math.exp(math.lgamma(pods + 1) - requests * math.log(pods))


def requests_needed(pods: int, bound: int = 1, chance: float = ONE_IN_A_MILLION) -> int:
    """Return from how many whole rounds of requests on ``chance_of_even`` is below ``chance``."""
    if pods < 2 or not 0 < chance < 1:
        raise ValueError("there must be two pods at least, and a chance between 0 and 1")
    rounds = 1
    while chance_of_even(rounds * pods, pods, bound) >= chance:
        rounds *= 2
    enough, few = rounds, rounds // 2
    while enough - few > 1:
        middle = (enough + few) // 2
        enough, few = (middle, few) if chance_of_even(middle * pods, pods, bound) < chance else (enough, middle)
    return enough * pods


def table(requests: Iterable[int], pods: Iterable[int], bound: int = 1) -> pd.DataFrame:
    """Return ``chance_of_even`` in words, such as ``1 in 997``: a row for each number of requests."""
    import pandas as pd

    columns = {f"{each} pods": [_frequency(chance_of_even(n, each, bound)) for n in requests] for each in pods}
    return pd.DataFrame(columns, index=pd.Index(list(requests), name="requests"))


def _chance_of_counts(requests: int, pods: int, least: int, most: int) -> float:
    """Return the probability that every pod gets from ``least`` to ``most`` requests.

    Counts that are drawn together are as independent Poisson counts of which only the sum is known; so it is the
    coefficient of a power of a short polynomial.
    """
    import numpy as np

    if not least * pods <= requests <= most * pods:
        return 0.0
    mean = requests / pods
    of_one = np.array([math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(least, most + 1)])
    of_all = np.ones(1)
    for _pod in range(pods):
        of_all = np.convolve(of_all, of_one)
    of_sum = math.exp(requests * math.log(requests) - requests - math.lgamma(requests + 1))
    return float(of_all[requests - least * pods] / of_sum)


def _frequency(chance: float) -> str:
    """Return a chance with three digits, such as ``1 in 17,600,000``."""
    return f"1 in {float(f'{1 / chance:.3g}'):,.0f}" if chance > 0 else "never"
