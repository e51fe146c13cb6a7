"""Eight learners on one machine, each with a lab, JupyterLab and a kernel of her own: what one of them costs."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.measure import Figure, processes_of_lab, proportional_memory, set_size
from calico_lab import course_notebooks
from tests.support.jupyter import jupyterlab
from tests.support.kernel import Kernel, kernel
from tests.support.labs import RunningLab, calico_lab, running_lab

LEARNERS = 8
LESSON = "02-round-robin"
IDLE_SECONDS = 20.0
TICKS = os.sysconf("SC_CLK_TCK")


def figures() -> Iterator[Figure]:
    """Start one after the other, run the lesson in one alone, then in all at once, and let all be idle."""
    with ExitStack() as stack:
        labs, servers, kernels, started = [], [], [], []
        for number in range(LEARNERS):
            begun = time.perf_counter()
            labs.append(stack.enter_context(running_lab(f"bench-several-{number}")))
            started.append(time.perf_counter() - begun)
            home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            servers.append(stack.enter_context(jupyterlab(labs[-1].name, home, keep=True)).pid)
            kernels.append(stack.enter_context(kernel(KUBECONFIG=str(labs[-1].kubeconfig))))
        alone = lesson_seconds(kernels[:1])
        together = lesson_seconds(kernels)
        pids = [int(opened.run("import os; print(os.getpid())").shown[0][1]) for opened in kernels]
        # The lesson has made each lab fresh, with a first process of its own.
        firsts = [first_process(lab) for lab in labs]
        memory = [sum(proportional_memory(first).values()) for first in firsts]
        learners = [
            [*processes_of_lab(first), Path(f"/proc/{server}"), Path(f"/proc/{pid}")]
            for first, server, pid in zip(firsts, servers, pids, strict=True)
        ]
        idle = idle_cores(learners)
        of_servers = [set_size(Path(f"/proc/{pid}")) for pid in servers]
        of_kernels = [set_size(Path(f"/proc/{pid}")) for pid in pids]
    yield Figure("time to start the eighth lab", started[-1:], "s", "")
    yield Figure(f"memory (PSS) of each of {LEARNERS} labs with the demo", memory, "MB", "")
    yield Figure("  and of its learner's JupyterLab", of_servers, "MB", "")
    yield Figure("  and of her kernel after the lesson", of_kernels, "MB", "")
    yield Figure("  a learner", [sum(all_of) for all_of in zip(memory, of_servers, of_kernels, strict=True)], "MB", "")
    yield Figure("CPU of a learner who does nothing", [100 * share for share in idle], "% of a core", "")
    yield Figure(f"{LESSON}, Run All, alone", [alone], "s", "")
    yield Figure(f"{LESSON}, Run All, {LEARNERS} learners at once", [together], "s", "")


def lesson_seconds(kernels: list[Kernel]) -> float:
    """Run every cell of the lesson in all kernels at once, each cell when all have done the one before."""
    begun = time.perf_counter()
    for cell in course_notebooks.code_cells(LESSON):
        running = [opened.begin(cell.source) for opened in kernels]
        for opened, message in zip(kernels, running, strict=True):
            shown = opened.end(message).shown
            assert all("Error" not in kind for kind, _ in shown), shown
    return time.perf_counter() - begun


def first_process(lab: RunningLab) -> int:
    """Return the first process of a lab as it is now."""
    pid: int = json.loads(calico_lab("status", "--name", lab.name, "--json").stdout)["pid"]
    return pid


def idle_cores(learners: list[list[Path]]) -> list[float]:
    """Return how much of a core each learner's processes use when nobody asks for anything."""
    time.sleep(IDLE_SECONDS)  # what the lesson has begun comes to its end
    before, begun = [sum(map(cpu_seconds, folders)) for folders in learners], time.perf_counter()
    time.sleep(IDLE_SECONDS)
    lasted = time.perf_counter() - begun
    return [(sum(map(cpu_seconds, each)) - used) / lasted for each, used in zip(learners, before, strict=True)]


def cpu_seconds(folder: Path) -> float:
    """Return what a process and the children it has waited for have used (proc(5), stat)."""
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS
