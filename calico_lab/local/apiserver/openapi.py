"""OpenAPI v3: an index of documents, one a group version, made when first asked for.

kubectl reads from them that the server validates fields itself (the ``fieldValidation`` parameter of PATCH), which
patch types a kind takes, and what ``kubectl explain`` shows
(https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3).
"""

from __future__ import annotations

from calico_lab.local import topology
from calico_lab.local.apiserver.kinds import Kind
from calico_lab.local.apiserver.patch import patch_types
from calico_lab.local.apiserver.schema import SchemaSet
from calico_lab.local.apiserver.discovery import Groups
from calico_lab.local.wire import JsonObject

_FIELD_VALIDATION = {"name": "fieldValidation", "in": "query", "schema": {"type": "string", "uniqueItems": True}}
_DRY_RUN = {"name": "dryRun", "in": "query", "schema": {"type": "string", "uniqueItems": True}}
_VERBS = {"create": "post", "update": "put", "patch": "patch", "delete": "delete", "get": "get"}


def index(groups: Groups) -> JsonObject:
    """Return what /openapi/v3 says."""
    names = [document_name(group, version) for group, versions in groups.items() for version in versions]
    return {"paths": {name: {"serverRelativeURL": f"/openapi/v3/{name}"} for name in names}}


def document_name(group: str, version: str) -> str:
    """Return the name of a group version's document: also the path below which its resources lie."""
    return f"apis/{group}/{version}" if group else f"api/{version}"


def document(group: str, version: str, kinds: list[Kind], schemas: SchemaSet) -> JsonObject:
    """Return the document of a group version."""
    components = dict(schemas.openapi(group, version))
    known = {
        tuple(entry[name] for name in ("group", "version", "kind"))
        for schema in components.values()
        for entry in schema.get("x-kubernetes-group-version-kind", ())
    }
    for kind in kinds:
        if (kind.group, kind.version, kind.kind) not in known:
            components[_component_name(kind)] = _component(kind)
    paths: JsonObject = {}
    for kind in kinds:
        paths |= _paths(kind)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": topology.KUBERNETES_VERSION},
        "paths": paths,
        "components": {"schemas": components},
    }


def _component_name(kind: Kind) -> str:
    return ".".join([*reversed((kind.group or "core").split(".")), kind.version, kind.kind])


def _component(kind: Kind) -> JsonObject:
    schema = kind.schema or {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return schema | {"x-kubernetes-group-version-kind": [_identity(kind)]}


def _identity(kind: Kind) -> JsonObject:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _paths(kind: Kind) -> JsonObject:
    base = f"/{document_name(kind.group, kind.version)}"
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
