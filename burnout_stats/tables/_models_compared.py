"""Models of the same scores side by side: the indices of each in a row, then what its restrictions cost."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from ..display import Cell, Column, Hidden, Interval, Missing, Row, Table
from ..estimates import Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import hidden_note, shown

__all__ = ["models_compared"]

COLUMNS = (
    Column("model", "Model"),
    Column("chi_square", "chi-square", "statistic"),
    Column("df", "df", "count", symbol=True),
    Column("p_value", "p", "p", symbol=True),
    Column("cfi", "CFI", "estimate", decimals=3),
    Column("rmsea", "RMSEA", "estimate", decimals=3),
    Column("rmsea_conf", "90% interval", "interval", decimals=3),
    Column("srmr", "SRMR", "estimate", decimals=3),
    Column("bic", "BIC", "estimate", decimals=1),
    Column("against", "Against", spanner="Difference"),
    Column("difference", "chi-square", "statistic", spanner="Difference"),
    Column("difference_df", "df", "count", symbol=True, spanner="Difference"),
    Column("difference_p", "p", "p", symbol=True, spanner="Difference"),
    Column("difference_cfi", "CFI", "estimate", spanner="Difference", decimals=3),
)
NONE = Missing("0 degrees of freedom, or no comparison with another model")


def models_compared(estimates: Estimates, *, title: str) -> Table:
    """The table; a model that is compared with several others has a row for each."""
    safe = shown(estimates)
    frame = safe.frame
    rows = []
    for model in dict.fromkeys(frame["model"]):
        records = frame[frame["model"] == model].to_dict("records")
        own = {(str(row["measure"]), str(row["against"])): row for row in records}
        index = [
            _cell(own, "chi-square"),
            _cell(own, "chi-square", column="df"),
            _cell(own, "chi-square", column="p_value"),
            _cell(own, "CFI"),
            _cell(own, "RMSEA"),
            _interval(own),
            _cell(own, "SRMR"),
            _cell(own, "BIC"),
        ]
        others = [against for measure, against in own if measure == "chi-square difference"] or [""]
        for place, against in enumerate(others):
            against_cells = [
                _cell(own, "chi-square difference", against),
                _cell(own, "chi-square difference", against, column="df"),
                _cell(own, "chi-square difference", against, column="p_value"),
                _cell(own, "CFI difference", against),
            ]
            first: list[Cell] = list(index) if place == 0 else [""] * len(index)
            rows.append(Row((str(model), *first, str(against), *against_cells), "", 2))
    n = float(frame["n"].iloc[0])
    label = next(iter(safe.about.outcomes.values()), "")
    size = f" n = {int(n)}." if np.isfinite(n) else ""
    return Table(
        title=f"{title}: {label}",
        columns=COLUMNS,
        rows=tuple(rows),
        notes=(f"Full-information maximum likelihood.{size}", *safe.about.notes, *hidden_note(safe)),
    )


def _cell(own: Mapping[tuple[str, str], Mapping[Hashable, Any]], *which: str, column: str = "estimate") -> Cell:
    measure, against = (*which, "")[:2]
    if (measure, against) not in own:
        return ""
    row = own[measure, against]
    if row[HIDDEN]:
        return Hidden()
    value = float(row[column])
    return NONE if np.isnan(value) else int(value) if column == "df" else value


def _interval(own: Mapping[tuple[str, str], Mapping[Hashable, Any]]) -> Cell:
    row = own["RMSEA", ""]
    if row[HIDDEN]:
        return Hidden()
    low, high = float(row["conf_low"]), float(row["conf_high"])
    return NONE if np.isnan(low) else Interval(low, high)
