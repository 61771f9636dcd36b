"""The one gate for privacy: numbers that rest on too few persons are hidden before anything renders them.

`protect` acts on Estimates and Summaries, so text, tables, figures, JSON and notebook representations cannot forget it.
Within one description, a count that could be worked out from the others (total minus the rest) is hidden too: at least
two cells of a margin are hidden, or none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pandas as pd

from ..errors import StudyError
from ..notices import Notice
from .estimates import NUMBERS, Estimates
from .summaries import Summaries

__all__ = ["HIDDEN", "Policy", "protect"]

HIDDEN = "hidden"
"""The column that marks rows whose numbers were withheld."""

Results = TypeVar("Results", Estimates, Summaries)


@dataclass(frozen=True, slots=True)
class Policy:
    """How small a group may be shown: counts from 1 to `min_cell` - 1 are hidden; `min_cell=1` shows everything."""

    min_cell: int = 5

    def __post_init__(self) -> None:
        if self.min_cell < 1:
            raise StudyError(
                "E-STUDY-VALUE",
                f"`min_cell` is {self.min_cell}.",
                "It is the smallest number of persons that may be shown, 1 or more.",
                "Use 5, or what your data owner prescribes.",
            )


def protect(results: Results, policy: Policy) -> Results:
    """The same results with the numbers of too small groups replaced by NaN and marked in the column `hidden`.

    The protected value is detached from its model, so nothing hidden can be asked again through it. A frame that is
    protected already is protected again under the stricter of both policies.
    """
    frame = results.frame
    hidden = _too_small(frame["n"], policy.min_cell)
    if isinstance(results, Summaries):
        hidden |= _complementary(frame, hidden, policy.min_cell)
    if HIDDEN in frame:
        hidden |= frame[HIDDEN].to_numpy(dtype=bool)
    columns = [name for name in (*NUMBERS, "value", "n") if name in frame]
    shown = frame.assign(**{HIDDEN: hidden})
    if hidden.any():
        shown = shown.astype({name: float for name in columns})
        shown.loc[hidden, columns] = np.nan
    about = replace(results.about, min_cell=_min_cell(results, policy))
    notices: tuple[Notice, ...] = results.notices
    if hidden.any() and not any(notice.code == "N-DISCLOSURE-HIDDEN" for notice in notices):
        notices = (*notices, _notice(policy))
    if isinstance(results, Estimates):
        vcov = np.where(hidden[:, None] | hidden[None, :], np.nan, results.vcov)
        return replace(results, frame=shown, vcov=vcov, about=about, notices=notices, L=None, answers=None)
    return replace(results, frame=shown, about=about, notices=notices)


def _min_cell(results: Estimates | Summaries, policy: Policy) -> int:
    return max(policy.min_cell, results.about.min_cell) if HIDDEN in results.frame else policy.min_cell


def _too_small(n: pd.Series, min_cell: int) -> np.ndarray:
    counts = n.to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        return (counts > 0) & (counts < min_cell)


def _complementary(frame: pd.DataFrame, hidden: np.ndarray, min_cell: int) -> np.ndarray:
    """Rows to hide because a single hidden count of a variable could be found as the total less the others."""
    more = np.zeros(len(frame), dtype=bool)
    counts = frame["statistic"].isin(["n", "missing", "count"]).to_numpy()
    for _, rows in frame[counts].groupby("variable", sort=False).indices.items():
        where = np.flatnonzero(counts)[rows]
        if hidden[where].sum() == 1:
            others = where[~hidden[where] & (frame["n"].to_numpy(dtype=float)[where] > 0)]
            if len(others):
                smallest = others[np.argmin(frame["n"].to_numpy(dtype=float)[others])]
                more |= _same_cell(frame, smallest)
    return more


def _same_cell(frame: pd.DataFrame, row: int) -> np.ndarray:
    same = frame["variable"].eq(frame["variable"].iloc[row]) & frame["level"].eq(frame["level"].iloc[row])
    return np.asarray(same, dtype=bool)


def _notice(policy: Policy) -> Notice:
    return Notice(
        "N-DISCLOSURE-HIDDEN",
        f"Numbers that rest on fewer than {policy.min_cell} persons are hidden.",
        "Merge small groups, or set `min_cell` under [disclosure] to what your data owner allows.",
    )
