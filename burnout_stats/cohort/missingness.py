"""Who was observed when, and the disjoint groups of subjects that share it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .cohort import Cohort

__all__ = ["observed_at", "partition"]

Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]


def observed_at(cohort: Cohort, outcomes: Iterable[str]) -> Bools:
    """Whether a subject has a value of any of the outcomes at a visit (subjects × visits)."""
    has = cohort.data[list(outcomes)].notna().any(axis=1).to_numpy()
    seen = np.zeros((cohort.n_subjects, len(cohort.visits)), dtype=bool)
    visit = cohort.data["visit"].cat.codes.to_numpy()
    seen[cohort.data["subject"].to_numpy()[has] - 1, visit[has]] = True
    return seen


def partition(codes: Codes, columns: Bools) -> tuple[Codes, Bools, Codes]:
    """The disjoint groups of subjects with the same code and the same columns: the code and the columns of each group,
    and its size. They come in order of the code, then with a true column before a false one.
    """
    place = codes
    for column in columns.T:
        place, _ = pd.factorize(2 * place + ~column, sort=True)
    _, first, sizes = np.unique(place, return_index=True, return_counts=True)
    return codes[first], columns[first], sizes.astype(np.int64)
