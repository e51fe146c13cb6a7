"""The beginning of a lab: sockets, first process, credentials, and the wait until it can be used."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from calico_lab.errors import LabError
from calico_lab.local.start import launch
from calico_lab.local.start.programs import Programs, folders_needed
from calico_lab.local.start.settings import READY, Settings
from calico_lab.local.start.state import Description, StateFolder, start_of

LIMIT_SECONDS = 30.0
LOG_LINES_SHOWN = 20
# The same for every lab, so that every learner sees the names that the course's notebooks hold.
SEED = "calico-lab"

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
    deadline = time.monotonic() + LIMIT_SECONDS
    lab = _launch(state)
    try:
        pid = lab.process.pid
        # At once: from here on `down` finds the process, whatever becomes of this one.
        state.describe(Description(state.name, pid, start_of(pid), lab.api_port, lab.ssh_port))
        with os.fdopen(lab.settings, "w") as settings:
            visible = tuple(folders_needed(programs))
            settings.write(Settings(state.name, SEED, programs, visible, state.path).to_line())
            settings.flush()
            settings.write(_write_connection(state, lab))
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


def _launch(state: StateFolder) -> _Lab:
    """Start the first process with what it inherits; of that only it keeps a copy."""
    with ExitStack() as stack:

        def closing(descriptor: int) -> int:
            stack.callback(os.close, descriptor)
            return descriptor

        # Made here, on the machine's own loopback: the first process will be in another network.
        api_socket, ssh_socket = stack.enter_context(_listen()), stack.enter_context(_listen())
        settings_end, settings = os.pipe()
        progress, progress_end = os.pipe()
        log = closing(state.open_log())
        process = launch.launch(
            state.name,
            (closing(settings_end), log, log),
            (api_socket.fileno(), ssh_socket.fileno(), closing(progress_end), closing(state.open_alive())),
        )
        return _Lab(process, api_socket.getsockname()[1], ssh_socket.getsockname()[1], settings, progress)


def _listen() -> socket.socket:
    # Any free port, a new one for each lab: kubectl remembers, by the server's address, which resources it serves.
    return socket.create_server(("127.0.0.1", 0), backlog=128)


def _write_connection(state: StateFolder, lab: _Lab) -> str:
    """Make the credentials and write the files of the state folder; returns the credentials as a line for the lab."""
    import json  # imported here, like the rest, while the first process is already at work
    from dataclasses import asdict

    from calico_lab.local.start import connection, credentials

    issued = credentials.issue()
    server = f"https://127.0.0.1:{lab.api_port}"
    kubeconfig = connection.kubeconfig(server, issued, lab=state.name, ssh_config=state.ssh_config)
    state.write(state.kubeconfig, kubeconfig)
    state.write(state.client_key, issued.ssh_client_key)
    state.write(state.known_hosts, connection.known_hosts(lab.ssh_port, issued))
    state.write(state.ssh_config, connection.ssh_config(lab.ssh_port, state.client_key, state.known_hosts))
    return json.dumps(asdict(issued)) + "\n"


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
