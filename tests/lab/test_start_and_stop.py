"""Start and stop of a lab, by the command that a learner types."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest
from support.labs import CALICO_LAB, RunningLab, calico_lab, running_lab


@pytest.fixture(scope="module")
def lab():
    with running_lab("start") as running:
        yield running


def status(lab: RunningLab) -> dict:
    return json.loads(calico_lab("status", "--name", lab.name, "--json").stdout)


def processes_of(lab: RunningLab) -> list[int]:
    """Handles of the processes in the lab's PID namespace, each good for its process and no later one (pidfd)."""
    namespace = Path(f"/proc/{lab.status['pid']}/ns/pid").readlink()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "ns/pid").readlink() == namespace:
                found.append(os.pidfd_open(int(folder.name)))
        except OSError:
            continue  # it ended meanwhile
    return found


def all_ended(processes: list[int], *, within: float) -> bool:
    deadline = time.monotonic() + within
    return all(select.select([process], [], [], max(0.0, deadline - time.monotonic()))[0] for process in processes)


def network_links() -> set[str]:
    return {path.name for path in Path("/sys/class/net").iterdir()}


def test_status_tells_where_the_lab_is(lab: RunningLab):
    assert status(lab)["running"] is True
    assert status(lab)["hosts"] == {
        "bastion": "10.0.1.10",
        "control1": "10.0.1.20",
        "worker1": "10.0.1.31",
        "worker2": "10.0.1.30",
    }


def test_up_twice_is_one_lab(lab: RunningLab):
    again = json.loads(calico_lab("up", "--name", lab.name, "--json").stdout)
    assert again["pid"] == lab.status["pid"]


def test_its_ports_are_none_that_the_kernel_gives_to_whoever_connects(lab: RunningLab):
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(lab.status["api_port"], lab.status["ssh_port"]) < lowest


def test_it_comes_up_though_nobody_reads_what_up_tells():
    name = f"unread-{os.getpid()}"
    try:
        subprocess.run(["bash", "-c", f"{CALICO_LAB} up --name {name} | true"], capture_output=True, timeout=60)
        assert calico_lab("status", "--name", name).returncode == 0
    finally:
        assert calico_lab("down", "--name", name).returncode == 0


def test_the_first_process_is_the_init_of_its_namespace(lab: RunningLab):
    numbers = Path(f"/proc/{lab.status['pid']}/status").read_text().partition("NSpid:")[2].splitlines()[0].split()
    assert numbers[-1] == "1"


def test_nothing_of_ours_stands_between_it_and_the_machines_init(lab: RunningLab):
    parent = int(Path(f"/proc/{lab.status['pid']}/status").read_text().partition("PPid:")[2].split()[0])
    assert "calico" not in Path(f"/proc/{parent}/cmdline").read_text()


def test_bastion_hands_back_exit_code_output_and_errors(lab: RunningLab):
    done = lab.bastion("echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")


def test_env_leads_kubectl_to_the_lab(lab: RunningLab):
    assert f"export KUBECONFIG={lab.kubeconfig}\n" in calico_lab("env", "--name", lab.name).stdout
    assert lab.kubectl("get", "nodes", "-o", "name").split() == ["node/control1", "node/worker1", "node/worker2"]


def test_nothing_outside_the_lab_can_be_read_or_written_from_the_bastion(lab: RunningLab):
    done = lab.bastion(f"cat {lab.kubeconfig}; touch /usr/x; ls -d /home/* /var/lib/dpkg; kill -0 {lab.status['pid']}")
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 5


def test_a_second_lab_has_its_own_world(lab: RunningLab):
    with running_lab("other") as other:
        other.kubectl("label", "node", "worker1", "only=here")
        assert lab.kubectl("get", "nodes", "-l", "only=here", "-o", "name") == ""
        ports = ("api_port", "ssh_port")
        assert not {lab.status[port] for port in ports} & {other.status[port] for port in ports}


def test_down_leaves_nothing():
    links = network_links()
    with running_lab("down") as lab:
        processes = processes_of(lab)
        assert len(processes) > 4
        assert calico_lab("down", "--name", lab.name).returncode == 0
        assert all_ended(processes, within=0)
        assert not lab.kubeconfig.parent.exists()
        assert network_links() == links


def test_killing_the_first_process_ends_everything_and_the_next_up_works():
    with running_lab("killed") as lab:
        processes = processes_of(lab)
        os.kill(lab.status["pid"], signal.SIGKILL)
        assert all_ended(processes, within=5)
        assert status(lab)["running"] is False
        assert calico_lab("up", "--name", lab.name).returncode == 0
