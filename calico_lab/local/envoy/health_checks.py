"""How a cluster finds out that an endpoint is not well: by asking it, and by how it answers clients."""

from __future__ import annotations

from collections.abc import Iterable

from calico_lab.local.envoy.messages import duration
from calico_lab.local.gateway_api.traffic import ActiveHealthCheck, PassiveHealthCheck
from calico_lab.local.wire import JsonObject


def health_check(model: ActiveHealthCheck) -> JsonObject:
    """Return the active health check (config.core.v3.HealthCheck)."""
    jitter = {} if model.initial_jitter is None else {"initial_jitter": duration(model.initial_jitter)}
    return {
        "timeout": duration(model.timeout),
        "interval": duration(model.interval),
        "unhealthy_threshold": model.unhealthy_threshold,
        "healthy_threshold": model.healthy_threshold,
        **jitter,
        **({"http_health_check": _http(model)} if model.path else {"tcp_health_check": _tcp(model)}),
    }


def _http(model: ActiveHealthCheck) -> JsonObject:
    fields: JsonObject = {
        "path": model.path,
        "expected_statuses": list(_ranges(model.expected_statuses)),
    }
    if model.hostname:
        fields["host"] = model.hostname
    if model.method:
        fields["method"] = model.method
    if model.receive:
        fields["receive"] = [{"binary": model.receive}]
    return fields


def _tcp(model: ActiveHealthCheck) -> JsonObject:
    send = {"send": {"binary": model.send}} if model.send else {}
    receive = {"receive": [{"binary": model.receive}]} if model.receive else {}
    return send | receive


def _ranges(statuses: Iterable[int]) -> list[JsonObject]:
    """Return the ranges of statuses, without their ends; they come in ascending order."""
    ranges: list[JsonObject] = []
    for status in statuses:
        if ranges and ranges[-1]["end"] == status:
            ranges[-1]["end"] += 1
        else:
            ranges.append({"start": status, "end": status + 1})
    return ranges


def outlier_detection(model: PassiveHealthCheck) -> JsonObject:
    """Return the passive health check (config.cluster.v3.OutlierDetection)."""
    counts = {
        "consecutive_5xx": model.consecutive_5xx,
        "consecutive_gateway_failure": model.consecutive_gateway_errors,
        "consecutive_local_origin_failure": model.consecutive_local_failures,
        # Zero leaves it to Envoy, which takes 10 %.
        "max_ejection_percent": model.maximum_ejection_percent or None,
    }
    return {
        "interval": duration(model.interval),
        "base_ejection_time": duration(model.base_ejection),
        "split_external_local_origin_errors": model.split_local_failures,
        **{name: count for name, count in counts.items() if count is not None},
    }
