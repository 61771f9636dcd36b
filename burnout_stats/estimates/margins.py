"""`Margins`: which subjects each count of a result includes, so that the gate can find what a reader could work out
from the counts that are shown.

Underneath all counts lie disjoint groups of subjects with sizes x, and each count is the sum of some of them: c = M x.
Results of one cohort that know the group of each subject are put on common groups by `joined`, whose number depends on
how many different answers the counts give about a subject, not on how many subjects there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Margins", "counted", "joined"]

Bools = NDArray[np.bool_]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Margins:
    """The disjoint groups of subjects under the counts of a result.

    Attributes
    ----------
    members : array (rows × groups)
        Which groups a row's count includes; nothing in a row that is no count. Where a row counts something that one
        subject may have several of (visits, scores), whole numbers: how many each subject of the group has.
    sizes : array (groups,)
        Subjects in each group.
    tables : array (groups,)
        To which table a group belongs; the total of a table is taken as known.
    untold : array (any number × groups) or None
        Further subjects whose number must not be found. Those whom a reader would count by subtracting one row from
        another need not be named: they are protected anyway.
    of_subject : array (subjects,) or None
        The group of each subject of the cohort, -1 for one in no group. With it, results are protected together.
    """

    members: NDArray[np.bool_] | NDArray[np.integer]
    sizes: Counts
    tables: Counts
    untold: Bools | None = None
    of_subject: NDArray[np.integer] | None = None


def counted(rows: Sequence[NDArray[np.bool_] | NDArray[np.integer] | None], *, untold: Sequence[Bools] = ()) -> Margins:
    """The margins of a result, from the subjects that each of its rows counts.

    Parameters
    ----------
    rows : for each row an array (subjects,), or None where the row is no count
        True where the subject is counted; or how often it is, where a row counts visits or scores.
    untold : arrays (subjects,)
        Further groups whose number must not be found.

    Examples
    --------
    >>> first, second = np.array([True, True, True, False]), np.array([True, True, False, False])
    >>> margins = counted([first, None, second])
    >>> margins.sizes.tolist(), (margins.members @ margins.sizes).tolist()
    ([2, 1, 1], [3, 0, 2])
    """
    known = [np.asarray(row) for row in (*rows, *untold) if row is not None]
    n = len(known[0]) if known else 0
    place = np.zeros(n, dtype=np.int64)
    for column in {id(column): column for column in known}.values():
        values = column.astype(np.int64)
        place = _merged(place * (int(values.max(initial=0)) + 1) + values)
    order, first, sizes = np.unique(place, return_index=True, return_counts=True)
    dtype = np.int64 if any(column.dtype.kind != "b" for column in known) else np.bool_
    members: NDArray[np.bool_] | NDArray[np.int64] = np.zeros((len(rows), len(order)), dtype=dtype)
    for at, row in enumerate(rows):
        if row is not None:
            members[at] = np.asarray(row)[first]
    return Margins(
        members=members,
        sizes=sizes.astype(np.int64),
        tables=np.zeros(len(order), dtype=np.int64),
        untold=np.array([np.asarray(group)[first] for group in untold]) if untold else None,
        of_subject=place,
    )


def joined(parts: Sequence[Margins]) -> tuple[tuple[Counts, ...], Counts, Bools]:
    """The same rows on common groups: the members of each part, the sizes of the groups, and the untold of all parts.

    Each part knows the group of each subject, and all are of the same subjects.
    """
    codes = [np.asarray(part.of_subject, dtype=np.int64) for part in parts]
    place = np.zeros(len(codes[0]), dtype=np.int64)
    for code, part in zip(codes, parts, strict=True):
        place = _merged(place * (len(part.sizes) + 1) + code + 1)
    _, first, sizes = np.unique(place, return_index=True, return_counts=True)
    members: list[Counts] = []
    untold: list[Bools] = []
    for code, part in zip(codes, parts, strict=True):
        group = code[first]
        members.append(_at(part.members, group))
        if part.untold is not None:
            untold.append(_at(part.untold, group).astype(bool))
    return tuple(members), sizes.astype(np.int64), np.vstack([np.zeros((0, len(first)), dtype=bool), *untold])


def _at(rows: NDArray[np.bool_] | NDArray[np.integer], group: Counts) -> Counts:
    whole = np.zeros((len(rows), rows.shape[1] + 1), dtype=np.int64)
    whole[:, :-1] = rows
    return whole[:, group]  # -1 is the last column, which holds nothing


def _merged(place: Counts) -> Counts:
    """The codes as 0, 1, ..., so that the next combination does not overflow."""
    codes, _ = pd.factorize(place)
    return codes.astype(np.int64, copy=False)
