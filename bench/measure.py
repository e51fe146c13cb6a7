"""Timing and memory, measured the same way by every benchmark."""

from __future__ import annotations

import re
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One line of the table: what was measured, in which unit, and what the project wants to reach."""

    name: str
    values: list[float]
    unit: str
    target: str

    @property
    def median(self) -> float:
        return statistics.median(self.values)


def seconds(action: Callable[[], object], *, runs: int, between: Callable[[], object] = lambda: None) -> list[float]:
    """Time ``action`` several times; ``between`` runs after each, untimed."""
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        taken.append(time.perf_counter() - start)
        between()
    return taken


def command_seconds(*arguments: str, runs: int) -> list[float]:
    """Time a command from its start to its end."""
    return seconds(lambda: subprocess.run(arguments, check=True, capture_output=True), runs=runs)


def processes_of_lab(first_process: int) -> list[Path]:
    """Return the /proc folders of every process in the PID namespace of a lab's first process."""
    namespace = _link(Path(f"/proc/{first_process}/ns/pid"))
    folders = [folder for folder in Path("/proc").iterdir() if folder.name.isdigit()]
    return [folder for folder in folders if _link(folder / "ns/pid") == namespace]


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def proportional_memory(first_process: int) -> dict[str, float]:
    """Return the proportional set size in MB of a lab's processes, summed by command (proc(5), smaps_rollup)."""
    used: dict[str, float] = {}
    for folder in processes_of_lab(first_process):
        try:
            name = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            megabytes = set_size(folder)
        except OSError:
            continue
        short = " ".join(Path(word).name for word in name.split()[:3])
        used[short] = used.get(short, 0) + megabytes
    return used


def set_size(folder: Path) -> float:
    """Return the proportional set size in MB of the process of a /proc folder; raises ``OSError`` when it is gone."""
    match = re.search(r"^Pss:\s+(\d+) kB", (folder / "smaps_rollup").read_text(), re.MULTILINE)
    return int(match[1]) / 1000 if match else 0
