"""Which policy of a kind applies to which route, and what the policies' statuses say.

A policy on a route takes the place of one on its Gateway, or is merged with it where it asks for that; of two on the
same target the older wins. A policy whose targets do not exist, or are not ours, gets no status: that is how Envoy
Gateway 1.5.9 says it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, Protocol, TypeVar

from calico_lab.local.gateway_api.ancestors import Ancestors, ancestor, ancestors_of
from calico_lab.local.gateway_api.references import selector_matches
from calico_lab.local.gateway_api.world import ObjectName, name_of, oldest_first
from calico_lab.local.wire import JsonObject

# What a policy can be attached to: (kind, name).
Target = tuple[str, ObjectName]
# The routes at each Gateway.
RoutesAt = dict[ObjectName, set[ObjectName]]


class Settings(Protocol):
    """What a policy asks for."""

    @property
    def fault(self) -> str:
        """Why it can't be applied: a condition's message, empty where it can."""


S = TypeVar("S", bound=Settings)


class Attachments(Generic[S]):
    """The policies of a kind that are in force, by target, and the conditions of every policy.

    ``read`` makes settings of a policy and of the Gateway's that it is to be merged with, if any.
    """

    def __init__(self, kind: str, plural: str, read: Callable[[JsonObject, JsonObject | None], S]) -> None:
        self.kind, self.plural = kind, plural
        self.policies: dict[Target, JsonObject] = {}
        self.ancestors = Ancestors()
        self._read = read
        self._settings: dict[tuple[ObjectName, ObjectName | None], S] = {}

    def settings(self, route: Target, gateway: ObjectName) -> S | None:
        """Return what applies to a route by way of a Gateway, None without a policy."""
        found = self.applying(route, gateway)
        return self.read(*found) if found else None

    def applying(self, route: Target, gateway: ObjectName) -> tuple[JsonObject, JsonObject | None] | None:
        """Return the policy that applies to a route by way of a Gateway, and the one that it is merged with."""
        own, wide = self.policies.get(route), self.policies.get(("Gateway", gateway))
        if own is None:
            return (wide, None) if wide is not None else None
        return own, wide if "mergeType" in own["spec"] else None

    def read(self, policy: JsonObject, merged_with: JsonObject | None) -> S:
        """Return what a policy asks for; it is read once."""
        key = (name_of(policy), name_of(merged_with) if merged_with is not None else None)
        if key not in self._settings:
            self._settings[key] = self._read(policy, merged_with)
        return self._settings[key]

    def statuses(self) -> dict[ObjectName, JsonObject]:
        """Return the status of each policy that has one."""
        return self.ancestors.statuses()

    def attach(
        self, policies: Iterable[JsonObject], routes: Mapping[Target, JsonObject], gateways: Mapping[Target, JsonObject]
    ) -> None:
        """Attach policies to the routes and Gateways that are ours."""
        in_order = oldest_first(policies)
        of_gateways: dict[ObjectName, JsonObject] = {}
        for policy in in_order:
            for _, gateway in _targets(policy, gateways):
                of_gateways.setdefault(gateway, policy)
        # The routes at each Gateway with a policy of their own, and those of them that are merged with the Gateway's.
        own: RoutesAt = defaultdict(set)
        merged: RoutesAt = defaultdict(set)
        for policy in in_order:
            for target in _targets(policy, routes):
                self._attach_to_route(policy, target, routes[target], of_gateways, own, merged)
        for policy in in_order:
            for target in _targets(policy, gateways):
                references = [ancestor(target[1])]
                if self._take(policy, target, references):
                    self._apply(policy, references, (), {})
                    self._tell_of_routes(policy, references, own[target[1]], merged[target[1]])

    def _attach_to_route(
        self,
        policy: JsonObject,
        target: Target,
        route: JsonObject,
        of_gateways: Mapping[ObjectName, JsonObject],
        own: RoutesAt,
        merged: RoutesAt,
    ) -> None:
        references = ancestors_of(route)
        parents = dict.fromkeys(_gateway(reference) for reference in references)
        for gateway in parents:
            own[gateway].add(target[1])
        if self._take(policy, target, references):
            for gateway in self._apply(policy, references, parents, of_gateways):
                merged[gateway].add(target[1])

    def _take(self, policy: JsonObject, target: Target, references: list[JsonObject]) -> bool:
        """Attach a policy to a target, unless an older one is there."""
        if target in self.policies:
            text = f"Unable to target {target[0]} {target[1].name}, another {self.kind} has already attached to it"
            self.ancestors.tell(policy, references, "Accepted", False, "Conflicted", text)
            return False
        self.policies[target] = policy
        return True

    def _apply(
        self,
        policy: JsonObject,
        references: list[JsonObject],
        parents: Iterable[ObjectName],
        of_gateways: Mapping[ObjectName, JsonObject],
    ) -> list[ObjectName]:
        """Say whether a policy can be applied; return the Gateways with whose policies it is merged."""
        merged = []
        if "mergeType" in policy["spec"] and parents:
            for gateway in parents:
                wide = of_gateways.get(gateway)
                fault = self.read(policy, wide).fault
                if fault:
                    self.ancestors.refuse(policy, [ancestor(gateway)], fault)
                elif wide is not None:
                    text = f"Merged with policy {name_of(wide)}"
                    self.ancestors.tell(policy, [ancestor(gateway)], "Merged", True, "Merged", text)
                    merged.append(gateway)
        elif fault := self.read(policy, None).fault:
            self.ancestors.refuse(policy, references, fault)
        self.ancestors.accept(policy, references)
        return merged

    def _tell_of_routes(
        self, policy: JsonObject, references: list[JsonObject], own: set[ObjectName], merged: set[ObjectName]
    ) -> None:
        for kind, verb, routes in (("Merged", "merged", merged), ("Overridden", "overridden", own - merged)):
            if routes:
                named = " ".join(sorted(map(str, routes)))
                text = f"This policy is being {verb} by other {self.plural} for these routes: [{named}]"
                self.ancestors.tell(policy, references, kind, True, kind, text)


def _targets(policy: JsonObject, candidates: Mapping[Target, JsonObject]) -> list[Target]:
    """Return those of a policy's targets that are among the candidates, each once."""
    spec, namespace = policy["spec"], policy["metadata"]["namespace"]
    references = ([spec["targetRef"]] if "targetRef" in spec else []) + (spec.get("targetRefs") or [])
    named = [(reference["kind"], ObjectName(namespace, reference["name"])) for reference in references]
    selected = [
        target
        for selector in spec.get("targetSelectors") or []
        for target, item in candidates.items()
        if (target[0], target[1].namespace) == (selector["kind"], namespace)
        and selector_matches(selector, item["metadata"].get("labels") or {})
    ]
    return [target for target in dict.fromkeys(named + selected) if target in candidates]


def _gateway(reference: JsonObject) -> ObjectName:
    return ObjectName(reference["namespace"], reference["name"])
