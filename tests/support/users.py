"""The lab as root and as an ordinary user: the same command, run by either when the tests run as root.

An ordinary user may not be able to reach what root uses (a Python below /root, say). So the command runs where folders
that are closed on the way have been replaced, for it alone, by open ones with nothing but what it needs in them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.labs import CALICO_LAB

NOBODY = 65534
PROJECT = Path(__file__).parents[2]
NAMES = ("root", "ordinary") if os.getuid() == 0 else ("ordinary",)

# Run by root in a mount namespace of its own: $1 lists what is needed, $2 the closed folders on the way there.
_OPEN = """
set -e
aside=$(TMPDIR=/tmp mktemp -d)
mount -t tmpfs -o mode=755 none "$aside"
number=0
while read -r path; do
    number=$((number + 1)); mkdir "$aside/$number"; mount --bind "$path" "$aside/$number"
done <<< "$1"
while read -r closed; do [ -z "$closed" ] || mount -t tmpfs -o mode=755 none "$closed"; done <<< "$2"
number=0
while read -r path; do
    number=$((number + 1)); [ -e "$path" ] || { mkdir -p "$path"; mount --bind "$aside/$number" "$path"; }
done <<< "$1"
umount -l "$aside"; rmdir "$aside"; shift 2; cd /
exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all "$@"
"""


@dataclass(frozen=True)
class User:
    """Someone who runs labs, with folders of their own for state and cache below ``home``."""

    name: str
    home: Path

    def calico_lab(
        self, *arguments: str, stdin: str = "", time_limit: float = 60, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the command `calico-lab` as this user."""
        return self.run(CALICO_LAB, *arguments, stdin=stdin, time_limit=time_limit, **variables)

    def run(
        self, *command: str, stdin: str = "", time_limit: float = 60, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run any command as this user."""
        return subprocess.run(
            [*self.prefix(), *command],
            env={**os.environ, **self.variables(), **variables},
            input=stdin, capture_output=True, text=True, timeout=time_limit,
        )  # fmt: skip

    def json(self, *arguments: str) -> Any:
        """Run `calico-lab ... --json` and return what it prints; raises when it fails."""
        done = self.calico_lab(*arguments, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def lab(self, name: str, *options: str) -> Iterator[dict[str, Any]]:
        """A running lab of this user, as `calico-lab up --json` tells of it; taken down at the end."""
        try:
            yield self.json("up", "--name", name, *options)
        finally:
            down = self.calico_lab("down", "--name", name)
        assert down.returncode == 0, down.stderr

    def variables(self) -> dict[str, str]:
        """The environment variables by which this user's folders are found."""
        if self.name == "root":
            return {"XDG_STATE_HOME": str(self.home / "state")}
        return {"HOME": str(self.home), "XDG_STATE_HOME": f"{self.home}/state", "XDG_CACHE_HOME": f"{self.home}/cache"}

    def prefix(self) -> list[str]:
        """What stands before a command so that this user runs it."""
        if self.name == "root" or os.getuid() != 0:
            return []
        return ordinary_user(self.home)


def ordinary_user(*reachable: Path) -> list[str]:
    """What stands before a command of root's so that an ordinary user runs it, who reaches these folders too."""
    needed = sorted({Path(sys.prefix), Path(sys.base_prefix).resolve(), PROJECT, *reachable})
    closed = sorted({ancestor for path in needed for ancestor in path.parents if not ancestor.stat().st_mode & 0o001})
    outermost = [path for path in closed if not any(other in path.parents for other in closed)]
    lists = ("\n".join(map(str, paths)) for paths in (needed, outermost))
    return ["unshare", "--mount", "bash", "-c", _OPEN, "open", *lists]


def make_user(name: str, home: Path) -> User:
    """Make the folders of a user in an empty folder; the programs of the cache are lent to it."""
    home.chmod(0o755)
    user = User(name, home)
    if name == "ordinary" and os.getuid() == 0:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "calico-lab"
        shutil.copytree(cache, home / "cache/calico-lab", symlinks=True)
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", str(home)], check=True)
    return user
