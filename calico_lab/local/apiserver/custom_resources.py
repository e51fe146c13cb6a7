"""CustomResourceDefinitions: each makes the server serve its kind, in all of its versions, for as long as it exists.

Reference: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/.
"""

from __future__ import annotations

from typing import Any

from calico_lab.local.apiserver.field_problems import FieldProblem
from calico_lab.local.apiserver.kinds import Kind, PrinterColumn
from calico_lab.local.apiserver.registry import Registry
from calico_lab.local.apiserver.store import Change, Store
from calico_lab.local.objects import now
from calico_lab.local.wire import JsonObject

DEFINITIONS = ("apiextensions.k8s.io", "customresourcedefinitions")
AGE = PrinterColumn("Age", "date", ".metadata.creationTimestamp")


class CustomResources:
    """Keeps the registry in step with the definitions in the store."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry
        store.on_change(DEFINITIONS, self._changed)

    def _changed(self, change: Change) -> None:
        spec = change.new.item["spec"]
        group, plural = spec["group"], spec["names"]["plural"]
        self._registry.remove(group, plural)
        if change.gone:
            self._store.drop((group, plural))
            return
        for kind in kinds_of(change.new.item):
            self._registry.add(kind)


def kinds_of(definition: JsonObject) -> list[Kind]:
    """Return the kinds that a definition makes the server serve: one for each served version."""
    spec = definition["spec"]
    names = spec["names"]
    storage = next(version["name"] for version in spec["versions"] if version.get("storage"))
    return [
        Kind(
            group=spec["group"],
            version=version["name"],
            plural=names["plural"],
            kind=names["kind"],
            namespaced=spec["scope"] == "Namespaced",
            singular=names.get("singular", ""),
            list_kind=names.get("listKind", ""),
            short_names=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            subresources=frozenset((version.get("subresources") or {}).keys()),
            storage_version=storage,
            generations=True,
            custom=True,
            deprecation=_deprecation(spec, version),
            columns=_columns(version),
            schema=(version.get("schema") or {}).get("openAPIV3Schema"),
        )
        for version in spec["versions"]
        if version.get("served")
    ]


def _deprecation(spec: JsonObject, version: JsonObject) -> str:
    if not version.get("deprecated"):
        return ""
    said: str = version.get("deprecationWarning", "")
    return said or f"{spec['group']}/{version['name']} {spec['names']['kind']} is deprecated"


def _columns(version: JsonObject) -> tuple[PrinterColumn, ...]:
    columns = [
        PrinterColumn(
            name=column["name"],
            type=column["type"],
            json_path=column["jsonPath"],
            priority=column.get("priority", 0),
            format=column.get("format", ""),
            description=column.get("description", ""),
        )
        for column in version.get("additionalPrinterColumns") or ()
    ]
    return tuple(columns) or (AGE,)


def establish(definition: JsonObject) -> None:
    """Fill in what the server writes into a definition that it serves, in place."""
    spec = definition["spec"]
    names = spec["names"]
    names.setdefault("singular", names["kind"].lower())
    names.setdefault("listKind", names["kind"] + "List")
    spec.setdefault("conversion", {"strategy": "None"})
    old = (definition.get("status") or {}).get("storedVersions") or []
    stored = [version["name"] for version in spec["versions"] if version.get("storage")]
    conditions = (definition.get("status") or {}).get("conditions") or [
        _condition("NamesAccepted", "NoConflicts", "no conflicts found"),
        _condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ]
    definition["status"] = {
        "acceptedNames": dict(names),
        "conditions": conditions,
        "storedVersions": [*old, *(version for version in stored if version not in old)],
    }


def definition_problems(definition: JsonObject) -> list[FieldProblem]:
    """Return what keeps a definition from being served. Types and required fields are the schema's business."""
    spec: Any = definition.get("spec")
    try:
        names, versions = spec["names"], spec["versions"]
        wanted = f"{names['plural']}.{spec['group']}"
        stored = [version["name"] for version in versions if version.get("storage")]
        kinds_of(definition)
    except (AttributeError, KeyError, StopIteration, TypeError):
        message = (
            "Invalid value: spec.group, spec.names, spec.scope and spec.versions with one storage version are needed"
        )
        return [FieldProblem("spec", "FieldValueInvalid", message)]
    problems = []
    if definition["metadata"].get("name") != wanted:
        name = definition["metadata"].get("name", "")
        message = f'Invalid value: "{name}": must be spec.names.plural+"."+spec.group'
        problems.append(FieldProblem("metadata.name", "FieldValueInvalid", message))
    if len(stored) != 1:
        message = "Invalid value: must have exactly one version marked as storage version"
        problems.append(FieldProblem("spec.versions", "FieldValueInvalid", message))
    return problems


def _condition(kind: str, reason: str, message: str) -> JsonObject:
    return {"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now()}
