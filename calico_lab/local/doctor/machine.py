"""What the checks read of a machine: its files, and what cannot be read from any file.

A check is a function of this and of nothing else, so that it can be shown the files of other machines.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from calico_lab.local.start import programs, state

_PROGRAM_FOLDERS = ("usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin")


@dataclass(frozen=True)
class Machine:
    """A machine whose files stand below ``root``, seen by the user with the number ``user``."""

    root: Path = Path("/")
    platform: str = sys.platform
    release: str = field(default_factory=lambda: os.uname().release)
    architecture: str = field(default_factory=lambda: os.uname().machine)
    user: int = field(default_factory=os.getuid)
    state: Path = field(default_factory=state.home)
    cache: Path = field(default_factory=programs.cache_folder)

    def text(self, path: str) -> str:
        """Return what a file holds, without blanks around it; empty when it cannot be read."""
        try:
            return (self.root / path).read_text(errors="replace").strip()
        except OSError:
            return ""

    def has(self, path: str) -> bool:
        """Whether there is such a file."""
        return (self.root / path).exists()

    def program(self, name: str) -> Path | None:
        """Return where a program is that hosts of the lab can run: they see /usr and nothing else."""
        return next((self.root / folder / name for folder in _PROGRAM_FOLDERS if self.has(f"{folder}/{name}")), None)
