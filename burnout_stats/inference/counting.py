"""Which subjects stand behind the n of a fit and of its means, for the gate for privacy."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..design.build import Rows
from ..estimates import Estimates, Margins, counted
from ..models import Fit
from ..models.generalized_fit import GeneralizedFit

__all__ = ["columns_of_rows", "contributing", "counting", "rows_of_cohort", "scores_by_subject"]

Bools = NDArray[np.bool_]


def contributing(fit: Fit | GeneralizedFit, cohort: Cohort) -> Bools:
    """Whether each subject of the cohort has a row in the fit."""
    return scores_by_subject(fit, cohort) > 0


def scores_by_subject(fit: Fit | GeneralizedFit, cohort: Cohort) -> NDArray[np.int64]:
    """How many rows of the fit each subject of the cohort has."""
    rows = fit.needed_rows() if isinstance(fit, Fit) else fit.rows
    return np.bincount(rows.ordinal[rows.subject] - 1, minlength=cohort.n_subjects).astype(np.int64)


def counting(estimates: Estimates, fit: Fit | GeneralizedFit, cohort: Cohort) -> Margins | None:
    """The margins of coefficients or means of a fit to this cohort.

    The n of a coefficient counts all subjects of the fit, that of a mean those who have a row in its cell. None where
    the fit knows no rows, or the rows are named by something else.
    """
    if fit.rows is None:
        return None
    frame = estimates.frame
    if estimates.about.kind == "coefficients":
        return counted([contributing(fit, cohort)] * len(frame))
    if estimates.about.kind != "means":
        return None
    variables = fit.design.encoder.variables
    asked = [
        name for name in (*estimates.about.factors, *estimates.about.by) if name in variables and variables[name].levels
    ]
    subject, columns = columns_of_rows(fit.rows, cohort, asked)
    counts: list[Bools | NDArray[np.integer] | None] = []
    for record in frame[asked].astype(str).to_dict("records"):
        here = np.ones(len(subject), dtype=bool)
        for name, level in record.items():
            here &= columns[str(name)] == level
        member = np.zeros(cohort.n_subjects, dtype=bool)
        member[subject[here]] = True
        counts.append(member)
    return counted(counts)


def columns_of_rows(
    rows: Rows, cohort: Cohort, names: list[str]
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.object_]]]:
    """The subject of each row of a fit, from 0, and the columns of the cohort at these rows."""
    place = rows_of_cohort(rows, cohort)
    columns = {name: pd.Series(cohort.data[name].array[place]).astype(str).to_numpy(dtype=object) for name in names}
    return rows.ordinal[rows.subject] - 1, columns


def rows_of_cohort(rows: Rows, cohort: Cohort) -> NDArray[np.intp]:
    """The place of each row of a fit among the rows of its cohort."""
    subject = rows.ordinal[rows.subject] - 1
    data = cohort.data
    n_visits = len(cohort.visits)
    visit = data["visit"].cat.codes.to_numpy().astype(np.int64)
    at = (data["subject"].to_numpy(dtype=np.int64) - 1) * n_visits + visit  # in order: by subject, then by visit
    return np.asarray(np.searchsorted(at, subject * n_visits + rows.visit), dtype=np.intp)
