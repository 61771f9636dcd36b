"""`Table`: a table as numbers and labels, before anything is formatted; the writers beside this file only format it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..errors import StudyError
from .escape import for_terminal

if TYPE_CHECKING:
    from great_tables import GT

    from .styles import NumberStyle

__all__ = ["Cell", "Column", "Hidden", "Interval", "Missing", "Pair", "Row", "Table"]


@dataclass(frozen=True, slots=True)
class Interval:
    """Two limits, the lower first."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Hidden:
    """A number withheld because it rests on too few persons, or would tell one that does."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A number that does not exist, and why."""

    reason: str = "not available"


@dataclass(frozen=True, slots=True)
class Pair:
    """A number with another one, or limits, in parentheses: a mean (SD), a count (percent), a median (quartiles).

    `decimals` are those of the first and of what stands in parentheses; where None, the row's.
    """

    first: int | float
    second: float | Interval | Missing
    decimals: tuple[int | None, int | None] = (None, None)


Cell: TypeAlias = "str | int | float | Interval | Pair | Hidden | Missing | None"
"""What may stand in a cell; None and NaN become `Missing()`."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    key : name for machines (the header of the CSV; an interval gets `<key>_low` and `<key>_high`)
    header : name for people
    kind : "label", "verbatim" (never translated), "contrast", "estimate", "interval", "count", "percent", "df",
        "statistic", "p"
    symbol : the header is a mathematical symbol, set in italics
    spanner : a header above several neighboring columns
    decimals : for estimates and intervals; where None, the row's
    """

    key: str
    header: str
    kind: str = "label"
    symbol: bool = False
    spanner: str = ""
    decimals: int | None = None

    @property
    def align(self) -> str:
        """Labels stand left, numbers right: equal decimals then stand under each other."""
        return "left" if self.kind in {"label", "verbatim", "contrast"} else "right"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a cell for each column (the first is the stub), its group, and the decimals of its estimates."""

    cells: tuple[Cell, ...]
    group: str = ""
    decimals: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "cells", tuple(_plain(cell) for cell in self.cells))


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns, rows of numbers, and the notes that belong under them.

    In a notebook it shows itself; `save` writes it by suffix (.html, .docx, .tex, .md, .txt, .csv, .json);
    `print(table)` gives plain text; `to_great_tables` hands it to those who want to style it further.

    Examples
    --------
    >>> print(
    ...     Table(
    ...         title="Visits",
    ...         columns=(Column("visit", "Visit"), Column("n", "n", "count")),
    ...         rows=(Row(("baseline", 227)),),
    ...     )
    ... )
    Visits
    Visit       n
    ────────  ───
    baseline  227
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wrong = [len(row.cells) for row in self.rows if len(row.cells) != len(self.columns)]
        if wrong:
            raise ValueError(f"a row of `{self.title}` has {wrong[0]} cells for {len(self.columns)} columns")

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return for_terminal(f"<Table: {self.title}; {len(self.rows)} rows, {len(self.columns)} columns>")

    def __str__(self) -> str:
        from .text import to_text

        return to_text(self)

    def _repr_html_(self) -> str:
        from .html import to_html

        return to_html(self, style_sheet=True)

    def _repr_markdown_(self) -> str:
        from .markdown import to_markdown

        return to_markdown(self)

    def _repr_latex_(self) -> str:
        from .latex import to_latex

        return to_latex(self)

    def show(self) -> None:
        """Show the table: in a notebook as itself, else as plain text."""
        from .showing import show

        show(self)

    def to_great_tables(self, style: str | NumberStyle = "plain", *, language: str = "en") -> GT:
        """The table as a `GT` of great_tables, its numbers formatted already, for further styling.

        Raises
        ------
        SetupError
            `E-SETUP-EXTRA` where great_tables is not installed.
        """
        from .great_tables import to_great_tables

        return to_great_tables(self, style, language=language)

    def save(self, path: str | Path, *, style: str | NumberStyle = "plain", language: str = "en") -> Path:
        """Write the table to a file whose suffix says how; the style and the language are for those that people read.

        Raises
        ------
        StudyError
            `E-STUDY-VALUE` for a suffix that no writer knows.
        SetupError
            `E-SETUP-EXTRA` for .docx where python-docx is not installed.
        """
        target = Path(path)
        writers = _writers(style, language)
        if target.suffix not in writers:
            raise StudyError(
                "E-STUDY-VALUE",
                f"A table cannot be saved as `{target.suffix or 'a file without suffix'}`.",
                f"The suffix is one of {', '.join(writers)}.",
                "Choose .html or .docx to read it, .csv to compute with it.",
            )
        written = writers[target.suffix](self)
        target.write_bytes(written if isinstance(written, bytes) else written.encode("utf-8"))
        return target


def _writers(style: str | NumberStyle, language: str) -> Mapping[str, Callable[[Table], str | bytes]]:
    from .csv import to_csv
    from .docx import to_docx
    from .html import to_html_document
    from .json import to_json
    from .latex import to_latex
    from .markdown import to_markdown
    from .text import to_text

    return {
        ".html": lambda table: to_html_document(table, style, language=language),
        ".docx": lambda table: to_docx(table, style, language=language),
        ".tex": lambda table: to_latex(table, style, language=language),
        ".md": lambda table: to_markdown(table, style, language=language),
        ".txt": lambda table: to_text(table, style, language=language),
        ".csv": to_csv,
        ".json": to_json,
    }


def _plain(cell: Cell) -> Cell:
    """The cell with NumPy's numbers as Python's, and NaN as Missing."""
    if cell is None:
        return Missing()
    if isinstance(cell, str | Hidden | Missing | Pair):
        return cell
    if isinstance(cell, Interval):
        low, high = float(cell.low), float(cell.high)
        return Missing() if math.isnan(low) or math.isnan(high) else Interval(low, high)
    number = float(cell)
    if math.isnan(number):
        return Missing()
    return int(number) if isinstance(cell, int) or hasattr(cell, "bit_count") else number
