"""The course taken in the lab."""

from __future__ import annotations

import argparse

from calico_lab.commands.framework import Subcommands


def add_to(subcommands: Subcommands) -> None:
    """Add the subcommands of this group."""
    demo = subcommands.add(
        "demo", _demo, "execute the round-robin notebook in the lab, and show what came of it",
        "Starts the lab unless it runs. Exit code 0 only if the requests were spread evenly.",
    )  # fmt: skip
    demo.add_argument("--output", default="build/demo", metavar="DIR", help="where to (default: %(default)s)")


def _demo(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from calico_lab import demo

    return 0 if demo.run(arguments.name, Path(arguments.output)) else 1
