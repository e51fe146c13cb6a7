"""A container's environment and arguments, as its manifest declares them: pure functions."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from calico_lab.errors import LabError
from calico_lab.local import topology
from calico_lab.local.kubelet.name_resolution import host_name
from calico_lab.local.kubelet.service_links import service_links
from calico_lab.local.wire import JsonObject

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_REFERENCE = re.compile(r"\$(\$|\(([^()]+)\))")
_QUANTITY = re.compile(r"(\d+(?:\.\d*)?)([numkMGTPE]|[KMGTPE]i|)")
_UNITS = {"": Fraction(1), "k": Fraction(10**3), "Ki": Fraction(2**10)}
_UNITS |= {unit: Fraction(1, 10**power) for unit, power in (("m", 3), ("u", 6), ("n", 9))}
_UNITS |= {unit: Fraction(10 ** (3 * power)) for power, unit in enumerate("MGTPE", 2)}
_UNITS |= {f"{unit}i": Fraction(2 ** (10 * power)) for power, unit in enumerate("MGTPE", 2)}
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


class ContainerConfigError(LabError):
    """A container cannot be made as its manifest says."""


@dataclass(frozen=True)
class PodFacts:
    """What a manifest can refer to: the pod, its addresses, the objects of its namespace by name, and all services."""

    pod: JsonObject
    pod_address: str
    host_address: str
    config_map: Callable[[str], JsonObject | None]
    secret: Callable[[str], JsonObject | None]
    services: Callable[[], Iterable[JsonObject]] = tuple


def environment_of(container: JsonObject, facts: PodFacts) -> dict[str, str]:
    """Return a container's whole environment.

    Raises :class:`ContainerConfigError`, in Kubernetes' words, where something referred to does not exist.
    """
    environment = {
        "PATH": PATH,
        "HOSTNAME": host_name(facts.pod),
        "KUBERNETES_SERVICE_HOST": str(topology.KUBERNETES_SERVICE),
        "KUBERNETES_SERVICE_PORT": "443",
        "KUBERNETES_SERVICE_PORT_HTTPS": "443",
    } | service_links(facts.pod, facts.services())
    for source in container.get("envFrom") or []:
        environment |= _all_of(source, facts)
    for variable in container.get("env") or []:
        value = _value(variable, environment, facts, container)
        if value is not None:
            environment[variable["name"]] = value
    return environment


def expand(text: str, environment: Mapping[str, str]) -> str:
    """Replace each ``$(NAME)`` that is known; ``$$`` stands for a dollar sign."""

    def replacement(found: re.Match[str]) -> str:
        return "$" if found[1] == "$" else environment.get(found[2], found[0])

    return _REFERENCE.sub(replacement, text)


def field_value(path: str, facts: PodFacts) -> str:
    """Return what a ``fieldRef`` refers to. Raises :class:`ContainerConfigError` for a field that cannot be."""
    metadata, spec = facts.pod["metadata"], facts.pod["spec"]
    subscript = _SUBSCRIPT.fullmatch(path)
    if subscript:
        return str((metadata.get(subscript[1]) or {}).get(subscript[2], ""))
    values = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.podIP": facts.pod_address,
        "status.podIPs": facts.pod_address,
        "status.hostIP": facts.host_address,
        "status.hostIPs": facts.host_address,
    }
    if path not in values:
        raise ContainerConfigError(f"unsupported fieldPath: {path}")
    return str(values[path])


def resource_value(reference: JsonObject, container: JsonObject) -> str:
    """Return what a ``resourceFieldRef`` refers to, in units of its divisor and rounded up; 0 where none is requested.

    Raises :class:`ContainerConfigError` for a resource other than cpu and memory, and for a limit that is not set:
    upstream tells what the node has, and the lab's nodes share one machine.
    """
    kind, _, resource = reference["resource"].partition(".")
    if kind not in ("limits", "requests") or resource not in ("cpu", "memory"):
        raise ContainerConfigError(f"unsupported container resource: {reference['resource']}")
    amount = ((container.get("resources") or {}).get(kind) or {}).get(resource)
    if amount is None and kind == "limits":
        raise ContainerConfigError(f"{container['name']} has no limits.{resource}, and the local lab's nodes have none")
    divisor = quantity(str(reference.get("divisor") or "1")) or Fraction(1)
    return str(math.ceil(quantity(str(amount or "0")) / divisor))


def quantity(text: str) -> Fraction:
    """Read a Kubernetes quantity, such as 100m or 64Mi. Raises :class:`ContainerConfigError`."""
    found = _QUANTITY.fullmatch(text)
    if found is None:
        raise ContainerConfigError(f"not a quantity: {text}")
    return Fraction(found[1]) * _UNITS[found[2]]


def _value(variable: JsonObject, environment: Mapping[str, str], facts: PodFacts, container: JsonObject) -> str | None:
    source = variable.get("valueFrom")
    if not source:
        return expand(variable.get("value") or "", environment)
    if "fieldRef" in source:
        return field_value(source["fieldRef"]["fieldPath"], facts)
    if "resourceFieldRef" in source:
        return resource_value(source["resourceFieldRef"], container)
    if "configMapKeyRef" in source:
        return _key(source["configMapKeyRef"], "configmap", "ConfigMap", facts.config_map, facts)
    if "secretKeyRef" in source:
        return _key(source["secretKeyRef"], "secret", "Secret", facts.secret, facts)
    kind = next(iter(source))
    raise ContainerConfigError(f"env {variable['name']}: the local lab does not implement {kind}")


def _key(
    reference: JsonObject, word: str, kind: str, find: Callable[[str], JsonObject | None], facts: PodFacts
) -> str | None:
    name, key, optional = reference["name"], reference["key"], reference.get("optional", False)
    item = find(name)
    if item is None:
        if optional:
            return None
        raise ContainerConfigError(f'{word} "{name}" not found')
    content = content_of(item)
    if key not in content:
        if optional:
            return None
        raise ContainerConfigError(f"couldn't find key {key} in {kind} {facts.pod['metadata']['namespace']}/{name}")
    return content[key].decode(errors="surrogateescape")


def _all_of(source: JsonObject, facts: PodFacts) -> dict[str, str]:
    kind, find = ("configMapRef", facts.config_map) if "configMapRef" in source else ("secretRef", facts.secret)
    reference = source[kind]
    item = find(reference["name"])
    if item is None:
        if reference.get("optional"):
            return {}
        raise ContainerConfigError(
            f'{"configmap" if kind == "configMapRef" else "secret"} "{reference["name"]}" not found'
        )
    prefix = source.get("prefix") or ""
    return {prefix + key: value.decode(errors="surrogateescape") for key, value in content_of(item).items()}


def content_of(item: JsonObject) -> dict[str, bytes]:
    """Return what a ConfigMap or a Secret holds, by key."""
    import base64

    data, binary = item.get("data") or {}, item.get("binaryData") or {}
    if item.get("kind") == "Secret":
        data, binary = {}, data
    text = {key: value.encode() for key, value in data.items()}
    return text | {key: base64.b64decode(value) for key, value in binary.items()}
