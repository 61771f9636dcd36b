"""The one gate for privacy: numbers that rest on too few persons are hidden before anything renders them.

`protect` acts on Estimates and Summaries, so text, tables, figures, JSON and notebook representations cannot forget it.
Within one description, further counts are hidden so that none of the small ones can be worked out from those that are
shown (`margins`). A mean of many persons stays where only its number would tell about few.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import StudyError
from ..notices import Notice
from .estimates import NUMBERS, Estimates
from .margins import complementary
from .summaries import Summaries

__all__ = ["HIDDEN", "Policy", "protect"]

HIDDEN = "hidden"
"""The column that marks rows whose numbers were withheld."""

COUNTS = ("n", "missing", "count")
"""Statistics that count subjects."""

OF_N = ("n", "count")
"""Those whose number is also the `n` of the other statistics of the same cell."""

SHARES = ("percent", "proportion")
"""Statistics that tell a count to anyone who knows the total."""

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
    withheld = np.zeros(len(frame), dtype=bool)
    if isinstance(results, Summaries):
        hidden, withheld = _complementary(results, hidden, policy.min_cell)
    if HIDDEN in frame:
        hidden |= frame[HIDDEN].to_numpy(dtype=bool)
    columns = [name for name in (("value",) if "value" in frame else NUMBERS) if name in frame] + ["n"]
    shown = frame.assign(**{HIDDEN: hidden})
    if hidden.any():
        shown = shown.astype(dict.fromkeys(columns, float))
        shown.loc[hidden, columns] = np.nan
        shown.loc[withheld, "n"] = np.nan
    about = replace(results.about, min_cell=_min_cell(results, policy))
    notices: tuple[Notice, ...] = results.notices
    if hidden.any() and not any(notice.code == "N-DISCLOSURE-HIDDEN" for notice in notices):
        notices = (*notices, _notice(policy))
    if isinstance(results, Estimates):
        vcov = np.where(hidden[:, None] | hidden[None, :], np.nan, results.vcov)
        return replace(results, frame=shown, vcov=vcov, about=about, notices=notices, L=None, answers=None)
    return replace(results, frame=shown, about=about, notices=notices, margins=None)


def _min_cell(results: Estimates | Summaries, policy: Policy) -> int:
    return max(policy.min_cell, results.about.min_cell) if HIDDEN in results.frame else policy.min_cell


def _too_small(n: pd.Series, min_cell: int) -> NDArray[np.bool_]:
    counts = n.to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        return (counts > 0) & (counts < min_cell)


def _complementary(
    results: Summaries, hidden: NDArray[np.bool_], min_cell: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The rows to hide in all, and the rows whose `n` alone is withheld, because it is a hidden count."""
    frame = results.frame
    is_count = frame["statistic"].isin(COUNTS).to_numpy()
    small = hidden & is_count
    if results.margins is not None:
        more = complementary(results.margins, small, min_cell)
    else:
        more = _pairs(frame, small, is_count, min_cell)
    counts_n = frame["statistic"].isin(OF_N).to_numpy()
    names = [name for name in frame.columns if name not in ("statistic", "value", "n", HIDDEN)]
    cell = frame.groupby(names, sort=False, dropna=False, observed=True).ngroup().to_numpy()
    same = np.isin(cell, cell[(more | small) & counts_n])
    is_share = frame["statistic"].isin(SHARES).to_numpy()
    hidden = hidden | more | (same & is_share)
    return hidden, same & ~hidden & ~is_count


def _pairs(
    frame: pd.DataFrame, small: NDArray[np.bool_], is_count: NDArray[np.bool_], min_cell: int
) -> NDArray[np.bool_]:
    """Rows to hide where nobody said what the counts add up to: those of one variable are taken as parts of a known
    total, so at least two are hidden, which together are not small.
    """
    more = np.zeros(len(frame), dtype=bool)
    counts = frame["n"].to_numpy(dtype=float)
    names = [name for name in frame.columns if name not in ("level", "value", "n", HIDDEN)]
    for rows in frame.groupby(names, sort=False, dropna=False, observed=True).indices.values():
        if not small[rows].any() or not is_count[rows].all():
            continue
        gone = [row for row in rows if small[row] or np.isnan(counts[row])]
        left = sorted((row for row in rows if row not in gone and counts[row] > 0), key=lambda row: counts[row])
        while left and (len(gone) < 2 or np.nansum(counts[gone]) < min_cell):
            gone.append(left.pop(0))
        more[gone] = True
    return more


def _notice(policy: Policy) -> Notice:
    return Notice(
        "N-DISCLOSURE-HIDDEN",
        f"Numbers that rest on fewer than {policy.min_cell} persons are hidden.",
        "Merge small groups, or set `min_cell` under [disclosure] to what your data owner allows.",
    )
