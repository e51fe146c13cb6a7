"""The part of the Tigera operator that enables the Gateway API: one GatewayAPI resource makes everything appear.

Behaviour of operator 1.38 (https://github.com/tigera/operator, pkg/controller/gatewayapi). CustomResourceDefinitions
have no owner and so survive the GatewayAPI; everything else belongs to it and goes with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from calico_lab import errors
from calico_lab.local import custom_resources
from calico_lab.local.client import ApiClient
from calico_lab.local.controller import Controller, Key, key_of
from calico_lab.local.controllers import tigera_gateway, tigera_gateway_certificates
from calico_lab.local.events import WARNING, EventRecorder
from calico_lab.local.objects import is_deleting, owner_reference
from calico_lab.local.resources import (
    CUSTOM_RESOURCE_DEFINITIONS,
    ENVOY_PROXIES,
    GATEWAY_APIS,
    GATEWAY_CLASSES,
    NAMESPACES,
    SECRETS,
)
from calico_lab.local.wire import JsonObject

NAMES = ("default", "tigera-secure")
PREFER_EXISTING = "PreferExisting"
RECONCILE = "Reconcile"
_SECRETS = [Key(tigera_gateway.NAMESPACE, name) for name in tigera_gateway_certificates.NAMES]
_OURS = frozenset([key_of(item) for _, item in tigera_gateway.objects()] + _SECRETS)


class GatewayApiOperator(Controller):
    """Reconciles the one GatewayAPI resource; other names than ``default`` and ``tigera-secure`` are not looked at."""

    name = "tigera-operator"

    def __init__(self, client: ApiClient) -> None:
        super().__init__(client)
        self._events = EventRecorder(client, self.name)
        self._as_wanted: dict[Key, str] = {}  # versions of definitions that were looked at: they are large
        self._installations = self.inform(GATEWAY_APIS, lambda _: self._accepted())
        self._definitions = self.inform(CUSTOM_RESOURCE_DEFINITIONS, lambda _: self._accepted())
        self._secrets = self.inform(SECRETS, self._rendered)
        for resource, _ in tigera_gateway.objects():
            self.inform(resource, self._rendered, optional=resource in (ENVOY_PROXIES, GATEWAY_CLASSES))

    def _accepted(self) -> list[Key]:
        return [Key("", name) for name in NAMES if self._installations.get(Key("", name))]

    def _rendered(self, item: JsonObject) -> Iterable[Key]:
        return self._accepted() if key_of(item) in _OURS else []

    async def reconcile(self, key: Key) -> None:
        """Create what is missing for the GatewayAPI, restore what was changed."""
        installation = self._installations.get(key)
        if installation is None or is_deleting(installation):
            return
        if len(self._accepted()) > 1:
            await self._degrade(installation)
            return
        await self._define(installation)
        owner = [owner_reference(installation)]
        for resource, item in tigera_gateway.objects():
            owned = item | {"metadata": item["metadata"] | {"ownerReferences": owner}}
            await self.ensure(resource, owned)
            if resource is NAMESPACES:
                await self._certify(owner)

    async def _certify(self, owner: list[JsonObject]) -> None:
        """Create the Secrets of the discovery service, both anew where one is missing."""
        if all(self._secrets.get(key) for key in _SECRETS):
            return
        for item in tigera_gateway_certificates.secrets():
            await self.ensure(SECRETS, item | {"metadata": item["metadata"] | {"ownerReferences": owner}})

    async def _degrade(self, installation: JsonObject) -> None:
        message = 'multiple GatewayAPI CRs provided. To fix, run "kubectl delete gatewayapi tigera-secure"'
        await self._events.event(installation, WARNING, "Degraded", f"Duplicate configuration detected: {message}")

    async def _define(self, installation: JsonObject) -> None:
        """Create the definitions, and write into the GatewayAPI whether they are the operator's to keep current."""
        existing = {key: item for key in _definitions() if (item := self._definitions.get(key))}
        management = installation["spec"].get("crdManagement") if "spec" in installation else None
        for key, definition in _definitions().items():
            if key not in existing:
                await self._define_one(definition)
            elif management == RECONCILE and self._as_wanted.get(key) != _version(existing[key]):
                self._as_wanted[key] = _version(await self.change(self._definitions, existing[key], definition))
        if not management:
            chosen = {"spec": {"crdManagement": PREFER_EXISTING if existing else RECONCILE}}
            await self.change(self._installations, installation, chosen)

    async def _define_one(self, definition: JsonObject) -> None:
        try:
            await self.create(self._definitions, definition)
        except errors.AlreadyExists:
            return


@cache
def _definitions() -> dict[Key, JsonObject]:
    return {key_of(item): item for item in custom_resources.definitions()}


def _version(item: JsonObject) -> str:
    return str(item["metadata"]["resourceVersion"])
