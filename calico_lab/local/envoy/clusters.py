"""Clusters (CDS): who answers, and how requests are spread among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calico_lab.local.envoy.endpoints import load_assignment
from calico_lab.local.envoy.health_checks import health_check, outlier_detection
from calico_lab.local.envoy.messages import AGGREGATED_DISCOVERY, duration, metadata, type_url, typed
from calico_lab.local.envoy.routes import split
from calico_lab.local.gateway_api.model import Backend, Destination, Source
from calico_lab.local.gateway_api.traffic import CircuitBreaker, Traffic
from calico_lab.local.wire import JsonObject

# https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/load_balancers
_POLICIES = {"LeastRequest": "least_request", "Random": "random", "RoundRobin": "round_robin"}
_CONNECT_TIMEOUT_SECONDS = 10.0
_DNS_REFRESH_SECONDS = 30.0
# What Envoy assumes without being told.
_DEFAULT_PANIC_THRESHOLD = 50
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_HTTP2_OPTIONS = {"initial_connection_window_size": 1048576, "initial_stream_window_size": 65536}


@dataclass(frozen=True)
class Cluster:
    """A cluster and the backends in it, one locality each."""

    name: str
    backends: Sequence[Backend]
    traffic: Traffic
    source: Source

    @property
    def named(self) -> bool:
        """Whether the endpoints' addresses are names to look up."""
        return any(backend.named for backend in self.backends)


def clusters_of(destination: Destination) -> list[Cluster]:
    """Return the one cluster of a destination, or one for each of its backends where they must be split."""
    common = (destination.traffic, destination.source)
    if not split(destination):
        return [Cluster(destination.name, destination.backends, *common)]
    return [Cluster(backend.name, [backend], *common) for backend in destination.backends if backend.endpoints]


def cluster(model: Cluster) -> JsonObject:
    """Return the cluster (config.cluster.v3.Cluster)."""
    traffic = model.traffic
    connect_timeout = _CONNECT_TIMEOUT_SECONDS if traffic.connect_timeout is None else traffic.connect_timeout
    return {
        "name": model.name,
        **_discovery(model),
        "metadata": metadata(model.source),
        "load_balancing_policy": {"policies": [{"typed_extension_config": _policy(traffic)}]},
        "connect_timeout": duration(connect_timeout),
        "per_connection_buffer_limit_bytes": 32768,
        "circuit_breakers": _circuit_breakers(traffic.circuit_breaker),
        "common_lb_config": _panic_threshold(traffic),
        "ignore_health_on_host_removal": True,
        **_health(traffic),
        **_protocol_options(model),
    }


def _discovery(model: Cluster) -> JsonObject:
    """Return where endpoints come from: by themselves, so that the cluster stays when they change, or from DNS."""
    if not model.named:
        return {
            "type": "EDS",
            "eds_cluster_config": {"service_name": model.name, "eds_config": AGGREGATED_DISCOVERY},
        }
    return {
        "type": "STRICT_DNS",
        "dns_lookup_family": "V4_PREFERRED",
        "dns_refresh_rate": duration(_DNS_REFRESH_SECONDS),
        "respect_dns_ttl": True,
        "load_assignment": load_assignment(model.name, model.backends),
    }


def _policy(traffic: Traffic) -> JsonObject:
    if traffic.consistent_hash is not None:
        package = "envoy.load_balancing_policies.maglev"
        message = "extensions.load_balancing_policies.maglev.v3.Maglev"
        return typed(package, message, table_size=traffic.consistent_hash.table_size)
    name = _POLICIES[traffic.load_balancer]
    window = traffic.slow_start
    slow_start = {} if window is None else {"slow_start_config": {"slow_start_window": duration(window)}}
    return typed(
        f"envoy.load_balancing_policies.{name}",
        f"extensions.load_balancing_policies.{name}.v3.{traffic.load_balancer}",
        locality_lb_config={"locality_weighted_lb_config": {}},
        **slow_start,
    )


def _circuit_breakers(model: CircuitBreaker) -> JsonObject:
    limits = {
        "max_connections": model.connections,
        "max_pending_requests": model.pending_requests,
        "max_requests": model.parallel_requests,
        "max_retries": model.parallel_retries,
    }
    thresholds: JsonObject = {
        "thresholds": [{name: limit for name, limit in limits.items() if limit is not None}],
    }
    if model.connections_per_endpoint is not None:
        thresholds["per_host_thresholds"] = [{"max_connections": model.connections_per_endpoint}]
    return thresholds


def _panic_threshold(traffic: Traffic) -> JsonObject:
    threshold = traffic.panic_threshold
    if threshold is None or threshold == _DEFAULT_PANIC_THRESHOLD:
        return {}
    return {"healthy_panic_threshold": {"value": threshold}}


def _health(traffic: Traffic) -> JsonObject:
    fields: JsonObject = {}
    if traffic.active_health_check is not None:
        fields["health_checks"] = [health_check(traffic.active_health_check)]
    if traffic.passive_health_check is not None:
        fields["outlier_detection"] = outlier_detection(traffic.passive_health_check)
    return fields


def _protocol_options(model: Cluster) -> JsonObject:
    """Return how the endpoints are spoken to over HTTP, where that is not as Envoy does it by default."""
    times = {
        "idle_timeout": model.traffic.connection_idle_timeout,
        "max_connection_duration": model.traffic.connection_duration,
    }
    common: JsonObject = {name: duration(seconds) for name, seconds in times.items() if seconds is not None}
    requests = model.traffic.circuit_breaker.requests_per_connection
    if requests is not None:
        common["max_requests_per_connection"] = requests
    http2 = any(backend.http2 for backend in model.backends)
    if not common and not http2:
        return {}
    protocol = {"http2_protocol_options": _HTTP2_OPTIONS} if http2 else {"http_protocol_options": {}}
    options: JsonObject = {
        "@type": type_url("extensions.upstreams.http.v3.HttpProtocolOptions"),
        "explicit_http_config": protocol,
    }
    if common:
        options["common_http_protocol_options"] = common
    return {"typed_extension_protocol_options": {_HTTP_OPTIONS: options}}
