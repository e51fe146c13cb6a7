"""Which kinds the server serves now: the built-in ones and those of CustomResourceDefinitions."""

from __future__ import annotations

from collections.abc import Iterator

from calico_lab.local.apiserver.kinds import BUILT_IN_KINDS, REVIEW_KINDS, Kind
from calico_lab.local.apiserver.schema import SchemaSet
from calico_lab.local.wire import JsonObject


class Registry:
    """Kinds by group, version and plural, in the order in which they came."""

    def __init__(self, schemas: SchemaSet) -> None:
        self.schemas = schemas
        self._kinds: dict[tuple[str, str, str], Kind] = {}
        for kind in (*BUILT_IN_KINDS, *REVIEW_KINDS):
            self.add(kind)

    def __iter__(self) -> Iterator[Kind]:
        return iter(list(self._kinds.values()))

    def add(self, kind: Kind) -> None:
        """Serve a kind."""
        self._kinds[kind.group, kind.version, kind.plural] = kind

    def remove(self, group: str, plural: str) -> None:
        """Stop serving a kind in all of its versions."""
        for key in [key for key in self._kinds if (key[0], key[2]) == (group, plural)]:
            del self._kinds[key]

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """Return the kind that a path names, or None."""
        return self._kinds.get((group, version, plural))

    def schema(self, kind: Kind) -> JsonObject | None:
        """Return the structural schema of a kind, or None for one that has none."""
        return kind.schema or self.schemas.structural(kind.group, kind.version, kind.kind)

    def groups(self) -> dict[str, dict[str, list[Kind]]]:
        """Return the kinds by group and version, the preferred version of each group first."""
        groups: dict[str, dict[str, list[Kind]]] = {}
        for kind in self:
            groups.setdefault(kind.group, {}).setdefault(kind.version, []).append(kind)
        return {
            group: dict(sorted(versions.items(), key=lambda entry: _version_rank(entry[0])))
            for group, versions in groups.items()
        }


def _version_rank(version: str) -> tuple[int, int, int]:
    """Order versions as Kubernetes does: v2 before v1 before v1beta1 before v1alpha2."""
    digits = version.removeprefix("v")
    for stability, word in enumerate(("", "beta", "alpha")):
        major, _, minor = digits.partition(word) if word else (digits, "", "0")
        if major.isdigit() and minor.isdigit():
            return stability, -int(major), -int(minor)
    return 3, 0, 0
