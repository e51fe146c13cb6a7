"""Rules of single fields of Kubernetes' own kinds, as tables.

Kubernetes validates these kinds by code, not by schema; a field is named here by the definition that holds it. Later
sessions extend the tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from calico_lab.local.apiserver import field_problems as problem
from calico_lab.local.apiserver.field_problems import FieldProblem
from calico_lab.local.wire import JsonObject

CHOICES = {
    "v1.Container.imagePullPolicy": ("Always", "IfNotPresent", "Never"),
    "v1.Container.terminationMessagePolicy": ("FallbackToLogsOnError", "File"),
    "v1.ContainerPort.protocol": ("SCTP", "TCP", "UDP"),
    "v1.DeploymentStrategy.type": ("Recreate", "RollingUpdate"),
    "v1.EndpointSlice.addressType": ("FQDN", "IPv4", "IPv6"),
    "v1.HTTPGetAction.scheme": ("HTTP", "HTTPS"),
    "v1.PodSpec.dnsPolicy": ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    "v1.HTTPIngressPath.pathType": ("Exact", "ImplementationSpecific", "Prefix"),
    "v1.PodSpec.restartPolicy": ("Always", "Never", "OnFailure"),
    "v1.ServicePort.protocol": ("SCTP", "TCP", "UDP"),
    "v1.ServiceSpec.externalTrafficPolicy": ("Cluster", "Local"),
    "v1.ServiceSpec.internalTrafficPolicy": ("Cluster", "Local"),
    "v1.ServiceSpec.sessionAffinity": ("ClientIP", "None"),
    "v1.ServiceSpec.type": ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"),
    "v1.Toleration.effect": ("NoExecute", "NoSchedule", "PreferNoSchedule"),
}

PORTS = {
    "v1.ContainerPort.containerPort",
    "v1.HTTPGetAction.port",
    "v1.ServicePort.port",
    "v1.TCPSocketAction.port",
} | {"v1.ServicePort.targetPort"}

NOT_NEGATIVE = {
    "v1.DeploymentSpec.minReadySeconds", "v1.DeploymentSpec.progressDeadlineSeconds", "v1.DeploymentSpec.replicas",
    "v1.DeploymentSpec.revisionHistoryLimit", "v1.PodSpec.terminationGracePeriodSeconds",
    "v1.Probe.failureThreshold", "v1.Probe.initialDelaySeconds", "v1.Probe.periodSeconds", "v1.Probe.successThreshold",
    "v1.Probe.timeoutSeconds", "v1.ReplicaSetSpec.minReadySeconds", "v1.ReplicaSetSpec.replicas",
    "v1.ScaleSpec.replicas",
}  # fmt: skip

DNS_LABELS = {"v1.Container.name", "v1.ServicePort.name", "v1.Volume.name"}

NOT_EMPTY = {"v1.HTTPIngressRuleValue.paths", "v1.PodSpec.containers"}

# Fields whose absence a rule of their kind tells, in other words.
REQUIRED_ELSEWHERE = {"v1.HTTPIngressPath.pathType", "v1.PolicyRule.verbs"}

# Lists in which a field of the items must be unique.
UNIQUE = {
    "v1.Container.ports": "name",
    "v1.Container.volumeMounts": "mountPath",
    "v1.PodSpec.containers": "name",
    "v1.PodSpec.volumes": "name",
    "v1.ServiceSpec.ports": "name",
}

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL_DETAIL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)


def built_in_problems(schema: JsonObject, item: JsonObject) -> Iterator[FieldProblem]:
    """Yield what is wrong with single fields of an object of a built-in kind; its status is taken as it comes."""
    content = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    needed = [key for key in schema.get("required") or () if key != "metadata"]
    yield from _object(schema | {"required": needed}, content, "")


def _value(schema: JsonObject, value: Any, path: str) -> Iterator[FieldProblem]:
    if isinstance(value, dict):
        yield from _object(schema, value, path)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, child in enumerate(value):
            yield from _value(schema["items"], child, f"{path}[{index}]")


def _object(schema: JsonObject, value: JsonObject, path: str) -> Iterator[FieldProblem]:
    properties, others = schema.get("properties") or {}, schema.get("additionalProperties")
    name = schema.get("$name", "")
    for key in schema.get("required") or ():
        if f"{name}.{key}" in REQUIRED_ELSEWHERE:
            continue
        if value.get(key, "") == "" or (value[key] == [] and f"{name}.{key}" in NOT_EMPTY):
            yield problem.required(f"{path}.{key}" if path else key)
    for key, child in value.items():
        where = f"{path}.{key}" if path else key
        inner = properties.get(key) or (others if isinstance(others, dict) else None)
        if inner is not None:
            yield from _field(f"{name}.{key}", child, where)
            yield from _value(inner, child, where)


def _field(name: str, value: Any, path: str) -> Iterator[FieldProblem]:
    for fields, check in _CHECKS:
        if name in fields:
            yield from check(name, value, path)


def _choice(name: str, value: Any, path: str) -> Iterator[FieldProblem]:
    if value and value not in CHOICES[name]:
        yield problem.not_supported(path, value, CHOICES[name])


def _port(_name: str, value: Any, path: str) -> Iterator[FieldProblem]:
    if isinstance(value, int) and not 1 <= value <= 65535:
        yield problem.invalid(path, value, "must be between 1 and 65535, inclusive")


def _not_negative(_name: str, value: Any, path: str) -> Iterator[FieldProblem]:
    if isinstance(value, int) and value < 0:
        yield problem.invalid(path, value, "must be greater than or equal to 0")


def _dns_label(_name: str, value: Any, path: str) -> Iterator[FieldProblem]:
    if value and not _LABEL.fullmatch(value):
        yield problem.invalid(path, value, _LABEL_DETAIL)
    if len(value) > 63:
        yield problem.invalid(path, value, "must be no more than 63 bytes")


def _unique(name: str, value: Any, path: str) -> Iterator[FieldProblem]:
    seen = set()
    for index, child in enumerate(value):
        key = child.get(UNIQUE[name])
        if key and key in seen:
            yield problem.duplicate(f"{path}[{index}].{UNIQUE[name]}", key)
        seen.add(key)


_Check = Callable[[str, Any, str], Iterator[FieldProblem]]
_CHECKS: tuple[tuple[dict[str, Any] | set[str], _Check], ...] = (
    (CHOICES, _choice),
    (PORTS, _port),
    (NOT_NEGATIVE, _not_negative),
    (DNS_LABELS, _dns_label),
    (UNIQUE, _unique),
)
