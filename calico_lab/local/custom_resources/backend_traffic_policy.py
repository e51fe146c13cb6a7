"""The schema of BackendTrafficPolicy (Envoy Gateway 1.5.9).

Fields that the lab does not implement stand here by their name alone: they are denied by it.
"""

from __future__ import annotations

from calico_lab.local.custom_resources.common import DURATION, POLICY_STATUS, PRECISE_HOSTNAME
from calico_lab.local.custom_resources.policy_targets import FIELDS, target_rules
from calico_lab.local.custom_resources.rules import Rule, rule
from calico_lab.local.custom_resources.structural import ANYTHING, flag, integer, listing, mapping, record, text
from calico_lab.local.wire import JsonObject

_TARGETS = ["Gateway", "HTTPRoute", "GRPCRoute", "UDPRoute", "TCPRoute", "TLSRoute"]
_TRIGGERS = [
    "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "retriable-4xx", "refused-stream",
    "retriable-status-codes", "cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
]  # fmt: skip

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

_LIMIT_MAXIMUM = 2**32 - 1


def _most(default: int | None = 1024) -> JsonObject:
    return integer(0, _LIMIT_MAXIMUM, form="int64", default=default)


_CIRCUIT_BREAKER = record(
    {
        "maxConnections": _most(),
        "maxParallelRequests": _most(),
        "maxParallelRetries": _most(),
        "maxPendingRequests": _most(),
        "maxRequestsPerConnection": _most(None),
        "perEndpoint": record({"maxConnections": _most()}),
    }
)


def _goes_with(kind: str, field: str, message: str) -> Rule:
    return rule(
        message,
        f"self.type == '{kind}' ? has(self.{field}) : !has(self.{field})",
        lambda value: (value["type"] == kind) == (field in value),
    )


_PAYLOAD = record(
    {"binary": text(form="byte"), "text": text(), "type": text(choices=["Text", "Binary"])},
    required=["type"],
    rules=[
        _goes_with(kind, kind.lower(), f"If payload type is {kind}, {kind.lower()} field needs to be set.")
        for kind in ("Text", "Binary")
    ],
)
_ACTIVE = record(
    {
        "grpc": record({"service": text()}),
        "healthyThreshold": integer(1, form="int32", default=1),
        "http": record(
            {
                "expectedResponse": _PAYLOAD,
                "expectedStatuses": listing(integer(100, 599)),
                "hostname": PRECISE_HOSTNAME,
                "method": text(),
                "path": text(minimum=1, maximum=1024),
            },
            required=["path"],
        ),
        "initialJitter": DURATION,
        "interval": DURATION | {"default": "3s"},
        "tcp": record({"receive": _PAYLOAD, "send": _PAYLOAD}),
        "timeout": DURATION | {"default": "1s"},
        "type": text(choices=["HTTP", "TCP", "GRPC"]),
        "unhealthyThreshold": integer(1, form="int32", default=3),
    },
    required=["type"],
    rules=[
        _goes_with("HTTP", "http", "If Health Checker type is HTTP, http field needs to be set."),
        _goes_with("TCP", "tcp", "If Health Checker type is TCP, tcp field needs to be set."),
        rule(
            "The grpc field can only be set if the Health Checker type is GRPC.",
            "has(self.grpc) ? self.type == 'GRPC' : true",
            lambda value: "grpc" not in value or value["type"] == "GRPC",
        ),
    ],
)
_PASSIVE = record(
    {
        "baseEjectionTime": DURATION | {"default": "30s"},
        "consecutive5XxErrors": integer(form="int32", default=5),
        "consecutiveGatewayErrors": integer(form="int32", default=0),
        "consecutiveLocalOriginFailures": integer(form="int32", default=5),
        "interval": DURATION | {"default": "3s"},
        "maxEjectionPercent": integer(form="int32", default=10),
        "splitExternalLocalOriginErrors": flag() | {"default": False},
    }
)
_HEALTH_CHECK = record(
    {"active": _ACTIVE, "panicThreshold": integer(0, 100, form="int32"), "passive": _PASSIVE},
)

_CLIENT = record(
    {
        "headers": listing(
            record(
                {
                    "invert": flag() | {"default": False},
                    "name": text(minimum=1, maximum=256),
                    "type": text(choices=["Exact", "RegularExpression", "Distinct"], default="Exact"),
                    "value": text(maximum=1024),
                },
                required=["name"],
            ),
            maximum=16,
        ),
        "sourceCIDR": record(
            {
                "type": text(choices=["Exact", "Distinct"], default="Exact"),
                "value": text(minimum=1, maximum=256),
            },
            required=["value"],
        ),
    }
)
_LIMIT = record(
    {
        "requests": integer(),
        "unit": text(choices=["Second", "Minute", "Hour", "Day", "Month", "Year"]),
    },
    required=["requests", "unit"],
)
_RATE_LIMIT = record(
    {
        "global": ANYTHING,
        "local": record(
            {
                "rules": listing(
                    record(
                        {
                            "clientSelectors": listing(_CLIENT, maximum=8),
                            "cost": ANYTHING,
                            "limit": _LIMIT,
                            "shared": flag(),
                        },
                        required=["limit"],
                    ),
                    maximum=16,
                )
            }
        ),
        "type": text(choices=["Global", "Local"]),
    },
    required=["type"],
)
_RETRY = record(
    {
        "numAttemptsPerPriority": integer(form="int32"),
        "numRetries": integer(0, form="int32", default=2),
        "perRetry": record(
            {"backOff": record({"baseInterval": DURATION, "maxInterval": DURATION}), "timeout": DURATION}
        ),
        "retryOn": record(
            {"httpStatusCodes": listing(integer(100, 599)), "triggers": listing(text(choices=_TRIGGERS))}
        ),
    }
)
_TIMEOUT = record(
    {
        "http": record(
            {"connectionIdleTimeout": DURATION, "maxConnectionDuration": DURATION, "requestTimeout": DURATION}
        ),
        "tcp": record({"connectTimeout": DURATION}),
    }
)
_BY_NAME_ALONE = (
    "compression", "connection", "dns", "faultInjection", "http2", "httpUpgrade", "proxyProtocol", "requestBuffer",
    "responseOverride", "tcpKeepalive", "telemetry", "useClientProtocol",
)  # fmt: skip

BACKEND_TRAFFIC_POLICY = record(
    {
        "spec": record(
            {
                **dict.fromkeys(_BY_NAME_ALONE, ANYTHING),
                **FIELDS,
                "circuitBreaker": _CIRCUIT_BREAKER,
                "healthCheck": _HEALTH_CHECK,
                "loadBalancer": _LOAD_BALANCER,
                "mergeType": text(),
                "rateLimit": _RATE_LIMIT,
                "retry": _RETRY,
                "timeout": _TIMEOUT,
            },
            rules=target_rules(_TARGETS, "Gateway/HTTPRoute/GRPCRoute/TCPRoute/UDPRoute/TLSRoute", sections=False),
        ),
        "status": POLICY_STATUS,
    },
    required=["spec"],
)
