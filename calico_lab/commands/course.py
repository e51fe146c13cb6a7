"""The course taken in the lab."""

from __future__ import annotations

import argparse

from calico_lab.commands.framework import Subcommands, name_option, running, say


def add_to(subcommands: Subcommands) -> None:
    """Add the subcommands of this group."""
    demo = subcommands.add(
        "demo", _demo, "execute the round-robin notebook in the lab, and show what came of it",
        "Starts the lab unless it runs. Exit code 0 only if the requests were spread evenly.",
    )  # fmt: skip
    notebooks = subcommands.add(
        "notebooks", _notebooks, "open the course's notebooks in JupyterLab, with the lab running",
        """
        The notebooks are copied into a folder that is yours; one that is there already is never overwritten. Ctrl-C
        ends JupyterLab; the lab goes on until `calico-lab down`. Options for JupyterLab itself stand behind --.

          calico-lab notebooks
          calico-lab notebooks ~/course -- --no-browser --port 9999
          CALICO_LAB_BASTION=user@host calico-lab notebooks --own-cluster
        """,
    )  # fmt: skip
    notebooks.add_argument("folder", nargs="?", default="calico-lab-notebooks", help="where to (default: %(default)s)")
    notebooks.add_argument(
        "--own-cluster", action="store_true", help="start no lab: use the cluster that kubectl uses, or CALICO_LAB_..."
    )
    notebooks.set_defaults(words=[])
    demo.add_argument("--output", default="build/demo", metavar="DIR", help="where to (default: %(default)s)")


def _demo(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from calico_lab import demo

    return 0 if demo.run(arguments.name, Path(arguments.output)) else 1


def _notebooks(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from calico_lab import course_notebooks

    folder = Path(arguments.folder).expanduser()
    course_notebooks.tell(folder, say)
    kubeconfig = None if arguments.own_cluster else _kubeconfig_of_lab(arguments.name)
    course_notebooks.open_in_jupyter(folder, arguments.words, kubeconfig)


def _kubeconfig_of_lab(name: str) -> str:
    from calico_lab.local.start import debian, lifecycle, programs

    if not programs.unpacked_folder().exists():
        say("Fetching BIRD, hey and nft, once")
        debian.fetch()
    lifecycle.up(name, lambda _step: None)
    found = running(name)
    say(f"The lab {name!r} is running; `calico-lab down{name_option(name)}` ends it, Ctrl-C only JupyterLab.")
    return str(found.kubeconfig)
