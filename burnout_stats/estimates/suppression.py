"""Which counts must be hidden so that no small one can be worked out from those that stay.

x are the sizes of disjoint groups of subjects, each count is c = m·x, and the total is known. A reader who knows which
groups may have anybody in them knows of x

    M_shown x = c_shown,  sum(x) = total,  x >= 0,  and m·x >= 1 for every count that was hidden because it is small.

A small number of persons t·x is protected if for all that this reader knows it could be `min_cell` or more. Small
numbers are those of the counts themselves, and those that remain when one count is subtracted from another: persons in
one and not in the other (dropouts between two visits, the rest of a group), and persons in both.

For each of them the largest value that agrees with what is shown is found by a linear program; where there are few
groups and its solution is not in whole persons, by an integer program. Where it stays below the threshold, the smallest
shown counts on which it rests (nonzero dual values) are hidden too, and so on until all are protected; then the largest
of those that were hidden are shown again where all stay protected. One solution mostly clears many numbers at once, and
remains one when more is hidden.

**Source** Fischetti & Salazar (2001), Management Science 47:1008, Solving the cell suppression problem on tabular data
with linear constraints: the attacker's programs. Theirs minimize what is hidden; which count is hidden next is our
choice, and so is the set of numbers protected.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["suppressed"]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Counts = NDArray[np.int64]

TOGETHER = 48
"""So many small numbers are raised at once."""

GROUPS = 25
"""Up to so many groups the reader is taken to reckon in whole persons, beyond it in fractions too: with many groups a
whole solution is mostly there, and can take hours to find."""

LARGEST = 400
"""Of more groups than these, all but the largest and those in a small number are taken as known, which protects more
than it must.
"""

SHARE = 6
"""One in so many of the counts on which a small number rests is hidden at once; some are shown again afterwards."""

PROGRAMS = 80
"""So many programs at most are solved to show again what need not have been hidden."""

SLACK = 1e-6

NODES = 20
"""So many nodes a search for whole persons may visit; a number without an answer by then counts as not protected. (A
limit in seconds would hide more on a slower computer.)"""


def suppressed(
    members: NDArray[np.integer] | Bools,
    sizes: Counts,
    hidden: Bools,
    min_cell: int,
    *,
    zeros: bool = False,
    untold: Bools | None = None,
) -> Bools:
    """The rows to hide beside the `hidden` ones.

    Parameters
    ----------
    members : array (rows × groups)
        How often a row counts each subject of a group; a row of zeros is no count and stays.
    sizes : array (groups,)
    hidden : array (rows,)
        Counts that are hidden already.
    min_cell : int
    zeros : bool
        Whether a count of 0 is to be protected too; groups of size 0 then stand for persons who might have been.
    untold : array (any number × groups)
        Further numbers that must not be found.
    """
    more = np.zeros(len(hidden), dtype=bool)
    total = int(sizes.sum())
    extra = np.zeros((0, len(sizes)), dtype=np.int64) if untold is None else np.asarray(untold, dtype=np.int64)
    if total < min_cell or min_cell < 2 or not len(hidden):
        return more
    whole = np.vstack([np.asarray(members, dtype=np.int64), extra])
    columns, of_column = np.unique(whole, axis=1, return_inverse=True)
    sizes = np.bincount(of_column.reshape(-1), weights=sizes, minlength=columns.shape[1]).astype(np.int64)
    facts, of_row = np.unique(columns[: len(hidden)], axis=0, return_inverse=True)
    of_row = of_row.reshape(-1)
    is_hidden = np.zeros(len(facts), dtype=bool)
    is_hidden[of_row[hidden]] = True
    numbers = _small_numbers(facts, columns[len(hidden) :], sizes, min_cell, zeros)
    free = np.sort(np.unique(np.concatenate([np.argsort(-sizes, kind="stable")[:LARGEST], numbers.indices])))
    attacker = _Attacker(facts[:, free], sizes[free], is_hidden, zeros)
    numbers = sparse.csr_array(numbers[:, free])
    proofs: list[Array] = []
    given_up = np.zeros(numbers.shape[0], dtype=bool)
    _protect(attacker, numbers, proofs, given_up, min_cell)
    attacker.asked = 0
    for fact in sorted(np.flatnonzero(attacker.hidden & ~is_hidden).tolist(), key=lambda fact: -attacker.counts[fact]):
        if attacker.asked > PROGRAMS:
            break
        attacker.hidden[fact] = False
        agreeing = [point for point in proofs if abs(attacker.facts[fact] @ point - attacker.counts[fact]) < SLACK]
        if not _stands(attacker, numbers, agreeing, given_up, min_cell):
            attacker.hidden[fact] = True
        else:
            proofs = agreeing
    more[:] = attacker.hidden[of_row] & ~hidden
    return more


def _protect(
    attacker: _Attacker, numbers: sparse.csr_array, proofs: list[Array], given_up: Bools, min_cell: int
) -> None:
    """Hide facts until there is a proof for every number: sizes that agree with what is shown, with the number large
    enough. A number that the total alone tells is given up.
    """
    open_ = np.ones(numbers.shape[0], dtype=bool)

    def prove(point: Array) -> int:
        proofs.append(point)
        before = int(open_.sum())
        np.logical_and(open_, numbers @ point < min_cell - SLACK, out=open_)
        return before - int(open_.sum())

    while open_.any():
        start = attacker.raised_together(numbers[np.flatnonzero(open_)[:TOGETHER]], min_cell)
        if start is None or prove(start) < TOGETHER // 8:
            break
    while open_.any():
        at = int(np.flatnonzero(open_)[0])
        point, blamed = attacker.raised(numbers[[at]].toarray().reshape(-1), min_cell)
        if point is not None:
            prove(point)
            open_[at] = False
        elif len(blamed):
            attacker.hidden[blamed] = True
        else:
            open_[at], given_up[at] = False, True


def _stands(
    attacker: _Attacker, numbers: sparse.csr_array, proofs: list[Array], given_up: Bools, min_cell: int
) -> bool:
    """Whether every number is protected, by these proofs or by new ones, which are added to them."""
    open_ = ~given_up
    for proof in proofs:
        open_ &= numbers @ proof < min_cell - SLACK
    while open_.any():
        point, _ = attacker.raised(numbers[[int(np.flatnonzero(open_)[0])]].toarray().reshape(-1), min_cell)
        if point is None:
            return False
        proofs.append(point)
        open_ &= numbers @ point < min_cell - SLACK
    return True


class _Attacker:
    """What a reader knows, and what agrees with it."""

    def __init__(self, facts: Counts, sizes: Counts, hidden: Bools, zeros: bool) -> None:
        self.facts = facts
        self.sizes = sizes
        self.counts = facts @ sizes
        self.hidden = hidden.copy()
        self.asked = 0
        self.may_hide = facts.any(axis=1) & ~(facts == 1).all(axis=1)
        self.at_least_one = np.zeros(len(facts), dtype=bool) if zeros else self.counts > 0

    def raised(self, target: Array, min_cell: int) -> tuple[Array | None, NDArray[np.intp]]:
        """Sizes in which the target has `min_cell` persons; or else the facts to hide next, none where none is left."""
        from scipy.optimize import linprog

        self.asked += 1
        shown = np.flatnonzero(~self.hidden)
        equal, known, least = self._constraints(shown)
        found = linprog(
            -target,
            A_eq=equal,
            b_eq=known,
            A_ub=-least,
            b_ub=-np.ones(least.shape[0]),
            bounds=(0, None),
            method="highs",
        )
        if found.status == 0 and -found.fun >= min_cell - SLACK:
            point = self._point(found.x)
            if point is None or target @ point < min_cell - SLACK:
                point = self._searched(target, min_cell)
            if point is not None:
                return point, shown[:0]
            rests_on = shown
        else:
            rests_on = shown[np.abs(found.eqlin.marginals[:-1]) > 1e-9] if found.status == 0 else shown
        for facts in (rests_on, shown[self.facts[shown] @ target > 0], shown):
            candidates = facts[self.may_hide[facts]]
            if len(candidates):
                smallest = np.argsort(self.counts[candidates], kind="stable")
                return None, candidates[smallest[: 1 + len(candidates) // SHARE]]
        return None, shown[:0]

    def raised_together(self, targets: sparse.csr_array, min_cell: int) -> Array | None:
        """Sizes in which as many of the targets as possible have `min_cell` persons; None where none were found."""
        from scipy.optimize import linprog

        equal, known, least = self._constraints(np.flatnonzero(~self.hidden))
        k, groups = targets.shape
        none = sparse.csr_array((equal.shape[0], k))
        found = linprog(
            np.concatenate([np.zeros(groups), -np.ones(k)]),
            A_eq=sparse.hstack([equal, none]),
            b_eq=known,
            A_ub=sparse.vstack(
                [
                    sparse.hstack([-least, sparse.csr_array((least.shape[0], k))]),
                    sparse.hstack([-targets, sparse.eye_array(k)]),
                ]
            ),
            b_ub=np.concatenate([-np.ones(least.shape[0]), np.zeros(k)]),
            bounds=[(0, None)] * groups + [(0, min_cell)] * k,
            method="highs",
        )
        return self._point(found.x[:groups]) if found.status == 0 else None

    def _constraints(self, shown: NDArray[np.intp]) -> tuple[sparse.csr_array, Array, sparse.csr_array]:
        everyone = np.ones((1, len(self.sizes)), dtype=np.int64)
        equal = sparse.csr_array(np.vstack([self.facts[shown], everyone]).astype(float))
        known = np.append(self.counts[shown], self.sizes.sum()).astype(float)
        least = sparse.csr_array(self.facts[self.hidden & self.at_least_one].astype(float))
        return equal, known, least

    def _point(self, x: Array) -> Array | None:
        """The solution, where it may stand: in whole persons, as long as there are not too many groups."""
        return self._whole(x) if len(x) <= GROUPS else x

    def _whole(self, x: Array) -> Array | None:
        """The solution in whole persons, where it is one."""
        point = np.rint(x).astype(np.int64)
        told = self.facts @ point
        agrees = (
            (point >= 0).all()
            and point.sum() == self.sizes.sum()
            and (told == self.counts)[~self.hidden].all()
            and (told[self.hidden & self.at_least_one] > 0).all()
        )
        return point.astype(float) if agrees else None

    def _searched(self, target: Array, min_cell: int) -> Array | None:
        """A solution in whole persons, where one is found in time."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        equal, known, least = self._constraints(np.flatnonzero(~self.hidden))
        found = milp(
            np.zeros(len(target)),
            integrality=np.ones(len(target)),
            bounds=Bounds(0, np.inf),
            constraints=[
                LinearConstraint(equal, known, known),
                LinearConstraint(target[None, :], min_cell, np.inf),
                *([LinearConstraint(least, 1, np.inf)] if least.shape[0] else []),
            ],
            options={"node_limit": NODES},
        )
        return None if found.x is None else self._whole(found.x)


def _small_numbers(facts: Counts, untold: Counts, sizes: Counts, min_cell: int, zeros: bool) -> sparse.csr_array:
    """Every small number of persons that one count, or one less another, or two in common would tell, each once."""
    binary = facts[(facts <= 1).all(axis=1) & facts.any(axis=1)]
    binary = np.vstack([binary, np.ones((1, facts.shape[1]), dtype=np.int64)]).astype(float)
    names = np.random.default_rng(0).integers(1, 2**32, facts.shape[1]).astype(float)
    count, name = binary @ sizes, binary @ names
    common, common_name = (binary * sizes) @ binary.T, (binary * names) @ binary.T
    both = (common > 0) & (common < min_cell)
    apart = (count[:, None] - common > 0) & (count[:, None] - common < min_cell)
    if zeros:
        both |= np.diag(count == 0)
    keys = np.concatenate([common_name[both], (name[:, None] - common_name)[apart]])
    _, first = np.unique(keys, return_index=True)
    one, other = (np.concatenate(pair) for pair in zip(np.nonzero(both), np.nonzero(apart), strict=True))
    is_apart = np.arange(len(one)) >= both.sum()
    parts = [sparse.csr_array(untold[(untold @ sizes > 0) & (untold @ sizes < min_cell)].astype(float))]
    for start in range(0, len(first), 4096):
        k = first[start : start + 4096]
        second = np.where(is_apart[k][:, None], 1 - binary[other[k]], binary[other[k]])
        parts.append(sparse.csr_array(binary[one[k]] * second))
    return sparse.csr_array(sparse.vstack(parts))
