"""Endpoints (EDS): who answers for a cluster."""

from __future__ import annotations

from collections.abc import Sequence

from calico_lab.local.envoy.messages import socket_address
from calico_lab.local.gateway_api.model import Backend, Endpoint
from calico_lab.local.wire import JsonObject


def load_assignment(name: str, backends: Sequence[Backend]) -> JsonObject:
    """Return the endpoints of a cluster (config.endpoint.v3.ClusterLoadAssignment), a locality for each backend."""
    return {"cluster_name": name, "endpoints": [_locality(backend) for backend in backends]}


def _locality(backend: Backend) -> JsonObject:
    return {
        "locality": {"region": backend.name},
        "load_balancing_weight": backend.weight,
        "priority": int(backend.fallback),
        "lb_endpoints": [_endpoint(endpoint) for endpoint in backend.endpoints],
    }


def _endpoint(model: Endpoint) -> JsonObject:
    draining = {"health_status": "DRAINING"} if model.draining else {}
    hostname = {"hostname": model.hostname} if model.hostname else {}
    return {
        "endpoint": {"address": socket_address(model.address, model.port), **hostname},
        "load_balancing_weight": 1,
    } | draining
