"""The guide, verbatim: every command of it, in order, in one shell on the bastion of a fresh lab.

The guide runs once; each test looks at one thing that it left in the transcript.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from support import guide
from support.labs import RunningLab, calico_lab, running_lab
from support.shell import BastionShell, bastion_shell

SENT = "/sys/class/net/{}/statistics/tx_packets"
ESTABLISHED = r"(?:control1|worker1|worker2) +BGP +master +up +\d\d:\d\d:\d\d +Established"
LOAD_BALANCER_ADDRESS = r"10\.10\.10\.\d+"


@dataclass
class Transcript:
    """What the shell printed at each step of the guide, and what was seen between the steps."""

    printed: dict[str, str] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    packets: dict[str, int] = field(default_factory=dict)


@pytest.fixture(scope="module")
def transcript() -> Iterator[Transcript]:
    with running_lab("guide") as lab, bastion_shell(lab.ssh_config) as shell:
        yield follow_the_guide(lab, shell)


def follow_the_guide(lab: RunningLab, shell: BastionShell) -> Transcript:
    told = Transcript()

    def follow(step: str) -> None:
        told.printed[step] = shell.run(guide.command(step))

    def look(name: str, command: str) -> None:
        told.seen[name] = shell.attempt(command)[1]

    look("sessions before", "sudo birdc show protocols")
    look("gateways before", "kubectl get gateways")
    look("hey before", "hey -h")
    follow("ip-pool")
    follow("bgp")
    told.printed["watch-sessions"] = shell.watch(guide.command("watch-sessions"), until=rf"(?s)({ESTABLISHED}.*){{3}}")
    follow("show-import-filter")
    look("routes before", "ip route")
    follow("edit-import-filter")
    look("import filter after", guide.command("show-import-filter"))
    follow("restart-bird")
    follow("gateway-api")
    follow("install-hey")
    for step in guide.DEMO:
        follow(step)
    # In place of the guide's sleep of 60 seconds: wait for what it waits for.
    for ready in (guide.PROGRAMMED, guide.ROLLED_OUT, guide.ROUTE_LEARNED):
        shell.run(ready)
    look("routes after", "ip route")
    follow("gateway-address")
    before = packets(lab)
    follow("load")
    told.packets = {link: count - before[link] for link, count in packets(lab).items()}
    follow("requests-per-pod")
    told.printed["second load"] = shell.run(guide.command("load"))
    told.printed["second count"] = shell.run(guide.command("requests-per-pod"))
    look("envoy's node", "kubectl get pods -n tigera-gateway -l app.kubernetes.io/name=envoy -o wide")
    move_envoy(shell, told)
    follow("clean-up")
    shell.run("kubectl wait --for=delete pod -l app=backend --timeout=40s")
    shell.run("kubectl wait --for=delete pod -n tigera-gateway -l app.kubernetes.io/name=envoy --timeout=40s")
    shell.run(guide.ROUTE_GONE)
    look("pods left", "kubectl get pods")
    look("envoy left", "kubectl get all -n tigera-gateway -l app.kubernetes.io/name=envoy")
    look("addresses left", "kubectl get services -A")
    look("routes left", "ip route")
    return told


def packets(lab: RunningLab) -> dict[str, int]:
    """Count the packets on the links of a request's way: bastion, Envoy's node, Envoy's pod, each backend pod."""

    def sent(host: str, link: str) -> int:
        return int(calico_lab("node", "--name", lab.name, host, "--", f"cat {SENT.format(link)}").stdout)

    def towards(pod: dict[str, Any]) -> int:
        host, address = pod["spec"]["nodeName"], pod["status"]["podIP"]
        route = calico_lab("node", "--name", lab.name, host, "--", f"ip route get {address}").stdout
        return sent(host, re.search(r"dev (\S+)", route)[1])

    (envoy,) = lab.get("pods", "-n", "tigera-gateway", "-l", "app.kubernetes.io/name=envoy")["items"]
    backends = lab.get("pods", "-l", "app=backend")["items"]
    return {
        "bastion": int(lab.bastion(f"cat {SENT.format('eth0')}").stdout),
        "Envoy's node": sent(envoy["spec"]["nodeName"], "eth0"),
        "Envoy": towards(envoy),
        **{pod["metadata"]["name"]: towards(pod) for pod in backends},
    }


def move_envoy(shell: BastionShell, told: Transcript) -> None:
    """Cordon Envoy's node and delete its pod, so that its next pod starts on the other worker."""
    selector = "-n tigera-gateway -l app.kubernetes.io/name=envoy"
    node = shell.run(f"kubectl get pods {selector} -o jsonpath='{{.items[0].spec.nodeName}}'").strip()
    before = shell.run("ip route get $GATEWAY_LB_DEMO")
    shell.run(f"kubectl cordon {node}")
    shell.run(f"kubectl delete pod {selector}")
    shell.run(f"kubectl wait --for=condition=Ready pod {selector} --timeout=20s")
    next_hop = re.search(r"via (\S+)", before)[1]
    shell.run(f"timeout 20 bash -c 'while ip route get $GATEWAY_LB_DEMO | grep -q {next_hop}; do sleep 0.1; done'")
    told.seen["next hop before"] = before
    told.seen["next hop after"] = shell.run("ip route get $GATEWAY_LB_DEMO")
    told.seen["load after move"] = shell.run(guide.command("load"))
    shell.run(f"kubectl uncordon {node}")


def test_no_session_is_established_before_the_peer_exists(transcript):
    assert "worker1" in transcript.seen["sessions before"]
    assert "Established" not in transcript.seen["sessions before"]


def test_gateways_are_an_unknown_resource_before_gateway_api(transcript):
    assert 'the server doesn\'t have a resource type "gateways"' in transcript.seen["gateways before"]


def test_hey_is_not_there_before_it_is_installed(transcript):
    assert "hey: command not found" in transcript.seen["hey before"]


@pytest.mark.parametrize(
    ("step", "lines"),
    [
        ("ip-pool", ["ippool.projectcalico.org/loadbalancer-ip-pool created"]),
        (
            "bgp",
            [
                "bgpconfiguration.projectcalico.org/default created",
                "bgppeer.projectcalico.org/my-global-peer created",
            ],
        ),
        ("gateway-api", ["gatewayapi.operator.tigera.io/tigera-secure created"]),
        ("backend", ["serviceaccount/backend created", "service/backend created", "deployment.apps/backend created"]),
        ("gateway", ["gateway.gateway.networking.k8s.io/load-balancing-gateway created"]),
        (
            "route-and-policy",
            [
                "backendtrafficpolicy.gateway.envoyproxy.io/round-robin-policy created",
                "httproute.gateway.networking.k8s.io/round-robin-route created",
            ],
        ),
    ],
)
def test_apply_says_created(transcript, step, lines):
    assert transcript.printed[step].strip().splitlines() == lines


def test_watch_shows_the_sessions_as_the_guide_does(transcript):
    screen = transcript.printed["watch-sessions"]
    assert "BIRD 1.6.8 ready." in screen
    assert [line.split()[0] for line in re.findall(ESTABLISHED, screen)] == ["control1", "worker1", "worker2"]
    assert re.search(r"^name     proto    table    state  since       info", screen, re.MULTILINE)


def test_the_import_filter_has_its_line_only_after_the_edit(transcript):
    line = "if (net ~ 10.10.10.0/26) then accept;"
    assert "# Import filter" in transcript.printed["show-import-filter"]
    assert line not in transcript.printed["show-import-filter"]
    assert line in transcript.seen["import filter after"]


def test_the_bastion_has_no_route_before_the_edit_and_two_after(transcript):
    assert "10.10.10." not in transcript.seen["routes before"]
    assert re.search(r"^10\.10\.10\.0/26 ", transcript.seen["routes after"], re.MULTILINE)
    assert re.search(rf"^{LOAD_BALANCER_ADDRESS} via 10\.0\.1\.3[01] ", transcript.seen["routes after"], re.MULTILINE)


def test_the_gateway_gets_its_address_from_the_pool(transcript):
    address = re.fullmatch(r"GATEWAY_LB_DEMO is: 10\.10\.10\.(\d+)", transcript.printed["gateway-address"].strip())
    assert address
    assert int(address[1]) < 64


def test_all_hundred_requests_are_answered_with_200(transcript):
    assert guide.statuses(transcript.printed["load"]) == {200: 100}


def test_four_pods_received_25_each(transcript):
    assert guide.received(transcript.printed["requests-per-pod"]) == [25, 25, 25, 25]


def test_a_second_load_makes_it_50_each(transcript):
    assert guide.received(transcript.printed["second count"]) == [50, 50, 50, 50]


def test_the_requests_cross_every_link_of_their_way(transcript):
    """Each request is at least one packet; the guide's hundred reach Envoy, and 25 of them each pod."""
    for link in ("bastion", "Envoy's node", "Envoy"):
        assert transcript.packets.pop(link) >= 100
    assert len(transcript.packets) == 4
    assert min(transcript.packets.values()) >= 25


def test_the_next_hop_follows_envoy_to_the_other_worker(transcript):
    before, after = transcript.seen["next hop before"], transcript.seen["next hop after"]
    assert {re.search(r"via (\S+)", route)[1] for route in (before, after)} == {"10.0.1.30", "10.0.1.31"}
    assert guide.statuses(transcript.seen["load after move"]) == {200: 100}


def test_clean_up_says_what_it_deleted(transcript):
    assert [re.sub(r" (deleted).*", r" \1", line) for line in transcript.printed["clean-up"].strip().splitlines()] == [
        'serviceaccount "backend" deleted',
        'service "backend" deleted',
        'deployment.apps "backend" deleted',
        'gateway.gateway.networking.k8s.io "load-balancing-gateway" deleted',
        'backendtrafficpolicy.gateway.envoyproxy.io "round-robin-policy" deleted',
        'httproute.gateway.networking.k8s.io "round-robin-route" deleted',
    ]


def test_the_deletes_leave_no_pod_no_envoy_no_address_no_route(transcript):
    assert "No resources found in default namespace." in transcript.seen["pods left"]
    assert "No resources found" in transcript.seen["envoy left"]
    assert "LoadBalancer" not in transcript.seen["addresses left"]
    assert not re.search(rf"^{LOAD_BALANCER_ADDRESS} ", transcript.seen["routes left"], re.MULTILINE)
    assert re.search(r"^10\.10\.10\.0/26 ", transcript.seen["routes left"], re.MULTILINE)
