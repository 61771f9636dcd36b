r"""Tables as LaTeX for journals: a `table` environment with booktabs rules, nothing else needed."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from .escape_latex import for_latex
from .language import ENGLISH, label
from .markdown import notes
from .styles import NumberStyle, cell_text, header_text, style_of
from .table import Column, Hidden, Row, Table

__all__ = ["to_latex"]

_LONG = 48
"""Letters from which a column of words gets a width and wraps."""
_WORDS_SHARE = 0.6
"""What columns that wrap share of the width of the lines."""


def to_latex(table: Table, style: str | NumberStyle = "plain", *, language: str = ENGLISH) -> str:
    r"""The table as a fragment to `\input`; its document says `\usepackage{booktabs}`, and nothing more.

    Numbers stand right, with equal decimals under each other; spanners have a `\cmidrule`; notes stand under the table
    in the width of the lines.
    """
    chosen = style_of(table, style, language=language)
    spoken = chosen.language
    wrapped = _wrapped(table)
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{table}[htbp]",
        r"\centering",
        rf"\caption{{{for_latex(label(table.title, spoken))}}}",
        rf"\begin{{tabular}}{{@{{}}{_columns(table.columns, wrapped)}@{{}}}}",
        r"\toprule",
        *_spanners([label(column.spanner, spoken) for column in table.columns]),
        _line(_header(column, chosen) for column in table.columns),
        r"\midrule",
    ]
    for group, rows in groupby(table.rows, key=lambda row: row.group):
        if group:
            words = for_latex(label(group, spoken))
            lines.append(rf"\multicolumn{{{len(table.columns)}}}{{@{{}}l}}{{\textbf{{{words}}}}} \\")
        lines += [_line(_cells(row, table.columns, wrapped, chosen)) for row in rows]
    lines += [r"\bottomrule", r"\end{tabular}"]
    if told := notes(table, spoken):
        lines += [r"\par\smallskip", r"\begin{minipage}{\linewidth}\footnotesize\raggedright"]
        lines += [rf"{for_latex(note)}\par" for note in told]
        lines.append(r"\end{minipage}")
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def _wrapped(table: Table) -> frozenset[int]:
    """The columns whose words need several lines."""
    return frozenset(
        place
        for place, column in enumerate(table.columns)
        if column.align == "left"
        and any(isinstance(cell := row.cells[place], str) and len(cell) > _LONG for row in table.rows)
    )


def _columns(columns: Iterable[Column], wrapped: frozenset[int]) -> str:
    share = _WORDS_SHARE / max(len(wrapped), 1)
    return "".join(
        rf"p{{{share:.2f}\linewidth}}" if place in wrapped else "r" if column.align == "right" else "l"
        for place, column in enumerate(columns)
    )


def _spanners(spanners: list[str]) -> list[str]:
    if not any(spanners):
        return []
    cells, rules, first = [], [], 1
    for spanner, members in groupby(spanners):
        last = first + len(list(members)) - 1
        if spanner:
            cells.append(rf"\multicolumn{{{last - first + 1}}}{{c}}{{{for_latex(spanner)}}}")
            rules.append(rf"\cmidrule(lr){{{first}-{last}}}")
        else:
            cells += [""] * (last - first + 1)
        first = last + 1
    return [_line(cells), " ".join(rules)]


def _header(column: Column, style: NumberStyle) -> str:
    text = for_latex(header_text(column, style))
    return rf"\textit{{{text}}}" if column.symbol else text


def _cells(row: Row, columns: tuple[Column, ...], wrapped: frozenset[int], style: NumberStyle) -> list[str]:
    cells = []
    for place, (cell, column) in enumerate(zip(row.cells, columns, strict=True)):
        text = for_latex(cell_text(cell, column, row, style))
        if isinstance(cell, Hidden):
            text = rf"\textit{{{text}}}"
        elif place in wrapped:
            text = rf"{{\raggedright {text}\par}}"
        cells.append(rf"\quad {text}" if row.group and place == 0 else text)
    return cells


def _line(cells: Iterable[str]) -> str:
    return rf"{' & '.join(cells)} \\"
