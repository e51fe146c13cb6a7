"""The hosts and address ranges of the lab: those of the workshop that the course follows."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

HOST_NETWORK = IPv4Network("10.0.1.0/24")
POD_NETWORK = IPv4Network("10.48.0.0/16")
SERVICE_NETWORK = IPv4Network("10.49.0.0/16")
KUBERNETES_SERVICE = IPv4Address("10.49.0.1")
DNS_SERVICE = IPv4Address("10.49.0.10")
API_PORT = 6443
AS_NUMBER = 64512
KUBERNETES_VERSION = "v1.37.0"


@dataclass(frozen=True)
class Host:
    """A machine of the lab. Nodes have a block of pod addresses; a bastion has none."""

    name: str
    address: IPv4Address
    pod_block: IPv4Network | None = None
    control_plane: bool = False


BASTION = Host("bastion", IPv4Address("10.0.1.10"))
CONTROL1 = Host("control1", IPv4Address("10.0.1.20"), IPv4Network("10.48.0.0/26"), control_plane=True)
WORKER1 = Host("worker1", IPv4Address("10.0.1.31"), IPv4Network("10.48.1.0/26"))
WORKER2 = Host("worker2", IPv4Address("10.0.1.30"), IPv4Network("10.48.2.0/26"))

NODES = (CONTROL1, WORKER1, WORKER2)
HOSTS = (BASTION, *NODES)
