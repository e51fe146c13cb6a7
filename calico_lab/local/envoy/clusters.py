"""Clusters (CDS): who answers, and how requests are spread among them.

Endpoints stand in the clusters. Envoy Gateway sends them apart (EDS); read from files, though, each cluster's would
take one inotify instance, of which Linux gives a user 128, and Envoy aborts where it gets none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calico_lab.local.envoy.messages import metadata, socket_address, typed
from calico_lab.local.envoy.routes import split
from calico_lab.local.gateway_api.model import Backend, Destination, Endpoint, Source, Traffic
from calico_lab.local.wire import JsonObject

# https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/load_balancers
_POLICIES = {"LeastRequest": "least_request", "Random": "random", "RoundRobin": "round_robin"}


@dataclass(frozen=True)
class Cluster:
    """A cluster and the backends in it, one locality each."""

    name: str
    backends: Sequence[Backend]
    traffic: Traffic
    source: Source


def clusters_of(destination: Destination) -> list[Cluster]:
    """Return the one cluster of a destination, or one for each of its backends where they must be split."""
    common = (destination.traffic, destination.source)
    if not split(destination):
        return [Cluster(destination.name, destination.backends, *common)]
    return [Cluster(backend.name, [backend], *common) for backend in destination.backends if backend.endpoints]


def cluster(model: Cluster) -> JsonObject:
    """Return the cluster (config.cluster.v3.Cluster)."""
    return {
        "name": model.name,
        "type": "STATIC",
        "metadata": metadata(model.source),
        "load_assignment": _load_assignment(model),
        "load_balancing_policy": {"policies": [{"typed_extension_config": _policy(model.traffic.load_balancer)}]},
        "connect_timeout": "10s",
        "per_connection_buffer_limit_bytes": 32768,
        "circuit_breakers": {"thresholds": [{"max_retries": 1024}]},
        "common_lb_config": {},
        "ignore_health_on_host_removal": True,
    }


def _policy(load_balancer: str) -> JsonObject:
    name = _POLICIES[load_balancer]
    return typed(
        f"envoy.load_balancing_policies.{name}",
        f"extensions.load_balancing_policies.{name}.v3.{load_balancer}",
        locality_lb_config={"locality_weighted_lb_config": {}},
    )


def _load_assignment(model: Cluster) -> JsonObject:
    return {
        "cluster_name": model.name,
        "endpoints": [
            {
                "locality": {"region": backend.name},
                "load_balancing_weight": backend.weight,
                "lb_endpoints": [_endpoint(endpoint) for endpoint in backend.endpoints],
            }
            for backend in model.backends
        ],
    }


def _endpoint(model: Endpoint) -> JsonObject:
    draining = {"health_status": "DRAINING"} if model.draining else {}
    return {
        "endpoint": {"address": socket_address(model.address, model.port)},
        "load_balancing_weight": 1,
    } | draining
