"""From the rate limit of a BackendTrafficPolicy to its limits; checks and words are those of Envoy Gateway 1.5.9."""

from __future__ import annotations

import ipaddress

from calico_lab.local.gateway_api.matches import check_expression
from calico_lab.local.gateway_api.traffic import AddressSelector, HeaderSelector, Limit, RateLimit, RateLimitRule
from calico_lab.local.wire import JsonObject

_SECONDS = {
    "Second": 1,
    "Minute": 60,
    "Hour": 3600,
    "Day": 86400,
    "Month": 30 * 86400,
    "Year": 365 * 86400,
}
_UNLIMITED = Limit(2**32 - 1, 1)


def rate_limit(spec: JsonObject) -> RateLimit:
    """Return the local rate limit of a policy; raises ``ValueError`` where it is not valid."""
    if spec.get("local") is None:
        raise ValueError("local configuration empty for rateLimit")
    rules = spec["local"].get("rules") or []
    without_selectors = [rule for rule in rules if not rule.get("clientSelectors")]
    if len(without_selectors) > 1:
        raise ValueError("local rateLimit can not have more than one rule without clientSelectors")
    default = _limit(without_selectors[0]) if without_selectors else _UNLIMITED
    return checked(RateLimit(default, tuple(_rule(rule) for rule in rules if rule.get("clientSelectors"))))


def checked(limit: RateLimit) -> RateLimit:
    """Return a limit; raises ``ValueError`` where its rules don't go together."""
    if any(rule.limit.seconds % limit.default.seconds for rule in limit.rules):
        raise ValueError("local rateLimit rule limit unit must be a multiple of the default limit unit")
    networks = [rule.addresses for rule in limit.rules if not rule.headers]
    if len(networks) != len(set(networks)):
        raise ValueError("two rules of the local rateLimit are for the same sourceCIDR")
    return limit


def _limit(rule: JsonObject) -> Limit:
    requests = rule["limit"]["requests"]
    # Upstream this goes on to Envoy, which refuses it.
    if not 0 < requests < 2**32:
        raise ValueError(f"invalid Requests value {requests}")
    return Limit(requests, _SECONDS[rule["limit"]["unit"]])


def _rule(rule: JsonObject) -> RateLimitRule:
    headers: list[HeaderSelector] = []
    addresses = None
    for selector in rule["clientSelectors"]:
        network = selector.get("sourceCIDR")
        if not selector.get("headers") and network is None:
            text = "unable to translate rateLimit. At least one of the header or sourceCIDR must be specified"
            raise ValueError(text)
        headers += [_header(header) for header in selector.get("headers") or []]
        if network is not None:
            addresses = _addresses(network)
    return RateLimitRule(_limit(rule), tuple(headers), addresses)


def _header(spec: JsonObject) -> HeaderSelector:
    kind, value, inverted = spec.get("type", "Exact"), spec.get("value"), spec.get("invert", False)
    if (kind == "Distinct") != (value is None):
        text = "unable to translate rateLimit. Either the header.Type is not valid or the header is missing a value"
        raise ValueError(text)
    if value is None and inverted:
        text = "unable to translate rateLimit.Invert is not applicable for distinct header match type"
        raise ValueError(text)
    if kind == "RegularExpression" and value is not None:
        check_expression(value)
    if not spec["name"].isprintable():
        raise ValueError(f"unable to translate rateLimit: invalid header name {spec['name']!r}")
    return HeaderSelector(spec["name"], value, kind == "RegularExpression", inverted)


def _addresses(spec: JsonObject) -> AddressSelector:
    text = spec["value"]
    try:
        network = ipaddress.ip_network(text, strict=False)
        if "/" not in text:
            raise ValueError
    except ValueError:
        raise ValueError(f"unable to translate rateLimit: invalid CIDR address: {text}") from None
    return AddressSelector(str(network), network.prefixlen, network.version, spec.get("type") == "Distinct")
