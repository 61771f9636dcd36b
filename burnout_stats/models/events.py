"""Scores that are counted, not measured: the outcome of a generalized model as numbers, whatever it is in the cohort.

An outcome is what the file declares as one (0 and 1, counts, ordered whole numbers), a covariate with levels of which
one is the event, or being a case by a score.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..cohort.roles import Outcome
from ..errors import ModelError, StudyError, did_you_mean, one_of

__all__ = ["Counted", "counted_outcome", "parse_case"]

Array = NDArray[np.float64]
CASE = re.compile(r"\s*(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)\s*\Z")
SIGNS = {">=": "≥", "<=": "≤", ">": ">", "<": "<"}
COMPARE = {">=": np.greater_equal, "<=": np.less_equal, ">": np.greater, "<": np.less}
MAX_CATEGORIES = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counted:
    """A cohort whose outcome `name` is numeric, what is counted in words, and the labels of ordered categories."""

    cohort: Cohort
    what: str
    categories: tuple[str, ...] = ()


def parse_case(case: str) -> tuple[str, float]:
    """The sign and the cut-off of a rule such as ">= 3.5".

    Raises
    ------
    StudyError
        `E-STUDY-VALUE`.

    >>> parse_case(">= 3.5")
    ('>=', 3.5)
    """
    found = CASE.match(case)
    if found is None:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`case` is {case!r}.",
            "A rule is a sign and a number on the scale of the score.",
            'Write for example case=">= 3.5".',
        )
    return found[1], float(found[2])


def counted_outcome(cohort: Cohort, name: str, family: str, *, event: str | None, case: str | None) -> Counted:
    """The cohort with that outcome as numbers: 0 and 1 of events, whole counts, or places of ordered categories.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for an unknown column; `E-STUDY-OPTION` for an unknown level; `E-STUDY-VALUE` where a rule is
        given for a column that has levels, or a level for one that has none.
    ModelError
        `E-MODEL-FAMILY` where the numbers are not what the family counts.
    """
    known = (*cohort.outcomes, *cohort.covariates)
    if name not in known:
        raise StudyError(
            "E-STUDY-COLUMN",
            f"Column `{name}` is not in the cohort.",
            f"Its outcomes and covariates are: {', '.join(known)}.",
            did_you_mean(name, known) or "Name one of them.",
        )
    column = cohort.data[name]
    role = cohort.outcome_roles.get(name) or cohort.covariate_roles[name]
    levels = getattr(role, "levels", None)
    if levels is None and isinstance(column.dtype, pd.CategoricalDtype):
        levels = tuple(map(str, column.dtype.categories))
    if levels is not None:
        values, what, categories = _of_levels(column, name, role.label, tuple(levels), family, event, case)
    else:
        values, what, categories = _of_numbers(column, name, role.label, family, event, case)
    declared = cohort.outcome_roles.get(name)
    outcome = Outcome(
        name,
        label=role.label if not case else f"{role.label} {SIGNS[parse_case(case)[0]]} {parse_case(case)[1]:g}",
        better=declared.better if declared is not None and not case else "",
    )
    data = cohort.data.assign(**{name: values})
    return Counted(
        cohort=replace(
            cohort,
            data=data,
            outcome_roles={**cohort.outcome_roles, name: outcome},
            covariate_roles={key: value for key, value in cohort.covariate_roles.items() if key != name},
        ),
        what=what,
        categories=categories,
    )


def _of_levels(
    column: pd.Series,
    name: str,
    label: str,
    levels: tuple[str, ...],
    family: str,
    event: str | None,
    case: str | None,
) -> tuple[Array, str, tuple[str, ...]]:
    if case is not None:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`case` is {case!r}, and `{name}` has levels.",
            f"An event is one of them: {', '.join(levels)}.",
            f'Write event="{levels[-1]}".',
        )
    codes = np.asarray(pd.Categorical(column.astype("string"), categories=list(levels)).codes, dtype=float)
    missing = codes < 0
    if family == "ordinal":
        return np.where(missing, np.nan, codes), f"{label}, in the order {', '.join(levels)}", levels
    if family != "binomial":
        raise _not_counted(name, "has levels", family)
    if event is None and len(levels) != 2:
        raise StudyError(
            "E-STUDY-OPTION",
            f"`{name}` has {len(levels)} levels, and nobody said which is the event.",
            f"An event is one of them: {', '.join(levels)}.",
            f'Write event="{levels[-1]}".',
        )
    chosen = levels[1] if event is None else one_of("event", event, levels)
    return np.where(missing, np.nan, codes == levels.index(chosen)), f"{label}: {chosen}", ()


def _of_numbers(
    column: pd.Series, name: str, label: str, family: str, event: str | None, case: str | None
) -> tuple[Array, str, tuple[str, ...]]:
    if event is not None:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`event` is {event!r}, and `{name}` is a number.",
            "A number becomes an event by a cut-off.",
            'Write for example case=">= 3.5".',
        )
    values = column.to_numpy(dtype=float)
    seen = values[~np.isnan(values)]
    if case is not None:
        sign, cutoff = parse_case(case)
        if family != "binomial":
            raise _not_counted(name, f"is asked as a case ({case})", family)
        is_case = np.where(np.isnan(values), np.nan, COMPARE[sign](values, cutoff).astype(float))
        return is_case, f"{label} {SIGNS[sign]} {cutoff:g}", ()
    if family == "binomial":
        if not np.isin(seen, (0.0, 1.0)).all():
            raise _not_counted(name, "has values other than 0 and 1", family)
        return values, label, ()
    if family == "ordinal":
        categories = np.unique(seen)
        if len(categories) > MAX_CATEGORIES:
            raise _not_counted(name, f"has {len(categories)} different values", family)
        codes = np.searchsorted(categories, np.nan_to_num(values, nan=categories[0] if len(categories) else 0.0))
        named = tuple(f"{value:g}" for value in categories)
        return np.where(np.isnan(values), np.nan, codes), f"{label}, from {named[0]} to {named[-1]}", named
    if (seen < 0).any() or (seen != np.floor(seen)).any():
        raise _not_counted(name, "has values that are no counts", family)
    return values, label, ()


def _not_counted(name: str, seen: str, family: str) -> ModelError:
    wanted = {
        "binomial": "Events are 0 or 1, one of the levels of a column, or scores beyond a cut-off.",
        "ordinal": f"Ordered categories are levels in their order, or at most {MAX_CATEGORIES} different numbers.",
    }.get(family, "Counts are whole numbers from 0 on.")
    return ModelError(
        "E-MODEL-FAMILY",
        f"`{name}` {seen}, and the family is {family}.",
        wanted,
        'Choose another family, or for a score write case=">= 3.5" with family="binomial".',
    )
