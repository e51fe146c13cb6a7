"""The guide's commands, as they stand there: one file a step in ``tests/lab/guide``."""

from __future__ import annotations

import re
from pathlib import Path

from .shell import BastionShell

FOLDER = Path(__file__).parents[1] / "lab" / "guide"

PREREQUISITES = ("ip-pool", "bgp", "edit-import-filter", "restart-bird", "gateway-api", "install-hey")
DEMO = ("backend", "gateway", "route-and-policy")

# To be typed where the guide sleeps or tells to look: each ends when what it waits for is so.
SESSIONS_ESTABLISHED = (
    "timeout 20 bash -c 'until [ $(sudo birdc show protocols | grep -c Established) = 3 ]; do sleep 0.05; done'"
)
PROGRAMMED = "kubectl wait --for=condition=Programmed gateway/load-balancing-gateway --timeout=20s"
ROLLED_OUT = "kubectl rollout status deployment/backend --timeout=20s"
ROUTE_LEARNED = r"timeout 20 bash -c 'until ip route | grep -q ^10.10.10.[0-9]*\ ; do sleep 0.05; done'"
ROUTE_GONE = r"timeout 20 bash -c 'while ip route | grep -q ^10.10.10.[0-9]*\ ; do sleep 0.05; done'"


def follow_to_the_load(shell: BastionShell) -> None:
    """Follow the guide up to its step 6, with GATEWAY_LB_DEMO set in the shell; looks and sleeps left out."""
    for step in PREREQUISITES:
        shell.run(command(step))
    shell.run(SESSIONS_ESTABLISHED)
    for step in DEMO:
        shell.run(command(step))
    for ready in (PROGRAMMED, ROLLED_OUT, ROUTE_LEARNED):
        shell.run(ready)
    shell.run(command("gateway-address"))


def command(step: str) -> str:
    """Return the commands of one step, by its name without the number."""
    (file,) = FOLDER.glob(f"[0-9][0-9]-{step}.sh")
    return file.read_text().rstrip("\n")


def received(output: str) -> list[int]:
    """Return the counts that the guide's loop printed, one a pod."""
    return [int(count) for count in re.findall(r"^backend-\S+: received (\d+) requests$", output, re.MULTILINE)]


def statuses(hey_report: str) -> dict[int, int]:
    """Return the responses by status code from hey's report."""
    return {int(code): int(n) for code, n in re.findall(r"^\s+\[(\d+)\]\s+(\d+) responses$", hey_report, re.MULTILINE)}
