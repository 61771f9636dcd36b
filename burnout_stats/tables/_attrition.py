"""Completers against those who were lost, as a table."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping

from ..display import Cell, Column, Hidden, Interval, Missing, Row, Table
from ..display.styles import decimals_from
from ..estimates import Estimates, Summaries
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import heading, hidden_note, percent_of, shown
from ._baseline import Characteristics
from ._kinds import expect

__all__ = ["attrition"]

NOTHING = ""
_NONE = Missing("not estimable from these data")


def attrition(
    estimates: Estimates, baseline: Summaries | None = None, *, title: str = "", decimals: int | None = None
) -> Table:
    """Completers against those who were lost: differences of means and shares completed, with tests and standardized
    differences.

    Parameters
    ----------
    estimates : Estimates
        From `describe.attrition`.
    baseline : Summaries, optional
        From `describe.baseline` with `by=Completed(...)`: the means and counts of both groups stand before the
        comparison.
    title : str, optional
        The caption.
    decimals : int, optional
        Of means and their differences; where left out, from the standard errors.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for results of another kind.
    """
    expect(estimates, "attrition", "describe.attrition()")
    safe = shown(estimates)
    about = safe.about
    known = None
    if baseline is not None:
        expect(baseline, "baseline", "describe.baseline()")
        known = Characteristics.of(baseline)
    groups = [] if known is None else [column for column in known.columns() if column.key in ("completed", "lost")]
    records = safe.frame.to_dict("records")
    has_shares = any(record["quantity"] == "share completed" for record in records)
    has_means = any(record["quantity"] == "difference" for record in records)
    header = " or ".join([*(["Difference"] if has_means else []), *(["% completed"] if has_shares else [])])
    columns = (
        Column("characteristic", "Characteristic"),
        *groups,
        Column("estimate", header, "estimate"),
        Column("conf", f"{percent_of(about.conf_level)} CI", "interval"),
        Column("statistic", "t or χ²" if has_shares and has_means else "χ²" if has_shares else "t", "statistic"),
        Column("df", "df", "df", symbol=True),
        Column("p_value", "p", "p", symbol=True),
        Column("smd", "SMD", "estimate", decimals=2),
    )
    rows: list[Row] = []
    for variable in dict.fromkeys(str(record["outcome"]) for record in records):
        own = [record for record in records if record["outcome"] == variable]
        before = {} if known is None else _before(known, variable, [column.key for column in groups], decimals)
        rows += _rows(own, about.outcomes.get(variable, heading(variable)), before, len(groups), decimals)
    hidden = hidden_note(safe) or (hidden_note(known.safe) if known is not None else ())
    return Table(
        title=title or "Completed and lost: characteristics at baseline",
        columns=columns,
        rows=tuple(rows),
        notes=(*(note for note in about.notes if not note.startswith("n: ")), *_smd_note(), *hidden),
    )


def _rows(
    records: list[dict[Hashable, object]],
    group: str,
    before: Mapping[str, tuple[Cell, ...]],
    n_groups: int,
    decimals: int | None,
) -> list[Row]:
    """The rows of one variable; what is about the whole variable stands in the first of them."""
    by_quantity = {str(record["quantity"]): record for record in records}
    smd = _cell(by_quantity["standardized difference"], "estimate")
    blank = (NOTHING,) * n_groups
    if "difference" in by_quantity:
        record = by_quantity["difference"]
        digits = decimals_from([_number(record, "std_error")]) if decimals is None else decimals
        whole = (_cell(record, "statistic"), _cell(record, "df"), _cell(record, "p_value"), smd)
        label, *cells = before.get("", ("Difference of means", *blank))
        return [Row((label, *cells, _cell(record, "estimate"), _interval(record, 1.0), *whole), group, digits)]
    test = by_quantity["test"]
    whole = (_test_cell(test, "statistic"), _test_cell(test, "df"), _cell(test, "p_value"), smd)
    rows: list[Row] = []
    for record in (record for record in records if record["quantity"] == "share completed"):
        level = str(record["level"])
        share = _cell(record, "estimate")
        told = 100.0 * share if isinstance(share, float) else share
        beside = whole if not rows else (NOTHING,) * len(whole)
        label = f"{level}, n (%)" if n_groups else level
        rows.append(
            Row((label, *before.get(level, (label, *blank))[1:], told, _interval(record, 100.0), *beside), group, 1)
        )
    return rows


def _before(
    known: Characteristics, variable: str, groups: list[str], decimals: int | None
) -> dict[str, tuple[Cell, ...]]:
    """The label and the cells of Table 1 by level ("" for a number)."""
    if variable not in known.variables:
        return {}
    places = [1 + known.groups.index(name) for name in groups]
    found = {}
    for row in known.rows(variable, decimals):
        label = str(row.cells[0])
        if label == "Missing":
            continue
        key = label.removesuffix(", n (%)") if label.endswith(", n (%)") else ""
        found[key] = (label, *(row.cells[place] for place in places))
    return found


def _number(record: Mapping[Hashable, object], key: str) -> float:
    return float(record[key])  # type: ignore[arg-type]  # a number of the frame, or its NaN


def _cell(record: Mapping[Hashable, object], key: str) -> Cell:
    if record[HIDDEN]:
        return Hidden()
    value = _number(record, key)
    return _NONE if math.isnan(value) else value


def _test_cell(record: Mapping[Hashable, object], key: str) -> Cell:
    """Fisher's exact test has a p value only."""
    exact = str(record["method"]) == "fisher" and not record[HIDDEN]
    return NOTHING if exact else _cell(record, key)


def _interval(record: Mapping[Hashable, object], scale: float) -> Cell:
    if record[HIDDEN]:
        return Hidden()
    low, high = scale * _number(record, "conf_low"), scale * _number(record, "conf_high")
    return _NONE if math.isnan(low) or math.isnan(high) else Interval(low, high)


def _smd_note() -> tuple[str, ...]:
    return ("SMD: standardized mean difference; of a categorical variable a distance without sign.",)
