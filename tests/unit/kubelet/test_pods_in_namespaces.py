"""Runs the tests below ``in_namespaces/`` in namespaces and a root file system of their own, made as a lab's are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ENTER = Path(__file__).parents[1] / "network/in_namespaces/enter.py"
FILES = sorted(Path(__file__).parent.glob("in_namespaces/inside_*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_passes_inside(file):
    namespaces = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
    command = [*namespaces, sys.executable, str(ENTER), str(file)]
    environment = os.environ | {"PYTEST_ADDOPTS": "--timeout=30"}
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100
    )
    assert done.returncode == 0, done.stdout
