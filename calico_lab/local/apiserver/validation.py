"""What the API server refuses: the door to the rules, kind by kind.

Custom resources are held against the schema of their definition. Kubernetes' own kinds have tables for single fields
and functions for what spans several; so have Calico's. What upstream has and the lab doesn't implement is a third
matter: ``unsupported``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache

from calico_lab.local.apiserver import (
    calico_rules,
    config_rules,
    decoding,
    definition_rules,
    ingress_rules,
    rbac_rules,
    service_rules,
    workload_rules,
)
from calico_lab.local.apiserver.built_in_rules import built_in_problems
from calico_lab.local.apiserver.field_problems import FieldProblem
from calico_lab.local.apiserver.implemented import unsupported
from calico_lab.local.apiserver.schema import load
from calico_lab.local.apiserver.structure import structural_problems
from calico_lab.local.wire import JsonObject

__all__ = ["FieldProblem", "problems", "type_error", "unknown_fields", "unsupported"]

_Rules = Callable[[JsonObject, JsonObject | None], Iterator[FieldProblem]]

_KIND_RULES: dict[tuple[str, str], _Rules] = {
    ("", "ConfigMap"): config_rules.config_map_problems,
    ("", "Pod"): workload_rules.pod_problems,
    ("", "Secret"): config_rules.secret_problems,
    ("", "Service"): service_rules.service_problems,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definition_rules.definition_problems,
    ("apps", "Deployment"): workload_rules.deployment_problems,
    ("apps", "ReplicaSet"): workload_rules.replica_set_problems,
    ("networking.k8s.io", "Ingress"): ingress_rules.ingress_problems,
    ("networking.k8s.io", "IngressClass"): ingress_rules.ingress_class_problems,
    ("rbac.authorization.k8s.io", "ClusterRole"): rbac_rules.cluster_role_problems,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): rbac_rules.cluster_binding_problems,
    ("rbac.authorization.k8s.io", "Role"): rbac_rules.role_problems,
    ("rbac.authorization.k8s.io", "RoleBinding"): rbac_rules.binding_problems,
    ("projectcalico.org", "BGPConfiguration"): calico_rules.bgp_configuration_problems,
    ("projectcalico.org", "BGPPeer"): calico_rules.bgp_peer_problems,
}
_KIND_RULES_WITH_OTHERS = {("projectcalico.org", "IPPool"): calico_rules.ip_pool_problems}


def type_error(kind: str, schema: JsonObject | None, item: JsonObject) -> str:
    """Return the decoder's words for the first value of a wrong type, or an empty string.

    Of a custom resource the decoder reads the metadata alone; the rest is held against its schema by ``problems``.
    """
    if schema is None or "$name" not in schema:
        return decoding.type_error(kind, {"properties": {"metadata": _object_meta()}, "type": "object"}, item)
    return decoding.type_error(kind, schema, item)


def unknown_fields(schema: JsonObject | None, item: JsonObject) -> list[str]:
    """Return ``unknown field "spec.foo"`` for every field that the schema doesn't have."""
    return decoding.unknown_fields(schema, item, _object_meta())


def problems(
    group: str,
    version: str,
    kind: str,
    schema: JsonObject | None,
    item: JsonObject,
    old: JsonObject | None,
    others: Sequence[JsonObject] = (),
) -> list[FieldProblem]:
    """Return what is wrong with an object that defaults were applied to.

    ``old`` is what an update replaces, ``others`` are the objects of this kind that exist beside it.
    """
    if (group, version) == ("projectcalico.org", "v3"):
        return list(_calico_problems(group, kind, item, old, others))
    if schema is None:
        return []
    if "$name" not in schema:
        return structural_problems(schema, item, old)
    found = list(built_in_problems(schema, item))
    rules = _KIND_RULES.get((group, kind))
    if rules is None or any(entry.path == "spec" for entry in found):
        return found
    return list(dict.fromkeys([*found, *rules(item, old)]))


def _calico_problems(
    group: str, kind: str, item: JsonObject, old: JsonObject | None, others: Sequence[JsonObject]
) -> Iterator[FieldProblem]:
    if (group, kind) in _KIND_RULES_WITH_OTHERS:
        yield from _KIND_RULES_WITH_OTHERS[group, kind](item, old, others)
    elif (group, kind) in _KIND_RULES:
        yield from _KIND_RULES[group, kind](item, old)


@cache
def _object_meta() -> JsonObject:
    return load().object_meta()
