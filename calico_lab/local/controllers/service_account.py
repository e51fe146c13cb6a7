"""The service account controller: every namespace has a service account ``default``.

As in https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#serviceaccount-controller.
"""

from __future__ import annotations

from calico_lab import errors
from calico_lab.local.client import ApiClient
from calico_lab.local.controller import Controller, Key
from calico_lab.local.objects import is_deleting
from calico_lab.local.resources import NAMESPACES, SERVICE_ACCOUNTS
from calico_lab.local.wire import JsonObject

DEFAULT = "default"


class ServiceAccountController(Controller):
    """Creates the service account ``default`` in every namespace, again when somebody deletes it."""

    name = "serviceaccount-controller"

    def __init__(self, client: ApiClient) -> None:
        super().__init__(client)
        self._namespaces = self.inform(NAMESPACES, lambda namespace: [Key("", namespace["metadata"]["name"])])
        self._accounts = self.inform(SERVICE_ACCOUNTS, _namespace_of)

    async def reconcile(self, key: Key) -> None:
        """Create one namespace's account if it is not there."""
        namespace = self._namespaces.get(key)
        if namespace is None or is_deleting(namespace) or self._accounts.get(Key(key.name, DEFAULT)):
            return
        account = {
            "apiVersion": SERVICE_ACCOUNTS.api_version,
            "kind": SERVICE_ACCOUNTS.kind,
            "metadata": {"name": DEFAULT, "namespace": key.name},
        }
        try:
            await self.create(self._accounts, account)
        except errors.AlreadyExists:
            return


def _namespace_of(account: JsonObject) -> list[Key]:
    metadata = account["metadata"]
    return [Key("", metadata["namespace"])] if metadata["name"] == DEFAULT else []
