"""Derive what the fields of Kubernetes' Protobuf messages are from the struct tags of its Go types.

Run at development time; what it writes is part of the project. It reads the unpacked sources of the Go modules
``k8s.io/api`` and ``k8s.io/apimachinery``: ``python scripts/make_protobuf_fields.py API_FOLDER APIMACHINERY_FOLDER``.

A message maps field numbers to ``name type``. In a type, ``[]`` stands for a list, ``map[]`` for a map from texts,
``*`` for a field that is only sent when it is set, ``?`` for one that JSON leaves out when it is empty; the name ``-``
means that the fields of the inner message stand among those of the outer one.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

RESULT = Path(__file__).parent.parent / "calico_lab" / "local" / "apiserver" / "schemas" / "protobuf.json"
GROUPS = (
    "apps", "authentication", "authorization", "autoscaling", "coordination", "core", "discovery", "networking", "rbac",
)  # fmt: skip
ROOTS = (
    "core.Binding", "core.ConfigMap", "core.Endpoints", "core.Event", "core.Namespace", "core.Node", "core.Pod",
    "core.Secret", "core.Service", "core.ServiceAccount", "apps.Deployment", "apps.ReplicaSet",
    "authentication.SelfSubjectReview", "authentication.TokenRequest", "authorization.SelfSubjectAccessReview",
    "authorization.SelfSubjectRulesReview", "autoscaling.Scale", "coordination.Lease", "discovery.EndpointSlice",
    "networking.Ingress", "networking.IngressClass", "networking.NetworkPolicy", "rbac.ClusterRole",
    "rbac.ClusterRoleBinding", "rbac.Role", "rbac.RoleBinding", "meta.DeleteOptions",
)  # fmt: skip
PLAIN = {"bool", "int32", "int64", "string", "bytes"}
ALIASES = {"int": "int64", "types.UID": "string", "runtime.RawExtension": "raw"}
# Messages whose JSON is no object: the decoder knows them by these names.
SPECIAL = {
    "meta.Time", "meta.MicroTime", "meta.Duration", "meta.FieldsV1", "meta.Verbs", "resource.Quantity",
    "intstr.IntOrString", "authentication.ExtraValue", "authorization.ExtraValue",
}  # fmt: skip
FIELD = re.compile(r"^\t(?:(\w+)\s+)?(\*?[\w\[\].*]+)\s+`json:\"([^\"]*)\"[^`]* protobuf:\"\w+,(\d+),")
DEFINED = re.compile(r"^type (\w+) =? ?([\w\[\].]+)$")

Messages = dict[str, dict[str, str]]


def main(api: Path, machinery: Path) -> None:
    """Write the messages that can be reached from what the server takes."""
    files = {group: api / group / "v1" / "types.go" for group in GROUPS}
    files["meta"] = machinery / "pkg" / "apis" / "meta" / "v1" / "types.go"
    defined: dict[str, str] = {}
    messages: Messages = {}
    for group, file in files.items():
        read(group, file.read_text().splitlines(), messages, defined)
    resolved = {
        name: {number: resolve(field, defined, messages) for number, field in fields.items()}
        for name, fields in messages.items()
    }
    kept = reachable(resolved, list(ROOTS))
    text = json.dumps({name: resolved[name] for name in sorted(kept)}, separators=(",", ":"))
    RESULT.write_text(text.replace("},", "},\n") + "\n")


def read(group: str, lines: list[str], messages: Messages, defined: dict[str, str]) -> None:
    """Collect the structs and the named types of one file."""
    current: dict[str, str] = {}
    for line in lines:
        if found := re.match(r"^type (\w+) struct", line):
            current = messages.setdefault(f"{group}.{found[1]}", {})
        elif found := DEFINED.match(line):
            defined[f"{group}.{found[1]}"] = qualified(group, found[2])
        elif found := FIELD.match(line):
            _, kind, tag, number = found.groups()
            name, _, options = tag.partition(",")
            optional = "?" if "omitempty" in options or "omitzero" in options else ""
            current[number] = f"{name or '-'} {optional}{qualified(group, kind)}"


def qualified(group: str, kind: str) -> str:
    """Return a Go type with its package's group in front of the name, modifiers kept."""
    modifiers, name = re.fullmatch(r"((?:\*|\[\]|map\[[\w.]+\])*)([\w.]+)", kind).groups()  # type: ignore[union-attr]
    modifiers = re.sub(r"map\[[\w.]+\]", "map[]", modifiers)
    if name == "byte":
        return modifiers.removesuffix("[]") + "bytes"
    if name in PLAIN:
        return modifiers + name
    if name in ALIASES:
        return modifiers + ALIASES[name]
    package, _, own = name.rpartition(".")
    package = {"metav1": "meta", "v1": "core", "": group}.get(package, package)
    return f"{modifiers}{package}.{own}"


def resolve(field: str, defined: dict[str, str], messages: Messages) -> str:
    """Replace the names of types that are no messages by what they stand for."""
    name, kind = field.split(" ")
    modifiers, base = re.fullmatch(r"((?:\?|\*|\[\]|map\[\])*)(.+)", kind).groups()  # type: ignore[union-attr]
    while base in defined and base not in messages and base not in SPECIAL:
        more, base = re.fullmatch(r"((?:\[\]|map\[\])*)(.+)", defined[base]).groups()  # type: ignore[union-attr]
        modifiers += more
    return f"{name} {modifiers}{base}"


def reachable(messages: Messages, names: list[str]) -> set[str]:
    """Return the names of all messages that these refer to, themselves included."""
    found: set[str] = set()
    while names:
        name = names.pop()
        if name in found or name in SPECIAL or name in PLAIN or "." not in name:
            continue
        found.add(name)
        names += [re.sub(r"^(\?|\*|\[\]|map\[\])*", "", field.split(" ")[1]) for field in messages[name].values()]
    return found


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
