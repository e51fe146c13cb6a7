"""Ports of this machine that nobody uses."""

import random
import socket

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


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
