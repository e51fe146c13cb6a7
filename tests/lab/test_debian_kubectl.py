"""The guide's commands by Debian's own kubectl, which is seventeen minor versions older than the API server."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator

import pytest
from support import debian_packages, guide
from support.labs import RunningLab, running_lab

Run = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with running_lab("debian") as lab:
        yield lab


@pytest.fixture(scope="module")
def run(lab) -> Run:
    """Run a shell's command in which kubectl is Debian's."""
    folder = debian_packages.kubectl().parent
    home = lab.kubeconfig.parent / "home"  # discovery is cached there
    environment = {
        **os.environ,
        "KUBECONFIG": str(lab.kubeconfig),
        "HOME": str(home),
        "PATH": f"{folder}:{os.environ['PATH']}",
    }

    def run(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, timeout=60)

    return run


@pytest.fixture(scope="module")
def printed(lab, run) -> dict[str, str]:
    """What the guide's steps printed; those that kubectl has no part in are done on the bastion."""
    told = {}
    for step in ("ip-pool", "bgp", "edit-import-filter", "restart-bird", "gateway-api", "install-hey"):
        if "kubectl" in guide.command(step):
            told[step] = checked(run(guide.command(step)))
        else:
            assert lab.bastion(guide.command(step)).returncode == 0
    lab.kubectl("wait", "--for=create", "gatewayclass/tigera-gateway-class", "--timeout=20s")
    for step in guide.DEMO:
        told[step] = checked(run(guide.command(step)))
    checked(run("kubectl rollout status deployment/backend --timeout=20s"))
    checked(run("kubectl wait --for=condition=Programmed gateway/load-balancing-gateway --timeout=20s"))
    told["gateway-address"] = checked(run(guide.command("gateway-address")))
    address = told["gateway-address"].split()[-1]
    lab.bastion(f"timeout 20 bash -c 'until ip route | grep -q ^{address}; do sleep 0.1; done'")
    load = lab.bastion(f"export GATEWAY_LB_DEMO={address}; {guide.command('load')}")
    assert guide.statuses(load.stdout) == {200: 100}
    told["requests-per-pod"] = checked(run(guide.command("requests-per-pod")))
    told["pods"] = checked(run("kubectl get pods,deployments,gateways"))
    told["clean-up"] = checked(run(guide.command("clean-up")))
    return told


def checked(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_that_old(run):
    assert "v1.20.2" in run("kubectl version --client").stdout


@pytest.mark.parametrize(
    ("step", "objects"),
    [("ip-pool", 1), ("bgp", 2), ("gateway-api", 1), ("backend", 3), ("gateway", 1), ("route-and-policy", 2)],
)
def test_apply_creates(printed, step, objects):
    lines = printed[step].splitlines()
    assert [line.split()[-1] for line in lines] == ["created"] * objects


def test_the_gateway_has_an_address(printed):
    assert printed["gateway-address"].startswith("GATEWAY_LB_DEMO is: 10.10.10.")


def test_every_pod_received_its_quarter(printed):
    assert guide.received(printed["requests-per-pod"]) == [25, 25, 25, 25]


def test_get_prints_the_servers_columns(printed):
    assert "deployment.apps/backend   4/4     4            4" in printed["pods"]
    assert "load-balancing-gateway   tigera-gateway-class   10.10.10." in printed["pods"]


def test_clean_up_deletes(printed):
    assert [line.split()[-1] for line in printed["clean-up"].splitlines()] == ["deleted"] * 6


def test_a_misspelt_field_is_seen_before_it_is_sent(run):
    manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"prots": [{"port": 80}]}}
    done = run(f"kubectl apply -f - <<< '{json.dumps(manifest)}'")
    assert done.returncode == 1
    assert 'unknown field "prots" in io.k8s.api.core.v1.ServiceSpec' in done.stderr


def test_exec_over_spdy_is_refused_plainly(lab, run):
    lab.kubectl("run", "shell", "--image=busybox", "--command", "--", "sleep", "60")
    lab.kubectl("wait", "--for=condition=Ready", "pod/shell", "--timeout=20s")
    done = run("kubectl exec shell -- ls")
    assert done.returncode == 1
    assert "over WebSocket only, as kubectl does from 1.31 on" in done.stderr
