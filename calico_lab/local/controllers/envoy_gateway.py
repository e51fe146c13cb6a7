"""Envoy Gateway: turns Gateways, HTTPRoutes and policies into running Envoys and their configuration.

A program of its own, in a pod: ``python -m calico_lab.local.controllers.envoy_gateway``. It decides nothing by itself:
the rules are in ``gateway_api``, Envoy's language in ``envoy``, the manifests in ``envoy_gateway_infrastructure``.
Every change leads to one computation over the whole world, which is cheap and cannot forget anything.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from calico_lab import errors
from calico_lab.local import garbage, in_cluster
from calico_lab.local.client import ApiClient
from calico_lab.local.controller import Controller, Key, key_of
from calico_lab.local.controllers import envoy_gateway_infrastructure as infrastructure
from calico_lab.local.controllers.envoy_gateway_discovery import DiscoveryService
from calico_lab.local.controllers.tigera_gateway import NAMESPACE, PORTS
from calico_lab.local.envoy.snapshot import SnapshotMaker
from calico_lab.local.gateway_api.conditions import settled
from calico_lab.local.gateway_api.known_routes import KnownRoutes
from calico_lab.local.gateway_api.model import Gateway
from calico_lab.local.gateway_api.resolve import Resolution, Statuses, resolve
from calico_lab.local.gateway_api.world import CONTROLLER_NAME, Infrastructure, ObjectName, World
from calico_lab.local.informer import Informer
from calico_lab.local.objects import is_deleting, now
from calico_lab.local.resources import (
    BACKEND_TRAFFIC_POLICIES,
    BACKENDS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    ENVOY_PROXIES,
    GATEWAY_CLASSES,
    GATEWAYS,
    GRPC_ROUTES,
    HTTP_ROUTES,
    NAMESPACES,
    REFERENCE_GRANTS,
    SECRETS,
    SECURITY_POLICIES,
    SERVICE_ACCOUNTS,
    SERVICES,
    TCP_ROUTES,
    TLS_ROUTES,
)
from calico_lab.local.wire import JsonObject

logger = logging.getLogger(__name__)

ADDRESS = f"0.0.0.0:{PORTS['grpc']}"
CERTIFICATES = Path("/certs")
FINALIZER = "gateway-exists-finalizer.gateway.networking.k8s.io"

_EVERYTHING = Key("", "")


class EnvoyGateway(Controller):
    """The controller of GatewayClasses whose ``controllerName`` is Envoy Gateway's; proxies run in ``namespace``."""

    name = "envoy-gateway"

    def __init__(self, client: ApiClient, discovery: DiscoveryService, namespace: str = NAMESPACE) -> None:
        super().__init__(client)
        self._discovery = discovery
        self._namespace = namespace
        anything = self._keys_of_anything
        self._classes = self.inform(GATEWAY_CLASSES, anything, optional=True, but_status=True)
        self._gateways = self.inform(GATEWAYS, anything, optional=True, but_status=True)
        self._http_routes = self.inform(HTTP_ROUTES, anything, optional=True, but_status=True)
        self._grpc_routes = self.inform(GRPC_ROUTES, anything, optional=True, but_status=True)
        self._tls_routes = self.inform(TLS_ROUTES, anything, optional=True, but_status=True)
        self._tcp_routes = self.inform(TCP_ROUTES, anything, optional=True, but_status=True)
        self._policies = self.inform(BACKEND_TRAFFIC_POLICIES, anything, optional=True, but_status=True)
        self._security_policies = self.inform(SECURITY_POLICIES, anything, optional=True, but_status=True)
        self._backends = self.inform(BACKENDS, anything, optional=True, but_status=True)
        self._envoy_proxies = self.inform(ENVOY_PROXIES, anything, optional=True)
        self._reference_grants = self.inform(REFERENCE_GRANTS, anything, optional=True)
        self._namespaces = self.inform(NAMESPACES, anything)
        self._services = self.inform(SERVICES, anything)
        self._secrets = self.inform(SECRETS, anything)
        self._endpoint_slices = self.inform(ENDPOINT_SLICES, anything)
        self._proxies = {
            SERVICE_ACCOUNTS: self.inform(SERVICE_ACCOUNTS, self._keys_of_proxies),
            CONFIG_MAPS: self.inform(CONFIG_MAPS, self._keys_of_proxies),
            DEPLOYMENTS: self.inform(DEPLOYMENTS, self._keys_of_proxies),
            SERVICES: self._services,
        }
        self._makers: dict[ObjectName, SnapshotMaker] = {}
        self._known_routes = KnownRoutes()

    def _keys_of_anything(self, _item: JsonObject) -> Iterable[Key]:
        return (_EVERYTHING,)

    def _keys_of_proxies(self, item: JsonObject) -> Iterable[Key]:
        return (_EVERYTHING,) if self._is_proxy(item) else ()

    def _is_proxy(self, item: JsonObject) -> bool:
        return item["metadata"]["namespace"] == self._namespace and infrastructure.owner(item) is not None

    async def reconcile(self, key: Key) -> None:  # noqa: ARG002  there is only one
        """Make everything what the world as last seen comes to; Envoys hear of it first."""
        resolution = resolve(self._world(), self._known_routes)
        running = {name: gateway for name, gateway in resolution.gateways.items() if gateway.ports}
        self._publish(running)
        await self._hold_classes()
        await _all(self._run_proxies(gateway) for gateway in running.values())
        await self._stop_proxies(running.keys())
        await self._write_statuses(resolution)

    def _world(self) -> World:
        return World(
            gateway_classes=tuple(self._classes),
            gateways=tuple(self._gateways),
            http_routes=tuple(self._http_routes),
            grpc_routes=tuple(self._grpc_routes),
            tls_routes=tuple(self._tls_routes),
            tcp_routes=tuple(self._tcp_routes),
            backend_traffic_policies=tuple(self._policies),
            security_policies=tuple(self._security_policies),
            backends=tuple(self._backends),
            envoy_proxies=tuple(self._envoy_proxies),
            reference_grants=tuple(self._reference_grants),
            services=tuple(self._services),
            secrets=tuple(self._secrets),
            endpoint_slices=tuple(self._endpoint_slices),
            namespaces=tuple(self._namespaces),
            infrastructure={
                name: self._infrastructure(name) for name in (ObjectName(*key_of(item)) for item in self._gateways)
            },
        )

    def _infrastructure(self, gateway: ObjectName) -> Infrastructure:
        key = Key(self._namespace, infrastructure.name(gateway))
        service, deployment = self._services.get(key) or {}, self._proxies[DEPLOYMENTS].get(key) or {}
        ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
        replicas = deployment.get("status") or {}
        return Infrastructure(
            tuple(entry["ip"] for entry in ingress if "ip" in entry),
            replicas.get("replicas", 0),
            replicas.get("availableReplicas", 0),
        )

    def _publish(self, gateways: Mapping[ObjectName, Gateway]) -> None:
        """Tell the Envoys of all Gateways."""
        self._makers = {name: self._makers.get(name) or SnapshotMaker() for name in gateways}
        snapshots = {str(name): self._makers[name].snapshot(gateway) for name, gateway in gateways.items()}
        self._discovery.publish(snapshots)

    async def _run_proxies(self, gateway: Gateway) -> None:
        gateway_class = self._classes.get(Key("", gateway.class_name))
        if gateway_class is None:
            return
        key = Key(self._namespace, infrastructure.name(gateway.name))
        for resource, item in infrastructure.objects(gateway, gateway_class, self._namespace).items():
            await self._apply(self._proxies[resource], key, item)

    async def _apply(self, informer: Informer, key: Key, wanted: JsonObject) -> None:
        current = informer.get(key)
        if current is None:
            await self.create(informer, wanted)
        elif not is_deleting(current):
            await self.change(informer, current, wanted)

    async def _stop_proxies(self, running: Iterable[ObjectName]) -> None:
        names = set(running)
        for informer in self._proxies.values():
            for item in informer:
                if self._is_proxy(item) and infrastructure.owner(item) not in names:
                    await self.delete(informer, item)

    async def _hold_classes(self) -> None:
        """Keep a GatewayClass of ours from disappearing under the Gateways that use it."""
        used = {gateway["spec"]["gatewayClassName"] for gateway in self._gateways}
        for item in self._classes:
            if item["spec"]["controllerName"] != CONTROLLER_NAME:
                continue
            present = item["metadata"].get("finalizers") or []
            others = [finalizer for finalizer in present if finalizer != FINALIZER]
            hold = item["metadata"]["name"] in used and (FINALIZER in present or not is_deleting(item))
            wanted = [*others, FINALIZER] if hold else others
            if set(wanted) != set(present):
                await self.change(self._classes, item, {"metadata": {"finalizers": wanted}})

    async def _write_statuses(self, resolution: Resolution) -> None:
        await _all(
            [
                *self._status_writes(self._classes, resolution.gateway_class_statuses),
                *self._status_writes(self._gateways, resolution.gateway_statuses),
                *self._status_writes(self._http_routes, resolution.http_route_statuses, {"parents": []}),
                *self._status_writes(self._grpc_routes, resolution.grpc_route_statuses, {"parents": []}),
                *self._status_writes(self._tls_routes, resolution.tls_route_statuses, {"parents": []}),
                *self._status_writes(self._tcp_routes, resolution.tcp_route_statuses, {"parents": []}),
                *self._status_writes(self._policies, resolution.backend_traffic_policy_statuses, {"ancestors": []}),
                *self._status_writes(self._security_policies, resolution.security_policy_statuses, {"ancestors": []}),
                *self._status_writes(self._backends, resolution.backend_statuses),
            ]
        )

    def _status_writes(
        self, informer: Informer, statuses: Statuses, empty: JsonObject | None = None
    ) -> Iterable[Awaitable[object]]:
        """Yield the writes; a status of ours about which nothing is said any more becomes ``empty``, where given."""
        for item in informer:
            current = item.get("status") or {}
            wanted = statuses.get(ObjectName(*key_of(item)), empty if current else None)
            if wanted is None:
                continue
            status = settled(wanted, current, now())
            if status != current:
                yield self._write_status(informer, item, status)

    async def _write_status(self, informer: Informer, item: JsonObject, status: JsonObject) -> None:
        # Whoever was faster changed or deleted the object; where that was the status alone, nobody else would see it.
        with suppress(errors.NotFound):
            try:
                await self.write_status(informer, item, status)
            except errors.Conflict:
                self.queue.add(_EVERYTHING)


async def _all(actions: Iterable[Awaitable[object]]) -> None:
    """Do everything, then raise the first error: one object that fails must not hold up the others."""
    for outcome in await asyncio.gather(*actions, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


async def run(
    service_account: Path = in_cluster.SERVICE_ACCOUNT, address: str = ADDRESS, certificates: Path = CERTIFICATES
) -> None:
    """Run in a pod until SIGTERM."""
    garbage.collect_seldom()
    discovery = DiscoveryService()
    async with in_cluster.connection(service_account) as handler, discovery.serving(address, certificates):
        namespace = os.environ.get("ENVOY_GATEWAY_NAMESPACE", NAMESPACE)
        controller = EnvoyGateway(ApiClient(handler, user="envoy-gateway"), discovery, namespace)
        task = asyncio.create_task(controller.run())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        logger.info("watching Gateways of controller %s", CONTROLLER_NAME)
        with suppress(asyncio.CancelledError):
            await task
        logger.info("stopped")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(run())
