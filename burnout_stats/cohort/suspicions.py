"""What is probably wrong with a cohort, though every cell may be right: each check answers with notices, but what
cannot change within a person and does is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import Problem
from ..notices import Notice
from .checks import CODE_LIKE
from .places import Places
from .roles import Covariate, Outcome, Visits

__all__ = [
    "changing",
    "codes_apart",
    "constant",
    "is_fixed",
    "lone_subject",
    "same_columns",
    "spikes",
    "suspicious",
    "unmeasured",
]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

FIXED = re.compile(
    r"(sex|gender|kj[øo]nn|k[øöo]n|sukupuoli)(_at_birth|_code)?|(birth|f[øo]dsels?)_?(year|[åa]r)|year_?of_?birth|yob|born",
    re.IGNORECASE,
)
"""Names of columns that hold what stays the same for a person in one study: sex, gender, year of birth."""

PEELED = 4
"""So many different codes may stand beyond the real values, as 97, 98 and 99 do."""

MANY = 20
"""With fewer rows than this a column may be empty, constant or like another one by chance."""

GAP = 0.5
"""A code stands apart where the gap to the next value is more than this share of the span of all other values."""


def is_fixed(role: Covariate) -> bool:
    """Whether a covariate may not change within a person: declared, or known by its name."""
    return role.constant if role.constant is not None else FIXED.fullmatch(role.name.strip()) is not None


def changing(role: Covariate, values: object, subject: Rows, places: Places) -> list[Problem]:
    """A covariate that stays the same for a person, and does not."""
    codes = _codes(values)
    known = np.flatnonzero((codes != -1) & (subject >= 0))
    who, what = subject[known], codes[known]
    first = np.full(int(subject.max(initial=-1)) + 1, -1, dtype=np.int64)
    first[who[::-1]] = what[::-1]  # the first row is written last, so it stays
    other = known[what != first[who]]
    if not len(other):
        return []
    persons = len(np.unique(subject[other]))
    return [
        Problem(
            "E-DATA-CHANGES",
            f"Covariate `{role.name}` changes within {_counted(persons, 'subject')} ({places.say(other)}).",
            "It is declared constant, or its name says that it stays the same for a person.",
            "Correct the rows, look whether two persons share an identifier, or declare constant = false.",
            places.of(other),
        )
    ]


def suspicious(
    roles: Mapping[str, Outcome], outcomes: Mapping[str, Array], covariates: Mapping[str, object], places: Places
) -> list[Notice]:
    """Outcomes that are constant, numbers that stand far from all others, columns that are copies."""
    found = constant(outcomes)
    numeric = {name: values for name, values in covariates.items() if not isinstance(values, pd.Categorical)}
    for name, values in {**outcomes, **numeric}.items():
        scale = roles[name].range if name in roles else None
        found += spikes(name, np.asarray(values, dtype=float), scale, places)
    return found + same_columns({**outcomes, **covariates})


def spikes(name: str, values: Array, value_range: tuple[float, float] | None, places: Places) -> list[Notice]:
    """Numbers that often mean "no value" and stand far from all others, inside the range of the scale or without one.

    What lies outside a declared range is refused elsewhere.
    """
    found = codes_apart(values)
    if not found:
        return []
    rows = np.flatnonzero(np.isin(values, found))
    numbers = ", ".join(f"{number:g}" for number in sorted(found))
    within = " within its range" if value_range is not None else ""
    return [
        Notice(
            "N-DATA-SPIKE",
            f"Column `{name}` has {_counted(len(rows), 'value')} of {numbers}{within}, far from all others "
            f"({places.say(rows)}).",
            f"If that means a missing value, declare missing_codes = [{numbers}].",
        )
    ]


def codes_apart(values: Array) -> list[float]:
    """The numbers in a column that often mean "no value" and stand far from all others; none where nothing else would
    be left.
    """
    there = values[~np.isnan(values)]
    found: list[float] = []
    while there.size and len(found) < PEELED:
        low, high = float(there.min()), float(there.max())
        ends = [end for end in (low, high) if end in CODE_LIKE]
        apart = next((end for end in ends if _stands_apart(end, there)), None)
        if apart is None:
            break
        found.append(apart)
        there = there[there != apart]
    return found if there.size else []


def constant(outcomes: Mapping[str, Array]) -> list[Notice]:
    """Outcomes that have many values, all the same."""
    found = []
    for name, values in outcomes.items():
        there = values[~np.isnan(values)]
        if len(there) >= MANY and (there == there[0]).all():
            found.append(
                Notice(
                    "N-DATA-CONSTANT",
                    f"Outcome `{name}` has the same value in all {len(there)} rows that have one.",
                    "No model has an answer for it; check the column.",
                )
            )
    return found


def same_columns(columns: Mapping[str, object]) -> list[Notice]:
    """Columns that hold the same in every row."""
    groups: dict[tuple[object, ...], list[tuple[str, NDArray[np.generic]]]] = {}
    found = []
    for name, values in columns.items():
        numbers = _codes(values) if isinstance(values, pd.Categorical) else np.asarray(values, dtype=float)
        if len(numbers) < MANY or not np.any(numbers != numbers[0]):
            continue
        finite = numbers[~np.isnan(numbers)] if numbers.dtype.kind == "f" else numbers
        key = (numbers.dtype.kind, len(finite), float(finite.sum()), float(numbers[0]))
        others = groups.setdefault(key if key[3] == key[3] else (*key[:3], None), [])
        twin = next((other for other, same in others if np.array_equal(same, numbers, equal_nan=key[0] == "f")), None)
        if twin is not None:
            found.append(
                Notice(
                    "N-DATA-SAME",
                    f"Columns `{twin}` and `{name}` hold the same in every row.",
                    "A model cannot hold both; leave one of them out.",
                )
            )
        others.append((name, numbers))
    return found


def lone_subject(n_subjects: int) -> list[Notice]:
    """A cohort of one."""
    if n_subjects != 1:
        return []
    return [
        Notice(
            "N-DATA-SUBJECTS",
            "All rows belong to one subject.",
            "Check that the column of subjects is the right one; no model of a cohort has an answer.",
        )
    ]


def unmeasured(
    outcomes: Mapping[str, Array], visit: Rows, visits: Visits, roles: Mapping[str, Outcome]
) -> list[Notice]:
    """Visits that have many rows, and no value of an outcome in any of them."""
    rows = np.bincount(visit, minlength=len(visits))
    seen = {name: np.bincount(visit[~np.isnan(values)], minlength=len(visits)) for name, values in outcomes.items()}
    found = []
    for at, label in enumerate(visits.labels):
        without = [name for name in roles if name in seen and not seen[name][at]]
        if rows[at] >= MANY and without:
            what = "any outcome" if len(without) == len(seen) else ", ".join(f"`{name}`" for name in without)
            found.append(
                Notice(
                    "N-DATA-UNMEASURED",
                    f"The visit `{label}` has {_counted(int(rows[at]), 'row')} and no value of {what}.",
                    "Check the column; a model cannot estimate a mean there.",
                )
            )
    return found


def _stands_apart(end: float, values: Array) -> bool:
    rest = values[values != end]
    if rest.size < 3:
        return False
    low, high = float(rest.min()), float(rest.max())
    return max(low - end, end - high) > GAP * (high - low) > 0


def _codes(values: object) -> Rows:
    """Integers that are equal where the values are, -1 where there is none."""
    if isinstance(values, pd.Categorical):
        return np.asarray(values.codes, dtype=np.int64)
    return np.asarray(pd.factorize(np.asarray(values, dtype=float))[0], dtype=np.int64)


def _counted(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
