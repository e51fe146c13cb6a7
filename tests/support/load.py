"""Bounded load from the bastion while something is broken: hey, and what it tells of answers and losses."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from support import guide
from support.labs import CALICO_LAB, RunningLab

WORKERS = 8
REQUESTS_PER_SECOND = 30  # each worker


@dataclass
class Load:
    """What became of the requests: answers by status code, and those that got none."""

    answers: dict[int, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        return sum(self.lost.values()) + sum(count for code, count in self.answers.items() if code != 200)


@contextmanager
def load(lab: RunningLab, address: str, seconds: int, *, options: str = "") -> Iterator[Load]:
    """Send requests for so many seconds; what came of them is known after the ``with`` statement."""
    told = Load()
    command = f"hey -z {seconds}s -c {WORKERS} -q {REQUESTS_PER_SECOND} -t 10 {options} -host www.example.com http://{address}/round"
    arguments = [CALICO_LAB, "bastion", "--name", lab.name, "--", command]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as hey:
        try:
            yield told
            report = hey.communicate(timeout=seconds + 30)[0]
        except BaseException:
            hey.kill()
            raise
    told.answers = guide.statuses(report)
    told.lost = {words: int(count) for count, words in re.findall(r"^\s+\[(\d+)\]\s+(Get .*)$", report, re.MULTILINE)}
    assert sum(told.answers.values()) > seconds * REQUESTS_PER_SECOND, report
