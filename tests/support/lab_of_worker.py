"""pytest plugin: a fresh lab for each worker of pytest-xdist (or for the one process there is), in its environment.

Notebooks find the lab where a learner's do, by what ``calico-lab env`` prints.
"""

from __future__ import annotations

import os
import shlex
from contextlib import ExitStack

import pytest

from support.labs import calico_lab, running_lab

_labs = ExitStack()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the lab, unless this process only hands tests to workers."""
    if session.config.getoption("numprocesses", None):
        return
    lab = _labs.enter_context(running_lab("worker"))
    for line in calico_lab("env", "--name", lab.name).stdout.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["export"]:
            os.environ.update([words[1].split("=", 1)])


def pytest_sessionfinish() -> None:
    """Take it down, whatever came of the tests."""
    _labs.close()
