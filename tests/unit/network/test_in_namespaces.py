"""Runs the tests below ``in_namespaces/`` in namespaces and a root file system of their own, made as a lab's are."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "in_namespaces"
FILES = sorted(path.name for path in FOLDER.glob("inside_*.py"))
NAMESPACES = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")


@pytest.fixture(scope="module")
def runs():
    """Every file in a process of its own, all at once: they wait for BGP more than they compute."""
    started = {}
    for file in FILES:
        command = [*NAMESPACES, sys.executable, str(FOLDER / "enter.py"), str(FOLDER / file)]
        started[file] = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    yield started
    for run in started.values():
        run.kill()
        run.communicate()


@pytest.mark.parametrize("file", FILES)
def test_passes_inside(runs, file):
    output, _ = runs[file].communicate(timeout=100)
    assert runs[file].returncode == 0, output
