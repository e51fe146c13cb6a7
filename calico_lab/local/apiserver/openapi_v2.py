"""OpenAPI v2 in Protobuf, which kubectl up to 1.26 reads before it applies anything: the definitions, and no paths.

Field numbers: https://github.com/google/gnostic-models, ``openapiv2/OpenAPIv2.proto``.
"""

from __future__ import annotations

import json
from typing import Any

from calico_lab.local import topology
from calico_lab.local.wire import JsonObject

CONTENT_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_REFERENCE = "#/definitions/"
_LENGTH_DELIMITED = 2
# Fields of the messages Document, Info, Schema; in most of the others the content is field 1.
_SWAGGER, _INFO, _PATHS, _DEFINITIONS = 1, 2, 8, 9
_TITLE, _VERSION = 1, 2
_REF, _FORMAT, _DESCRIPTION, _REQUIRED, _OTHERS, _TYPE, _ITEMS, _PROPERTIES, _EXTENSION = (
    1,
    2,
    4,
    19,
    21,
    22,
    23,
    25,
    31,
)


def document(components: JsonObject) -> bytes:
    """Return the document that holds these schemas, as OpenAPI v3 has them, by name."""
    definitions = b"".join(_field(1, _named(name, _schema(schema))) for name, schema in components.items())
    info = _field(_TITLE, "Kubernetes") + _field(_VERSION, topology.KUBERNETES_VERSION)
    return _field(_SWAGGER, "2.0") + _field(_INFO, info) + _field(_PATHS, b"") + _field(_DEFINITIONS, definitions)


def _schema(schema: JsonObject) -> bytes:
    if "$ref" in schema:
        return _field(_REF, _REFERENCE + schema["$ref"].rpartition("/")[2])
    parts = [_field(_REQUIRED, name) for name in schema.get("required") or ()]
    for number, key in ((_FORMAT, "format"), (_DESCRIPTION, "description")):
        parts += [_field(number, schema[key])] if schema.get(key) else []
    if kind := _type(schema):
        parts.append(_field(_TYPE, _field(1, kind)))
    if isinstance(schema.get("items"), dict):
        parts.append(_field(_ITEMS, _field(1, _schema(schema["items"]))))
    if isinstance(schema.get("additionalProperties"), dict):
        parts.append(_field(_OTHERS, _field(1, _schema(schema["additionalProperties"]))))
    if properties := schema.get("properties"):
        entries = b"".join(_field(1, _named(name, _schema(child))) for name, child in properties.items())
        parts.append(_field(_PROPERTIES, entries))
    for key, value in schema.items():
        if key.startswith("x-kubernetes-"):
            # JSON is YAML; extensions travel as text.
            parts.append(_field(_EXTENSION, _named(key, _field(2, json.dumps(value)))))
    return b"".join(parts)


def _type(schema: JsonObject) -> str:
    if schema.get("x-kubernetes-int-or-string"):
        return "string"
    # An object that keeps what it does not know is one of any fields.
    return "" if schema.get("x-kubernetes-preserve-unknown-fields") else str(schema.get("type", ""))


def _named(name: str, value: bytes) -> bytes:
    return _field(1, name) + _field(2, value)


def _field(number: int, content: Any) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    result.append(value)
    return bytes(result)
