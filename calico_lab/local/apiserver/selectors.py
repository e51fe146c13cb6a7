"""Label selectors and field selectors.

Syntax: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors and
https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from calico_lab import errors
from calico_lab.local.apiserver.kinds import Kind
from calico_lab.local.wire import JsonObject, Request

Predicate = Callable[[JsonObject], bool]

_KEY = r"[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?"
_VALUE = r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_EXISTS = re.compile(rf"(?P<absent>!?)\s*(?P<key>{_KEY})$")
_EQUALS = re.compile(rf"(?P<key>{_KEY})\s*(?P<operator>==|=|!=)\s*(?P<value>{_VALUE})$")
_SET = re.compile(rf"(?P<key>{_KEY})\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)$")
_COMMA_OUTSIDE_PARENTHESES = re.compile(r",(?![^(]*\))")
_UNESCAPED_COMMA = re.compile(r"(?<!\\),")
_FIELD = re.compile(r"(?P<key>[^=!\s]+)\s*(?P<operator>==|=|!=)\s*(?P<value>.*)$")

_FIELDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "Pod"): (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    ("", "Event"): (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    ("", "Namespace"): ("status.phase",),
    ("", "Node"): ("spec.unschedulable",),
    ("", "Secret"): ("type",),
    ("", "Service"): ("spec.clusterIP", "spec.type"),
    ("apps", "ReplicaSet"): ("status.replicas",),
}
_OFTEN_FALSE = ("spec.unschedulable", "spec.hostNetwork")


def selection(kind: Kind, request: Request) -> Predicate | None:
    """Return what a request's labelSelector and fieldSelector ask for, or None for everything.

    Raises ``BadRequest`` for a selector that cannot be read or a field that cannot be selected by.
    """
    by_label = parse_labels(request.parameter("labelSelector"))
    by_field = parse_fields(kind, request.parameter("fieldSelector"))
    if by_label and by_field:
        return lambda item: by_label(item) and by_field(item)
    return by_label or by_field


def parse_labels(text: str) -> Predicate | None:
    """Return the predicate of a label selector, or None for an empty one."""
    parts = [part.strip() for part in _COMMA_OUTSIDE_PARENTHESES.split(text)] if text.strip() else []
    requirements = [_label_requirement(part) for part in parts]
    if not requirements:
        return None

    def matches(item: JsonObject) -> bool:
        labels = item["metadata"].get("labels") or {}
        return all(requirement(labels) for requirement in requirements)

    return matches


def _label_requirement(text: str) -> Callable[[dict[str, str]], bool]:
    if match := _EXISTS.match(text):
        key, wanted = match["key"], not match["absent"]
        return lambda labels: (key in labels) == wanted
    if match := _EQUALS.match(text):
        key, values, negative = match["key"], {match["value"]}, match["operator"] == "!="
    elif match := _SET.match(text):
        key, negative = match["key"], match["operator"] == "notin"
        values = {value.strip() for value in match["values"].split(",")}
    else:
        raise errors.BadRequest(f"unable to parse requirement: {text!r} is not a label requirement")
    return lambda labels: (labels[key] in values) != negative if key in labels else negative


def parse_fields(kind: Kind, text: str) -> Predicate | None:
    """Return the predicate of a field selector for objects of a kind, or None for an empty one."""
    parts = [part.strip() for part in _UNESCAPED_COMMA.split(text) if part.strip()]
    requirements = [_field_requirement(kind, part) for part in parts]
    if not requirements:
        return None
    return lambda item: all(requirement(item) for requirement in requirements)


def _field_requirement(kind: Kind, text: str) -> Predicate:
    match = _FIELD.match(text)
    if match is None:
        raise errors.BadRequest(f"invalid selector: '{text}'; can't understand '{text}'")
    path, value, negative = match["key"], match["value"].replace("\\,", ","), match["operator"] == "!="
    allowed = ("metadata.name", "metadata.namespace") if kind.namespaced else ("metadata.name",)
    if path not in allowed + _FIELDS.get((kind.group, kind.kind), ()):
        raise errors.BadRequest(f"field label not supported: {path}")
    return lambda item: (_field(item, path) == value) != negative


def _field(item: JsonObject, path: str) -> str:
    if path == "source":
        source: str = (item.get("source") or {}).get("component") or item.get("reportingComponent") or ""
        return source
    value: Any = item
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if value is None:
        return "false" if path in _OFTEN_FALSE else ""
    return str(value).lower() if isinstance(value, bool) else str(value)
