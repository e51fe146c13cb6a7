"""The nftables ruleset of a node: service addresses to endpoints, and pods' way out of the pod network.

Named and laid out as kube-proxy's nftables mode does it
(https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-nftables): maps from address, protocol and
port to a chain a service port, which picks an endpoint's chain at random, which translates the destination.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from calico_lab.local.network.service_ports import Endpoint, ServicePort
from calico_lab.local.topology import POD_NETWORK, SERVICE_NETWORK

_MASQUERADE_MARK = 0x4000

# Pods that leave the pod network do so under their node's address, what Calico calls natOutgoing.
_NAT_OUTGOING = f"""\
add table ip calico
delete table ip calico
table ip calico {{
    chain nat-postrouting {{
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr {POD_NETWORK} ip daddr != {POD_NETWORK} masquerade fully-random
    }}
}}
"""

_FIXED_CHAINS = f"""\
    chain mark-for-masquerade {{ meta mark set meta mark or {_MASQUERADE_MARK:#x}; }}
    chain masquerading {{
        meta mark and {_MASQUERADE_MARK:#x} == 0 return
        meta mark set meta mark xor {_MASQUERADE_MARK:#x}
        masquerade fully-random
    }}
    chain reject-chain {{ reject; }}
    chain services {{
        ip daddr . meta l4proto . th dport vmap @service-ips
        ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports
    }}
    chain service-endpoints-check {{ ip daddr . meta l4proto . th dport vmap @no-endpoint-services; }}
    chain nodeport-endpoints-check {{ ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports; }}
    chain cluster-ips-check {{
        ip daddr @cluster-ips reject
        ip daddr {SERVICE_NETWORK} drop
    }}
    chain nat-prerouting {{ type nat hook prerouting priority dstnat; jump services; }}
    chain nat-output {{ type nat hook output priority -100; jump services; }}
    chain nat-postrouting {{ type nat hook postrouting priority srcnat; jump masquerading; }}
    chain filter-input {{
        type filter hook input priority -110;
        ct state new jump nodeport-endpoints-check
        ct state new jump service-endpoints-check
    }}
    chain filter-forward {{
        type filter hook forward priority -110;
        ct state new jump service-endpoints-check
        ct state new jump cluster-ips-check
    }}
    chain filter-output-post-dnat {{
        type filter hook output priority -90;
        ct state new jump service-endpoints-check
        ct state new jump cluster-ips-check
    }}
"""


@dataclass
class _Table:
    """The parts of the table that services fill: elements of sets and maps, and chains as lists of rules."""

    cluster_ips: dict[str, None] = field(default_factory=dict)
    service_ips: list[str] = field(default_factory=list)
    service_nodeports: list[str] = field(default_factory=list)
    no_endpoint_services: list[str] = field(default_factory=list)
    no_endpoint_nodeports: list[str] = field(default_factory=list)
    chains: dict[str, list[str]] = field(default_factory=dict)


def render(ports: Iterable[ServicePort], node_address: IPv4Address) -> str:
    """Return the ruleset as one transaction for ``nft -f``, which replaces whatever was there before."""
    table = _Table()
    for port in ports:
        table.cluster_ips[port.cluster_address] = None
        _add_internal(table, port)
        _add_external(table, port)
        _add_endpoints(table, port)
    by_address = "ipv4_addr . inet_proto . inet_service : verdict"
    by_port = "inet_proto . inet_service : verdict"
    parts = (
        _set("set cluster-ips", "ipv4_addr", table.cluster_ips),
        _set("set nodeport-ips", "ipv4_addr", [str(node_address)]),
        _set("map service-ips", by_address, table.service_ips),
        _set("map service-nodeports", by_port, table.service_nodeports),
        _set("map no-endpoint-services", by_address, table.no_endpoint_services),
        _set("map no-endpoint-nodeports", by_port, table.no_endpoint_nodeports),
        _FIXED_CHAINS,
        *(_chain(name, rules) for name, rules in table.chains.items()),
    )
    start = f"{_NAT_OUTGOING}add table ip kube-proxy\ndelete table ip kube-proxy\ntable ip kube-proxy {{\n"
    return "".join((start, *parts, "}\n"))


def _add_internal(table: _Table, port: ServicePort) -> None:
    """Lead the cluster address to every endpoint or, with the policy Local, to those on this node."""
    match = f"{port.cluster_address} . {port.protocol} . {port.port}"
    if not port.endpoints:
        table.no_endpoint_services.append(f"{match} : goto reject-chain")
    elif port.internal_local and not port.local_endpoints:
        table.no_endpoint_services.append(f"{match} : drop")
    else:
        chain = _name("local" if port.internal_local else "service", port)
        table.service_ips.append(f"{match} : goto {chain}")


def _add_external(table: _Table, port: ServicePort) -> None:
    """Lead load balancer addresses and the node port to the endpoints.

    With the policy Local a client from outside keeps its address and reaches only this node's endpoints; pods and the
    node itself reach every endpoint all the same.
    """
    outside = (*port.load_balancer_addresses, *port.external_ips)
    addresses = [f"{address} . {port.protocol} . {port.port}" for address in outside]
    node_ports = [f"{port.protocol} . {port.node_port}"] if port.node_port else []
    if not addresses and not node_ports:
        return
    if not port.endpoints or (port.external_local and not port.local_endpoints):
        verdict = "drop" if port.endpoints else "goto reject-chain"
        table.no_endpoint_services += [f"{match} : {verdict}" for match in addresses]
        table.no_endpoint_nodeports += [f"{match} : {verdict}" for match in node_ports]
    if port.endpoints:
        chain, everywhere = _name("external", port), _name("service", port)
        table.service_ips += [f"{match} : goto {chain}" for match in addresses]
        table.service_nodeports += [f"{match} : goto {chain}" for match in node_ports]
        table.chains[chain] = (
            [
                f"ip saddr {POD_NETWORK} goto {everywhere}",
                "fib saddr type local jump mark-for-masquerade",
                f"fib saddr type local goto {everywhere}",
                *([f"goto {_name('local', port)}"] if port.local_endpoints else []),
            ]
            if port.external_local
            else ["jump mark-for-masquerade", f"goto {everywhere}"]
        )


def _add_endpoints(table: _Table, port: ServicePort) -> None:
    """Add the choice among the endpoints, and the translation to each."""
    from_outside = (
        f"ip daddr {port.cluster_address} {port.protocol} dport {port.port} ip saddr != {POD_NETWORK} "
        "jump mark-for-masquerade"
    )
    for chain, endpoints in (("service", port.endpoints), ("local", port.local_endpoints)):
        if endpoints:
            choice = ", ".join(f"{index} : goto {_endpoint_name(port, end)}" for index, end in enumerate(endpoints))
            pick = f"numgen random mod {len(endpoints)} vmap {{ {choice} }}"
            table.chains[_name(chain, port)] = [from_outside, pick]
    for end in dict.fromkeys((*port.endpoints, *port.local_endpoints)):
        # A pod that reaches itself through its service would otherwise see its own address as the client's.
        hairpin = f"ip saddr {end.address} jump mark-for-masquerade"
        translate = f"meta l4proto {port.protocol} dnat to {end.address}:{end.port}"
        table.chains[_endpoint_name(port, end)] = [hairpin, translate]


def _name(prefix: str, port: ServicePort, suffix: str = "") -> str:
    readable = f"{port.namespace}/{port.service}/{port.protocol}/{port.name}{suffix}"
    digest = base64.b32encode(hashlib.sha256(readable.encode()).digest()).decode()
    return f"{prefix}-{digest[:8]}-{readable}"


def _endpoint_name(port: ServicePort, endpoint: Endpoint) -> str:
    return _name("endpoint", port, f"__{endpoint.address}/{endpoint.port}")


def _set(declaration: str, kind: str, elements: Iterable[str]) -> str:
    listed = ", ".join(elements)
    contents = f"elements = {{ {listed} }}; " if listed else ""
    return f"    {declaration} {{ type {kind}; {contents}}}\n"


def _chain(name: str, rules: Iterable[str]) -> str:
    return "".join([f"    chain {name} {{\n", *(f"        {rule}\n" for rule in rules), "    }\n"])
