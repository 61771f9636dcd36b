"""Tables as JSON for machines: full precision; a hidden number says so, a missing one gives its reason."""

from __future__ import annotations

import json
import math

from .escape import clean
from .table import Cell, Hidden, Interval, Missing, Pair, Table

__all__ = ["to_json"]


def to_json(table: Table) -> str:
    """The table as one JSON object: title, columns, rows (cells by column key), notes.

    An infinite number is the string "Infinity".
    """
    document = {
        "title": clean(table.title),
        "columns": [
            {"key": column.key, "header": column.header, "kind": column.kind, "spanner": column.spanner}
            for column in table.columns
        ],
        "rows": [
            {
                "group": clean(row.group),
                "cells": {column.key: _value(cell) for cell, column in zip(row.cells, table.columns, strict=True)},
            }
            for row in table.rows
        ],
        "notes": [clean(note) for note in table.notes],
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _value(cell: Cell) -> object:
    if isinstance(cell, Interval):
        return {"low": _number(cell.low), "high": _number(cell.high)}
    if isinstance(cell, Pair):
        return {"value": _number(cell.first), "in_parentheses": _value(cell.second)}
    if isinstance(cell, Hidden):
        return {"hidden": True}
    if cell is None or isinstance(cell, Missing):
        return {"missing": cell.reason if cell else ""}
    return clean(cell) if isinstance(cell, str) else _number(cell)


def _number(value: float) -> float | str:
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value
