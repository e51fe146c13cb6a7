"""Envoy's own account of itself: the admin page of a gateway's Envoys, as objects and tables.

The page listens on 127.0.0.1:19000 inside Envoy's pod and nowhere else, so it is reached as ``kubectl port-forward``
reaches it, through the Kubernetes API: https://kubernetes.io/docs/reference/using-api/
What it serves: https://www.envoyproxy.io/docs/envoy/latest/operations/admin

Envoy Gateway writes into each route and cluster which object it came from (metadata ``envoy-gateway``); where an older
one did not, the name says so: ``httproute/NAMESPACE/NAME/rule/0``.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from calico_lab.errors import ReportError
from calico_lab.tools.port_forward import port_forward

if TYPE_CHECKING:
    import pandas as pd

    from calico_lab.cluster import Cluster, JsonObject

PORT = 19000
OWNER = "gateway.envoyproxy.io/owning-gateway"


@dataclass(frozen=True)
class Source:
    """The Kubernetes object that a part of Envoy's configuration came from."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True)
class EnvoyListener:
    """A listener: where Envoy takes connections, as ``address:port``; ``content`` is what Envoy shows of it."""

    name: str
    address: str
    content: JsonObject = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class EnvoyCluster:
    """A cluster: those who answer. ``policy`` is such as ``round_robin``; an endpoint is ``address:port``.

    ``content`` is what Envoy shows of it, ``assignment`` of its endpoints where these came apart from it (EDS).
    """

    name: str
    source: Source | None
    policy: str
    endpoints: tuple[str, ...]
    content: JsonObject = field(default_factory=dict, compare=False)
    assignment: JsonObject = field(default_factory=dict, compare=False)

    @property
    def localities(self) -> list[JsonObject]:
        """The endpoints by backend (config.endpoint.v3.LocalityLbEndpoints), wherever they came from."""
        found: list[JsonObject] = (self.assignment or self.content.get("load_assignment", {})).get("endpoints", [])
        return found


@dataclass(frozen=True)
class EnvoyRoute:
    """A route: requests for one of ``domains`` that fit ``match`` go to ``clusters``, or are answered ``status``.

    ``content`` is what Envoy shows of it.
    """

    name: str
    source: Source | None
    listener: str
    domains: tuple[str, ...]
    match: str
    clusters: tuple[str, ...]
    status: int | None
    content: JsonObject = field(default_factory=dict, compare=False)


@dataclass(frozen=True, repr=False)
class Configuration:
    """The routes, clusters and listeners by which an Envoy works now."""

    routes: tuple[EnvoyRoute, ...]
    clusters: tuple[EnvoyCluster, ...]
    listeners: tuple[EnvoyListener, ...] = ()

    def routes_from(self, kind: str, name: str, namespace: str) -> list[EnvoyRoute]:
        """Return the routes that came from a Kubernetes object."""
        return [route for route in self.routes if route.source == Source(kind, namespace, name)]

    def clusters_from(self, kind: str, name: str, namespace: str) -> list[EnvoyCluster]:
        """Return the clusters that came from a Kubernetes object."""
        return [cluster for cluster in self.clusters if cluster.source == Source(kind, namespace, name)]

    def routes_frame(self) -> pd.DataFrame:
        """Return a table of the routes, in the order in which Envoy tries them."""
        import pandas as pd

        rows = [
            (" ".join(route.domains), route.match, " ".join(route.clusters) or route.status, str(route.source or ""))
            for route in self.routes
        ]
        return pd.DataFrame(rows, columns=["host", "match", "goes to", "from"])

    def clusters_frame(self) -> pd.DataFrame:
        """Return a table of the clusters: load balancing policy, number of endpoints, and whence."""
        import pandas as pd

        rows = [
            (cluster.name, cluster.policy, len(cluster.endpoints), str(cluster.source or ""))
            for cluster in self.clusters
        ]
        return pd.DataFrame(rows, columns=["cluster", "policy", "endpoints", "from"]).set_index("cluster")

    def __repr__(self) -> str:
        lines = [
            f"{' '.join(route.domains)} {route.match} -> {' '.join(route.clusters) or f'status {route.status}'}"
            for route in self.routes
        ]
        lines += [f"{each.name}: {each.policy} over {len(each.endpoints)} endpoints" for each in self.clusters]
        return "\n".join(lines) or "no routes and no clusters"


@dataclass(frozen=True)
class EnvoyAdmin:
    """The admin page of one Envoy. Each question is a connection of its own."""

    cluster: Cluster
    pod: str
    namespace: str

    def get(self, path: str) -> bytes:
        """Return what a GET of a path brings.

        Raises ``ApiError`` when the API server does not forward, ``ReportError`` when Envoy does not answer 200.
        """
        stream = port_forward(self.cluster, self.pod, self.namespace, PORT)
        try:
            stream.send(f"GET {path} HTTP/1.1\r\nHost: envoy\r\nConnection: close\r\n\r\n".encode())
            response = http.client.HTTPResponse(stream, method="GET")  # type: ignore[arg-type]
            response.begin()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ReportError(f"Envoy's admin page in the pod {self.pod} does not answer: {error}") from None
        finally:
            stream.close()
        if response.status != http.client.OK:
            raise ReportError(f"Envoy's admin page answers {path} with {response.status} {response.reason}")
        return body

    def version(self) -> str:
        """Return Envoy's version, such as ``1.40.0``, from ``/server_info``."""
        return str(json.loads(self.get("/server_info"))["version"]).split("/")[1]

    def configuration(self) -> Configuration:
        """Return the routes and clusters of ``/config_dump``, with the endpoints that came apart from them."""
        return parse_config_dump(self.get("/config_dump?include_eds"))

    def clusters(self) -> pd.DataFrame:
        """Return ``/clusters``: a row for each endpoint of a cluster, with ``health`` and number of ``requests``."""
        return parse_clusters(self.get("/clusters?format=json"))

    def stats(self, expression: str = "") -> pd.Series[int]:
        """Return counters and gauges by name; ``expression`` is a regular expression (RE2) for the names."""
        from urllib.parse import quote

        return parse_stats(self.get("/stats?format=json" + (f"&filter={quote(expression)}" if expression else "")))


def of_gateway(cluster: Cluster, gateway: str, namespace: str | None = None) -> list[EnvoyAdmin]:
    """Return the admin pages of the Envoys that run for a Gateway, wherever its Calico puts them."""
    pods = pods_of_gateway(cluster, gateway, namespace)
    return [
        EnvoyAdmin(cluster, pod["metadata"]["name"], pod["metadata"]["namespace"])
        for pod in pods
        if pod.get("status", {}).get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]
    ]


def pods_of_gateway(cluster: Cluster, gateway: str, namespace: str | None = None) -> list[JsonObject]:
    """Return the pods that Envoy Gateway runs for a Gateway, found by their labels in all namespaces."""
    labels = f"{OWNER}-name={gateway},{OWNER}-namespace={namespace or cluster.kubeconfig.namespace}"
    return cluster.list("Pod", labels=labels, all_namespaces=True)


def parse_config_dump(text: bytes | str) -> Configuration:
    """Read ``/config_dump``; raises ``ReportError`` when the text is something else."""
    sections = _parse(text, "configs")
    assignments: dict[str, JsonObject] = {}
    routes: list[EnvoyRoute] = []
    for section in sections:
        for entry in section.get("dynamic_endpoint_configs", ()):
            assignment = entry.get("endpoint_config", {})
            assignments[assignment.get("cluster_name", "")] = assignment
        for entry in section.get("dynamic_route_configs", ()):
            routes += _routes(entry.get("route_config", {}))
    clusters = [
        _cluster(entry["cluster"], assignments)
        for section in sections
        for entry in section.get("dynamic_active_clusters", ())
    ]
    listeners = [
        _listener(entry["name"], entry["active_state"]["listener"])
        for section in sections
        for entry in section.get("dynamic_listeners", ())
        if "active_state" in entry
    ]
    by_name = sorted(clusters, key=lambda cluster: cluster.name)
    return Configuration(tuple(routes), tuple(by_name), tuple(listeners))


def parse_clusters(text: bytes | str) -> pd.DataFrame:
    """Read ``/clusters?format=json``: columns ``cluster``, ``endpoint``, ``health`` and ``requests``."""
    import pandas as pd

    rows = [
        (
            cluster["name"],
            _address(host.get("address", {})),
            host.get("health_status", {}).get("eds_health_status", "UNKNOWN"),
            int(next((stat.get("value", 0) for stat in host.get("stats", ()) if stat["name"] == "rq_total"), 0)),
        )
        for cluster in _parse(text, "cluster_statuses")
        for host in cluster.get("host_statuses", ())
    ]
    return pd.DataFrame(rows, columns=["cluster", "endpoint", "health", "requests"])


def parse_stats(text: bytes | str) -> pd.Series[int]:
    """Read ``/stats?format=json``: the counters and gauges, by name. Histograms and texts are left out."""
    import pandas as pd

    found = {entry["name"]: entry["value"] for entry in _parse(text, "stats") if isinstance(entry.get("value"), int)}
    return pd.Series(found, dtype="int64", name="value").sort_index()


def _parse(text: bytes | str, field: str) -> list[JsonObject]:
    try:
        document = json.loads(text)
        found: list[JsonObject] = document.get(field, [])
    except (ValueError, AttributeError):
        raise ReportError(f"this is not what Envoy's admin page serves: {text[:200]!r}") from None
    return found


def _listener(name: str, content: JsonObject) -> EnvoyListener:
    return EnvoyListener(name, _address(content.get("address", {})), content)


def _routes(configuration: JsonObject) -> list[EnvoyRoute]:
    return [
        _route(route, configuration.get("name", ""), tuple(host.get("domains", ())))
        for host in configuration.get("virtual_hosts", ())
        for route in host.get("routes", ())
    ]


def _route(route: JsonObject, listener: str, domains: tuple[str, ...]) -> EnvoyRoute:
    action = route.get("route", {})
    weighted = action.get("weighted_clusters", {}).get("clusters", ())
    clusters = (action["cluster"],) if "cluster" in action else tuple(each["name"] for each in weighted)
    name = route.get("name", "")
    return EnvoyRoute(
        name, _source(route, name), listener, domains, _match(route.get("match", {})), clusters,
        route.get("direct_response", {}).get("status"), route,
    )  # fmt: skip


def _match(match: JsonObject) -> str:
    kinds = {"path": "= {}", "path_separated_prefix": "{}[/...]", "prefix": "{}..."}
    path = next((form.format(match[kind]) for kind, form in kinds.items() if kind in match), "")
    regex = match.get("safe_regex", {}).get("regex")
    rest = [f"{each['name']}" for kind in ("headers", "query_parameters") for each in match.get(kind, ())]
    return " and ".join([path or f"~ {regex}", *rest])


def _cluster(cluster: JsonObject, assignments: dict[str, JsonObject]) -> EnvoyCluster:
    name = cluster.get("name", "")
    eds_name = cluster.get("eds_cluster_config", {}).get("service_name", name)
    # Envoy lists the endpoints of every cluster, also of those in which they stand themselves.
    apart = {} if "load_assignment" in cluster else assignments.get(eds_name, {})
    found = _endpoints(apart or cluster.get("load_assignment", {}))
    return EnvoyCluster(name, _source(cluster, name), _policy(cluster), found, cluster, apart)


def _policy(cluster: JsonObject) -> str:
    policies = cluster.get("load_balancing_policy", {}).get("policies", ())
    for policy in policies:
        return str(policy["typed_extension_config"]["name"]).rpartition(".")[2]
    # The older field; ROUND_ROBIN is its default, which a dump leaves out.
    return str(cluster.get("lb_policy", "ROUND_ROBIN")).lower()


def _endpoints(assignment: JsonObject) -> tuple[str, ...]:
    return tuple(
        _address(endpoint.get("endpoint", {}).get("address", {}))
        for locality in assignment.get("endpoints", ())
        for endpoint in locality.get("lb_endpoints", ())
    )


def _address(address: JsonObject) -> str:
    socket_address = address.get("socket_address", {})
    return f"{socket_address.get('address', '')}:{socket_address.get('port_value', '')}"


def _source(part: JsonObject, name: str) -> Source | None:
    recorded = part.get("metadata", {}).get("filter_metadata", {}).get("envoy-gateway", {}).get("resources") or ()
    for resource in recorded:
        return Source(resource.get("kind", ""), resource.get("namespace", ""), resource.get("name", ""))
    kind, *rest = name.split("/")
    kinds = {"httproute": "HTTPRoute", "grpcroute": "GRPCRoute"}
    return Source(kinds[kind], rest[0], rest[1]) if kind in kinds and len(rest) > 1 else None
