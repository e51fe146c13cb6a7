"""From a Gateway, a route, a policy or a Backend to the pieces of Envoy's configuration that it made.

What stands in Envoy is asked of Envoy itself. Which route a policy is in force for is not to be seen there, so that is
read from the policies and their statuses: https://gateway.envoyproxy.io/docs/concepts/gateway_api_extensions/backend-traffic-policy/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from calico_lab.errors import ReportError
from calico_lab.lessons import policy_targets
from calico_lab.lessons.counted import counted
from calico_lab.lessons.policy_targets import Named
from calico_lab.tools import envoy_admin
from calico_lab.tools.envoy_admin import Configuration, EnvoyCluster, EnvoyRoute

if TYPE_CHECKING:
    from calico_lab.cluster import Cluster, JsonObject

ROUTES = ("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute")
POLICIES = ("BackendTrafficPolicy", "SecurityPolicy")
KINDS = ("Gateway", *ROUTES, *POLICIES, "Backend")
_SHORT_NAMES = {"gtw": "Gateway", "btp": "BackendTrafficPolicy", "sp": "SecurityPolicy", "be": "Backend"}

# The fields of Envoy that each field of a BackendTrafficPolicy's spec decides: of a cluster, and of a route.
_IN_CLUSTER = {
    "circuitBreaker": ("circuit_breakers", "typed_extension_protocol_options"),
    "healthCheck": ("health_checks", "outlier_detection", "common_lb_config"),
    "loadBalancer": (
        "load_balancing_policy", "lb_policy", "maglev_lb_config", "round_robin_lb_config", "least_request_lb_config",
    ),
    "timeout": ("connect_timeout", "typed_extension_protocol_options"),
}  # fmt: skip
_IN_ROUTE_ACTION = {
    "loadBalancer": ("hash_policy",),
    "rateLimit": ("rate_limits",),
    "retry": ("retry_policy",),
    "timeout": ("timeout", "idle_timeout"),
}
_RATE_LIMIT = "envoy.filters.http.local_ratelimit"
_BASIC_AUTHENTICATION = "envoy.filters.http.basic_auth"


@dataclass(frozen=True)
class Piece:
    """A part of Envoy's configuration: ``what`` it is, such as a cluster, its name, and what it says in short."""

    what: str
    name: str
    says: str
    content: JsonObject = field(repr=False)


@dataclass(frozen=True)
class Made:
    """The pieces that an object made; where there are none, ``because`` says what the object's status tells of it."""

    kind: str
    name: str
    namespace: str
    pieces: tuple[Piece, ...]
    because: str = ""

    def as_json(self) -> list[JsonObject]:
        """Return the pieces for scripts."""
        return [{"what": each.what, "name": each.name, "configuration": each.content} for each in self.pieces]

    def __str__(self) -> str:
        of = f"{self.kind} {self.namespace}/{self.name}"
        if not self.pieces:
            return f"{of} made nothing in Envoy: {self.because}"
        width = max(len(each.what) for each in self.pieces)
        lines = [f"{each.what:{width}}  {each.name}\n{'':{width}}  {each.says}" for each in self.pieces]
        return "\n".join([f"{of} made in Envoy", *lines])


def kind_of(word: str) -> str:
    """Return the kind that a word means, in any case, in the plural, or as kubectl shortens it.

    Raises ``ReportError`` for another.
    """
    names = {kind.lower(): kind for kind in KINDS} | _SHORT_NAMES
    names |= {policy_targets.plural(kind): kind for kind in KINDS}
    if (kind := names.get(word.lower())) is None:
        raise ReportError(
            f"a {word} makes nothing in Envoy that can be shown", remedy=f"name one of {', '.join(KINDS)}"
        )
    return kind


def read(cluster: Cluster, kind: str, name: str, namespace: str | None = None) -> Made:
    """Look up the pieces that an object of one of :data:`KINDS` made.

    Raises ``NotFound`` when there is no such object, ``ReportError`` when no Envoy runs for it.
    """
    kind = kind_of(kind)
    item = cluster.get(kind, name, namespace)
    place: str = item["metadata"]["namespace"]
    named = Named(kind, place, name)
    pieces: dict[tuple[str, str], Piece] = {}
    gateways = list(_gateways(cluster, named, item))
    for gateway in gateways:
        configuration = _configuration(cluster, gateway)
        found = _pieces(cluster, named, item, gateway, configuration) if configuration else ()
        pieces |= {(each.what, each.name): each for each in found}
    because = policy_targets.told(item) if gateways else "it is attached to no Gateway that is there"
    return Made(kind, name, place, tuple(pieces.values()), "" if pieces else because)


def _gateways(cluster: Cluster, named: Named, item: JsonObject) -> Iterable[Named]:
    if named.kind == "Gateway":
        return [named]
    if named.kind in ROUTES:
        routes = [item]
    elif named.kind == "Backend":
        routes = [route for route in policy_targets.routes(cluster) if _refers(route, named)]
    else:
        gateways, routes = policy_targets.targets(cluster, item)
        return dict.fromkeys([*gateways, *(each for route in routes for each in policy_targets.parents(route))])
    return dict.fromkeys(each for route in routes for each in policy_targets.parents(route))


def _configuration(cluster: Cluster, gateway: Named) -> Configuration | None:
    """Return what the first of a Gateway's Envoys works by: they all work by the same."""
    envoys = envoy_admin.of_gateway(cluster, gateway.name, gateway.namespace)
    return envoys[0].configuration() if envoys else None


def _pieces(
    cluster: Cluster, named: Named, item: JsonObject, gateway: Named, configuration: Configuration
) -> Iterator[Piece]:
    if named.kind == "Gateway":
        yield from _of_gateway(named, configuration)
    elif named.kind in ROUTES:
        yield from _of_route(named, configuration)
    elif named.kind == "Backend":
        yield from _of_backend(cluster, named, configuration)
    else:
        covered = {Named.of(route) for route in policy_targets.covered(cluster, item, gateway)}
        routes = [route for route in configuration.routes if _is_from(route, covered)]
        if named.kind == "SecurityPolicy":
            yield from _of_security_policy(named, routes)
        else:
            clusters = [each for each in configuration.clusters if _is_from(each, covered)]
            yield from _of_traffic_policy(item["spec"], routes, clusters)


def _is_from(part: EnvoyRoute | EnvoyCluster, objects: set[Named]) -> bool:
    source = part.source
    return source is not None and Named(source.kind, source.namespace, source.name) in objects


def _of_gateway(named: Named, configuration: Configuration) -> Iterator[Piece]:
    for listener in configuration.listeners:
        if listener.name.startswith(f"{named.namespace}/{named.name}/"):
            yield Piece("listener", listener.name, f"takes connections at {listener.address}", listener.content)


def _of_route(named: Named, configuration: Configuration) -> Iterator[Piece]:
    own = {named}
    for route in configuration.routes:
        if _is_from(route, own):
            yield Piece("route", route.name, _says(route), route.content)
    for listener in configuration.listeners:
        chains = [*listener.content.get("filter_chains", ()), listener.content.get("default_filter_chain") or {}]
        for chain in chains:
            if f"{chain.get('name', '')}/".startswith(f"{named.kind.lower()}/{named.namespace}/{named.name}/"):
                names = chain.get("filter_chain_match", {}).get("server_names", ())
                says = f"connections at {listener.address}" + (f" for {' '.join(names)}" if names else "")
                yield Piece("filter chain", chain["name"], says, chain)
    for cluster in configuration.clusters:
        if _is_from(cluster, own):
            says = f"{cluster.policy} over {counted(len(cluster.endpoints), 'endpoint')}"
            yield Piece("cluster", cluster.name, says, cluster.content)
            if cluster.assignment:
                yield Piece("endpoints", cluster.name, counted(len(cluster.endpoints), "endpoint"), cluster.assignment)


def _says(route: EnvoyRoute) -> str:
    action = route.content.get("redirect")
    to = " ".join(route.clusters) or ("a redirect" if action is not None else f"status {route.status}")
    return f"{' '.join(route.domains)} {route.match} -> {to}"


def _of_traffic_policy(
    spec: JsonObject, routes: Iterable[EnvoyRoute], clusters: Iterable[EnvoyCluster]
) -> Iterator[Piece]:
    for route in routes:
        action = _chosen(route.content.get("route", {}), _IN_ROUTE_ACTION, spec)
        filters = route.content.get("typed_per_filter_config", {})
        limit = {_RATE_LIMIT: filters[_RATE_LIMIT]} if "rateLimit" in spec and _RATE_LIMIT in filters else {}
        parts = {"route": action} if action else {}
        parts |= {"typed_per_filter_config": limit} if limit else {}
        if parts:
            yield Piece("route", route.name, ", ".join([*action, *(["the limit itself"] if limit else [])]), parts)
    for cluster in clusters:
        if found := _chosen(cluster.content, _IN_CLUSTER, spec):
            policy = f" ({cluster.policy})" if "loadBalancer" in spec else ""
            yield Piece("cluster", cluster.name, ", ".join(found) + policy, found)


def _chosen(content: JsonObject, table: dict[str, tuple[str, ...]], spec: JsonObject) -> JsonObject:
    wanted = {name for each in spec if each in table for name in table[each]}
    return {name: value for name, value in content.items() if name in wanted}


def _of_security_policy(named: Named, routes: Iterable[EnvoyRoute]) -> Iterator[Piece]:
    suffix = f"securitypolicy/{named.namespace}/{named.name}"
    for route in routes:
        filters = route.content.get("typed_per_filter_config", {})
        own = {name: value for name, value in filters.items() if name == f"{_BASIC_AUTHENTICATION}/{suffix}"}
        if own:
            yield Piece("route", route.name, "basic authentication", {"typed_per_filter_config": own})


def _of_backend(cluster: Cluster, named: Named, configuration: Configuration) -> Iterator[Piece]:
    """Yield the endpoints of a Backend, by the places that it has in the routes that refer to it."""
    regions = {
        f"{route['kind'].lower()}/{route['metadata']['namespace']}/{route['metadata']['name']}/rule/{rule}/backend/{index}"
        for route in policy_targets.routes(cluster)
        for rule, index, reference in _references(route)
        if policy_targets.is_reference_to(reference, named, route["metadata"]["namespace"])
    }
    for each in configuration.clusters:
        for locality in each.localities:
            if (region := locality.get("locality", {}).get("region", "")) in regions:
                fallback = ", asked when the others are not well" if locality.get("priority") else ""
                count = len(locality.get("lb_endpoints", ()))
                yield Piece("endpoints", region, f"{count} in the cluster {each.name}{fallback}", locality)


def _references(route: JsonObject) -> Iterator[tuple[int, int, JsonObject]]:
    joined = route["kind"] in ("TCPRoute", "TLSRoute")
    for number, rule in enumerate(route["spec"].get("rules") or ()):
        for index, reference in enumerate(rule.get("backendRefs") or ()):
            yield -1 if joined else number, index, reference


def _refers(route: JsonObject, named: Named) -> bool:
    place = route["metadata"]["namespace"]
    return any(policy_targets.is_reference_to(reference, named, place) for _, _, reference in _references(route))
