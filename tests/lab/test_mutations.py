"""The guide's verdict can fail: in a lab that is wrong in one way, what the guide ends with does not come out.

Each test breaks one thing in a lab that passed, sees the verdict fall, and mends it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest
from support import guide, impostor
from support.eventually import LIMIT_SECONDS
from support.labs import RunningLab, running_lab
from support.shell import BastionShell, bastion_shell

# Drawn at random, 400 requests come out this even less often than once in 10,000 times, three loads in a row never.
LOADS = 3
POLICY = "backendtrafficpolicy/round-robin-policy"


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with running_lab("mutations") as lab:
        yield lab


@pytest.fixture(scope="module")
def shell(lab: RunningLab) -> Iterator[BastionShell]:
    with bastion_shell(lab.ssh_config) as shell:
        guide.follow_to_the_load(shell)
        assert eventually(shell, expected=True)
        yield shell


@pytest.fixture(autouse=True)
def _mended_afterwards(shell: BastionShell) -> Iterator[None]:
    yield
    assert eventually(shell, expected=True)


def verdict(shell: BastionShell, loads: int = 1) -> bool:
    """What the guide promises: all answered with 200, and every pod gets a quarter of the requests."""
    before = guide.received(shell.run(guide.command("requests-per-pod")))
    for _ in range(loads):
        report = shell.run(guide.command("load").replace("hey ", "timeout 8 hey -t 2 ") + " || true")
        if guide.statuses(report) != {200: 100}:
            return False
    after = guide.received(shell.run(guide.command("requests-per-pod")))
    gained = [new - old for old, new in zip(before, after, strict=True)]
    return gained == [25 * loads] * 4


def eventually(shell: BastionShell, *, expected: bool) -> bool:
    """Whether the verdict becomes what is expected within a few seconds: a change takes a moment to reach Envoy."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while verdict(shell, LOADS) is not expected:
        if time.monotonic() > deadline:
            return False
    return True


@pytest.fixture
def broken(lab: RunningLab) -> Iterator[Callable[[str, str], None]]:
    """Patch objects, and put them back as they were afterwards."""
    undo: list[tuple[str, ...]] = []

    def patch(target: str, change: str, back: str, *options: str) -> None:
        undo.append(("patch", target, "--type=merge", "-p", back, *options))
        lab.kubectl("patch", target, "--type=merge", "-p", change, *options)

    yield patch
    for command in reversed(undo):
        lab.kubectl(*command)


def test_a_random_policy(broken, shell):
    broken(POLICY, '{"spec":{"loadBalancer":{"type":"Random"}}}', '{"spec":{"loadBalancer":{"type":"RoundRobin"}}}')
    assert eventually(shell, expected=False)


def test_no_policy(lab, shell):
    lab.kubectl("delete", POLICY)
    fell = eventually(shell, expected=False)
    shell.run(guide.command("route-and-policy"))
    assert fell


def test_a_pod_that_the_service_does_not_select(lab, shell):
    pod = lab.get("pods", "-l", "app=backend")["items"][0]["metadata"]["name"]
    lab.kubectl("patch", "service/backend", "-p", json.dumps({"spec": {"selector": {"rota": "on"}}}))
    others = [each["metadata"]["name"] for each in lab.get("pods", "-l", "app=backend")["items"]]
    lab.kubectl("label", "pods", *[name for name in others if name != pod], "rota=on")
    fell = eventually(shell, expected=False)
    lab.kubectl("patch", "service/backend", "-p", json.dumps({"spec": {"selector": {"rota": None}}}))
    assert fell


def test_no_bgp_peer(lab, shell):
    lab.kubectl("delete", "bgppeer/my-global-peer")
    shell.run(guide.ROUTE_GONE)
    fell = eventually(shell, expected=False)
    shell.run(guide.command("bgp"))
    shell.run(guide.SESSIONS_ESTABLISHED)
    shell.run(guide.ROUTE_LEARNED)
    assert fell


def test_no_line_in_the_import_filter(shell):
    shell.run("sudo sed -i '/10.10.10.0/d' /etc/bird/bird.conf && sudo systemctl restart bird")
    shell.run(guide.SESSIONS_ESTABLISHED)
    shell.run(guide.ROUTE_GONE)
    fell = eventually(shell, expected=False)
    shell.run(guide.command("edit-import-filter"))
    shell.run(guide.command("restart-bird"))
    shell.run(guide.ROUTE_LEARNED)
    assert fell


def test_an_envoy_that_answers_by_itself(shell):
    for command in (impostor.WITHOUT_ENVOY_GATEWAY, impostor.TAKE_OVER, impostor.TAKEN_OVER):
        shell.run(command)
    fell = eventually(shell, expected=False)
    shell.run(f"{impostor.MENDED} && {impostor.FREE_AGAIN}")
    assert fell


def test_a_gateway_of_another_class(lab, shell):
    gateway = guide.command("gateway")
    lab.kubectl("delete", "gateway/load-balancing-gateway")
    shell.run(gateway.replace("tigera-gateway-class", "another-class"))
    fell = eventually(shell, expected=False)
    lab.kubectl("delete", "gateway/load-balancing-gateway")
    shell.run(gateway)
    shell.run(guide.PROGRAMMED)
    shell.run(guide.ROUTE_LEARNED)
    shell.run(guide.command("gateway-address"))
    assert fell
