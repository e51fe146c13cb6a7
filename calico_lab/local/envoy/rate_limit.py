"""The local rate limit of a route: token buckets that one proxy keeps by itself.

Rules are descriptors (https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/local_rate_limit_filter):
the route's actions write down what a request is, and the bucket of the descriptor that is the same counts it.
"""

from __future__ import annotations

from collections.abc import Iterator

from calico_lab.local.envoy.messages import duration, type_url
from calico_lab.local.gateway_api.traffic import AddressSelector, HeaderSelector, Limit, RateLimit, RateLimitRule
from calico_lab.local.wire import JsonObject

FILTER_NAME = "envoy.filters.http.local_ratelimit"
_TYPE = {"@type": type_url("extensions.filters.http.local_ratelimit.v3.LocalRateLimit")}
_STATISTICS = {"stat_prefix": "http_local_rate_limiter"}
_ALWAYS = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}


def unlimited() -> JsonObject:
    """Return the filter's configuration where no limit applies."""
    return {**_TYPE, **_STATISTICS, "max_dynamic_descriptors": 10000}


def local_rate_limit(model: RateLimit) -> JsonObject:
    """Return the filter's configuration for a route."""
    return {
        **_TYPE,
        **_STATISTICS,
        "token_bucket": _token_bucket(model.default),
        "filter_enabled": _ALWAYS,
        "filter_enforced": _ALWAYS,
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
        "descriptors": [
            {"entries": [entry for entry, _ in _entries(index, rule)], "token_bucket": _token_bucket(rule.limit)}
            for index, rule in enumerate(model.rules)
        ],
        # A request that a rule counts does not count for the default as well.
        "always_consume_default_token_bucket": False,
    }


def rate_limits(model: RateLimit) -> list[JsonObject]:
    """Return what a route writes down of its requests (RouteAction.rate_limits)."""
    return [{"actions": [action for _, action in _entries(index, rule)]} for index, rule in enumerate(model.rules)]


def _token_bucket(limit: Limit) -> JsonObject:
    return {
        "max_tokens": limit.requests,
        "tokens_per_fill": limit.requests,
        "fill_interval": duration(limit.seconds),
    }


def _entries(index: int, rule: RateLimitRule) -> Iterator[tuple[JsonObject, JsonObject]]:
    """Yield each entry of a rule's descriptor with the action that writes it."""
    for number, header in enumerate(rule.headers):
        yield _header(f"rule-{index}-match-{number}", header)
    if rule.addresses is not None:
        yield _network(rule.addresses)
        if rule.addresses.distinct:
            yield {"key": "remote_address"}, {"remote_address": {}}


def _header(key: str, header: HeaderSelector) -> tuple[JsonObject, JsonObject]:
    if header.value is None:
        return {"key": key}, {"request_headers": {"header_name": header.name, "descriptor_key": key}}
    value = {"safe_regex": {"regex": header.value}} if header.regular_expression else {"exact": header.value}
    action = {
        "descriptor_key": key,
        "descriptor_value": key,
        "expect_match": not header.inverted,
        "headers": [{"name": header.name, "string_match": value}],
    }
    return {"key": key, "value": key}, {"header_value_match": action}


def _network(selector: AddressSelector) -> tuple[JsonObject, JsonObject]:
    masked = {f"v{selector.version}_prefix_mask_len": selector.prefix_length}
    return {"key": "masked_remote_address", "value": selector.network}, {"masked_remote_address": masked}
