"""What Calico's API server refuses: IPPool, BGPConfiguration and BGPPeer of Calico 3.30.

Fields are named, and reasons worded, as Calico does it (https://github.com/projectcalico/calico, packages
``libcalico-go/lib/clientv3`` and ``libcalico-go/lib/validator/v3``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from calico_lab.local.apiserver.field_problems import FieldProblem, invalid
from calico_lab.local.wire import JsonObject

_LINK_LOCAL = {4: ip_network("169.254.0.0/16"), 6: ip_network("fe80::/10")}
_LONGEST = {4: 32, 6: 128}
_BLOCK_SIZES = {4: (20, 32), 6: (116, 128)}
_MODES = ("Always", "CrossSubnet", "Never")


def ip_pool_problems(item: JsonObject, old: JsonObject | None, others: Sequence[JsonObject]) -> Iterator[FieldProblem]:
    """Yield what is wrong with an IPPool, ``others`` being the pools that exist beside it."""
    spec, cidr = item["spec"], item["spec"].get("cidr", "")
    if not cidr:
        yield invalid("IPPool.Spec.CIDR", None, "IPPool CIDR must be specified")
        return
    try:
        network = ip_network(cidr, strict=False)
    except ValueError:
        yield invalid("IPPool.Spec.CIDR", cidr, "IPPool CIDR must be a valid subnet")
        return
    if old is not None and old["spec"].get("cidr") != cidr:
        yield invalid("IPPool.Spec.CIDR", cidr, "IPPool CIDR cannot be modified")
    elif old is None:
        yield from _new_network(item, network, others)
    yield from _block_size(spec, old, network)
    if spec["ipipMode"] != "Never" and spec["vxlanMode"] != "Never":
        yield invalid(
            "IPPool.Spec.VXLANMode", spec["vxlanMode"], "Cannot enable both VXLAN and IPIP on the same IPPool"
        )
    yield from _choice("IPIPMode", spec["ipipMode"], _MODES, "ipIpMode")
    yield from _choice("VXLANMode", spec["vxlanMode"], _MODES, "vxlanMode")
    yield from _choice("AssignmentMode", spec["assignmentMode"], ("Automatic", "Manual"), "assignmentMode")
    yield from _uses(spec, old)


def _new_network(
    item: JsonObject, network: IPv4Network | IPv6Network, others: Sequence[JsonObject]
) -> Iterator[FieldProblem]:
    cidr = item["spec"]["cidr"]
    if str(network) != cidr:
        yield invalid("IPPool.Spec.CIDR", cidr, "IPPool CIDR is not strictly masked")
    name = item["metadata"].get("name", "")
    for other in others:
        theirs = ip_network(other["spec"]["cidr"], strict=False)
        if theirs.version == network.version and theirs.overlaps(network):
            reason = f"IPPool({name}) CIDR overlaps with IPPool({other['metadata']['name']}) CIDR {theirs}"
            yield invalid("IPPool.Spec.CIDR", cidr, reason)
    forbidden = _LINK_LOCAL[network.version]
    if network.overlaps(forbidden):
        reason = f"IPPool CIDR overlaps with IPv{network.version} Link Local range {forbidden}"
        yield invalid("IPPool.Spec.CIDR", cidr, reason)


def _block_size(spec: JsonObject, old: JsonObject | None, network: IPv4Network | IPv6Network) -> Iterator[FieldProblem]:
    size = spec["blockSize"]
    low, high = _BLOCK_SIZES[network.version]
    if old is not None and old["spec"].get("blockSize") != size:
        yield invalid("IPPool.Spec.BlockSize", size, "IPPool BlockSize cannot be modified")
    elif not low <= size <= high:
        reason = f"IPv{network.version} block size must be between {low} and {high}"
        yield invalid("IPPool.Spec.BlockSize", size, reason)
    elif network.prefixlen > size:
        reason = (
            "IP pool size is too small for use with Calico IPAM. It must be equal to or greater than the block size."
        )
        yield invalid("IPPool.Spec.CIDR", spec["cidr"], reason)


def _uses(spec: JsonObject, old: JsonObject | None) -> Iterator[FieldProblem]:
    path, uses = "IPPool.Spec.AllowedUses", spec["allowedUses"]
    for use in uses:
        if use not in ("LoadBalancer", "Tunnel", "Workload"):
            yield invalid(path, uses, f"unknown use: {use}")
    rest = [use for use in uses if use in ("Tunnel", "Workload")]
    if old is not None and "LoadBalancer" in old["spec"]["allowedUses"] and rest:
        # "LoadBalacer" is Calico's spelling.
        yield invalid(path, uses, "IPPool allowed use cannot be changed from LoadBalacer to Workload or Tunnel")
    elif "LoadBalancer" in uses:
        for use in rest:
            yield invalid(path, uses, f"LoadBalancer cannot be used at the same time as: {use}")
        yield from _load_balancer_pool(spec)


def _load_balancer_pool(spec: JsonObject) -> Iterator[FieldProblem]:
    if spec["ipipMode"] != "Never" or spec["vxlanMode"] != "Never":
        reason = "Neither IPIPMode nor VXLANMode can be enabled on AllowedUses LoadBalancer IP pool"
        yield invalid("IPPool.Spec.AllowedUses", spec["allowedUses"], reason)
    if spec["nodeSelector"] != "all()":
        reason = "IP Pool with AllowedUse LoadBalancer must have node selector set to all()"
        yield invalid("IPPool.Spec.NodeSelector", spec["nodeSelector"], reason)
    if spec.get("disableBGPExport"):
        # The message says the reverse of the rule, upstream too.
        reason = "IP Pool with AllowedUse LoadBalancer must have DisableBGPExport set to true"
        yield invalid("IPPool.Spec.DisableBGPExport", True, reason)


# Field of a BGPConfiguration that only the one named "default" may set, and how Calico names it in the reason.
_DEFAULT_ONLY: Mapping[str, str] = {
    "nodeToNodeMeshEnabled": "nodeToNodeMeshEnabled",
    "asNumber": "ASNumber",
    "serviceLoadBalancerIPs": "ServiceLoadBalancerIPs",
    "serviceExternalIPs": "ServiceExternalIPs",
    "serviceClusterIPs": "ServiceClusterIPs",
    "nodeMeshPassword": "nodeMeshPassword",
    "nodeMeshMaxRestartTime": "nodeMeshMaxRestartTime",
}


def bgp_configuration_problems(item: JsonObject, _old: JsonObject | None) -> Iterator[FieldProblem]:
    """Yield what is wrong with a BGPConfiguration."""
    spec = item.get("spec") or {}
    if item["metadata"].get("name") != "default":
        for field, name in _DEFAULT_ONLY.items():
            if field in spec:
                path = f"BGPConfiguration.Spec.{name[0].upper()}{name[1:]}"
                yield invalid(path, None, f"Cannot set {name} on a non default BGP Configuration.")
    if spec.get("nodeToNodeMeshEnabled") is False:
        yield from _without_mesh(spec)
    yield from _as_number(spec)
    if spec.get("listenPort") == 0:
        yield _failed("ListenPort", 0, "gt")
    levels = ("Debug", "Error", "Fatal", "Info", "Warning")
    yield from _choice("LogSeverityScreen", spec.get("logSeverityScreen"), levels, "logLevel")
    yield from _choice("BindMode", spec.get("bindMode"), ("NodeIP", "None"), "bindMode")
    for field in ("serviceLoadBalancerIPs", "serviceExternalIPs", "serviceClusterIPs"):
        blocks = [block.get("cidr", "") for block in spec.get(field) or ()]
        yield from (_failed("CIDR", cidr, "net") for cidr in blocks if not _is_network(cidr))


def _without_mesh(spec: JsonObject) -> Iterator[FieldProblem]:
    for field in ("nodeMeshPassword", "nodeMeshMaxRestartTime"):
        if field in spec:
            name = field[0].upper() + field[1:]
            yield invalid(f"Spec.{name}", spec, f"spec.{name} cannot be set if spec.NodeToNodeMesh is disabled")


def bgp_peer_problems(item: JsonObject, _old: JsonObject | None) -> Iterator[FieldProblem]:
    """Yield what is wrong with a BGPPeer."""
    spec = item.get("spec") or {}
    if spec.get("node") and spec.get("nodeSelector"):
        yield invalid("Node", spec["node"], "Node field must be empty when NodeSelector is specified")
    if spec.get("peerIP") and spec.get("peerSelector"):
        yield invalid("PeerIP", spec["peerIP"], "PeerIP field must be empty when PeerSelector is specified")
    if spec.get("asNumber") and spec.get("peerSelector"):
        yield invalid("ASNumber", spec["asNumber"], "ASNumber field must be empty when PeerSelector is specified")
    if spec.get("peerIP") and not _is_peer(spec["peerIP"]):
        yield _failed("PeerIP", spec["peerIP"], "IP:port")
    yield from _as_number(spec)
    yield from _choice("SourceAddress", spec.get("sourceAddress"), ("None", "UseNodeIP"), "sourceAddress")
    yield from _choice("NextHopMode", spec.get("nextHopMode"), ("Auto", "Keep", "Self"), "nextHopMode")


def _failed(field: str, value: Any, tag: str) -> FieldProblem:
    return invalid(field, value, f"Reason: failed to validate Field: {field} because of Tag: {tag} ")


def _choice(field: str, value: Any, choices: Sequence[str], tag: str) -> Iterator[FieldProblem]:
    if value and value not in choices:
        yield _failed(field, value, tag)


def _as_number(spec: JsonObject) -> Iterator[FieldProblem]:
    """Check a number of 32 bits, or two of 16 bits with a dot between them (RFC 5396)."""
    value = str(spec.get("asNumber", 1))
    high, _, low = value.rpartition(".")
    limit = 2**16 if high else 2**32
    if not re.fullmatch(r"\d+(\.\d+)?", value) or any(int(part) >= limit for part in (high or "0", low)):
        yield invalid("ASNumber", spec["asNumber"], f"'{value}' is not a valid AS Number")


def _is_network(cidr: str) -> bool:
    try:
        ip_network(cidr)
    except ValueError:
        return not cidr
    return True


def _is_peer(peer: str) -> bool:
    """Whether this is an address, or an address and a port: ``10.0.1.10:179``, ``[fd00::1]:179``."""
    match = re.fullmatch(r"(?:([\d.]+)|\[([\da-fA-F:]+)\]):(\d+)", peer)
    address = match.group(1) or match.group(2) if match else peer
    try:
        ip_address(address)
    except ValueError:
        return False
    return match is None or 1 <= int(match.group(3)) <= 65535
