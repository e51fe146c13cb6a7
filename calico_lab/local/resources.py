"""Names of the resources that the lab's controllers work with: group, version, plural and kind.

What the API server serves, with its columns, short names and schemas, stands in ``apiserver/``; this is only what a
client must know to ask for it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Resource:
    """A resource as it stands in a request's path (https://kubernetes.io/docs/reference/using-api/api-concepts/)."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """What an object of this resource has in ``apiVersion``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Return the request path of the collection, of one object, or of an object's subresource."""
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if namespace and self.namespaced:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part]
        return "/" + "/".join(parts)


def _core(plural: str, kind: str, *, namespaced: bool = True) -> Resource:
    return Resource("", "v1", plural, kind, namespaced)


CONFIG_MAPS = _core("configmaps", "ConfigMap")
EVENTS = _core("events", "Event")
NAMESPACES = _core("namespaces", "Namespace", namespaced=False)
NODES = _core("nodes", "Node", namespaced=False)
PODS = _core("pods", "Pod")
SECRETS = _core("secrets", "Secret")
SERVICE_ACCOUNTS = _core("serviceaccounts", "ServiceAccount")
SERVICES = _core("services", "Service")

DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
REPLICA_SETS = Resource("apps", "v1", "replicasets", "ReplicaSet")
ENDPOINT_SLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
CUSTOM_RESOURCE_DEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)

IP_POOLS = Resource("projectcalico.org", "v3", "ippools", "IPPool", namespaced=False)
BGP_CONFIGURATIONS = Resource("projectcalico.org", "v3", "bgpconfigurations", "BGPConfiguration", namespaced=False)
BGP_PEERS = Resource("projectcalico.org", "v3", "bgppeers", "BGPPeer", namespaced=False)
GATEWAY_APIS = Resource("operator.tigera.io", "v1", "gatewayapis", "GatewayAPI", namespaced=False)

GATEWAY_CLASSES = Resource("gateway.networking.k8s.io", "v1", "gatewayclasses", "GatewayClass", namespaced=False)
GATEWAYS = Resource("gateway.networking.k8s.io", "v1", "gateways", "Gateway")
HTTP_ROUTES = Resource("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
GRPC_ROUTES = Resource("gateway.networking.k8s.io", "v1", "grpcroutes", "GRPCRoute")
TCP_ROUTES = Resource("gateway.networking.k8s.io", "v1alpha2", "tcproutes", "TCPRoute")
TLS_ROUTES = Resource("gateway.networking.k8s.io", "v1alpha2", "tlsroutes", "TLSRoute")
REFERENCE_GRANTS = Resource("gateway.networking.k8s.io", "v1beta1", "referencegrants", "ReferenceGrant")
BACKENDS = Resource("gateway.envoyproxy.io", "v1alpha1", "backends", "Backend")
SECURITY_POLICIES = Resource("gateway.envoyproxy.io", "v1alpha1", "securitypolicies", "SecurityPolicy")
BACKEND_TRAFFIC_POLICIES = Resource(
    "gateway.envoyproxy.io", "v1alpha1", "backendtrafficpolicies", "BackendTrafficPolicy"
)
ENVOY_PROXIES = Resource("gateway.envoyproxy.io", "v1alpha1", "envoyproxies", "EnvoyProxy")
