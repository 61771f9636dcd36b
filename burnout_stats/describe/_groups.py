"""Subjects by group: the column that `by` names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..errors import StudyError, did_you_mean
from ._completed import COMPLETED, COMPLETION, LOST, Completed

__all__ = ["MISSING", "Groups", "groups_of"]

MISSING = "missing"
"""The group of subjects of whom `by` is not known."""

COLUMNS = ("variable", "level", "part", "statistic", "value", "n")

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Groups:
    """The group of each subject: `codes` (subjects,) into `levels`; `by` is empty where all are one group."""

    by: tuple[str, ...]
    levels: tuple[str, ...]
    codes: Codes

    def naming(self, level: str) -> dict[str, str]:
        """The column that names the group in a row."""
        return dict.fromkeys(self.by, level)


def groups_of(cohort: Cohort, by: str | Completed | None) -> Groups:
    """The subjects by a categorical covariate, as it is known from the first visit where it is known at all; or by
    whether they completed.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for an unknown column, `E-STUDY-VALUE` for one without levels.
    """
    if by is None:
        return Groups(by=(), levels=("",), codes=np.zeros(cohort.n_subjects, dtype=np.int64))
    if isinstance(by, Completed):
        codes = (~by.seen(cohort)).astype(np.int64)
        return Groups(by=(COMPLETION,), levels=(COMPLETED, LOST), codes=codes)
    if by not in cohort.covariates:
        raise StudyError(
            "E-STUDY-COLUMN",
            f"Column `{by}` is not a covariate of the cohort.",
            f"Its covariates are: {', '.join(cohort.covariates) or 'none'}.",
            did_you_mean(by, cohort.covariates) or "Name one of them, or leave `by` out.",
        )
    levels = cohort.covariate_roles[by].levels
    if by in COLUMNS:
        raise StudyError(
            "E-STUDY-VALUE",
            f"Covariate `{by}` has the name of a column of Summaries.",
            f"The columns are: {', '.join(COLUMNS)}.",
            "Rename the covariate before the cohort is read.",
        )
    if levels is None:
        raise StudyError(
            "E-STUDY-VALUE",
            f"Covariate `{by}` is a number.",
            "`by` names a covariate with levels.",
            "Cut it into classes before the cohort is read, and declare their levels.",
        )
    column = cohort.data[by].array
    known = np.asarray(pd.Categorical(column, categories=list(levels)).codes, dtype=np.int64)
    codes = np.full(cohort.n_subjects, -1, dtype=np.int64)
    rows = np.flatnonzero(known >= 0)[::-1]  # the first visit is written last, so it stays
    codes[cohort.data["subject"].to_numpy()[rows] - 1] = known[rows]
    if (codes < 0).any():
        levels = (*levels, MISSING)
        codes[codes < 0] = len(levels) - 1
    return Groups(by=(by,), levels=levels, codes=codes)
