"""From the API's objects to what a node's BIRD is to do: neighbours, and what to announce.

Field by field after https://docs.tigera.io/calico/latest/reference/resources/bgpconfig and .../bgppeer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network

from calico_lab.local.network.bird_configuration import BGP_PORT, Neighbour, Speaker
from calico_lab.local.network.service_ports import ServicePort
from calico_lab.local.objects import labels
from calico_lab.local.topology import AS_NUMBER, Host
from calico_lab.local.wire import JsonObject

EXCLUDED_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|[hms])")
_SECONDS = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}


def speaker_for(
    host: Host,
    nodes: Iterable[JsonObject],
    configuration: JsonObject | None,
    peers: Iterable[JsonObject],
    ports: Iterable[ServicePort],
) -> Speaker:
    """Return what the BIRD of one node is to do; ``configuration`` is the BGPConfiguration default, if there is one."""
    if host.pod_block is None:
        raise ValueError(f"{host.name} is not a node")
    known = sorted(nodes, key=lambda item: str(item["metadata"]["name"]))
    spec = (configuration or {}).get("spec") or {}
    own_as, port = _as_number(spec.get("asNumber", AS_NUMBER)), spec.get("listenPort", BGP_PORT)
    mesh = _mesh(host, known, spec, own_as, port) if spec.get("nodeToNodeMeshEnabled", True) else ()
    ranges = [_cidrs(spec, field) for field in ("serviceClusterIPs", "serviceExternalIPs", "serviceLoadBalancerIPs")]
    excluded = any(item["metadata"]["name"] == host.name and EXCLUDED_LABEL in labels(item) for item in known)
    return Speaker(
        address=host.address,
        pod_block=host.pod_block,
        as_number=own_as,
        port=port,
        bind_address=spec.get("bindMode") == "NodeIP",
        log_severity=spec.get("logSeverityScreen", "Info"),
        neighbours=(*mesh, *_peers(host, peers, own_as)),
        service_ranges=[network for networks in ranges for network in networks],
        announced=[] if excluded else list(dict.fromkeys(_announced(ranges, list(ports)))),
    )


def _mesh(host: Host, nodes: Iterable[JsonObject], spec: JsonObject, as_number: int, port: int) -> Iterator[Neighbour]:
    restart = _seconds(spec.get("nodeMeshMaxRestartTime"))
    for item in nodes:
        addresses = item.get("status", {}).get("addresses") or []
        internal = [entry["address"] for entry in addresses if entry["type"] == "InternalIP"]
        if internal and item["metadata"]["name"] != host.name:
            yield Neighbour("Mesh", IPv4Address(internal[0]), as_number, port, restart)


def _peers(host: Host, peers: Iterable[JsonObject], own_as: int) -> Iterator[Neighbour]:
    for item in sorted(peers, key=lambda item: str(item["metadata"]["name"])):
        spec = item["spec"]
        if spec.get("node", host.name) != host.name:
            continue
        address, _, port = spec["peerIP"].partition(":")
        as_number = _as_number(spec.get("asNumber", own_as))
        kind = "Node" if spec.get("node") else "Global"
        restart = _seconds(spec.get("maxRestartTime"))
        yield Neighbour(kind, IPv4Address(address), as_number, int(port or BGP_PORT), restart)


def _announced(ranges: Sequence[Sequence[IPv4Network]], ports: Iterable[ServicePort]) -> Iterator[IPv4Network]:
    """Yield whole ranges, which every node announces, then the single addresses that lead to this node.

    A single address is announced where its service has the policy Local and a ready endpoint on this node, or where
    the configuration names that very address.
    """
    yield from (network for networks in ranges for network in networks if network.prefixlen < network.max_prefixlen)
    for port in ports:
        addresses = ((port.cluster_address,), port.external_ips, port.load_balancer_addresses)
        for networks, found in zip(ranges, addresses, strict=True):
            for single in map(IPv4Network, found):
                here = any(single.subnet_of(network) for network in networks) and port.ready_here
                if here if port.external_local else single in networks:
                    yield single


def _cidrs(spec: JsonObject, field: str) -> list[IPv4Network]:
    return [IPv4Network(entry["cidr"]) for entry in spec.get(field) or [] if entry.get("cidr")]


def _as_number(value: int | str) -> int:
    """Read an AS number, plain or in the dotted notation of RFC 5396."""
    high, _, low = str(value).rpartition(".")
    return (int(high or 0) << 16) + int(low)


def _seconds(duration: str | None) -> int | None:
    """Read a duration as Go writes it: ``120s``, ``2m0s``."""
    if duration is None:
        return None
    return int(sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(duration)))
