"""Checks of the kernel: Linux, new enough, and willing to make namespaces."""

from __future__ import annotations

import errno
import os
import re

from calico_lab.local.doctor.attempt import OTHERS, PROC, SYS, USER, Refusal
from calico_lab.local.doctor.finding import Finding, not_linux
from calico_lab.local.doctor.machine import Machine

# mount_setattr(2) came with this one, the youngest of the calls that a lab needs.
OLDEST = (5, 12)
_NAMESPACES = "user namespaces"
_SETTINGS = "/etc/sysctl.d/99-calico-lab.conf"
_UNCONFINED = (
    "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
    "--security-opt systempaths=unconfined ...   (podman: --security-opt unmask=ALL)"
)
_LIMITS = ("user", "pid", "mnt", "net", "uts", "ipc")


def system(machine: Machine) -> Finding:
    """Check that this is a Linux, on a processor for which the lab's programs exist."""
    if machine.platform != "linux":
        return not_linux(machine.platform)
    found = Finding("Linux", version=machine.release, where=machine.architecture)
    if "microsoft" in machine.release.lower() and _version(machine.release) < (4, 19):
        return _bad(
            found, "this is WSL 1, which has no Linux kernel", "wsl --set-version DISTRIBUTION 2   (in Windows)"
        )
    if _version(machine.release) < OLDEST:
        needed = ".".join(map(str, OLDEST))
        return _bad(found, f"a kernel of version {needed} or newer is needed", "sudo apt full-upgrade, then restart")
    if machine.architecture not in ("x86_64", "aarch64"):
        return _bad(found, "Envoy is to be had for x86_64 and aarch64 only", "use a machine with such a processor")
    return found


def user_namespaces(machine: Machine, refusal: Refusal | None) -> Finding:
    """Say why the namespaces of a lab could not be made; ``refusal`` is what came of the attempt."""
    if refusal is None or refusal.step in (PROC, SYS):
        return Finding(_NAMESPACES)
    for name in _LIMITS:
        setting = f"user.max_{name}_namespaces"
        limit = machine.text(f"proc/sys/user/max_{name}_namespaces")
        if limit == "0" or (limit and refusal.number == errno.ENOSPC and refusal.step == USER == name):
            return _switched(f"no more than {limit} of the kind {name} may be made", setting, "15000")
    if machine.text("proc/sys/kernel/unprivileged_userns_clone") == "0" and machine.user != 0:
        return _switched("only root may make them", "kernel.unprivileged_userns_clone", "1")
    if machine.text("proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1" and machine.user != 0:
        return _switched(
            "AppArmor takes all rights in them from ordinary users' programs",
            "kernel.apparmor_restrict_unprivileged_userns", "0",
        )  # fmt: skip
    if not machine.has("proc/self/ns/user"):
        return Finding(_NAMESPACES, problem="this kernel is built without them", remedy="use a distribution's kernel")
    what = "other namespaces in them" if refusal.step == OTHERS else "them"
    if in_container(machine):
        return Finding(_NAMESPACES, problem=f"the container that this is may not make {what}", remedy=_UNCONFINED)
    return Finding(
        _NAMESPACES,
        problem=f"the kernel refuses to make {what}: {os.strerror(refusal.number)}",
        remedy="unshare --user --map-root-user --net --mount true   (as root, and not in a chroot, to see more)",
    )


def kernel_views(machine: Machine, refusal: Refusal | None) -> Finding:
    """Check that a lab gets a /proc and a /sys of its own, which it does not where those of this machine are masked."""
    found = Finding("/proc and /sys")
    if refusal is None or refusal.step not in (PROC, SYS):
        return found
    masked = "masked, as in containers" if in_container(machine) else "masked"
    return _bad(
        found, f"parts of /{refusal.step} are {masked}, so that the kernel does not give a new one", _UNCONFINED
    )


def in_container(machine: Machine) -> bool:
    """Whether this is a container, by the signs that engines leave, or a seccomp filter as they set."""
    signs = (".dockerenv", "run/.containerenv", "run/systemd/container", "var/run/secrets/kubernetes.io")
    filtered = re.search(r"^Seccomp:\s*2$", machine.text("proc/self/status"), re.MULTILINE)
    return any(machine.has(sign) for sign in signs) or bool(filtered)


def _switched(why: str, setting: str, value: str) -> Finding:
    keep = f"echo '{setting} = {value}' | sudo tee {_SETTINGS} && sudo sysctl -p {_SETTINGS}"
    return Finding(_NAMESPACES, problem=f"this machine forbids them: {why} ({setting})", remedy=keep)


def _bad(found: Finding, problem: str, remedy: str) -> Finding:
    return Finding(found.part, found.version, found.where, problem, remedy)


def _version(release: str) -> tuple[int, ...]:
    match = re.match(r"(\d+)\.(\d+)", release)
    return (int(match[1]), int(match[2])) if match else (0, 0)
