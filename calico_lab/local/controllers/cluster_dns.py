"""Cluster DNS as kubeadm installs it: the Deployment ``coredns`` behind the Service ``kube-dns`` at 10.49.0.10.

Each object is created where it is missing and never changed afterwards: whoever scales the Deployment to nothing wants
to see a cluster without names. One replica is enough here, on control1, so that the workers' addresses and loads are
the same with it and without.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from calico_lab import errors
from calico_lab.local import topology
from calico_lab.local.client import ApiClient
from calico_lab.local.controller import Controller, Key, key_of
from calico_lab.local.resources import DEPLOYMENTS, SERVICE_ACCOUNTS, SERVICES
from calico_lab.local.wire import JsonObject

NAMESPACE = "kube-system"
NAME = "coredns"
IMAGE = "registry.k8s.io/coredns/coredns:v1.12.4"
_SELECTOR = {"k8s-app": "kube-dns"}
_LABELS = _SELECTOR | {"kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"}
_PORTS = [
    {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
    {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
]


class ClusterDnsInstaller(Controller):
    """Creates what of cluster DNS is not there."""

    name = "cluster-dns"

    def __init__(self, client: ApiClient) -> None:
        super().__init__(client)
        self._objects = [
            (self.inform(resource, self._ours), _object(resource.kind, resource.api_version, *content))
            for resource, content in (
                (SERVICE_ACCOUNTS, (NAME, {})),
                (SERVICES, ("kube-dns", _service())),
                (DEPLOYMENTS, (NAME, _deployment())),
            )
        ]

    def _ours(self, item: JsonObject) -> Iterable[Key]:
        return [Key(NAMESPACE, NAME)] if any(key_of(item) == key_of(each) for _, each in self._objects) else []

    async def run(self) -> None:
        """Run until cancelled."""
        self.queue.add(Key(NAMESPACE, NAME))
        await super().run()

    async def reconcile(self, key: Key) -> None:  # noqa: ARG002 - there is but one
        """Create what is missing."""
        for informer, item in self._objects:
            if informer.get(key_of(item)) is None:
                with suppress(errors.AlreadyExists):
                    await self.create(informer, item)


def _object(kind: str, version: str, name: str, content: JsonObject) -> JsonObject:
    metadata = {"name": name, "namespace": NAMESPACE, "labels": _LABELS}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **content}


def _service() -> JsonObject:
    return {"spec": {"clusterIP": str(topology.DNS_SERVICE), "selector": _SELECTOR, "ports": _PORTS}}


def _deployment() -> JsonObject:
    ports = [{"name": port["name"], "containerPort": 53, "protocol": port["protocol"]} for port in _PORTS]
    spec = {
        "serviceAccountName": NAME,
        "containers": [{"name": NAME, "image": IMAGE, "ports": ports}],
        "nodeSelector": {"kubernetes.io/hostname": topology.CONTROL1.name},
        "tolerations": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}],
    }
    template = {"metadata": {"labels": _SELECTOR}, "spec": spec}
    return {"spec": {"replicas": 1, "selector": {"matchLabels": _SELECTOR}, "template": template}}
