"""A host or a pod of the lab is a set of three namespaces: network, mount and UTS.

They are held by file descriptors in the lab's first process and by nothing else: when that process ends, or closes
them, and the last program inside has gone, the kernel takes them away. A program is started inside by entering,
starting it, and leaving again, so that no helper program stands in between.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from calico_lab.local.start import linux

_KINDS = (("mnt", linux.CLONE_NEWNS), ("uts", linux.CLONE_NEWUTS), ("net", linux.CLONE_NEWNET))


@dataclass(frozen=True)
class Namespaces:
    """The open namespaces of one host or pod: file descriptors by kind (``mnt``, ``uts``, ``net``)."""

    name: str
    descriptors: dict[str, int]

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Run the body of the ``with`` statement inside. The body must not await: the whole thread is inside."""
        outside = _open_current()
        try:
            _enter(self.descriptors)
            yield
        finally:
            _enter(outside)
            _close(outside)

    def close(self) -> None:
        """Let go of the namespaces; they end with the last process inside."""
        _close(self.descriptors)


def create(name: str, prepare: Callable[[], None]) -> Namespaces:
    """Make new namespaces with ``name`` as their host name.

    ``prepare`` runs inside, before anything else can: it mounts what the host or pod should see. The mounts it makes
    are seen nowhere else.
    """
    outside = _open_current()
    try:
        linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWUTS | linux.CLONE_NEWNET)
        linux.mount("none", Path("/"), flags=linux.MS_REC | linux.MS_PRIVATE)
        linux.set_hostname(name)
        linux.mount(
            "sysfs", Path("/sys"), "sysfs", linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
        )
        prepare()
        inside = _open_current()
    finally:
        _enter(outside)
        _close(outside)
    return Namespaces(name, inside)


def _open_current() -> dict[str, int]:
    return {kind: os.open(f"/proc/thread-self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind, _flag in _KINDS}


def _enter(descriptors: dict[str, int]) -> None:
    for kind, flag in _KINDS:
        linux.setns(descriptors[kind], flag)


def _close(descriptors: dict[str, int]) -> None:
    for descriptor in descriptors.values():
        os.close(descriptor)
