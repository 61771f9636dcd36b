"""Tables as Markdown pipe tables (GitHub, Jupyter, Quarto), everything escaped."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from .escape import for_markdown
from .language import ENGLISH, label
from .styles import EM_DASH, NumberStyle, cell_text, header_text, style_of
from .table import Column, Missing, Row, Table

__all__ = ["to_markdown"]


def to_markdown(table: Table, style: str | NumberStyle = "plain", *, language: str = ENGLISH) -> str:
    """The table in Markdown.

    A spanner stands before its columns' own headers, and the reasons of missing numbers under the table.
    """
    chosen = style_of(table, style, language=language)
    spoken = chosen.language
    lines = [f"**{for_markdown(label(table.title, spoken))}**", ""]
    lines.append(_line(_header(column, chosen) for column in table.columns))
    lines.append(_line("---:" if column.align == "right" else ":---" for column in table.columns))
    for group, rows in groupby(table.rows, key=lambda row: row.group):
        if group:
            lines.append(_line([f"**{for_markdown(label(group, spoken))}**", *[""] * (len(table.columns) - 1)]))
        lines += [_line(_cells(row, table.columns, chosen)) for row in rows]
    for note in notes(table, spoken):
        lines += ["", for_markdown(note)]
    return "\n".join(lines) + "\n"


def reasons(table: Table, language: str = ENGLISH) -> list[str]:
    """A note for each reason why a number is missing, for writers that cannot attach it to the cell."""
    found = dict.fromkeys(cell.reason for row in table.rows for cell in row.cells if isinstance(cell, Missing))
    return [f"{EM_DASH} {'; '.join(label(reason, language) for reason in found)}."] if found else []


def notes(table: Table, language: str = ENGLISH) -> list[str]:
    """The notes of the table in the language, and the reasons of its missing numbers."""
    return [*(label(note, language) for note in table.notes), *reasons(table, language)]


def _header(column: Column, style: NumberStyle) -> str:
    text = for_markdown(header_text(column, style))
    text = f"*{text}*" if column.symbol else text
    return f"{for_markdown(label(column.spanner, style.language))}: {text}" if column.spanner else text


def _cells(row: Row, columns: tuple[Column, ...], style: NumberStyle) -> list[str]:
    return [for_markdown(cell_text(cell, column, row, style)) for cell, column in zip(row.cells, columns, strict=True)]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
