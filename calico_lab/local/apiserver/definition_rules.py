"""Rules of the schemas that a CustomResourceDefinition brings: those without which they could not be used.

Messages: https://github.com/kubernetes/apiextensions-apiserver, package ``pkg/apis/apiextensions/validation``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from calico_lab.local.apiserver import field_problems as problem
from calico_lab.local.apiserver.field_problems import FieldProblem
from calico_lab.local.apiserver.kinds import BUILT_IN_KINDS
from calico_lab.local.apiserver.names import DNS_1035_LABEL, DNS_1035_TEXT
from calico_lab.local.wire import JsonObject

_SCOPES = ("Cluster", "Namespaced")
_OWN_GROUPS = {kind.group for kind in BUILT_IN_KINDS}
_LABEL = re.compile(DNS_1035_LABEL)
_TYPES = ("array", "boolean", "integer", "number", "object", "string")


def definition_problems(item: JsonObject, _old: JsonObject | None) -> Iterator[FieldProblem]:
    """Yield what is wrong with the names and the schemas of a CustomResourceDefinition."""
    yield from _names(item.get("spec") or {})
    for index, version in enumerate((item.get("spec") or {}).get("versions") or ()):
        path = f"spec.versions[{index}].schema.openAPIV3Schema"
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is None:
            yield problem.required(path, "schemas are required")
        else:
            yield from _schema(schema, path)


def _names(spec: JsonObject) -> Iterator[FieldProblem]:
    group, names = spec.get("group", ""), spec.get("names") or {}
    if "." not in group:
        yield problem.invalid("spec.group", group, "should be a domain with at least one dot")
    if group in _OWN_GROUPS:
        yield problem.forbidden("spec.group", "the server itself serves this group")
    if spec.get("scope") not in _SCOPES:
        yield problem.not_supported("spec.scope", spec.get("scope", ""), _SCOPES)
    if not _LABEL.fullmatch(names.get("plural", "")):
        yield problem.invalid("spec.names.plural", names.get("plural", ""), DNS_1035_TEXT)
    if not _LABEL.fullmatch(names.get("kind", "").lower()):
        detail = f"may have mixed case, but should otherwise match: {DNS_1035_TEXT}"
        yield problem.invalid("spec.names.kind", names.get("kind", ""), detail)


def _schema(schema: JsonObject | bool, path: str) -> Iterator[FieldProblem]:
    if isinstance(schema, bool):
        yield problem.wrong_type(path, "boolean", "must be a schema")
        return
    kind = schema.get("type")
    free = schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("x-kubernetes-int-or-string")
    if kind is None and not free:
        yield problem.required(f"{path}.type", "must not be empty for specified object fields")
    elif kind is not None and kind not in _TYPES:
        yield problem.not_supported(f"{path}.type", kind, _TYPES)
    if "pattern" in schema:
        yield from _pattern(schema["pattern"], f"{path}.pattern")
    for name, child in (schema.get("properties") or {}).items():
        yield from _schema(child, f"{path}.properties[{name}]")
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield from _schema(schema[keyword], f"{path}.{keyword}")


def _pattern(pattern: str, path: str) -> Iterator[FieldProblem]:
    try:
        re.compile(pattern)
    except re.error as error:
        detail = f"must be a valid regular expression, but isn't: {error}"
        yield problem.invalid(path, pattern, detail)
