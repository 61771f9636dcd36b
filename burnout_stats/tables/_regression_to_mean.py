"""Regression to the mean, the curve over stabilities, and Mee and Chua's change at the norm mean as tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..display import Cell, Column, Hidden, Interval, Missing, Pair, Table
from ..errors import StudyError
from ..estimates import Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import percent_of, shown, tabulate

__all__ = ["regression_to_the_mean"]

KINDS = {
    "regression_to_the_mean": ("estimate", "conf", "std_error", "n"),
    "stability_curve": ("estimate", "conf", "n"),
    "mee_chua": ("estimate", "conf", "std_error", "df", "statistic", "p_value", "n"),
    "mee_chua_range": ("estimate", "conf", "std_error", "statistic", "p_value", "n"),
}
LEFT, EXPECTED = "observed minus expected", "expected change"


def regression_to_the_mean(estimates: Estimates, *, title: str = "", decimals: int = 2) -> Table:
    """What was observed, what regression to the mean alone would bring, and what is left.

    Parameters
    ----------
    estimates : Estimates
        From `sensitivity.regression_to_the_mean`, `stability_curve`, `mee_chua`, `mee_chua_range`, or a twin from
        summaries. Of a curve, each stability is a row, with what it would bring beside what is left.
    title : str, optional
        The caption.
    decimals : int
        Of estimates and limits; the shares among them are numbers like the others.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    kind = estimates.about.kind
    if kind not in KINDS:
        raise StudyError(
            "E-STUDY-VALUE",
            f"This table was given {kind or 'something else'}.",
            "It shows an observed change against regression to the mean.",
            "Give it what sensitivity.regression_to_the_mean() answers.",
        )
    if kind == "stability_curve":
        return _curve(shown(estimates), title, decimals)
    return tabulate(estimates, title=title, columns=KINDS[kind], decimals=decimals)


def _curve(curve: Estimates, title: str, decimals: int) -> Table:
    """A row for each visit and stability: what is left, with what was expected beside it."""
    rows = [[record["visit"], record["stability"]] for record in curve.frame.to_dict("records")]
    measure = curve.frame["measure"]
    left, expected = (np.flatnonzero(measure.eq(name)) for name in (LEFT, EXPECTED))
    beside = {tuple(rows[at]): _pair(curve, int(at)) for at in expected}
    header = f"Expected change ({percent_of(curve.about.conf_level)} CI)"
    column = Column("expected", header, "estimate")
    frame = curve.frame.iloc[left].drop(columns="measure").reset_index(drop=True)
    part = replace(
        curve,
        frame=frame,
        vcov=curve.vcov[np.ix_(left, left)],
        about=replace(curve.about, factors=("visit", "stability")),
    )
    return tabulate(
        part,
        title=title,
        columns=KINDS["stability_curve"],
        headers={"estimate": "Observed minus expected"},
        beside=[(column, [beside[tuple(rows[at])] for at in left])],
        decimals=decimals,
    )


def _pair(curve: Estimates, at: int) -> Cell:
    row = curve.frame.iloc[at]
    if row[HIDDEN]:
        return Hidden()
    estimate, low, high = (float(row[name]) for name in ("estimate", "conf_low", "conf_high"))
    if np.isnan(estimate):
        return Missing()
    return Pair(estimate, Missing() if np.isnan(low) else Interval(low, high))
