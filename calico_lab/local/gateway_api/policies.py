"""Which BackendTrafficPolicy applies to which route, and what the policies' statuses say.

A policy on a route takes the place of one on its Gateway; of two on the same target the older wins. A policy whose
targets do not exist, or are not ours, gets no status: that is how Envoy Gateway 1.5.9 says it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from calico_lab.local.gateway_api.conditions import condition
from calico_lab.local.gateway_api.model import Traffic
from calico_lab.local.gateway_api.references import gateway_of, selector_matches
from calico_lab.local.gateway_api.world import (
    CONTROLLER_NAME,
    GATEWAY_GROUP,
    ObjectName,
    generation_of,
    name_of,
    oldest_first,
)
from calico_lab.local.wire import JsonObject

MAXIMUM_ANCESTORS = 16

# What a policy can be attached to: (kind, name).
Target = tuple[str, ObjectName]


@dataclass
class Attachments:
    """The policies in force, by target, and the conditions of every policy, by policy and ancestor."""

    policies: dict[Target, JsonObject] = field(default_factory=dict)
    ancestors: dict[ObjectName, list[tuple[JsonObject, list[JsonObject]]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def traffic(self, route: Target, gateway: ObjectName) -> Traffic:
        """Return how requests to a route by way of a Gateway are to be spread."""
        policy = self.policies.get(route) or self.policies.get(("Gateway", gateway))
        load_balancer = ((policy or {}).get("spec") or {}).get("loadBalancer")
        return Traffic(load_balancer["type"]) if load_balancer else Traffic()

    def statuses(self) -> dict[ObjectName, JsonObject]:
        """Return the status of each policy that has one."""
        return {name: {"ancestors": _ancestors(entries)} for name, entries in self.ancestors.items() if entries}


def attach(
    policies: Iterable[JsonObject], routes: Mapping[Target, JsonObject], gateways: Mapping[Target, JsonObject]
) -> Attachments:
    """Attach policies to the routes and Gateways that are ours."""
    result = Attachments()
    in_order = oldest_first(policies)
    overriding: dict[ObjectName, set[ObjectName]] = defaultdict(set)
    for policy in in_order:
        for target in _targets(policy, routes):
            parents = _parents(routes[target])
            _attach(result, policy, target, parents)
            for reference in parents:
                overriding[ObjectName(reference["namespace"], reference["name"])].add(target[1])
    for policy in in_order:
        for target in _targets(policy, gateways):
            if _attach(result, policy, target, [_ancestor(target[1])]) and overriding[target[1]]:
                _mark_overridden(result, policy, overriding[target[1]])
    return result


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


def _attach(result: Attachments, policy: JsonObject, target: Target, ancestors: list[JsonObject]) -> bool:
    kind, name = target
    generation = generation_of(policy)
    told = condition("Accepted", True, "Accepted", "Policy has been accepted.", generation)
    free = target not in result.policies
    if free:
        result.policies[target] = policy
    else:
        text = f"Unable to target {kind} {name.name}, another BackendTrafficPolicy has already attached to it"
        told = condition("Accepted", False, "Conflicted", text, generation)
    entries = result.ancestors[name_of(policy)]
    for reference in ancestors:
        conditions = next((conditions for known, conditions in entries if known == reference), None)
        if conditions is None:
            entries.append((reference, [told]))
        elif not free:
            conditions[0] = told
    return free


def _mark_overridden(result: Attachments, policy: JsonObject, routes: set[ObjectName]) -> None:
    named = " ".join(sorted(map(str, routes)))
    text = f"This policy is being overridden by other backendTrafficPolicies for these routes: [{named}]"
    overridden = condition("Overridden", True, "Overridden", text, generation_of(policy))
    result.ancestors[name_of(policy)][-1][1].append(overridden)


def _parents(route: JsonObject) -> list[JsonObject]:
    namespace = route["metadata"]["namespace"]
    return [
        _ancestor(gateway, reference.get("sectionName"))
        for reference in route["spec"].get("parentRefs") or []
        if (gateway := gateway_of(reference, namespace)) is not None
    ]


def _ancestor(gateway: ObjectName, section: str | None = None) -> JsonObject:
    reference = {"group": GATEWAY_GROUP, "kind": "Gateway", "namespace": gateway.namespace, "name": gateway.name}
    return reference | ({"sectionName": section} if section else {})


def _ancestors(entries: list[tuple[JsonObject, list[JsonObject]]]) -> list[JsonObject]:
    told: list[JsonObject] = [
        {"ancestorRef": reference, "controllerName": CONTROLLER_NAME, "conditions": conditions}
        for reference, conditions in entries
    ]
    if len(told) > MAXIMUM_ANCESTORS:
        told = told[:MAXIMUM_ANCESTORS]
        generation = told[-1]["conditions"][0]["observedGeneration"]
        text = "Ancestors have been truncated because the number of policy ancestors exceeds 16."
        told[-1]["conditions"].append(condition("Aggregated", True, "Aggregated", text, generation))
    return told
