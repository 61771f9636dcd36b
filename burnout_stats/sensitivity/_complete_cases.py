"""The changes of those who were seen at every visit, which stand for nobody else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..design import build
from ..errors import ModelError, StudyError
from ..estimates import Estimates
from ..inference import contrast, emmeans
from ..models import MMRM, fit
from ..models.fitted import Fitted

__all__ = ["change_from_baseline", "complete_cases", "needs_visit", "only"]


def complete_cases(spec: MMRM, cohort: Cohort, *, conf_level: float = 0.95) -> Estimates:
    """The changes from baseline among those seen at every visit, by the model fitted to them alone.

    It stands for the cohort only where being lost has nothing to do with the scores or their change, given the model's
    covariates.

    Raises
    ------
    StudyError, ModelError
        As `fit`; `E-STUDY-WEIGHTING` for a formula without `visit`, `E-MODEL-EMPTY` where nobody was seen at every
        visit.

    >>> from burnout_stats.studies import example
    >>> complete_cases(MMRM("exhaustion ~ visit"), example("villa_sana")).frame["n"].tolist()
    [169.0, 169.0]
    """
    needs_visit(spec)
    _, rows = build(spec.parsed, cohort)
    seen = np.zeros((cohort.n_subjects, len(cohort.visits)), dtype=bool)
    seen[rows.ordinal[rows.subject] - 1, rows.visit] = True
    complete: NDArray[np.bool_] = np.asarray(seen.all(1))
    if not complete.any():
        raise ModelError(
            "E-MODEL-EMPTY",
            "Nobody was seen at every visit.",
            "Complete cases are subjects with a score at each of them.",
            "Fit the model to all: fit(spec, cohort).",
        )
    found = change_from_baseline(fit(spec, only(cohort, complete)), conf_level)
    note = "Subjects seen at every visit only: taken to be like those lost, given the model's covariates."
    return replace(found, about=replace(found.about, notes=(note, *found.about.notes)))


def change_from_baseline(fitted: Fitted, conf_level: float) -> Estimates:
    """Each visit less the first, averaged as `emmeans` does."""
    return contrast(emmeans(fitted, "visit", conf_level=conf_level), "vs_baseline")


def needs_visit(spec: MMRM) -> None:
    """Stop where a formula does not have `visit`."""
    if "visit" not in spec.parsed.variables:
        raise StudyError(
            "E-STUDY-WEIGHTING",
            f"The formula `{spec.formula}` does not have `visit`.",
            "A change is asked from the first visit to each other one.",
            "Put visit into the formula in place of years.",
        )


def only(cohort: Cohort, subjects: NDArray[np.bool_]) -> Cohort:
    """The cohort of these subjects."""
    return cohort.subset(subjects[cohort.data["subject"].to_numpy() - 1])
