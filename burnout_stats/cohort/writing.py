"""A cohort as a data frame, long or wide, from which `read_cohort` reads the same cohort again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import StudyError, one_of
from .cohort import Cohort
from .layout import columns_by_visit

__all__ = ["LAYOUTS", "to_frame"]

LAYOUTS = {"long": "a row for each subject and visit", "wide": "a row for each subject"}

Rows = NDArray[np.int64]
Cells = NDArray[Any]


def to_frame(cohort: Cohort, layout: str, *, ids: bool, codes: bool, wide: str) -> pd.DataFrame:
    """See `Cohort.to_frame`."""
    one_of("layout", layout, LAYOUTS)
    columns = {name: _cells(cohort, name, codes=codes) for name in (*cohort.outcomes, *cohort.covariates)}
    subjects = np.array(cohort.ids.tolist(), dtype=None if _are_numbers(cohort) else object) if ids else cohort.subjects
    if layout == "wide":
        return _wide(cohort, columns, subjects, wide)
    keys = {
        "subject": subjects[cohort.data["subject"].to_numpy() - 1],
        "visit": cohort.data["visit"].astype(object).to_numpy(),
    }
    return pd.DataFrame(keys | columns)


def _wide(cohort: Cohort, columns: dict[str, Cells], subjects: Cells, pattern: str) -> pd.DataFrame:
    subject = cohort.data["subject"].to_numpy() - 1
    visit = cohort.data["visit"].cat.codes.to_numpy()
    told: dict[str, Cells] = {"subject": subjects}
    n_columns = 1
    at_visit: list[str] = []
    for name, column in columns.items():
        if name in cohort.covariates and _is_constant(column, subject):
            value = np.empty(cohort.n_subjects, dtype=column.dtype)
            value[subject] = column
            told[name] = value
            n_columns += 1
            continue
        at_visit.append(name)
        for place, label in enumerate(cohort.visits.labels):
            here = visit == place
            cells = np.full(cohort.n_subjects, np.nan, dtype=column.dtype)
            cells[subject[here]] = column[here]
            told[_filled(pattern, name, label)] = cells
        n_columns += len(cohort.visits)
    _check_names(cohort, at_visit, tuple(told), n_columns, pattern)
    _check_rows(cohort, at_visit, columns, subject)
    return pd.DataFrame(told)


def _are_numbers(cohort: Cohort) -> bool:
    return cohort.n_subjects > 0 and not isinstance(cohort.ids[0], str)


def _filled(pattern: str, name: str, label: str) -> str:
    """The name of a column; the parts may hold braces of their own."""
    before, _, after = pattern.partition("{outcome}")
    return before.replace("{visit}", label) + name + after.replace("{visit}", label)


def _check_names(cohort: Cohort, at_visit: list[str], names: tuple[str, ...], n_columns: int, pattern: str) -> None:
    """Refuse a pattern by which the columns would not be read back as what they are."""
    if pattern.count("{outcome}") == 1 and pattern.count("{visit}") == 1 and len(names) == n_columns:
        found = columns_by_visit(names, pattern, cohort.visits.labels, {}, subject="subject")
        labels = cohort.visits.labels
        if found == {name: [_filled(pattern, name, label) for label in labels] for name in at_visit}:
            return
    raise StudyError(
        "E-STUDY-LAYOUT",
        f"With `wide` {pattern!r} the columns could not be told apart.",
        "The pattern holds {outcome} and {visit}, each once, and something between them that is not in the names.",
        'Write for example wide = "{outcome} at {visit}".',
    )


def _check_rows(cohort: Cohort, at_visit: list[str], columns: dict[str, Cells], subject: Rows) -> None:
    """Refuse rows that a wide frame cannot say: a visit took place, and nothing was measured at it."""
    says = np.zeros(len(subject), dtype=bool)
    for name in at_visit:
        says |= pd.notna(columns[name])
    first = cohort.data["visit"].cat.codes.to_numpy() == 0
    never = np.bincount(subject, weights=says, minlength=cohort.n_subjects) == 0
    alone = np.bincount(subject, minlength=cohort.n_subjects) == 1
    silent = ~says & ~(never[subject] & first & alone[subject])
    if silent.any():
        raise StudyError(
            "E-STUDY-VALUE",
            f"{int(silent.sum())} rows of the cohort hold no value of any outcome or of a covariate that varies.",
            "A wide layout has no rows for visits, so these could not be told from visits that did not take place.",
            "Leave them out by subset, or take the long layout (with codes=True a code for `no value` is something).",
        )


def _is_constant(column: Cells, subject: Rows) -> bool:
    """Whether each subject has one value, or none, at all of its visits."""
    codes = pd.factorize(column)[0]
    first = np.empty(subject.max(initial=0) + 1, dtype=np.int64)
    first[subject[::-1]] = codes[::-1]
    return bool((codes == first[subject]).all())


def _cells(cohort: Cohort, name: str, *, codes: bool) -> Cells:
    """A copy of a column, categories as texts; with the codes for "no value" where these are asked for."""
    column = cohort.data[name]
    if codes and name in cohort.missing_as:
        met = cohort.missing_as[name]
        return column.astype(object).where(met.isna(), met.astype(object)).to_numpy(copy=True)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.astype(object).to_numpy(copy=True)
    return column.to_numpy(dtype=np.float64, copy=True)
