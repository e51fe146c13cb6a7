"""How a controller finds the objects that are its own: label selectors, adoption and release.

As in https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#how-a-replicaset-works: an object belongs to
the one controller that its ownerReferences name; an orphan that matches the selector is adopted, an owned object
that matches no longer is released.
"""

from __future__ import annotations

from typing import Any

from calico_lab import errors
from calico_lab.local.controller import Controller, Informer
from calico_lab.local.objects import controller_uid, is_deleting, labels, owner_reference
from calico_lab.local.wire import JsonObject


def selects(selector: JsonObject, item: JsonObject) -> bool:
    """Whether a LabelSelector (matchLabels and matchExpressions) selects an object; an empty one selects all."""
    given = labels(item)
    equal = all(given.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return equal and all(_holds(expression, given) for expression in selector.get("matchExpressions") or [])


def _holds(expression: JsonObject, given: dict[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return given.get(key) in values
        case "NotIn":
            return given.get(key) not in values
        case "Exists":
            return key in given
        case "DoesNotExist":
            return key not in given
        case unknown:
            raise ValueError(f"unknown operator {unknown!r} in a label selector")


def controlled_by(item: JsonObject, kind: str) -> str:
    """Return the name of an object's controlling owner if it is of this kind, or an empty string."""
    references: list[Any] = item["metadata"].get("ownerReferences") or []
    return next((owner["name"] for owner in references if owner.get("controller") and owner["kind"] == kind), "")


async def claim(controller: Controller, owner: JsonObject, informer: Informer) -> list[JsonObject]:
    """Return the objects that belong to ``owner`` after adopting what matches its selector and releasing the rest.

    Raises ``Conflict`` when an object changed meanwhile.
    """
    selector, namespace = owner["spec"]["selector"], owner["metadata"]["namespace"]
    own = []
    for item in informer:
        if item["metadata"]["namespace"] != namespace:
            continue
        uid, selected = controller_uid(item), selects(selector, item)
        if uid == owner["metadata"]["uid"] and (selected or is_deleting(item)):
            own.append(item)
        elif uid == owner["metadata"]["uid"]:
            await _set_owners(controller, informer, item, _others(item, uid))
        elif not uid and selected and not is_deleting(item) and not is_deleting(owner):
            adopted = await _set_owners(controller, informer, item, [*_others(item, ""), owner_reference(owner)])
            own += [adopted] if adopted else []
    return own


def _others(item: JsonObject, uid: str) -> list[Any]:
    return [reference for reference in item["metadata"].get("ownerReferences") or [] if reference["uid"] != uid]


async def _set_owners(
    controller: Controller, informer: Informer, item: JsonObject, owners: list[Any]
) -> JsonObject | None:
    try:
        return await controller.change(informer, item, {"metadata": {"ownerReferences": owners or None}})
    except errors.NotFound:
        return None
