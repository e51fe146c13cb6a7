"""What the groups of subcommands share: how one is added, how it speaks, which lab it is about."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from calico_lab.errors import LabError

if TYPE_CHECKING:
    from calico_lab.local.start.status import Status

DEFAULT_NAME = "default"

Command = Callable[[argparse.Namespace], int]


class Subcommands:
    """Adds subcommands to the parser of ``calico-lab``."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(
        self, name: str, run: Command, summary: str, details: str = "", *, lab: bool = True, as_json: bool = False
    ) -> argparse.ArgumentParser:
        """Add one; ``summary`` stands in the list of commands, ``details`` below it in the command's own help.

        ``run`` returns the exit code: 0 only when what was asked is true.
        """
        description = f"{summary[0].upper()}{summary[1:]}.\n\n{textwrap.dedent(details).strip()}".strip()
        added = self._actions.add_parser(
            name, help=summary, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        added.set_defaults(run=run)
        if lab:
            added.add_argument("--name", default=DEFAULT_NAME, help="which lab (default: %(default)s)")
        if as_json:
            added.add_argument("--json", action="store_true", help="print JSON, for scripts")
        return added


def say(text: str) -> None:
    """Print a line at once, also into a pipe."""
    print(text, flush=True)  # noqa: T201


def say_json(value: Any) -> None:
    """Print a value as JSON."""
    say(json.dumps(value, indent=2))


def name_option(name: str) -> str:
    """Return what a learner adds to a command to mean the lab ``name``."""
    return "" if name == DEFAULT_NAME else f" --name {name}"


def running(name: str) -> Status:
    """Return the status of a lab that answers; raises ``LabError`` when it does not."""
    from calico_lab.local.start import lifecycle

    found = lifecycle.status(name)
    if not found.running:
        up = f"calico-lab up{name_option(name)}"
        remedy = up if found.pid is None else f"calico-lab down{name_option(name)}, then {up}"
        raise LabError(f"lab {name!r}: {found.problem}", remedy=remedy)
    return found
