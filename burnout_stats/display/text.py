"""Tables as plain text for a terminal."""

from __future__ import annotations

from itertools import groupby

from .escape import for_terminal
from .markdown import reasons
from .styles import NumberStyle, cell_text, number_style
from .table import Column, Table

__all__ = ["to_text"]

_RULE = "─"


def to_text(table: Table, style: str | NumberStyle = "plain") -> str:
    """The table in columns of equal width; members of a group are indented."""
    chosen = number_style(style)
    headers = [
        for_terminal(f"{column.spanner}: {column.header}" if column.spanner else column.header)
        for column in table.columns
    ]
    body = [
        [
            for_terminal(cell_text(cell, column, row, chosen))
            for cell, column in zip(row.cells, table.columns, strict=True)
        ]
        for row in table.rows
    ]
    for cells, row in zip(body, table.rows, strict=True):
        cells[0] = ("  " if row.group else "") + cells[0]
    widths = [max(len(cells[k]) for cells in [headers, *body]) for k in range(len(headers))]
    lines = [
        for_terminal(table.title),
        _line(headers, widths, table.columns),
        "  ".join(_RULE * width for width in widths),
    ]
    for group, pairs in groupby(zip(table.rows, body, strict=True), key=lambda pair: pair[0].group):
        if group:
            lines.append(for_terminal(group))
        lines += [_line(cells, widths, table.columns) for _, cells in pairs]
    lines += [for_terminal(note) for note in (*table.notes, *reasons(table))]
    return "\n".join(lines)


def _line(cells: list[str], widths: list[int], columns: tuple[Column, ...]) -> str:
    placed = [
        cell.rjust(width) if column.align == "right" else cell.ljust(width)
        for cell, width, column in zip(cells, widths, columns, strict=True)
    ]
    return "  ".join(placed).rstrip()
