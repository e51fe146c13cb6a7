"""The course taken in the lab."""

from __future__ import annotations

import argparse

from calico_lab.commands.framework import Subcommands, name_option, running, say
from calico_lab.course_notebooks import FOLDER, STAGE


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

        --live is for teachers: the narration stands, each cell of code is emptied to a prompt, %solution fills it and
        %run_to catches up.

          calico-lab notebooks
          calico-lab notebooks ~/course -- --no-browser --port 9999
          calico-lab notebooks --live ~/stage
          CALICO_LAB_BASTION=user@host calico-lab notebooks --own-cluster
        """,
    )  # fmt: skip
    notebooks.add_argument("folder", nargs="?", help=f"where to (default: {FOLDER}, or {STAGE})")
    notebooks.add_argument("--live", action="store_true", help="copies for the stage, to be typed in front of others")
    notebooks.add_argument("--only-write", action="store_true", help="open nothing, and start no lab")
    own_cluster = "start no lab: use the cluster that kubectl uses, or CALICO_LAB_..."
    notebooks.add_argument("--own-cluster", action="store_true", help=own_cluster)
    notebooks.set_defaults(words=[])
    slides = subcommands.add(
        "slides", _slides, "make the slides: each deck as one page that works offline, and as PDF",
        """
        The decks are executed in the lab, which is started unless it runs, so that what they show is real. The PDF is
        printed by Chromium. Keys in a page: S for the speaker's view, M for the notes on the slide, D for light or
        dark, ? for the others.

          calico-lab slides
          calico-lab slides ~/talk --no-pdf
        """,
    )  # fmt: skip
    slides.add_argument("folder", nargs="?", default="calico-lab-slides", help="where to (default: %(default)s)")
    slides.add_argument("--no-pdf", action="store_true", help="only the pages, for which no browser is needed")
    slides.add_argument("--own-cluster", action="store_true", help=own_cluster)
    report = subcommands.add(
        "report", _report, "write one HTML page of what your notebooks show",
        """
        Plots and results of the notebooks that you have run and saved, and which steps of the guide are done in the lab
        now. The page stands for itself: it can be sent or printed. Keys and tokens are left out.

          calico-lab report
          calico-lab report ~/course --output my-results.html
        """,
    )  # fmt: skip
    report.add_argument("folder", nargs="?", default=FOLDER, help="where your notebooks are (default: %(default)s)")
    report.add_argument("--output", metavar="FILE", help="where to (default: calico-lab-report.html in the folder)")
    report.add_argument(
        "--own-cluster", action="store_true", help="ask the cluster that kubectl uses, or CALICO_LAB_..."
    )
    demo.add_argument("--output", default="build/demo", metavar="DIR", help="where to (default: %(default)s)")


def _demo(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from calico_lab import demo

    return 0 if demo.run(arguments.name, Path(arguments.output)) else 1


def _notebooks(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from calico_lab import course_notebooks

    folder = Path(arguments.folder or (STAGE if arguments.live else FOLDER)).expanduser()
    course_notebooks.tell(folder, say, live=arguments.live)
    if arguments.only_write:
        return 0
    kubeconfig = None if arguments.own_cluster else _kubeconfig_of_lab(arguments.name)
    if kubeconfig is not None:
        name = arguments.name
        say(f"The lab {name!r} is running; `calico-lab down{name_option(name)}` ends it, Ctrl-C only JupyterLab.")
    return course_notebooks.open_in_jupyter(folder, arguments.words, kubeconfig)


def _report(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from calico_lab import lab
    from calico_lab.errors import LabError, NoClusterError
    from calico_lab.views import report

    try:
        found = lab.connect(None if arguments.own_cluster else running(arguments.name).kubeconfig)
    except (LabError, NoClusterError):
        found = None  # the page says so
    output = Path(arguments.output).expanduser() if arguments.output else None
    say(str(report.write(Path(arguments.folder).expanduser(), output, found)))
    return 0


def _slides(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from rich.console import Console

    from calico_lab import course_notebooks
    from calico_lab.decks import build

    kubeconfig = None if arguments.own_cluster else _kubeconfig_of_lab(arguments.name)
    environment = course_notebooks.environment(kubeconfig)
    folder = Path(arguments.folder).expanduser()
    for deck in build.build(folder, environment, Console(), as_pdf=not arguments.no_pdf):
        for path in filter(None, (deck.page, deck.sheets)):
            say(str(path))
    return 0


def _kubeconfig_of_lab(name: str) -> str:
    from calico_lab.local.start import debian, lifecycle, programs

    if not programs.unpacked_folder().exists():
        say("Fetching BIRD, hey and nft, once")
        debian.fetch()
    lifecycle.up(name, lambda _step: None)
    found = running(name)
    return str(found.kubeconfig)
