"""The ``calico-lab`` command: the one module that knows both the course and the local lab.

Each subcommand imports what it needs when it runs, so that the others start at once.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from calico_lab.errors import CalicoLabError, LabError

if TYPE_CHECKING:
    from calico_lab.local.start.lifecycle import Status

DEFAULT_NAME = "default"

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns 0 only when what was asked is true."""
    parsed = _parser().parse_args(arguments)
    run: Command = parsed.run
    try:
        return run(parsed)
    except CalicoLabError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except OSError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="calico-lab", description="A local lab for the Calico Ingress Gateway course")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(
        name: str, run: Command, text: str, *, lab: bool = True, as_json: bool = False
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        added.set_defaults(run=run)
        if lab:
            added.add_argument("--name", default=DEFAULT_NAME, help="which lab (default: %(default)s)")
        if as_json:
            added.add_argument("--json", action="store_true", help="print JSON, for scripts")
        return added

    command("up", _up, "start the lab, unless it runs already", as_json=True)
    command("down", _down, "stop the lab and leave nothing of it")
    command("status", _status, "tell whether the lab runs; exit code 0 only if it answers", as_json=True)
    command("env", _env, 'print the settings that kubectl and ssh need: eval "$(calico-lab env)"')
    bastion = command("bastion", _bastion, "open a shell on the bastion, or run one command there")
    bastion.add_argument("words", nargs="*", metavar="-- CMD", help="one word: a shell command line; more: as they are")
    demo = command("demo", _demo, "execute the round-robin notebook in the lab, and show what came of it")
    demo.add_argument("--output", default="build/demo", metavar="DIR", help="where to (default: %(default)s)")
    command("fetch", _fetch, "fetch BIRD, hey and nft into the cache, unless they are there", lab=False)
    return parser


class _Version(argparse.Action):
    """As argparse's own ``version``, but looks up the version only when asked."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"calico-lab {version('calico-lab')}")  # noqa: T201
        parser.exit()


def _up(arguments: argparse.Namespace) -> int:
    import time

    from calico_lab.local.start import lifecycle

    begun = time.monotonic()

    def report(step: str) -> None:
        if not arguments.json:
            print(f"{time.monotonic() - begun:5.2f} s  {step}", flush=True)  # noqa: T201

    found = lifecycle.up(arguments.name, report)
    if arguments.json:
        return _print_status(found)
    if not found.running:
        raise LabError(f"lab {found.name!r} was started, but {found.problem}", remedy="calico-lab down, then up again")
    report(f"lab {found.name!r} is up")
    name = "" if found.name == DEFAULT_NAME else f" --name {found.name}"
    print(f'\nTry:  calico-lab bastion{name}\n      eval "$(calico-lab env{name})" && kubectl get nodes')  # noqa: T201
    return 0


def _down(arguments: argparse.Namespace) -> int:
    from calico_lab.local.start import lifecycle

    existed = lifecycle.down(arguments.name)
    print(f"lab {arguments.name!r} is gone" if existed else f"there is no lab {arguments.name!r}")  # noqa: T201
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from calico_lab.local.start import lifecycle

    found = lifecycle.status(arguments.name)
    if arguments.json:
        return _print_status(found)
    for key, value in asdict(found).items():
        shown = "  ".join(f"{name} {address}" for name, address in value.items()) if isinstance(value, dict) else value
        if shown not in (None, ""):
            print(f"{key.replace('_', ' '):15} {shown}")  # noqa: T201
    return 0 if found.running else 1


def _print_status(found: Status) -> int:
    print(json.dumps(asdict(found), indent=2))  # noqa: T201
    return 0 if found.running else 1


def _env(arguments: argparse.Namespace) -> int:
    found = _running(arguments.name)
    print(f"export KUBECONFIG={shlex.quote(str(found.kubeconfig))}")  # noqa: T201
    print(f"export CALICO_LAB_SSH_CONFIG={shlex.quote(str(found.ssh_config))}")  # noqa: T201
    return 0


def _bastion(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from calico_lab.bastion import Bastion

    found = _running(arguments.name)
    words = arguments.words
    bastion = Bastion.find(Path(str(found.ssh_config)), environment={})
    return bastion.interactive((words[0] if len(words) == 1 else shlex.join(words)) if words else None)


def _running(name: str) -> Status:
    from calico_lab.local.start import lifecycle

    found = lifecycle.status(name)
    if not found.running:
        option = "" if name == DEFAULT_NAME else f" --name {name}"
        raise LabError(f"lab {name!r}: {found.problem}", remedy=f"calico-lab up{option}")
    return found


def _demo(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from calico_lab import demo

    return 0 if demo.run(arguments.name, Path(arguments.output)) else 1


def _fetch(_: argparse.Namespace) -> int:
    from calico_lab.local.start import debian

    print(debian.fetch())  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
