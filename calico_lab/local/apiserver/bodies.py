"""What a request's body and query say: the object, or the options of a write."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

from calico_lab import errors
from calico_lab.local.apiserver import protobuf
from calico_lab.local.apiserver.duplicates import duplicate_fields
from calico_lab.local.apiserver.protobuf import PROTOBUF
from calico_lab.local.wire import JsonObject, Request

JSON = "application/json"
YAML = "application/yaml"
LONGEST_MANAGER = 128
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
LARGEST_YAML = 128 * 1024


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_map_of_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(entry, str) for entry in value.values())


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _is_list_of_owners(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)


def _anything(_value: Any) -> bool:
    return True


# What the server itself reads must be of the right type, whatever the kind's schema says.
_FITS: dict[str, Callable[[Any], bool]] = {
    "name": _is_text,
    "generateName": _is_text,
    "namespace": _is_text,
    "uid": _is_text,
    "resourceVersion": _is_text,
    "labels": _is_map_of_texts,
    "annotations": _is_map_of_texts,
    "finalizers": _is_list_of_texts,
    "ownerReferences": _is_list_of_owners,
}


@dataclass(frozen=True)
class WriteOptions:
    """How to write: ``field_validation`` is Strict, Warn or Ignore; ``warnings`` collects what the client is told.

    ``manager`` is who is put down as the manager of the fields that change; ``force`` lets an apply take others'.
    ``duplicates`` are the fields that stand twice in the body, as messages name them.
    """

    dry_run: bool = False
    field_validation: str = "Warn"
    manager: str = "unknown"
    force: bool = False
    duplicates: tuple[str, ...] = ()
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class DeleteOptions:
    """How to delete (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/)."""

    dry_run: bool = False
    propagation: str = "Background"
    grace_seconds: int | None = None
    uid: str = ""
    resource_version: str = ""


def media_type(request: Request) -> str:
    """Return the type of a request's body, without parameters."""
    return request.headers.get("content-type", JSON).partition(";")[0].strip().lower() or JSON


def parse_json(body: bytes) -> Any:
    """Return the value of a JSON body. Raises ``BadRequest`` for anything else."""
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
        return _whole_characters(value) if _SURROGATE.search(body) else value
    except (ValueError, RecursionError) as error:
        raise errors.BadRequest(f"the object provided is unrecognized: couldn't get version/kind: {error}") from None


def _whole_characters(value: Any) -> Any:
    """Replace halves of characters, which no encoding can carry, as Go's decoder does."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole_characters(child) for child in value]
    if isinstance(value, dict):
        return {_whole_characters(key): _whole_characters(child) for key, child in value.items()}
    return value


def parse_object(request: Request) -> JsonObject:
    """Return the object of a body in JSON, YAML or Protobuf. Raises ``UnsupportedMediaType`` or ``BadRequest``."""
    kind = media_type(request)
    if kind == JSON:
        item = parse_json(request.body)
    elif kind == YAML:
        item = parse_yaml(request.body)
    elif kind == PROTOBUF:
        item = protobuf.decode(request.body)
    else:
        raise unsupported_media_type(JSON, YAML, PROTOBUF)
    return checked(item)


def checked(item: Any) -> JsonObject:
    """Return ``item`` if it is an object whose metadata can be worked with. Raises ``BadRequest``."""
    if not isinstance(item, dict):
        raise errors.BadRequest("the object provided is unrecognized: it must be a JSON object")
    metadata = item.setdefault("metadata", {})
    if metadata is None:
        metadata = item["metadata"] = {}
    if not isinstance(metadata, dict):
        raise errors.BadRequest("the object provided is unrecognized: metadata must be an object")
    for name in [name for name, value in metadata.items() if value is None]:
        del metadata[name]
    for name in metadata:
        if not _FITS.get(name, _anything)(metadata[name]):
            raise errors.BadRequest(f"the object provided is unrecognized: metadata.{name} has the wrong type")
    return item


def write_options(request: Request) -> WriteOptions:
    """Return the options that a write carries in its query."""
    validation = request.parameter("fieldValidation") or "Warn"
    if validation not in ("Strict", "Warn", "Ignore"):
        raise errors.BadRequest(
            f'fieldValidation: Unsupported value: "{validation}": supported values: "Ignore", "Strict", "Warn"'
        )
    dry_run, force = _dry_run(request.parameter("dryRun")), request.parameter("force") in ("true", "1")
    is_json = media_type(request).endswith("json") and validation != "Ignore"
    duplicates = tuple(duplicate_fields(request.body)) if is_json else ()
    return WriteOptions(dry_run, validation, _manager(request), force, duplicates)


def _manager(request: Request) -> str:
    """Return whom a write is put down to: as the client says, else the first word of what it calls itself."""
    given = request.parameter("fieldManager")
    if len(given) > LONGEST_MANAGER or not given.isprintable():
        raise errors.Invalid(
            f'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: {json.dumps(given)}: must be '
            f"printable and no more than {LONGEST_MANAGER} bytes"
        )
    agent = request.headers.get("user-agent", "").partition("/")[0].strip()
    return given or (agent if agent.isprintable() else "")[:LONGEST_MANAGER] or "unknown"


def delete_options(request: Request) -> DeleteOptions:
    """Return the options that a deletion carries in its body or query."""
    body = parse_object(request) if request.body.strip() else {}
    preconditions = body.get("preconditions") or {}
    grace = body.get("gracePeriodSeconds", request.parameter("gracePeriodSeconds") or None)
    orphan = body.get("orphanDependents", request.parameter("orphanDependents") == "true")
    propagation = body.get("propagationPolicy") or request.parameter("propagationPolicy")
    dry_run = body.get("dryRun") or ([request.parameter("dryRun")] if request.parameter("dryRun") else [])
    try:
        grace_seconds = None if grace is None else int(grace)
        uid, version = preconditions.get("uid") or "", preconditions.get("resourceVersion") or ""
        options = DeleteOptions(
            _dry_run(*dry_run), propagation or ("Orphan" if orphan else "Background"), grace_seconds, uid, version
        )
    except (AttributeError, TypeError, ValueError):
        raise errors.BadRequest("the DeleteOptions cannot be read") from None
    if options.propagation not in ("Background", "Foreground", "Orphan"):
        raise errors.BadRequest(f'propagationPolicy: Unsupported value: "{options.propagation}"')
    return options


def unsupported_media_type(*accepted: str) -> errors.UnsupportedMediaType:
    """Return the error for a body of another type than these."""
    types = ", ".join(accepted)
    return errors.UnsupportedMediaType(
        f"the body of the request was in an unknown format - accepted media types include: {types}"
    )


def _dry_run(*values: str) -> bool:
    if any(value not in ("", "All") for value in values):
        raise errors.BadRequest(f'dryRun: Unsupported value: {values}: supported values: "All"')
    return "All" in values


def parse_yaml(body: bytes) -> Any:
    """Return the value of a body in YAML, of which JSON is a part. Raises ``BadRequest`` for anything else."""
    if body.lstrip()[:1] == b"{":
        with suppress(errors.BadRequest):
            return parse_json(body)
    if len(body) > LARGEST_YAML:
        raise errors.BadRequest(f"a body in YAML may have {LARGEST_YAML} bytes, this one has {len(body)}")
    from calico_lab.local.apiserver import yaml_bodies  # only few clients send YAML

    return yaml_bodies.parse(body)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
