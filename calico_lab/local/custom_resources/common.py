"""The pieces that schemas of Gateway API and Envoy Gateway share: names, references, conditions.

Source of limits and patterns: the CustomResourceDefinitions of Gateway API 1.3.0, experimental channel.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

from calico_lab.local.custom_resources.rules import rule
from calico_lab.local.custom_resources.structural import integer, listing, mapping, record, text
from calico_lab.local.wire import JsonObject

GATEWAY_GROUP = "gateway.networking.k8s.io"

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
DURATION = text(pattern=r"^([0-9]{1,5}(h|m|s|ms)){1,4}$")
HOSTNAME = text(minimum=1, maximum=253, pattern=rf"^(\*\.)?{_SUBDOMAIN}$")
PRECISE_HOSTNAME = text(minimum=1, maximum=253, pattern=f"^{_SUBDOMAIN}$")
SECTION_NAME = PRECISE_HOSTNAME
NAME = text(minimum=1, maximum=253)
NAMESPACE = text(minimum=1, maximum=63, pattern=f"^{_LABEL}$")
PORT = integer(1, 65535, form="int32")
CONTROLLER = text(minimum=1, maximum=253, pattern=rf"^{_SUBDOMAIN}\/[A-Za-z0-9\/\-._~%!$&'()*+,;=:]+$")


def group(default: str | None = None) -> JsonObject:
    """Return the schema of an API group's name."""
    return text(maximum=253, pattern=rf"^$|^{_SUBDOMAIN}$", default=default)


def kind(default: str | None = None) -> JsonObject:
    """Return the schema of a kind."""
    return text(minimum=1, maximum=63, pattern="^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$", default=default)


PARENT_REFERENCE = record(
    {
        "group": group(GATEWAY_GROUP),
        "kind": kind("Gateway"),
        "name": NAME,
        "namespace": NAMESPACE,
        "port": PORT,
        "sectionName": SECTION_NAME,
    },
    required=["name"],
)

_SAME_PARENT = (
    "a.group == b.group && a.kind == b.kind && a.name == b.name && a.?__namespace__.orValue('') == "
    "b.?__namespace__.orValue('')"
)


def _same_parents(references: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    def parent(reference: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(reference.get(key, "") for key in ("group", "kind", "name", "namespace"))

    return [(a, b) for a, b in combinations(references, 2) if parent(a) == parent(b)]


PARENT_REFERENCES = listing(
    PARENT_REFERENCE,
    maximum=32,
    rules=[
        rule(
            "sectionName or port must be specified when parentRefs includes 2 or more references to the same parent",
            f"self.all(a, self.all(b, !({_SAME_PARENT}) || "
            "(has(a.sectionName) == has(b.sectionName) && has(a.port) == has(b.port))))",
            lambda references: all(
                ("sectionName" in a) == ("sectionName" in b) and ("port" in a) == ("port" in b)
                for a, b in _same_parents(references)
            ),
        ),
        rule(
            "sectionName or port must be unique when parentRefs includes 2 or more references to the same parent",
            f"self.all(a, self.exists_one(b, {_SAME_PARENT} && "
            "a.?sectionName == b.?sectionName && a.?port == b.?port))",
            lambda references: all(
                (a.get("sectionName"), a.get("port")) != (b.get("sectionName"), b.get("port"))
                for a, b in _same_parents(references)
            ),
        ),
    ],
)

BACKEND_REFERENCE_FIELDS = {
    "group": group(""),
    "kind": kind("Service"),
    "name": NAME,
    "namespace": NAMESPACE,
    "port": PORT,
}
PORT_FOR_SERVICE = rule(
    "Must have port for Service reference",
    "size(self.group) > 0 || self.kind != 'Service' || has(self.port)",
    lambda reference: reference.get("group", "") != "" or reference.get("kind") != "Service" or "port" in reference,
)
BACKEND_REFERENCE = record(BACKEND_REFERENCE_FIELDS, required=["name"], rules=[PORT_FOR_SERVICE])

LOCAL_REFERENCE = record({"group": group(), "kind": kind(), "name": NAME}, required=["group", "kind", "name"])
SECRET_REFERENCE = record(
    {"group": group(""), "kind": kind("Secret"), "name": NAME, "namespace": NAMESPACE}, required=["name"]
)
OBJECT_REFERENCE = record(
    {"group": group(), "kind": kind(), "name": NAME, "namespace": NAMESPACE}, required=["group", "kind", "name"]
)
SELECTOR = record(
    {
        "matchExpressions": listing(
            record(
                {"key": text(), "operator": text(), "values": listing(text(), kind="atomic")},
                required=["key", "operator"],
            ),
            kind="atomic",
        ),
        "matchLabels": mapping(text()),
    }
) | {"x-kubernetes-map-type": "atomic"}

_CONDITION = record(
    {
        "lastTransitionTime": text(form="date-time"),
        "message": text(maximum=32768),
        "observedGeneration": integer(0, form="int64"),
        "reason": text(minimum=1, maximum=1024, pattern="^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"),
        "status": text(choices=["True", "False", "Unknown"]),
        "type": text(
            maximum=316,
            pattern=rf"^({_SUBDOMAIN}/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
        ),
    },
    required=["lastTransitionTime", "message", "reason", "status", "type"],
)


def conditions(*, minimum: int | None = None, default: list[JsonObject] | None = None) -> JsonObject:
    """Return the schema of a list of conditions."""
    return listing(_CONDITION, minimum=minimum, maximum=8, keys=["type"], default=default)


def waiting(*types: str) -> list[JsonObject]:
    """Return the conditions that stand in a new object until its controller writes others."""
    return [
        {
            "lastTransitionTime": "1970-01-01T00:00:00Z",
            "message": "Waiting for controller",
            "reason": "Pending",
            "status": "Unknown",
            "type": name,
        }
        for name in types
    ]


def _names_unique(rules: list[JsonObject]) -> bool:
    names = [item["name"] for item in rules if "name" in item]
    return len(names) == len(set(names))


RULE_NAMES_UNIQUE = rule(
    "Rule name must be unique within the route",
    "self.filter(r, has(r.name)).map(r, r.name).isUnique()",
    _names_unique,
)
MATCHES_IN_ALL = rule(
    "While 16 rules and 64 matches per rule are allowed, the total number of matches across all rules "
    "in a route must be less than 128",
    "self.map(r, size(r.matches)).sum() <= 128",
    lambda rules: sum(len(item.get("matches") or []) for item in rules) <= 128,
)

ROUTE_STATUS = record(
    {
        "parents": listing(
            record(
                {
                    "conditions": conditions(minimum=1),
                    "controllerName": CONTROLLER,
                    "parentRef": PARENT_REFERENCE,
                },
                required=["controllerName", "parentRef"],
            ),
            maximum=32,
        )
    },
    required=["parents"],
)
POLICY_STATUS = record(
    {
        "ancestors": listing(
            record(
                {
                    "ancestorRef": PARENT_REFERENCE,
                    "conditions": conditions(minimum=1),
                    "controllerName": CONTROLLER,
                },
                required=["ancestorRef", "controllerName"],
            ),
            maximum=16,
        )
    },
    required=["ancestors"],
)
