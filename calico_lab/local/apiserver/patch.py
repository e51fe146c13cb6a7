"""The three forms of patch: JSON merge patch, JSON patch and strategic merge patch."""

from __future__ import annotations

from typing import Any

from calico_lab import errors
from calico_lab.local.apiserver.bodies import media_type, parse_json, unsupported_media_type
from calico_lab.local.apiserver.kinds import Kind
from calico_lab.local.apiserver.strategic_merge import strategic_merge
from calico_lab.local.wire import JsonObject, Request

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCHES = ("application/apply-patch+yaml", "application/apply-patch+cbor")
MOST_OPERATIONS = 10_000
_REJECTED = "the server rejected our request due to an error in our request"


def patch_types(kind: Kind) -> tuple[str, ...]:
    """Return the patch types that a kind takes; custom resources have no strategic merge, as in Kubernetes."""
    return (JSON_PATCH, MERGE_PATCH) if kind.custom else (JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH)


def patched(kind: Kind, schema: JsonObject | None, current: JsonObject, request: Request) -> JsonObject:
    """Return what a request's patch makes of an object, which may be changed by this.

    Raises ``UnsupportedMediaType``, ``BadRequest`` for a patch that cannot be read, ``Invalid`` for one that does
    not fit the object.
    """
    content_type = media_type(request)
    if content_type in APPLY_PATCHES:
        raise errors.UnsupportedMediaType(
            "the local lab does not implement server-side apply; apply without --server-side"
        )
    if content_type not in patch_types(kind):
        raise unsupported_media_type(*patch_types(kind))
    change = parse_json(request.body)
    if content_type == JSON_PATCH:
        return _json_patch(current, change)
    if not isinstance(change, dict):
        raise errors.BadRequest("the patch must be a JSON object")
    if content_type == MERGE_PATCH:
        return json_merge(current, change)
    return strategic_merge(current, change, schema or {})


def json_merge(current: JsonObject, change: JsonObject) -> JsonObject:
    """Return the result of a JSON merge patch (RFC 7396)."""
    result = dict(current)
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            old = result.get(key)
            result[key] = json_merge(old if isinstance(old, dict) else {}, value)
        else:
            result[key] = value
    return result


def _json_patch(current: JsonObject, change: Any) -> JsonObject:
    import jsonpatch  # few requests are JSON patches

    if not isinstance(change, list) or len(change) > MOST_OPERATIONS:
        raise errors.BadRequest(f"the JSON patch must be a list of at most {MOST_OPERATIONS} operations")
    try:
        result: JsonObject = jsonpatch.apply_patch(current, change)
    except jsonpatch.InvalidJsonPatch as error:
        raise errors.BadRequest(f"error decoding patch: {error}") from None
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, ValueError) as error:
        causes = [{"reason": "UnexpectedServerResponse", "message": str(error)}]
        raise errors.Invalid(_REJECTED, details={"causes": causes}) from None
    return result
