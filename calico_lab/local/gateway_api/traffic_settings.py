"""From the spec of a BackendTrafficPolicy to what it asks for, or to what is wrong with it.

Checks and words are those of Envoy Gateway 1.5.9. Where that passes on what Envoy then refuses to load, with the
whole Gateway's configuration, the fault stands in the condition here.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from calico_lab.local.gateway_api.conditions import sentence
from calico_lab.local.gateway_api.durations import optional_seconds, seconds
from calico_lab.local.gateway_api.rate_limits import rate_limit
from calico_lab.local.gateway_api.traffic import (
    ActiveHealthCheck,
    CircuitBreaker,
    ConsistentHash,
    PassiveHealthCheck,
    Retry,
    Traffic,
)
from calico_lab.local.wire import JsonObject

# What Envoy takes for the name or the value of a header or a cookie.
_ONE_LINE = re.compile(r"[^\x00\r\n]*")
# Envoy makes room for as many tries beforehand, and dies where it gets none.
_MOST_RETRIES = 100_000
_METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS", "TRACE", "PATCH")


def traffic(spec: JsonObject) -> Traffic:
    """Return what the spec of a policy asks for; with a ``fault``, a condition's message, where it is not valid."""
    faults: list[str] = []

    def read(field: str, prefix: str, build: Callable[[JsonObject], Any]) -> Any:
        try:
            return build(spec[field]) if spec.get(field) is not None else None
        except ValueError as error:
            faults.append(f"{prefix}: {error}")
            return None

    limit = read("rateLimit", "RateLimit", rate_limit)
    balancing = read("loadBalancer", "LoadBalancer", _load_balancer) or {}
    health = read("healthCheck", "HealthCheck", _health_checks) or {}
    breaker = read("circuitBreaker", "CircuitBreaker", _circuit_breaker) or CircuitBreaker()
    retry = read("retry", "Retry", _retry)
    timeouts = read("timeout", "Timeout", _timeouts) or {}
    return Traffic(
        **balancing,
        **health,
        **timeouts,
        circuit_breaker=breaker,
        retry=retry,
        rate_limit=limit,
        fault=sentence("\n".join(faults)) if faults else "",
    )


def _load_balancer(spec: JsonObject) -> JsonObject:
    found: JsonObject = {"load_balancer": spec["type"]}
    if "consistentHash" in spec:
        found["consistent_hash"] = _consistent_hash(spec["consistentHash"])
    if "slowStart" in spec:
        found["slow_start"] = seconds(spec["slowStart"]["window"])
    return found


def _consistent_hash(spec: JsonObject) -> ConsistentHash:
    size = spec.get("tableSize", 65537)
    if not _is_prime(size):
        raise ValueError(f"ConsistentHash: invalid TableSize value {size}")
    chosen = spec.get(spec["type"].lower()) or {}
    if spec["type"] != "SourceIP" and not chosen["name"]:
        raise ValueError(f"ConsistentHash: the {spec['type'].lower()} has no name")
    attributes = chosen.get("attributes") or {}
    if "" in attributes or not _in_one_line(chosen.get("name", ""), *attributes, *attributes.values()):
        raise ValueError(f"ConsistentHash: invalid {spec['type'].lower()} {chosen}")
    return ConsistentHash(
        spec["type"],
        name=chosen.get("name", ""),
        lifetime=optional_seconds(chosen.get("ttl")),
        attributes=tuple(sorted(attributes.items())),
        table_size=size,
    )


def _in_one_line(*texts: str) -> bool:
    return all(_ONE_LINE.fullmatch(text) for text in texts)


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % factor for factor in range(2, int(number**0.5) + 1))


def _health_checks(spec: JsonObject) -> JsonObject:
    active, passive = spec.get("active"), spec.get("passive")
    return {
        "active_health_check": _active(active) if active is not None else None,
        "passive_health_check": _passive(passive) if passive is not None else None,
        "panic_threshold": spec.get("panicThreshold"),
    }


def _active(spec: JsonObject) -> ActiveHealthCheck:
    http, tcp = spec.get("http") or {}, spec.get("tcp") or {}
    method = http.get("method", "").upper()
    if not _in_one_line(http.get("path", "")):
        raise ValueError(f"invalid HTTPHealthChecker.Path {http['path']!r}")
    if method and method not in _METHODS:
        raise ValueError(f"only one of the {', '.join(_METHODS)} of HTTPHealthChecker.Method could be set")
    return ActiveHealthCheck(
        timeout=_positive(spec.get("timeout", "1s"), "HealthCheck.Timeout"),
        interval=_positive(spec.get("interval", "3s"), "HealthCheck.Interval"),
        initial_jitter=optional_seconds(spec.get("initialJitter")),
        unhealthy_threshold=spec.get("unhealthyThreshold", 3),
        healthy_threshold=spec.get("healthyThreshold", 1),
        path=http.get("path", ""),
        method=method,
        hostname=http.get("hostname", ""),
        expected_statuses=tuple(sorted(set(http.get("expectedStatuses") or [200]))),
        send=_payload(tcp.get("send")),
        receive=_payload(tcp.get("receive") or http.get("expectedResponse")),
    )


def _payload(spec: JsonObject | None) -> str:
    if spec is None:
        return ""
    content: str = spec.get("binary") or base64.b64encode((spec.get("text") or "").encode()).decode()
    try:
        payload = base64.b64decode(content, validate=True)
    except binascii.Error:
        raise ValueError(f"invalid Binary payload {content!r}: it is not base64") from None
    if not payload:
        raise ValueError("one of Text, Binary fields must be set in payload")
    return content


def _passive(spec: JsonObject) -> PassiveHealthCheck:
    for field in ("consecutive5XxErrors", "consecutiveGatewayErrors", "consecutiveLocalOriginFailures"):
        if spec.get(field, 0) < 0:
            raise ValueError(f"invalid {field} value {spec[field]}")
    return PassiveHealthCheck(
        interval=_positive(spec.get("interval", "3s"), "OutlierDetection.Interval"),
        consecutive_5xx=spec.get("consecutive5XxErrors", 5),
        consecutive_gateway_errors=spec.get("consecutiveGatewayErrors", 0),
        consecutive_local_failures=spec.get("consecutiveLocalOriginFailures", 5),
        split_local_failures=spec.get("splitExternalLocalOriginErrors", False),
        base_ejection=_positive(spec.get("baseEjectionTime", "30s"), "OutlierDetection.BaseEjectionTime"),
        maximum_ejection_percent=_percent(spec.get("maxEjectionPercent", 10)),
    )


def _percent(value: int) -> int:
    if value > 100:
        raise ValueError(f"MaxEjectionPercent value {value} is outside of 0-100 range")
    return max(value, 0)


def _positive(text: str, field: str) -> float:
    found = seconds(text)
    if not found:
        raise ValueError(f"field {field} must be specified")
    return found


def _circuit_breaker(spec: JsonObject) -> CircuitBreaker:
    return CircuitBreaker(
        connections=spec.get("maxConnections"),
        pending_requests=spec.get("maxPendingRequests"),
        parallel_requests=spec.get("maxParallelRequests"),
        parallel_retries=spec.get("maxParallelRetries", 1024),
        requests_per_connection=spec.get("maxRequestsPerConnection"),
        connections_per_endpoint=(spec.get("perEndpoint") or {}).get("maxConnections"),
    )


def _retry(spec: JsonObject) -> Retry:
    defaults = Retry()
    retry_on, per_retry = spec.get("retryOn"), spec.get("perRetry") or {}
    base, maximum = (
        optional_seconds((per_retry.get("backOff") or {}).get(field)) for field in ("baseInterval", "maxInterval")
    )
    if maximum is not None and base is None:
        raise ValueError("maxInterval cannot be set without baseInterval")
    if base == 0:
        raise ValueError("baseInterval cannot be set to 0s")
    if maximum == 0:
        raise ValueError("maxInterval cannot be set to 0s")
    if base is not None and maximum is not None and base > maximum:
        raise ValueError("maxInterval cannot be less than baseInterval")
    number, attempts = spec.get("numRetries", defaults.number), spec.get("numAttemptsPerPriority")
    if attempts is not None and (attempts < 1 or number > _MOST_RETRIES):
        raise ValueError(f"invalid numAttemptsPerPriority {attempts} with {number} retries")
    triggers, statuses = defaults.triggers, defaults.statuses
    if retry_on and ("triggers" in retry_on or "httpStatusCodes" in retry_on):
        triggers = tuple(sorted(set(retry_on.get("triggers") or []))) or triggers
        statuses = tuple(sorted(set(retry_on.get("httpStatusCodes") or [])))
    return Retry(
        number=number,
        triggers=triggers,
        statuses=statuses,
        attempts_per_priority=attempts,
        timeout=optional_seconds(per_retry.get("timeout")),
        base_interval=base,
        maximum_interval=maximum,
    )


def _timeouts(spec: JsonObject) -> JsonObject:
    tcp, http = spec.get("tcp") or {}, spec.get("http") or {}
    connect = tcp.get("connectTimeout")
    if connect is not None and not seconds(connect):
        raise ValueError(f"invalid ConnectTimeout value {connect}")
    return {
        "connect_timeout": optional_seconds(connect),
        "request_timeout": optional_seconds(http.get("requestTimeout")),
        "connection_idle_timeout": optional_seconds(http.get("connectionIdleTimeout")),
        "connection_duration": optional_seconds(http.get("maxConnectionDuration")),
    }
