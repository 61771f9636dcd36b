"""Patterns of missing values, and what stood in their place, as tables."""

from __future__ import annotations

from ..display import Cell, Column, Hidden, Pair, Row, Table
from ..estimates import Summaries
from ..estimates.tabulation import heading, hidden_note, shown, summary_cell, tabulate
from ._kinds import expect

__all__ = ["missing_values", "missingness"]

NOTHING = ""


def missingness(summaries: Summaries, *, title: str = "", decimals: int = 2) -> Table:
    """The patterns of visits of each outcome: how many subjects, and their scores at the first visit.

    Parameters
    ----------
    summaries : Summaries
        From `describe.missingness`.
    title : str, optional
        The caption.
    decimals : int
        Of means and SDs.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for summaries of another kind.
    """
    expect(summaries, "missingness", "describe.missingness()")
    safe = shown(summaries)
    about = safe.about
    by = [name for name in about.by if name in safe.frame]
    found: dict[tuple[str, ...], dict[str, Cell]] = {}
    for record in safe.frame.to_dict("records"):
        key = tuple(str(record[name]) for name in ("variable", *by, "part", "level"))
        found.setdefault(key, {})[str(record["statistic"])] = summary_cell(record)
    places = list(dict.fromkeys(key[:-2] for key in found))
    rows = []
    for key, cells in sorted(found.items(), key=lambda item: places.index(item[0][:-2])):
        variable, *levels, part, level = key
        names = [about.outcomes.get(variable, variable)]
        group = " · ".join([*names, *(f"{heading(name)}: {own}" for name, own in zip(by, levels, strict=True))])
        is_pattern = part == "pattern"
        score = _score(cells, decimals) if is_pattern else NOTHING
        rows.append(
            Row((level if is_pattern else heading(level), cells["n"], cells["percent"], score), group, decimals)
        )
    first = next(iter(about.visit_years), "the first visit")
    return Table(
        title=title or "Patterns of missing values",
        columns=(
            Column("pattern", "Pattern"),
            Column("n", "n", "count", symbol=True),
            Column("percent", "%", "percent"),
            Column("baseline", f"Mean (SD) at {first}", "estimate"),
        ),
        rows=tuple(rows),
        notes=(*about.notes, *hidden_note(safe)),
    )


def missing_values(summaries: Summaries, *, title: str = "") -> Table:
    """What stood in place of a value, by visit.

    Parameters
    ----------
    summaries : Summaries
        From `describe.missing_values`.
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for summaries of another kind.
    """
    expect(summaries, "missing_values", "describe.missing_values()")
    return tabulate(summaries, title=title)


def _score(cells: dict[str, Cell], decimals: int) -> Cell:
    mean, sd = cells.get("mean"), cells.get("sd")
    if isinstance(mean, Hidden) or isinstance(sd, Hidden):
        return Hidden()
    if not isinstance(mean, int | float):
        return mean
    return Pair(mean, sd, (decimals, decimals)) if isinstance(sd, int | float) else mean
