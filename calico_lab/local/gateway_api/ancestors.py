"""The statuses of policies: conditions for each ancestor, which is a Gateway (GEP-713).

Order, words and limits are those of Envoy Gateway 1.5.9.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from calico_lab.local.gateway_api.conditions import condition
from calico_lab.local.gateway_api.references import gateway_of
from calico_lab.local.gateway_api.world import CONTROLLER_NAME, GATEWAY_GROUP, ObjectName, generation_of, name_of
from calico_lab.local.wire import JsonObject

MAXIMUM_ANCESTORS = 16

_Entries = list[tuple[JsonObject, list[JsonObject]]]


class Ancestors:
    """The conditions of every policy of a kind, by policy and ancestor."""

    def __init__(self) -> None:
        self._entries: dict[ObjectName, _Entries] = defaultdict(list)

    def tell(
        self, policy: JsonObject, references: Iterable[JsonObject], kind: str, true: bool, reason: str, message: str
    ) -> None:
        """Give a policy a condition at each ancestor; it takes the place of the one of its type."""
        told = condition(kind, true, reason, message, generation_of(policy))
        for reference in references:
            conditions = self._conditions(policy, reference)
            types = [each["type"] for each in conditions]
            if kind in types:
                conditions[types.index(kind)] = told
            else:
                conditions.append(told)

    def accept(self, policy: JsonObject, references: Iterable[JsonObject]) -> None:
        """Say at each ancestor that the policy is accepted, unless it is known there already whether it is."""
        for reference in references:
            if all(each["type"] != "Accepted" for each in self._conditions(policy, reference)):
                self.tell(policy, [reference], "Accepted", True, "Accepted", "Policy has been accepted.")

    def refuse(self, policy: JsonObject, references: Iterable[JsonObject], message: str) -> None:
        """Say at each ancestor that the policy cannot be applied."""
        self.tell(policy, references, "Accepted", False, "Invalid", message)

    def of(self, policy: JsonObject) -> list[JsonObject]:
        """Return the ancestors that something has been said of."""
        return [reference for reference, _ in self._entries[name_of(policy)]]

    def statuses(self) -> dict[ObjectName, JsonObject]:
        """Return the status of each policy that has one."""
        return {name: {"ancestors": _ancestors(entries)} for name, entries in self._entries.items() if entries}

    def _conditions(self, policy: JsonObject, reference: JsonObject) -> list[JsonObject]:
        entries = self._entries[name_of(policy)]
        for known, conditions in entries:
            if known == reference:
                return conditions
        entries.append((reference, []))
        return entries[-1][1]


def ancestor(gateway: ObjectName, section: str | None = None) -> JsonObject:
    """Return the reference to a Gateway, or to a listener of it, as an ancestor."""
    reference = {"group": GATEWAY_GROUP, "kind": "Gateway", "namespace": gateway.namespace, "name": gateway.name}
    return reference | ({"sectionName": section} if section else {})


def ancestors_of(route: JsonObject) -> list[JsonObject]:
    """Return the ancestors of a policy attached to a route: the Gateways, or listeners, that the route names."""
    namespace = route["metadata"]["namespace"]
    return [
        ancestor(gateway, reference.get("sectionName"))
        for reference in route["spec"].get("parentRefs") or []
        if (gateway := gateway_of(reference, namespace)) is not None
    ]


def _ancestors(entries: _Entries) -> list[JsonObject]:
    if len(entries) > MAXIMUM_ANCESTORS:
        entries = sorted(entries, key=_rank)[:MAXIMUM_ANCESTORS]
        last = entries[-1][1]
        text = "Ancestors have been truncated because the number of policy ancestors exceeds 16."
        generation = last[0]["observedGeneration"]
        entries[-1] = (entries[-1][0], [*last, condition("Aggregated", True, "Aggregated", text, generation)])
    return [
        {"ancestorRef": reference, "controllerName": CONTROLLER_NAME, "conditions": conditions}
        for reference, conditions in entries
    ]


def _rank(entry: tuple[JsonObject, list[JsonObject]]) -> tuple[int, str, str]:
    """Order ancestors by how much they have to tell: first where the policy isn't accepted, then where overridden."""
    reference, conditions = entry
    statuses = {each["type"]: each["status"] for each in conditions}
    rank = 0 if statuses.get("Accepted") == "False" else 1 if statuses.get("Overridden") == "True" else 2
    return rank, reference["namespace"], reference["name"]
