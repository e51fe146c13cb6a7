"""The forms of patch that say what to change: JSON merge patch, JSON patch and strategic merge patch."""

from __future__ import annotations

import json
from typing import Any

from calico_lab import errors
from calico_lab.local.apiserver.bodies import media_type, parse_json, unsupported_media_type
from calico_lab.local.apiserver.kinds import Kind
from calico_lab.local.apiserver.strategic_merge import strategic_merge
from calico_lab.local.wire import JsonObject, Request

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
MOST_OPERATIONS = 10_000
MOST_COPIED = 3 * 1024 * 1024
_REJECTED = "the server rejected our request due to an error in our request"


def patch_types(kind: Kind) -> tuple[str, ...]:
    """Return the patch types that a kind takes; custom resources have no strategic merge, as in Kubernetes."""
    strategic = () if kind.custom else (STRATEGIC_MERGE_PATCH,)
    return (JSON_PATCH, MERGE_PATCH, *strategic, APPLY_PATCH)


def patched(kind: Kind, schema: JsonObject | None, current: JsonObject, request: Request) -> JsonObject:
    """Return what a request's patch makes of an object, which may be changed by this.

    Raises ``UnsupportedMediaType``, ``BadRequest`` for a patch that cannot be read, ``Invalid`` for one that does
    not fit the object.
    """
    content_type = media_type(request)
    if content_type == APPLY_PATCH or content_type not in patch_types(kind):
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
    result: Any = current
    copied = 0
    try:
        for operation in jsonpatch.JsonPatch(change).patch:
            # Copies of copies double with every operation.
            copied += _size_of_copy(result, operation)
            if copied > MOST_COPIED:
                raise errors.Invalid(f"The JSON patch copies more than {MOST_COPIED} bytes")
            result = _operate(result, operation)
    except (jsonpatch.InvalidJsonPatch, jsonpatch.JsonPointerException, TypeError) as error:
        raise errors.BadRequest(f"error decoding patch: {error}") from None
    patched_item: JsonObject = result
    return patched_item


def _size_of_copy(document: Any, operation: JsonObject) -> int:
    import jsonpointer

    if operation.get("op") != "copy":
        return 0
    try:
        return len(json.dumps(jsonpointer.resolve_pointer(document, str(operation.get("from")), None)))
    except (jsonpointer.JsonPointerException, TypeError, ValueError):
        return 0


def _operate(document: Any, operation: JsonObject) -> Any:
    import jsonpatch

    try:
        return jsonpatch.apply_patch(document, [operation], in_place=True)
    except jsonpatch.InvalidJsonPatch:
        raise
    except jsonpatch.JsonPatchTestFailed:
        raise _rejected(f"testing value {operation['path']} failed: test failed") from None
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, ValueError, KeyError):
        path = json.dumps(operation.get("path"))
        where = f"{operation['op']} operation does not apply: doc is missing path: {path}: missing value"
        raise _rejected(where) from None


def _rejected(message: str) -> errors.Invalid:
    causes = [{"reason": "UnexpectedServerResponse", "message": message}]
    return errors.Invalid(_REJECTED, details={"causes": causes})
