"""Starts the lab's first process: detached, in new user and PID namespaces, with nothing of ours in between.

The process is the init of its PID namespace: when it dies, by whatever signal, the kernel ends all others inside, and
with the last of them go the namespaces, their mounts, links and routes.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from calico_lab.errors import LabError, UnsupportedHostError
from calico_lab.local.start import linux

MODULE = "calico_lab.local.lab_process"
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    # aiohttp reads every authority that the machine trusts when it is imported: 40 ms, for nobody that a lab talks to.
    "SSL_CERT_FILE": os.devnull,
}


@dataclass(frozen=True)
class Launched:
    """The first process, as seen from outside: its pid, and a descriptor that stays its own (pidfd_open(2))."""

    pid: int
    descriptor: int


def launch(name: str, standard: Sequence[int], inherited: Sequence[int]) -> Launched:
    """Start the first process of the lab ``name``.

    ``standard`` are the descriptors to become its input, output and errors, ``inherited`` those to follow them from
    number 3. Raises ``UnsupportedHostError`` when this machine does not allow the namespaces.
    """
    reading, writing = os.pipe()
    if os.fork() == 0:
        _become_parent(name, [*standard, *inherited], writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        word, _, detail = answer.read().decode().partition(" ")
    os.wait()
    if word != "pid":
        raise _refusal(int(word or 0), detail)
    return Launched(int(detail), os.pidfd_open(int(detail)))


def own_namespaces() -> None:
    """Move the first process into namespaces of its own for all that is left: mount, network, UTS, IPC."""
    linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWUTS | linux.CLONE_NEWIPC)


def seal() -> None:
    """Move the first process one user namespace further in, from where the mounts made so far cannot be changed.

    Mounts that a less privileged namespace inherits are locked: nobody inside can make them writable or take off what
    covers them, whatever capabilities they have there (mount_namespaces(7), "Restrictions on mount namespaces").

    And since the first process holds files of the machine (its log), nobody inside may look into it: not by way of
    /proc/1/fd either, which would open them anew.
    """
    linux.unshare(linux.CLONE_NEWUSER)
    become_root_of_namespace(0, 0)
    own_namespaces()
    linux.forbid_inspection()


def become_root_of_namespace(user: int, group: int) -> None:
    """Map ``user`` and ``group`` of the outer user namespace to root of the current one (user_namespaces(7))."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def _become_parent(name: str, descriptors: Sequence[int], answer: int) -> NoReturn:
    """Go into the new namespaces, start the first process there, tell its pid, and end."""
    try:
        user, group = os.getuid(), os.getgid()
        os.setsid()
        linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWPID)
        become_root_of_namespace(user, group)
        pid = os.fork()
        if pid == 0:
            _become_first_process(name, descriptors)
        os.write(answer, f"pid {pid}".encode())
    except OSError as error:
        os.write(answer, f"{error.errno or 0} {error}".encode())
    finally:
        os._exit(0)


def _become_first_process(name: str, descriptors: Sequence[int]) -> NoReturn:
    try:
        # By way of high numbers, so that none is overwritten before it is copied.
        high = [os.dup2(descriptor, 100 + number) for number, descriptor in enumerate(descriptors)]
        for number, descriptor in enumerate(high):
            os.dup2(descriptor, number)
        os.closerange(len(descriptors), os.sysconf("SC_OPEN_MAX"))
        os.chdir("/")
        os.umask(0o022)
        # -I: neither the caller's environment nor its current folder decides what is imported.
        os.execve(sys.executable, [sys.executable, "-I", "-m", MODULE, name], _ENVIRONMENT)  # noqa: S606
    finally:
        os._exit(127)


def _refusal(number: int, detail: str) -> LabError:
    if number in (errno.EPERM, errno.EACCES, errno.ENOSPC, errno.EUSERS, errno.EINVAL):
        return UnsupportedHostError(
            f"this machine does not let you make user namespaces, which a lab lives in: {detail}",
            remedy="sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000 "
            "(Ubuntu 24.04: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0)",
        )
    return LabError(f"the lab's first process could not be started: {detail}")
