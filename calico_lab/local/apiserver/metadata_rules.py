"""Rules of metadata beyond names: owners and finalizers.

Messages: https://github.com/kubernetes/apimachinery, package ``pkg/api/validation``.
"""

from __future__ import annotations

from collections.abc import Iterator

from calico_lab.local.apiserver import field_problems as problem
from calico_lab.local.apiserver.field_problems import FieldProblem, shown
from calico_lab.local.apiserver.names import qualified_name_problem
from calico_lab.local.wire import JsonObject

_OWNERS = "metadata.ownerReferences"
_FINALIZERS = "metadata.finalizers"
_STANDARD_FINALIZERS = ("foregroundDeletion", "kubernetes", "orphan")


def ownership_problems(metadata: JsonObject, old: JsonObject | None) -> Iterator[FieldProblem]:
    """Yield what is wrong with an object's owners and finalizers; ``old`` is the metadata that it replaces."""
    controllers = []
    for index, owner in enumerate(metadata.get("ownerReferences") or ()):
        path = f"{_OWNERS}[{index}]"
        if not owner.get("apiVersion"):
            yield problem.invalid(f"{path}.apiVersion", "", "version must not be empty")
        for name in ("kind", "name", "uid"):
            if not owner.get(name):
                yield problem.invalid(f"{path}.{name}", "", "must not be empty")
        if owner.get("controller"):
            controllers.append(f"{owner.get('kind')}/{owner.get('name')}")
    if len(controllers) > 1:
        detail = (
            "Only one reference can have Controller set to true. Found "
            f'"true" in references for {controllers[0]} and {controllers[1]}'
        )
        yield problem.invalid_whole(_OWNERS, detail)
    yield from _finalizer_problems(metadata, old)


def _finalizer_problems(metadata: JsonObject, old: JsonObject | None) -> Iterator[FieldProblem]:
    finalizers = metadata.get("finalizers") or []
    for name in finalizers:
        if detail := qualified_name_problem(name):
            yield problem.invalid(_FINALIZERS, name, detail)
    if old is not None and "deletionTimestamp" in old:
        added = [name for name in finalizers if name not in (old.get("finalizers") or [])]
        if added:
            listed = "[]string{" + ", ".join(map(shown, added)) + "}"
            detail = f"no new finalizers can be added if the object is being deleted, found new finalizers {listed}"
            yield problem.forbidden(_FINALIZERS, detail)


def finalizer_warnings(metadata: JsonObject) -> Iterator[str]:
    """Yield what a client is told about finalizers that others may use too."""
    for name in metadata.get("finalizers") or ():
        if "/" not in name and name not in _STANDARD_FINALIZERS:
            yield (
                f'{_FINALIZERS}: "{name}": prefer a domain-qualified finalizer name including a path (/) to avoid '
                "accidental conflicts with other finalizer writers"
            )
