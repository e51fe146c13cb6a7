"""The beginning of a lab: sockets, first process, credentials, and the wait until it can be used."""

from __future__ import annotations

import json
import os
import random
import select
import shlex
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from calico_lab.errors import LabError
from calico_lab.local.start import launch
from calico_lab.local.start.discovery_cache import forget_discovery
from calico_lab.local.start.programs import Programs, folders_needed
from calico_lab.local.start.settings import READY, Settings
from calico_lab.local.start.state import Description, StateFolder, start_of

LIMIT_SECONDS = 30.0
LOG_LINES_SHOWN = 20
# The same for every lab, so that every learner sees the names that the course's notebooks hold.
SEED = "calico-lab"
# Below those that the kernel gives to whoever connects (32768 and more, unless told otherwise: ip_local_port_range in
# https://docs.kernel.org/networking/ip-sysctl.html), so that a lab which begins again finds its own still free.
PORTS = range(20_000, 30_000)
PORTS_TRIED = 50

Report = Callable[[str], None]


@dataclass(frozen=True)
class _Lab:
    """The lab on its way: first process, the ports it serves, where to tell it and where it tells."""

    process: launch.Launched
    api_port: int
    ssh_port: int
    settings: int
    progress: int


def begin(state: StateFolder, programs: Programs, report: Report) -> None:
    """Start a lab in an empty state folder and wait until its API and bastion answer and its nodes are Ready.

    Raises ``LabError`` with the end of its log if it fails or takes too long; nothing of it is left then but the log.
    """
    _begin(state, programs, report, _launch(state, api_port=0, ssh_port=0), _new_credentials)


@dataclass(frozen=True)
class Former:
    """By what a lab was reached that is to begin again."""

    api_port: int
    ssh_port: int
    credentials: str


def require_former(state: StateFolder) -> Former:
    """Return by what a lab is reached, from its state folder; raises ``LabError`` when that is not all there."""
    known, credentials = state.description(), state.read_credentials()
    if known is None or not credentials:
        raise LabError(f"{state.path} does not hold what is needed to begin again", remedy="calico-lab down, then up")
    return Former(known.api_port, known.ssh_port, credentials)


def begin_again(state: StateFolder, programs: Programs, report: Report, former: Former) -> None:
    """Start a fresh lab in place of one that has ended, to be reached as that one was: same ports, same credentials.

    Raises ``LabError`` as :func:`begin` does, or when a port has been taken meanwhile.
    """
    lab = _launch(state, former.api_port, former.ssh_port)
    _begin(state, programs, report, lab, lambda _state, _lab: former.credentials)


def _begin(
    state: StateFolder, programs: Programs, report: Report, lab: _Lab, credentials: Callable[[StateFolder, _Lab], str]
) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    try:
        pid = lab.process.pid
        # At once: from here on `down` finds the process, whatever becomes of this one.
        state.describe(Description(state.name, pid, start_of(pid), lab.api_port, lab.ssh_port))
        forget_discovery(lab.api_port)
        with os.fdopen(lab.settings, "w") as settings:
            visible = tuple(folders_needed(programs))
            settings.write(Settings(state.name, SEED, programs, visible, state.path).to_line())
            settings.flush()
            settings.write(credentials(state, lab) + "\n")
        report("first process in namespaces of its own")
        _wait(lab, deadline, report)
    except BaseException as error:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(lab.process.descriptor, signal.SIGKILL)
        if isinstance(error, LabError | BrokenPipeError):
            raise LabError(f"the lab did not come up: {error}\n{_last_lines(state.log)}") from error
        raise
    finally:
        os.close(lab.progress)
        os.close(lab.process.descriptor)


def _launch(state: StateFolder, api_port: int, ssh_port: int) -> _Lab:
    """Start the first process with what it inherits; of that only it keeps a copy. Port 0 means any free one."""
    with ExitStack() as stack:

        def closing(descriptor: int) -> int:
            stack.callback(os.close, descriptor)
            return descriptor

        # Made here, on the machine's own loopback: the first process will be in another network.
        api_socket, ssh_socket = (stack.enter_context(_listen(port)) for port in (api_port, ssh_port))
        settings_end, settings = os.pipe()
        progress, progress_end = os.pipe()
        log = closing(state.open_log())
        process = launch.launch(
            state.name,
            (closing(settings_end), log, log),
            (api_socket.fileno(), ssh_socket.fileno(), closing(progress_end), closing(state.open_alive())),
        )
        return _Lab(process, api_socket.getsockname()[1], ssh_socket.getsockname()[1], settings, progress)


def _listen(port: int) -> socket.socket:
    """Listen at a port of loopback, at any that is free for 0."""
    refused: OSError | None = None
    for each in [port] if port else random.sample(PORTS, PORTS_TRIED):
        try:
            return socket.create_server(("127.0.0.1", each), backlog=128)
        except OSError as error:
            refused = error
    raise LabError(
        f"port {each} of this machine's loopback cannot be had: {refused}",
        remedy="calico-lab down, then up: a new lab takes ports that are free",
    ) from refused


def _new_credentials(state: StateFolder, lab: _Lab) -> str:
    """Make the credentials and write the files of the state folder; returns the credentials as a line for the lab."""
    # Imported here, while the first process is already at work.
    from calico_lab.local.start import connection, credentials

    issued = credentials.issue()
    server = f"https://127.0.0.1:{lab.api_port}"
    kubeconfig = connection.kubeconfig(
        server, issued, lab=state.name, ssh_config=state.ssh_config, reset=_reset_command(state)
    )
    state.write(state.kubeconfig, kubeconfig)
    state.write(state.client_key, issued.ssh_client_key)
    state.write(state.known_hosts, connection.known_hosts(lab.ssh_port, issued))
    state.write(state.ssh_config, connection.ssh_config(lab.ssh_port, state.client_key, state.known_hosts))
    line = json.dumps(asdict(issued))
    state.write(state.credentials, line)
    return line


def _reset_command(state: StateFolder) -> str:
    """Return the command that makes this lab fresh, to be run from anywhere and in any environment."""
    return shlex.join(
        (
            *("env", f"XDG_STATE_HOME={state.path.parent.parent}"),
            *(sys.executable, "-P", "-m", "calico_lab.cli", "reset", "--name", state.name),
        )
    )


def _wait(lab: _Lab, deadline: float, report: Report) -> None:
    """Pass on what the first process reports until it says that the lab is ready."""
    unread = b""
    while True:
        left = max(0.0, deadline - time.monotonic())
        if not select.select([lab.progress], [], [], left)[0]:
            raise LabError(f"it was not ready after {LIMIT_SECONDS:.0f} s")
        piece = os.read(lab.progress, 4096)
        if not piece:
            raise LabError("its first process ended")
        *lines, unread = (unread + piece).split(b"\n")
        for line in lines:
            if line.decode() == READY:
                return
            report(line.decode())


def _last_lines(log: Path) -> str:
    with log.open(errors="replace") as lines:
        return "".join(deque(lines, maxlen=LOG_LINES_SHOWN))
