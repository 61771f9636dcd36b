"""Contrasts as a table, with the same contrasts in standard deviations beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ..display import Cell, Column, Hidden, Interval, Missing, Table
from ..errors import StudyError
from ..estimates import Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.estimates import NUMBERS
from ..estimates.quantities import QUANTITIES, RATIOS
from ..estimates.tabulation import in_sentence, percent_of, shown, tabulate
from ._kinds import expect

__all__ = ["contrasts"]


def contrasts(
    estimates: Estimates, standardized: Estimates | None = None, *, title: str = "", decimals: int | None = None
) -> Table:
    """Contrasts with intervals, standard errors, degrees of freedom, t, p and numbers of subjects.

    Parameters
    ----------
    estimates : Estimates
        From `contrast`: differences, or ratios of odds, probabilities or mean counts.
    standardized : Estimates, optional
        The same contrasts from `standardize`; they stand beside the others, and the table names their standardizer.
    title : str, optional
        The caption.
    decimals : int, optional
        Of estimates, limits and standard errors; where left out, from the standard errors.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind, or standardized ones of other rows.
    """
    about = estimates.about
    if about.kind in RATIOS or about.quantity:
        return _counted(estimates, standardized, title, decimals)
    expect(estimates, "contrasts", "contrast()")
    header = "Change" if is_change(estimates) else "Difference"
    table = tabulate(
        estimates,
        title=title or (f"{header} in {_outcome(estimates)}" if _outcome(estimates) else ""),
        columns=("estimate", "conf", "std_error", "df", "statistic", "p_value", "n"),
        headers={"estimate": header},
        beside=_beside(estimates, standardized) if standardized is not None else (),
        decimals=decimals,
    )
    if standardized is None:
        return table
    return replace(table, notes=tuple(dict.fromkeys((*table.notes, *standardized.about.notes))))


def _counted(estimates: Estimates, standardized: Estimates | None, title: str, decimals: int | None) -> Table:
    """Contrasts of a model of events, ordered categories or counts."""
    about = estimates.about
    if about.kind not in RATIOS:
        expect(estimates, "contrasts", "contrast()")
    if standardized is not None:
        refuse_standardized()
    if not title and about.kind not in RATIOS and _outcome(estimates):
        outcome = str(estimates.frame["outcome"].iloc[0])
        title = f"{QUANTITIES[about.quantity].difference}: {about.outcomes.get(outcome, outcome)}"
    shown_columns: tuple[str, ...] = ("estimate", "conf", "std_error", "df", "statistic", "p_value", "n")
    if about.kind in RATIOS:  # its standard error belongs to the logarithm
        shown_columns = ("estimate", "conf", "statistic", "p_value", "n")
    return tabulate(estimates, title=title, columns=shown_columns, decimals=decimals)


def refuse_standardized() -> None:
    """Stop where standardized changes are to stand beside probabilities or counts.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE`.
    """
    raise StudyError(
        "E-STUDY-VALUE",
        "Standardized changes are given for contrasts of events or counts.",
        "They belong to measured outcomes.",
        "Leave them out.",
    )


def is_change(estimates: Estimates) -> bool:
    """Whether every contrast is one visit less another."""
    visits = list(estimates.about.visit_years)
    pairs = {f"{later} - {earlier}" for later in visits for earlier in visits if later != earlier}
    return len(estimates) > 0 and set(estimates.frame["contrast"].astype(str)) <= pairs


def _outcome(estimates: Estimates) -> str:
    names = list(dict.fromkeys(estimates.frame["outcome"]))
    return in_sentence(estimates.about.outcomes.get(names[0], names[0])) if len(names) == 1 else ""


def _beside(estimates: Estimates, standardized: Estimates) -> Sequence[tuple[Column, Sequence[Cell]]]:
    if not _labels(estimates).equals(_labels(standardized)):
        raise StudyError(
            "E-STUDY-VALUE",
            "The standardized contrasts have other rows than the contrasts.",
            "Both tell of the same contrasts in the same order.",
            "Write contrasts(changes, standardize(changes, sd)).",
        )
    frame = shown(standardized).frame
    hidden = frame[HIDDEN].to_numpy(dtype=bool) | shown(estimates).frame[HIDDEN].to_numpy(dtype=bool)
    limits = zip(frame["conf_low"], frame["conf_high"], strict=True)
    level = percent_of(standardized.about.conf_level)
    spanner = "Standardized"
    return (
        (
            Column("standardized", "Estimate", "estimate", spanner=spanner, decimals=2),
            _cells(frame["estimate"], hidden),
        ),
        (
            Column("standardized_conf", f"{level} CI", "interval", spanner=spanner, decimals=2),
            _cells([Interval(low, high) for low, high in limits], hidden),
        ),
    )


def _labels(estimates: Estimates) -> pd.DataFrame:
    names = [name for name in estimates.frame if name not in {*NUMBERS, "n", "method", HIDDEN}]
    return estimates.frame[names].astype(str).reset_index(drop=True)


def _cells(values: Sequence[Cell] | pd.Series, hidden: np.ndarray) -> list[Cell]:
    return [Hidden() if withheld else _known(value) for value, withheld in zip(values, hidden, strict=True)]


def _known(value: Cell) -> Cell:
    nothing = isinstance(value, float) and np.isnan(value)
    return Missing("not estimable from these data") if nothing else value
