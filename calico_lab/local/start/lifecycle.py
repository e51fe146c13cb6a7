"""Up, down and status of a lab, as seen from the machine it runs on."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import replace

from calico_lab.errors import LabError
from calico_lab.local.doctor.examination import require_able
from calico_lab.local.start import probe, programs, requests
from calico_lab.local.start.beginning import begin, begin_again, require_former
from calico_lab.local.start.discovery_cache import forget_discovery
from calico_lab.local.start.state import StateFolder, all_names, start_of
from calico_lab.local.start.status import Status

STOP_SECONDS = 10.0


def up(name: str, report: Callable[[str], None]) -> Status:
    """Start the lab ``name`` unless it runs already; returns when it can be used.

    ``report`` hears each step that is done, the first of them once the lab's first process runs. Raises ``LabError``
    with the end of the log if the lab does not come up, ``MissingProgramError`` or ``UnsupportedHostError`` if this
    machine cannot run one.
    """
    state = StateFolder(name)
    state.require_own()
    if not state.alive():
        require_able()
    found = programs.find()
    with state.locked():
        if not state.alive():
            state.empty()
            begin(state, found, report)
    return status(name)


def reset(name: str, report: Callable[[str], None]) -> Status:
    """Put a fresh lab in place of the lab ``name``, to be reached as that one was; returns when it can be used.

    Raises ``LabError`` when there is none to be reset, or as :func:`up` does.
    """
    state = StateFolder(name)
    state.require_own()
    if state.description() is None:
        raise LabError(f"there is no lab {name!r} to be reset", remedy=f"calico-lab up --name {name}")
    found = programs.find()
    with state.locked():
        former = require_former(state)
        if state.alive():
            _kill(state)
        begin_again(state, found, report, former)
    return status(name)


def all_labs() -> list[Status]:
    """Return the status of each lab of this user, by name; of a folder that is not the user's own, that it is not."""
    return [_status_or_problem(name) for name in all_names()]


def _status_or_problem(name: str) -> Status:
    try:
        return status(name)
    except LabError as error:
        return Status(name, running=False, problem=error.problem)


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
        if known := state.description():
            forget_discovery(known.api_port)
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
    found = Status(
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
    return found if problem else _with_parts(found)


def _with_parts(found: Status) -> Status:
    try:
        hosts, parts = requests.ask(found, "GET", "hosts"), requests.ask(found, "GET", "parts")
    except LabError as error:
        return replace(found, running=False, problem=error.problem)
    return replace(found, cut_off=[host["name"] for host in hosts if not host["carries"]], parts=parts)


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
        if start_of(known.pid) not in (known.started, 0):
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
