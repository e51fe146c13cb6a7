"""What runs inside a quarantine: labs are started, killed and looked for. See ``quarantine``.

    python inside_quarantine.py FUNCTION ARGUMENT...

prints as its last line, in JSON, what the function returns.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from leftovers import Snapshot, processes, snapshot

CHECKOUT = Path(__file__).parents[2]
CALICO_LAB = str(Path(sys.executable).with_name("calico-lab"))
HOME = Path("/tmp/home")
STATE = HOME / "state/calico-lab/default"
LAB_PROCESS = "calico_lab.local.lab_process"
END_SECONDS = 20.0
ALLOWED_NAMESPACES = 60
NAMESPACES_SECONDS = 20.0
PODS = 4  # of the load


def prepare() -> None:
    """Make what a lab could leave something in empty, and its programs reachable for every user."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=True)
    shutil.copytree(os.environ["QUARANTINE_CACHE"], "/mnt/cache/calico-lab", symlinks=True)
    with _kept(CHECKOUT):
        for folder in ("/tmp", "/dev/shm"):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", folder], check=True)
    (HOME / "state").mkdir(parents=True)
    os.environ |= {"HOME": str(HOME), "XDG_STATE_HOME": str(HOME / "state"), "XDG_CACHE_HOME": "/mnt/cache"}
    with socket.socket() as any_socket:  # loopback up: ioctl SIOCSIFFLAGS (netdevice(7))
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1))


@contextmanager
def _kept(path: Path) -> Iterator[None]:
    """Keep a folder where it is while what stands above it is covered."""
    aside = Path("/mnt/kept")
    aside.mkdir()
    subprocess.run(["mount", "--rbind", path, aside], check=True)
    yield
    if not path.exists():
        path.mkdir(parents=True)
        subprocess.run(["mount", "--rbind", aside, path], check=True)


def await_clean(before: Snapshot) -> None:
    """Wait until everything is as it was before; raises with what is not."""
    deadline = time.monotonic() + END_SECONDS
    _bury_orphans()
    while (now := snapshot(HOME)) != before:
        _bury_orphans()
        if time.monotonic() > deadline:
            differences = {key: (before[key], now[key]) for key in before if now[key] != before[key]}
            raise AssertionError(f"not as before: {differences}")
        time.sleep(0.02)


def _bury_orphans() -> None:
    """Do what a machine's init does, whose place this process has here."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def calico_lab(*words: str, expected: int = 0) -> str:
    """Run a command to its end and return its output."""
    done = subprocess.run([CALICO_LAB, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == expected, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def start(*words: str) -> subprocess.Popen[str]:
    """Start a command and return it running, in a session of its own as on a terminal of its own."""
    return subprocess.Popen(
        [CALICO_LAB, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def first_process() -> int | None:
    """The first process of the lab: the one of its name whose PID namespace is not ours, and that is 1 there."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if LAB_PROCESS.encode() not in (folder / "cmdline").read_bytes():
                continue
            numbers = (folder / "status").read_text().partition("NSpid:")[2].splitlines()[0].split()
        except OSError:
            continue
        if len(numbers) > 1 and numbers[-1] == "1":
            return int(folder.name)
    return None


def _settle(before: Snapshot) -> None:
    """After a kill: everything is gone by itself, the folder can be deleted by its owner, and the next lab works."""
    await_clean(before)
    shutil.rmtree(STATE, ignore_errors=False, onerror=_unless_gone)
    assert not STATE.exists()


def _unless_gone(_function: Any, _path: str, error: Any) -> None:
    if not isinstance(error[1], FileNotFoundError):
        raise error[1]


def _works(before: Snapshot) -> None:
    calico_lab("up")
    calico_lab("status")
    calico_lab("down")
    await_clean(before)
    assert not STATE.exists()


def _seconds_of_up(before: Snapshot) -> float:
    """How long `up` takes here and now: what is to happen on its way is timed by it, on a busy machine too."""
    began = time.monotonic()
    calico_lab("up")
    seconds = time.monotonic() - began
    calico_lab("down")
    await_clean(before)
    return seconds


def kill_first_process_during_up(*parts: str) -> int:
    """Kill -9 the first process after such a part of `up`; returns how many were killed on their way."""
    before, killed = snapshot(HOME), 0
    whole = _seconds_of_up(before)
    for part in map(float, parts):
        up = start("up")
        time.sleep(part * whole)
        first = first_process()
        if first is not None:
            os.kill(first, signal.SIGKILL)
        output = up.communicate(timeout=30)[0]
        killed += up.returncode != 0
        assert "Traceback" not in output, output
        if up.returncode == 0 and first is None:
            calico_lab("down")
        _settle(before)
        _works(before)
    return killed


def kill_command_during_up(number: str, *parts: str) -> int:
    """Send `up` a signal after such a part of it; returns how many were ended on their way."""
    before, ended = snapshot(HOME), 0
    whole = _seconds_of_up(before)
    for part in map(float, parts):
        up = start("up")
        time.sleep(part * whole)
        up.send_signal(int(number))
        output = up.communicate(timeout=30)[0]
        # Interrupted before its first line, Python itself shows where it was.
        assert "Traceback" not in output or "KeyboardInterrupt" in output, output
        ended += up.returncode != 0
        if "three nodes Ready" in output and _stays_up():
            calico_lab("down")
        _settle(before)
        _works(before)
    return ended


def _stays_up() -> bool:
    """Whether a lab whose `up` had nothing left to do goes on; any other must end by itself."""
    deadline = time.monotonic() + END_SECONDS
    while first_process() is not None and time.monotonic() < deadline:
        done = subprocess.run([CALICO_LAB, "status"], capture_output=True, text=True, timeout=30)
        if done.returncode == 0:
            return True
    return False


def kill_first_process_during_down(*delays: str) -> int:
    """Kill -9 the first process, and in the same breath `down`, so long after `down` began."""
    before = snapshot(HOME)
    for delay in map(float, delays):
        calico_lab("up")
        first = first_process()
        assert first is not None
        down = start("down")
        time.sleep(delay)
        with suppress(ProcessLookupError):  # it may have ended as it was told
            os.kill(first, signal.SIGKILL)
        down.kill()
        down.communicate(timeout=30)
        _settle(before)
        _works(before)
    return len(delays)


def kill_first_process_under_load(*delays: str) -> list[int]:
    """Kill -9 the first process so long after pods began to come and go; returns how many processes were there more."""
    before, killed = snapshot(HOME), []
    for delay in map(float, delays):
        calico_lab("up")
        first = first_process()
        assert first is not None
        idle = len(list(processes()))
        load = start("bastion", "--", _LOAD)
        _await_more_processes(idle + PODS)
        time.sleep(delay)
        killed.append(len(list(processes())) - idle)
        os.kill(first, signal.SIGKILL)
        load.communicate(timeout=30)
        _settle(before)
        _works(before)
    return killed


def _await_more_processes(than: int) -> None:
    deadline = time.monotonic() + 4 * END_SECONDS
    while len(list(processes())) <= than:
        assert time.monotonic() < deadline, "the load has not begun"
        time.sleep(0.02)


_LOAD = """
export KUBECONFIG=~/.kube/config
image=gcr.io/k8s-staging-gateway-api/echo-basic:v20231214-v1.0.0-140-gf544a46e
kubectl create deployment backend --replicas=4 --image=$image --dry-run=client -o yaml > /tmp/backend.yaml
kubectl apply -f /tmp/backend.yaml
while true; do kubectl get pods -A > /dev/null & kubectl rollout restart deployment/backend; wait; done
"""


def delete_state_folder() -> None:
    """Delete the state folder under a running lab, which ends by itself."""
    before = snapshot(HOME)
    calico_lab("up")
    shutil.rmtree(STATE)
    await_clean(before)
    _works(before)


def fill_disk(options: str) -> str:
    """Start a lab with a state folder on a file system too small in bytes or in files; returns what `up` says."""
    before = snapshot(HOME)
    home = HOME / "state"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", home], check=True)
    said = calico_lab("up", expected=1)
    assert "Traceback" not in said, said
    first = [line for line in snapshot(HOME)["processes"] if LAB_PROCESS in line]
    calico_lab("down")
    shutil.rmtree(home / "calico-lab", ignore_errors=True)
    subprocess.run(["umount", home], check=True)
    await_clean(before)
    assert not first, first
    _works(before)
    return said


def fill_disk_of_running_lab() -> int:
    """Fill the file system of the state folder of a running lab, which must go on, and be stopped all the same."""
    before = snapshot(HOME)
    home = HOME / "state"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", home], check=True)
    calico_lab("up")
    with (home / "filler").open("wb") as filler:
        written = _fill(filler.fileno())
    for _ in range(3):
        calico_lab("bastion", "--", "kubectl get nodes")
    calico_lab("status")
    calico_lab("down")
    (home / "filler").unlink()
    shutil.rmtree(home / "calico-lab", ignore_errors=True)
    subprocess.run(["umount", home], check=True)
    await_clean(before)
    return written


def _fill(descriptor: int) -> int:
    written = 0
    for block in (4096, 1):
        try:
            while True:
                written += os.write(descriptor, bytes(block))
        except OSError:
            continue
    return written


def cycles(count: str) -> dict[str, list[float]]:
    """Up and down, so many times; the quarantine allows only so many namespaces that a leak ends it soon.

    The kernel takes ended network namespaces apart later than the last process in them ends: it is waited for.
    Returns the kernel's memory and the seconds of the first and the last cycles.
    """
    before = snapshot(HOME)
    calico_lab("up")
    calico_lab("down")
    for kind in ("net", "mnt", "uts", "ipc", "pid", "user"):
        Path(f"/proc/sys/user/max_{kind}_namespaces").write_text(str(ALLOWED_NAMESPACES))
    memory, seconds = [], []
    for _ in range(int(count)):
        began = time.monotonic()
        _up_with_few_namespaces()
        calico_lab("down")
        seconds.append(round(time.monotonic() - began, 3))
        await_clean(before)
        memory.append(_kernel_kilobytes())
    return {"kernel kilobytes": [memory[0], memory[-1]], "seconds": [seconds[0], seconds[-1], max(seconds)]}


def _up_with_few_namespaces() -> None:
    """Start a lab, again for a while where the kernel says that no namespace is left."""
    deadline = time.monotonic() + NAMESPACES_SECONDS
    while True:
        done = subprocess.run([CALICO_LAB, "up"], capture_output=True, text=True, timeout=60)
        if done.returncode == 0:
            return
        said = done.stdout + done.stderr
        assert "No space left on device" in said, said
        assert time.monotonic() < deadline, f"namespaces have been leaked: {said}"
        calico_lab("down")
        time.sleep(0.2)


def _kernel_kilobytes() -> float:
    lines = Path("/proc/meminfo").read_text().splitlines()
    values = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return sum(values.get(key, 0) for key in ("SUnreclaim", "KernelStack", "Percpu"))


def main() -> None:
    """Prepare the quarantine, run a function in it and print what it returns."""
    name, *arguments = sys.argv[1:]
    function: Callable[..., Any] = globals()[name]
    prepare()
    print(json.dumps(function(*arguments)))  # noqa: T201


if __name__ == "__main__":
    main()
