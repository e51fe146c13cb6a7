"""The step bgp: the nodes tell the bastion where the load balancers' addresses are."""

from __future__ import annotations

import re

from calico_lab.lessons.checks import bird, pools
from calico_lab.lessons.checks.scene import JsonObject, Objects, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, first, not_yet, wrong

_ADDRESSES = "ip -o -4 address"
_LOOK = "kubectl get bgpconfigurations,bgppeers -o yaml"
# Calico's own default: https://docs.tigera.io/calico/latest/reference/resources/bgpconfig
_DEFAULT_AS = 64512


def check(scene: Scene) -> Verdict:
    """Whether the cluster advertises the pool's range, and every session on the bastion is Established."""
    ranges, peers = pools.advertised(scene), scene.objects("BGPPeer")
    if not ranges and not peers:
        return not_yet(
            "bgp-missing", "the cluster neither advertises load balancers' addresses nor has a BGP peer",
            Evidence("BGPPeers", "none", _LOOK),
            hint="Two resources are needed: what to advertise, and to whom.",
        )  # fmt: skip
    found = bird.sessions(scene)
    if found is None:
        return bird.not_running(scene)
    return first(
        lambda: _objects_wrong(scene, ranges, peers),
        lambda: _sessions_wrong(scene, peers, found),
        lambda: done(f"{len(found)} nodes advertise {', '.join(ranges)} to the bastion", bird.sessions_seen(found)),
    )


def _objects_wrong(scene: Scene, ranges: list[str], peers: Objects) -> Verdict | None:
    seen = Evidence("BGPConfiguration default, serviceLoadBalancerIPs", ", ".join(ranges) or "none", _LOOK)
    if not ranges:
        return wrong(
            "bgp-not-advertised", "the cluster is not told to advertise the addresses of load balancers", seen,
            hint="A peer alone hears of pods only. Which field of BGPConfiguration speaks of load balancers?",
        )  # fmt: skip
    if not peers:
        return wrong(
            "bgp-no-peer", "the cluster does not know the bastion as a BGP peer", Evidence("BGPPeers", "none", _LOOK),
            hint="The nodes know what to tell, but not to whom.",
        )  # fmt: skip
    wanted = pools.load_balancer_range(scene)
    if not any(pools.is_within(wanted, each) for each in ranges) and scene.verdict("ip-pool").key != "ip-pool-missing":
        return wrong(
            "bgp-other-range", "the cluster advertises another range than the pool's", seen,
            Evidence("the pool's range", wanted, pools.LOOK),
            hint="Compare the advertised range with the pool's, digit by digit.",
        )  # fmt: skip
    return None


def _sessions_wrong(scene: Scene, peers: Objects, found: list[bird.Session]) -> Verdict | None:
    down = [session for session in found if not session.established]
    table = bird.sessions_seen(found)
    if not found:
        return wrong(
            "bgp-no-sessions", "BIRD on the bastion is configured for no BGP session", table,
            hint="A BGP session has two ends. What does the bastion's bird.conf say of the nodes?",
        )  # fmt: skip
    if not down:
        return None
    return first(
        lambda: _other_address(scene, peers, table),
        lambda: _other_number(scene, peers, table),
        lambda: _some_down(found, down, table),
    )


def _some_down(found: list[bird.Session], down: list[bird.Session], table: Evidence) -> Verdict:
    names = ", ".join(session.name for session in down)
    if any(session.info.startswith("down") for session in down) or len(down) < len(found):
        return wrong(
            "bgp-session-down", f"{len(down)} of {len(found)} sessions are not Established: {names}", table,
            hint="The others show that the configuration is right in principle. What is special about this one?",
        )  # fmt: skip
    return not_yet(
        "bgp-not-established", "no session is Established", table,
        hint="A session needs some seconds. If it stays so, read what BIRD says behind the state.",
    )  # fmt: skip


def _other_address(scene: Scene, peers: Objects, table: Evidence) -> Verdict | None:
    own = re.findall(r"\binet ([\d.]+)/", scene.bastion(_ADDRESSES).output)
    named = [_address(peer) for peer in peers]
    if not own or any(address in own or not address for address in named):
        return None
    return wrong(
        "bgp-peer-other-address", "none of the cluster's BGP peers has an address of the bastion", table,
        Evidence("peerIP of the BGPPeers", ", ".join(named), _LOOK),
        hint=f"The nodes knock at another door. Compare with `{_ADDRESSES}` on the bastion.",
    )  # fmt: skip


def _other_number(scene: Scene, peers: Objects, table: Evidence) -> Verdict | None:
    """Compare the numbers of the autonomous systems that each side has for itself with those the other expects."""
    text = bird.configuration(scene)
    own = {int(number) for number in re.findall(r"\blocal\s+(?:[\d.]+\s+)?as\s+(\d+)", text)}
    expected = {int(number) for number in re.findall(r"\bneighbor\s+[\d.]+\s+as\s+(\d+)", text)}
    configuration = scene.find("BGPConfiguration", "default") or {"spec": {}}
    cluster = int(configuration["spec"].get("asNumber", _DEFAULT_AS))
    named = sorted({int(peer["spec"].get("asNumber", 0)) for peer in peers})
    seen = Evidence("AS numbers", f"the cluster's own {cluster}, that of its peer {', '.join(map(str, named))}", _LOOK)
    hint = "Each side tells the other its own AS number, and ends the session if another was expected."
    if own and not own & set(named):
        return wrong(
            "bgp-peer-other-as", "the cluster expects another AS number of the bastion than the bastion has",
            seen, table, hint=hint,
        )  # fmt: skip
    if expected and cluster not in expected:
        return wrong(
            "bgp-cluster-other-as", "the cluster has another AS number than the bastion expects of it",
            seen, table, hint=hint,
        )  # fmt: skip
    return None


def _address(peer: JsonObject) -> str:
    return str(peer["spec"].get("peerIP", "")).partition(":")[0]
