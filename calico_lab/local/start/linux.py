"""The few system calls that Python 3.11 lacks: mount, pivot_root, unshare, setns and their like.

Python 3.12 has ``os.unshare`` and ``os.setns``; until it is the oldest version supported, ctypes reaches libc. Every
function raises ``OSError`` with the errno of the call and the path it was about.
"""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_MOVE = 0x2000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 0x2

# The call is numbered alike on every architecture, and older C libraries do not wrap it.
_SYS_MOUNT_SETATTR = 442
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_MOUNT_ATTR_RDONLY = 0x1
_MOUNT_ATTR_NOSUID = 0x2

_PR_SET_DUMPABLE = 4

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, subject: str = "") -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), subject or None)


def unshare(flags: int) -> None:
    """Move the calling thread into new namespaces of the kinds in ``flags`` (unshare(2))."""
    _check(_libc.unshare(flags))


def setns(namespace: int, kind: int = 0) -> None:
    """Move the calling thread into the namespace behind a file descriptor (setns(2))."""
    _check(_libc.setns(namespace, kind))


def mount(source: str, target: Path, filesystem: str = "", flags: int = 0, options: str = "") -> None:
    """Mount ``source`` on ``target`` (mount(2))."""
    _check(
        _libc.mount(source.encode(), os.fsencode(target), filesystem.encode(), ctypes.c_ulong(flags), options.encode()),
        str(target),
    )


def bind_read_only(source: Path, target: Path) -> None:
    """Show ``source``, with whatever is mounted beneath it, on ``target``: read-only and without SUID.

    mount_setattr(2), unlike a remount, reaches the mounts beneath and leaves their other flags as they are (which an
    ordinary user may not take away).
    """
    mount(str(source), target, flags=MS_BIND | MS_REC)
    attributes = struct.pack("=QQQQ", _MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID, 0, 0, 0)
    _check(
        _libc.syscall(
            ctypes.c_long(_SYS_MOUNT_SETATTR),
            ctypes.c_int(_AT_FDCWD),
            os.fsencode(target),
            ctypes.c_uint(_AT_RECURSIVE),
            attributes,
            ctypes.c_size_t(len(attributes)),
        ),
        str(target),
    )


def unmount(target: Path, flags: int = MNT_DETACH) -> None:
    """Detach the mount at ``target`` (umount2(2))."""
    _check(_libc.umount2(os.fsencode(target), flags), str(target))


def pivot_root(new_root: Path, put_old: Path) -> None:
    """Make ``new_root`` the root of this mount namespace and move the old one to ``put_old`` (pivot_root(2))."""
    _check(_libc.pivot_root(os.fsencode(new_root), os.fsencode(put_old)), str(new_root))


def set_hostname(name: str) -> None:
    """Name the host of the current UTS namespace (sethostname(2))."""
    encoded = name.encode()
    _check(_libc.sethostname(encoded, len(encoded)), name)


def forbid_inspection() -> None:
    """Close this process's memory, descriptors and environment to others of its user (PR_SET_DUMPABLE in prctl(2)).

    Only who has rights in the user namespace in which its program was started is let in from then on.
    """
    _check(_libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0))
