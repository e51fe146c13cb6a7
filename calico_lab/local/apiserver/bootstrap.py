"""What a fresh cluster holds before any controller has run."""

from __future__ import annotations

from calico_lab.local import topology
from calico_lab.local.apiserver.bodies import WriteOptions
from calico_lab.local.apiserver.kinds import Kind
from calico_lab.local.apiserver.registry import Registry
from calico_lab.local.apiserver.writes import Writer
from calico_lab.local.wire import JsonObject

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
_LABELS = {"component": "apiserver", "provider": "kubernetes"}


def create_first_objects(writer: Writer, registry: Registry) -> None:
    """Create the namespaces, and the service by which pods reach the API server."""

    def create(group: str, plural: str, item: JsonObject) -> None:
        kind = registry.find(group, "v1", plural)
        if not isinstance(kind, Kind):
            raise LookupError(f"{plural} are not served")
        writer.create(kind, item["metadata"].get("namespace", ""), item, WriteOptions(manager="kube-apiserver"))

    for name in NAMESPACES:
        create("", "namespaces", {"metadata": {"name": name}})
    create("", "services", _service())
    create("discovery.k8s.io", "endpointslices", _endpoint_slice())


def _service() -> JsonObject:
    ports = [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": topology.API_PORT}]
    return {
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": dict(_LABELS)},
        "spec": {"type": "ClusterIP", "clusterIP": str(topology.KUBERNETES_SERVICE), "ports": ports},
    }


def _endpoint_slice() -> JsonObject:
    return {
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "kubernetes"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [str(topology.CONTROL1.address)], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": topology.API_PORT, "protocol": "TCP"}],
    }
