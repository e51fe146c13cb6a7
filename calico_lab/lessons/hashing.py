"""Consistent hashing: which key goes to which pod, and which keys move when the set of pods changes.

Envoy does it by Maglev: each pod fills places of a table in an order that follows from its address, and a request goes
to the pod in whose place the hash of its key falls. Without one of the pods the others fill the table anew: its places
become theirs, and of the rest a few change hands too, how many depends on the addresses
(https://research.google/pubs/maglev-a-fast-and-reliable-software-network-load-balancer/, section 3.4).
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calico_lab import kubectl
from calico_lab.lessons import waits
from calico_lab.lessons.clients import HOST, pod_of, with_headers
from calico_lab.lessons.counted import counted
from calico_lab.lessons.steps import GATEWAY
from calico_lab.tools import curl, envoy_admin

if TYPE_CHECKING:
    from calico_lab.cluster import Awaited, JsonObject
    from calico_lab.lab import Lab
    from calico_lab.tools.envoy_admin import Configuration

NAME = "users"  # of the route, the policy and the Service
HEADER = "user"
TAKES_PART = "app=backend,takes-part=yes"
KEYS = tuple(f"user-{number}" for number in range(1, 601))
TABLE_SIZE = 65537  # Envoy Gateway's default
SECONDS = 30.0  # that kubectl has for a change
FEW, MOST = 0.1, 0.5  # of the keys that need not have moved


@dataclass(frozen=True, repr=False)
class Placement:
    """The pod that each key went to."""

    pods: Mapping[str, str]

    @property
    def keys_per_pod(self) -> list[int]:
        """How many keys went to each pod that got one, the most first."""
        return sorted(Counter(self.pods.values()).values(), reverse=True)

    def __repr__(self) -> str:
        # How many went to each depends on the pods' addresses.
        return f"{len(self.pods)} keys over {counted(len(set(self.pods.values())), 'pod')}"


@dataclass(frozen=True, repr=False)
class Moves:
    """Where the same keys went before and after something changed.

    What is told in words is the same in every run of hundreds of keys over a few pods; the numbers are not.
    """

    before: Placement
    after: Placement

    @property
    def gone(self) -> set[str]:
        """The pods that had keys before and have none now."""
        return {*self.before.pods.values()} - {*self.after.pods.values()}

    @property
    def moved(self) -> list[str]:
        """The keys that went to another pod than before."""
        return [key for key, pod in self.before.pods.items() if self.after.pods[key] != pod]

    @property
    def needless(self) -> list[str]:
        """Those of them whose pod is still there."""
        return [key for key in self.moved if self.before.pods[key] not in self.gone]

    @property
    def stayable(self) -> int:
        """How many keys had a pod that is still there."""
        return sum(pod not in self.gone for pod in self.before.pods.values())

    def __repr__(self) -> str:
        if not self.moved:
            return f"{len(self.before.pods)} keys: none of them moved"
        lines = [f"{len(self.before.pods)} keys: those of the pod that has gone moved"] if self.gone else []
        share = len(self.needless) / self.stayable if self.stayable else 0.0
        how_many = (
            f"hardly any moved: less than {FEW:.0%}" if share < FEW
            else f"most moved: more than {MOST:.0%}" if share > MOST
            else f"some moved: {FEW:.0%} to {MOST:.0%}"
        )  # fmt: skip
        return "\n".join([*lines, f"of the keys whose pod is still there, {how_many}"])


def ask(lab: Lab, address: str, keys: Sequence[str] = KEYS, *, header: str = HEADER) -> Placement:
    """Send a request for each key, which is in a header, and tell which pods answered.

    Raises ``ReportError`` when a request is answered by no pod.
    """
    requests = ([*with_headers({"Host": HOST, header: key}), f"http://{address}/"] for key in keys)
    return Placement(dict(zip(keys, map(pod_of, curl.ask(lab.bastion, requests)), strict=True)))


def modulo(pods: Sequence[str], keys: Sequence[str] = KEYS) -> Placement:
    """Return where keys would go by the simplest hash: that of the key, modulo the number of pods."""
    return Placement({key: pods[zlib.crc32(key.encode()) % len(pods)] for key in keys})


def asked_for(policy: JsonObject) -> str:
    """Return what a BackendTrafficPolicy has hashed, such as ``header user``; empty when nothing is.

    A table of another size than Envoy Gateway's own is named too.
    """
    balancer = policy["spec"].get("loadBalancer") or {}
    if balancer.get("type") != "ConsistentHash":
        return ""
    spec = balancer["consistentHash"]
    named = spec["type"].lower()
    what = f"{named} {spec[named]['name']}" if named in ("header", "cookie") else "source IP"
    return _with_table(what, spec.get("tableSize") or TABLE_SIZE)


def in_envoy(configuration: Configuration, namespace: str) -> tuple[str, set[str]]:
    """Return what Envoy hashes for the lesson's route, in the words of :func:`asked_for`, and the pods' addresses."""
    routes = configuration.routes_from("HTTPRoute", NAME, namespace)
    policies = [each for route in routes for each in route.content.get("route", {}).get("hash_policy", ())]
    clusters = [each for each in configuration.clusters_from("HTTPRoute", NAME, namespace) if each.policy == "maglev"]
    if not policies or not clusters:
        return "", set()
    (extension, *_) = clusters[0].content["load_balancing_policy"]["policies"]
    size = extension["typed_extension_config"]["typed_config"].get("table_size", TABLE_SIZE)
    addresses = {endpoint.rpartition(":")[0] for endpoint in clusters[0].endpoints}
    return _with_table(_hashed(policies[0]), int(size)), addresses


def _hashed(policy: JsonObject) -> str:
    if "header" in policy:
        return f"header {policy['header']['header_name']}"
    return f"cookie {policy['cookie']['name']}" if "cookie" in policy else "source IP"


def _with_table(what: str, size: int) -> str:
    return what if size == TABLE_SIZE else f"{what}, by a table of {size},"


def in_force(lab: Lab, pods: int = 4) -> Awaited:
    """Wait until Envoy hashes what the lesson's policy asks for, over so many pods: those that take part."""
    policy = lab.cluster.get("BackendTrafficPolicy", NAME)
    wanted, namespace = asked_for(policy), policy["metadata"]["namespace"]

    def is_so() -> bool:
        (envoy, *_) = envoy_admin.of_gateway(lab.cluster, GATEWAY)
        hashed, addresses = in_envoy(envoy.configuration(), namespace)
        ready = waits.ready_addresses(lab.cluster, TAKES_PART)
        return hashed == wanted and len(ready) == pods and addresses == ready

    remedy = f"calico-lab envoy backendtrafficpolicy {NAME}"
    return waits.until(is_so, f"Envoy hashes the {wanted} over {pods} pods", remedy=remedy)


def by(lab: Lab, spec: Mapping[str, Any]) -> Awaited:
    """Put another ``consistentHash`` into the lesson's policy, and wait until Envoy works by it."""
    patch = [{"op": "replace", "path": "/spec/loadBalancer/consistentHash", "value": dict(spec)}]
    patched = ("patch", "backendtrafficpolicy", NAME, "--type=json", "-p", json.dumps(patch))
    kubectl.run(lab.kubeconfig, *patched, time_limit=SECONDS)
    return in_force(lab)


def take_part(lab: Lab, pods: Iterable[str], *, yes: bool = True) -> None:
    """Let pods take part, or no more: by a label, as the lesson's Service selects them. They go on running."""
    label = f"takes-part={'yes' if yes else 'no'}"
    kubectl.run(lab.kubeconfig, "label", "--overwrite", "pod", *pods, label, time_limit=SECONDS)
