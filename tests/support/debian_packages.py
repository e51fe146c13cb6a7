"""Programs from Debian's packages, unpacked into the cache for tests alone; nothing is installed."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from calico_lab.local.start import debian, programs


def unpacked(package: str, version: str = "") -> Path:
    """Return the folder of a package and what it needs, after fetching them the first time.

    A ``version`` that the machine's release no longer has is taken from an older one. Raises ``LabError`` where apt
    cannot.
    """
    folder = programs.unpacked_folder().with_name(f"{package}-for-tests")
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=programs.cache_folder()) as scratch:
            result = Path(scratch, "unpacked")
            for archive in _download(package, version, Path(scratch)):
                subprocess.run(["dpkg-deb", "-x", archive, result], check=True)
            debian._gather_libraries(result)
            debian._publish(result, folder)
    return folder


def kubectl() -> Path:
    """Return Debian's own kubectl, of version 1.20."""
    return unpacked("kubernetes-client", "1.20") / "usr/bin/kubectl"


def _download(package: str, version: str, folder: Path) -> list[Path]:
    sources = debian.machine_sources(programs.os_release().get("VERSION_CODENAME", ""))
    apt = debian._Apt(folder)
    apt.update(sources)
    if version and not apt.has(package, version):
        first = sources[0]
        apt.update([debian.Source(first.address, debian.FALLBACK_SUITE, ("main",), first.signed_by)])
    return apt.download([package])
