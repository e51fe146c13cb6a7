"""BackendTrafficPolicies: what applies to which route, with a route's policy merged into its Gateway's on demand."""

from __future__ import annotations

from dataclasses import replace

from calico_lab.local.gateway_api.conditions import sentence
from calico_lab.local.gateway_api.policies import Attachments, Target
from calico_lab.local.gateway_api.rate_limits import checked
from calico_lab.local.gateway_api.traffic import RateLimit, Traffic
from calico_lab.local.gateway_api.traffic_settings import traffic
from calico_lab.local.gateway_api.world import ObjectName
from calico_lab.local.wire import JsonObject


class TrafficPolicies(Attachments[Traffic]):
    """The BackendTrafficPolicies in force."""

    def __init__(self) -> None:
        super().__init__("BackendTrafficPolicy", "backendTrafficPolicies", _read)

    def traffic(self, route: Target, gateway: ObjectName) -> Traffic:
        """Return how requests to a route by way of a Gateway are to be spread."""
        found = self.applying(route, gateway)
        return Traffic() if found is None else self.read(*found)


def _read(policy: JsonObject, merged_with: JsonObject | None) -> Traffic:
    own = traffic(policy["spec"])
    if merged_with is None:
        return own
    wide = traffic(merged_with["spec"])
    settings = traffic(_merged(merged_with["spec"], policy["spec"]))
    strategic = policy["spec"]["mergeType"] == "StrategicMerge"
    try:
        return replace(settings, rate_limit=_merged_limits(wide.rate_limit, own.rate_limit, strategic=strategic))
    except ValueError as error:
        return replace(settings, fault=settings.fault or sentence(f"RateLimit: {error}"))


def _merged(original: JsonObject, patch: JsonObject) -> JsonObject:
    """Return a JSON merge patch (RFC 7396) applied; a strategic one does the same to the fields that the lab has."""
    result = dict(original)
    for key, value in patch.items():
        before = result.get(key)
        result[key] = _merged(before, value) if isinstance(value, dict) and isinstance(before, dict) else value
    return result


def _merged_limits(wide: RateLimit | None, own: RateLimit | None, *, strategic: bool) -> RateLimit | None:
    """Return the limits of both: a strategic merge keeps the Gateway's rules beside the route's."""
    if wide is None or own is None:
        return own or wide
    if not strategic:
        return checked(replace(own, rules=own.rules or wide.rules))
    return checked(replace(own, rules=own.rules + wide.rules))
