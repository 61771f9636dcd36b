"""Observed scores by visit as a table."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..display import Cell, Column, Hidden, Interval, Missing, Row, Table
from ..display.styles import decimals_from
from ..estimates import Summaries
from ..estimates.tabulation import heading, hidden_note, scale_note, shown, summary_cell
from ._kinds import expect

__all__ = ["by_visit"]

_NO_ONE = Missing("nobody was seen")


def by_visit(summaries: Summaries, *, title: str = "", decimals: int | None = None) -> Table:
    """Numbers seen and missing, mean, SD, median and quartiles of each outcome at each visit.

    Parameters
    ----------
    summaries : Summaries
        From `describe.by_visit`.
    title : str, optional
        The caption.
    decimals : int, optional
        Of all scores; where left out, from the standard errors of an outcome's means.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for summaries of another kind.
    """
    expect(summaries, "by_visit", "describe.by_visit()")
    safe = shown(summaries)
    about = safe.about
    by = [name for name in about.by if name in safe.frame]
    found: dict[tuple[str, ...], dict[str, Cell]] = {}
    for record in safe.frame.to_dict("records"):
        key = tuple(str(record[name]) for name in ("variable", *by, "level"))
        found.setdefault(key, {})[str(record["statistic"])] = summary_cell(record)
    outcomes = list(dict.fromkeys(key[0] for key in found))
    digits = {name: _decimals([row for key, row in found.items() if key[0] == name], decimals) for name in outcomes}
    order = list(dict.fromkeys(key[:-1] for key in found))
    rows = []
    for key, row in sorted(found.items(), key=lambda item: order.index(item[0][:-1])):
        names = [about.outcomes.get(key[0], key[0])] if len(outcomes) > 1 else []
        group = " · ".join([*names, *(f"{heading(name)}: {level}" for name, level in zip(by, key[1:-1], strict=True))])
        rows.append(Row((key[-1], *_scores(row)), group, digits[key[0]]))
    alone = f": {about.outcomes.get(outcomes[0], outcomes[0])}" if len(outcomes) == 1 else ""
    return Table(
        title=title or f"Observed scores{alone}",
        columns=(
            Column("visit", "Visit"),
            Column("n", "n", "count", symbol=True),
            Column("missing", "Missing", "count"),
            Column("mean", "Mean", "estimate"),
            Column("sd", "SD", "estimate"),
            Column("median", "Median", "estimate"),
            Column("quartiles", "Quartiles", "interval"),
        ),
        rows=tuple(rows),
        notes=(*filter(None, (scale_note(about, name) for name in outcomes)), *about.notes, *hidden_note(safe)),
    )


def _scores(row: Mapping[str, Cell]) -> tuple[Cell, ...]:
    known = {name: _NO_ONE if isinstance(cell, Missing) else cell for name, cell in row.items()}
    singles = [known.get(name, _NO_ONE) for name in ("n", "missing", "mean", "sd", "median")]
    q1, q3 = known.get("q1", _NO_ONE), known.get("q3", _NO_ONE)
    if isinstance(q1, float) and isinstance(q3, float):
        return (*singles, Interval(q1, q3))
    return (*singles, Hidden() if Hidden() in (q1, q3) else _NO_ONE)


def _decimals(rows: list[dict[str, Cell]], decimals: int | None) -> int:
    if decimals is not None:
        return decimals
    std_errors = []
    for row in rows:
        sd, n = row.get("sd"), row.get("n")
        if isinstance(sd, float) and isinstance(n, int) and n > 0:
            std_errors.append(sd / math.sqrt(n))
    return decimals_from(std_errors)
