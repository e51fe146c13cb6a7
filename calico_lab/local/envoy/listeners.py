"""Listeners (LDS): the ports that Envoy listens on. Which request goes where stands in the routes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from calico_lab.local.envoy.access_log import access_logs
from calico_lab.local.envoy.connections import EMPTY_CLUSTER, closing_chain, connection_chain
from calico_lab.local.envoy.http_filters import ROUTER, http_filters
from calico_lab.local.envoy.messages import AGGREGATED_DISCOVERY, socket_address, typed
from calico_lab.local.envoy.tls import HTTP1_PROTOCOLS, HTTP_PROTOCOLS, tls_inspector, transport_socket
from calico_lab.local.gateway_api.model import ConnectionListener, Gateway, Listener
from calico_lab.local.wire import JsonObject

READY_PATH = "/ready"
_EVERYWHERE = "0.0.0.0"  # noqa: S104  the pod's own network namespace


def listeners(gateway: Gateway) -> list[JsonObject]:
    """Return a listener (config.listener.v3.Listener) for each port of a Gateway, named after its first listener."""
    by_port: dict[int, list[Listener | ConnectionListener]] = defaultdict(list)
    for model in gateway.listeners:
        by_port[model.container_port].append(model)
    for connections in gateway.connection_listeners:
        by_port[connections.container_port].append(connections)
    return [_listener(sharing) for sharing in by_port.values()]


def connects_nowhere(gateway: Gateway) -> dict[str, JsonObject]:
    """Return the cluster without endpoints for the connections of ports that have no route, by name, if there are."""
    served = {model.container_port for model in gateway.listeners}
    served |= {model.container_port for model in gateway.connection_listeners if model.routes}
    if all(model.container_port in served for model in gateway.connection_listeners):
        return {}
    return {EMPTY_CLUSTER: {"name": EMPTY_CLUSTER, "type": "STATIC"}}


def _listener(sharing: Sequence[Listener | ConnectionListener]) -> JsonObject:
    port = sharing[0].container_port
    common = {
        "name": sharing[0].name,
        "address": socket_address(_EVERYWHERE, port),
        "access_log": access_logs(only_unrouted=True),
        "max_connections_to_accept_per_socket_event": 1,
        "per_connection_buffer_limit_bytes": 32768,
    }
    chains: list[JsonObject] = []
    for model in sharing:
        if isinstance(model, ConnectionListener):
            chains += [connection_chain(route, port) for route in model.routes]
        elif model.certificates:
            chains.append(_https_chain(model))
        else:
            return common | {"default_filter_chain": _http_chain(model)}
    inspected = any("filter_chain_match" in chain for chain in chains)
    return common | {
        "filter_chains": chains or [closing_chain(port)],
        **({"listener_filters": [tls_inspector()]} if inspected else {}),
    }


def _http_chain(model: Listener) -> JsonObject:
    return {"name": model.name, "filters": [_http_connection_manager(model)]}


def _https_chain(model: Listener) -> JsonObject:
    protocols = HTTP_PROTOCOLS if model.http2 else HTTP1_PROTOCOLS
    asked = {"filter_chain_match": {"server_names": [model.hostname]}} if model.hostname else {}
    secure = {"transport_socket": transport_socket(model.certificates, protocols)}
    return asked | _http_chain(model) | secure


def _http_connection_manager(model: Listener) -> JsonObject:
    return typed(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=f"{'https' if model.certificates else 'http'}-{model.container_port}",
        access_log=access_logs(),
        use_remote_address=True,
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action="UNESCAPE_AND_REDIRECT",
        server_header_transformation="PASS_THROUGH",
        common_http_protocol_options={"headers_with_underscores_action": "REJECT_REQUEST"},
        http2_protocol_options={
            "initial_connection_window_size": 1048576,
            "initial_stream_window_size": 65536,
            "max_concurrent_streams": 100,
        },
        rds={"config_source": AGGREGATED_DISCOVERY, "route_config_name": model.name},
        http_filters=http_filters(model),
    )


def ready_listener(port: int) -> JsonObject:
    """Return the listener that answers readiness probes.

    It comes with the changing configuration, so an Envoy that is ready has read it.
    """
    health_check = typed(
        "envoy.filters.http.health_check",
        "extensions.filters.http.health_check.v3.HealthCheck",
        pass_through_mode=False,
        headers=[{"name": ":path", "string_match": {"exact": READY_PATH}}],
    )
    nothing = {"match": {"prefix": "/"}, "direct_response": {"status": 500}}
    manager = typed(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="eg-ready-http",
        route_config={
            "name": "ready_route",
            "virtual_hosts": [{"name": "ready_route", "domains": ["*"], "routes": [nothing]}],
        },
        http_filters=[health_check, ROUTER],
    )
    return {
        "name": f"envoy-gateway-proxy-ready-{_EVERYWHERE}-{port}",
        "address": socket_address(_EVERYWHERE, port),
        "bypass_overload_manager": True,
        "filter_chains": [{"filters": [manager]}],
    }
