"""What a check has found of one part."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One part of what a lab needs: well, or what is wrong with it and the command that mends it.

    Without an ``essential`` part a lab cannot run, and ``up`` refuses.
    """

    part: str
    version: str = ""
    where: str = ""
    problem: str = ""
    remedy: str = ""
    essential: bool = True

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problem


def not_linux(platform: str) -> Finding:
    """Return the finding of any other system; this module can be imported there, most of the lab cannot."""
    return Finding(
        "Linux",
        version=platform,
        problem="a lab is made of Linux namespaces, and this is not Linux",
        remedy="use a Linux machine: on Windows `wsl --install -d Debian`, on macOS a virtual machine",
    )
