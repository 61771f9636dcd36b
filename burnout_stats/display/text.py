"""Tables as plain text for a terminal."""

from __future__ import annotations

from itertools import groupby

from .escape import for_terminal
from .language import ENGLISH, label
from .markdown import notes
from .styles import NumberStyle, cell_text, header_text, style_of
from .table import Column, Table

__all__ = ["to_text"]

_RULE = "─"


def to_text(table: Table, style: str | NumberStyle = "plain", *, language: str = ENGLISH) -> str:
    """The table in columns of equal width; members of a group are indented."""
    chosen = style_of(table, style, language=language)
    spoken = chosen.language
    headers = [for_terminal(_header(column, chosen)) for column in table.columns]
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
        for_terminal(label(table.title, spoken)),
        _line(headers, widths, table.columns),
        "  ".join(_RULE * width for width in widths),
    ]
    for group, pairs in groupby(zip(table.rows, body, strict=True), key=lambda pair: pair[0].group):
        if group:
            lines.append(for_terminal(label(group, spoken)))
        lines += [_line(cells, widths, table.columns) for _, cells in pairs]
    lines += [for_terminal(note) for note in notes(table, spoken)]
    return "\n".join(lines)


def _header(column: Column, style: NumberStyle) -> str:
    text = header_text(column, style)
    return f"{label(column.spanner, style.language)}: {text}" if column.spanner else text


def _line(cells: list[str], widths: list[int], columns: tuple[Column, ...]) -> str:
    placed = [
        cell.rjust(width) if column.align == "right" else cell.ljust(width)
        for cell, width, column in zip(cells, widths, columns, strict=True)
    ]
    return "  ".join(placed).rstrip()
