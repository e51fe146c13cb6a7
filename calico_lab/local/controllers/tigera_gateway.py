"""What the Tigera operator creates for a GatewayAPI resource, pure: the namespace ``tigera-gateway`` and what is in it.

Names, labels and values are those of operator 1.38 (Calico Enterprise 3.21, Calico 3.30) with Envoy Gateway 1.5.9
(https://github.com/tigera/operator, pkg/render/gateway_api.go). Not created, because
nothing in the lab would use it: roles and bindings, pull secrets, the webhook that injects topology. What upstream's
certificate job writes is made in ``tigera_gateway_certificates``.
"""

from __future__ import annotations

from calico_lab.local.resources import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    ENVOY_PROXIES,
    GATEWAY_CLASSES,
    NAMESPACES,
    SERVICE_ACCOUNTS,
    SERVICES,
    Resource,
)
from calico_lab.local.wire import JsonObject

NAMESPACE = "tigera-gateway"
CONTROLLER = "envoy-gateway"
CONFIGURATION = "envoy-gateway-config"
PROXY = "envoy-proxy-config"
CLASS = "tigera-gateway-class"
# The Secrets with the certificates of Envoy Gateway and of the Envoys.
CONTROLLER_SECRET = CONTROLLER
PROXY_SECRET = "envoy"  # noqa: S105  a name
CONTROLLER_NAME = "gateway.envoyproxy.io/gatewayclass-controller"
CONTROLLER_IMAGE = "docker.io/envoyproxy/gateway:v1.5.9"
PROXY_IMAGE = "docker.io/envoyproxy/envoy:distroless-v1.35.8"

PORTS = {"grpc": 18000, "ratelimit": 18001, "wasm": 18002, "metrics": 19001}
HELM_LABELS = {"app.kubernetes.io/instance": "tigera-gateway-api", "app.kubernetes.io/name": "gateway-helm"}
SELECTOR = HELM_LABELS | {"control-plane": CONTROLLER}

ENVOY_GATEWAY_YAML = f"""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyGateway
gateway:
  controllerName: {CONTROLLER_NAME}
logging:
  level:
    default: info
provider:
  type: Kubernetes
extensionApis:
  enableBackend: true
"""


def objects() -> list[tuple[Resource, JsonObject]]:
    """Return the objects in the order of their creation, without owner references."""
    return [
        _object(NAMESPACES, NAMESPACE, labels={"pod-security.kubernetes.io/enforce": "baseline"}),
        _object(SERVICE_ACCOUNTS, CONTROLLER, labels=HELM_LABELS),
        _object(CONFIG_MAPS, CONFIGURATION, labels=HELM_LABELS, data={"envoy-gateway.yaml": ENVOY_GATEWAY_YAML}),
        _object(SERVICES, CONTROLLER, labels=SELECTOR, spec=_service_spec()),
        _object(DEPLOYMENTS, CONTROLLER, labels=SELECTOR, spec=_deployment_spec()),
        _object(ENVOY_PROXIES, PROXY, spec=_proxy_spec()),
        _object(GATEWAY_CLASSES, CLASS, spec=_class_spec()),
    ]


def _object(
    resource: Resource, name: str, *, labels: dict[str, str] | None = None, **content: JsonObject
) -> tuple[Resource, JsonObject]:
    metadata: JsonObject = {"name": name}
    if resource.namespaced:
        metadata["namespace"] = NAMESPACE
    if labels:
        metadata["labels"] = labels
    return resource, {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, **content}


def _service_spec() -> JsonObject:
    ports = [{"name": name, "port": port, "targetPort": port} for name, port in PORTS.items()]
    return {"selector": SELECTOR, "ports": ports}


def _deployment_spec() -> JsonObject:
    container = {
        "name": CONTROLLER,
        "image": CONTROLLER_IMAGE,
        "args": ["server", "--config-path=/config/envoy-gateway.yaml"],
        "env": [
            {"name": "ENVOY_GATEWAY_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        ],
        "ports": [{"name": name, "containerPort": port} for name, port in PORTS.items()],
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1024Mi"}},
        "volumeMounts": [
            {"name": "envoy-gateway-config", "mountPath": "/config", "readOnly": True},
            {"name": "certs", "mountPath": "/certs", "readOnly": True},
        ],
    }
    return {
        "replicas": 1,
        "selector": {"matchLabels": SELECTOR},
        "template": {
            "metadata": {"labels": SELECTOR | {"k8s-app": "gateway-api-controller"}},
            "spec": {
                "serviceAccountName": CONTROLLER,
                "containers": [container],
                "volumes": [
                    {"name": "envoy-gateway-config", "configMap": {"name": CONFIGURATION}},
                    {"name": "certs", "secret": {"secretName": CONTROLLER_SECRET, "defaultMode": 0o400}},
                ],
            },
        },
    }


def _proxy_spec() -> JsonObject:
    deployment = {"container": {"image": PROXY_IMAGE}}
    return {"provider": {"type": "Kubernetes", "kubernetes": {"envoyDeployment": deployment}}}


def _class_spec() -> JsonObject:
    parameters = {
        "group": ENVOY_PROXIES.group,
        "kind": ENVOY_PROXIES.kind,
        "name": PROXY,
        "namespace": NAMESPACE,
    }
    return {"controllerName": CONTROLLER_NAME, "parametersRef": parameters}
