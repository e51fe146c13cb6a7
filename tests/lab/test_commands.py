"""The subcommands around a lab, as root and as an ordinary user."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time

import pytest
from support.labs import CALICO_LAB, KUBECTL

NAME = "commands"


@pytest.fixture(scope="module")
def lab(user):
    with user.lab(NAME, "--to", "backend") as status:
        yield status


@pytest.fixture
def on(user, lab):
    """Run a command on a host of the lab and return its output."""

    def run(host: str, *words: str) -> str:
        command = ["bastion"] if host == "bastion" else ["node", host]
        done = user.calico_lab(*command, "--name", NAME, "--", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def kubectl(user, lab):
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return user.run(KUBECTL, *arguments, KUBECONFIG=lab["kubeconfig"])

    return run


def pods(kubectl) -> list[str]:
    columns = "custom-columns=:metadata.name,:spec.nodeName,:status.podIP"
    others = "metadata.namespace!=kube-system"
    return kubectl("get", "pods", "-A", "--no-headers", "-o", columns, f"--field-selector={others}").stdout.splitlines()


def test_doctor_finds_all_well_here(user):
    found = {finding["part"]: finding for finding in user.json("doctor")}
    assert all(finding["well"] for finding in found.values())
    assert found["BIRD"]["version"] == "1.6.8"
    assert found["user namespaces"]["problem"] == ""


def test_list_names_every_lab_of_the_user(user, lab):
    found = user.json("list")
    assert [(each["name"], each["running"]) for each in found] == [(NAME, True)]
    assert f"API 127.0.0.1:{lab['api_port']}" in user.calico_lab("list").stdout


def test_each_node_answers_for_itself(on):
    assert on("worker1", "hostname").strip() == "worker1"
    assert "10.0.1.31 dev eth0 src 10.0.1.20" in on("control1", "ip", "route", "get", "10.0.1.31")


def test_a_node_shows_its_bird_and_its_address_translation(on):
    assert re.search(r"Mesh_10_0_1_30 +BGP.*Established", on("worker1", "sudo birdc show protocols"))
    assert "dnat to" in on("worker2", "nft list ruleset")


def test_a_node_hands_back_exit_codes_and_takes_a_shell(user, lab):
    done = user.calico_lab("node", "control1", "--name", NAME, stdin="hostname; exit 5\n")
    assert (done.returncode, done.stdout) == (5, "control1\n")


def test_a_shell_on_a_node_is_root_s_and_on_the_bastion_a_user_s(on):
    assert (on("worker1", "echo $USER"), on("bastion", "echo $USER")) == ("root\n", "user\n")


def test_a_node_s_packets_can_be_captured(user, lab):
    command = [CALICO_LAB, "node", "control1", "--name", NAME, "--", "capture", "-c", "2", "eth0"]
    variables = {**os.environ, **user.variables()}
    captured = subprocess.run([*user.prefix(), *command], env=variables, capture_output=True, timeout=20).stdout
    assert captured[:4] == (0xA1B2C3D4).to_bytes(4, sys.byteorder)
    assert len(captured) > 24 + 2 * (16 + 14)


@pytest.mark.skipif(shutil.which("tcpdump") is None, reason="this machine has no tcpdump")
@pytest.mark.parametrize("interface", ["-ieth0", "-i any"])
def test_tcpdump_shows_a_node_s_packets(on, interface):
    shown = on("worker1", f"tcpdump -n {interface} -c 2 tcp port 179").splitlines()
    assert len(shown) == 2
    assert all("10.0.1.31." in line and ".179" in line for line in shown)


def test_a_machine_without_tcpdump_is_told_how_to_get_it(user, lab):
    hide = "mount --bind /dev/null $(command -v /usr/bin/tcpdump || echo /dev/null)"
    done = user.calico_lab("node", "worker1", "--name", NAME, "--", f"unshare -m sh -c '{hide}; tcpdump -n'")
    assert done.returncode == 127
    assert "sudo apt install tcpdump" in done.stderr


def test_what_is_not_a_node_is_told_with_what_is(user, lab):
    done = user.calico_lab("node", "worker9", "--name", NAME, "--", "true")
    assert done.returncode == 1
    assert "control1, worker1, worker2" in done.stderr


def test_the_ssh_configuration_is_good_for_ssh_itself(user, lab):
    for host in ("bastion", "worker1"):
        done = user.run("ssh", "-F", lab["ssh_config"], host, "hostname")
        assert done.stdout.strip() == host, done.stderr


@pytest.mark.parametrize(
    ("part", "shown"), [("bird-bastion", "Started"), ("bird-worker1", "Started"), ("envoy-gateway", "")]
)
def test_logs_of_a_part(user, lab, part, shown):
    done = user.calico_lab("logs", part, "--name", NAME)
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout


def test_logs_can_be_cut_to_their_end(user, lab):
    done = user.calico_lab("logs", "bird-worker1", "--name", NAME, "--tail", "2")
    assert len(done.stdout.splitlines()) == 2


def test_logs_can_be_followed(user, lab, on):
    follower = subprocess.Popen(
        [*user.prefix(), CALICO_LAB, "logs", "bird-worker1", "--name", NAME, "--follow", "--tail", "0"],
        env={**os.environ, **user.variables()}, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        time.sleep(1)
        on("worker1", "birdc", "configure")
        assert select.select([follower.stdout], [], [], 10)[0]
        assert "onfigur" in follower.stdout.readline()
    finally:
        os.killpg(follower.pid, signal.SIGTERM)
        follower.communicate(timeout=10)


def test_an_unknown_part_is_told_with_those_that_there_are(user, lab):
    done = user.calico_lab("logs", "nonsense", "--name", NAME)
    assert done.returncode == 1
    assert "apiserver" in done.stderr
    assert "bird-worker2" in done.stderr


def test_logs_of_an_envoy_that_does_not_exist_yet(user, lab):
    done = user.calico_lab("logs", "envoy", "--name", NAME)
    assert done.returncode == 1
    assert "--to gateway" in done.stderr


def test_a_step_back_is_refused(user, lab):
    done = user.calico_lab("up", "--name", NAME, "--to", "bgp")
    assert done.returncode == 1
    assert f"reset --name {NAME} --to bgp" in done.stderr


def test_an_unknown_step_is_told_with_those_that_there_are(user):
    done = user.calico_lab("up", "--name", NAME, "--to", "nonsense")
    assert done.returncode == 1
    assert all(step["name"] in done.stderr for step in user.json("steps"))


def test_reset_makes_the_lab_fresh_at_the_same_addresses(user, lab, kubectl):
    assert kubectl("get", "gateways").returncode == 0
    after = user.json("reset", "--name", NAME)
    assert {key: after[key] for key in ("api_port", "ssh_port")} == {key: lab[key] for key in ("api_port", "ssh_port")}
    assert after["pid"] != lab["pid"]
    assert pods(kubectl) == []


def test_after_reset_gateways_are_an_unknown_resource_again(user, lab, kubectl):
    user.json("reset", "--name", NAME, "--to", "gateway-api")
    assert kubectl("get", "gateways").stderr == "No resources found in default namespace.\n"
    user.json("reset", "--name", NAME)
    unknown = 'the server doesn\'t have a resource type "gateways"'
    assert unknown in kubectl("get", "gateways").stderr
    assert unknown in user.calico_lab("bastion", "--name", NAME, "--", "kubectl", "get", "gateways").stderr


def test_the_same_steps_give_the_same_names_and_addresses(user, lab, kubectl):
    user.json("reset", "--name", NAME, "--to", "route")
    first = pods(kubectl)
    assert len(first) == 6
    user.json("reset", "--name", NAME, "--to", "prerequisites")
    user.json("up", "--name", NAME, "--to", "backend")
    user.json("up", "--name", NAME, "--to", "route")
    assert pods(kubectl) == first


def test_after_the_last_step_the_guide_s_test_passes(user, lab, kubectl, on):
    user.json("up", "--name", NAME, "--to", "route")
    address = kubectl("get", "gateway", "-o", "jsonpath={.items[0].status.addresses[0].value}").stdout
    report = on("bastion", f"hey -n 100 -c 100 -host www.example.com http://{address}/round")
    assert "[200]\t100 responses" in report
    assert user.calico_lab("logs", "envoy", "--name", NAME).stdout


def test_a_notebook_that_was_open_goes_on_after_a_reset(user, lab):
    user.json("reset", "--name", NAME, "--to", "gateway-api")
    script = """
import subprocess, sys
import calico_lab
from calico_lab import errors
lab = calico_lab.connect()
assert lab.cluster.list("Gateway") == []
assert lab.bastion.run("hostname").output == "bastion\\n"
subprocess.run(sys.argv[1:], check=True, capture_output=True)
try:
    lab.cluster.list("Gateway")
except errors.NotFound:
    print("unknown again")
print(lab.bastion.run("hostname").output)
lab.begin("prerequisites")
print(len(lab.cluster.list("Gateway")))
"""
    command = [sys.executable, "-c", script, CALICO_LAB, "reset", "--name", NAME]
    done = user.run(*command, KUBECONFIG=lab["kubeconfig"])
    assert done.stdout.split() == ["unknown", "again", "bastion", "0"], done.stderr


def test_reset_of_nothing_is_refused(user):
    done = user.calico_lab("reset", "--name", "nothing")
    assert done.returncode == 1
    assert "no lab 'nothing'" in done.stderr


def test_reset_brings_back_a_lab_that_was_killed(user, lab):
    pid = json.loads(user.calico_lab("status", "--name", NAME, "--json").stdout)["pid"]
    os.kill(pid, 9)
    after = user.json("reset", "--name", NAME)
    assert (after["running"], after["api_port"]) == (True, lab["api_port"])
