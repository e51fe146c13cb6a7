"""Debian's own kubectl (package kubernetes-client, version 1.20), unpacked into the cache for tests alone."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from calico_lab.local.start import debian, programs

PACKAGE = "kubernetes-client"


def program() -> Path:
    """Return the program, after fetching it the first time. Raises ``LabError`` where apt cannot."""
    unpacked = programs.unpacked_folder().with_name(f"{PACKAGE}-for-tests")
    if not unpacked.exists():
        with tempfile.TemporaryDirectory(dir=programs.cache_folder()) as folder:
            result = Path(folder, "unpacked")
            for archive in download(Path(folder)):
                subprocess.run(["dpkg-deb", "-x", archive, result], check=True)
            debian._publish(result, unpacked)
    return unpacked / "usr/bin/kubectl"


def download(folder: Path) -> list[Path]:
    sources = debian.machine_sources(programs.os_release().get("VERSION_CODENAME", ""))
    apt = debian._Apt(folder)
    apt.update(sources)
    if not apt.has(PACKAGE, "1.20"):
        first = sources[0]
        apt.update([debian.Source(first.address, debian.FALLBACK_SUITE, ("main",), first.signed_by)])
    return apt.download([PACKAGE])
