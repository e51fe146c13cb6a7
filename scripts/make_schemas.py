"""Derive the schemas of the built-in kinds from the package ``kubernetes-validate``: no prose, names and types alone.

Run by ``make schemas`` at development time, in an environment of its own that has that package; what it writes is
part of the project. Usage: ``python scripts/make_schemas.py [VERSION]``, VERSION as in ``v1.37.0``.

One file a group of definitions: ``kinds`` maps ``version/Kind`` to the name of a definition, ``definitions`` holds
them. A definition refers to another by ``{"$ref": NAME}``, also across files.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).parent.parent / "calico_lab" / "local" / "apiserver" / "schemas"
VERSION = "v1.37.0"

# What the API server serves of each group, and the files that it reads and writes beside objects.
SERVED = {
    "": {
        "v1": [
            "Binding", "ConfigMap", "Endpoints", "Event", "Namespace", "Node", "Pod", "Secret", "Service",
            "ServiceAccount",
        ]
    },
    "apiextensions.k8s.io": {"v1": ["CustomResourceDefinition"]},
    "apps": {"v1": ["Deployment", "ReplicaSet"]},
    "authentication.k8s.io": {"v1": ["SelfSubjectReview", "TokenRequest"]},
    "authorization.k8s.io": {"v1": ["SelfSubjectAccessReview", "SelfSubjectRulesReview"]},
    "autoscaling": {"v1": ["Scale"]},
    "coordination.k8s.io": {"v1": ["Lease"]},
    "discovery.k8s.io": {"v1": ["EndpointSlice"]},
    "networking.k8s.io": {"v1": ["Ingress", "IngressClass", "NetworkPolicy"]},
    "rbac.authorization.k8s.io": {"v1": ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]},
}  # fmt: skip

# Keywords that say something to a program; ``description`` is left behind.
KEYWORDS = {
    "$ref", "additionalProperties", "enum", "format", "items", "minimum", "oneOf", "properties", "required", "type",
    "x-kubernetes-group-version-kind", "x-kubernetes-int-or-string", "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type", "x-kubernetes-map-type", "x-kubernetes-patch-merge-key",
    "x-kubernetes-patch-strategy", "x-kubernetes-preserve-unknown-fields",
}  # fmt: skip

# Two definitions that the package writes as a choice of types; the API's own documents say it so.
SCALARS = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"x-kubernetes-int-or-string": True},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"x-kubernetes-int-or-string": True, "format": "quantity"},
}

# A schema inside a CustomResourceDefinition: where the package allows a list or a boolean in its place, a structural
# schema has no use for the first, and the decoder lets the second pass.
_SCHEMA = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
ALIASES = {f"{_SCHEMA}OrArray": _SCHEMA, f"{_SCHEMA}OrBool": _SCHEMA}


def main(version: str) -> None:
    """Write one file a group, stable from run to run."""
    definitions = published_definitions(version)
    served = served_definitions(definitions)
    files: dict[str, dict[str, Any]] = defaultdict(lambda: {"definitions": {}, "kinds": {}})
    for name in sorted(reachable(definitions, list(served.values()))):
        files[file_of(name)]["definitions"][name] = SCALARS.get(name) or compact(definitions[name])
    for (group, key), name in served.items():
        files[group.partition(".")[0] or "core"]["kinds"][key] = name
    SCHEMAS.mkdir(exist_ok=True)
    for file, content in files.items():
        text = json.dumps(content, separators=(",", ":"), sort_keys=True)
        (SCHEMAS / f"{file}.json").write_text(text + "\n")


def published_definitions(version: str) -> dict[str, Any]:
    """Return the definitions of one Kubernetes version, without importing the package (it costs seconds)."""
    package = importlib.util.find_spec("kubernetes_validate")
    if package is None or package.origin is None:
        raise SystemExit("make_schemas needs the package kubernetes-validate: install it beside this Python")
    file = Path(package.origin).parent / "kubernetes-json-schema" / f"{version}-local" / "_definitions.json"
    definitions: dict[str, Any] = json.loads(file.read_text())["$defs"]
    return definitions


def served_definitions(definitions: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Map (group, version/Kind) of what is served to the name of its definition."""
    found = {}
    for name, definition in definitions.items():
        for identity in definition.get("x-kubernetes-group-version-kind", []):
            group, version, kind = identity["group"], identity["version"], identity["kind"]
            if kind in SERVED.get(group, {}).get(version, []):
                found[group, f"{version}/{kind}"] = name
    return found


def reachable(definitions: dict[str, Any], names: list[str]) -> set[str]:
    """Return the names of all definitions that these refer to, themselves included."""
    found: set[str] = set()
    while names:
        name = names.pop()
        if name not in found:
            found.add(name)
            names += [] if name in SCALARS else references(definitions[name])
    return found


def references(node: Any) -> list[str]:
    """Return the names that a definition refers to."""
    if isinstance(node, dict):
        own = [name_of(node["$ref"])] if isinstance(node.get("$ref"), str) else []
        return own + [name for value in node.values() for name in references(value)]
    return [name for value in node for name in references(value)] if isinstance(node, list) else []


def compact(node: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without prose, without ``null`` among the types, and with short references."""
    if "$ref" in node:
        return {"$ref": name_of(node["$ref"])}
    kept = {key: value for key, value in node.items() if key in KEYWORDS}
    if isinstance(kept.get("type"), list):
        kept["type"] = next(name for name in kept["type"] if name != "null")
    if isinstance(kept.get("items"), dict):
        kept["items"] = compact(kept["items"])
    if isinstance(kept.get("additionalProperties"), dict):
        kept["additionalProperties"] = compact(kept["additionalProperties"])
    if "properties" in kept:
        kept["properties"] = {name: compact(value) for name, value in kept["properties"].items()}
    return kept


def name_of(reference: str) -> str:
    """Return the name at the end of a reference."""
    name = reference.rpartition("/")[2]
    return ALIASES.get(name, name)


def file_of(name: str) -> str:
    """Return the file for a definition: the first word of its API group, ``meta`` for what all groups share."""
    words = name.split(".")
    if words[2] == "api":
        return words[3]
    return "apiextensions" if words[2].startswith("apiextensions") else "meta"


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else VERSION)
