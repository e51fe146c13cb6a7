"""How long a notebook waits before its first line of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from statistics import median

from bench.measure import Figure, command_seconds
from tests.support.labs import running_lab

RUNS = 7
CONNECT = """
import time
import calico_lab
start = time.perf_counter()
calico_lab.connect()
print(time.perf_counter() - start)
"""


def figures() -> Iterator[Figure]:
    """Time `import calico_lab` less an empty Python, and `connect()` in a fresh process."""
    bare = median(command_seconds(sys.executable, "-c", "pass", runs=RUNS))
    loaded = command_seconds(sys.executable, "-c", "import calico_lab", runs=RUNS)
    yield Figure("import calico_lab", [max(0.0, value - bare) for value in loaded], "s", "0.1")
    with running_lab("bench-connect") as lab:
        environment = {**os.environ, "KUBECONFIG": str(lab.kubeconfig)}
        taken = [
            float(
                subprocess.run([sys.executable, "-c", CONNECT], env=environment, capture_output=True, check=True).stdout
            )
            for _ in range(RUNS)
        ]
    yield Figure("connect()", taken, "s", "0.6")
