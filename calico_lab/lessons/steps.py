"""The steps of the round-robin guide, taken for the learner: to begin a lesson, or a lab, after any of them.

Each goes the way that a learner goes: a manifest through the kubeconfig, a command on the bastion over SSH. A step is
taken as soon as the one before has come so far that pods get the names and addresses that they would get by hand; only
at the end is everything waited for that the guide says should then be so.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import resources

from calico_lab import conditions
from calico_lab.errors import StepError
from calico_lab.lab import Lab
from calico_lab.lessons import waits

GATEWAY = "load-balancing-gateway"
GATEWAY_CLASS = "tigera-gateway-class"
POD_NAMESPACE = "tigera-gateway"
FILTER_LINE = "if (net ~ 10.10.10.0/26) then accept;"

_EDIT_FILTER = (
    r"sudo sed -i 's/if (net ~ 10.50.0.0\/24) then accept;/if (net ~ 10.50.0.0\/24) then accept;\n"
    r"                        if (net ~ 10.10.10.0\/26) then accept;/g' /etc/bird/bird.conf"
    " && sudo systemctl restart bird"
)
_SESSIONS = "until [ $(sudo birdc show protocols | grep -c Established) = 3 ]; do sleep 0.03; done"
_POOL_ROUTE = "until ip route | grep -q '^10.10.10.0/26 '; do sleep 0.03; done"
_ADDRESS_ROUTE = "until ip route | grep -q '^{} '; do sleep 0.03; done"

Ask = Callable[[Lab], bool]
Do = Callable[[Lab], object]


@dataclass(frozen=True)
class Step:
    """One step: a manifest of the same name, or a command on the bastion.

    ``settled`` waits for what should be so in the end, ``followed`` for what the steps after it stand on.
    """

    name: str
    title: str
    is_taken: Ask
    settled: Do
    command: str = ""
    followed: Do | None = None


def take(lab: Lab, target: str, report: Callable[[str], None], *, fresh: bool = False) -> None:
    """Take the steps that are still to be taken, up to and with ``target``, and wait until they have settled.

    With ``fresh`` the lab is known to be as it was after its start. Raises ``StepError`` when there is no such step,
    or when a later one has been taken already, and ``WaitTimeout`` when something does not come about.
    """
    wanted = upto(target)
    taken = {step.name for step in STEPS if not fresh and step.is_taken(lab)}
    beyond = [step.name for step in STEPS if step.name in taken and step not in wanted]
    if beyond:
        raise StepError(
            f"the step {beyond[-1]} has been taken already, which comes after {target}",
            remedy=f"calico-lab reset --name {lab.name} --to {target}",
        )
    missing = [step for step in wanted if step.name not in taken]
    # The two halves do not depend on each other: one connection to the API, one to the bastion.
    with ThreadPoolExecutor(1) as bastion:
        other_half = bastion.submit(_run_commands, lab, [step for step in missing if step.command])
        _apply_manifests(lab, [step for step in missing if not step.command])
        other_half.result()
    for step in wanted:
        step.settled(lab)
        report(step.title)


def upto(target: str) -> list[Step]:
    """Return the steps up to and with ``target``; raises ``StepError`` when there is none of that name."""
    name = ALIASES.get(target, target)
    names = [step.name for step in STEPS]
    if name not in names:
        known = ", ".join([*names, *ALIASES])
        raise StepError(f"the guide has no step {target!r}", remedy=f"name one of {known}")
    return list(STEPS[: names.index(name) + 1])


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
            step.followed(lab)


def _exists(kind: str, name: str) -> Ask:
    return lambda lab: lab.cluster.exists(kind, name)


def _bastion_says(command: str) -> Ask:
    return lambda lab: lab.bastion.run(command, check=False).exit_code == 0


def _until_on_bastion(command: str) -> Do:
    return lambda lab: lab.bastion.run(f"timeout {waits.TIME_LIMIT:g} bash -c {shlex.quote(command)}")


def _pods_have_nodes(count: int, labels: str, namespace: str | None = None) -> Do:
    """Wait until so many pods have been given to nodes: later pods come after them, in their addresses too."""

    def so(lab: Lab) -> bool:
        pods = lab.cluster.list("Pod", namespace, labels=labels)
        return sum("nodeName" in pod["spec"] for pod in pods) == count

    return lambda lab: _until(partial(so, lab), f"{count} pods with the labels {labels} have nodes")


def _until(is_so: Callable[[], bool], description: str) -> None:
    waits.until(is_so, description, remedy="kubectl get pods --all-namespaces -o wide", poll_seconds=0.02)


def _gateway_api_works(lab: Lab) -> None:
    def accepted() -> bool:
        found = lab.cluster.exists("GatewayClass", GATEWAY_CLASS)
        return found and conditions.is_true(lab.cluster.get("GatewayClass", GATEWAY_CLASS), "Accepted")

    _until(accepted, f"GatewayClass {GATEWAY_CLASS} is Accepted")


def _gateway_serves(lab: Lab) -> None:
    gateway = waits.programmed(lab.cluster, GATEWAY).object
    _until_on_bastion(_ADDRESS_ROUTE.format(gateway["status"]["addresses"][0]["value"]))(lab)


def _route_accepted(lab: Lab) -> None:
    waits.accepted(lab.cluster, "HTTPRoute", "round-robin-route")
    waits.accepted(lab.cluster, "BackendTrafficPolicy", "round-robin-policy")


def _nothing(_: Lab) -> None:
    """Wait for nothing: the step is done as soon as it is taken."""


STEPS = (
    Step(
        "ip-pool", "an IP pool for load balancers",
        is_taken=_exists("IPPool", "loadbalancer-ip-pool"), settled=_nothing,
    ),
    Step(
        "bgp", "BGP with the bastion, which advertises the pool's addresses",
        is_taken=_exists("BGPPeer", "my-global-peer"), settled=_until_on_bastion(_SESSIONS),
    ),
    Step(
        "import-filter", "a bastion that accepts them",
        is_taken=_bastion_says(f"sudo grep -qF '{FILTER_LINE}' /etc/bird/bird.conf"), command=_EDIT_FILTER,
        settled=_until_on_bastion(f"{_SESSIONS}; {_POOL_ROUTE}"),
    ),
    Step(
        "gateway-api", f"the Gateway API, with the class {GATEWAY_CLASS}",
        is_taken=_exists("GatewayAPI", "tigera-secure"), settled=_gateway_api_works,
        followed=_pods_have_nodes(1, "control-plane=envoy-gateway", POD_NAMESPACE),
    ),
    Step(
        "hey", "hey on the bastion",
        is_taken=_bastion_says("command -v hey"), command="sudo apt install -y hey", settled=_nothing,
    ),
    Step(
        "backend", "four pods of the backend",
        is_taken=_exists("Deployment", "backend"),
        settled=lambda lab: waits.rolled_out(lab.cluster, "backend"), followed=_pods_have_nodes(4, "app=backend"),
    ),
    Step(
        "gateway", "the gateway, and a way to it from the bastion",
        is_taken=_exists("Gateway", GATEWAY), settled=_gateway_serves,
    ),
    Step(
        "route", "the policy and the route",
        is_taken=_exists("HTTPRoute", "round-robin-route"), settled=_route_accepted,
    ),
)  # fmt: skip

ALIASES = {"prerequisites": "hey"}
