"""What a lab costs in memory while the demo runs."""

from __future__ import annotations

from collections.abc import Iterator

from bench.guide import demo
from bench.measure import Figure, proportional_memory
from tests.support import guide
from tests.support.labs import running_lab


def figures() -> Iterator[Figure]:
    """Sum the proportional set size over the lab's PID namespace, after one load."""
    with running_lab("bench-memory") as lab:
        demo(lab)
        address = lab.get("gateway/load-balancing-gateway")["status"]["addresses"][0]["value"]
        lab.bastion(f"GATEWAY_LB_DEMO={address}; {guide.command('load')}")
        used = proportional_memory(lab.status["pid"])
    yield Figure("memory (PSS) with the demo running", [sum(used.values())], "MB", "300")
    for name, megabytes in sorted(used.items(), key=lambda item: -item[1]):
        yield Figure(f"  of it {name}", [megabytes], "MB", "")
