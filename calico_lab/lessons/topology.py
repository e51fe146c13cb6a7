"""The lab as it stands: bastion, BGP sessions, nodes, gateways with their Envoys, pods. Read, never assumed.

Pods appear as ``pod 1`` to ``pod n`` in the order of their names, as everywhere in the course.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab import conditions
from calico_lab.errors import NoBastionError, NotFound
from calico_lab.lessons.counts import BACKEND

if TYPE_CHECKING:
    from calico_lab.cluster import Cluster, JsonObject, Objects
    from calico_lab.lab import Lab

ENVOY = "gateway.envoyproxy.io/owning-gateway-name"
ENVOY_NAMESPACE = "gateway.envoyproxy.io/owning-gateway-namespace"
CONTROLLER = "control-plane=envoy-gateway"
_LOOK = "hostname; ip -4 -o addr show scope global; sudo birdc show protocols all"


@dataclass(frozen=True)
class Node:
    """A node. ``session`` is what the bastion's BIRD says of the BGP session with it, empty when it knows of none."""

    name: str
    address: str
    ready: bool
    session: str

    @property
    def established(self) -> bool:
        """Whether routes are exchanged with it."""
        return self.session == "Established"


@dataclass(frozen=True)
class Pod:
    """A pod: its label in pictures, its node (empty while it has none), and whether it is Ready and to stay."""

    label: str
    node: str
    ready: bool


@dataclass(frozen=True)
class Gateway:
    """A Gateway: its addresses, whether it is Programmed, its Envoys, and the labels of the pods it has a route to.

    ``via`` is the node to which the bastion sends what is for its first address, empty when it has no route there.
    """

    name: str
    address: str
    programmed: bool
    envoys: tuple[Pod, ...]
    backends: tuple[str, ...]
    via: str


@dataclass(frozen=True)
class Topology:
    """Everything that the picture shows. ``bastion`` is its name, empty when the lab has none."""

    bastion: str
    bastion_address: str
    as_number: str
    nodes: tuple[Node, ...]
    pods: tuple[Pod, ...]
    gateways: tuple[Gateway, ...]
    controllers: tuple[Pod, ...]

    @property
    def established(self) -> int:
        """How many nodes the bastion exchanges routes with."""
        return sum(node.established for node in self.nodes)

    def __repr__(self) -> str:
        return "\n".join([*_bastion_lines(self), *_node_lines(self), *_gateway_lines(self)])


def read(lab: Lab, labels: str = BACKEND, namespace: str | None = None) -> Topology:
    """Read the lab as it stands; ``labels`` select the pods to show. What does not exist yet is left out."""
    name, address, sessions = _look_from_bastion(lab)
    nodes = tuple(_node(node, sessions) for node in lab.cluster.list("Node"))
    found = _list(lab.cluster, "Pod", namespace, labels=labels)
    pods = tuple(_pod(f"pod {number}", pod) for number, pod in enumerate(found, 1))
    controllers = _list(lab.cluster, "Pod", labels=CONTROLLER, all_namespaces=True)
    return Topology(
        name, address, _as_number(lab.cluster), nodes, pods,
        tuple(_gateway(lab, gateway, nodes, found, namespace) for gateway in _list(lab.cluster, "Gateway", namespace)),
        tuple(_pod("Envoy Gateway", pod) for pod in controllers),
    )  # fmt: skip


def parse_sessions(text: str) -> dict[str, str]:
    """Read ``birdc show protocols all``: the state of each BGP session, by the address of the neighbour."""
    states = re.findall(r"^\s+BGP state:\s+(\S+)\n\s+Neighbor address:\s+([\d.]+)", text, re.M)
    return {address: state for state, address in states}


def _look_from_bastion(lab: Lab) -> tuple[str, str, dict[str, str]]:
    """Return the bastion's name, its address, and the states of its BGP sessions."""
    try:
        printed = lab.bastion.run(_LOOK, check=False).output
    except NoBastionError:
        return "", "", {}
    name = printed.partition("\n")[0].strip()
    sources = re.findall(r"Source address:\s+([\d.]+)", printed)
    own = re.findall(r"\binet ([\d.]+)/", printed)
    return name, (sources or own or [""])[0], parse_sessions(printed)


def _node(node: JsonObject, sessions: dict[str, str]) -> Node:
    addresses = node["status"].get("addresses") or ()
    address = next((each["address"] for each in addresses if each["type"] == "InternalIP"), "")
    return Node(node["metadata"]["name"], address, conditions.is_true(node, "Ready"), sessions.get(address, ""))


def _pod(label: str, pod: JsonObject) -> Pod:
    ready = conditions.is_true(pod, "Ready") and "deletionTimestamp" not in pod["metadata"]
    return Pod(label, pod["spec"].get("nodeName", ""), ready)


def _gateway(lab: Lab, gateway: JsonObject, nodes: tuple[Node, ...], pods: Objects, namespace: str | None) -> Gateway:
    name, owner = gateway["metadata"]["name"], gateway["metadata"]["namespace"]
    envoys = _list(lab.cluster, "Pod", labels=f"{ENVOY}={name},{ENVOY_NAMESPACE}={owner}", all_namespaces=True)
    addresses = (gateway.get("status") or {}).get("addresses") or ()
    address = addresses[0]["value"] if addresses else ""
    return Gateway(
        name, address, conditions.is_true(gateway, "Programmed"), tuple(_pod("Envoy", pod) for pod in envoys),
        _backends(lab.cluster, name, pods, namespace), _via(lab, address, nodes),
    )  # fmt: skip


def _backends(cluster: Cluster, gateway: str, pods: Objects, namespace: str | None) -> tuple[str, ...]:
    """Return the labels of the pods behind the Services that the gateway's accepted routes name."""
    selectors = []
    for route in _list(cluster, "HTTPRoute", namespace):
        parents = {parent["name"] for parent in route["spec"].get("parentRefs") or ()}
        if gateway in parents and conditions.is_true(route, "Accepted"):
            rules = route["spec"].get("rules") or ()
            names = {backend["name"] for rule in rules for backend in rule.get("backendRefs") or ()}
            selectors += [_selector(cluster, name, namespace) for name in sorted(names)]
    return tuple(
        f"pod {number}" for number, pod in enumerate(pods, 1)
        if any(selector and selector.items() <= pod["metadata"].get("labels", {}).items() for selector in selectors)
    )  # fmt: skip


def _selector(cluster: Cluster, service: str, namespace: str | None) -> dict[str, str]:
    try:
        return dict(cluster.get("Service", service, namespace)["spec"].get("selector") or {})
    except NotFound:
        return {}


def _via(lab: Lab, address: str, nodes: tuple[Node, ...]) -> str:
    """Ask the bastion's kernel where it would send a packet for this address."""
    if not address:
        return ""
    try:
        printed = lab.bastion.run(f"ip -4 route get {address}", check=False).output
    except NoBastionError:
        return ""
    hop = re.search(r"\bvia ([\d.]+)", printed)
    return next((node.name for node in nodes if hop and node.address == hop[1]), "")


def _as_number(cluster: Cluster) -> str:
    """Return the cluster's AS number, which is 64512 unless the BGPConfiguration says otherwise (Calico's default)."""
    for configuration in _list(cluster, "BGPConfiguration"):
        if configuration["metadata"]["name"] == "default":
            return str(configuration["spec"].get("asNumber", 64512))
    return "64512"


def _list(
    cluster: Cluster, kind: str, namespace: str | None = None, *, labels: str = "", all_namespaces: bool = False
) -> Objects:
    """List objects; none when the cluster does not serve their kind (yet)."""
    try:
        return cluster.list(kind, namespace, labels=labels, all_namespaces=all_namespaces)
    except NotFound:
        return []


def _bastion_lines(lab: Topology) -> list[str]:
    if not lab.bastion:
        return ["no bastion is known"]
    return [f"bastion {lab.bastion_address}: BGP with {lab.established} of {len(lab.nodes)} nodes established"]


def _node_lines(lab: Topology) -> list[str]:
    lines = []
    for node in lab.nodes:
        inside = [pod.label for gateway in lab.gateways for pod in gateway.envoys if pod.node == node.name]
        inside += [pod.label for pod in lab.controllers if pod.node == node.name]
        inside += [_pod_text(pod) for pod in lab.pods if pod.node == node.name]
        state = "Ready" if node.ready else "NotReady"
        bgp = f", BGP {'established' if node.established else 'not established'}" if lab.bastion else ""
        lines.append(f"{node.name} {node.address} {state}{bgp}: {', '.join(inside) or 'nothing of the lesson'}")
    waiting = [pod.label for pod in lab.pods if not pod.node]
    return lines + ([f"without a node: {', '.join(waiting)}"] if waiting else [])


def _pod_text(pod: Pod) -> str:
    return pod.label if pod.ready else f"{pod.label} (not ready)"


def _gateway_lines(lab: Topology) -> list[str]:
    if not lab.gateways:
        return ["no gateway yet"]
    return [
        f"gateway {gateway.name} {gateway.address or '(no address)'}, "
        f"{'programmed' if gateway.programmed else 'not programmed'}"
        f"{f', reached through {gateway.via}' if gateway.via else ''}; "
        f"routes lead to {', '.join(gateway.backends) or 'no pod'}"
        for gateway in lab.gateways
    ]
