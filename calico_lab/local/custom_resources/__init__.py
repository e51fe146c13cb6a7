"""The CustomResourceDefinitions that the operator installs: Gateway API and Envoy Gateway.

Kinds and versions are exactly those of the guide's table; schemas are those of Gateway API 1.3.0 (experimental
channel) and Envoy Gateway 1.5.9. Kinds that the lab does not implement appear with their names only: they can be
discovered and listed, and creating one is denied.
"""

from __future__ import annotations

import copy
from functools import cache

from calico_lab.local.custom_resources.backend import BACKEND
from calico_lab.local.custom_resources.backend_traffic_policy import BACKEND_TRAFFIC_POLICY
from calico_lab.local.custom_resources.common import GATEWAY_GROUP
from calico_lab.local.custom_resources.connection_routes import TCP_ROUTE, TLS_ROUTE
from calico_lab.local.custom_resources.definition import AGE, Definition, column, condition_column
from calico_lab.local.custom_resources.envoy_proxy import ENVOY_PROXY
from calico_lab.local.custom_resources.gateway import GATEWAY, GATEWAY_CLASS, REFERENCE_GRANT
from calico_lab.local.custom_resources.grpc_route import GRPC_ROUTE
from calico_lab.local.custom_resources.http_route import HTTP_ROUTE
from calico_lab.local.custom_resources.security_policy import SECURITY_POLICY
from calico_lab.local.custom_resources.structural import ANYTHING, record
from calico_lab.local.wire import JsonObject

__all__ = ["DENIED_KINDS", "ENVOY_GROUP", "GATEWAY_GROUP", "definitions"]

ENVOY_GROUP = "gateway.envoyproxy.io"
# Known by name only, never created.
NAMED_ONLY = record({"spec": ANYTHING | {"type": "object"}, "status": ANYTHING | {"type": "object"}})

_BUNDLE = {
    "gateway.networking.k8s.io/bundle-version": "v1.3.0",
    "gateway.networking.k8s.io/channel": "experimental",
}


def _gateway_api(
    kind: str,
    plural: str,
    versions: str,
    schema: JsonObject = NAMED_ONLY,
    *,
    short_name: str = "",
    columns: tuple[JsonObject, ...] = (AGE,),
    namespaced: bool = True,
    has_status: bool = True,
    deprecated: tuple[str, ...] = (),
) -> Definition:
    return Definition(
        GATEWAY_GROUP,
        kind,
        plural,
        versions.split(),
        schema,
        short_names=[short_name] if short_name else [],
        categories=["gateway-api"],
        columns=columns,
        annotations=_BUNDLE,
        namespaced=namespaced,
        has_status=has_status,
        deprecated=deprecated,
    )


def _envoy_gateway(
    kind: str,
    plural: str,
    short_name: str,
    schema: JsonObject = NAMED_ONLY,
    *,
    categories: tuple[str, ...] = ("envoy-gateway",),
    columns: tuple[JsonObject, ...] = (AGE,),
    has_status: bool = True,
) -> Definition:
    return Definition(
        ENVOY_GROUP,
        kind,
        plural,
        ["v1alpha1"],
        schema,
        short_names=[short_name],
        categories=categories,
        columns=columns,
        has_status=has_status,
    )


_HOSTNAMES = column("Hostnames", ".spec.hostnames")

_DEFINITIONS = (
    _gateway_api("BackendLBPolicy", "backendlbpolicies", "v1alpha2", short_name="blbpolicy"),
    _gateway_api("BackendTLSPolicy", "backendtlspolicies", "v1alpha3", short_name="btlspolicy"),
    _gateway_api(
        "GatewayClass",
        "gatewayclasses",
        "v1 v1beta1",
        GATEWAY_CLASS,
        short_name="gc",
        columns=(
            column("Controller", ".spec.controllerName"),
            condition_column("Accepted", "Accepted"),
            AGE,
            column("Description", ".spec.description", priority=1),
        ),
        namespaced=False,
    ),
    _gateway_api(
        "Gateway",
        "gateways",
        "v1 v1beta1",
        GATEWAY,
        short_name="gtw",
        columns=(
            column("Class", ".spec.gatewayClassName"),
            column("Address", ".status.addresses[*].value"),
            condition_column("Programmed", "Programmed"),
            AGE,
        ),
    ),
    _gateway_api(
        "GRPCRoute", "grpcroutes", "v1 v1alpha2", GRPC_ROUTE, columns=(_HOSTNAMES, AGE), deprecated=("v1alpha2",)
    ),
    _gateway_api("HTTPRoute", "httproutes", "v1 v1beta1", HTTP_ROUTE, columns=(_HOSTNAMES, AGE)),
    _gateway_api(
        "ReferenceGrant",
        "referencegrants",
        "v1beta1 v1alpha2",
        REFERENCE_GRANT,
        short_name="refgrant",
        has_status=False,
        deprecated=("v1alpha2",),
    ),
    _gateway_api("TCPRoute", "tcproutes", "v1alpha2", TCP_ROUTE),
    _gateway_api("TLSRoute", "tlsroutes", "v1alpha2", TLS_ROUTE),
    _gateway_api("UDPRoute", "udproutes", "v1alpha2"),
    _envoy_gateway(
        "Backend", "backends", "be", BACKEND, columns=(condition_column("Status", "Accepted", "reason"), AGE)
    ),
    _envoy_gateway("BackendTrafficPolicy", "backendtrafficpolicies", "btp", BACKEND_TRAFFIC_POLICY),
    _envoy_gateway("ClientTrafficPolicy", "clienttrafficpolicies", "ctp"),
    _envoy_gateway("EnvoyExtensionPolicy", "envoyextensionpolicies", "eep", categories=()),
    _envoy_gateway(
        "EnvoyPatchPolicy",
        "envoypatchpolicies",
        "epp",
        columns=(condition_column("Status", "Programmed", "reason"), AGE),
    ),
    _envoy_gateway("EnvoyProxy", "envoyproxies", "eproxy", ENVOY_PROXY, columns=()),
    _envoy_gateway("HTTPRouteFilter", "httproutefilters", "hrf", has_status=False),
    _envoy_gateway("SecurityPolicy", "securitypolicies", "sp", SECURITY_POLICY),
)

# Kinds that upstream has and the lab does not implement.
DENIED_KINDS = frozenset((each.group, each.kind) for each in _DEFINITIONS if each.schema is NAMED_ONLY)


def definitions() -> list[JsonObject]:
    """Return the CustomResourceDefinition objects, in the order in which the operator creates them."""
    return copy.deepcopy(_built())


@cache
def _built() -> list[JsonObject]:
    return [definition.custom_resource_definition() for definition in _DEFINITIONS]
