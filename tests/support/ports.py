"""Ports of this machine that nobody uses."""

import random
import socket
from contextlib import suppress

from support.eventually import LIMIT_SECONDS, wait_until

# Below those that the kernel gives to whoever connects, or listens at port 0: one found free stays so until it is used.
# (ip_local_port_range, https://docs.kernel.org/networking/ip-sysctl.html; 32768 unless told.) Labs take higher ones.
PORTS = range(10_000, 20_000)

# Test processes run side by side: each takes one port after another, from a place of its own.
_begin = random.randrange(len(PORTS))
_untried = iter([*PORTS[_begin:], *PORTS[:_begin]])


def free_port() -> int:
    return next(port for port in _untried if _is_free(port))


def free_ports(number: int) -> list[int]:
    return [free_port() for _ in range(number)]


def connect(port: int) -> socket.socket:
    """Connect to a program that may be about to listen."""

    def connected() -> socket.socket | None:
        with suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port), timeout=LIMIT_SECONDS)
        return None

    return wait_until(connected)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
