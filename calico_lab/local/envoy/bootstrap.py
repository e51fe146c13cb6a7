"""What Envoy starts with: administration, statistics, and who tells it everything else."""

from __future__ import annotations

import json
from dataclasses import dataclass

from calico_lab.local.envoy.messages import AGGREGATED_DISCOVERY, duration, socket_address, type_url, typed
from calico_lab.local.wire import JsonObject

MAXIMUM_CONNECTIONS = 50000
_DISCOVERY = "xds_cluster"
_CERTIFICATE, _AUTHORITY = "xds_certificate", "xds_trusted_ca"
# Envoy by itself would wait for up to 30 seconds before it asks a server again that was away.
_RETRY = {"retry_back_off": {"base_interval": duration(0.1), "max_interval": duration(1.0)}}
# Upstream 30 seconds: so long an Envoy would not see that the server's host has been cut off.
_KEEPALIVE = {"interval": duration(5.0), "timeout": duration(5.0)}


@dataclass(frozen=True)
class Ports:
    """The ports of an Envoy beside those of its Gateway's listeners; ``admin`` is on loopback only."""

    admin: int = 19000
    statistics: int = 19001
    ready: int = 19003


@dataclass(frozen=True)
class DiscoveryServer:
    """Who tells an Envoy what to do, and the folder with the files by which they know each other (``secrets``)."""

    address: str
    port: int
    folder: str = "/sds"


def bootstrap(server: DiscoveryServer, ports: Ports = Ports()) -> JsonObject:
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
            "ads_config": {
                "api_type": "DELTA_GRPC",
                "transport_api_version": "V3",
                "grpc_services": [{"envoy_grpc": {"cluster_name": _DISCOVERY, "retry_policy": _RETRY}}],
                "set_node_on_first_message_only": True,
            },
            "lds_config": AGGREGATED_DISCOVERY,
            "cds_config": AGGREGATED_DISCOVERY,
        },
        "static_resources": {
            "listeners": [_statistics_listener(ports.statistics)],
            "clusters": [_administration_cluster(ports.admin), _discovery_cluster(server)],
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


def secrets(server_name: str, certificates: str = "/certs") -> dict[str, str]:
    """Return the files that tell Envoy who it is and which server to trust: one of this name.

    Each is a service.discovery.v3.DiscoveryResponse with one Secret, which refers to a folder with the certificates.
    """
    own = {
        "certificate_chain": {"filename": f"{certificates}/tls.crt"},
        "private_key": {"filename": f"{certificates}/tls.key"},
    }
    trusted = {
        "trusted_ca": {"filename": f"{certificates}/ca.crt"},
        "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": server_name}}],
    }
    contents: dict[str, JsonObject] = {
        _CERTIFICATE: {"tls_certificate": own},
        _AUTHORITY: {"validation_context": trusted},
    }
    secret = {"@type": type_url("extensions.transport_sockets.tls.v3.Secret")}
    return {
        _file(name): json.dumps({"resources": [secret | {"name": name} | content]})
        for name, content in contents.items()
    }


def _discovery_cluster(server: DiscoveryServer) -> JsonObject:
    endpoint = {"endpoint": {"address": socket_address(server.address, server.port)}}
    options = {
        "@type": type_url("extensions.upstreams.http.v3.HttpProtocolOptions"),
        "explicit_http_config": {"http2_protocol_options": {"connection_keepalive": _KEEPALIVE}},
    }
    tls = typed(
        "envoy.transport_sockets.tls",
        "extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        common_tls_context={
            "tls_params": {"tls_maximum_protocol_version": "TLSv1_3"},
            "tls_certificate_sds_secret_configs": [_secret(_CERTIFICATE, server)],
            "validation_context_sds_secret_config": _secret(_AUTHORITY, server),
        },
    )
    return {
        "name": _DISCOVERY,
        "connect_timeout": "1s",
        "type": "STRICT_DNS",
        "dns_lookup_family": "V4_ONLY",
        "load_assignment": {"cluster_name": _DISCOVERY, "endpoints": [{"lb_endpoints": [endpoint]}]},
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options},
        "transport_socket": tls,
    }


def _secret(name: str, server: DiscoveryServer) -> JsonObject:
    source = {"path_config_source": {"path": f"{server.folder}/{_file(name)}"}, "resource_api_version": "V3"}
    return {"name": name, "sds_config": source}


def _file(secret: str) -> str:
    return f"{secret.replace('_', '-')}.json"


def _connection_monitor() -> JsonObject:
    return {
        "name": "envoy.resource_monitors.global_downstream_max_connections",
        "typed_config": {
            "@type": type_url("extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"),
            "max_active_downstream_connections": MAXIMUM_CONNECTIONS,
        },
    }
