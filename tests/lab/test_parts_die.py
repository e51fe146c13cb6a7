"""Parts of a lab die under load: each is started again and said to be, and at most what was on its way is lost."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.demo import ADDRESS, BACKENDS, ENVOYS, TIGERA, demo_lab, events, is_ready, pods
from support.eventually import wait_until
from support.labs import RunningLab, calico_lab
from support.load import WORKERS, load

from calico_lab.local.start import lifecycle, requests

SECONDS = 3
CONTROLLER = "endpoint-slice-controller"


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with demo_lab("parts") as lab:
        yield lab


@pytest.fixture
def two_envoys(lab: RunningLab) -> Iterator[None]:
    (deployment,) = (
        name for name in lab.kubectl("get", "deployments", *TIGERA, "-o", "name").split() if "envoy-default" in name
    )
    lab.kubectl("scale", deployment, *TIGERA, "--replicas=2")
    wait_until(lambda: lab.bastion(f"ip route show {ADDRESS}").stdout.count("nexthop") == 2)
    yield
    lab.kubectl("scale", deployment, *TIGERA, "--replicas=1")
    wait_until(lambda: len(lab.get("pods", *ENVOYS)["items"]) == 1)
    wait_until(lambda: " via " in lab.bastion(f"ip route show {ADDRESS}").stdout.splitlines()[0])


def processes(lab: RunningLab, program: str) -> list[int]:
    """The lab's processes whose command line has ``program`` in it."""
    namespace = Path(f"/proc/{lab.status['pid']}/ns/pid").readlink()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if program in words and (folder / "ns/pid").readlink() == namespace:
                found.append(int(folder.name))
        except OSError:
            continue  # it ended meanwhile
    return sorted(found)


def parts(lab: RunningLab) -> dict[str, dict]:
    status = json.loads(calico_lab("status", "--name", lab.name, "--json").stdout)
    return {part["name"]: part for part in status["parts"]}


def restarts(lab: RunningLab, *words: str) -> int:
    return sum(entry["restartCount"] for pod in pods(lab, *words) for entry in pod["status"]["containerStatuses"])


def end_part(lab: RunningLab, name: str) -> None:
    requests.ask(lifecycle.status(lab.name), "DELETE", f"parts/{name}")


@pytest.mark.parametrize("host", ["bastion", "worker2"])
def test_bird(lab: RunningLab, host: str):
    name = f"BIRD of {host}"
    before = parts(lab)[name]["restarts"]
    (victim,) = (
        pid for pid in processes(lab, "/bird -f") if Path(f"/proc/{pid}/ns/uts").readlink() == uts_of(lab, host)
    )
    with load(lab, ADDRESS, SECONDS) as requests_then:
        time.sleep(1)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: parts(lab)[name]["restarts"] == before + 1)
    assert requests_then.failed == 0
    assert parts(lab)[name]["lastEnd"] == "it was killed by SIGKILL"
    assert f"{name}: it was killed by SIGKILL; started again" in events(lab, "Restarted")


def uts_of(lab: RunningLab, host: str) -> Path:
    command = "readlink /proc/self/ns/uts"
    where = ("bastion",) if host == "bastion" else ("node", host)
    return Path(calico_lab(*where[:1], "--name", lab.name, *where[1:], "--", command).stdout.strip())


def test_a_backend(lab: RunningLab):
    before = restarts(lab, *BACKENDS)
    with load(lab, ADDRESS, SECONDS) as requests_then:
        time.sleep(1)
        os.kill(processes(lab, "echo_basic")[0], signal.SIGKILL)
    wait_until(lambda: all(map(is_ready, pods(lab, *BACKENDS))))
    assert requests_then.failed <= 2 * WORKERS
    assert restarts(lab, *BACKENDS) == before + 1


def test_the_only_envoy(lab: RunningLab):
    with load(lab, ADDRESS, SECONDS) as requests_then:
        time.sleep(1)
        os.kill(processes(lab, "bin/envoy ")[0], signal.SIGKILL)
    assert restarts(lab, *ENVOYS) == 1
    assert set(requests_then.answers) == {200}
    wait_until(lambda: lab.bastion(f"curl -sf -m 1 -H 'Host: www.example.com' http://{ADDRESS}/round").returncode == 0)


@pytest.mark.parametrize("name", [CONTROLLER, "API server", "kubelet of worker2", "calico-node of worker2"])
def test_a_task(lab: RunningLab, name: str):
    with load(lab, ADDRESS, SECONDS) as requests_then:
        time.sleep(1)
        end_part(lab, name)
    assert requests_then.failed == 0
    assert parts(lab)[name]["restarts"] == 1
    assert f"{name}: it was killed; started again" in events(lab, "Restarted")
    assert name in calico_lab("status", "--name", lab.name).stdout


def test_a_controller_does_its_work_again(lab: RunningLab):
    end_part(lab, CONTROLLER)
    lab.kubectl("scale", "deployment/backend", "--replicas=5")
    endpoints = "get", "endpointslices", "-l", "kubernetes.io/service-name=backend", "-o", "name"
    wait_until(lambda: sum(map(is_ready, pods(lab, *BACKENDS))) == 5)
    assert lab.kubectl(*endpoints)
    lab.kubectl("scale", "deployment/backend", "--replicas=4")
    wait_until(lambda: len(lab.get("pods", *BACKENDS)["items"]) == 4)


def test_the_ssh_server(lab: RunningLab):
    end_part(lab, "SSH server")
    wait_until(lambda: lab.bastion("true").returncode == 0)
    assert parts(lab)["SSH server"]["restarts"] == 1


def test_rolling_update_of_the_backend_loses_nothing(lab: RunningLab):
    before = {pod["metadata"]["name"] for pod in pods(lab, *BACKENDS)}
    with load(lab, ADDRESS, SECONDS + 2) as requests_then:
        time.sleep(1)
        lab.kubectl("rollout", "restart", "deployment/backend")
        lab.kubectl("rollout", "status", "deployment/backend")
    assert requests_then.failed == 0, requests_then
    assert not before & {pod["metadata"]["name"] for pod in pods(lab, *BACKENDS)}


@pytest.mark.usefixtures("two_envoys")
def test_one_of_two_envoys_deleted_loses_nothing(lab: RunningLab):
    with load(lab, ADDRESS, SECONDS + 2) as requests_then:
        time.sleep(1)
        lab.kubectl("delete", "pod", *TIGERA, pods(lab, *ENVOYS)[0]["metadata"]["name"])
    assert requests_then.failed == 0, requests_then


@pytest.mark.usefixtures("two_envoys")
def test_an_envoy_that_is_deleted_answers_what_it_has_been_asked(lab: RunningLab):
    ask = f"curl -s -o /dev/null -w '%{{http_code}} ' -H 'Host: www.example.com' 'http://{ADDRESS}/round?delay=3s'"
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(lab.bastion, f"for _ in {{1..8}}; do {ask} & done; wait")
        time.sleep(1)
        for pod in pods(lab, *ENVOYS):
            lab.kubectl("delete", "pod", *TIGERA, "--wait=false", pod["metadata"]["name"])
    assert asked.result().stdout.split() == ["200"] * 8


@pytest.mark.usefixtures("two_envoys")
def test_one_of_two_envoys_killed_loses_what_was_on_its_way(lab: RunningLab):
    with load(lab, ADDRESS, SECONDS + 2) as requests_then:
        time.sleep(1)
        os.kill(processes(lab, "bin/envoy ")[0], signal.SIGKILL)
    assert requests_then.failed <= 2 * WORKERS, requests_then
