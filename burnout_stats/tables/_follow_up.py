"""Follow-up time as a table."""

from __future__ import annotations

from ..display import Cell, Column, Hidden, Interval, Missing, Row, Table
from ..estimates import Summaries
from ..estimates.tabulation import heading, hidden_note, shown, summary_cell
from ._kinds import expect

__all__ = ["follow_up"]

_NO_ONE = Missing("nobody was seen")


def follow_up(summaries: Summaries, *, title: str = "", decimals: int = 2) -> Table:
    """Numbers seen and missing, mean, SD, median and quartiles of the exact years at each visit; and their range, where
    the policy allows it.

    Parameters
    ----------
    summaries : Summaries
        From `describe.follow_up`.
    title : str, optional
        The caption.
    decimals : int
        Of years.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for summaries of another kind.
    """
    expect(summaries, "follow_up", "describe.follow_up()")
    safe = shown(summaries)
    by = [name for name in safe.about.by if name in safe.frame]
    found: dict[tuple[str, ...], dict[str, Cell]] = {}
    for record in safe.frame.to_dict("records"):
        key = tuple(str(record[name]) for name in (*by, "level"))
        found.setdefault(key, {})[str(record["statistic"])] = summary_cell(record)
    with_range = safe.about.policy.extremes or safe.about.policy.min_cell < 2
    rows = []
    for key, cells in found.items():
        known = {name: _NO_ONE if isinstance(cell, Missing) else cell for name, cell in cells.items()}
        singles = tuple(known.get(name, _NO_ONE) for name in ("n", "missing", "mean", "sd", "median"))
        pairs = [_pair(known, "q1", "q3"), *([_pair(known, "min", "max")] if with_range else [])]
        group = " · ".join(f"{heading(name)}: {level}" for name, level in zip(by, key[:-1], strict=True))
        rows.append(Row((key[-1], *singles, *pairs), group, decimals))
    return Table(
        title=title or "Years since baseline",
        columns=(
            Column("visit", "Visit"),
            Column("n", "n", "count", symbol=True),
            Column("missing", "Missing", "count"),
            Column("mean", "Mean", "estimate"),
            Column("sd", "SD", "estimate"),
            Column("median", "Median", "estimate"),
            Column("quartiles", "Quartiles", "interval"),
            *([Column("range", "Range", "interval")] if with_range else []),
        ),
        rows=tuple(rows),
        notes=(*safe.about.notes, *hidden_note(safe)),
    )


def _pair(cells: dict[str, Cell], low: str, high: str) -> Cell:
    first, second = cells.get(low, _NO_ONE), cells.get(high, _NO_ONE)
    if isinstance(first, float) and isinstance(second, float):
        return Interval(first, second)
    return Hidden() if Hidden() in (first, second) else _NO_ONE
