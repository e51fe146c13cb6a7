"""The arithmetic of a Deployment's rollout, pure: which ReplicaSet should have how many replicas next.

Follows https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#strategy.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from math import ceil
from typing import Any

from calico_lab.local.wire import JsonObject

HASH_LABEL = "pod-template-hash"
SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True)
class Limits:
    """How many pods may exist at most, and how many must be available at least, during a rolling update."""

    most: int
    least_available: int


def replicas_of(item: JsonObject) -> int:
    """Return how many replicas a Deployment or ReplicaSet asks for."""
    replicas: int = item["spec"].get("replicas", 1)
    return replicas


def available_of(replica_set: JsonObject) -> int:
    """Return how many pods of a ReplicaSet are available, by its status."""
    available: int = replica_set.get("status", {}).get("availableReplicas", 0)
    return available


def is_recreate(deployment: JsonObject) -> bool:
    """Whether all old pods must be gone before the first new one comes."""
    return bool((deployment["spec"].get("strategy") or {}).get("type") == "Recreate")


def limits_of(deployment: JsonObject) -> Limits:
    """Return a Deployment's limits: a surge in percent is rounded up, an absence down; both 0 would never move."""
    replicas = replicas_of(deployment)
    if is_recreate(deployment):
        return Limits(replicas, 0)
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    surge = _amount(rolling.get("maxSurge", "25%"), replicas, round_up=True)
    unavailable = _amount(rolling.get("maxUnavailable", "25%"), replicas, round_up=False)
    if not surge and not unavailable:
        unavailable = 1
    return Limits(replicas + surge, max(0, replicas - unavailable))


def _amount(value: int | str, total: int, *, round_up: bool) -> int:
    if isinstance(value, int):
        return value
    exact = int(value.removesuffix("%")) * total
    return ceil(exact / 100) if round_up else exact // 100


def template_hash(template: JsonObject, collisions: int = 0) -> str:
    """Return the part of a ReplicaSet's name that stands for its pod template, in Kubernetes' safe alphabet.

    Looks like upstream's (the digits of a 32-bit number, each written as a letter or digit that forms no words) without
    being the same number, which depends on how Go prints its structures.
    """
    text = json.dumps(template, sort_keys=True) + (str(collisions) if collisions else "")
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])
    return "".join(SAFE_ALPHABET[ord(digit) % len(SAFE_ALPHABET)] for digit in str(number))


def same_template(deployment: JsonObject, replica_set: JsonObject) -> bool:
    """Whether a ReplicaSet makes the pods that a Deployment wants."""
    return _without_hash(replica_set["spec"]["template"]) == _without_hash(deployment["spec"]["template"])


def _without_hash(template: JsonObject) -> JsonObject:
    metadata = {field: value for field, value in (template.get("metadata") or {}).items() if value is not None}
    labels = {key: value for key, value in (metadata.pop("labels", None) or {}).items() if key != HASH_LABEL}
    return template | {"metadata": metadata | {"labels": labels}}


def next_scale(deployment: JsonObject, new: JsonObject | None, old: list[JsonObject]) -> list[tuple[JsonObject, int]]:
    """Return the ReplicaSets to scale now, each with its replicas; empty when nothing can move until pods change."""
    if deployment["spec"].get("paused"):
        return _paused_scale(deployment, [*old, *([new] if new else [])])
    if new is None:
        return []
    if is_recreate(deployment):
        return _changed([*((each, 0) for each in old), (new, replicas_of(deployment))])
    return _new_scale(deployment, new, old) or _old_scale(deployment, new, old)


def first_scale(deployment: JsonObject, old: list[JsonObject]) -> int:
    """Return with how many replicas a new ReplicaSet starts."""
    if is_recreate(deployment):
        return replicas_of(deployment)
    room = limits_of(deployment).most - sum(replicas_of(each) for each in old)
    return max(0, min(replicas_of(deployment), room))


def _changed(scales: list[tuple[JsonObject, int]]) -> list[tuple[JsonObject, int]]:
    return [(each, replicas) for each, replicas in scales if replicas_of(each) != replicas]


def _new_scale(deployment: JsonObject, new: JsonObject, old: list[JsonObject]) -> list[tuple[JsonObject, int]]:
    wanted, current = replicas_of(deployment), replicas_of(new)
    if current > wanted:
        return [(new, wanted)]
    return _changed([(new, max(current, first_scale(deployment, old)))])


def _old_scale(deployment: JsonObject, new: JsonObject, old: list[JsonObject]) -> list[tuple[JsonObject, int]]:
    """Scale old ReplicaSets down: first pods that are not available anyway, then as many as may be missed."""
    least = limits_of(deployment).least_available
    everything = [new, *old]
    new_unavailable = replicas_of(new) - available_of(new)
    may_go = sum(replicas_of(each) for each in everything) - least - new_unavailable
    spare = sum(available_of(each) for each in everything) - least
    scales = []
    for each in sorted(old, key=lambda item: item["metadata"]["creationTimestamp"]):
        replicas = replicas_of(each)
        unhealthy = min(max(0, replicas - available_of(each)), max(0, may_go))
        healthy = min(replicas - unhealthy, max(0, spare), max(0, may_go - unhealthy))
        may_go -= unhealthy + healthy
        spare -= healthy
        scales.append((each, replicas - unhealthy - healthy))
    return _changed(scales)


def _paused_scale(deployment: JsonObject, everything: list[JsonObject]) -> list[tuple[JsonObject, int]]:
    """Scale a paused Deployment on the one ReplicaSet that is in use; a rollout half way through stays as it is."""
    in_use = [each for each in everything if replicas_of(each)] or sorted(everything, key=revision_of)[-1:]
    return _changed([(each, replicas_of(deployment)) for each in in_use if len(in_use) == 1])


def revision_of(item: JsonObject) -> int:
    """Return the revision that a Deployment or ReplicaSet is annotated with, 0 without one."""
    annotations: dict[str, Any] = item["metadata"].get("annotations") or {}
    return int(annotations.get("deployment.kubernetes.io/revision", 0))
