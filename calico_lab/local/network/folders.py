"""The folders that each host and pod has for itself: /etc, and empty /run, /var, /tmp and /root, all in memory.

Every function acts in the mount namespace that the calling thread is in.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from ipaddress import IPv4Address
from pathlib import Path

from calico_lab.local.start import linux

_MODES = {Path("/run"): "755", Path("/var"): "755", Path("/tmp"): "1777", Path("/root"): "700"}  # noqa: S108
_STAGING = Path("/mnt")


def make_private(host_name: str, addresses: Mapping[str, IPv4Address]) -> None:
    """Cover the folders; /etc becomes a copy, with ``host_name`` and a hosts file of ``addresses`` by name."""
    _copy_etc()
    lines = ["127.0.0.1\tlocalhost", *(f"{address}\t{name}" for name, address in addresses.items())]
    Path("/etc/hosts").write_text("\n".join(lines) + "\n")
    Path("/etc/hostname").write_text(f"{host_name}\n")
    mounted = _mount_points()
    for folder, mode in _MODES.items():
        _cover(folder, mode, _outermost([path for path in mounted if folder in path.parents]))
    for name in ("lib", "log", "tmp"):
        Path("/var", name).mkdir(exist_ok=True)
    Path("/var/run").symlink_to("/run")


def write_file(path: Path, text: str) -> None:
    """Write a file with the folders above it; a reader sees the old text or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text)
    draft.replace(path)


def _mount_memory(folder: Path, mode: str) -> None:
    linux.mount("tmpfs", folder, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, f"mode={mode}")


def _copy_etc() -> None:
    """Copy the files; the folders in it, which are the machine's data and many files, show through."""
    _mount_memory(_STAGING, "755")
    for original in Path("/etc").iterdir():
        copy = _STAGING / original.name
        if original.is_dir() and not original.is_symlink():
            copy.mkdir()
            linux.mount(str(original), copy, flags=linux.MS_BIND | linux.MS_REC)
        else:
            shutil.copyfile(original, copy, follow_symlinks=False)
    linux.mount(str(_STAGING), Path("/etc"), flags=linux.MS_MOVE)


def _cover(folder: Path, mode: str, mounted: list[Path]) -> None:
    """Mount an empty tmpfs on a folder and, on top of it, again what was ``mounted`` below the folder.

    The Python installation, the project or the programs may live below any of these folders.
    """
    kept = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in mounted]
    _mount_memory(folder, mode)
    for path, descriptor in kept:
        source = Path(f"/proc/self/fd/{descriptor}")
        _make_mount_point(path, is_folder=source.is_dir())
        linux.mount(str(source), path, flags=linux.MS_BIND | linux.MS_REC)
        os.close(descriptor)


def _mount_points() -> list[Path]:
    """Return where something is mounted, outer mounts first."""
    lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    # Spaces and the like are octal escapes there: proc_pid_mountinfo(5).
    return [Path(os.fsdecode(line.split()[4].decode("unicode_escape").encode("latin-1"))) for line in lines]


def _outermost(paths: list[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if not any(path.is_relative_to(other) for other in found):
            found.append(path)
    return found


def _make_mount_point(path: Path, *, is_folder: bool) -> None:
    if is_folder:
        path.mkdir(parents=True, exist_ok=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
