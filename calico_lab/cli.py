"""The ``calico-lab`` command: with ``calico_lab.commands`` all that knows both the course and the local lab."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from calico_lab.commands import cables, course, envoy, life, logs, machine, shells, steps
from calico_lab.commands.framework import Command, Subcommands, say
from calico_lab.errors import CalicoLabError, LabError, UnsupportedHostError
from calico_lab.local.doctor.finding import not_linux

GROUPS = (life, steps, shells, logs, envoy, cables, machine, course)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns 0 only when what was asked is true."""
    parsed = _parse(sys.argv[1:] if arguments is None else arguments)
    run: Command = parsed.run
    try:
        if sys.platform != "linux":
            elsewhere = not_linux(sys.platform)
            raise UnsupportedHostError(elsewhere.problem, remedy=elsewhere.remedy)
        _require_home()
        return run(parsed)
    except CalicoLabError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except BrokenPipeError:
        # Who read the output has had enough of it; Python would complain once more when it closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130


def _require_home() -> None:
    try:
        Path.home()
    except RuntimeError:
        problem = "the environment names no home folder (HOME), and the system knows none of this user"
        raise LabError(problem, remedy="export HOME=FOLDER, one that is yours") from None


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; what stands behind ``--`` are the words of a command, whatever options it has."""
    given = list(arguments)
    end = given.index("--") if "--" in given else len(given)
    parser = _parser()
    parsed = parser.parse_args(given[:end])
    if words := given[end + 1 :]:
        if not hasattr(parsed, "words"):
            parser.error(f"this takes no command: {' '.join(words)}")
        parsed.words += words
    return parsed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="calico-lab",
        description="A local lab for the Calico Ingress Gateway course.",
        epilog="`calico-lab COMMAND --help` tells more of each.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    subcommands = Subcommands(parser)
    for group in GROUPS:
        group.add_to(subcommands)
    return parser


class _Version(argparse.Action):
    """As argparse's own ``version``, but looks up the version only when asked."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        say(f"calico-lab {version('calico-lab')}")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
