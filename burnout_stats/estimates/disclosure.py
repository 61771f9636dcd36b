"""The one gate for privacy: numbers that rest on too few persons are hidden before anything renders them.

`protect` acts on Estimates and Summaries, so text, tables, figures, JSON and notebook representations cannot forget it;
`protect_all` acts on all results of a report together. Further counts are hidden so that none of the small ones can be
worked out from those that are shown (`suppression`). A number about many persons stays where only its n would tell
about few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..notices import Notice
from .estimates import NUMBERS, Estimates
from .margins import Margins, joined
from .policy import Policy
from .summaries import Summaries

__all__ = ["HIDDEN", "Policy", "protect", "protect_all"]

HIDDEN = "hidden"
"""The column that marks rows whose numbers were withheld."""

COUNTS = ("n", "missing", "count")
"""Statistics that count subjects."""

OF_N = ("n", "count")
"""Those whose number is also the `n` of the other statistics of the same cell."""

SHARES = ("percent", "proportion")
"""Statistics that tell a count to anyone who knows the total."""

EXTREMES = ("min", "max", "range")
"""Statistics that are single persons' values."""

PERSONS = {"median": 2, "q1": 4, "q3": 4, "iqr": 4}
"""How many times the threshold a quantile needs, so that enough persons lie beyond it."""

Results = TypeVar("Results", Estimates, Summaries)
Bools = NDArray[np.bool_]
Counts = NDArray[np.int64]


def protect(results: Results, policy: Policy) -> Results:
    """The same results with the numbers of too small groups replaced by NaN and marked in the column `hidden`.

    The protected value is detached from its model, so nothing hidden can be asked again through it. A frame that is
    protected already is protected again under the stricter of both policies. What other results tell is not looked at:
    see `protect_all`.
    """
    return protect_all([results], policy)[0]  # type: ignore[return-value]  # of the kind that was given


def protect_all(results: Sequence[Estimates | Summaries], policy: Policy) -> tuple[Estimates | Summaries, ...]:
    """The same results protected together, so that no count of one, less a count of another, tells a small number.

    The results are of one cohort. Those whose margins know the group of each subject are protected together, the others
    each for itself.

    Examples
    --------
    >>> from burnout_stats.estimates import About, counted
    >>> everyone, answered = np.ones(30, dtype=bool), np.arange(30) < 27
    >>> def of(subjects):
    ...     row = {
    ...         "variable": "visit",
    ...         "level": "start",
    ...         "statistic": "n",
    ...         "value": subjects.sum(),
    ...         "n": subjects.sum(),
    ...     }
    ...     return Summaries(frame=pd.DataFrame([row]), about=About(kind="flow"), margins=counted([subjects]))
    >>> [found.frame["hidden"].tolist() for found in protect_all([of(everyone), of(answered)], Policy())]
    [[False], [True]]
    """
    pieces = [_Piece.of(result, policy) for result in results]
    if policy.complementary and policy.min_cell > 1:
        together: dict[int, list[_Piece]] = {}
        for piece in pieces:
            margins = piece.result.margins
            if margins is None or len(margins.members) != len(piece.small):
                if isinstance(piece.result, Summaries):
                    piece.more |= _pairs(piece.result.frame, piece.small & piece.is_count, piece.is_count, piece.policy)
            elif margins.of_subject is None or len(np.unique(margins.tables)) > 1:
                _protect_tables(piece, margins)
            else:
                together.setdefault(len(margins.of_subject), []).append(piece)
        for same in together.values():
            _protect_together(same)
    return tuple(piece.finished() for piece in pieces)


@dataclass(slots=True, eq=False)
class _Piece:
    """One result on its way through the gate.

    Attributes
    ----------
    small : the rows that rest on too few persons
    is_count : the rows whose members count subjects
    more : the counts that are hidden beside
    """

    result: Estimates | Summaries
    policy: Policy
    small: Bools
    is_count: Bools
    more: Bools

    @classmethod
    def of(cls, result: Estimates | Summaries, policy: Policy) -> _Piece:
        frame = result.frame
        if HIDDEN in frame:
            policy = _stricter(policy, result.about.policy)
        n = frame["n"].to_numpy(dtype=float)
        small = _too_small(n, policy)
        is_count = np.ones(len(frame), dtype=bool)
        if isinstance(result, Summaries):
            is_count = frame["statistic"].isin(COUNTS).to_numpy()
        return cls(result, policy, small, is_count, np.zeros(len(frame), dtype=bool))

    def finished(self) -> Estimates | Summaries:
        """The protected result."""
        result, frame = self.result, self.result.frame
        if isinstance(result, Summaries):
            hidden, withheld = _of_cells(frame, self.small, self.more, self.is_count)
            hidden |= _single_values(frame, self.policy)
            hidden |= _telling_totals(frame, hidden)
        else:
            hidden, withheld = self.small, self.more & ~self.small
            if result.cells is not None:
                hidden = hidden | _too_small(result.cells, self.policy).any(axis=1)
        if HIDDEN in frame:
            hidden = hidden | frame[HIDDEN].to_numpy(dtype=bool)
        columns = [name for name in (("value",) if "value" in frame else NUMBERS) if name in frame] + ["n"]
        shown = frame.assign(**{HIDDEN: hidden})
        if hidden.any() or withheld.any():
            shown = shown.astype(dict.fromkeys(columns, float))
            shown.loc[hidden, columns] = np.nan
            shown.loc[withheld, "n"] = np.nan
        is_withheld = result.about.n_withheld or bool(withheld.any())
        about = replace(result.about, policy=self.policy, min_cell=self.policy.min_cell, n_withheld=is_withheld)
        notices = result.notices
        told = hidden.any() or (isinstance(result, Estimates) and withheld.any())
        if told and not any(notice.code == "N-DISCLOSURE-HIDDEN" for notice in notices):
            notices = (*notices, _notice(self.policy))
        if isinstance(result, Estimates):
            vcov = np.where(hidden[:, None] | hidden[None, :], np.nan, result.vcov)
            gone: dict[str, None] = dict.fromkeys(("L", "answers", "margins", "cells"))
            return replace(result, frame=shown, vcov=vcov, about=about, notices=notices, **gone)
        return replace(result, frame=shown, about=about, notices=notices, margins=None)


def _stricter(policy: Policy, other: Policy) -> Policy:
    return replace(
        policy,
        min_cell=max(policy.min_cell, other.min_cell),
        zeros="hide" if "hide" in (policy.zeros, other.zeros) else "show",
        complementary=policy.complementary or other.complementary,
        extremes=policy.extremes and other.extremes,
    )


def _too_small(n: NDArray[np.float64], policy: Policy) -> Bools:
    with np.errstate(invalid="ignore"):
        small: Bools = (n < policy.min_cell) & ((n > 0) | ((n == 0) & policy.hides_zeros))
    return small


def _single_values(frame: pd.DataFrame, policy: Policy) -> Bools:
    """Rows that are values of single persons, or of a few at an end of the scale."""
    statistic, n = frame["statistic"], frame["n"].to_numpy(dtype=float)
    if policy.min_cell < 2:
        return np.zeros(len(frame), dtype=bool)
    needs = statistic.map(PERSONS).fillna(0).to_numpy(dtype=float) * policy.min_cell
    with np.errstate(invalid="ignore"):
        few: Bools = (n > 0) & (n < needs)
    return few | (statistic.isin(EXTREMES).to_numpy() & (not policy.extremes))


def _of_cells(frame: pd.DataFrame, small: Bools, more: Bools, is_count: Bools) -> tuple[Bools, Bools]:
    """The rows to hide in all, and the rows whose `n` alone is withheld, because it is a hidden count."""
    counts_n = frame["statistic"].isin(OF_N).to_numpy()
    names = [name for name in frame.columns if name not in ("statistic", "value", "n", HIDDEN)]
    cell = frame.groupby(names, sort=False, dropna=False, observed=True).ngroup().to_numpy()
    same = np.isin(cell, cell[(more | small) & counts_n])
    is_share = frame["statistic"].isin(SHARES).to_numpy()
    hidden = small | more | (same & is_share)
    return hidden, same & ~hidden & ~is_count


def _telling_totals(frame: pd.DataFrame, hidden: Bools) -> Bools:
    """Shares that tell a hidden total beside their count (16 are 50%: of 32), and the standardized differences made of
    such shares.
    """
    statistic = frame["statistic"]
    is_share = statistic.isin(SHARES).to_numpy()
    if not hidden.any() or not is_share.any():
        return np.zeros(len(frame), dtype=bool)
    names = [name for name in frame.columns if name not in ("level", "part", "statistic", "value", "n", HIDDEN)]
    group = frame.groupby(names, sort=False, dropna=False, observed=True).ngroup().to_numpy()
    value, n = frame["value"].to_numpy(dtype=float), frame["n"].to_numpy(dtype=float)
    scale = np.where(statistic.eq("percent"), 100.0, 1.0)
    total = np.round(np.divide(scale * n, value, out=np.full(len(frame), np.nan), where=value > 0))
    is_gone = hidden & statistic.isin(COUNTS).to_numpy()
    gone = set(zip(group[is_gone].tolist(), value[is_gone].tolist(), strict=True))
    telling = is_share & np.array([pair in gone for pair in zip(group.tolist(), total.tolist(), strict=True)])
    of_shares = frame["variable"].isin(frame.loc[is_share & (hidden | telling), "variable"]).to_numpy()
    found: Bools = telling | (of_shares & statistic.eq("smd").to_numpy())
    return found


# ---- what could be worked out --------------------------------------------------------------------------------------


def _protect_together(pieces: Sequence[_Piece]) -> None:
    """Hide what is needed in results that know the group of each subject."""
    members, sizes, untold = joined([piece.result.margins for piece in pieces if piece.result.margins is not None])
    rows = np.vstack([np.where(piece.is_count[:, None], part, 0) for piece, part in zip(pieces, members, strict=True)])
    policy = max((piece.policy for piece in pieces), key=lambda one: one.min_cell)
    hidden = np.concatenate([piece.small & piece.is_count for piece in pieces])
    if policy.hides_zeros:
        beside = np.concatenate([np.full(len(piece.result.frame), at) for at, piece in enumerate(pieces)])
        rows, sizes, untold = _with_nobody(pieces, rows, sizes, untold, beside)
    from .suppression import suppressed

    hidden &= rows.any(axis=1)  # a small number of persons outside the cohort is no sum of its subjects
    more = suppressed(rows, sizes, hidden, policy.min_cell, zeros=policy.hides_zeros, untold=untold)
    for piece, own in zip(pieces, np.split(more, np.cumsum([len(part) for part in members])[:-1]), strict=True):
        piece.more |= own


def _protect_tables(piece: _Piece, margins: Margins) -> None:
    """Hide what is needed in a result alone, each of its tables for itself."""
    from .suppression import suppressed

    hidden = piece.small & piece.is_count
    for table in np.unique(margins.tables).tolist():
        groups = margins.tables == table
        members = np.where(piece.is_count[:, None], margins.members[:, groups], 0)
        here = hidden & members.any(axis=1)
        piece.more |= suppressed(
            members,
            margins.sizes[groups],
            here,
            piece.policy.min_cell,
            untold=None if margins.untold is None else margins.untold[:, groups],
        )


def _with_nobody(
    pieces: Sequence[_Piece], rows: Counts, sizes: Counts, untold: Bools, beside: NDArray[np.intp]
) -> tuple[Counts, Counts, Bools]:
    """The groups with one more for each count of 0: those who might have been in it, else like the largest group near
    it, and in none of the counts that exclude it.
    """
    start = np.cumsum([0, *(len(piece.result.frame) for piece in pieces)])
    added = []
    for at, piece in enumerate(pieces):
        frame = piece.result.frame
        for row in np.flatnonzero(piece.small & piece.is_count & (frame["n"].to_numpy(dtype=float) == 0)).tolist():
            others = start[at] + _excluding(piece, row, rows[beside == at])
            near = rows[others].any(axis=0) if len(others) else np.ones(len(sizes), dtype=bool)
            group = int(np.argmax(np.where(near, sizes, -1)))
            column = rows[:, group].copy()
            column[others] = 0
            column[start[at] + row] = 1
            added.append((column, untold[:, group]))
    if not added:
        return rows, sizes, untold
    return (
        np.column_stack([rows, *(column for column, _ in added)]),
        np.concatenate([sizes, np.zeros(len(added), dtype=np.int64)]),
        np.column_stack([untold, *(own for _, own in added)]),
    )


def _excluding(piece: _Piece, row: int, rows: Counts) -> NDArray[np.intp]:
    """The counts of which a person in the count `row` is not: the other count of its cell (n and missing), or else the
    other levels, where nobody is in two of them.
    """
    frame = piece.result.frame
    none = np.zeros(0, dtype=np.intp)
    if not isinstance(piece.result, Summaries):
        return none
    kept = [name for name in frame.columns if name not in ("statistic", "value", "n", HIDDEN)]

    def like(names: list[str]) -> NDArray[np.intp]:
        same = piece.is_count & (frame[names].astype(object) == frame[names].iloc[row].astype(object)).all(axis=1)
        return np.flatnonzero(np.asarray(same, dtype=bool) & (np.arange(len(frame)) != row))

    cell = like(kept)
    if len(cell):
        return cell
    levels = like([*(name for name in kept if name != "level"), "statistic"])
    return levels if len(levels) and rows[levels].sum(axis=0).max(initial=0) <= 1 else none


def _pairs(frame: pd.DataFrame, small: Bools, is_count: Bools, policy: Policy) -> Bools:
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
        while left and (len(gone) < 2 or np.nansum(counts[gone]) < policy.min_cell):
            gone.append(left.pop(0))
        more[gone] = True
    return more


def _notice(policy: Policy) -> Notice:
    what = "nobody or on " if policy.hides_zeros else ""
    return Notice(
        "N-DISCLOSURE-HIDDEN",
        f"Numbers that rest on {what}fewer than {policy.min_cell} persons are hidden.",
        "Merge small groups, or set `min_cell` under [disclosure] to what your data owner allows.",
    )
