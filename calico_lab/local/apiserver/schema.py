"""The structural schemas of the kinds that the API server is born with.

Those of Kubernetes are data, made by ``scripts/make_schemas.py``; those of Calico and of its operator are written by
hand in ``calico_schemas.py``. A file is read when the first kind of its API group is asked for.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from calico_lab.local.apiserver import calico_schemas
from calico_lab.local.wire import JsonObject

_FOLDER = Path(__file__).parent / "schemas"
_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


class SchemaSet:
    """Finds the schema of a kind."""

    def __init__(self) -> None:
        self._files: dict[str, JsonObject] = {}
        self._linked: dict[str, JsonObject] = {}

    def structural(self, group: str, version: str, kind: str) -> JsonObject | None:
        """Return the schema of a kind with every reference linked, or None for a kind that is not built in.

        Beside the keywords of OpenAPI a linked definition carries its name under ``$name``. Shared pieces are the
        same object wherever they stand: read, don't change.
        """
        name = self._file(_file_of_group(group))["kinds"].get(f"{version}/{kind}")
        if name:
            return self._definition(name)
        schema = calico_schemas.SCHEMAS.get((group, version, kind))
        return schema and schema | {"properties": {"metadata": self.object_meta()} | schema["properties"]}

    def object_meta(self) -> JsonObject:
        """Return the schema of every object's ``metadata``."""
        return self._definition(_OBJECT_META)

    def definitions(self, group: str) -> JsonObject:
        """Return the definitions of one API group as its file holds them: ``$ref`` is the name of a definition."""
        found: JsonObject = self._file(_file_of_group(group))["definitions"]
        return found

    def definition_name(self, group: str, version: str, kind: str) -> str:
        """Return the name of a kind's definition, empty for a kind that has none."""
        name: str = self._file(_file_of_group(group))["kinds"].get(f"{version}/{kind}", "")
        return name

    def _file(self, name: str) -> JsonObject:
        if name not in self._files:
            file = _FOLDER / f"{name}.json"
            self._files[name] = json.loads(file.read_bytes()) if file.exists() else {"definitions": {}, "kinds": {}}
        return self._files[name]

    def _definition(self, name: str) -> JsonObject:
        if name not in self._linked:
            # Registered before it is filled: a definition may contain itself.
            linked = self._linked[name] = {"$name": _struct(name)}
            linked |= self._link(self._file(_file_of_definition(name))["definitions"][name])
        return self._linked[name]

    def _link(self, node: JsonObject) -> JsonObject:
        if "$ref" in node:
            return self._definition(node["$ref"])
        linked: dict[str, Any] = dict(node)
        if "properties" in node:
            linked["properties"] = {key: self._link(value) for key, value in node["properties"].items()}
        for keyword in ("items", "additionalProperties"):
            if isinstance(node.get(keyword), dict):
                linked[keyword] = self._link(node[keyword])
        return linked


def load() -> SchemaSet:
    """Return the schema set; nothing is read yet."""
    return SchemaSet()


def _file_of_group(group: str) -> str:
    return group.partition(".")[0] or "core"


def _file_of_definition(name: str) -> str:
    """Return the file of a definition, as ``file_of`` in scripts/make_schemas.py chose it."""
    words = name.split(".")
    if words[2] == "api":
        return words[3]
    return "apiextensions" if words[2].startswith("apiextensions") else "meta"


def _struct(name: str) -> str:
    """Return the name by which Go's decoder calls a definition: ``v1.PodSpec``."""
    return ".".join(name.split(".")[-2:])
