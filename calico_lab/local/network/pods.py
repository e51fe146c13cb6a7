"""Pods on a node's network, addressed as Calico's CNI plugin does.

A pod's eth0 has a /32; its only gateway is 169.254.1.1, for which the node answers by proxy ARP, and the node routes
the pod's address to the link cali<11 hex digits>
(https://docs.tigera.io/calico/latest/reference/faq#why-does-my-container-have-a-route-to-16925411).
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from calico_lab.errors import LabError
from calico_lab.local.network import folders, links
from calico_lab.local.network.hosts import EVERYWHERE, set_kernel_parameter
from calico_lab.local.start import namespaces
from calico_lab.local.start.namespaces import Namespaces
from calico_lab.local.topology import Host

GATEWAY = IPv4Address("169.254.1.1")
# The hardware address that Calico gives every node's end of a pod's link.
_NODE_HARDWARE_ADDRESS = "ee:ee:ee:ee:ee:ee"


class PodNetwork:
    """The pods' links and addresses on one node.

    Addresses come in the order of Calico's IPAM: ascending from the first of the node's block, and a released one goes
    to the back of the queue.
    """

    def __init__(self, host: Host, inside: Namespaces) -> None:
        if host.pod_block is None:
            raise ValueError(f"{host.name} has no block of pod addresses")
        self._host = host
        self._namespaces = inside
        self._free = deque(host.pod_block)
        self._links: dict[IPv4Address, str] = {}

    def attach(
        self, pod_name: str, prepare: Callable[[], None], *, namespace: str = "default", names: Sequence[str] = ()
    ) -> tuple[Namespaces, IPv4Address]:
        """Make a pod's namespaces and link; returns them and the pod's address.

        ``names``, by default the pod's, are those of its address in its /etc/hosts; the last is its host name.
        The pod has folders of its own (see :mod:`folders`) before ``prepare`` runs inside and mounts the rest.
        Raises ``LabError`` when the node's block is used up, ``OSError`` when the kernel refuses.
        """
        if not self._free:
            raise LabError(f"{self._host.name} has no pod address left in {self._host.pod_block}")
        address = self._free.popleft()

        known_as = names or (pod_name,)

        def prepare_pod() -> None:
            folders.make_private(known_as[-1], {" ".join(known_as): address})
            set_kernel_parameter("net/ipv6/conf/default/disable_ipv6", 1)
            set_kernel_parameter("net/ipv4/ip_unprivileged_port_start", 0)
            prepare()

        try:
            with self._namespaces.entered():
                pod = namespaces.create(known_as[-1], prepare_pod)
                self._connect(pod, address, link_name(namespace, pod_name))
        except BaseException:
            self._free.appendleft(address)
            raise
        return pod, address

    def detach(self, address: IPv4Address) -> None:
        """Remove the pod's link and free its address; does nothing for an address that is not in use."""
        link = self._links.pop(address, None)
        if link is not None:
            with self._namespaces.entered():
                links.remove(link)
            self._free.append(address)

    def _connect(self, pod: Namespaces, address: IPv4Address, link: str) -> None:
        links.add_veth(link, "eth0", pod.descriptors["net"], hardware_address=_NODE_HARDWARE_ADDRESS)
        self._links[address] = link
        set_kernel_parameter(f"net/ipv4/conf/{link}/proxy_arp", 1)
        links.answer_proxy_arp_at_once(link)
        links.add_route(IPv4Network(address), link)
        with pod.entered():
            links.bring_up("lo")
            links.bring_up("eth0")
            links.add_address("eth0", IPv4Interface(address))
            links.add_route(IPv4Network(GATEWAY), "eth0")
            links.add_route(EVERYWHERE, "eth0", GATEWAY)
        links.wait_for_carrier(link)


def link_name(namespace: str, pod_name: str) -> str:
    """Return the name of the node's end of a pod's link, as Calico derives it."""
    digest = hashlib.sha1(f"{namespace}.{pod_name}".encode(), usedforsecurity=False).hexdigest()
    return f"cali{digest[:11]}"
