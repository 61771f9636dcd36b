"""The design of two parts of the data from the designs of each: counts and sums of squares add, and means follow from
them. Nothing of a design but these depends on the rows.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..errors import StudyError
from .build import Design
from .coding import TRANSFORMS
from .encode import Variable
from .grid import Cells
from .parse import Formula, Term

__all__ = ["joined", "refuse_means"]

Array = NDArray[np.float64]


def refuse_means(formula: Formula) -> None:
    """Stop where a transform needs the mean of all rows before the first column can be made.

    Raises
    ------
    StudyError
        `E-STUDY-STREAM`.
    """
    terms: list[Term] = [*formula.terms, *(term for random in formula.random for term in random.terms)]
    for factor in (factor for term in terms for factor in term):
        if factor.transform in TRANSFORMS and TRANSFORMS[factor.transform].needs_mean:
            raise StudyError(
                "E-STUDY-STREAM",
                f"The formula has `{factor}`, and the cohort is read part by part.",
                f"{factor.transform}() needs the mean over all subjects before the first row is used.",
                f"Write `{factor.variable}`: means and contrasts are the same, and the fit centers by itself.",
            )


def joined(first: Design, second: Design) -> Design:
    """The design of the subjects of both, who are not the same; the notices of both are left out."""
    n = [float(np.rint(part.grid.cells.weight.sum())) for part in (first, second)]
    rows = [float(part.grid.cells.rows.sum()) for part in (first, second)]
    other = second.encoder.variables
    variables = {name: _variable(own, other[name], n, rows) for name, own in first.encoder.variables.items()}
    encoder = replace(first.encoder, variables=variables)
    grid = replace(first.grid, encoder=encoder, cells=_cells(first.grid.cells, second.grid.cells))
    return replace(first, encoder=encoder, grid=grid, n_cohort=first.n_cohort + second.n_cohort, notices=())


def _variable(a: Variable, b: Variable, n: list[float], rows: list[float]) -> Variable:
    """Mean and SD over the subjects of both (Chan, Golub & LeVeque 1983, Am Stat 37:242), mean over their rows."""
    if a.is_categorical:
        return a
    total = sum(n)
    apart = b.mean - a.mean
    squares = sum(v.sd**2 * max(k - 1, 1) for v, k in ((a, n[0]), (b, n[1]))) + apart**2 * n[0] * n[1] / total
    return replace(
        a,
        mean=a.mean + apart * n[1] / total,
        sd=float(np.sqrt(squares / max(total - 1, 1))),
        row_mean=a.row_mean + (b.row_mean - a.row_mean) * rows[1] / sum(rows),
    )


def _cells(a: Cells, b: Cells) -> Cells:
    codes, where = _distinct(a.codes, b.codes)
    own, whose = _distinct(a.subject_codes, b.subject_codes)

    def added(at: NDArray[np.intp], left: Array, right: Array) -> Array:
        return np.bincount(at, weights=np.concatenate([left, right])).astype(np.float64)

    return Cells(
        names=a.names,
        codes=codes,
        rows=added(where, a.rows, b.rows),
        weight=added(where, a.weight, b.weight),
        subject_codes=own,
        subjects=added(whose, a.subjects, b.subjects),
    )


def _distinct(a: NDArray[np.int64], b: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """The different rows of both, and for each row of both its place among them."""
    both = np.concatenate([a, b])
    if not both.shape[1]:
        return both[:1], np.zeros(len(both), dtype=np.intp)
    found, where = np.unique(both, axis=0, return_inverse=True)
    return found, where.reshape(-1)
