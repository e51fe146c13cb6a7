"""Up, down and status of a lab, as seen from the machine it runs on."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from calico_lab.errors import LabError, UnsupportedHostError
from calico_lab.local.start import probe, programs
from calico_lab.local.start.beginning import begin
from calico_lab.local.start.state import StateFolder, start_of
from calico_lab.local.topology import HOSTS

STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Status:
    """A lab as a script wants to know it; ``running`` only if its API and its bastion answer."""

    name: str
    running: bool
    problem: str = ""
    pid: int | None = None
    api_port: int | None = None
    ssh_port: int | None = None
    kubeconfig: str | None = None
    ssh_config: str | None = None
    uptime_seconds: float | None = None
    hosts: dict[str, str] = field(default_factory=lambda: {host.name: str(host.address) for host in HOSTS})


def up(name: str, report: Callable[[str], None]) -> Status:
    """Start the lab ``name`` unless it runs already; returns when it can be used.

    ``report`` hears each step that is done. Raises ``LabError`` with the end of the log if the lab does not come up,
    ``MissingProgramError`` or ``UnsupportedHostError`` if it cannot.
    """
    if sys.platform != "linux":
        raise UnsupportedHostError("the local lab is made of Linux namespaces", remedy="run it in a Linux machine")
    found = programs.find()
    state = StateFolder(name)
    with state.locked():
        if not state.alive():
            state.empty()
            begin(state, found, report)
    return status(name)


def down(name: str) -> bool:
    """Stop the lab ``name`` and delete its state folder; returns whether there was one.

    Raises ``LabError`` when its first process cannot be told for certain, or does not end.
    """
    state = StateFolder(name)
    state.require_own()
    if not state.path.exists():
        return False
    with state.locked():
        if state.alive():
            _kill(state)
        state.remove()
    return True


def status(name: str) -> Status:
    """Return what there is to know about the lab ``name``."""
    state = StateFolder(name)
    state.require_own()
    known = state.description()
    if known is None:
        return Status(name, running=False, problem="there is no such lab")
    if not state.alive():
        return Status(name, running=False, problem=f"its first process has ended; its last words are in {state.log}")
    problem = probe.api_problem(known.api_port, state.kubeconfig) or probe.ssh_problem(known.ssh_port)
    since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
    return Status(
        name=name,
        running=not problem,
        problem=problem,
        pid=known.pid,
        api_port=known.api_port,
        ssh_port=known.ssh_port,
        kubeconfig=str(state.kubeconfig),
        ssh_config=str(state.ssh_config),
        uptime_seconds=round(since_boot - known.started / os.sysconf("SC_CLK_TCK"), 1),
    )


def _kill(state: StateFolder) -> None:
    """Kill the first process, and with it everything inside; returns when nothing of it is left."""
    known = state.description()
    if known is None:
        _await_end(state)
        return
    try:
        descriptor = os.pidfd_open(known.pid)
    except ProcessLookupError:
        return  # it has ended meanwhile
    try:
        # The descriptor is open: from here on the pid cannot pass to another process unnoticed.
        if start_of(known.pid) != known.started:
            raise LabError(f"lab {state.name!r} runs, but lab.json names another process as its first")
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        if not select.select([descriptor], [], [], STOP_SECONDS)[0]:
            raise LabError(f"the lab's first process, {known.pid}, did not end in {STOP_SECONDS:.0f} s")
    finally:
        os.close(descriptor)


def _await_end(state: StateFolder) -> None:
    """Wait for a first process that nobody has described: its `up` was killed, so that it will end by itself."""
    deadline = time.monotonic() + STOP_SECONDS
    while state.alive():
        if time.monotonic() > deadline:
            raise LabError(f"lab {state.name!r} runs, but which process is its first cannot be told: lab.json is gone")
        time.sleep(0.02)
