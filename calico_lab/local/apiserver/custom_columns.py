"""The columns of custom resources: ``additionalPrinterColumns`` of their definitions.

Reference: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from calico_lab.local.apiserver.columns import NAME, Column, age_since
from calico_lab.local.apiserver.jsonpath import compile_path
from calico_lab.local.apiserver.kinds import PrinterColumn
from calico_lab.local.wire import JsonObject


@functools.cache
def columns(printer_columns: tuple[PrinterColumn, ...]) -> tuple[Column, ...]:
    """Return the table's columns for a definition's columns; the name comes first."""
    return (NAME, *(_column(column) for column in printer_columns))


def _column(column: PrinterColumn) -> Column:
    return Column(column.name, _cell(column), column.priority, column.type, column.format)


def _cell(column: PrinterColumn) -> Callable[[JsonObject], Any]:
    find = compile_path(column.json_path)

    def cell(item: JsonObject) -> Any:
        values = find(item)
        return _shown(column.type, values[0]) if values else None

    return cell


def _shown(kind: str, value: Any) -> Any:
    if kind == "string":
        return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    if kind == "date":
        return age_since(value) if isinstance(value, str) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if kind == "integer" else float(value)
