"""The machine is the same before and after a lab with the whole demo in it, also for root."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from support.labs import KUBECTL

from calico_lab.local.topology import HOSTS

IP = (["addr"], ["link"], ["rule"], ["route", "show", "table", "all"], ["netns"])
FOLDERS = (
    "/etc",
    "/run",
    "/var/lib",
    "/dev",
    "/opt",
    "/srv",
    "/mnt",
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
    "/lib",
)
# What counts, draws at random or is in use by others on the machine.
RESTLESS = re.compile(r"random|-nr$|-state$|_nr$|/pty/nr|ns_last_pid|_count$|sched_|/usage|/quota/|cad_pid|perf_|numa_")


def network() -> dict[str, str]:
    told = {" ".join(words): subprocess.run(["ip", *words], capture_output=True, text=True).stdout for words in IP}
    # Remaining lifetimes change by themselves.
    told = {words: re.sub(r"_lft \S*", "", text) for words, text in told.items()}
    # The machine's own neighbours come and go; those of the lab are never among them.
    neighbours = subprocess.run(["ip", "neigh"], capture_output=True, text=True).stdout
    return told | {"neighbours of the lab": str([host for host in HOSTS if f"{host.address} " in neighbours])}


def parameters() -> dict[str, str]:
    found = {}
    for path in Path("/proc/sys").rglob("*"):
        if path.is_file() and not RESTLESS.search(str(path)) and os.access(path, os.R_OK):
            try:
                found[str(path)] = path.read_text(errors="replace")
            except OSError:
                continue  # some can only be written
    return found


def files() -> dict[str, tuple[int, int, int]]:
    """Mode, owner and time of change of each file in the machine's own folders."""
    found = {}
    for folder in FOLDERS:
        for directory, _folders, names in os.walk(folder):
            for name in names:
                try:
                    about = os.lstat(Path(directory, name))
                except OSError:
                    continue
                terminal = directory.startswith("/dev")
                found[f"{directory}/{name}"] = (about.st_mode, about.st_uid, 0 if terminal else about.st_mtime_ns)
    return {path: about for path, about in found.items() if not path.startswith(("/dev/pts/", "/dev/shm/"))}


def mounts() -> list[str]:
    return [line.split(" - ")[0].split(" ", 2)[2] for line in Path("/proc/self/mountinfo").read_text().splitlines()]


def test_the_machine_is_the_same_before_and_after(user):
    temporary = user.home / "tmp"
    temporary.mkdir()
    temporary.chmod(0o777)
    own = {"TMPDIR": str(temporary), "KUBECACHEDIR": str(user.home / "kube")}
    looks = {"network": network, "parameters": parameters, "files": files, "mounts": mounts}
    before = {name: look() for name, look in looks.items()}
    assert user.calico_lab("up", "--name", "guest", "--to", "route", **own).returncode == 0
    during = network()
    assert user.run(
        KUBECTL, "get", "nodes", KUBECONFIG=str(user.home / "state/calico-lab/guest/kubeconfig"), **own
    ).stdout
    assert user.calico_lab("down", "--name", "guest", **own).returncode == 0
    after = {name: look() for name, look in looks.items()}
    assert during == before["network"]
    for name in looks:
        assert after[name] == before[name], name
    assert list(temporary.iterdir()) == []
    assert not (user.home / "state/calico-lab/guest").exists()
    assert list((user.home / "kube/discovery").iterdir()) == []
