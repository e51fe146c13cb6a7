"""OpenAPI v3: an index of documents, one a group version, made when first asked for.

kubectl reads from them that the server validates fields itself (the ``fieldValidation`` parameter of PATCH), which
patch types a kind takes, and what ``kubectl explain`` shows
(https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from calico_lab.local import topology
from calico_lab.local.apiserver import answers, openapi_v2
from calico_lab.local.apiserver.discovery import Groups
from calico_lab.local.apiserver.kinds import Kind
from calico_lab.local.apiserver.patch import patch_types
from calico_lab.local.apiserver.registry import Registry
from calico_lab.local.apiserver.schema import SchemaSet
from calico_lab.local.wire import JsonObject, Response

_FIELD_VALIDATION = {"name": "fieldValidation", "in": "query", "schema": {"type": "string", "uniqueItems": True}}
_DRY_RUN = {"name": "dryRun", "in": "query", "schema": {"type": "string", "uniqueItems": True}}
_VERBS = {"create": "post", "update": "put", "patch": "patch", "delete": "delete", "get": "get"}
_REFERENCE = "#/components/schemas/"
_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


class OpenApi:
    """Makes the documents, and keeps each until the kinds of its group version change."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._documents: dict[str, tuple[list[Kind], bytes]] = {}
        self._v2: tuple[list[Kind], bytes] = ([], b"")

    def answer(self, parts: list[str]) -> Response:
        """Answer what lies below /openapi. Raises ``NotFound``."""
        groups = self._registry.groups()
        match parts:
            case ["v2"]:
                return self._version_2(groups)
            case ["v3"]:
                return answers.answer(_index(groups))
            case ["v3", "api", version]:
                return self._document("", version, groups)
            case ["v3", "apis", group, version] if group:
                return self._document(group, version, groups)
        raise answers.no_such_path()

    def _version_2(self, groups: Groups) -> Response:
        every = [kind for versions in groups.values() for kinds in versions.values() for kind in kinds]
        known, body = self._v2
        if known != every:
            components: JsonObject = {}
            for group, versions in groups.items():
                for kinds in versions.values():
                    components |= _components(group, kinds, self._registry.schemas)
            body = openapi_v2.document(components)
            self._v2 = (every, body)
        return Response(200, body, openapi_v2.CONTENT_TYPE)

    def _document(self, group: str, version: str, groups: Groups) -> Response:
        kinds = groups.get(group, {}).get(version)
        if kinds is None:
            raise answers.no_such_path()
        name = _document_name(group, version)
        known, body = self._documents.get(name, ([], b""))
        if known != kinds:
            body = answers.encode(document(group, kinds, self._registry.schemas))
            self._documents[name] = (kinds, body)
        return Response(200, body)


def _index(groups: Groups) -> JsonObject:
    names = [_document_name(group, version) for group, versions in groups.items() for version in versions]
    return {"paths": {name: {"serverRelativeURL": f"/openapi/v3/{name}"} for name in names}}


def _document_name(group: str, version: str) -> str:
    """Return the name of a group version's document: also the path below which its resources lie."""
    return f"apis/{group}/{version}" if group else f"api/{version}"


def document(group: str, kinds: list[Kind], schemas: SchemaSet) -> JsonObject:
    """Return the document of a group version."""
    paths: JsonObject = {}
    for kind in kinds:
        paths |= _paths(kind)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": topology.KUBERNETES_VERSION},
        "paths": paths,
        "components": {"schemas": _components(group, kinds, schemas)},
    }


def _components(group: str, kinds: list[Kind], schemas: SchemaSet) -> JsonObject:
    definitions = schemas.definitions("meta") | schemas.definitions("") | schemas.definitions(group)
    components: JsonObject = {}
    for kind in kinds:
        name = schemas.definition_name(kind.group, kind.version, kind.kind)
        schema = definitions[name] if name else _own_schema(kind, schemas)
        components[name or _component_name(kind)] = schema | {"x-kubernetes-group-version-kind": [_identity(kind)]}
    waiting = [name for schema in components.values() for name in _references(schema)]
    while waiting:
        name = waiting.pop()
        if name in definitions and name not in components:
            components[name] = definitions[name]
            waiting.extend(_references(definitions[name]))
    return {name: _with_full_references(schema) for name, schema in components.items()}


def _own_schema(kind: Kind, schemas: SchemaSet) -> JsonObject:
    schema = kind.schema or schemas.structural(kind.group, kind.version, kind.kind) or {"type": "object"}
    identity = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
    return schema | {"properties": identity | (schema.get("properties") or {}) | {"metadata": {"$ref": _OBJECT_META}}}


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for value in schema.values():
            yield from _references(value)


def _with_full_references(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_with_full_references(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    full = {key: _with_full_references(value) for key, value in schema.items() if key != "$name"}
    return full | {"$ref": _REFERENCE + schema["$ref"]} if isinstance(schema.get("$ref"), str) else full


def _component_name(kind: Kind) -> str:
    return ".".join([*reversed((kind.group or "core").split(".")), kind.version, kind.kind])


def _identity(kind: Kind) -> JsonObject:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _paths(kind: Kind) -> JsonObject:
    base = f"/{_document_name(kind.group, kind.version)}"
    collection = f"{base}/namespaces/{{namespace}}/{kind.plural}" if kind.namespaced else f"{base}/{kind.plural}"
    operations = {method: _operation(kind, verb) for verb, method in _VERBS.items() if verb in kind.verbs}
    one = {method: operation for method, operation in operations.items() if method != "post"}
    paths: JsonObject = {collection: {"post": operations["post"]}}
    return paths | ({collection + "/{name}": one} if one else {})


def _operation(kind: Kind, verb: str) -> JsonObject:
    operation: JsonObject = {
        "x-kubernetes-action": verb,
        "x-kubernetes-group-version-kind": _identity(kind),
        "responses": {"200": {"description": "OK"}},
    }
    if verb in ("create", "update", "patch"):
        operation["parameters"] = [_DRY_RUN, _FIELD_VALIDATION]
    if verb == "patch":
        operation["requestBody"] = {"content": {name: {} for name in patch_types(kind)}}
    return operation
