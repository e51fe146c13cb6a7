"""What may refer to what: routes to listeners, routes to objects of other namespaces."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from calico_lab.local.gateway_api.world import GATEWAY_GROUP, ObjectName
from calico_lab.local.wire import JsonObject


def gateway_of(reference: JsonObject, namespace: str) -> ObjectName | None:
    """Return the Gateway that a parentRef of a route in ``namespace`` names; None for a parent of another kind."""
    if (reference.get("group", GATEWAY_GROUP), reference.get("kind", "Gateway")) != (GATEWAY_GROUP, "Gateway"):
        return None
    return ObjectName(reference.get("namespace") or namespace, reference["name"])


def selects(reference: JsonObject, listener: JsonObject) -> bool:
    """Whether a parentRef selects a listener of its Gateway, by section name and by port where it gives them."""
    section, port = listener["name"], listener["port"]
    return bool(reference.get("sectionName", section) == section and reference.get("port", port) == port)


def allows_namespace(listener: JsonObject, gateway_namespace: str, route_namespace: JsonObject) -> bool:
    """Whether a listener takes routes of a namespace (``allowedRoutes.namespaces``)."""
    allowed = (listener.get("allowedRoutes") or {}).get("namespaces") or {}
    match allowed.get("from", "Same"):
        case "All":
            return True
        case "Selector":
            labels = route_namespace["metadata"].get("labels") or {}
            return "selector" in allowed and selector_matches(allowed["selector"], labels)
        case _:
            name: str = route_namespace["metadata"]["name"]
            return name == gateway_namespace


def granted(
    grants: Iterable[JsonObject], *, kind: str, namespace: str, to_kind: str, to: ObjectName, to_group: str = ""
) -> bool:
    """Whether a ReferenceGrant lets a route of ``kind`` in ``namespace`` refer to an object elsewhere.

    See https://gateway-api.sigs.k8s.io/api-types/referencegrant/.
    """
    origin = {"group": GATEWAY_GROUP, "kind": kind, "namespace": namespace}
    return any(
        grant["metadata"]["namespace"] == to.namespace
        and any(all(entry.get(key) == value for key, value in origin.items()) for entry in grant["spec"]["from"])
        and any(_is_target(entry, to_group, to_kind, to.name) for entry in grant["spec"]["to"])
        for grant in grants
    )


def _is_target(entry: JsonObject, group: str, kind: str, name: str) -> bool:
    return bool(entry.get("group", "") == group and entry["kind"] == kind and entry.get("name", name) == name)


def selector_matches(selector: JsonObject, labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy a label selector; an empty one is satisfied by all.

    See https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/.
    """
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _satisfies(expression, labels) for expression in selector.get("matchExpressions") or []
    )


def selector_fault(selector: JsonObject) -> str:
    """Say why a label selector cannot be understood, as Kubernetes' libraries do; empty where it can."""
    for expression in selector.get("matchExpressions") or []:
        operator, values = expression["operator"], expression.get("values") or []
        if operator in ("In", "NotIn"):
            if not values:
                return "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty"
        elif operator not in ("Exists", "DoesNotExist"):
            return f'"{operator}" is not a valid label selector operator'
        elif values:
            told = json.dumps(values, separators=(",", ":"))
            return f"values: Invalid value: {told}: values set must be empty for exists and does not exist"
    return ""


def _satisfies(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value = labels.get(expression["key"])
    match expression["operator"]:
        case "In":
            return value in expression["values"]
        case "NotIn":
            return value not in expression["values"]
        case "Exists":
            return value is not None
        case _:
            return value is None
