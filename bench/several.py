"""Eight labs at once, each with the demo in it: what the eighth costs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from bench.measure import Figure, proportional_memory
from tests.support import guide
from tests.support.labs import RunningLab, running_lab
from tests.support.shell import bastion_shell

LABS = 8


def figures() -> Iterator[Figure]:
    """Start one lab after the other, follow the guide in all of them at once, and load all of them at once."""
    with ExitStack() as labs, ThreadPoolExecutor(LABS) as threads:
        running, started = [], []
        for number in range(LABS):
            begun = time.perf_counter()
            running.append(labs.enter_context(running_lab(f"bench-several-{number}")))
            started.append(time.perf_counter() - begun)
        counts = list(threads.map(demo, running))
        assert counts == [[25] * 4] * LABS, counts
        memory = [sum(proportional_memory(lab.status["pid"]).values()) for lab in running]
    yield Figure("time to start the eighth lab", started[-1:], "s", "")
    yield Figure(f"memory (PSS) of each of {LABS} labs with the demo", memory, "MB", "")


def demo(lab: RunningLab) -> list[int]:
    """Follow the guide through its load; returns the requests of each pod."""
    with bastion_shell(lab.ssh_config) as shell:
        guide.follow_to_the_load(shell)
        shell.run(guide.command("load"))
        return guide.received(shell.run(guide.command("requests-per-pod")))
