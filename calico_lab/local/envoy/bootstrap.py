"""What Envoy starts with: administration, statistics, and where its changing configuration is read from."""

from __future__ import annotations

from dataclasses import dataclass

from calico_lab.local.envoy.file_source import CLUSTERS_FILE, DIRECTORY, LISTENERS_FILE, config_source
from calico_lab.local.envoy.messages import socket_address, type_url, typed
from calico_lab.local.wire import JsonObject

MAXIMUM_CONNECTIONS = 50000


@dataclass(frozen=True)
class Ports:
    """The ports of an Envoy beside those of its Gateway's listeners; ``admin`` is on loopback only."""

    admin: int = 19000
    statistics: int = 19001
    ready: int = 19003


def bootstrap(ports: Ports = Ports(), directory: str = DIRECTORY) -> JsonObject:
    """Return the bootstrap configuration (config.bootstrap.v3.Bootstrap)."""
    null_log = typed("envoy.access_loggers.file", "extensions.access_loggers.file.v3.FileAccessLog", path="/dev/null")
    return {
        "admin": {"access_log": [null_log], "address": socket_address("127.0.0.1", ports.admin)},
        "layered_runtime": {
            "layers": [
                {
                    "name": "global_config",
                    "static_layer": {
                        "re2.max_program_size.error_level": 4294967295,
                        "re2.max_program_size.warn_level": 1000,
                    },
                }
            ]
        },
        "dynamic_resources": {
            "lds_config": config_source(LISTENERS_FILE, directory),
            "cds_config": config_source(CLUSTERS_FILE, directory),
        },
        "static_resources": {
            "listeners": [_statistics_listener(ports.statistics)],
            "clusters": [_administration_cluster(ports.admin)],
        },
        "overload_manager": {"refresh_interval": "0.25s", "resource_monitors": [_connection_monitor()]},
    }


def _statistics_listener(port: int) -> JsonObject:
    only_get = {"name": ":method", "string_match": {"exact": "GET"}}
    route = {
        "match": {"path": "/stats/prometheus", "headers": [only_get]},
        "route": {"cluster": "prometheus_stats"},
    }
    host = {"name": "prometheus_stats", "domains": ["*"], "routes": [route]}
    manager = typed(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="eg-stats-http",
        normalize_path=True,
        route_config={"name": "local_route", "virtual_hosts": [host]},
        http_filters=[typed("envoy.filters.http.router", "extensions.filters.http.router.v3.Router")],
    )
    return {
        "name": f"envoy-gateway-proxy-stats-0.0.0.0-{port}",
        "address": socket_address("0.0.0.0", port),  # noqa: S104  the pod's own network namespace
        "bypass_overload_manager": True,
        "filter_chains": [{"filters": [manager]}],
    }


def _administration_cluster(port: int) -> JsonObject:
    endpoint = {"endpoint": {"address": socket_address("127.0.0.1", port)}}
    return {
        "name": "prometheus_stats",
        "connect_timeout": "0.250s",
        "type": "STATIC",
        "lb_policy": "ROUND_ROBIN",
        "load_assignment": {"cluster_name": "prometheus_stats", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _connection_monitor() -> JsonObject:
    return {
        "name": "envoy.resource_monitors.global_downstream_max_connections",
        "typed_config": {
            "@type": type_url("extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"),
            "max_active_downstream_connections": MAXIMUM_CONNECTIONS,
        },
    }
