"""Which names there are in the zone ``cluster.local``, and what is behind them: pure functions.

The names are those of Kubernetes' DNS specification 1.1
(https://github.com/kubernetes/dns/blob/master/docs/specification.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from calico_lab.local.wire import JsonObject

ZONE = ("cluster", "local")


class Target(NamedTuple):
    """What an SRV record points to."""

    port: int
    host: str


@dataclass(frozen=True)
class Records:
    """What there is under one name; a name may well exist and have none of what is asked for."""

    addresses: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True)
class Cluster:
    """What the names are made of: ``service`` and ``slices`` find objects by namespace and name of a Service."""

    namespaces: Callable[[], Iterable[str]]
    service: Callable[[str, str], JsonObject | None]
    slices: Callable[[str, str], Iterable[JsonObject]]


def in_zone(labels: tuple[str, ...]) -> bool:
    """Whether a name, as lower case labels from left to right, lies in the cluster's zone."""
    return labels[-len(ZONE) :] == ZONE


def find(labels: tuple[str, ...], cluster: Cluster) -> Records | None:
    """Return the records of a name in the zone, None where there is no such name."""
    match tuple(reversed(labels[: -len(ZONE)])):
        case () | ("svc",):
            return Records()
        case ("svc", namespace):
            return Records() if namespace in cluster.namespaces() else None
        case ("svc", namespace, name):
            return _service(namespace, name, cluster)
        case ("svc", namespace, name, endpoint) if not endpoint.startswith("_"):
            return _endpoint(namespace, name, endpoint, cluster)
        case ("svc", namespace, name, protocol, port):
            return _port(namespace, name, port, protocol, cluster)
    return None


def _service(namespace: str, name: str, cluster: Cluster) -> Records | None:
    service = cluster.service(namespace, name)
    if service is None:
        return None
    if _is_headless(service):
        # Without a ready pod there is nothing that the name could stand for.
        addresses = tuple(address for address, _, _ in _endpoints(namespace, name, cluster))
        return Records(addresses) if addresses else None
    return Records((service["spec"]["clusterIP"],))


def _endpoint(namespace: str, name: str, endpoint: str, cluster: Cluster) -> Records | None:
    service = cluster.service(namespace, name)
    if service is None or not _is_headless(service):
        return None
    found = [address for address, host, _ in _endpoints(namespace, name, cluster) if host == endpoint]
    return Records(tuple(found)) if found else None


def _port(namespace: str, name: str, port: str, protocol: str, cluster: Cluster) -> Records | None:
    service = cluster.service(namespace, name)
    if service is None or not (port.startswith("_") and protocol.startswith("_")):
        return None
    wanted = (port[1:], protocol[1:].upper())
    host = ".".join((name, namespace, "svc", *ZONE))
    if _is_headless(service):
        targets = [
            Target(number, f"{endpoint}.{host}")
            for _, endpoint, ports in _endpoints(namespace, name, cluster)
            for number in _numbers(ports, wanted)
        ]
    else:
        targets = [Target(number, host) for number in _numbers(service["spec"].get("ports") or (), wanted)]
    return Records(targets=tuple(targets)) if targets else None


def _numbers(ports: Iterable[JsonObject], wanted: tuple[str, str]) -> Iterator[int]:
    for port in ports:
        if ((port.get("name") or "").lower(), port.get("protocol", "TCP")) == wanted:
            yield port["port"]


def _endpoints(namespace: str, name: str, cluster: Cluster) -> Iterator[tuple[str, str, list[JsonObject]]]:
    """Yield address, host name and ports of each ready endpoint."""
    for entry in cluster.slices(namespace, name):
        for endpoint in entry.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready", True):
                for address in endpoint["addresses"]:
                    yield address, endpoint.get("hostname") or address.replace(".", "-"), entry.get("ports") or []


def _is_headless(service: JsonObject) -> bool:
    return bool(service["spec"].get("clusterIP") == "None")
