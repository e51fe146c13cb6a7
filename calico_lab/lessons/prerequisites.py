"""The state from which the round-robin lesson starts: the guide's five prerequisites, and no demo from before.

In a lab of one's own, :func:`prepare` brings it about. Elsewhere it only looks, and says what is missing: load
balancer pools, BGP and the Gateway API belong to everybody on a cluster, and so does what is named ``backend``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import resources

from calico_lab import conditions
from calico_lab.errors import NotFound, PrerequisiteError, ReportError
from calico_lab.lab import Lab
from calico_lab.lessons import waits
from calico_lab.lessons.counts import BACKEND
from calico_lab.tools import birdc

POOL = "10.10.10.0/26"
GATEWAY_CLASS = "tigera-gateway-class"
GATEWAY_LABEL = "gateway.envoyproxy.io/owning-gateway-name=load-balancing-gateway"
DEMO = (
    ("ServiceAccount", "backend"),
    ("Service", "backend"),
    ("Deployment", "backend"),
    ("Gateway", "load-balancing-gateway"),
    ("BackendTrafficPolicy", "round-robin-policy"),
    ("HTTPRoute", "round-robin-route"),
)

_ACCEPT_POOL = (
    r"sudo sed -i 's/if (net ~ 10.50.0.0\/24) then accept;/if (net ~ 10.50.0.0\/24) then accept;\n"
    r"                        if (net ~ 10.10.10.0\/26) then accept;/g' /etc/bird/bird.conf"
    " && sudo systemctl restart bird"
)


@dataclass(frozen=True)
class Prerequisite:
    """Something a lesson stands on: how to see whether it is there, and how to bring it about."""

    name: str
    is_met: Callable[[Lab], bool]
    bring_about: Callable[[Lab], object]
    look_further: str

    def holds(self, lab: Lab) -> bool:
        """Whether it is met; what does not exist at all, or does not answer, is not."""
        try:
            return self.is_met(lab)
        except (NotFound, ReportError):
            return False


@dataclass(frozen=True, repr=False)
class Prepared:
    """What was found or brought about, in the order of the guide."""

    names: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join(f"✓ {name}" for name in self.names)


def prepare(lab: Lab) -> Prepared:
    """Make sure that the lesson can start, and return what stands now.

    Raises ``PrerequisiteError``, with the list of what is missing, on a cluster that does not announce itself as a
    lab, and ``WaitTimeout`` when something does not come about.
    """
    if not lab.may_change_shared_things:
        missing = [each for each in PREREQUISITES if not each.holds(lab)]
        if missing:
            listed = "\n".join(f"  - {each.name}   (look: {each.look_further})" for each in missing)
            raise PrerequisiteError(
                f"the cluster {lab.name!r} is not a lab to be changed without asking, and lacks:\n{listed}",
                remedy="do the guide's step for each of these yourself, then run this cell again",
            )
    for each in PREREQUISITES:
        if not each.holds(lab):
            each.bring_about(lab)
            waits.until(partial(each.holds, lab), each.name, remedy=each.look_further)
    return Prepared(tuple(each.name for each in PREREQUISITES))


def _apply(manifest: str) -> Callable[[Lab], object]:
    text = (resources.files("calico_lab.lessons") / "manifests" / manifest).read_text()
    return lambda lab: lab.cluster.apply(text)


def _has_pool(lab: Lab) -> bool:
    specs = [pool["spec"] for pool in lab.cluster.list("IPPool")]
    return any("LoadBalancer" in spec.get("allowedUses", ()) and not spec.get("disabled") for spec in specs)


def _advertises_pool(lab: Lab) -> bool:
    spec = lab.cluster.get("BGPConfiguration", "default")["spec"]
    return bool(spec.get("serviceLoadBalancerIPs")) and bool(lab.cluster.list("BGPPeer"))


def _accepts_pool(lab: Lab) -> bool:
    return lab.bastion.run(f"sudo grep -qF 'net ~ {POOL}' /etc/bird/bird.conf", check=False).exit_code == 0


def _sessions_established(lab: Lab) -> bool:
    printed = lab.bastion.run("sudo birdc show protocols", check=False).output
    protocols = birdc.parse_protocols(printed)
    sessions = protocols[protocols["proto"] == "BGP"]
    return len(sessions) > 0 and bool(sessions["info"].str.startswith("Established").all())


def _gateway_api_enabled(lab: Lab) -> bool:
    return conditions.is_true(lab.cluster.get("GatewayClass", GATEWAY_CLASS), "Accepted")


def _hey_installed(lab: Lab) -> bool:
    return lab.bastion.run("command -v hey", check=False).exit_code == 0


def _no_demo_left(lab: Lab) -> bool:
    return not (
        any(lab.cluster.exists(kind, name) for kind, name in DEMO)
        or lab.cluster.list("Pod", labels=BACKEND)
        or lab.cluster.list("Pod", labels=GATEWAY_LABEL, all_namespaces=True)
    )


def _remove_demo(lab: Lab) -> None:
    for kind, name in DEMO:
        lab.cluster.delete(kind, name, missing_ok=True)


PREREQUISITES = (
    Prerequisite(
        "an IP pool for load balancers", _has_pool, _apply("ip-pool.yaml"), "kubectl get ippools -o yaml"
    ),
    Prerequisite(
        "BGP that advertises its addresses to the bastion", _advertises_pool, _apply("bgp.yaml"),
        "kubectl get bgpconfigurations,bgppeers -o yaml",
    ),
    Prerequisite(
        "a bastion that accepts them", _accepts_pool, lambda lab: lab.bastion.run(_ACCEPT_POOL),
        "sudo grep -A 8 'Import filter' /etc/bird/bird.conf   on the bastion",
    ),
    Prerequisite(
        "BGP sessions that are Established", _sessions_established, lambda _lab: None,
        "sudo birdc show protocols   on the bastion",
    ),
    Prerequisite(
        f"the Gateway API, with the class {GATEWAY_CLASS}", _gateway_api_enabled, _apply("gateway-api.yaml"),
        "kubectl get gatewayapi,gatewayclass -o yaml",
    ),
    Prerequisite(
        "hey on the bastion", _hey_installed, lambda lab: lab.bastion.run("sudo apt install -y hey"),
        "sudo apt install -y hey   on the bastion",
    ),
    Prerequisite(
        "nothing left of an earlier demo", _no_demo_left, _remove_demo, "the guide's section Clean-up"
    ),
)  # fmt: skip
