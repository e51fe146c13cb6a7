"""Where a node keeps its pods' volumes, and how a pod comes to see its own and no others."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from pathlib import Path

from calico_lab.local.kubelet.volumes import Mount
from calico_lab.local.start import linux

KUBELET_FOLDER = Path("/var/lib/kubelet")


def prepare_node() -> None:
    """Mount a file system in memory for the volumes; to be called in the node's mount namespace.

    A pod's mount namespace starts as a copy of its node's. The folders that a pod gets for itself cover the node's,
    but what is mounted within them stays in sight, so this file system does until :func:`show` takes it away.
    """
    if KUBELET_FOLDER.is_mount():
        return
    KUBELET_FOLDER.mkdir(parents=True, exist_ok=True)
    linux.mount("kubelet", KUBELET_FOLDER, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=0755")


def show(mounts: Iterable[Mount], folders: Iterable[str] = ()) -> None:
    """Mount a pod's volumes and hide everybody else's; to be called in the pod's mount namespace.

    ``folders`` are made as well, for the pod to write into.
    """
    for folder in folders:
        _make_folder(Path(folder))
    for mount in mounts:
        _make_target(mount)
        if mount.read_only:
            linux.bind_read_only(mount.source, mount.target)
        else:
            linux.mount(str(mount.source), mount.target, flags=linux.MS_BIND)
    linux.unmount(KUBELET_FOLDER)


def _make_target(mount: Mount) -> None:
    if mount.source.is_file():
        _make_folder(mount.target.parent)
        mount.target.touch()
    else:
        mount.source.mkdir(parents=True, exist_ok=True)  # a subPath of an empty volume
        _make_folder(mount.target)


def _make_folder(folder: Path) -> None:
    """Make a folder, also where the machine's files are shown read-only, as in /usr."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        _make_writable(next(path for path in folder.parents if path.is_dir()))
        folder.mkdir(parents=True)


def _make_writable(folder: Path) -> None:
    """Cover a folder with one in memory, in which links lead to what is in the folder."""
    behind = Path("/run/behind", folder.relative_to("/"))
    behind.mkdir(parents=True)
    linux.mount(str(folder), behind, flags=linux.MS_BIND | linux.MS_REC)
    linux.mount("tmpfs", folder, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=0755")
    for path in behind.iterdir():
        (folder / path.name).symlink_to(path)
