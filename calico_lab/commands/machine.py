"""The machine itself: whether it can run a lab, and the programs that it takes."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from calico_lab.commands.framework import Subcommands, say, say_json


def add_to(subcommands: Subcommands) -> None:
    """Add the subcommands of this group."""
    subcommands.add(
        "doctor", _doctor, "tell whether this machine can run a lab, and what mends it if not",
        """
        Looks at each part that a lab needs: its version, where it is, or what is wrong and the command for that.
        Exit code 0 only if all is well. `up` looks at the same, but for versions and the mirror, and refuses in the
        same words.
        """,
        lab=False, as_json=True,
    )  # fmt: skip
    subcommands.add(
        "fetch", _fetch, "fetch BIRD, hey and nft into the cache, unless they are there",
        """
        They are unpacked from Debian's packages, which apt downloads from this machine's own mirror and checks; an
        ordinary user can do this, and nothing is installed. Prints the folder.
        """,
        lab=False,
    )  # fmt: skip


def _doctor(arguments: argparse.Namespace) -> int:
    from calico_lab.local.doctor.examination import examine

    found = examine()
    if arguments.json:
        say_json([{"well": finding.well} | asdict(finding) for finding in found])
    else:
        width = max(len(finding.part) for finding in found)
        for finding in found:
            told = finding.problem or "  ".join(filter(None, (finding.version, finding.where)))
            say(f"{'✓' if finding.well else '✗'} {finding.part:{width}}  {told}".rstrip())
            if not finding.well:
                say(f"  {'':{width}}  Next: {finding.remedy}")
    return 0 if all(finding.well for finding in found) else 1


def _fetch(_: argparse.Namespace) -> int:
    from calico_lab.local.start import debian

    say(str(debian.fetch()))
    return 0
