"""Checks of what a lab takes up: memory, disk, device nodes, ports."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

from calico_lab.local.doctor.finding import Finding
from calico_lab.local.doctor.machine import Machine

MEBIBYTE = 2**20
# A lab with the demo in it takes about 180.
MEMORY_NEEDED = 320 * MEBIBYTE
STATE_NEEDED = 2 * MEBIBYTE
CACHE_NEEDED = 64 * MEBIBYTE
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


def memory(machine: Machine) -> Finding:
    """Check that there is memory for a lab with the demo in it: on the machine, and in this process's control group."""
    available = re.search(r"^MemAvailable:\s*(\d+) kB", machine.text("proc/meminfo"), re.MULTILINE)
    amounts = [int(available[1]) * 1024] if available else []
    group = machine.text("proc/self/cgroup").rpartition("0::/")[2]
    limit, used = (machine.text(f"sys/fs/cgroup/{group}/memory.{name}") for name in ("max", "current"))
    if limit.isdecimal() and used.isdecimal():
        amounts.append(int(limit) - int(used))
    if not amounts:
        return Finding("memory", where="unknown")
    found = min(amounts)
    shown = f"{found // MEBIBYTE} MiB available"
    if found >= MEMORY_NEEDED:
        return Finding("memory", where=shown)
    return Finding(
        "memory",
        where=shown,
        problem=f"{found // MEBIBYTE} MiB of memory are available, and a lab needs {MEMORY_NEEDED // MEBIBYTE}",
        remedy="calico-lab list   (then take labs down that you do not need, or close other programs)",
    )


def folder(part: str, path: Path, needed: int, variable: str) -> Finding:
    """Check that a folder can be written, and holds ``needed`` bytes more; ``variable`` says where it is instead."""
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    move = f"export {variable}=FOLDER   (one of yours, with room)"
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Finding(part, where=str(path), problem=f"{existing} cannot be written by you", remedy=move)
    disk = os.statvfs(existing)
    free = disk.f_bavail * disk.f_frsize
    if free < needed or (disk.f_files and not disk.f_favail):
        problem = f"{free // MEBIBYTE} MiB are free in {existing}, and {needed // MEBIBYTE} are needed"
        return Finding(part, where=str(path), problem=problem, remedy=f"df -h {existing}   (make room), or {move}")
    return Finding(part, version=f"{free // MEBIBYTE} MiB free", where=str(path))


def devices(machine: Machine) -> Finding:
    """Check the device nodes that a lab shows to its hosts; a /dev/shm it makes for itself, in memory."""
    missing = [name for name in _DEVICES if not machine.has(f"dev/{name}")]
    if not missing:
        return Finding("devices", where="/dev (each lab has its own /dev/shm)")
    names = " ".join(f"/dev/{name}" for name in missing)
    return Finding("devices", problem=f"there is no {names}", remedy="mount a devtmpfs, or a container's usual /dev")


def loopback() -> Finding:
    """Check that a port can be had at this machine's loopback address, and reached there."""
    try:
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            socket.create_connection(server.getsockname(), timeout=2.0),
        ):
            return Finding("loopback ports", where="127.0.0.1")
    except OSError as error:
        problem = f"no port can be had at 127.0.0.1, or not be reached: {error}"
        return Finding("loopback ports", problem=problem, remedy="sudo ip link set lo up")
