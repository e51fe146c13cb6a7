"""A lab's life: up, reset, down, and which labs there are."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from calico_lab.commands import steps
from calico_lab.commands.framework import Subcommands, name_option, say, say_json
from calico_lab.errors import LabError

if TYPE_CHECKING:
    from calico_lab.local.start.status import Status


def add_to(subcommands: Subcommands) -> None:
    """Add the subcommands of this group."""
    up = subcommands.add(
        "up", _up, "start the lab, unless it runs already",
        """
        First looks whether this machine can run a lab, as `calico-lab doctor` does. Everything that the lab is lives
        in namespaces of its own; `calico-lab down`, or a kill, leaves nothing of it.

        With --to STEP the guide's steps are then taken, up to and with that one; `calico-lab steps` lists them.

          calico-lab up
          calico-lab up --to gateway
          calico-lab up --name second
        """,
        as_json=True,
    )  # fmt: skip
    reset = subcommands.add(
        "reset", _reset, "make the lab as fresh as after `up`, at the same addresses",
        """
        Kubeconfig, SSH configuration, ports and keys stay as they are, so that notebooks and open terminals go on.
        The same steps taken afterwards give the same pod names, addresses and counts.

          calico-lab reset
          calico-lab reset --to prerequisites
        """,
        as_json=True,
    )  # fmt: skip
    for command in (up, reset):
        command.add_argument("--to", metavar="STEP", help="take the guide's steps up to and with this one")
    subcommands.add("down", _down, "stop the lab and leave nothing of it")
    subcommands.add(
        "status", _status, "tell whether the lab runs; exit code 0 only if it answers",
        "Asks the API server whether it is ready, and the bastion for its SSH banner.", as_json=True,
    )  # fmt: skip
    subcommands.add(
        "list", _list, "list all labs of this user",
        "A lab that was killed is listed until it is started again or taken down.", lab=False, as_json=True,
    )  # fmt: skip


def _up(arguments: argparse.Namespace) -> int:
    from calico_lab.local.start import lifecycle

    return _begin(arguments, lifecycle.up, "is up")


def _reset(arguments: argparse.Namespace) -> int:
    from calico_lab.local.start import lifecycle

    return _begin(arguments, lifecycle.reset, "is fresh")


class _Progress:
    """Hears of each step that a start has come to, and tells it."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._silent: bool = arguments.json
        self._steps_follow = bool(arguments.to)
        self._begun = time.monotonic()
        self.started = False

    def __call__(self, step: str) -> None:
        if not self.started:
            self.started = True
            if self._steps_follow:
                steps.warm_up()  # not before: a process with several threads should not fork, and a start does
        if not self._silent:
            try:
                say(f"{time.monotonic() - self._begun:5.2f} s  {step}")
            except BrokenPipeError:  # nobody reads on, and the lab comes up all the same
                self._silent = True


def _begin(arguments: argparse.Namespace, start: Callable[[str, Callable[[str], None]], Status], outcome: str) -> int:
    if arguments.to:
        steps.require_known(arguments.to)
    progress = _Progress(arguments)
    found = start(arguments.name, progress)
    fresh = progress.started
    if found.running:
        progress(f"lab {found.name!r} {outcome}")
        if arguments.to:
            steps.take(found, arguments.to, progress, fresh=fresh)
    if arguments.json:
        return _say_status(found)
    if not found.running:
        raise LabError(
            f"lab {found.name!r} was started, but {found.problem}",
            remedy=f"calico-lab down{name_option(found.name)}, then calico-lab up{name_option(found.name)}",
        )
    name = name_option(found.name)
    say(f'\nTry:  calico-lab bastion{name}\n      eval "$(calico-lab env{name})" && kubectl get nodes')
    return 0


def _down(arguments: argparse.Namespace) -> int:
    from calico_lab.local.start import lifecycle

    existed = lifecycle.down(arguments.name)
    say(f"lab {arguments.name!r} is gone" if existed else f"there is no lab {arguments.name!r}")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from calico_lab.local.start import lifecycle

    found = lifecycle.status(arguments.name)
    if arguments.json:
        return _say_status(found)
    for key, value in asdict(replace(found, parts=[])).items():
        if value not in (None, "", []):
            say(f"{key.replace('_', ' '):15} {_shown(value)}")
    for part in found.parts:
        if part["restarts"]:
            times = f"started again {part['restarts']} times, the last at {part['restarted']}: {part['lastEnd']}"
            say(f"{part['name']:15} {times}")
    if not found.running:
        say(f"\nNext: calico-lab up{name_option(found.name)}")
    return 0 if found.running else 1


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{name} {address}" for name, address in value.items())
    return "  ".join(value) if isinstance(value, list) else str(value)


def _say_status(found: Status) -> int:
    say_json(asdict(found))
    return 0 if found.running else 1


def _list(arguments: argparse.Namespace) -> int:
    from calico_lab.local.start import lifecycle

    found = lifecycle.all_labs()
    if arguments.json:
        say_json([asdict(status) for status in found])
        return 0
    width = max((len(status.name) for status in found), default=0)
    for status in found:
        say(f"{status.name:{width}}  {_line(status)}")
    if not found:
        say("There is no lab. Next: calico-lab up")
    return 0


def _line(status: Status) -> str:
    if not status.running:
        return f"not running: {status.problem}"
    return f"API 127.0.0.1:{status.api_port}  SSH 127.0.0.1:{status.ssh_port}  up {status.uptime_seconds:.0f} s"
