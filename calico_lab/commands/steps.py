"""The guide's steps, taken in a lab for the learner: ``calico-lab steps``, and the option ``--to``."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from calico_lab.commands.framework import Subcommands, say, say_json

if TYPE_CHECKING:
    from calico_lab.local.start.status import Status

Report = Callable[[str], None]

_warming: list[threading.Thread] = []


def add_to(subcommands: Subcommands) -> None:
    """Add the subcommands of this group."""
    subcommands.add(
        "steps", _steps, "list the steps of the guide that `up` and `reset` can take",
        """
          calico-lab up --to prerequisites
          calico-lab reset --to route
        """,
        lab=False, as_json=True,
    )  # fmt: skip


def _steps(arguments: argparse.Namespace) -> int:
    from calico_lab.lessons.steps import ALIASES, STEPS

    if arguments.json:
        say_json([{"name": step.name, "title": step.title} for step in STEPS])
        return 0
    for step in STEPS:
        also = "".join(f"   (up to here also: {alias})" for alias, name in ALIASES.items() if name == step.name)
        say(f"{step.name:14} {step.title}{also}")
    return 0


def require_known(target: str) -> None:
    """Raise ``StepError`` when the guide has no such step."""
    from calico_lab.lessons.steps import upto

    upto(target)


def take(found: Status, target: str, report: Report, *, fresh: bool) -> None:
    """Take the steps up to and with ``target`` in a running lab; see :func:`calico_lab.lessons.steps.take`."""
    for warming in _warming:
        warming.join()  # two threads in the midst of the same imports can wait for each other for ever
    from calico_lab.kubeconfig import read
    from calico_lab.lab import Lab
    from calico_lab.lessons import steps

    steps.take(Lab(read(str(found.kubeconfig))), target, report, fresh=fresh)


def warm_up() -> None:
    """Import what :func:`take` needs while there is nothing to do but wait for the lab."""
    _warming.append(threading.Thread(target=_import, daemon=True))
    _warming[-1].start()


def _import() -> None:
    import importlib

    for module in ("kubernetes.dynamic", "calico_lab.ssh", "calico_lab.lessons.steps"):
        importlib.import_module(module)
