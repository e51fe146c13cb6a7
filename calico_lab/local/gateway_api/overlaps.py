"""HTTPS listeners for whose names a client may use one and the same connection (condition OverlappingTLSConfig).

A client that speaks HTTP/2 sends requests for another name on the connection that it has, if the certificate covers
both, and so reaches the wrong listener: https://gateway-api.sigs.k8s.io/geps/gep-3567/. As Envoy Gateway 1.5.9, such
listeners offer HTTP/1.1 alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from typing import NamedTuple

from calico_lab.local.wire import JsonObject

_CONSEQUENCE = (
    "ALPN will default to HTTP/1.1 to prevent HTTP/2 connection coalescing, unless explicitly configured via "
    "ClientTrafficPolicy"
)


class Overlap(NamedTuple):
    """The reason and the message of the condition."""

    reason: str
    message: str


# A listener and the DNS names in its certificates.
Candidate = tuple[JsonObject, Sequence[str]]


def overlaps(listeners: Sequence[Candidate]) -> list[Overlap | None]:
    """Return the overlap of each HTTPS listener of a Gateway with another; that of certificates comes first."""
    hostnames = _of_hostnames(listeners)
    certificates = _of_certificates(listeners)
    return [certificates.get(index) or hostnames.get(index) for index in range(len(listeners))]


def _of_hostnames(listeners: Sequence[Candidate]) -> dict[int, Overlap]:
    found: dict[int, Overlap] = {}
    for first, second in _pairs(listeners, found):
        own, other = (listeners[index][0].get("hostname") or "" for index in (first, second))
        if not (own and other) or _overlap(own, other):
            text = "The hostname {} overlaps with the hostname {}"
            _tell(found, listeners, (first, second), "OverlappingHostnames", text, (own, other))
    return found


def _of_certificates(listeners: Sequence[Candidate]) -> dict[int, Overlap]:
    found: dict[int, Overlap] = {}
    for first, second in _pairs(listeners, found):
        names = product(listeners[first][1], listeners[second][1])
        common = next((pair for pair in names if _overlap(*pair)), None)
        if common:
            text = "The certificate SAN {} overlaps with the certificate SAN {}"
            _tell(found, listeners, (first, second), "OverlappingCertificates", text, common)
    return found


def _tell(
    found: dict[int, Overlap],
    listeners: Sequence[Candidate],
    pair: tuple[int, int],
    reason: str,
    text: str,
    names: tuple[str, str],
) -> None:
    for (index, other), told in ((pair, names), (pair[::-1], names[::-1])):
        where = listeners[other][0]["name"]
        found[index] = Overlap(reason, f"{text.format(*told)} in listener {where}. {_CONSEQUENCE}")


def _pairs(listeners: Sequence[Candidate], found: dict[int, Overlap]) -> Iterator[tuple[int, int]]:
    """Yield the pairs with a port in common, but none whose second is in ``found`` by then, or whose first was before.

    Of several overlaps of a listener one is told, and this decides which: as in Envoy Gateway.
    """
    done: set[int] = set()
    last = -1
    for first, second in combinations(range(len(listeners)), 2):
        if first != last:
            last = first
            if first in found:
                done.add(first)
        if first not in done and second not in found and listeners[first][0]["port"] == listeners[second][0]["port"]:
            yield first, second


def _overlap(one: str, other: str) -> bool:
    return _covers(one, other) or _covers(other, one)


def _covers(pattern: str, name: str) -> bool:
    """Whether a name is what a pattern stands for; a wildcard in a certificate stands for one label."""
    if pattern.startswith("*") and len(pattern) > 1 and not name.startswith("*"):
        return name.endswith(pattern[1:]) and "." not in name.removesuffix(pattern[1:])
    return name == pattern
