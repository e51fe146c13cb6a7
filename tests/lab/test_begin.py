"""lab.begin(): the same state, and the same words, from wherever the lab was left."""

import re
import subprocess

import pytest
from support.labs import CALICO_LAB, running_lab

import calico_lab
from calico_lab import errors
from calico_lab.lessons import counts, steps

LOAD = 'hey -n 100 -c 100 -host "www.example.com" http://{}/round'
LEFTOVERS = """
apiVersion: v1
kind: Namespace
metadata: {name: left-over}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: left-over, namespace: left-over}
---
apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {name: left-over}
spec: {cidr: 10.10.20.0/26, allowedUses: [LoadBalancer]}
"""


@pytest.fixture(scope="module")
def running():
    with running_lab("begin") as running:
        yield running


@pytest.fixture(scope="module")
def lab(running):
    return calico_lab.connect(running.kubeconfig)


@pytest.fixture
def not_announced(running, tmp_path, monkeypatch):
    """The same cluster, as one that does not announce itself as a lab."""
    text = re.sub(r"    extensions:\n.*?reset:[^\n]*\n", "", running.kubeconfig.read_text(), flags=re.DOTALL)
    (tmp_path / "config").write_text(text)
    monkeypatch.setenv("CALICO_LAB_SSH_CONFIG", str(running.ssh_config))
    return calico_lab.connect(tmp_path / "config")


def command(*arguments):
    subprocess.run([CALICO_LAB, *arguments], check=True, capture_output=True, timeout=60)


def cut_a_host(lab):
    command("cut", "worker1", "--name", lab.name)


def delete_pods(lab):
    for pod in lab.cluster.list("Pod", all_namespaces=True):
        lab.cluster.delete("Pod", pod["metadata"]["name"], pod["metadata"]["namespace"], missing_ok=True)


def edit_bird(lab):
    lab.bastion.run("sudo sed -i 's/64512/65000/' /etc/bird/bird.conf && sudo systemctl restart bird", check=False)


def stop_bird(lab):
    lab.bastion.run("sudo systemctl stop bird")


def drop_the_peer(lab):
    lab.cluster.delete("BGPPeer", "my-global-peer", missing_ok=True)


def leave_things(lab):
    lab.cluster.apply(LEFTOVERS)
    lab.bastion.run("sudo ip route add 10.10.10.0/26 via 10.0.1.20", check=False)


def kill_the_lab(lab):
    """End the API server's machine itself: what is left is a state folder and a kubeconfig."""
    import json
    import os
    import signal

    status = json.loads(
        subprocess.run([CALICO_LAB, "status", "--json", "--name", lab.name], capture_output=True).stdout
    )
    os.kill(status["pid"], signal.SIGKILL)


@pytest.mark.parametrize(
    "leave", [cut_a_host, delete_pods, edit_bird, stop_bird, drop_the_peer, leave_things, kill_the_lab]
)
def test_it_begins_after_the_route_from_any_state(lab, leave):
    leave(lab)
    begun = lab.begin("route")
    assert repr(begun).splitlines()[-1] == "✓ the policy and the route"
    assert all(step.holds(lab) for step in steps.STEPS)
    address = lab.cluster.get("Gateway", steps.GATEWAY)["status"]["addresses"][0]["value"]
    lab.bastion.run(LOAD.format(address))
    assert list(counts.requests_per_pod(lab.cluster)["requests"]) == [25, 25, 25, 25]


def test_nothing_of_before_is_left(lab):
    lab.cluster.apply(LEFTOVERS)
    assert repr(lab.reset()) == "A fresh start: nothing of the demo is there"
    assert not lab.cluster.exists("Namespace", "left-over")
    assert not any(step.holds(lab) for step in steps.STEPS if not step.command)
    with pytest.raises(errors.NotFound, match='resource type "Gateway"'):
        lab.cluster.list("Gateway")


def test_it_says_the_same_and_makes_the_same_every_time(lab):
    def state():
        said = repr(lab.begin("backend"))
        return said, [pod["metadata"]["name"] for pod in lab.cluster.list("Pod", all_namespaces=True)]

    assert state() == state()


def test_an_unknown_step_leaves_the_lab_alone(lab):
    lab.cluster.apply(LEFTOVERS.partition("---")[0])
    with pytest.raises(errors.StepError, match="prerequisites"):
        lab.begin("nonsense")
    assert lab.cluster.exists("Namespace", "left-over")


def test_where_it_is_not_ours_what_is_missing_is_told_and_not_made(lab, not_announced):
    lab.begin("fresh")
    with pytest.raises(errors.PrerequisiteError, match="an IP pool for load balancers"):
        not_announced.begin("prerequisites")
    assert not_announced.cluster.list("BGPPeer") == []
    with pytest.raises(errors.LabError, match="not a lab of your own"):
        not_announced.reset()


def test_where_it_is_not_ours_only_the_demo_goes_and_comes(lab, not_announced):
    lab.begin("backend")
    lab.cluster.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: somebody-s}\n")
    said = repr(not_announced.begin("prerequisites"))
    assert not lab.cluster.exists("Deployment", "backend")
    assert lab.cluster.exists("ConfigMap", "somebody-s")
    assert repr(not_announced.begin("route")).startswith("The lab stands after the step route:")
    assert said == repr(lab.begin("prerequisites"))
