"""Runs the tests below ``in_namespaces/`` in namespaces and a root file system of their own, made as a lab's are."""

import os
import subprocess
import sys
from pathlib import Path

ENTER = Path(__file__).parents[1] / "network/in_namespaces/enter.py"
FILE = Path(__file__).parent / "in_namespaces/inside_kubelet.py"


def test_passes_inside():
    namespaces = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
    command = [*namespaces, sys.executable, str(ENTER), str(FILE)]
    environment = os.environ | {"PYTEST_ADDOPTS": "--timeout=30"}
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100
    )
    assert done.returncode == 0, done.stdout
