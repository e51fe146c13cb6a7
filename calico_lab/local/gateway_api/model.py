"""What the rules of the Gateway API come to: who listens where, and what goes to whom.

Terms are those of the Gateway API; how a proxy is told is not decided here. Names are the ones that Envoy Gateway
derives from the objects, so that whoever meets one in Envoy can tell where it comes from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from calico_lab.local.gateway_api.changes import NO_CHANGES, Changes
from calico_lab.local.gateway_api.traffic import Retry, Traffic
from calico_lab.local.gateway_api.world import ObjectName


class MatchType(StrEnum):
    """How a value in a match is compared."""

    EXACT = "Exact"
    PATH_PREFIX = "PathPrefix"
    REGULAR_EXPRESSION = "RegularExpression"
    SUFFIX = "Suffix"


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
    """Where a backend answers; one that is ``draining`` keeps its connections and gets no new requests.

    ``hostname`` is the name that it is asked for by health checks, where a Backend gives one.
    """

    address: str
    port: int
    draining: bool = False
    hostname: str = ""


@dataclass(frozen=True)
class Backend:
    """One backendRef. Without endpoints its share of the requests is answered 500.

    ``fallback``: asked only where too many endpoints of the others are unhealthy. ``named``: its endpoints' addresses
    are names that must be looked up. ``http2``: it is spoken to in HTTP/2 without TLS. ``changes`` are of headers only.
    """

    name: str
    weight: int
    endpoints: tuple[Endpoint, ...] = ()
    fallback: bool = False
    named: bool = False
    http2: bool = False
    changes: Changes = NO_CHANGES


@dataclass(frozen=True)
class BasicAuthentication:
    """Who may ask: ``users`` as htpasswd writes them; whom it let in stands in a request header, where that is named.

    ``name`` is that of the policy it comes from.
    """

    name: str
    users: str
    user_header: str = ""


@dataclass(frozen=True)
class Session:
    """What keeps a client with its endpoint: a header, or a cookie of a path that lives for ``lifetime`` seconds.

    A cookie without a lifetime is one for the browser's session.
    """

    name: str
    in_cookie: bool = True
    path: str = "/"
    lifetime: float | None = None


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
        return not self.traffic.fault and any(backend.endpoints for backend in self.backends)


@dataclass(frozen=True)
class Mirror:
    """``numerator`` of ``denominator`` requests are sent to a destination a second time, whose answers nobody gets."""

    destination: Destination
    numerator: int = 100
    denominator: int = 100


@dataclass(frozen=True)
class Route:
    """Requests that ``match`` go to ``destination``; where that is None they are answered with status 500.

    ``changes`` may send the client elsewhere instead. ``timeout`` is in seconds, 0 for none at all; where it or
    ``retry`` is None that of the traffic policy applies.
    """

    name: str
    match: Match
    destination: Destination | None
    source: Source
    changes: Changes = NO_CHANGES
    mirrors: tuple[Mirror, ...] = ()
    timeout: float | None = None
    retry: Retry | None = None
    session: Session | None = None
    authentication: BasicAuthentication | None = None


@dataclass(frozen=True)
class VirtualHost:
    """The routes of one hostname, the first that matches wins."""

    name: str
    hostname: str
    routes: tuple[Route, ...]
    source: Source


@dataclass(frozen=True)
class Certificate:
    """A certificate with its chain, and its private key, both in PEM; ``name`` is that of their Secret."""

    name: str
    chain: str
    private_key: str = field(repr=False)


@dataclass(frozen=True)
class Listener:
    """A port of a Gateway that speaks HTTP.

    All HTTP listeners with a port share it as one. Each HTTPS listener is one by itself, with ``certificates`` and for
    the clients that ask for ``hostname``, or for a name that no other listener has where that is empty. ``http2`` is
    whether it offers HTTP/2.
    """

    name: str
    port: int
    container_port: int
    virtual_hosts: tuple[VirtualHost, ...]
    hostname: str = ""
    certificates: tuple[Certificate, ...] = ()
    http2: bool = True


@dataclass(frozen=True)
class ConnectionRoute:
    """Connections go to ``destination`` as they are, or, with ``certificates``, what TLS carried.

    Where there are ``server_names``, they are those of the clients that ask for one of these.
    """

    name: str
    destination: Destination
    server_names: tuple[str, ...] = ()
    certificates: tuple[Certificate, ...] = ()


@dataclass(frozen=True)
class ConnectionListener:
    """A TLS or TCP listener of a Gateway; without routes it closes every connection."""

    name: str
    port: int
    container_port: int
    routes: tuple[ConnectionRoute, ...]


@dataclass(frozen=True)
class Port:
    """A port that the Service of a Gateway's proxies has."""

    name: str
    port: int
    container_port: int


@dataclass(frozen=True)
class Gateway:
    """An accepted Gateway: what it listens on, and how its proxies are to run where an EnvoyProxy says so."""

    name: ObjectName
    class_name: str
    listeners: tuple[Listener, ...] = ()
    connection_listeners: tuple[ConnectionListener, ...] = ()
    ports: tuple[Port, ...] = ()
    replicas: int | None = None
    concurrency: int | None = None
    image: str = ""

    def destinations(self) -> Iterator[Destination]:
        """Yield each destination that can be reached, once; those of connections also where nobody answers."""
        seen: set[str] = set()
        for destination in self._destinations():
            if destination.name not in seen:
                seen.add(destination.name)
                yield destination

    def certificates(self) -> Iterator[Certificate]:
        """Yield each certificate that a listener has, once."""
        listeners = [listener.certificates for listener in self.listeners]
        routes = [route.certificates for listener in self.connection_listeners for route in listener.routes]
        found = {each.name: each for certificates in listeners + routes for each in certificates}
        yield from found.values()

    def _destinations(self) -> Iterator[Destination]:
        for listener in self.listeners:
            for host in listener.virtual_hosts:
                for route in host.routes:
                    if route.destination is not None:
                        yield route.destination
                        yield from (mirror.destination for mirror in route.mirrors)
        for connections in self.connection_listeners:
            for each in connections.routes:
                yield each.destination


def container_port(port: int) -> int:
    """Return the port that the proxy itself listens on: it may not bind those below 1024."""
    return port + 10000 if port < 1024 else port
