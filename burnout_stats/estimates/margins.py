"""Which counts of a description add up to which, and which of them must be hidden so that a hidden one cannot be worked
out from the rest.

A description counts subjects in overlapping ways: at each visit, by pattern of visits, in all. Underneath lie disjoint
groups of subjects with sizes x >= 1, and each count is the sum of some of them: c = M x. A reader knows the shown
counts, the total of each table, and that no listed group is empty. A small count stays hidden if, for all that the
reader knows, it could be `min_cell` or more:

    max m·x  subject to  M_shown x = c_shown,  sum(x) = total,  x >= 1.

Where that maximum is smaller, the smallest shown count on which it rests (a nonzero dual value) is hidden too.

**Source** Fischetti & Salazar (2001), Solving the cell suppression problem on tabular data with linear constraints (the
linear programs of an attacker); which cell is hidden next is our choice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Margins", "complementary"]

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Margins:
    """The disjoint groups of subjects under the counts of a description.

    Attributes
    ----------
    members : array (rows × groups)
        Which groups a row's count includes; nothing in a row that is no count.
    sizes : array (groups,)
        Subjects in each group, none of them empty.
    tables : array (groups,)
        To which table a group belongs; the total of a table is taken as known.
    untold : array (any number × groups) or None
        Subjects whom no row counts, but whom a reader would count by subtracting one row from another: those who were
        not seen at a visit, for instance. They are protected like a row.
    """

    members: Bools
    sizes: NDArray[np.int64]
    tables: NDArray[np.int64]
    untold: Bools | None = None


def complementary(margins: Margins, hidden: Bools, min_cell: int) -> Bools:
    """The rows to hide beside the `hidden` ones, which are small counts or were hidden before."""
    more = np.zeros(len(hidden), dtype=bool)
    for table in np.unique(margins.tables).tolist():
        groups = margins.tables == table
        members, sizes = margins.members[:, groups], margins.sizes[groups]
        counts = members @ sizes
        targets = members[hidden] if margins.untold is None else np.vstack([members[hidden], margins.untold[:, groups]])
        told = targets @ sizes
        for target in np.unique(targets[(told > 0) & (told < min_cell)], axis=0):
            while (rests_on := _determined(members, sizes, counts, hidden | more, target, min_cell)).any():
                candidates = np.flatnonzero(rests_on)
                more[candidates[np.argmin(counts[candidates])]] = True
    return more


def _determined(
    members: Bools, sizes: NDArray[np.int64], counts: NDArray[np.int64], hidden: Bools, target: Bools, min_cell: int
) -> Bools:
    """The shown rows that keep the count of `target` below `min_cell`; none where it could be as large, or where the
    table as a whole is too small.
    """
    from scipy.optimize import linprog

    none = np.zeros(len(hidden), dtype=bool)
    shown = np.flatnonzero(~hidden & members.any(axis=1) & ~members.all(axis=1))
    if not len(shown) or sizes.sum() - (~target).sum() < min_cell:
        return none
    equal = np.vstack([members[shown], np.ones((1, len(sizes)), dtype=bool)]).astype(float)
    known = np.append(counts[shown], sizes.sum()).astype(float)
    found = linprog(-target.astype(float), A_eq=equal, b_eq=known, bounds=(1, None), method="highs")
    if found.status != 0 or -found.fun >= min_cell - 1e-6:
        return none
    weights = np.abs(found.eqlin.marginals[:-1]) > 1e-9
    none[shown[weights] if weights.any() else shown] = True
    return none
