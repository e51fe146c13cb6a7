"""Objects for tests of the Gateway API, each as short as it can be: what a test does not say is the guide's."""

from __future__ import annotations

from typing import Any

from calico_lab.local.gateway_api.model import Gateway
from calico_lab.local.gateway_api.resolve import Resolution, resolve
from calico_lab.local.gateway_api.world import CONTROLLER_NAME, Infrastructure, ObjectName, World

GATEWAY = ObjectName("default", "load-balancing-gateway")
ROUTE = ObjectName("default", "round-robin-route")
POLICY = ObjectName("default", "round-robin-policy")

Json = dict[str, Any]


def item(kind: str, name: str, namespace: str = "default", *, created: int = 0, **content: Any) -> Json:
    metadata = {"name": name, "namespace": namespace, "generation": 1}
    metadata["creationTimestamp"] = f"2026-01-01T00:00:{created:02}Z"
    metadata["labels"] = content.pop("labels", {})
    return {"kind": kind, "metadata": metadata, **content}


def gateway_class(name: str = "tigera-gateway-class", controller: str = CONTROLLER_NAME, **spec: Any) -> Json:
    return item("GatewayClass", name, "", spec={"controllerName": controller, **spec})


def listener(name: str = "http", port: int = 80, protocol: str = "HTTP", **fields: Any) -> Json:
    return {"name": name, "port": port, "protocol": protocol, **fields}


def secure(name: str = "https", *secrets: str, port: int = 443, protocol: str = "HTTPS", **fields: Any) -> Json:
    """An HTTPS listener, or a TLS one, that terminates TLS with the certificates in Secrets."""
    references = [{"name": secret} for secret in secrets or ("example-cert",)]
    return listener(name, port, protocol, **({"tls": {"mode": "Terminate", "certificateRefs": references}} | fields))


def passthrough(name: str = "tls", port: int = 443, **fields: Any) -> Json:
    return listener(name, port, "TLS", **({"tls": {"mode": "Passthrough"}} | fields))


def gateway(*listeners: Json, name: str = GATEWAY.name, namespace: str = "default", **spec: Any) -> Json:
    spec = {"gatewayClassName": "tigera-gateway-class", "listeners": list(listeners) or [listener()]} | spec
    return item("Gateway", name, namespace, spec=spec)


def backend(name: str = "backend", port: int = 3000, **fields: Any) -> Json:
    return {"name": name, "port": port, **fields}


def rule(*backends: Json, path: str = "/round", path_type: str = "PathPrefix", **match: Any) -> Json:
    return {"matches": [{"path": {"type": path_type, "value": path}, **match}], "backendRefs": list(backends)}


def http_route(*rules: Json, name: str = ROUTE.name, namespace: str = "default", created: int = 0, **spec: Any) -> Json:
    spec = {
        "parentRefs": [{"name": GATEWAY.name}],
        "hostnames": ["www.example.com"],
        "rules": list(rules) or [rule(backend())],
    } | spec
    return item("HTTPRoute", name, namespace, created=created, spec=spec)


def connection_route(
    kind: str, *backends: Json, name: str = "connections", namespace: str = "default", created: int = 0, **spec: Any
) -> Json:
    """A TCPRoute or TLSRoute with one rule."""
    spec = {"parentRefs": [{"name": GATEWAY.name}], "rules": [{"backendRefs": list(backends) or [backend()]}]} | spec
    return item(kind, name, namespace, created=created, spec=spec)


def policy(name: str = POLICY.name, *, kind: str = "HTTPRoute", target: str = ROUTE.name, **content: Any) -> Json:
    balancer = content.pop("load_balancer", "RoundRobin")
    reference = {"group": "gateway.networking.k8s.io", "kind": kind, "name": target}
    spec = {"targetRefs": [reference], "loadBalancer": {"type": balancer}}
    return item("BackendTrafficPolicy", name, spec=spec, **content)


def service(name: str = "backend", namespace: str = "default", port: int = 3000) -> Json:
    return item("Service", name, namespace, spec={"ports": [{"name": "http", "port": port, "protocol": "TCP"}]})


def endpoints(
    *addresses: str, name: str = "backend", namespace: str = "default", port: int = 3000, **conditions: bool
) -> Json:
    conditions = {"ready": True, "serving": True, "terminating": False} | conditions
    return item(
        "EndpointSlice",
        f"{name}-abcde-{port}",
        namespace,
        labels={"kubernetes.io/service-name": name},
        addressType="IPv4",
        ports=[{"name": "http", "port": port, "protocol": "TCP"}],
        endpoints=[{"addresses": [address], "conditions": conditions} for address in addresses],
    )


def world(**changes: Any) -> World:
    """The guide's world, with some kinds of objects replaced."""
    guide: dict[str, Any] = {
        "gateway_classes": (gateway_class(),),
        "gateways": (gateway(),),
        "http_routes": (http_route(),),
        "backend_traffic_policies": (policy(),),
        "services": (service(),),
        "endpoint_slices": (endpoints("10.48.1.1", "10.48.1.2", "10.48.2.1", "10.48.2.2"),),
        "namespaces": tuple(item("Namespace", name, "", labels={"team": name}) for name in ("default", "other")),
        "infrastructure": {GATEWAY: Infrastructure(("10.10.10.0",), 1, 1)},
    }
    return World(
        **{key: tuple(value) if isinstance(value, list) else value for key, value in (guide | changes).items()}
    )


def resolved(**changes: Any) -> Resolution:
    return resolve(world(**changes))


def model(**changes: Any) -> Gateway:
    return resolved(**changes).gateways[GATEWAY]


def told(conditions: list[Json]) -> list[tuple[str, str, str, str]]:
    """Conditions as (type, status, reason, message)."""
    return [(each["type"], each["status"], each["reason"], each["message"]) for each in conditions]
