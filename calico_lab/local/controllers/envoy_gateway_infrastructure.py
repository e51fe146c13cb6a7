"""What Envoy Gateway makes for a Gateway, pure: a ServiceAccount, a ConfigMap, a Deployment and a Service.

Names, labels and settings are those of Envoy Gateway 1.5.9. One thing differs from upstream: connections drain by a
script in place of a second container (shutdown-manager). Envoy runs one worker unless an EnvoyProxy says otherwise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from calico_lab.local.controllers import tigera_gateway
from calico_lab.local.envoy import draining
from calico_lab.local.envoy.bootstrap import DiscoveryServer, Ports, bootstrap, secrets
from calico_lab.local.envoy.listeners import READY_PATH
from calico_lab.local.gateway_api.model import Gateway
from calico_lab.local.gateway_api.world import ObjectName
from calico_lab.local.objects import labels, owner_reference
from calico_lab.local.resources import CONFIG_MAPS, DEPLOYMENTS, SERVICE_ACCOUNTS, SERVICES, Resource
from calico_lab.local.wire import JsonObject

IMAGE = "docker.io/envoyproxy/envoy:distroless-v1.35.8"
PORTS = Ports()
_LONGEST_NAME = 48
_OWNER_NAME = "gateway.envoyproxy.io/owning-gateway-name"
_OWNER_NAMESPACE = "gateway.envoyproxy.io/owning-gateway-namespace"
_PROXY_LABELS = {
    "app.kubernetes.io/name": "envoy",
    "app.kubernetes.io/component": "proxy",
    "app.kubernetes.io/managed-by": "envoy-gateway",
}


def name(gateway: ObjectName) -> str:
    """Return the name of everything that is made for a Gateway."""
    readable = f"{gateway.namespace}-{gateway.name}"
    if len(readable) > _LONGEST_NAME:
        readable = readable[:_LONGEST_NAME].removesuffix("-")
    return f"envoy-{readable}-{hashlib.sha256(str(gateway).encode()).hexdigest()[:8]}"


def owner(item: JsonObject) -> ObjectName | None:
    """Return the Gateway that an object was made for; None for an object that is no proxy's."""
    found = labels(item)
    if any(found.get(key) != value for key, value in _PROXY_LABELS.items()) or _OWNER_NAME not in found:
        return None
    return ObjectName(found.get(_OWNER_NAMESPACE, ""), found[_OWNER_NAME])


def objects(gateway: Gateway, gateway_class: JsonObject, namespace: str) -> dict[Resource, JsonObject]:
    """Return the objects for a Gateway in the order of their making."""
    own = _PROXY_LABELS | {_OWNER_NAME: gateway.name.name, _OWNER_NAMESPACE: gateway.name.namespace}
    contents: dict[Resource, JsonObject] = {
        SERVICE_ACCOUNTS: {},
        CONFIG_MAPS: {"data": secrets(tigera_gateway.CONTROLLER)},
        DEPLOYMENTS: {"spec": _deployment(gateway, own, namespace)},
        SERVICES: {"spec": _service(gateway, own)},
    }
    metadata = {
        "name": name(gateway.name),
        "namespace": namespace,
        "labels": own,
        "ownerReferences": [owner_reference(gateway_class, controller=False)],
    }
    return {
        resource: {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata} | content
        for resource, content in contents.items()
    }


def _service(gateway: Gateway, selector: Mapping[str, str]) -> JsonObject:
    ports = [
        {
            "name": port.name,
            "port": port.port,
            "protocol": "TCP",
            "targetPort": port.container_port,
        }
        for port in gateway.ports
    ]
    return {
        "type": "LoadBalancer",
        "externalTrafficPolicy": "Local",
        "sessionAffinity": "None",
        "selector": selector,
        "ports": ports,
    }


def _deployment(gateway: Gateway, selector: Mapping[str, str], namespace: str) -> JsonObject:
    annotations = {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(PORTS.statistics),
        "prometheus.io/path": "/stats/prometheus",
    }
    spec = {
        "selector": {"matchLabels": selector},
        "strategy": {"type": "RollingUpdate"},
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
        "template": {"metadata": {"labels": selector, "annotations": annotations}, "spec": _pod(gateway, namespace)},
    }
    # Left out unless asked for, so that `kubectl scale` is not undone.
    return spec | ({} if gateway.replicas is None else {"replicas": gateway.replicas})


def _pod(gateway: Gateway, namespace: str) -> JsonObject:
    return {
        "serviceAccountName": name(gateway.name),
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 360,
        "containers": [_container(gateway, namespace)],
        "volumes": [
            {"name": "certs", "secret": {"secretName": tigera_gateway.PROXY_SECRET, "defaultMode": 0o400}},
            {"name": "sds", "configMap": {"name": name(gateway.name)}},
        ],
    }


def _container(gateway: Gateway, namespace: str) -> JsonObject:
    return {
        "name": "envoy",
        "image": gateway.image or IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "args": _arguments(gateway, namespace),
        "env": [_from_pod("ENVOY_POD_NAMESPACE", "metadata.namespace"), _from_pod("ENVOY_POD_NAME", "metadata.name")],
        "ports": [
            {"name": "metrics", "containerPort": PORTS.statistics, "protocol": "TCP"},
            {"name": "readiness", "containerPort": PORTS.ready, "protocol": "TCP"},
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}},
        "startupProbe": _probe(period=10, failures=30),
        "readinessProbe": _probe(period=5, failures=1),
        "livenessProbe": _probe(period=10, failures=3),
        "lifecycle": {"preStop": {"exec": {"command": ["/bin/bash", "-c", draining.script(PORTS.admin)]}}},
        "volumeMounts": [
            {"name": "certs", "mountPath": "/certs", "readOnly": True},
            {"name": "sds", "mountPath": "/sds", "readOnly": True},
        ],
    }


def _arguments(gateway: Gateway, namespace: str) -> list[str]:
    address = f"{tigera_gateway.CONTROLLER}.{namespace}.svc.cluster.local."
    server = DiscoveryServer(address, tigera_gateway.PORTS["grpc"])
    options = {
        "--service-cluster": str(gateway.name),
        "--service-node": "$(ENVOY_POD_NAME)",
        "--config-yaml": json.dumps(bootstrap(server, PORTS), separators=(",", ":")),
        "--log-level": "warn",
        "--concurrency": str(gateway.concurrency or 1),
        "--drain-strategy": "immediate",
        "--component-log-level": "misc:error",
        "--drain-time-s": "60",
    }
    return [argument for option in options.items() for argument in option]


def _from_pod(variable: str, path: str) -> JsonObject:
    return {"name": variable, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}


def _probe(*, period: int, failures: int) -> JsonObject:
    return {
        "httpGet": {"path": READY_PATH, "port": PORTS.ready, "scheme": "HTTP"},
        "periodSeconds": period,
        "failureThreshold": failures,
        "successThreshold": 1,
        "timeoutSeconds": 1,
    }
