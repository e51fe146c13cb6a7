"""The path of a request, read off the live lab: bastion, node, Envoy, pod.

Each is asked itself what it does with a packet for the gateway's address: the bastion's kernel and BIRD, the node's
nftables where the lab opens a shell on its nodes, and Envoy's own configuration.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from calico_lab.errors import LabError, PrerequisiteError
from calico_lab.lessons.counted import counted
from calico_lab.lessons.counts import BACKEND
from calico_lab.lessons.steps import GATEWAY
from calico_lab.tools import birdc, envoy_admin, nft

if TYPE_CHECKING:
    import pandas as pd

    from calico_lab.cluster import JsonObject
    from calico_lab.lab import Lab

PORT = 80
_ATTEMPTS, _PAUSE = 30, 0.1


@dataclass(frozen=True)
class Stop:
    """A pod on the path: its label, its node, and the address and port at which it is asked."""

    label: str
    node: str
    endpoint: str


@dataclass(frozen=True, repr=False)
class Path:
    """The path to ``destination``, the gateway's address and port.

    ``prefix`` is the bastion's route, learned from ``learned_from`` and leading to ``next_hop``, an address of the node
    ``node``. ``translation`` is what that node does with the destination, None where nobody may look. ``listener``,
    ``match`` and ``policy`` are Envoy's; an Envoy has no port where its listener is not known.
    """

    client: str
    destination: str
    prefix: str
    learned_from: str
    next_hop: str
    node: str
    translation: nft.Translation | None
    envoy: Stop
    listener: str
    match: str
    policy: str
    pods: tuple[Stop, ...]

    @property
    def translated(self) -> str:
        """What the node does with the destination, in words."""
        return "not looked at: no shell on the nodes" if self.translation is None else repr(self.translation)

    def __repr__(self) -> str:
        return "\n".join(
            (
                f"bastion {self.client} asks for {self.destination}",
                f"  route {self.prefix} by way of {self.next_hop} ({self.node}), learned from {self.learned_from}",
                f"node {self.node}: {self.translated}",
                f"Envoy {self.envoy.endpoint} on {self.envoy.node}",
                f"  listener {self.listener}",
                f"  route {self.match}",
                f"  cluster of {counted(len(self.pods), 'endpoint')}, {self.policy}",
                *(f"    {pod.label} {pod.endpoint} on {pod.node}" for pod in self.pods),
            )
        )


def read(lab: Lab, gateway: str = GATEWAY, labels: str = BACKEND) -> Path:
    """Read the path to a Gateway's address. Raises ``PrerequisiteError`` when it has no address or no Envoy."""
    addresses = (lab.cluster.get("Gateway", gateway).get("status") or {}).get("addresses") or ()
    envoys = envoy_admin.of_gateway(lab.cluster, gateway)
    if not addresses or not envoys:
        raise PrerequisiteError(f"the Gateway {gateway} has no address or no Envoy", remedy='lab.begin("route")')
    address = str(addresses[0]["value"])
    client, next_hop = _kernel_route(lab, address)
    prefix, learned_from = _bird_route(lab, address)
    node = _node_at(lab, next_hop)
    pods = lab.cluster.list("Pod", labels=labels)
    envoy = envoys[0]
    configuration = envoy.configuration()
    listener = _listener(configuration)
    # Of several routes and clusters the first: the guide has one.
    match = next((f"{' '.join(each.domains)} {each.match}" for each in configuration.routes), "none")
    policy = next((each.policy for each in configuration.clusters), "none")
    return Path(
        client, f"{address}:{PORT}", prefix, learned_from, next_hop, node, _translation(lab, node, address),
        _envoy_stop(lab.cluster.get("Pod", envoy.pod, envoy.namespace), listener),
        f"{listener.name} at {listener.address}" if listener else "not known", match, policy,
        _stops(configuration, pods),
    )  # fmt: skip


def _kernel_route(lab: Lab, address: str) -> tuple[str, str]:
    """Return the bastion's own address on the way there, and the next hop; empty where there is none."""
    printed = lab.bastion.run(f"ip -4 route get {address}", check=False).output
    source, hop = re.search(r"\bsrc ([\d.]+)", printed), re.search(r"\bvia ([\d.]+)", printed)
    return source[1] if source else "", hop[1] if hop else ""


def _bird_route(lab: Lab, address: str) -> tuple[str, str]:
    """Return the prefix by which BIRD sends packets for an address, and whom it learned that from."""
    routes = birdc.parse_routes(lab.bastion.run(f"sudo birdc show route for {address}", check=False).output)
    for route in routes[routes["best"]].itertuples():
        return str(route.prefix), str(route.protocol)
    return "none", "nobody"


def routes_to(lab: Lab, address: str) -> pd.DataFrame:
    """Return BIRD's routes on the bastion whose prefix holds an address, the widest first.

    Every node tells of the pool's range. One that has only just come up may take a moment for it.
    """
    for _attempt in range(_ATTEMPTS):
        sessions = birdc.parse_protocols(lab.bastion.run("sudo birdc show protocols").output)["info"]
        routes = birdc.parse_routes(lab.bastion.run("sudo birdc show route").output)
        found = routes[[_holds(prefix, address) for prefix in routes["prefix"]]]
        if found["protocol"].nunique() >= sessions.str.startswith("Established").sum():
            break
        time.sleep(_PAUSE)
    # The order of those that were not chosen is that of their arrival.
    found = found.assign(length=[int(prefix.rpartition("/")[2]) for prefix in found["prefix"]])
    ordered = found.sort_values(["length", "best", "protocol"], ascending=[True, False, True])
    return ordered.drop(columns="length").set_index("prefix")


def _holds(prefix: str, address: str) -> bool:
    try:
        return ip_address(address) in ip_network(prefix)
    except ValueError:
        return False


def _node_at(lab: Lab, address: str) -> str:
    for node in lab.cluster.list("Node"):
        if any(each["address"] == address for each in node["status"].get("addresses") or ()):
            return str(node["metadata"]["name"])
    return ""


def _translation(lab: Lab, node: str, address: str) -> nft.Translation | None:
    try:
        shell = lab.node(node)
    except LabError:
        return None
    return nft.follow(shell.run(nft.COMMAND).output, address, PORT)


def _envoy_stop(pod: JsonObject, listener: envoy_admin.EnvoyListener | None) -> Stop:
    port = f":{listener.address.rpartition(':')[2]}" if listener else ""
    return Stop("Envoy", pod["spec"].get("nodeName", ""), f"{pod['status'].get('podIP', '')}{port}")


def _listener(configuration: envoy_admin.Configuration) -> envoy_admin.EnvoyListener | None:
    """Return the listener whose routes these are: Envoy Gateway gives both one name."""
    names = {route.listener for route in configuration.routes}
    return next((each for each in configuration.listeners if each.name in names), None)


def _stops(configuration: envoy_admin.Configuration, pods: list[JsonObject]) -> tuple[Stop, ...]:
    """Return Envoy's endpoints as the course numbers the pods; one that is no pod of the lesson keeps its address."""
    numbered = {pod["status"].get("podIP"): (f"pod {number}", pod) for number, pod in enumerate(pods, 1)}
    found = []
    for endpoint in sorted({each for cluster in configuration.clusters for each in cluster.endpoints}):
        label, pod = numbered.get(endpoint.rpartition(":")[0], ("not a pod of the lesson", {"spec": {}}))
        found.append(Stop(label, pod["spec"].get("nodeName", ""), endpoint))
    return tuple(sorted(found, key=lambda stop: (stop.label, stop.endpoint)))
