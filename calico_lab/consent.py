"""What applying or deleting something would change for others, shown before it is done.

Others share what belongs to no namespace (pools, BGP, the GatewayAPI, ...) and what is in another namespace than the
learner's. In a lab of one's own nobody else is there to be asked.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import Any

from calico_lab.errors import ConsentError
from calico_lab.kubeconfig import Kubeconfig

JsonObject = dict[str, Any]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_NOT_ONE_S_OWN_TO_SAY = ("apiVersion", "kind", "metadata", "status")


@dataclass(frozen=True, repr=False)
class Change:
    """What would become of one object; ``before`` or ``after`` is None where there is none.

    ``others`` are the names of the objects of this kind that there are already, beside which one would be created.
    """

    kind: str
    name: str
    before: JsonObject | None
    after: JsonObject | None
    others: tuple[str, ...] = ()

    @property
    def verb(self) -> str:
        """What would happen to the object."""
        return "created" if self.before is None else "deleted" if self.after is None else "changed"

    @property
    def difference(self) -> str:
        """The lines that would change, as a unified diff of what the object says, in the order of its keys."""
        return unified(_text(self.before), _text(self.after))

    def __repr__(self) -> str:
        beside = f", beside {', '.join(self.others)}" if self.others else ""
        return f"{self.kind} {self.name} would be {self.verb}{beside}:\n{self.difference}"


def of_applying(there: list[JsonObject], manifest: JsonObject) -> Change | None:
    """Return what ``kubectl apply`` of a manifest would change; None for nothing.

    ``there`` are the objects of its kind that exist already, in its namespace where it has one.
    """
    kind, name = str(manifest["kind"]), str(manifest["metadata"]["name"])
    existing = next((item for item in there if item["metadata"]["name"] == name), None)
    if existing is None:
        return Change(kind, name, None, said(manifest), tuple(str(item["metadata"]["name"]) for item in there))
    before, after = said(existing), _applied(said(existing), said(manifest), _last_applied(existing))
    return None if before == after else Change(kind, name, before, after)


def of_deleting(existing: JsonObject) -> Change:
    """Return what deleting an object would change."""
    return Change(str(existing["kind"]), str(existing["metadata"]["name"]), said(existing), None)


def said(item: JsonObject) -> JsonObject:
    """Return what an object was told to be: without its name and status, and what the cluster adds to its metadata."""
    metadata = item.get("metadata") or {}
    annotations = {name: text for name, text in (metadata.get("annotations") or {}).items() if name != LAST_APPLIED}
    named = {"labels": metadata.get("labels") or {}, "annotations": annotations}
    rest = {key: value for key, value in item.items() if key not in _NOT_ONE_S_OWN_TO_SAY}
    return {key: value for key, value in (named | rest).items() if value not in ({}, None)}


def require(kubeconfig: Kubeconfig, changes: list[Change], how_to_say_yes: str) -> None:
    """Raise ``ConsentError`` with all changes, unless there are none."""
    if changes:
        listed = "\n".join(map(repr, changes))
        raise ConsentError(
            f"others share this on the cluster {kubeconfig.name!r} ({kubeconfig.server}), so nothing has been done:\n"
            f"{listed}",
            remedy=f"if that is what you want: {how_to_say_yes}",
        )


def unified(before: str, after: str) -> str:
    """Return the difference of two texts, without the file names."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
    return "\n".join(list(lines)[2:])


def _text(item: JsonObject | None) -> str:
    import yaml

    return "" if item is None else yaml.safe_dump(item, sort_keys=True) if item else "{}"


def _last_applied(existing: JsonObject) -> JsonObject:
    text = (existing["metadata"].get("annotations") or {}).get(LAST_APPLIED, "{}")
    try:
        return said(json.loads(text))
    except (ValueError, AttributeError):
        return {}


def _applied(before: JsonObject, manifest: JsonObject, last: JsonObject) -> JsonObject:
    """Overlay a manifest: what it names is set, what it named last time and no more is removed, the rest stays."""
    after = {key: value for key, value in before.items() if key in manifest or key not in last}
    for key, value in manifest.items():
        nested = [each.get(key) for each in (before, last)]
        both = isinstance(value, dict) and isinstance(nested[0], dict)
        after[key] = _applied(nested[0] or {}, value, nested[1] or {}) if both else value
    return after
