"""BackendTrafficPolicies: what applies to which route, with a route's policy merged into its Gateway's on demand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from calico_lab.local.gateway_api.conditions import sentence
from calico_lab.local.gateway_api.policies import Attachments, Target
from calico_lab.local.gateway_api.rate_limits import checked
from calico_lab.local.gateway_api.references import gateway_of
from calico_lab.local.gateway_api.traffic import RateLimit, Traffic
from calico_lab.local.gateway_api.traffic_settings import traffic
from calico_lab.local.gateway_api.world import ObjectName, name_of
from calico_lab.local.wire import JsonObject

# Each backend whose endpoints a proxy remembers something about costs that proxy an inotify instance; Linux gives a
# user 128, for every lab and every other program of theirs.
MAXIMUM_REMEMBERED_BACKENDS = 32
_TOO_MANY = (
    f"The local lab has slow start and health checks for {MAXIMUM_REMEMBERED_BACKENDS} backendRefs at the most, and "
    "older policies take them up."
)


class TrafficPolicies(Attachments[Traffic]):
    """The BackendTrafficPolicies in force."""

    def __init__(self) -> None:
        super().__init__("BackendTrafficPolicy", "backendTrafficPolicies", _read)
        self._beyond_memory: set[ObjectName] = set()

    def traffic(self, route: Target, gateway: ObjectName) -> Traffic:
        """Return how requests to a route by way of a Gateway are to be spread."""
        found = self.applying(route, gateway)
        if found is None:
            return Traffic()
        settings = self.read(*found)
        return replace(settings, fault=_TOO_MANY) if name_of(found[0]) in self._beyond_memory else settings

    def attach(
        self, policies: Iterable[JsonObject], routes: Mapping[Target, JsonObject], gateways: Mapping[Target, JsonObject]
    ) -> None:
        """Attach policies to the routes and Gateways that are ours, and refuse those for which there is no memory."""
        super().attach(policies, routes, gateways)
        needed: dict[ObjectName, int] = {}
        users: dict[ObjectName, JsonObject] = {}
        for target, route in routes.items():
            for gateway in _gateways(route):
                found = self.applying(target, gateway) if ("Gateway", gateway) in gateways else None
                if found is not None and self.read(*found).remembers_endpoints:
                    name = name_of(found[0])
                    users[name] = found[0]
                    needed[name] = needed.get(name, 0) + _backends(route)
        taken = 0
        for name in sorted(users, key=lambda name: (users[name]["metadata"].get("creationTimestamp", ""), str(name))):
            taken += needed[name]
            if taken > MAXIMUM_REMEMBERED_BACKENDS:
                self._beyond_memory.add(name)
                self.ancestors.refuse(users[name], self.ancestors.of(users[name]), _TOO_MANY)


def _gateways(route: JsonObject) -> set[ObjectName]:
    namespace = route["metadata"]["namespace"]
    found = (gateway_of(reference, namespace) for reference in route["spec"].get("parentRefs") or [])
    return {gateway for gateway in found if gateway is not None}


def _backends(route: JsonObject) -> int:
    """Return of how many backends the endpoints are apart, at the most."""
    return sum(len(rule.get("backendRefs") or []) for rule in route["spec"].get("rules") or [])


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
