"""The guide's commands, as they stand there: one file a step in ``tests/lab/guide``."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "lab" / "guide"

PREREQUISITES = ("ip-pool", "bgp", "edit-import-filter", "restart-bird", "gateway-api", "install-hey")
DEMO = ("backend", "gateway", "route-and-policy")


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
