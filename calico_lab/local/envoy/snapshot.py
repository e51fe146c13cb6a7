"""Everything that an Envoy is to have at a time: its resources, encoded, each with a version that tells its content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from calico_lab.local.envoy.bootstrap import Ports
from calico_lab.local.envoy.clusters import cluster, clusters_of
from calico_lab.local.envoy.endpoints import load_assignment
from calico_lab.local.envoy.kept import Kept
from calico_lab.local.envoy.listeners import connects_nowhere, listeners, ready_listener
from calico_lab.local.envoy.messages import type_url
from calico_lab.local.envoy.protobuf import Message, encoded, message
from calico_lab.local.envoy.routes import route, route_configuration
from calico_lab.local.envoy.tls import secret
from calico_lab.local.gateway_api.model import Destination, Gateway, Route
from calico_lab.local.wire import JsonObject


class Kind(StrEnum):
    """The kinds of resources, by their message types; the value is the type's URL."""

    CERTIFICATE = type_url("extensions.transport_sockets.tls.v3.Secret")
    CLUSTER = type_url("config.cluster.v3.Cluster")
    ENDPOINTS = type_url("config.endpoint.v3.ClusterLoadAssignment")
    LISTENER = type_url("config.listener.v3.Listener")
    ROUTES = type_url("config.route.v3.RouteConfiguration")

    @property
    def message(self) -> str:
        """The name of the type under ``envoy.``."""
        return self.removeprefix(type_url(""))


@dataclass(frozen=True)
class Resource:
    """A resource's name, which for endpoints is their cluster's; its bytes, and the digest of these."""

    kind: Kind
    name: str
    body: bytes = field(repr=False)
    version: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "version", hashlib.sha256(self.body).hexdigest()[:16])


# The resources of each kind, by name.
Snapshot = Mapping[Kind, Mapping[str, Resource]]


class SnapshotMaker:
    """Makes the snapshots of one Gateway, one after another; what has not changed in between is not encoded anew."""

    def __init__(self, ready_port: int = Ports.ready) -> None:
        self._ready = _resource(Kind.LISTENER, ready_listener(ready_port))
        self._routes: Kept[Route, Message] = Kept(_route_message)
        self._destinations: Kept[Destination, list[Resource]] = Kept(_destination_resources)
        self._last: tuple[Gateway, Snapshot] | None = None

    def snapshot(self, gateway: Gateway) -> Snapshot:
        """Return what the Envoys of the Gateway are to have."""
        if self._last is None or self._last[0] != gateway:
            found: dict[Kind, dict[str, Resource]] = {kind: {} for kind in Kind}
            for resource in self._resources(gateway):
                found[resource.kind][resource.name] = resource
            self._last = gateway, found
        return self._last[1]

    def _resources(self, gateway: Gateway) -> Iterable[Resource]:
        yield self._ready
        yield from (_resource(Kind.LISTENER, fields) for fields in listeners(gateway))
        yield from (_resource(Kind.CERTIFICATE, secret(model)) for model in gateway.certificates())
        yield from (_resource(Kind.CLUSTER, fields) for fields in connects_nowhere(gateway).values())
        for resources in self._destinations.all(gateway.destinations()):
            yield from resources
        served = [model for listener in gateway.listeners for host in listener.virtual_hosts for model in host.routes]
        messages = iter(self._routes.all(served))
        for listener in gateway.listeners:
            yield Resource(Kind.ROUTES, listener.name, encoded(route_configuration(listener, messages)))


def _route_message(model: Route) -> Message:
    return message("config.route.v3.Route", route(model))


def _destination_resources(destination: Destination) -> list[Resource]:
    resources = []
    for model in clusters_of(destination):
        resources.append(_resource(Kind.CLUSTER, cluster(model)))
        if not model.named:
            resources.append(_resource(Kind.ENDPOINTS, load_assignment(model.name, model.backends)))
    return resources


def _resource(kind: Kind, fields: JsonObject) -> Resource:
    name = fields.get("name") or fields["cluster_name"]
    return Resource(kind, name, encoded(message(kind.message, fields)))
