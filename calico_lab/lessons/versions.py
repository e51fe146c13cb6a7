"""The versions of the Gateway API's resources and of the programs in a cluster, beside what the guide lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calico_lab.errors import ApiError, NotFound, ReportError
from calico_lab.lessons.steps import GATEWAY
from calico_lab.tools import envoy_admin

if TYPE_CHECKING:
    import pandas as pd

    from calico_lab.cluster import Cluster, Objects

GROUP = "gateway.networking.k8s.io"
# The guide's table. It is that of the documentation of Calico Enterprise 3.21, and of Gateway API 1.1.
GUIDE = {
    "BackendLBPolicy": "v1alpha2",
    "BackendTLSPolicy": "v1alpha3",
    "GatewayClass": "v1, v1beta1",
    "Gateway": "v1, v1beta1",
    "GRPCRoute": "v1, v1alpha2",
    "HTTPRoute": "v1, v1beta1",
    "ReferenceGrant": "v1beta1, v1alpha2",
    "TCPRoute": "v1alpha2",
    "TLSRoute": "v1alpha2",
    "UDPRoute": "v1alpha2",
}
# What the operator of these releases ships, where it is not what the guide says: the definitions in its source,
# https://github.com/tigera/operator/blob/release-v1.38/pkg/render/gateway_api_resources.yaml and older ones.
SHIPPED = {
    "3.21.0-5": GUIDE | {"GRPCRoute": "v1", "ReferenceGrant": "v1beta1"},
    "3.21.6-9": GUIDE | {"GRPCRoute": "v1", "ReferenceGrant": "v1beta1", "BackendLBPolicy": ""},
}
_NONE = "-"
_CONTROLLER = "control-plane=envoy-gateway"
_BUNDLE = f"{GROUP}/bundle-version"
_VARIANTS = {"TigeraSecureEnterprise": "Calico Enterprise", "CalicoEnterprise": "Calico Enterprise"}


def resources(cluster: Cluster) -> pd.DataFrame:
    """Return a table of the Gateway API's resources: their versions here, in the guide, and in two releases."""
    import pandas as pd

    served = {kind: ", ".join(versions) for kind, versions in cluster.served(GROUP).items()}
    kinds = [*GUIDE, *sorted(served.keys() - GUIDE.keys())]
    columns = {"this cluster": served, "the guide": GUIDE} | {
        f"Enterprise {release}": versions for release, versions in SHIPPED.items()
    }
    table = {title: [versions.get(kind) or _NONE for kind in kinds] for title, versions in columns.items()}
    return pd.DataFrame(table, index=pd.Index(kinds, name="resource"))


def programs(cluster: Cluster) -> pd.DataFrame:
    """Return a table of what runs here: each part's version, and where it was read."""
    import pandas as pd

    rows = {
        "Kubernetes": (cluster.version(), "the API server"),
        "Calico": _calico(cluster),
        "Envoy Gateway": _envoy_gateway(cluster),
        "Gateway API": _gateway_api(cluster),
        "Envoy": _envoy(cluster),
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["version", "read from"])
    return table.rename_axis("program")


def _calico(cluster: Cluster) -> tuple[str, str]:
    """Return what the operator's Installation says, or else Calico's own ClusterInformation."""
    try:
        status = cluster.get("Installation", "default").get("status") or {}
        variant = status.get("variant", "Calico")
        return f"{_VARIANTS.get(variant, variant)} {status['calicoVersion']}", "status of its Installation"
    except (ApiError, KeyError):
        pass
    try:
        spec = cluster.get("ClusterInformation", "default")["spec"]
    except ApiError:
        return "not said", "no Installation, no ClusterInformation"
    enterprise = spec.get("cnxVersion")
    version = f"Calico Enterprise {enterprise}" if enterprise else f"Calico {spec.get('calicoVersion', '')}"
    return version, "ClusterInformation"


def _envoy_gateway(cluster: Cluster) -> tuple[str, str]:
    for pod in _pods(cluster, _CONTROLLER):
        image: str = pod["spec"]["containers"][0]["image"]
        return image.rpartition(":")[2], "image of its pod"
    return "not running", "no pod of it"


def _gateway_api(cluster: Cluster) -> tuple[str, str]:
    where = "annotation of the CRD gateways"
    try:
        definition = cluster.get("CustomResourceDefinition", f"gateways.{GROUP}")
    except NotFound:
        return "not enabled", where
    except ApiError:
        return "not shown to this user", where
    return str(definition["metadata"].get("annotations", {}).get(_BUNDLE, "not said")), where


def _envoy(cluster: Cluster) -> tuple[str, str]:
    where = "its admin page"
    try:
        versions = sorted({admin.version() for admin in envoy_admin.of_gateway(cluster, GATEWAY)})
    except (ApiError, ReportError):
        return "not shown to this user", where
    return ", ".join(versions) or "not running", where


def _pods(cluster: Cluster, labels: str) -> Objects:
    try:
        return cluster.list("Pod", labels=labels, all_namespaces=True)
    except ApiError:
        return []
