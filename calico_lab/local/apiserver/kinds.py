"""The kinds that the API server serves from the start, and what it means to serve a kind.

Names, short names, categories and subresources are those of Kubernetes 1.37
(https://kubernetes.io/docs/reference/kubernetes-api/) and Calico 3.30; kinds of CustomResourceDefinitions join them
while the server runs (``custom_resources.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from calico_lab.local.wire import JsonObject

READ_VERBS = ("get", "list", "watch")
ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class PrinterColumn:
    """A column of a custom resource's table: ``additionalPrinterColumns`` of its definition."""

    name: str
    type: str
    json_path: str
    priority: int = 0
    format: str = ""
    description: str = ""


@dataclass(frozen=True)
class Kind:
    """One kind in one version, as discovery tells of it.

    ``storage_version`` is the version in which its objects are kept. ``generations`` says whether objects carry a
    metadata.generation. ``denied`` kinds are known and can be listed, but never created: storing what the lab does
    not act on would be a lie. ``deprecation`` is what clients of an outdated version are warned with.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    singular: str = ""
    list_kind: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: frozenset[str] = frozenset()
    storage_version: str = ""
    generations: bool = False
    denied: bool = False
    verbs: tuple[str, ...] = ALL_VERBS
    custom: bool = False
    deprecation: str = ""
    columns: tuple[PrinterColumn, ...] | None = None
    schema: JsonObject | None = field(default=None, compare=False, repr=False)

    @property
    def api_version(self) -> str:
        """What an object of this kind has in ``apiVersion``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """The resource as error messages name it: ``deployments.apps``, ``services``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        """The kind as validation's messages name it: ``Deployment.apps``, ``Service``."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def storage_key(self) -> tuple[str, str]:
        """What names the objects of this kind in the store, whatever the version."""
        return self.group, self.plural

    @property
    def has_status(self) -> bool:
        """Whether status is written through a subresource of its own."""
        return "status" in self.subresources


def _core(plural: str, kind: str, *short_names: str, namespaced: bool = True, subresources: str = "") -> Kind:
    return Kind(
        "",
        "v1",
        plural,
        kind,
        namespaced,
        short_names=short_names,
        categories=("all",) if kind in ("Pod", "Service") else (),
        subresources=frozenset(subresources.split()),
        generations=kind == "Pod",
    )


def _workload(plural: str, kind: str, short_name: str) -> Kind:
    return Kind(
        "apps",
        "v1",
        plural,
        kind,
        short_names=(short_name,),
        categories=("all",),
        subresources=frozenset(("status", "scale")),
        generations=True,
    )


def _rbac(plural: str, kind: str, *, namespaced: bool = True) -> Kind:
    return Kind("rbac.authorization.k8s.io", "v1", plural, kind, namespaced)


def _calico(plural: str, kind: str, *short_names: str, namespaced: bool = False, denied: bool = False) -> Kind:
    return Kind("projectcalico.org", "v3", plural, kind, namespaced, short_names=short_names, denied=denied)


BUILT_IN_KINDS = (
    _core("namespaces", "Namespace", "ns", namespaced=False, subresources="status finalize"),
    _core("nodes", "Node", "no", namespaced=False, subresources="status"),
    _core("pods", "Pod", "po", subresources="attach binding exec log portforward status"),
    _core("services", "Service", "svc", subresources="status"),
    _core("serviceaccounts", "ServiceAccount", "sa", subresources="token"),
    _core("configmaps", "ConfigMap", "cm"),
    _core("secrets", "Secret"),
    _core("events", "Event", "ev"),
    _workload("deployments", "Deployment", "deploy"),
    _workload("replicasets", "ReplicaSet", "rs"),
    Kind("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", generations=True),
    Kind("coordination.k8s.io", "v1", "leases", "Lease"),
    Kind(
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        namespaced=False,
        short_names=("crd", "crds"),
        categories=("api-extensions",),
        subresources=frozenset(("status",)),
        generations=True,
    ),
    Kind(
        "networking.k8s.io",
        "v1",
        "ingresses",
        "Ingress",
        short_names=("ing",),
        subresources=frozenset(("status",)),
        generations=True,
    ),
    Kind("networking.k8s.io", "v1", "ingressclasses", "IngressClass", namespaced=False, generations=True),
    _rbac("clusterroles", "ClusterRole", namespaced=False),
    _rbac("clusterrolebindings", "ClusterRoleBinding", namespaced=False),
    _rbac("roles", "Role"),
    _rbac("rolebindings", "RoleBinding"),
    Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", short_names=("netpol",), denied=True),
    _calico("ippools", "IPPool"),
    _calico("bgpconfigurations", "BGPConfiguration", "bgpconfig", "bgpconfigs"),
    _calico("bgppeers", "BGPPeer"),
    _calico("networkpolicies", "NetworkPolicy", "cnp", "caliconetworkpolicy", namespaced=True, denied=True),
    _calico("globalnetworkpolicies", "GlobalNetworkPolicy", "gnp", "cgnp", "calicoglobalnetworkpolicies", denied=True),
    Kind(
        "operator.tigera.io",
        "v1",
        "gatewayapis",
        "GatewayAPI",
        namespaced=False,
        generations=True,
        custom=True,
        columns=(PrinterColumn("Age", "date", ".metadata.creationTimestamp"),),
    ),
)

REVIEW_KINDS = (
    Kind("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", False, verbs=("create",)),
    Kind("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False, verbs=("create",)),
    Kind("authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", False, verbs=("create",)),
)

SUBRESOURCE_KINDS = {
    "scale": ("autoscaling", "v1", "Scale", ("get", "patch", "update")),
    "log": ("", "v1", "Pod", ("get",)),
    "attach": ("", "v1", "PodAttachOptions", ("create", "get")),
    "exec": ("", "v1", "PodExecOptions", ("create", "get")),
    "portforward": ("", "v1", "PodPortForwardOptions", ("create", "get")),
    "binding": ("", "v1", "Binding", ("create",)),
    "token": ("authentication.k8s.io", "v1", "TokenRequest", ("create",)),
    "finalize": ("", "v1", "Namespace", ("update",)),
}
