"""Which hostnames a route is reached by at a listener (https://gateway-api.sigs.k8s.io/reference/spec/#hostname)."""

from __future__ import annotations

from collections.abc import Iterable

ANY = "*"


def covers(pattern: str, hostname: str) -> bool:
    """Whether every name that ``hostname`` stands for is matched by ``pattern``; either may be a wildcard.

    A wildcard ``*.example.com`` stands for one or more labels before ``.example.com``, never for none.
    """
    if pattern in (ANY, hostname):
        return True
    suffix = pattern[1:]
    return pattern.startswith("*.") and hostname.endswith(suffix) and len(hostname) > len(suffix)


def intersection(one: str, other: str) -> str | None:
    """Return the more specific of two hostnames if it is part of the other, else None."""
    if covers(one, other):
        return other
    return one if covers(other, one) else None


def at_listener(route: Iterable[str], listener: str, others: Iterable[str] = ()) -> list[str]:
    """Return the hostnames by which a route is reached at a listener, sorted; empty if it cannot be.

    ``route`` is empty and ``listener`` is ``""`` where none are given. A hostname that another listener on the same
    port has as its own (``others``) is left to that one.
    """
    own = listener or ANY
    found = {intersection(hostname, own) for hostname in list(route) or [ANY]}
    return sorted(hostname for hostname in found if hostname is not None and (hostname not in others))
