"""What makes a schema a CustomResourceDefinition: names, versions, columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from calico_lab.local.wire import JsonObject

AGE = {"jsonPath": ".metadata.creationTimestamp", "name": "Age", "type": "date"}


def column(name: str, path: str, *, priority: int = 0) -> JsonObject:
    """Return a printed column of strings."""
    entry: JsonObject = {"jsonPath": path, "name": name, "type": "string"}
    return entry | ({"priority": priority} if priority else {})


def condition_column(name: str, kind: str, part: str = "status") -> JsonObject:
    """Return a printed column that shows a part of the condition of one type."""
    return column(name, f'.status.conditions[?(@.type=="{kind}")].{part}')


@dataclass(frozen=True)
class Definition:
    """One kind: ``versions`` are served with one schema, the first of them is the stored one."""

    group: str
    kind: str
    plural: str
    versions: Sequence[str]
    schema: JsonObject
    short_names: Sequence[str] = ()
    categories: Sequence[str] = ()
    columns: Sequence[JsonObject] = (AGE,)
    annotations: JsonObject = field(default_factory=dict)
    namespaced: bool = True
    has_status: bool = True
    deprecated: Sequence[str] = ()

    def custom_resource_definition(self) -> JsonObject:
        """Return the object that a client would create."""
        names = {
            "categories": list(self.categories),
            "kind": self.kind,
            "listKind": f"{self.kind}List",
            "plural": self.plural,
            "shortNames": list(self.short_names),
            "singular": self.kind.lower(),
        }
        annotations: JsonObject = {"annotations": dict(self.annotations)} if self.annotations else {}
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{self.plural}.{self.group}"} | annotations,
            "spec": {
                "group": self.group,
                "names": {key: value for key, value in names.items() if value},
                "scope": "Namespaced" if self.namespaced else "Cluster",
                "versions": [self._version(version) for version in sorted(self.versions, key=_by_age)],
            },
        }

    def _version(self, name: str) -> JsonObject:
        properties = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
        schema = self.schema | {"properties": properties | self.schema["properties"]}
        version: JsonObject = {
            "name": name,
            "schema": {"openAPIV3Schema": schema},
            "served": True,
            "storage": name == self.versions[0],
            "subresources": {"status": {}} if self.has_status else {},
        }
        if self.columns:
            version["additionalPrinterColumns"] = list(self.columns)
        if name in self.deprecated:
            version["deprecated"] = True
            version["deprecationWarning"] = (
                f"The {name} version of {self.kind} has been deprecated and will be removed in a future release of "
                f"the API. Please upgrade to {self.versions[0]}."
            )
        return version


def _by_age(version: str) -> tuple[bool, str]:
    """Order versions as CustomResourceDefinitions list them: the stable one first."""
    return "alpha" in version or "beta" in version, version
