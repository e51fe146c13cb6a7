"""What there is of everything that a lab could leave behind, as text that can be compared."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

Snapshot = dict[str, list[str]]


def snapshot(home: Path) -> Snapshot:
    """Everything of this quarantine that a lab could change, but for its state folder."""
    return {
        "processes": sorted(processes()),
        "namespaces": sorted(_namespaces()),
        "mounts": sorted(line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()),
        "links": sorted(name for _, name in socket.if_nameindex()),
        "routes": Path("/proc/net/route").read_text().splitlines(),
        "ports": sorted(_listening()),
        "sysctls": _sysctls(),
        "memory files": _names("/dev/shm"),
        "temporary files": _names("/tmp"),
        "home": _names(home),
        "descriptors": [str(len(_names("/proc/self/fd")))],
    }


def _names(folder: str | Path) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def processes() -> Iterator[str]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            ended = (folder / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
        except OSError:
            continue
        if not ended:
            yield f"{folder.name} {words}"


def _namespaces() -> set[str]:
    found = set()
    for link in Path("/proc").glob("[0-9]*/ns/*"):
        try:
            found.add(str(link.readlink()))
        except OSError:
            continue
    return found


def _listening() -> Iterator[str]:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        if state == "0A":
            yield str(int(local.partition(":")[2], 16))


def _sysctls() -> list[str]:
    return sorted(f"{path}={_text(path)}" for path in Path("/proc/sys/net/ipv4").rglob("*") if path.is_file())


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        return str(error.errno)
