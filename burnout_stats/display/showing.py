"""How a result shows itself: as tables, in a notebook, in Markdown, in LaTeX, in a terminal.

A result says which tables it consists of, after the gate for privacy; everything else follows from them.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from .html import to_html
from .latex import to_latex
from .markdown import to_markdown
from .table import Cell, Column, Row, Table
from .text import to_text

__all__ = ["Shown", "facts", "in_notebook", "show"]


class Shown(ABC):
    """What a result inherits that consists of tables.

    Every representation is made from `_tables`, which pass the gate for privacy: a notebook is a published file.
    """

    __slots__ = ()

    @abstractmethod
    def _tables(self) -> Sequence[Table]:
        """What may be shown."""

    def __str__(self) -> str:
        return "\n\n".join(map(to_text, self._tables()))

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name.startswith("__") or not name.startswith("_")]

    def _repr_html_(self) -> str:
        return "\n".join(to_html(table, style_sheet=place == 0) for place, table in enumerate(self._tables()))

    def _repr_markdown_(self) -> str:
        return "\n\n".join(map(to_markdown, self._tables()))

    def _repr_latex_(self) -> str:
        return "\n".join(map(to_latex, self._tables()))

    def show(self) -> None:
        """Show the result: in a notebook as it shows itself there, else as plain text."""
        show(self)


def show(result: Shown | Table) -> None:
    """Display a result where there is a notebook, or write its text to the terminal."""
    if in_notebook():
        from IPython.display import display

        display(result)  # type: ignore[no-untyped-call]  # IPython has not annotated it
    else:
        sys.stdout.write(f"{result}\n")


def in_notebook() -> bool:
    """Whether a kernel runs this, so that IPython need not be imported to find out."""
    running = sys.modules.get("IPython")
    shell = running.get_ipython() if running is not None else None
    return getattr(shell, "kernel", None) is not None


def facts(title: str, pairs: Iterable[tuple[str, Cell]], *, notes: Sequence[str] = ()) -> Table:
    """A table of what there is to know of a thing that is no table itself: a row for each fact."""
    return Table(
        title=title,
        columns=(Column("fact", "Fact"), Column("value", "Value")),
        rows=tuple(Row((name, value), decimals=0) for name, value in pairs),
        notes=tuple(notes),
    )
