"""The dev container without Docker: the machine of the Dockerfile, made with debootstrap, and its options, under runc.

    sudo .venv/bin/python scripts/try_container.py FOLDER                   the README's commands, as the learner
    sudo .venv/bin/python scripts/try_container.py FOLDER --without OPTION  what the doctor says without one of them
    sudo .venv/bin/python scripts/try_container.py FOLDER --refuse CALL     the same, but that one call is refused

What is run and granted is read from the Dockerfile and from .devcontainer/: nothing is repeated here, but for what
Docker does when an option is not given. FOLDER keeps the root file system for the next time. The set-up has this
machine's network, and the lab one in which there is nobody.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[1]
DEVCONTAINER = HERE / ".devcontainer" / "devcontainer.json"
WORKSPACE = "/home/learner/calico_lab"
SUITE = "bookworm"
SET_UP = "make setup"
DOCTOR = ".venv/bin/calico-lab doctor"
# In one container, or the lab would end with the first command.
LIFE = (
    ".venv/bin/calico-lab up --to route",
    ".venv/bin/calico-lab bastion -- sh -c 'hey -n 100 -c 100 -host www.example.com http://$(kubectl get gateway/"
    "load-balancing-gateway -o jsonpath={.status.addresses[0].value})/round | grep responses'",
    ".venv/bin/calico-lab down",
)
# What Docker masks and makes read-only unless told otherwise (systempaths), and the capabilities it leaves; facts from
# https://github.com/moby/moby, daemon/pkg/oci/defaults.go and caps/defaults.go.
MASKED = [
    *(f"/proc/{name}" for name in ("acpi", "asound", "interrupts", "kcore", "keys", "latency_stats", "sched_debug")),
    *("/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/firmware", "/sys/devices/virtual/powercap"),
]
READ_ONLY = [f"/proc/{name}" for name in ("bus", "fs", "irq", "sys", "sysrq-trigger")]
CAPABILITIES = [
    f"CAP_{name}" for name in (
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW",
        "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    )
]  # fmt: skip
# Of what Docker's own seccomp profile refuses without CAP_SYS_ADMIN, those calls that ours lets through, but for clone,
# which it refuses by its flags (https://github.com/moby/profiles, seccomp/default.json).
REFUSED_BY_DOCKER = ["mount", "mount_setattr", "pivot_root", "sethostname", "setns", "umount2", "unshare"]


def main() -> int:
    """Make the machine unless it is there, and run the commands in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--without", metavar="OPTION", default="", help="such as seccomp, systempaths or cap-drop")
    parser.add_argument("--refuse", metavar="CALL", default="", help="a system call, such as setns")
    arguments = parser.parse_args()
    bundle = arguments.folder.resolve()
    make_machine(bundle / "rootfs")
    options = options_without(arguments.without)
    if arguments.without:
        return contain(bundle, specification(options, DOCTOR))
    told = specification(options, "\n".join(["set -ev", DOCTOR, *LIFE]))
    if arguments.refuse:
        told["linux"]["seccomp"]["syscalls"].append(refusal([arguments.refuse]))
    # Set-up alone needs this machine's network; a lab needs none.
    return contain(bundle, specification(options, SET_UP, network=True)) or contain(bundle, told)


def contain(bundle: Path, told: dict[str, Any]) -> int:
    """Run one container to its end; returns its exit code."""
    (bundle / "config.json").write_text(json.dumps(told))
    return subprocess.run(["runc", "run", "--bundle", str(bundle), f"calico-lab-{bundle.name}"], check=False).returncode  # noqa: S607


def options_without(left_out: str) -> dict[str, str]:
    """Return the options of the dev container by name: ``{"cap-drop": "ALL", "seccomp": FILE, ...}``."""
    given: dict[str, str] = {}
    for argument in json.loads(DEVCONTAINER.read_text())["runArgs"]:
        name, _, value = argument.removeprefix("--").removeprefix("security-opt=").partition("=")
        given[name] = value.replace("${localWorkspaceFolder}", str(HERE))
    if left_out and left_out not in given:
        raise SystemExit(f"the dev container has no option {left_out!r}: {', '.join(given)}")
    given.pop(left_out, None)
    return given


def make_machine(root: Path) -> None:
    """Make the Dockerfile's first stage, and copy the project into it as the second does."""
    if not root.exists():
        root.parent.mkdir(parents=True, exist_ok=True)
        run("debootstrap", "--variant=minbase", SUITE, str(root))
        for name in ("etc/resolv.conf", "etc/hosts"):
            shutil.copyfile(f"/{name}", root / name)
        for command in machine_commands():
            run("chroot", str(root), "sh", "-c", command)
    home = root / WORKSPACE.lstrip("/")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=HERE, check=True, capture_output=True).stdout  # noqa: S607
    for name in tracked.decode().split("\0"):
        if name and (HERE / name).exists():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(HERE / name, home / name)
    run("chroot", str(root), "chown", "-R", "learner:learner", WORKSPACE)


def machine_commands() -> list[str]:
    """Return the RUN lines of the Dockerfile's first stage."""
    text = (HERE / "Dockerfile").read_text().replace("\\\n", "")
    stage = text.partition(" AS machine\n")[2].partition("\nFROM ")[0]
    return re.findall(r"^RUN (.+)$", stage, re.MULTILINE)


def run(*command: str) -> None:
    """Run a command to its end; raises ``CalledProcessError`` when it fails."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def specification(options: dict[str, str], command: str, *, network: bool = False) -> dict[str, Any]:
    """Return what runc is told: a container as Docker makes with these options; on this machine's network or not."""
    kinds = ["pid", "ipc", "uts", "mount", *([] if network else ["network"])]
    capabilities = [] if options.get("cap-drop") == "ALL" else CAPABILITIES
    unconfined = options.get("systempaths") == "unconfined"
    sets = ("bounding", "effective", "permitted", "inheritable", "ambient")
    # Docker gives an ordinary user the bounding set alone.
    granted = {name: capabilities if name == "bounding" else [] for name in sets}
    environment = ["HOME=/home/learner", "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "TERM=dumb"]
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 1000, "gid": 1000},
            "args": ["sh", "-c", command],
            "env": environment + certificates(),
            "cwd": WORKSPACE,
            "capabilities": granted,
            "noNewPrivileges": "no-new-privileges" in options,
        },
        "root": {"path": "rootfs"},
        "hostname": "calico-lab",
        "mounts": mounts(),
        "linux": {
            "namespaces": [{"type": kind} for kind in kinds],
            "maskedPaths": [] if unconfined else MASKED,
            "readonlyPaths": [] if unconfined else READ_ONLY,
            "seccomp": seccomp(options.get("seccomp", "")),
        },
    }


def seccomp(file: str) -> dict[str, Any]:
    """Return the profile of the dev container, or with it what Docker's own refuses to who has no capability."""
    profile: dict[str, Any] = json.loads((HERE / ".devcontainer" / "seccomp.json").read_text())
    if not file:
        profile["syscalls"].append(refusal(REFUSED_BY_DOCKER))
    return profile


def refusal(calls: list[str]) -> dict[str, Any]:
    """Return the rule that refuses system calls with EPERM."""
    return {"action": "SCMP_ACT_ERRNO", "errnoRet": 1, "names": calls}


def certificates() -> list[str]:
    """Return the variables that lead programs to this machine's certificates, which the container sees."""
    return [f"{name}=/etc/ssl/certs/ca-certificates.crt" for name in ("SSL_CERT_FILE", "PIP_CERT")]


def mounts() -> list[dict[str, Any]]:
    """Return the mounts that Docker makes, as far as a lab could notice; cgroups apart."""
    plain = ["nosuid", "noexec", "nodev"]
    return [
        {"destination": "/proc", "type": "proc", "source": "proc", "options": plain},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",  # noqa: S108
         "options": [*plain, "mode=1777", "size=65536k"]},
        {"destination": "/sys", "type": "none", "source": "/sys", "options": ["rbind", "ro", *plain]},
        {"destination": "/etc/ssl/certs", "type": "none", "source": "/etc/ssl/certs", "options": ["rbind", "ro"]},
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
