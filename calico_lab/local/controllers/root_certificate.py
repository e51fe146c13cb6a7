"""The root certificate publisher: ConfigMap ``kube-root-ca.crt`` in every namespace, for pods to trust the API server.

As in https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/.
"""

from __future__ import annotations

from calico_lab import errors
from calico_lab.local.client import ApiClient
from calico_lab.local.controller import Controller, Key
from calico_lab.local.objects import is_deleting
from calico_lab.local.resources import CONFIG_MAPS, NAMESPACES
from calico_lab.local.wire import JsonObject

CONFIG_MAP = "kube-root-ca.crt"


class RootCertificatePublisher(Controller):
    """Keeps the certificate (PEM) of the cluster's authority in every namespace."""

    name = "root-ca-certificate-publisher"

    def __init__(self, client: ApiClient, certificate: bytes) -> None:
        super().__init__(client)
        self._data = {"ca.crt": certificate.decode()}
        self._namespaces = self.inform(NAMESPACES, lambda namespace: [Key("", namespace["metadata"]["name"])])
        self._config_maps = self.inform(CONFIG_MAPS, _namespace_of)

    async def reconcile(self, key: Key) -> None:
        """Create or restore one namespace's ConfigMap."""
        namespace = self._namespaces.get(key)
        if namespace is None or is_deleting(namespace):
            return
        current = self._config_maps.get(Key(key.name, CONFIG_MAP))
        if current is not None:
            await self.change(self._config_maps, current, {"data": self._data})
            return
        config_map = {
            "apiVersion": CONFIG_MAPS.api_version,
            "kind": CONFIG_MAPS.kind,
            "metadata": {"name": CONFIG_MAP, "namespace": key.name},
            "data": self._data,
        }
        try:
            await self.create(self._config_maps, config_map)
        except errors.AlreadyExists:
            return


def _namespace_of(config_map: JsonObject) -> list[Key]:
    metadata = config_map["metadata"]
    return [Key("", metadata["namespace"])] if metadata["name"] == CONFIG_MAP else []
