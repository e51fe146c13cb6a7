"""An Envoy that answers 200 to everything without asking any pod, in the place of the guide's."""

from __future__ import annotations

import json
from typing import Any

DEPLOYMENT = "envoy-default-load-balancing-gateway-4d05d5b6"
# Envoy Gateway would undo it, so it must have nowhere to run; its own Deployment the operator would scale up again.
WITHOUT_ENVOY_GATEWAY = (
    "kubectl cordon worker1 worker2 && kubectl delete pod -n tigera-gateway -l control-plane=envoy-gateway"
)
MENDED = "kubectl uncordon worker1 worker2"


def _listener(port: int) -> dict[str, Any]:
    answer = {"match": {"prefix": "/"}, "direct_response": {"status": 200}}
    filters = "type.googleapis.com/envoy.extensions.filters"
    manager = {
        "@type": f"{filters}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "http",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [answer]}]},
        "http_filters": [
            {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{filters}.http.router.v3.Router"}}
        ],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    address = {"socket_address": {"address": "0.0.0.0", "port_value": port}}
    return {"name": str(port), "address": address, "filter_chains": [chain]}


def _patch(pod: dict[str, Any]) -> str:
    change = json.dumps({"spec": {"template": {"spec": pod}}})
    return f"kubectl patch deployment {DEPLOYMENT} -n tigera-gateway -p '{change}'"


_CONFIGURATION = json.dumps({"static_resources": {"listeners": [_listener(10080), _listener(19003)]}})
# A pod that names its node needs no scheduler.
TAKE_OVER = _patch(
    {"nodeName": "worker1", "containers": [{"name": "envoy", "args": ["--config-yaml", _CONFIGURATION]}]}
)
TAKEN_OVER = f"kubectl rollout status deployment {DEPLOYMENT} -n tigera-gateway --timeout=20s"
FREE_AGAIN = _patch({"nodeName": None})
