"""The whole guide, without its sleep of 60 seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench.measure import Figure
from tests.support import guide
from tests.support.labs import RunningLab, running_lab
from tests.support.shell import bastion_shell

RUNS = 3


def figures() -> Iterator[Figure]:
    """Time every command of the guide, with a wait on the condition where the guide sleeps."""
    yield Figure("the whole guide without its sleep", [follow(run) for run in range(RUNS)], "s", "8")


def follow(run: int) -> float:
    """Type the guide into one shell of a fresh lab; returns the seconds it took."""
    with running_lab(f"bench-guide-{run}") as lab, bastion_shell(lab.ssh_config) as shell:
        start = time.perf_counter()
        guide.follow_to_the_load(shell)
        assert guide.statuses(shell.run(guide.command("load"))) == {200: 100}
        assert guide.received(shell.run(guide.command("requests-per-pod"))) == [25] * 4
        shell.run(guide.command("clean-up"))
        return time.perf_counter() - start


def demo(lab: RunningLab) -> None:
    """Bring a lab to the guide's step 6, ready for load."""
    with bastion_shell(lab.ssh_config) as shell:
        guide.follow_to_the_load(shell)
