"""What stands behind ``systemctl`` on the bastion: the one unit there is, bird.

The command itself only hands its arguments over a Unix socket to :func:`answer` and prints what comes back. Words and
exit codes are systemd's (https://www.freedesktop.org/software/systemd/man/latest/systemctl.html, "Exit status").
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from calico_lab import errors
from calico_lab.local.start.namespaces import Namespaces

if TYPE_CHECKING:
    from calico_lab.local.network.bird import Bird

SOCKET = Path("/run/calico-lab/systemctl")
UNIT = "bird.service"
CHANGES = ("start", "stop", "restart", "reload")
QUESTIONS = ("status", "is-active")


@dataclass(frozen=True)
class Answer:
    """What ``systemctl`` prints and the code it exits with."""

    exit_code: int = 0
    output: str = ""
    errors: str = ""


async def listen(namespaces: Namespaces, bird: Bird) -> asyncio.Server:
    """Serve ``systemctl`` inside the bastion; the server is closed by its caller."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arguments = json.loads(await reader.read())
        writer.write(json.dumps(asdict(await answer(arguments, bird))).encode())
        writer.close()

    return await asyncio.start_unix_server(handle, sock=_bound(namespaces))


def _bound(namespaces: Namespaces) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    with namespaces.entered():
        SOCKET.parent.mkdir(exist_ok=True)
        SOCKET.unlink(missing_ok=True)
        listening.bind(str(SOCKET))
    return listening


async def answer(arguments: Sequence[str], bird: Bird) -> Answer:
    """Do what the arguments of ``systemctl`` ask for, as far as the lab's bastion can."""
    match arguments:
        case [verb, unit] if verb in CHANGES:
            return await _change(verb, _full_name(unit), bird)
        case [verb, unit] if verb in QUESTIONS:
            return _look(verb, _full_name(unit), bird)
        case _:
            given = " ".join(arguments)
            knows = ", ".join(CHANGES + QUESTIONS)
            return Answer(1, errors=f"systemctl {given}: the lab's stand-in for systemctl only knows: {knows} UNIT\n")


async def _change(verb: str, unit: str, bird: Bird) -> Answer:
    if unit != UNIT:
        return Answer(5, errors=f"Failed to {verb} {unit}: Unit {unit} not found.\n")
    if verb == "reload" and not bird.running:
        return Answer(1, errors=f"{unit} is not active, cannot reload.\n")
    action = {"start": bird.start, "stop": bird.stop, "restart": bird.restart, "reload": bird.configure}[verb]
    try:
        await action()
    except errors.CalicoLabError as error:
        failed = f"Job for {unit} failed because the control process exited with error code.\n"
        return Answer(1, errors=f"{failed}{error}\n")
    return Answer()


def _look(verb: str, unit: str, bird: Bird) -> Answer:
    if verb == "is-active":
        active = unit == UNIT and bird.running
        return Answer(0 if active else 3 if unit == UNIT else 4, output="active\n" if active else "inactive\n")
    if unit != UNIT:
        return Answer(4, errors=f"Unit {unit} could not be found.\n")
    mark, state = ("●", "active (running)") if bird.running else ("○", "inactive (dead)")
    lines = f"{mark} {UNIT} - BIRD Internet Routing Daemon (supervised by the local lab)\n     Active: {state}\n"
    return Answer(0 if bird.running else 3, output=lines)


def _full_name(unit: str) -> str:
    return unit if "." in unit else f"{unit}.service"
