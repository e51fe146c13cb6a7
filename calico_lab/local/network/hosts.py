"""The four hosts of the lab on one switch, with a router at 10.0.1.1 that leads nowhere.

The switch is a bridge in the lab's own network namespace; each host's eth0 is the far end of one of its ports. The
router is what the nodes have as default gateway: without a default route a node does not answer its pods' ARP requests
for 169.254.1.1, nor can it look up a service address before translating it. It answers "network unreachable" at once
for everything outside the lab, where a missing machine would cost the caller three seconds.
"""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path

from calico_lab.local.network import folders, links
from calico_lab.local.start import namespaces
from calico_lab.local.start.namespaces import Namespaces
from calico_lab.local.topology import HOST_NETWORK, HOSTS, Host

SWITCH = "switch"
ROUTER = HOST_NETWORK[1]
EVERYWHERE = IPv4Network("0.0.0.0/0")

_BRIDGE_FIREWALL = "net/bridge/bridge-nf-call-iptables"


def create_hosts() -> dict[str, Namespaces]:
    """Make the switch and the hosts; returns the namespaces of each host by its name.

    Must run once, in the lab's own network namespace. Raises ``OSError`` when the kernel refuses.
    """
    _quieten()
    set_kernel_parameter("net/ipv4/ip_forward", 1)
    if Path("/proc/sys", _BRIDGE_FIREWALL).exists():
        set_kernel_parameter(_BRIDGE_FIREWALL, 0)
    links.bring_up("lo")
    links.add_bridge(SWITCH)
    links.add_address(SWITCH, IPv4Interface((ROUTER, HOST_NETWORK.prefixlen)))
    return {host.name: _create_host(host) for host in HOSTS}


def set_kernel_parameter(name: str, value: int) -> None:
    """Set a parameter below /proc/sys; those below ``net`` belong to the current network namespace."""
    Path("/proc/sys", name).write_text(str(value))


def _create_host(host: Host) -> Namespaces:
    created = namespaces.create(host.name, lambda: _prepare(host))
    links.add_veth(f"to-{host.name}", "eth0", created.descriptors["net"], bridge=SWITCH)
    with created.entered():
        links.bring_up("lo")
        links.bring_up("eth0")
        links.add_address("eth0", IPv4Interface((host.address, HOST_NETWORK.prefixlen)))
        if host.pod_block is not None:
            links.add_route(EVERYWHERE, "eth0", ROUTER)
    links.wait_for_carrier(f"to-{host.name}")
    return created


def _prepare(host: Host) -> None:
    folders.make_private(host.name, {other.name: other.address for other in HOSTS})
    _quieten()
    set_kernel_parameter("net/ipv4/ip_forward", int(host.pod_block is not None))
    set_kernel_parameter("net/ipv4/ip_unprivileged_port_start", 0)
    # Spread connections over equal routes by address and port, as a router does, not by address alone.
    set_kernel_parameter("net/ipv4/fib_multipath_hash_policy", 1)


def _quieten() -> None:
    """Leave out what the machine's own settings, which new namespaces inherit, would otherwise bring in.

    No IPv6 chatter on the links; no check of the reverse path and no redirects, since traffic to a service address may
    leave a node by the link that it came in.
    """
    set_kernel_parameter("net/ipv6/conf/default/disable_ipv6", 1)
    for scope in ("all", "default"):
        set_kernel_parameter(f"net/ipv4/conf/{scope}/rp_filter", 0)
        set_kernel_parameter(f"net/ipv4/conf/{scope}/send_redirects", 0)
        set_kernel_parameter(f"net/ipv4/conf/{scope}/accept_redirects", 0)
