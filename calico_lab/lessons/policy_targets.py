"""Which objects a policy is about, and for which routes it is in force: read from objects and their statuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from calico_lab.errors import NotFound

if TYPE_CHECKING:
    from calico_lab.cluster import Cluster, JsonObject, Objects

_ROUTE_KINDS = ("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute")


class Named(NamedTuple):
    """An object by its kind, namespace and name."""

    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, item: JsonObject) -> Named:
        """Return the names of an object."""
        return cls(item["kind"], item["metadata"]["namespace"], item["metadata"]["name"])


def plural(kind: str) -> str:
    """Return the plural by which the API calls a kind of Envoy Gateway or the Gateway API."""
    word = kind.lower()
    return f"{word[:-1]}ies" if word.endswith("y") and not word.endswith("ay") else f"{word}s"


def routes(cluster: Cluster) -> Objects:
    """Return all routes of the cluster, of the kinds that it serves."""
    return [route for kind in _ROUTE_KINDS for route in _all(cluster, kind)]


def parents(route: JsonObject) -> Iterator[Named]:
    """Yield the Gateways that a route names."""
    for reference in route["spec"].get("parentRefs") or ():
        if reference.get("kind", "Gateway") == "Gateway":
            yield Named("Gateway", reference.get("namespace") or route["metadata"]["namespace"], reference["name"])


def is_reference_to(reference: JsonObject, named: Named, namespace: str) -> bool:
    """Whether a backendRef of a route in a namespace is to an object."""
    found = Named(reference.get("kind", "Service"), reference.get("namespace") or namespace, reference["name"])
    return found == named


def targets(cluster: Cluster, policy: JsonObject) -> tuple[list[Named], Objects]:
    """Return the Gateways and the routes that a policy names, or selects by their labels."""
    place, found = policy["metadata"]["namespace"], set(_named(policy))
    chosen = [item for item in routes(cluster) if Named.of(item) in found or _selected(policy, item)]
    gateways = [item for item in _all(cluster, "Gateway") if Named.of(item) in found or _selected(policy, item)]
    return (
        [Named.of(item) for item in gateways if item["metadata"]["namespace"] == place],
        [item for item in chosen if item["metadata"]["namespace"] == place],
    )


def covered(cluster: Cluster, policy: JsonObject, gateway: Named) -> Objects:
    """Return the routes at a Gateway for which a policy is in force.

    Those are its own targets; and where the Gateway itself is one, all others but those that have an own policy.
    """
    if not is_accepted(policy):
        return []
    gateways, own = targets(cluster, policy)
    if gateway not in gateways:
        return [route for route in own if gateway in parents(route)]
    others = {
        Named.of(route)
        for other in _all(cluster, policy["kind"])
        if Named.of(other) != Named.of(policy) and is_accepted(other) and "mergeType" not in other["spec"]
        for route in targets(cluster, other)[1]
    }
    return [route for route in routes(cluster) if gateway in parents(route) and Named.of(route) not in others]


def is_accepted(policy: JsonObject) -> bool:
    """Whether the status of a policy says at any Gateway that it is accepted."""
    conditions = [each for ancestor in _entries(policy) for each in ancestor.get("conditions", ())]
    return any(each["type"] == "Accepted" and each["status"] == "True" for each in conditions)


def told(item: JsonObject) -> str:
    """Return what an object's status says of why it is not in force, in one line."""
    conditions = [each for entry in _entries(item) for each in entry.get("conditions", ())]
    faults = [each for each in conditions if each["status"] == "False"]
    faults += [each for each in conditions if each["type"] == "Overridden"]
    if faults:
        return "; ".join(dict.fromkeys(f"{each['reason']}: {' '.join(each['message'].split())}" for each in faults))
    return "its status says nothing against it" if conditions else "it has no status, so no controller took it up"


def _entries(item: JsonObject) -> list[JsonObject]:
    status = item.get("status") or {}
    return [*status.get("ancestors", ()), *status.get("parents", ()), *([status] if "conditions" in status else ())]


def _named(policy: JsonObject) -> Iterator[Named]:
    spec, place = policy["spec"], policy["metadata"]["namespace"]
    for reference in [*spec.get("targetRefs", ()), *([spec["targetRef"]] if "targetRef" in spec else ())]:
        yield Named(reference["kind"], place, reference["name"])


def _selected(policy: JsonObject, item: JsonObject) -> bool:
    labels = item["metadata"].get("labels") or {}
    return any(
        selector["kind"] == item["kind"] and _fits(selector, labels)
        for selector in policy["spec"].get("targetSelectors", ())
    )


def _fits(selector: JsonObject, labels: dict[str, str]) -> bool:
    """Whether labels fit a selector: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/."""
    wanted = all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return wanted and all(_holds(each, labels) for each in selector.get("matchExpressions") or ())


def _holds(expression: JsonObject, labels: dict[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case _:
            return value is None


def _all(cluster: Cluster, kind: str) -> Objects:
    try:
        return [{"kind": kind, **item} for item in cluster.list(kind, all_namespaces=True)]
    except NotFound:  # this cluster has no such kind
        return []
