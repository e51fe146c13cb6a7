"""Listeners (LDS): the ports that Envoy listens on. Which request goes where stands in the routes."""

from __future__ import annotations

from calico_lab.local.envoy.access_log import access_logs
from calico_lab.local.envoy.file_source import config_source, routes_file
from calico_lab.local.envoy.messages import socket_address, typed
from calico_lab.local.gateway_api.model import Listener
from calico_lab.local.wire import JsonObject

READY_PATH = "/ready"
_EVERYWHERE = "0.0.0.0"  # noqa: S104  the pod's own network namespace
_ROUTER = typed("envoy.filters.http.router", "extensions.filters.http.router.v3.Router", suppress_envoy_headers=True)


def listener(model: Listener, directory: str) -> JsonObject:
    """Return the listener (config.listener.v3.Listener) of a port."""
    return {
        "name": model.name,
        "address": socket_address(_EVERYWHERE, model.container_port),
        "access_log": access_logs(only_unrouted=True),
        "max_connections_to_accept_per_socket_event": 1,
        "per_connection_buffer_limit_bytes": 32768,
        "default_filter_chain": {"name": model.name, "filters": [_http_connection_manager(model, directory)]},
    }


def _http_connection_manager(model: Listener, directory: str) -> JsonObject:
    return typed(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=f"http-{model.container_port}",
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
        rds={"config_source": config_source(routes_file(model.name), directory), "route_config_name": model.name},
        http_filters=[_ROUTER],
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
        http_filters=[health_check, _ROUTER],
    )
    return {
        "name": f"envoy-gateway-proxy-ready-{_EVERYWHERE}-{port}",
        "address": socket_address(_EVERYWHERE, port),
        "bypass_overload_manager": True,
        "filter_chains": [{"filters": [manager]}],
    }
