"""What the rules of the Gateway API come to: who listens where, and what goes to whom.

Terms are those of the Gateway API; how a proxy is told is not decided here. Names are the ones that Envoy Gateway
derives from the objects, so that whoever meets one in Envoy can tell where it comes from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from calico_lab.local.gateway_api.world import ObjectName


class MatchType(StrEnum):
    """How a value in a match is compared."""

    EXACT = "Exact"
    PATH_PREFIX = "PathPrefix"
    REGULAR_EXPRESSION = "RegularExpression"


@dataclass(frozen=True)
class Source:
    """The object, and the part of it, that something was made from."""

    kind: str
    name: ObjectName
    section: str = ""


@dataclass(frozen=True)
class ValueMatch:
    """A header or query parameter and the value that it must have."""

    name: str
    value: str
    type: MatchType = MatchType.EXACT


@dataclass(frozen=True)
class Match:
    """All of these must hold for a request; a method counts as the header ``:method``."""

    path: str = "/"
    path_type: MatchType = MatchType.PATH_PREFIX
    headers: tuple[ValueMatch, ...] = ()
    query: tuple[ValueMatch, ...] = ()


@dataclass(frozen=True)
class Endpoint:
    """Where a backend answers; one that is ``draining`` keeps its connections and gets no new requests."""

    address: str
    port: int
    draining: bool = False


@dataclass(frozen=True)
class Backend:
    """One backendRef. Without endpoints its share of the requests is answered 500."""

    name: str
    weight: int
    endpoints: tuple[Endpoint, ...] = ()


@dataclass(frozen=True)
class Traffic:
    """How requests are spread, as a BackendTrafficPolicy says or leaves to the default."""

    load_balancer: str = "LeastRequest"


@dataclass(frozen=True)
class Destination:
    """Where the requests of one rule go, ``backends`` with weight 0 left out."""

    name: str
    backends: tuple[Backend, ...]
    traffic: Traffic
    source: Source

    @property
    def reachable(self) -> bool:
        """Whether any request can be answered by a backend."""
        return any(backend.endpoints for backend in self.backends)


@dataclass(frozen=True)
class Route:
    """Requests that ``match`` go to ``destination``; where that is None they are answered with status 500."""

    name: str
    match: Match
    destination: Destination | None
    source: Source


@dataclass(frozen=True)
class VirtualHost:
    """The routes of one hostname, the first that matches wins."""

    name: str
    hostname: str
    routes: tuple[Route, ...]
    source: Source


@dataclass(frozen=True)
class Listener:
    """A port of a Gateway, shared by all of its listeners that have this port."""

    name: str
    port: int
    container_port: int
    virtual_hosts: tuple[VirtualHost, ...]


@dataclass(frozen=True)
class Gateway:
    """An accepted Gateway: what it listens on, and how its proxies are to run where an EnvoyProxy says so."""

    name: ObjectName
    class_name: str
    listeners: tuple[Listener, ...] = ()
    replicas: int | None = None
    concurrency: int | None = None
    image: str = ""

    def destinations(self) -> Iterator[Destination]:
        """Yield each destination that can be reached, once."""
        seen: set[str] = set()
        for listener in self.listeners:
            for host in listener.virtual_hosts:
                for route in host.routes:
                    destination = route.destination
                    if destination is not None and destination.name not in seen:
                        seen.add(destination.name)
                        yield destination


def container_port(port: int) -> int:
    """Return the port that the proxy itself listens on: it may not bind those below 1024."""
    return port + 10000 if port < 1024 else port
