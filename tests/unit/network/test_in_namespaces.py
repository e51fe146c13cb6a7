"""Runs the tests below ``in_namespaces/`` in namespaces and a root file system of their own, made as a lab's are."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "in_namespaces"
FILES = sorted(path.name for path in FOLDER.glob("inside_*.py"))


@pytest.mark.parametrize("file", FILES)
def test_passes_inside(file):
    namespaces = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
    command = [*namespaces, sys.executable, str(FOLDER / "enter.py"), str(FOLDER / file)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100)
    assert done.returncode == 0, done.stdout
