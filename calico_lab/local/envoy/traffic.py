"""What a traffic policy says in the action of a route; what it says of the endpoints stands in the cluster."""

from __future__ import annotations

from calico_lab.local.envoy.messages import duration, typed
from calico_lab.local.envoy.rate_limit import rate_limits
from calico_lab.local.gateway_api.traffic import ConsistentHash, Retry, Traffic
from calico_lab.local.wire import JsonObject

_LONGEST_IDLE_SECONDS = 3600.0


def route_action(traffic: Traffic, *, timeout: float | None = None, retry: Retry | None = None) -> JsonObject:
    """Return the fields of a RouteAction that come from a policy: hash_policy, timeout, retry_policy, rate_limits.

    ``timeout``, in seconds, and ``retry`` are the route's own, which go before those of the policy; a timeout of zero
    stands for none at all.
    """
    fields: JsonObject = {}
    if traffic.consistent_hash is not None:
        fields["hash_policy"] = [_hash_policy(traffic.consistent_hash)]
    timeout = traffic.request_timeout if timeout is None else timeout
    if timeout is not None:
        # A request that may take longer than Envoy's idle timeout must not be cut off by that.
        idle = max(_LONGEST_IDLE_SECONDS, timeout) if timeout else 0.0
        fields |= {"timeout": duration(timeout), "idle_timeout": duration(idle)}
    retry = retry or traffic.retry
    if retry is not None:
        fields["retry_policy"] = _retry_policy(retry)
    if traffic.rate_limit is not None and traffic.rate_limit.rules:
        fields["rate_limits"] = rate_limits(traffic.rate_limit)
    return fields


def _hash_policy(model: ConsistentHash) -> JsonObject:
    match model.source:
        case "Header":
            return {"header": {"header_name": model.name}}
        case "Cookie":
            cookie: JsonObject = {"name": model.name}
            if model.lifetime is not None:
                cookie["ttl"] = duration(model.lifetime)
            if model.attributes:
                cookie["attributes"] = [{"name": name, "value": value} for name, value in model.attributes]
            return {"cookie": cookie}
        case _:
            return {"connection_properties": {"source_ip": True}}


def _retry_policy(model: Retry) -> JsonObject:
    policy: JsonObject = {
        "retry_on": ",".join(model.triggers),
        "retriable_status_codes": list(model.statuses),
        "num_retries": model.number,
        # Another endpoint than those that failed, where there is one.
        "retry_host_predicate": [
            typed(
                "envoy.retry_host_predicates.previous_hosts",
                "extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
            )
        ],
        "host_selection_retry_max_attempts": 5,
    }
    if model.attempts_per_priority:
        policy["retry_priority"] = typed(
            "envoy.retry_priorities.previous_priorities",
            "extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
            update_frequency=model.attempts_per_priority,
        )
    if model.timeout is not None:
        policy["per_try_timeout"] = duration(model.timeout)
    intervals = {"base_interval": model.base_interval, "max_interval": model.maximum_interval}
    back_off = {name: duration(seconds) for name, seconds in intervals.items() if seconds is not None}
    return policy | ({"retry_back_off": back_off} if back_off else {})
