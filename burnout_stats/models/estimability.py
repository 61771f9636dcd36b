"""Which questions the data can answer: those that columns which are zero in the data do not enter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError

__all__ = ["estimable_rows", "independent_rows"]

Array = NDArray[np.float64]


def estimable_rows(null: Array, L: Array) -> NDArray[np.bool_]:
    """Which rows of L (k × p) vanish on every combination of columns (p × number aliased) that is zero in the data."""
    if not null.size:
        return np.ones(len(L), dtype=bool)
    size = np.abs(L) @ np.abs(null)
    estimable: NDArray[np.bool_] = (np.abs(L @ null) <= 1e-8 * np.maximum(size, 1e-300)).all(1)
    return estimable


def independent_rows(L: Array, estimable: NDArray[np.bool_]) -> Array:
    """U' with U'L of full row rank and the same hypothesis as L (k × p).

    Raises
    ------
    ModelError
        `E-MODEL-NOT-ESTIMABLE` where a row cannot be estimated or all rows are zero.
    """
    u, s, _ = np.linalg.svd(L, full_matrices=False)
    rank = int((s > 1e-10 * max(float(s[0]), 1e-300)).sum()) if s[0] > 0 else 0
    if not rank or not estimable.all():
        raise ModelError(
            "E-MODEL-NOT-ESTIMABLE",
            "The joint test asks for a combination of fixed effects that the data cannot estimate.",
            "Every row of L must be a combination of estimable effects, and not zero.",
            "Leave out the cells without data.",
        )
    return np.asarray(u[:, :rank].T)
