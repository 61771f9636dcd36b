"""Tables as Markdown pipe tables (GitHub, Jupyter, Quarto), everything escaped."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from .escape import for_markdown
from .styles import EM_DASH, NumberStyle, cell_text, number_style
from .table import Column, Missing, Row, Table

__all__ = ["to_markdown"]


def to_markdown(table: Table, style: str | NumberStyle = "plain") -> str:
    """The table in Markdown.

    A spanner stands before its columns' own headers, and the reasons of missing numbers under the table.
    """
    chosen = number_style(style)
    lines = [f"**{for_markdown(table.title)}**", ""]
    lines.append(_line(_header(column) for column in table.columns))
    lines.append(_line("---:" if column.align == "right" else ":---" for column in table.columns))
    for group, rows in groupby(table.rows, key=lambda row: row.group):
        if group:
            lines.append(_line([f"**{for_markdown(group)}**", *[""] * (len(table.columns) - 1)]))
        lines += [_line(_cells(row, table.columns, chosen)) for row in rows]
    for note in (*table.notes, *reasons(table)):
        lines += ["", for_markdown(note)]
    return "\n".join(lines) + "\n"


def reasons(table: Table) -> list[str]:
    """A note for each reason why a number is missing, for writers that cannot attach it to the cell."""
    found = dict.fromkeys(cell.reason for row in table.rows for cell in row.cells if isinstance(cell, Missing))
    return [f"{EM_DASH} {'; '.join(found)}."] if found else []


def _header(column: Column) -> str:
    text = for_markdown(column.header)
    text = f"*{text}*" if column.symbol else text
    return f"{for_markdown(column.spanner)}: {text}" if column.spanner else text


def _cells(row: Row, columns: tuple[Column, ...], style: NumberStyle) -> list[str]:
    return [for_markdown(cell_text(cell, column, row, style)) for cell, column in zip(row.cells, columns, strict=True)]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
