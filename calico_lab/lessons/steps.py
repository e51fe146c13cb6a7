"""The steps of the round-robin guide: one table for all that begins, looks at or goes on from a state of the workshop.

Each is taken the way that a learner takes it: a manifest through the kubeconfig, a command on the bastion over SSH. A
step is taken as soon as the one before has come so far that pods get the names and addresses that they would get by
hand; only at the end is everything waited for that the guide says should then be so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import resources

from calico_lab import conditions
from calico_lab.errors import NotFound, ReportError, StepError
from calico_lab.lab import Lab
from calico_lab.lessons import waits

POOL = "10.10.10.0/26"
GATEWAY = "load-balancing-gateway"
GATEWAY_CLASS = "tigera-gateway-class"
IMPORT_FILTER = "import-filter"
# What the steps after the prerequisites create, in the order in which the guide deletes it.
DEMO = (
    ("ServiceAccount", "backend"),
    ("Service", "backend"),
    ("Deployment", "backend"),
    ("Gateway", GATEWAY),
    ("BackendTrafficPolicy", "round-robin-policy"),
    ("HTTPRoute", "round-robin-route"),
)
# What lessons beyond the guide create.
BEYOND = (
    ("Deployment", "slow"),
    ("ConfigMap", "slow-pace"),
    ("Deployment", "shaky"),
    ("ConfigMap", "shaky"),
    ("HTTPRoute", "site"),
    ("BackendTrafficPolicy", "site"),
    ("Backend", "site"),
    ("Backend", "apology"),
    ("Service", "site"),
    ("Service", "apology"),
    ("Deployment", "site"),
    ("Deployment", "apology"),
    ("ConfigMap", "sites"),
    ("EnvoyProxy", "workers"),
    ("Ingress", "shop"),
    ("Ingress", "shop-canary"),
    ("Deployment", "traefik"),
    ("Service", "traefik"),
    ("ServiceAccount", "traefik"),
    ("Gateway", "shop"),
    ("HTTPRoute", "shop-shop-example-com"),
    ("BackendTrafficPolicy", "shop"),
    ("Deployment", "backend-v2"),
    ("Service", "backend-v2"),
    ("TCPRoute", "greeter"),
    ("TCPRoute", "raw"),
    ("BackendTrafficPolicy", "tcp-turns"),
    ("Deployment", "greeter"),
    ("Service", "greeter"),
    ("ConfigMap", "greeter"),
    ("Secret", "greeter-certificate"),
    ("Secret", "www-certificate"),
    ("Secret", "shop-certificate"),
    ("Secret", "private-certificate"),
    ("TLSRoute", "private"),
    ("Deployment", "private"),
    ("Service", "private"),
    ("HTTPRoute", "to-https"),
    ("Deployment", "backend-v3"),
    ("Service", "backend-v3"),
    *(("HTTPRoute", name) for name in ("routing", "more", "help", "tie", "canary", "testers", "open", "members")),
    *(("SecurityPolicy", name) for name in ("members", "everybody")),
    *(("Secret", name) for name in ("members", "users")),
    *(("BackendTrafficPolicy", name) for name in ("limit", "fair")),
    *((kind, "users") for kind in ("HTTPRoute", "BackendTrafficPolicy", "Service")),
)

_EDIT_FILTER = (
    r"sudo sed -i 's/if (net ~ 10.50.0.0\/24) then accept;/if (net ~ 10.50.0.0\/24) then accept;\n"
    r"                        if (net ~ 10.10.10.0\/26) then accept;/g' /etc/bird/bird.conf"
    " && sudo systemctl restart bird"
)
# Exit code 0 when there are BGP sessions and none that is not Established.
_SESSIONS = (
    "sudo birdc show protocols | awk '$2 == \"BGP\" { all++; up += /Established/ } END { exit !(all && all == up) }'"
)
_LOOK_AT_PODS = "kubectl get pods --all-namespaces -o wide"
_LOOK_AT_BIRD = "sudo birdc show protocols   (on the bastion)"

Ask = Callable[[Lab], bool]


@dataclass(frozen=True)
class Step:
    """One step: a manifest of the same name, or a command on the bastion.

    ``is_taken`` asks whether what it creates is there, ``works`` whether all is so that the guide says should then be
    so, ``followed`` whether the steps after it can be taken. ``look`` is the command with which to look further.
    """

    name: str
    title: str
    is_taken: Ask
    works: Ask
    look: str
    command: str = ""
    followed: Ask | None = None

    def holds(self, lab: Lab) -> bool:
        """Whether it has been taken and works; what does not exist at all, or does not answer, does not hold."""
        return _yes(self.is_taken, lab) and _yes(self.works, lab)

    def settle(self, lab: Lab) -> None:
        """Wait until it works; raises ``WaitTimeout``."""
        waits.until(
            partial(_yes, self.works, lab), self.title, remedy=self.look, poll_seconds=_POLL_SECONDS, shown=False
        )


_POLL_SECONDS = 0.03


def take(lab: Lab, target: str, report: Callable[[str], None], *, fresh: bool = False) -> None:
    """Take the steps that are still to be taken, up to and with ``target``, and wait until they have settled.

    With ``fresh`` the lab is known to be as it was after its start. Raises ``StepError`` when there is no such step,
    or when a later one has been taken already, and ``WaitTimeout`` when something does not come about.
    """
    wanted = upto(target)
    taken = {step.name for step in STEPS if not fresh and _yes(step.is_taken, lab)}
    beyond = [step.name for step in STEPS if step.name in taken and step not in wanted]
    if beyond:
        raise StepError(
            f"the step {beyond[-1]} has been taken already, which comes after {target}",
            remedy=f"calico-lab reset --name {lab.name} --to {target}",
        )
    perform(lab, [step for step in wanted if step.name not in taken])
    for step in wanted:
        step.settle(lab)
        report(step.title)


def perform(lab: Lab, steps: Iterable[Step]) -> None:
    """Take these steps, without waiting for what comes of the last."""
    commands = [step for step in steps if step.command]
    manifests = [step for step in steps if not step.command]
    # The two halves do not depend on each other: one connection to the API, one to the bastion.
    with ThreadPoolExecutor(1) as bastion:
        other_half = bastion.submit(_run_commands, lab, commands)
        _apply_manifests(lab, manifests)
        other_half.result()


def upto(target: str) -> list[Step]:
    """Return the steps up to and with ``target``; raises ``StepError`` when there is none of that name."""
    name = ALIASES.get(target, target)
    names = [step.name for step in STEPS]
    if name == FRESH:
        return []
    if name not in names:
        known = ", ".join([FRESH, *names, *ALIASES])
        raise StepError(f"the guide has no step {target!r}", remedy=f"name one of {known}")
    return list(STEPS[: names.index(name) + 1])


def gateway_address(lab: Lab) -> str:
    """Return the address of the guide's Gateway, which must have one."""
    address: str = lab.cluster.get("Gateway", GATEWAY)["status"]["addresses"][0]["value"]
    return address


def manifest(name: str) -> str:
    """Return the text of one of the guide's manifests."""
    return (resources.files("calico_lab.lessons") / "manifests" / f"{name}.yaml").read_text()


def _run_commands(lab: Lab, steps: list[Step]) -> None:
    for step in steps:
        lab.bastion.run(step.command)


def _apply_manifests(lab: Lab, steps: list[Step]) -> None:
    """Apply the manifests, those together between which there is nothing to wait for."""
    together: list[str] = []
    for step in steps:
        together.append(manifest(step.name))
        if step.followed is not None or step is steps[-1]:
            lab.cluster.apply("---\n".join(together))
            together.clear()
        if step.followed is not None:
            waits.until(
                partial(_yes, step.followed, lab), f"{step.title}: pods have nodes", remedy=_LOOK_AT_PODS,
                poll_seconds=_POLL_SECONDS, shown=False,
            )  # fmt: skip


def _yes(ask: Ask, lab: Lab) -> bool:
    try:
        return ask(lab)
    except (NotFound, ReportError):
        return False


def _bastion_says(command: str) -> Ask:
    return lambda lab: lab.bastion.run(command, check=False).exit_code == 0


def _pods_have_nodes(count: int, labels: str, *, all_namespaces: bool = False) -> Ask:
    """Ask whether so many pods have been given to nodes: later pods come after them, in their addresses too."""

    def so(lab: Lab) -> bool:
        pods = lab.cluster.list("Pod", labels=labels, all_namespaces=all_namespaces)
        return sum("nodeName" in pod["spec"] for pod in pods) >= count

    return so


def _exists(kind: str, name: str) -> Ask:
    return lambda lab: lab.cluster.exists(kind, name)


def _accepted(kind: str, name: str, condition: str = "Accepted") -> Ask:
    return lambda lab: conditions.is_true(lab.cluster.get(kind, name), condition)


def _pool_serves_load_balancers(lab: Lab) -> bool:
    specs = [pool["spec"] for pool in lab.cluster.list("IPPool")]
    return any("LoadBalancer" in spec.get("allowedUses", ()) and not spec.get("disabled") for spec in specs)


def _pool_is_advertised(lab: Lab) -> bool:
    spec = lab.cluster.get("BGPConfiguration", "default")["spec"]
    return bool(spec.get("serviceLoadBalancerIPs")) and bool(lab.cluster.list("BGPPeer"))


def _gateway_serves(lab: Lab) -> bool:
    gateway = lab.cluster.get("Gateway", GATEWAY)
    if not conditions.is_true(gateway, "Programmed"):
        return False
    address = gateway["status"]["addresses"][0]["value"]
    return _bastion_says(f"ip route | grep -q '^{address} '")(lab)


def _route_works(lab: Lab) -> bool:
    route, policy = _accepted("HTTPRoute", "round-robin-route"), _accepted("BackendTrafficPolicy", "round-robin-policy")
    return route(lab) and policy(lab)


def _always(_: Lab) -> bool:
    """Ask nothing: it works as soon as it has been taken."""
    return True


STEPS = (
    Step(
        "ip-pool", "an IP pool for load balancers",
        is_taken=_pool_serves_load_balancers, works=_always, look="kubectl get ippools -o yaml",
    ),
    Step(
        "bgp", "BGP with the bastion, which advertises the pool's addresses",
        is_taken=_pool_is_advertised, works=_bastion_says(_SESSIONS), look=_LOOK_AT_BIRD,
    ),
    Step(
        IMPORT_FILTER, "a bastion that accepts them",
        is_taken=_bastion_says(f"sudo grep -qF 'net ~ {POOL}' /etc/bird/bird.conf"), command=_EDIT_FILTER,
        works=_bastion_says(f"{_SESSIONS} && ip route | grep -q '^{POOL} '"), look=_LOOK_AT_BIRD,
    ),
    Step(
        "gateway-api", f"the Gateway API, with the class {GATEWAY_CLASS}",
        is_taken=_exists("GatewayAPI", "tigera-secure"), works=_accepted("GatewayClass", GATEWAY_CLASS),
        look="kubectl get gatewayapi,gatewayclass -o yaml",
        followed=_pods_have_nodes(1, "control-plane=envoy-gateway", all_namespaces=True),
    ),
    Step(
        "hey", "hey on the bastion",
        is_taken=_bastion_says("command -v hey"), command="sudo apt install -y hey", works=_always,
        look="command -v hey   (on the bastion)",
    ),
    Step(
        "backend", "four pods of the backend",
        is_taken=_exists("Deployment", "backend"),
        works=lambda lab: waits.all_pods_ready(lab.cluster.get("Deployment", "backend")),
        look="kubectl describe deployment backend", followed=_pods_have_nodes(4, "app=backend"),
    ),
    Step(
        "gateway", "the gateway, and a way to it from the bastion",
        is_taken=_exists("Gateway", GATEWAY), works=_gateway_serves, look=f"kubectl describe gateway {GATEWAY}",
    ),
    Step(
        "route", "the policy and the route",
        is_taken=_exists("HTTPRoute", "round-robin-route"), works=_route_works,
        look="kubectl describe httproute round-robin-route",
    ),
)  # fmt: skip

FRESH = "fresh"
ALIASES = {"prerequisites": "hey"}
