"""What the Gateway API's rules are applied to: every object that matters, as one snapshot that does not change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

from calico_lab.local.wire import JsonObject

GATEWAY_GROUP = "gateway.networking.k8s.io"
ENVOY_GROUP = "gateway.envoyproxy.io"
CONTROLLER_NAME = "gateway.envoyproxy.io/gatewayclass-controller"


class ObjectName(NamedTuple):
    """Names an object within its kind; ``namespace`` is empty for cluster-scoped ones."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def name_of(item: JsonObject) -> ObjectName:
    """Return the name of an object."""
    metadata = item["metadata"]
    return ObjectName(metadata.get("namespace", ""), metadata["name"])


def generation_of(item: JsonObject) -> int:
    """Return the generation that a status computed from the object has observed."""
    generation: int = item["metadata"].get("generation", 0)
    return generation


def oldest_first(items: Iterable[JsonObject]) -> list[JsonObject]:
    """Sort by age, then by namespace and name: the order in which the Gateway API settles conflicts."""
    return sorted(items, key=lambda item: (item["metadata"].get("creationTimestamp", ""), str(name_of(item))))


@dataclass(frozen=True)
class Infrastructure:
    """What runs for a Gateway: the addresses of its Service and the replicas of its Deployment."""

    addresses: tuple[str, ...] = ()
    replicas: int = 0
    available_replicas: int = 0


@dataclass(frozen=True)
class World:
    """All objects, as the API server last told them; ``infrastructure`` is keyed by the name of the Gateway.

    ``time`` is when they are looked at: certificates expire.
    """

    gateway_classes: tuple[JsonObject, ...] = ()
    gateways: tuple[JsonObject, ...] = ()
    http_routes: tuple[JsonObject, ...] = ()
    grpc_routes: tuple[JsonObject, ...] = ()
    tls_routes: tuple[JsonObject, ...] = ()
    tcp_routes: tuple[JsonObject, ...] = ()
    backend_traffic_policies: tuple[JsonObject, ...] = ()
    security_policies: tuple[JsonObject, ...] = ()
    backends: tuple[JsonObject, ...] = ()
    envoy_proxies: tuple[JsonObject, ...] = ()
    reference_grants: tuple[JsonObject, ...] = ()
    services: tuple[JsonObject, ...] = ()
    secrets: tuple[JsonObject, ...] = ()
    endpoint_slices: tuple[JsonObject, ...] = ()
    namespaces: tuple[JsonObject, ...] = ()
    infrastructure: Mapping[ObjectName, Infrastructure] = field(default_factory=dict)
    time: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def services_by_name(self) -> Mapping[ObjectName, JsonObject]:
        """Services by their names."""
        return {name_of(item): item for item in self.services}

    @cached_property
    def backends_by_name(self) -> Mapping[ObjectName, JsonObject]:
        """Backends by their names."""
        return {name_of(item): item for item in self.backends}

    @cached_property
    def secrets_by_name(self) -> Mapping[ObjectName, JsonObject]:
        """Secrets by their names."""
        return {name_of(item): item for item in self.secrets}

    @cached_property
    def namespaces_by_name(self) -> Mapping[str, JsonObject]:
        """Namespaces by their names."""
        return {item["metadata"]["name"]: item for item in self.namespaces}

    @cached_property
    def envoy_proxies_by_name(self) -> Mapping[ObjectName, JsonObject]:
        """EnvoyProxies by their names."""
        return {name_of(item): item for item in self.envoy_proxies}

    @cached_property
    def slices_by_service(self) -> Mapping[ObjectName, list[JsonObject]]:
        """The EndpointSlices of each Service, by the Service's name."""
        found: dict[ObjectName, list[JsonObject]] = defaultdict(list)
        for item in sorted(self.endpoint_slices, key=name_of):
            service = (item["metadata"].get("labels") or {}).get("kubernetes.io/service-name", "")
            found[ObjectName(item["metadata"]["namespace"], service)].append(item)
        return found
