"""Whether requests were split as weights ask for: v1 90, v2 10.

Where the versions are clusters of their own (a backendRef has filters), Envoy draws one for each request by its weight,
independent of the others. So the requests of a version with the share p are binomial: n * p on average, and hardly ever
exactly that. The band of a version holds all counts but the least likely ones at both ends; how likely a right balancer
is to leave a band is said in advance (``chance_of_error``, for all versions together). Where the versions are
localities of one cluster, each of Envoy's workers takes turns by weight, and the counts are in the middle of the band.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ONE_IN_A_MILLION = 1e-6


@dataclass(frozen=True, repr=False)
class Shares:
    """Requests for each version, judged against wanted weights."""

    counts: Mapping[str, int]
    weights: Mapping[str, int]
    chance_of_error: float

    @property
    def requests(self) -> int:
        """All requests together."""
        return sum(self.counts.values())

    def wanted(self, name: str) -> float:
        """Return the share of the requests that a version should get, between 0 and 1."""
        return self.weights[name] / sum(self.weights.values())

    def band(self, name: str) -> tuple[int, int]:
        """Return the fewest and the most requests with which a version is as wanted."""
        import numpy as np
        from scipy.special import bdtr, bdtrc

        requests, share = self.requests, self.wanted(name)
        tail = self.chance_of_error / (2 * len(self.weights))
        counts = np.arange(requests + 1, dtype=float)
        lowest = int(np.argmax(bdtr(counts, requests, share) > tail))
        highest = int(np.argmax(bdtrc(counts, requests, share) <= tail))
        return lowest, highest

    def holds(self, name: str) -> bool:
        """Whether a version got as many requests as its weight allows."""
        lowest, highest = self.band(name)
        return lowest <= self.counts[name] <= highest

    @property
    def as_wanted(self) -> bool:
        """The verdict: whether every version is within its band."""
        return self.requests > 0 and all(self.holds(name) for name in self.weights)

    def __repr__(self) -> str:
        weights = ", ".join(f"{name} {weight}" for name, weight in self.weights.items())
        head = f"{self.requests} requests for the weights {weights}"
        if self.requests == 0:
            return f"{head}: not as wanted, nothing was counted"
        if self.as_wanted:
            return f"{head}: as wanted (a right balancer fails this in {_frequency(self.chance_of_error)})"
        wrong = [name for name in self.weights if not self.holds(name)]
        return f"{head}: not as wanted, outside of its band: {', '.join(wrong)}"


def judge(counts: Mapping[str, int], weights: Mapping[str, int], chance_of_error: float = ONE_IN_A_MILLION) -> Shares:
    """Judge requests for each version. Raises ``ValueError`` when counts and weights do not speak of the same ones."""
    if set(counts) != set(weights) or not sum(weights.values()) or min(weights.values()) < 0:
        raise ValueError(f"counts are of {', '.join(counts)}, weights of {', '.join(weights)}: they must be the same")
    if not 0 < chance_of_error < 1:
        raise ValueError("the chance of error lies between 0 and 1")
    return Shares({name: int(counts[name]) for name in weights}, dict(weights), chance_of_error)


def _frequency(chance: float) -> str:
    return f"1 of {1 / chance:,.0f} runs at most"
