"""A learner's everyday commands on pods: run, exec, attach, port-forward, cp, and names of the cluster's DNS."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from support import guide
from support.labs import KUBECTL, RunningLab, running_lab

HEADLESS = """
apiVersion: v1
kind: Service
metadata: {name: peers}
spec: {clusterIP: None, selector: {app: backend}, ports: [{name: http, port: 3000}]}
"""
# Its admin interface listens on 127.0.0.1 inside the pod alone, as that of Envoy Gateway's proxies does.
ENVOY = """
apiVersion: v1
kind: Pod
metadata: {name: envoy}
spec:
  containers:
    - name: envoy
      image: docker.io/envoyproxy/envoy:distroless-v1.35.8
      args: [--config-yaml, "admin: {address: {socket_address: {address: 127.0.0.1, port_value: 19000}}}"]
"""
# A pod with names of its own, behind a headless service, which is not told of other services.
NAMED = """
apiVersion: v1
kind: Service
metadata: {name: crew}
spec: {clusterIP: None, selector: {rank: captain}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: pod-of-any-name, labels: {rank: captain}}
spec:
  hostname: ahab
  subdomain: crew
  enableServiceLinks: false
  containers: [{name: shell, image: busybox, command: [sleep, "3600"]}]
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with running_lab("pods") as lab:
        lab.bastion(guide.command("backend"))
        lab.kubectl("apply", "-f", "-", stdin=HEADLESS)
        lab.kubectl("apply", "-f", "-", stdin=ENVOY)
        lab.kubectl("rollout", "status", "deployment/backend", "--timeout=20s")
        lab.kubectl("rollout", "status", "deployment/coredns", "-n", "kube-system", "--timeout=20s")
        lab.kubectl("run", "shell", "--image=busybox", "--command", "--", "sleep", "3600")
        lab.kubectl("wait", "--for=condition=Ready", "pod/shell", "pod/envoy", "--timeout=20s")
        yield lab


def kubectl(lab: RunningLab, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run kubectl, whatever its exit code."""
    environment = {**os.environ, "KUBECONFIG": str(lab.kubeconfig)}
    command = [KUBECTL, *arguments]
    return subprocess.run(command, env=environment, input=stdin, capture_output=True, text=True, timeout=30)


def at_terminal(lab: RunningLab, *arguments: str, typed: str = "") -> str:
    """Run kubectl at a terminal of 100 columns and 30 lines; returns what stands there in the end."""
    child, master = pty.fork()
    if child == 0:
        os.environ["KUBECONFIG"] = str(lab.kubeconfig)
        os.execv(KUBECTL, [KUBECTL, *arguments])
    import termios

    termios.tcsetwinsize(master, (30, 100))
    os.write(master, typed.encode())
    seen = b""
    with suppress(OSError):
        while block := os.read(master, 65536):
            seen += block
    os.close(master)
    os.waitpid(child, 0)
    return seen.decode().replace("\r\n", "\n")


def shell(lab: RunningLab, command: str) -> str:
    done = kubectl(lab, "exec", "shell", "--", "sh", "-c", command)
    return done.stdout + done.stderr


def test_run_curl_interactively(lab):
    run = ("run", "curl", "--image=curlimages/curl", "-it", "--rm", "--", "http://backend:3000/")
    screen = at_terminal(lab, *run)
    assert json.loads(re.search(r"(?s)\{.*\n\}", screen)[0])["host"] == "backend:3000"
    assert 'pod "curl" deleted from default namespace' in screen


def test_its_exit_code_is_handed_back(lab):
    run = ("run", "curl2", "--image=curlimages/curl", "-i", "--rm", "--restart=Never", "--", "-sS", "http://gone:3000/")
    done = kubectl(lab, *run)
    assert done.returncode == 6
    assert "Could not resolve host: gone" in done.stdout + done.stderr  # its log, if it ended before it was attached


@pytest.mark.parametrize(
    "name", ["", ".default", ".default.svc", ".default.svc.cluster.local", ".default.svc.cluster.local."]
)
def test_a_service_by_all_its_names(lab, name):
    address = lab.get("service", "backend")["spec"]["clusterIP"]
    assert shell(lab, f"getent ahostsv4 backend{name} | head -1").split()[0] == address


def test_a_headless_service_has_the_addresses_of_its_pods(lab):
    pods = {pod["status"]["podIP"] for pod in lab.get("pods", "-l", "app=backend")["items"]}
    found = shell(lab, "getent ahostsv4 peers | awk '{print $1}' | sort -u").split()
    assert len(pods) == 4
    assert set(found) == pods


def test_names_follow_their_services(lab):
    lab.kubectl("create", "service", "clusterip", "late", "--tcp=80", "--clusterip=10.49.77.7")
    assert shell(lab, "until getent hosts late; do sleep 0.05; done").split()[0] == "10.49.77.7"
    lab.kubectl("delete", "service", "late")
    assert shell(lab, "while getent hosts late; do sleep 0.05; done; echo gone").endswith("gone\n")


def test_a_cluster_without_dns_has_no_names_and_gets_them_back(lab):
    lab.kubectl("scale", "deployment/coredns", "-n", "kube-system", "--replicas=0")
    lab.kubectl("wait", "--for=delete", "pod", "-l", "k8s-app=kube-dns", "-n", "kube-system", "--timeout=20s")
    assert "rc 2" in shell(lab, "timeout 9 getent hosts backend; echo rc $?")
    lab.kubectl("scale", "deployment/coredns", "-n", "kube-system", "--replicas=1")
    lab.kubectl("rollout", "status", "deployment/coredns", "-n", "kube-system", "--timeout=20s")
    assert "backend.default.svc.cluster.local" in shell(lab, "until getent hosts backend; do sleep 0.1; done")


def test_exec_output_errors_and_exit_code(lab):
    done = kubectl(lab, "exec", "shell", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout) == (7, "out\n")
    assert done.stderr == "err\ncommand terminated with exit code 7\n"


def test_exec_carries_a_megabyte_both_ways(lab):
    text = "0123456789abcde\n" * 65536
    assert kubectl(lab, "exec", "-i", "shell", "--", "cat", stdin=text).stdout == text


def test_a_shell_at_a_terminal(lab):
    screen = at_terminal(lab, "exec", "-it", "shell", "--", "sh", typed="stty size; hostname\nexit 3\n")
    assert "30 100\nshell\n" in screen
    assert screen.endswith("command terminated with exit code 3\n")


def test_a_pod_is_in_its_own_network(lab):
    assert shell(lab, "ls /sys/class/net").split() == ["eth0", "lo"]


def test_attach_to_a_shell(lab):
    run = ("run", "attached", "--image=busybox", "-i", "--rm", "--restart=Never", "--", "sh")
    done = kubectl(lab, *run, stdin="echo $((6 * 7))\nexit 5\n")
    assert (done.returncode, "42\n" in done.stdout) == (5, True)


def test_cp_both_ways(lab, tmp_path):
    (tmp_path / "there").write_text("hello")
    lab.kubectl("cp", str(tmp_path / "there"), "shell:/tmp/there")
    lab.kubectl("cp", "shell:/tmp/there", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "hello"


@contextmanager
def forwarded(lab: RunningLab, target: str, port: int) -> Iterator[int]:
    """Forward a free port of this machine to a port of a pod."""
    environment = {**os.environ, "KUBECONFIG": str(lab.kubeconfig)}
    command = [KUBECTL, "port-forward", target, f":{port}"]
    forwarding = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield int(re.search(r"127\.0\.0\.1:(\d+) ->", forwarding.stdout.readline())[1])
    finally:
        forwarding.terminate()
        forwarding.communicate(timeout=10)


def ask(port: int, path: str, data: bytes | None = None) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", data, timeout=10) as answer:
        return answer.read().decode()


def test_port_forward_to_the_admin_interface_of_an_envoy(lab):
    with forwarded(lab, "pod/envoy", 19000) as port:
        assert json.loads(ask(port, "/server_info"))["state"] == "LIVE"
        assert [ask(port, "/ready") for _ in range(20)] == ["LIVE\n"] * 20


def test_port_forward_to_a_service_carries_a_large_request(lab):
    with forwarded(lab, "service/backend", 3000) as port:
        assert json.loads(ask(port, "/upload", b"x" * 1_000_000))["method"] == "POST"


def test_port_forward_to_a_closed_port(lab):
    with forwarded(lab, "pod/envoy", 81) as port, pytest.raises((OSError, urllib.error.URLError)):
        ask(port, "/")


def test_logs_are_followed_as_they_come(lab):
    environment = {**os.environ, "KUBECONFIG": str(lab.kubeconfig)}
    lab.kubectl(
        "run", "ticking", "--image=busybox", "--command", "--", "sh", "-c", "echo one; sleep 1; echo two; sleep 600"
    )
    lab.kubectl("wait", "--for=condition=Ready", "pod/ticking", "--timeout=20s")
    command = [KUBECTL, "logs", "-f", "ticking"]
    following = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        # The container goes on for longer than a test may: a log that came whole at its end would come too late.
        assert following.stdout.readline() == "one\n"
        assert following.stdout.readline() == "two\n"
    finally:
        following.terminate()
        following.communicate(timeout=10)
    lab.kubectl("delete", "pod", "ticking", "--grace-period=1")


def test_an_unknown_image_names_those_that_there_are(lab):
    lab.kubectl("run", "web", "--image=ghost")
    lab.kubectl(
        "wait", "--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ImagePullBackOff", "pod/web"
    )
    waiting = lab.get("pod", "web")["status"]["containerStatuses"][0]["state"]["waiting"]
    assert "docker.io/curlimages/curl, " in waiting["message"]
    lab.kubectl("delete", "pod", "web")


def test_nothing_of_all_this_went_wrong_in_the_lab_itself(lab):
    log = (lab.kubeconfig.parent / "lab.log").read_text()
    assert "calico_lab.local.kubelet" not in log, log


def test_a_pod_with_names_of_its_own(lab: RunningLab):
    lab.kubectl("apply", "-f", "-", stdin=NAMED)
    lab.kubectl("wait", "--for=condition=Ready", "pod/pod-of-any-name", "--timeout=20s")
    inside = ("exec", "pod-of-any-name", "--")
    assert lab.kubectl(*inside, "hostname") == "ahab\n"
    assert lab.kubectl(*inside, "hostname", "-f") == "ahab.crew.default.svc.cluster.local\n"
    assert "10.48." in lab.kubectl("exec", "shell", "--", "getent", "hosts", "ahab.crew")
    assert "BACKEND_" not in lab.kubectl(*inside, "env")
    assert "BACKEND_SERVICE_PORT=3000\n" in lab.kubectl("exec", "shell", "--", "env")
