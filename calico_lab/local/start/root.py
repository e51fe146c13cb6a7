"""The root file system of a lab: the machine's /usr read-only, and everything else its own, in memory.

Nothing of the machine is seen beyond /usr, the few device nodes that every program needs, and the folders named by the
caller (the virtual environment, this package, the cache of programs), which stand read-only at the paths that they
have outside. Nothing but memory can be written.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from calico_lab.local.start import linux

_LIBRARY_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS = {"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
_FOLDERS = ("home", "mnt", "opt", "run", "srv", "var/lib", "var/log")
# What tells of the machine's other programs and of its kernel to whoever root is, were the lab started by root.
_PROC_HIDDEN = ("kallsyms", "kcore", "key-users", "keys", "kmsg", "kpagecgroup", "kpagecount", "kpageflags", "slabinfo",
                "timer_list", "vmallocinfo")  # fmt: skip
# Of the machine's /etc only what its programs need to find their libraries, look up names, talk to a terminal and know
# the public certificate authorities: without those curl does not say that it trusts nobody, but that it cannot tell.
_ETC_COPIED = (
    "alternatives",
    "bash.bashrc",
    "debian_version",
    "inputrc",
    "iproute2",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "lsb-release",
    "mime.types",
    "os-release",
    "profile",
    "protocols",
    "services",
    "ssl/certs/ca-certificates.crt",
    "ssl/openssl.cnf",
    "terminfo",
    "timezone",
    "vim",
)
_ETC_WRITTEN = {
    "group": "root:x:0:\nnogroup:x:65534:\n",
    "hostname": "calico-lab\n",
    "hosts": "127.0.0.1\tlocalhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "resolv.conf": "",
    "shells": "/bin/sh\n/bin/bash\n",
}


def enter_new_root(visible: Iterable[Path], staging: Path) -> None:
    """Build the root file system and move this process into it; the machine's own is let go of.

    Must run as root of new user, mount, network and PID namespaces. ``visible`` are the folders to show; ``staging``
    is any folder of the machine on which the new root can be mounted, unseen outside. Raises ``OSError``.
    """
    linux.mount("none", Path("/"), flags=linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", staging, "tmpfs", linux.MS_NODEV | linux.MS_NOSUID, "mode=0755")
    _show_usr(staging)
    _make_devices(staging / "dev")
    _make_etc(staging / "etc")
    _make_folders(staging)
    for folder in visible:
        if not folder.is_relative_to("/usr"):
            _show(folder, staging / folder.relative_to("/"))
    _mount_kernel_views(staging)
    os.chdir(staging)
    here = Path()
    # With both names the same the old root lies on top of the new one, and is unmounted from there: pivot_root(2).
    linux.pivot_root(here, here)
    linux.unmount(here)
    os.chdir("/")


def _show_usr(root: Path) -> None:
    (root / "usr").mkdir()
    linux.bind_read_only(Path("/usr"), root / "usr")
    for name in _LIBRARY_LINKS:
        original = Path("/", name)
        if original.is_symlink():
            (root / name).symlink_to(original.readlink())
        elif original.is_dir():
            _show(original, root / name)


def _make_devices(dev: Path) -> None:
    dev.mkdir()
    for name in _DEVICES:
        (dev / name).touch()
        # What is read-only is the node, whose permissions root could change, and not what it leads to.
        linux.bind_read_only(Path("/dev", name), dev / name)
    for name, target in _DEVICE_LINKS.items():
        (dev / name).symlink_to(target)
    _make_memory_folder(dev / "shm", 0o1777)
    (dev / "pts").mkdir()
    linux.mount(
        "devpts", dev / "pts", "devpts", linux.MS_NOSUID | linux.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620"
    )


def _make_etc(etc: Path) -> None:
    etc.mkdir()
    for name in _ETC_COPIED:
        source, target = Path("/etc", name), etc / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            target.symlink_to(source.readlink())
        elif source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        elif source.exists():
            shutil.copyfile(source, target)
    for name, text in _ETC_WRITTEN.items():
        (etc / name).write_text(text)
    (etc / "mtab").symlink_to("../proc/self/mounts")


def _make_folders(root: Path) -> None:
    for name in _FOLDERS:
        (root / name).mkdir(parents=True)
    (root / "root").mkdir(mode=0o700)
    (root / "var/run").symlink_to("../run")
    _make_memory_folder(root / "tmp", 0o1777)
    _make_memory_folder(root / "var/tmp", 0o1777)


def _make_memory_folder(path: Path, mode: int) -> None:
    path.mkdir()
    path.chmod(mode)


def _show(source: Path, target: Path) -> None:
    _make_target(source, target)
    linux.bind_read_only(source, target)


def _make_target(source: Path, target: Path) -> None:
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()


def _mount_kernel_views(root: Path) -> None:
    flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    proc = root / "proc"
    proc.mkdir()
    linux.mount("proc", proc, "proc", flags)
    _protect_proc(proc)
    (root / "sys").mkdir()
    linux.mount("sysfs", root / "sys", "sysfs", flags | linux.MS_RDONLY)


def _protect_proc(proc: Path) -> None:
    """Make read-only what in /proc is the machine's: root may write there, and change permissions, as the owner.

    A process's own folder is not, nor what stands for it, nor sys/net: the sysctls of a network namespace belong to
    whoever owns that namespace.
    """
    everything = [path for path in proc.iterdir() if not path.name.isdigit() and not path.is_symlink()]
    sysctls = [path for path in (proc / "sys").iterdir() if path.name != "net"]
    for path in [*everything, *sysctls]:
        if path.name in _PROC_HIDDEN:
            linux.bind_read_only(Path("/dev/null"), path)
        elif path != proc / "sys":
            linux.bind_read_only(path, path)
