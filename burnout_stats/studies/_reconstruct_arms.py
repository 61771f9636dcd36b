"""A data set with the printed digits for studies of one or several arms: in each arm, the scores of those who were seen
at the same visits are moved and stretched to the arm's means, SDs and correlations over time (`_reconstruct.shaped`),
and so many have each yes-or-no property as was counted.

Scores of too few persons for a covariance stand at the means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._draw import Arm
from ._reconstruct import Reconstruction, _constraints, _count_cases, _definite, shaped
from ._stack import Stack, to_cohort
from ._study import Study

__all__ = ["reconstruct_arms"]

Array = NDArray[np.float64]
Column = tuple[str, int]


def reconstruct_arms(study: Study, how: Mapping[str, Any], seed: int) -> Reconstruction:
    """The data set of a study whose [reconstruction] has `counts` of cases, and `cannot`: why digits are missed."""
    drawn = study.stack(1, seed=seed)
    stack = replace(drawn, scores={name: values.copy() for name, values in drawn.scores.items()})
    start = 0
    for arm, row in zip(study.arms(), study.tables.get("arms", [{}]), strict=True):
        _shape_arm(stack, arm, study.tables["variables"], row, np.arange(start, start + arm.n))
        start += arm.n
    _count_cases(stack, how.get("counts", ()))
    columns = [{"variable": name, "visit": visit} for name in study.design.outcomes for visit in stack.visits.labels]
    return Reconstruction(cohort=to_cohort(stack), constraints=_constraints(study, stack, {**how, "columns": columns}))


def _shape_arm(
    stack: Stack, arm: Arm, variables: Mapping[str, Any], row: Mapping[str, Any], own: NDArray[np.intp]
) -> None:
    outcomes = [v for v in arm.parameters.variables if v.family != "binary"]
    margins = {v.name: v.margins for v in outcomes}
    whole = own[stack.seen[0, own].all(axis=1)]
    columns = [(v.name, k) for v in outcomes for k in range(len(stack.visits))]
    R: Array = np.atleast_2d(np.corrcoef(_values(stack, whole, columns).T))
    for (i, (a, s)), (j, (b, t)) in combinations(list(enumerate(columns)), 2):
        if a == b:
            told = row.get("stability", {}).get(a, variables[a]["stability"])
            R[i, j] = R[j, i] = told[list(combinations(range(len(stack.visits)), 2)).index((s, t))]
    for at in _blocks(stack, own):
        seen = [i for i, (_, k) in enumerate(columns) if stack.seen[0, at[0], k]]
        here = [columns[i] for i in seen]
        mean, sd = (np.array([getattr(margins[name][k], part) for name, k in here]) for part in ("mean", "sd"))
        Y = np.tile(mean, (len(at), 1))
        if len(at) >= len(seen) + 2:
            Y = shaped(_values(stack, at, here), mean, _definite(R[np.ix_(seen, seen)]) * np.outer(sd, sd))
        for (name, k), y in zip(here, Y.T, strict=True):
            stack.scores[name][0, at, k] = y


def _values(stack: Stack, at: NDArray[np.intp], columns: list[Column]) -> Array:
    return np.stack([stack.scores[name][0, at, k] for name, k in columns], axis=1)


def _blocks(stack: Stack, own: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Those who were seen at the same visits."""
    kinds, which = np.unique(stack.seen[0, own], axis=0, return_inverse=True)
    for kind in range(len(kinds)):
        yield own[which.reshape(-1) == kind]
