"""Printed numbers of a study beside those of its synthetic replicates, as a table."""

from __future__ import annotations

from dataclasses import replace

from ..display import Cell, Column, Interval, Table
from ..display.styles import p_value
from ..estimates import Estimates
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["reproduction"]

AS_PRINTED = {
    "quantity": "Quantity",
    "printed": "Printed",
    "estimate": "This cohort",
    "n": "n",
    "mark": "Mark",
}
HEADERS = {
    "quantity": "Quantity",
    "printed": "Printed",
    "estimate": "Synthetic median",
    "conf": "95% of replicates",
    "tolerance": "Tolerance",
    "agrees": "Agrees",
    "used": "Used",
    "mark": "Mark",
}
KINDS = {"estimate": "estimate", "conf": "interval", "n": "count"}


def reproduction(estimates: Estimates, *, title: str = "") -> Table:
    """Printed, synthetic median and 95% range over replicates, and whether they agree.

    Parameters
    ----------
    estimates : Estimates
        From `study.reproduce()`, or the `estimates` of `study.analyze(cohort)`: printed | this cohort.
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    one = estimates.about.kind == "as_printed"
    if not one:
        expect(estimates, "reproduction", "study.reproduce()")
    headers = AS_PRINTED if one else HEADERS
    made = tabulate(estimates, title=title, columns=("estimate", "n" if one else "conf"), decimals=2)
    at = {column.key: place for place, column in enumerate(made.columns)}
    rows = tuple(
        replace(
            row,
            cells=tuple(_cell(row.cells[at[key]], str(row.cells[at["printed"]])) for key in headers),
            decimals=_decimals(str(row.cells[at["printed"]])),
        )
        for row in made.rows
    )
    columns = tuple(Column(key, header, KINDS.get(key, "label"), symbol=key == "n") for key, header in headers.items())
    return replace(made, columns=columns, rows=rows)


def _decimals(printed: str) -> int:
    """One digit more than was printed."""
    return min(len(printed.strip("<>%").partition(".")[2]) + 1, 4)


def _cell(cell: Cell, printed: str) -> Cell:
    """A p value beside one that was printed as a bound is told as p values are, never as 0.000."""
    if not printed.startswith("<"):
        return cell
    if isinstance(cell, Interval):
        return f"{p_value(cell.low)} to {p_value(cell.high)}"
    return p_value(cell) if isinstance(cell, float) else cell
