"""A table for great_tables, for those who want to style it further.

Labels are escaped and numbers formatted here. Whether great_tables escapes a cell differs between its versions; what
comes out of `fmt` it has always taken for HTML, so cells go that way, escaped. A `GT` without an id gets a random one.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import pandas as pd

from ..errors import SetupError
from .escape import clean, for_html
from .language import ENGLISH, label
from .markdown import notes
from .styles import NumberStyle, cell_text, header_text, style_of
from .table import Column, Table

if TYPE_CHECKING:
    from great_tables import GT

__all__ = ["to_great_tables"]

_ID = "bs-table"
_GROUP = "group"


def to_great_tables(table: Table, style: str | NumberStyle = "plain", *, language: str = ENGLISH) -> GT:
    """The table as a `GT`: title, spanners, groups, right-aligned numbers that are formatted already, notes.

    Its frame has a column `c0`, `c1`, ... for each column of the table, and `group`; what is in it is text.

    Raises
    ------
    SetupError
        `E-SETUP-EXTRA` where great_tables is not installed.
    """
    try:
        from great_tables import GT, html
    except ImportError as error:
        raise SetupError(
            "E-SETUP-EXTRA",
            "great_tables is not installed.",
            "It is what `to_great_tables` makes a table of.",
            'Install it with: pip install "burnout-stats[notebook]"',
        ) from error
    chosen = style_of(table, style, language=language)
    spoken = chosen.language
    keys = [f"c{place}" for place in range(len(table.columns))]
    frame = pd.DataFrame(
        {
            key: [clean(cell_text(row.cells[place], column, row, chosen)) for row in table.rows]
            for place, (key, column) in enumerate(zip(keys, table.columns, strict=True))
        },
        dtype=object,
    )
    grouped = any(row.group for row in table.rows)
    if grouped:
        frame[_GROUP] = [clean(label(row.group, spoken)) for row in table.rows]
    made = GT(frame, rowname_col=keys[0], groupname_col=_GROUP if grouped else None, id=_ID)
    made = made.fmt(for_html, columns=keys).tab_header(title=html(_words(label(table.title, spoken))))
    headers = {key: _header(column, chosen) for key, column in zip(keys, table.columns, strict=True)}
    made = made.cols_label(cases={key: html(text) for key, text in headers.items() if key != keys[0]})
    made = made.tab_stubhead(label=html(headers[keys[0]]))
    for align in ("left", "right"):
        made = made.cols_align(align, columns=[k for k, c in zip(keys, table.columns, strict=True) if c.align == align])
    for spanner, members in groupby(zip(keys, table.columns, strict=True), key=lambda pair: pair[1].spanner):
        if spanner:
            mine = [key for key, _ in members]
            words = html(_words(label(spanner, spoken)))
            made = made.tab_spanner(label=words, columns=mine, id=f"s{mine[0]}")
    for note in notes(table, spoken):
        made = made.tab_source_note(html(_words(note)))
    return made


def _words(text: str) -> str:
    """Escaped words; `{{` in them would begin great_tables' notation of units."""
    return for_html(text).replace("{", "&#123;")


def _header(column: Column, style: NumberStyle) -> str:
    text = _words(header_text(column, style))
    return f"<i>{text}</i>" if column.symbol else text
