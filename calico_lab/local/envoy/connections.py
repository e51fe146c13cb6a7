"""Filter chains for whole connections: TCP, TLS passed on as it is, and what a terminated TLS carried."""

from __future__ import annotations

from calico_lab.local.envoy.access_log import access_logs
from calico_lab.local.envoy.messages import typed
from calico_lab.local.envoy.tls import transport_socket
from calico_lab.local.gateway_api.model import ConnectionRoute
from calico_lab.local.gateway_api.traffic import Traffic
from calico_lab.local.wire import JsonObject

# Has no endpoints, so that a connection is closed as soon as it is there.
EMPTY_CLUSTER = "EmptyCluster"


def connection_chain(route: ConnectionRoute, port: int) -> JsonObject:
    """Return the filter chain (config.listener.v3.FilterChain) of a route."""
    chain: JsonObject = {"name": route.name}
    kind = "tcp"
    if route.server_names:
        chain["filter_chain_match"] = {"server_names": list(route.server_names)}
        kind = "tls-passthrough"
    if route.certificates:
        chain["transport_socket"] = transport_socket(route.certificates, ())
        kind = "tls-terminate"
    return chain | {"filters": [_proxy(route.destination.name, f"{kind}-{port}", route.destination.traffic)]}


def closing_chain(port: int) -> JsonObject:
    """Return the filter chain of a port that has no route: Envoy takes no listener without one."""
    return {"name": EMPTY_CLUSTER, "filters": [_proxy(EMPTY_CLUSTER, f"tcp-{port}", Traffic())]}


def _proxy(cluster: str, statistics: str, traffic: Traffic) -> JsonObject:
    fields: JsonObject = {}
    if traffic.consistent_hash is not None and traffic.consistent_hash.source == "SourceIP":
        fields["hash_policy"] = [{"source_ip": {}}]
    return typed(
        "envoy.filters.network.tcp_proxy",
        "extensions.filters.network.tcp_proxy.v3.TcpProxy",
        stat_prefix=statistics,
        cluster=cluster,
        access_log=access_logs(),
        **fields,
    )
