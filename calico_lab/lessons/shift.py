"""Clients that move from one address to another, a part of them at a time, as weighted DNS records have it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calico_lab.bastion import Bastion
from calico_lab.lessons.side_by_side import Answer, ask

OK = 200
STAGES = (0, 25, 50, 75, 100)


@dataclass(frozen=True)
class Stage:
    """What came of the requests of which ``share`` percent were sent to the new address."""

    share: int
    answers: tuple[Answer, ...]

    def by(self, proxy: str) -> int:
        """Return how many were served by way of a proxy, as the pods say."""
        return sum(answer.status == OK and answer.proxy == proxy for answer in self.answers)

    @property
    def lost(self) -> int:
        """How many were not served."""
        return sum(answer.status != OK for answer in self.answers)


def move(
    bastion: Bastion, old: str, new: str, host: str, request: str, *, shares: Sequence[int] = STAGES, requests: int = 60
) -> tuple[Stage, ...]:
    """Send requests to two addresses, with a larger share for the new one at each stage; evenly mixed."""

    def stage(share: int) -> Stage:
        to_new = [(number + 1) * share // 100 > number * share // 100 for number in range(requests)]
        asked = [(new if is_new else old, host, request) for is_new in to_new]
        return Stage(share, tuple(ask(bastion, asked)))

    return tuple(stage(share) for share in shares)
