"""Local labs for tests: started and stopped by the same command that a learner types."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CALICO_LAB = str(Path(sys.executable).with_name("calico-lab"))
KUBECTL = str(Path(sys.executable).with_name("kubectl"))


@dataclass(frozen=True)
class RunningLab:
    """A lab that answers: its name and what `calico-lab status --json` told of it."""

    name: str
    status: dict[str, Any]

    @property
    def kubeconfig(self) -> Path:
        return Path(self.status["kubeconfig"])

    @property
    def ssh_config(self) -> Path:
        return self.kubeconfig.with_name("ssh_config")

    def kubectl(self, *arguments: str, stdin: str | None = None, time_limit: float = 30) -> str:
        """Run the host's kubectl against the lab and return its output; raises when it fails."""
        done = subprocess.run(
            [KUBECTL, *arguments],
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig)},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=time_limit,
        )
        if done.returncode:
            raise AssertionError(f"kubectl {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def get(self, *arguments: str) -> Any:
        """Return what `kubectl get ... -o json` prints, parsed."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def bastion(self, command: str, *, time_limit: float = 30) -> subprocess.CompletedProcess[str]:
        """Run one command on the bastion, as `calico-lab bastion` does."""
        return calico_lab("bastion", "--name", self.name, "--", "bash", "-c", command, time_limit=time_limit)


def calico_lab(*arguments: str, time_limit: float = 60) -> subprocess.CompletedProcess[str]:
    """Run the `calico-lab` command."""
    return subprocess.run([CALICO_LAB, *arguments], capture_output=True, text=True, timeout=time_limit)


@contextmanager
def running_lab(name: str) -> Iterator[RunningLab]:
    """A fresh lab, taken down at the end whatever happens."""
    name = f"{name}-{os.getpid()}"
    up = calico_lab("up", "--name", name, "--json")
    try:
        assert up.returncode == 0, up.stdout + up.stderr
        yield RunningLab(name, json.loads(up.stdout))
    finally:
        down = calico_lab("down", "--name", name)
    assert down.returncode == 0, down.stdout + down.stderr
