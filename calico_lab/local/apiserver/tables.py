"""Tables: how kubectl prints objects, decided by the server.

Reference: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from calico_lab import errors
from calico_lab.local.apiserver import columns, custom_columns
from calico_lab.local.apiserver.columns import Column
from calico_lab.local.apiserver.kinds import Kind
from calico_lab.local.wire import JsonObject

META: JsonObject = {"apiVersion": "meta.k8s.io/v1"}


def columns_of(kind: Kind) -> Sequence[Column]:
    """Return the columns in which objects of a kind are printed."""
    if kind.columns is not None:
        return custom_columns.columns(kind.columns)
    if kind.group == "projectcalico.org":
        return columns.NAME_AND_CREATION
    return columns.BUILT_IN.get((kind.group, kind.kind), columns.NAME_AND_AGE)


def table(
    kind: Kind, items: Sequence[JsonObject], metadata: JsonObject, include: str, *, columns: bool = True
) -> JsonObject:
    """Return a Table of objects. ``include`` is the query's includeObject: None, Metadata or Object."""
    shown = _include(include)
    wanted = columns_of(kind)
    rows = []
    for item in items:
        row: JsonObject = {"cells": [column.cell(item) for column in wanted]}
        rows.append(row | ({} if shown is None else {"object": shown(item)}))
    definitions = [column.definition() for column in wanted] if columns else []
    return META | {"kind": "Table", "metadata": metadata, "columnDefinitions": definitions, "rows": rows}


def partial_metadata(item: JsonObject) -> JsonObject:
    """Return an object's metadata alone."""
    return META | {"kind": "PartialObjectMetadata", "metadata": item["metadata"]}


def _include(wanted: str) -> Callable[[JsonObject], Any] | None:
    if wanted == "None":
        return None
    if wanted == "Object":
        return lambda item: item
    if wanted in ("", "Metadata"):
        return partial_metadata
    raise errors.BadRequest(f'unrecognized includeObject value: "{wanted}"')
