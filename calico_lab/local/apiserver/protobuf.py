"""Bodies in Kubernetes' Protobuf encoding, which kubectl and Go clients send for built-in kinds.

The envelope is described in https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding, the wire
format in https://protobuf.dev/programming-guides/encoding/. What the fields are is data
(``scripts/make_protobuf_fields.py``). Only decoding is needed: every such client takes JSON for an answer.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from calico_lab import errors
from calico_lab.local.wire import JsonObject

PROTOBUF = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_FIELDS = Path(__file__).parent / "schemas" / "protobuf.json"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GROUPS = {"": "core", "v1": "core"}
_TYPE = re.compile(r"(?P<name>\S+) (?P<optional>\??)(?P<set>\*?)(?P<shape>(?:\[\]|map\[\])?)\*?(?P<type>\S+)")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}


class Field(NamedTuple):
    """A field of a message; ``always_sent`` ones cannot tell "empty" from "not set", and JSON leaves them out."""

    name: str
    shape: str
    type: str
    always_sent: bool


class Malformed(ValueError):
    """Not the encoding of what it should be."""


def decode(body: bytes) -> JsonObject:
    """Return the object in a body, as its JSON would be. Raises ``BadRequest`` for what is not such a body."""
    try:
        if not body.startswith(_MAGIC):
            raise Malformed("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
        envelope = {number: value for number, value in _entries(body[len(_MAGIC) :]) if isinstance(value, bytes)}
        identity = {number: _text(value) for number, value in _entries(envelope.get(1, b""))}
        api_version, kind = identity.get(1, ""), identity.get(2, "")
        message = _message_name(api_version, kind)
        return {"apiVersion": api_version, "kind": kind} | _object(message, envelope.get(2, b""))
    except (ValueError, OverflowError) as error:
        raise errors.BadRequest(f"the object provided is unrecognized: {error}") from None


def _message_name(api_version: str, kind: str) -> str:
    group = api_version.partition("/")[0].partition(".")[0]
    name = "meta.DeleteOptions" if kind == "DeleteOptions" else f"{_GROUPS.get(group, group)}.{kind}"
    if not api_version.endswith("v1") or name not in _messages():
        raise Malformed(f'no kind "{kind}" is registered for version "{api_version}" as protobuf')
    return name


@cache
def _messages() -> dict[str, dict[int, Field]]:
    described: dict[str, dict[str, str]] = json.loads(_FIELDS.read_bytes())
    return {name: {int(number): _field(text) for number, text in fields.items()} for name, fields in described.items()}


def _field(text: str) -> Field:
    found = _TYPE.fullmatch(text)
    assert found is not None, text  # noqa: S101 - the file is the project's own
    return Field(found["name"], found["shape"], found["type"], bool(found["optional"]) and not found["set"])


def _object(message: str, data: bytes) -> JsonObject:
    fields = _messages()[message]
    item: JsonObject = {}
    for number, value in _entries(data):
        field = fields.get(number)
        if field is None:
            continue  # of a later version than this server's
        if field.name == "-":
            item |= _object(field.type, _bytes(value))
        elif field.shape == "[]":
            item.setdefault(field.name, []).append(_value(field.type, value))
        elif field.shape == "map[]":
            item.setdefault(field.name, {}).update([_map_entry(field.type, _bytes(value))])
        else:
            decoded = _value(field.type, value)
            if decoded is not None and not (field.always_sent and decoded in ("", 0, False)):
                item[field.name] = decoded
    return item


def _map_entry(kind: str, data: bytes) -> tuple[str, Any]:
    entry = dict(_entries(data))
    empty: bytes | int = 0 if kind in _NUMBERS else b""
    return _text(entry.get(1, b"")), _value(kind, entry.get(2, empty))


def _value(kind: str, value: bytes | int) -> Any:
    if kind in _NUMBERS:
        if not isinstance(value, int):
            raise Malformed("proto: wrong wireType for a number")
        return _NUMBERS[kind](value)
    data = _bytes(value)
    special = _SPECIAL.get(kind)
    return special(data) if special else _object(kind, data)


def _bytes(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise Malformed("proto: wrong wireType")
    return value


def _text(value: bytes | int) -> str:
    return _bytes(value).decode()


def _entries(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield (number of the field, value) in the order of the encoding; a value is an integer or bytes."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == _VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        if wire_type == _BYTES:
            length, position = _varint(data, position)
        elif wire_type in _FIXED:
            length = _FIXED[wire_type]
        else:
            raise Malformed(f"proto: illegal wireType {wire_type}")
        if position + length > len(data):
            raise Malformed("unexpected EOF")
        yield number, data[position : position + length]
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    result = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise Malformed("unexpected EOF")
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
    raise Malformed("proto: integer overflow")


def _signed(value: int) -> int:
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


def _number_or_text(data: bytes) -> int | str:
    entry = dict(_entries(data))
    return _text(entry.get(3, b"")) if entry.get(1) else _NUMBERS["int32"](int(entry.get(2, 0)))


def _time(data: bytes) -> str | None:
    """Return a time as JSON writes it; an empty message is the zero time."""
    entry = dict(_entries(data))
    moment = _EPOCH + timedelta(seconds=_signed(int(entry.get(1, 0))))
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if data else None


def _precise_time(data: bytes) -> str | None:
    entry = dict(_entries(data))
    moment = _EPOCH + timedelta(seconds=_signed(int(entry.get(1, 0))), microseconds=int(entry.get(2, 0)) // 1000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if data else None


def _first_text(data: bytes) -> str:
    return _text(dict(_entries(data)).get(1, b""))


_NUMBERS: dict[str, Callable[[int], Any]] = {
    "bool": bool,
    "int32": lambda value: (value + 2**31) % 2**32 - 2**31,
    "int64": _signed,
}
_SPECIAL: dict[str, Callable[[bytes], Any]] = {
    "string": _text,
    "bytes": lambda data: base64.b64encode(data).decode(),
    "intstr.IntOrString": _number_or_text,
    "resource.Quantity": _first_text,
    "meta.Time": _time,
    "meta.MicroTime": _precise_time,
    "meta.FieldsV1": lambda data: json.loads(_first_text(data) or "{}"),
    "authentication.ExtraValue": lambda data: [_text(value) for _, value in _entries(data)],
}
