"""Whether the machine lets us make the namespaces of a lab, which no file tells for certain.

A child does what a lab's first process does first, in the same order, and ends; nothing of it is left.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from calico_lab.local.start import launch, linux

USER, OTHERS, MEMORY, PROC, SYS = "user", "others", "memory", "proc", "sys"
_VIEW = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
# Any folder will do: what is mounted there is seen by the child alone.
_PLACE = Path("/usr")


@dataclass(frozen=True)
class Refusal:
    """The step at which the kernel said no, and its errno."""

    step: str
    number: int


def attempt() -> Refusal | None:
    """Try to make the namespaces of a lab; returns the refusal, or nothing when all went well."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _try(writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        step, _, number = answer.read().decode().partition(" ")
    os.waitpid(child, 0)
    return Refusal(step, int(number)) if step else None


def _try(answer: int) -> NoReturn:
    """Go through the steps; tells the first that fails."""
    step = USER
    try:
        user, group = os.getuid(), os.getgid()
        linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWPID)
        launch.become_root_of_namespace(user, group)
        first = os.fork()
        if first:
            os.waitpid(first, 0)
            os._exit(0)
        step = OTHERS
        launch.own_namespaces()
        step = MEMORY
        linux.mount("none", Path("/"), flags=linux.MS_REC | linux.MS_PRIVATE)
        linux.mount("tmpfs", _PLACE, "tmpfs", linux.MS_NODEV | linux.MS_NOSUID)
        step = PROC
        linux.mount("proc", _PLACE, "proc", _VIEW)
        step = SYS
        linux.mount("sysfs", _PLACE, "sysfs", _VIEW | linux.MS_RDONLY)
        step = USER
        launch.seal()
    except OSError as error:
        os.write(answer, f"{step} {error.errno or 0}".encode())
    finally:
        os._exit(0)
