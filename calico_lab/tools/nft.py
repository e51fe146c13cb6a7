"""What a node's kernel does with the destination of a packet: kube-proxy's nftables, followed from map to chain.

``nft --json list table ip kube-proxy`` prints the table as libnftables-json(5) describes it; kube-proxy lays it out:
https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-nftables
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from calico_lab.errors import ReportError

COMMAND = "nft --json list table ip kube-proxy"
MAP = "service-ips"
_MOST_CHAINS = 20

JsonObject = dict[str, Any]


@dataclass(frozen=True, repr=False)
class Translation:
    """Where packets from outside for ``destination`` go: the chains they pass, and the endpoints that one is drawn of.

    Without endpoints the destination is not translated on this node, and nobody there answers.
    """

    destination: str
    chains: tuple[str, ...]
    endpoints: tuple[str, ...]

    def __repr__(self) -> str:
        if not self.endpoints:
            return f"{self.destination} -> nobody on this node"
        kinds = [chain.partition("-")[0] for chain in self.chains]
        return " -> ".join([self.destination, *kinds, " or ".join(self.endpoints)])


def follow(text: str, address: str, port: int) -> Translation:
    """Follow a packet to a TCP port through the table in ``text``; raises ``ReportError`` when it is no such table."""
    try:
        entries: list[JsonObject] = json.loads(text)["nftables"]
        start = _element(entries, [address, "tcp", port])
        rules: dict[str, list[JsonObject]] = {}
        for rule in (entry["rule"] for entry in entries if "rule" in entry):
            rules.setdefault(rule["chain"], []).extend(_whole([rule]))
    except (ValueError, KeyError, TypeError):
        raise ReportError(f"this is not kube-proxy's table of nftables: {text[:200]!r}", remedy=COMMAND) from None
    chains = tuple(dict.fromkeys(_walk(rules, start))) if start else ()
    # Chains of several endpoints are drawn of at random; that they are kinds of one appears once.
    endpoints = tuple(end for chain in chains for end in _translated(rules.get(chain, ())))
    return Translation(f"{address}:{port}", tuple(_once_a_kind(chains)), endpoints)


def _element(entries: list[JsonObject], key: list[Any]) -> str:
    """Return the chain that the map of services leads this destination to, or nothing."""
    for found in (entry["map"] for entry in entries if entry.get("map", {}).get("name") == MAP):
        for element, verdict in found.get("elem", ()):
            if element["concat"] == key:
                return str(verdict["goto"]["target"])
    return ""


def _whole(rules: list[JsonObject]) -> Iterator[JsonObject]:
    """Yield the last statement of rules that hold for every packet: what matches only some is not the way of all."""
    for rule in rules:
        statements = [each for each in rule["expr"] if "counter" not in each]
        if not any("match" in each for each in statements[:-1]) or "dnat" in statements[-1]:
            yield statements[-1]


def _walk(rules: dict[str, list[JsonObject]], start: str) -> Iterator[str]:
    waiting, seen = [start], 0
    while waiting and seen < _MOST_CHAINS:
        chain, *waiting = waiting
        seen += 1
        yield chain
        for statement in rules.get(chain, ()):
            if "goto" in statement:
                waiting.append(statement["goto"]["target"])
            elif "vmap" in statement:
                waiting += [verdict["goto"]["target"] for _number, verdict in statement["vmap"]["data"]["set"]]


def _translated(statements: tuple[()] | list[JsonObject]) -> list[str]:
    return [f"{each['dnat']['addr']}:{each['dnat']['port']}" for each in statements if "dnat" in each]


def _once_a_kind(chains: tuple[str, ...]) -> Iterator[str]:
    seen: set[str] = set()
    for chain in chains:
        kind = chain.partition("-")[0]
        if kind not in seen:
            seen.add(kind)
            yield chain
