"""Schemas of BackendTrafficPolicy and EnvoyProxy (Envoy Gateway 1.5.9).

Fields that the lab does not implement stand here by their name alone: they are denied by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calico_lab.local.custom_resources.common import (
    DURATION,
    GATEWAY_GROUP,
    NAME,
    POLICY_STATUS,
    SECTION_NAME,
    SELECTOR,
    group,
    kind,
)
from calico_lab.local.custom_resources.rules import Rule, rule
from calico_lab.local.custom_resources.structural import ANYTHING, flag, integer, listing, mapping, record, text

_TARGETS = ["Gateway", "HTTPRoute", "GRPCRoute", "UDPRoute", "TCPRoute", "TLSRoute"]
_TARGET = record(
    {"group": group(), "kind": kind(), "name": NAME, "sectionName": SECTION_NAME}, required=["group", "kind", "name"]
)

_TARGET_SELECTOR = record(
    {
        "group": group(GATEWAY_GROUP),
        "kind": kind(),
        "matchExpressions": SELECTOR["properties"]["matchExpressions"],
        "matchLabels": SELECTOR["properties"]["matchLabels"],
    },
    required=["kind"],
    rules=[
        rule(
            f"group must be {GATEWAY_GROUP}",
            f"self.group == '{GATEWAY_GROUP}'",
            lambda selector: selector["group"] == GATEWAY_GROUP,
        )
    ],
)


def _targets(policy: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    value = policy.get(field) or []
    return value if isinstance(value, list) else [value]


def _target_rules(field: str, shown: str, whole: str) -> list[Rule]:
    """Return the rules about the targets in one field; ``shown`` is how messages write it, ``whole`` its CEL list."""
    return [
        rule(
            f"this policy can only have a {shown}.group of {GATEWAY_GROUP}",
            f"{whole}.all(t, t.group == '{GATEWAY_GROUP}')",
            lambda policy: all(target["group"] == GATEWAY_GROUP for target in _targets(policy, field)),
        ),
        rule(
            f"this policy can only have a {shown}.kind of Gateway/HTTPRoute/GRPCRoute/TCPRoute/UDPRoute/TLSRoute",
            f"{whole}.all(t, t.kind in {_TARGETS})",
            lambda policy: all(target["kind"] in _TARGETS for target in _targets(policy, field)),
        ),
        rule(
            "this policy does not yet support the sectionName field",
            f"{whole}.all(t, !has(t.sectionName))",
            lambda policy: not any("sectionName" in target for target in _targets(policy, field)),
        ),
    ]


_HASH = record(
    {
        "cookie": record({"attributes": mapping(text()), "name": text(), "ttl": DURATION}, required=["name"]),
        "header": record({"name": text()}, required=["name"]),
        "tableSize": integer(2, 5_000_011, form="int64", default=65537),
        "type": text(choices=["SourceIP", "Header", "Cookie"]),
    },
    required=["type"],
    rules=[
        rule(
            f"If consistent hash type is {name}, the {name} field must be set.",
            f"(self.type == '{name.capitalize()}') == has(self.{name})",
            lambda value, name=name: (value["type"] == name.capitalize()) == (name in value),  # type: ignore[misc]
        )
        for name in ("header", "cookie")
    ],
)

_LOAD_BALANCER = record(
    {
        "consistentHash": _HASH,
        "endpointOverride": record(
            {"extractFrom": listing(record({"header": text()}), minimum=1, maximum=10)}, required=["extractFrom"]
        ),
        "slowStart": record({"window": DURATION}, required=["window"]),
        "type": text(choices=["ConsistentHash", "LeastRequest", "Random", "RoundRobin"]),
        "zoneAware": record(
            {
                "preferLocal": record(
                    {
                        "force": record({"minEndpointsInZoneThreshold": integer(form="int32")}),
                        "minEndpointsThreshold": integer(form="int64"),
                    }
                )
            }
        ),
    },
    required=["type"],
    rules=[
        rule(
            "If LoadBalancer type is consistentHash, consistentHash field needs to be set.",
            "(self.type == 'ConsistentHash') == has(self.consistentHash)",
            lambda value: (value["type"] == "ConsistentHash") == ("consistentHash" in value),
        ),
        rule(
            "Currently SlowStart is only supported for RoundRobin and LeastRequest load balancers.",
            "!(self.type in ['Random', 'ConsistentHash']) || !has(self.slowStart)",
            lambda value: value["type"] not in ("Random", "ConsistentHash") or "slowStart" not in value,
        ),
        rule(
            "Currently ZoneAware is only supported for LeastRequest, Random, and RoundRobin load balancers.",
            "self.type != 'ConsistentHash' || !has(self.zoneAware)",
            lambda value: value["type"] != "ConsistentHash" or "zoneAware" not in value,
        ),
    ],
)

_POLICY_FIELDS_BY_NAME_ALONE = (
    "circuitBreaker", "compression", "connection", "dns", "faultInjection", "healthCheck", "http2", "httpUpgrade",
    "mergeType", "proxyProtocol", "rateLimit", "requestBuffer", "responseOverride", "retry", "tcpKeepalive",
    "telemetry", "timeout", "useClientProtocol",
)  # fmt: skip

BACKEND_TRAFFIC_POLICY = record(
    {
        "spec": record(
            {
                **dict.fromkeys(_POLICY_FIELDS_BY_NAME_ALONE, ANYTHING),
                "loadBalancer": _LOAD_BALANCER,
                "targetRef": _TARGET,
                "targetRefs": listing(_TARGET),
                "targetSelectors": listing(_TARGET_SELECTOR),
            },
            rules=[
                rule(
                    "either targetRef or targetRefs must be used",
                    "has(self.targetRef) != has(self.targetRefs) || size(self.?targetSelectors.orValue([])) > 0",
                    lambda policy: (
                        ("targetRef" in policy) != ("targetRefs" in policy) or bool(policy.get("targetSelectors"))
                    ),
                ),
                *_target_rules("targetRef", "targetRef", "(has(self.targetRef) ? [self.targetRef] : [])"),
                *_target_rules("targetRefs", "targetRefs[*]", "self.?targetRefs.orValue([])"),
            ],
        ),
        "status": POLICY_STATUS,
    },
    required=["spec"],
)

_PROVIDER = record(
    {
        "kubernetes": record(
            {
                "envoyDaemonSet": ANYTHING,
                "envoyDeployment": record(
                    {
                        **dict.fromkeys(("initContainers", "name", "patch", "pod", "strategy"), ANYTHING),
                        "container": record({"image": text()}) | ANYTHING,
                        "replicas": integer(form="int32"),
                    }
                ),
                **dict.fromkeys(("envoyHpa", "envoyPDB", "envoyService", "useListenerPortAsContainerPort"), ANYTHING),
            },
            rules=[
                rule(
                    "only one of envoyDeployment or envoyDaemonSet can be specified",
                    "!has(self.envoyDeployment) || !has(self.envoyDaemonSet)",
                    lambda value: "envoyDeployment" not in value or "envoyDaemonSet" not in value,
                )
            ],
        ),
        "type": text(choices=["Kubernetes", "Custom"]),
    },
    required=["type"],
)

_PROXY_FIELDS_BY_NAME_ALONE = (
    "backendTLS", "bootstrap", "extraArgs", "filterOrder", "ipFamily", "luaValidation", "routingType", "shutdown",
    "telemetry",
)  # fmt: skip

ENVOY_PROXY = record(
    {
        "spec": record(
            {
                **dict.fromkeys(_PROXY_FIELDS_BY_NAME_ALONE, ANYTHING),
                "concurrency": integer(form="int32"),
                "logging": record(
                    {
                        "level": mapping(text(choices=["trace", "debug", "info", "warn", "error"]))
                        | {"default": {"default": "warn"}}
                    },
                    default={"level": {"default": "warn"}},
                ),
                "mergeGateways": flag(),
                "preserveRouteOrder": flag(),
                "provider": _PROVIDER,
            }
        ),
        "status": ANYTHING | {"type": "object"},
    }
)
