"""What must hold of an object in a request before it is worked with: it is what its path says, and up to date."""

from __future__ import annotations

from calico_lab import errors
from calico_lab.local.apiserver import answers
from calico_lab.local.apiserver.kinds import Kind
from calico_lab.local.wire import JsonObject


def require_type(kind: Kind, item: JsonObject) -> None:
    """Raise ``BadRequest`` for an object of another kind; one that names no kind is given its own."""
    given = item.setdefault("apiVersion", kind.api_version), item.setdefault("kind", kind.kind)
    if given != (kind.api_version, kind.kind):
        raise errors.BadRequest(
            f"the object provided is unrecognized: {given[1]} of {given[0]} was sent where {kind.kind} of "
            f"{kind.api_version} is expected"
        )


def place(kind: Kind, namespace: str, item: JsonObject) -> None:
    """Put an object into the namespace of its path. Raises ``BadRequest`` where it names another."""
    meta = item["metadata"]
    if not kind.namespaced:
        meta.pop("namespace", None)
    elif meta.setdefault("namespace", namespace) != namespace:
        raise errors.BadRequest("the namespace of the provided object does not match the namespace sent on the request")


def require_name(item: JsonObject, name: str) -> None:
    """Raise ``BadRequest`` for an object that has another name than its path."""
    given = item["metadata"].setdefault("name", name)
    if given != name:
        raise errors.BadRequest(f"the name of the object ({given}) does not match the name on the URL ({name})")


def require_current(kind: Kind, new: JsonObject, old: JsonObject) -> None:
    """Raise ``Conflict`` where a write is meant for another object, or for an older version of it."""
    uid, version = new.get("uid"), new.get("resourceVersion")
    if uid and uid != old["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['uid']}"
        raise answers.conflict(kind, old["name"], why)
    if version and version != old["resourceVersion"]:
        raise answers.conflict(kind, old["name"], answers.MODIFIED)
