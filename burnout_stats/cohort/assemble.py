"""From the columns of a source to a Cohort: convert every cell by its declared rule, collect all that is wrong, and
refuse it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError, Problem
from ..notices import Notice
from . import checks, suspicions
from .cohort import Cohort, Source
from .columns import Column, MissingCodes
from .dates import Dated, dated, is_dates
from .declaration import Declaration
from .layout import Laid, Table, lay_out, left_out
from .places import Places
from .roles import Covariate, Visits
from .unfit import unfit

__all__ = ["assemble", "unseen_visits", "unused_levels"]

MAX_LEVELS = 50
"""A column of more different texts than this is free text or names, unless its levels are declared."""

FEW_LEVELS = 10
"""Up to this many different texts are categories, however few the subjects."""

Codes = NDArray[np.int64]
Values: TypeAlias = "NDArray[np.float64] | pd.Categorical[Any]"


def assemble(table: Table, said: Declaration, source: Source, notices: Sequence[Notice]) -> Cohort:
    """Check every column, collect all problems, and build the cohort where there are none."""
    laid = lay_out(table, said)
    if laid.subject is None or (laid.visit is None and laid.visit_codes is None):
        raise DataError.of(laid.problems)
    problems = laid.problems
    problems += unfit(table, laid, said)
    subject, ids, without = laid.subject.identifiers()
    problems += checks.missing_ids(without, laid.places)
    persons = checks.Persons(subject, said.policy.min_cell)
    if laid.visit_codes is not None:
        visit = laid.visit_codes
    else:
        visit, wrong = _visits(laid, said, persons)
        problems += wrong
    order = _order(subject, visit, len(said.visits), problems, laid.places)
    times = _dates(laid, said, subject, visit)
    problems += () if times is None else times.problems
    decimal = said.decimal
    if decimal is None:
        decimal, wrong = checks.decimal_marks(_numeric(laid, said), laid.places)
        problems += wrong
    reader = _Cells(laid, said, persons, decimal, len(ids))
    outcomes = reader.outcomes()
    roles, covariates = reader.covariates()
    if "years" in laid.columns and said.covariates is None:
        reader.check_years(visit)
    for name, role in roles.items():
        if suspicions.is_fixed(role):
            problems += suspicions.changing(role, covariates[name], subject, laid.places)
    if problems:
        raise DataError.of(list(dict.fromkeys(problems)))
    found = checks.near_ids(ids, subject, laid.places)
    if not said.is_part:
        found += suspicions.suspicious(said.outcomes, outcomes, covariates, laid.places)
    values: dict[str, Values] = {**outcomes, **covariates}
    met = reader.met(roles, values)
    keep = order if laid.visit_codes is None else _seen(subject, visit, order, laid, values, met)
    take: Callable[[Any], Any] = (lambda values: values) if keep is None else (lambda values: values[keep])
    subject, visit = take(subject), take(visit)
    columns: dict[str, Any] = {
        "subject": subject + 1,
        "visit": _categories(visit, said.visits.labels, ordered=True),
        "years": np.array(said.visits.years)[visit],
    }
    if times is not None:
        columns["exact_years"] = take(times.years)
    columns |= {name: take(values) for name, values in (outcomes | covariates).items()}
    seen = np.bincount(visit, minlength=len(said.visits)) > 0
    if not said.is_part:
        found += suspicions.lone_subject(len(ids))
        found += suspicions.unmeasured(
            {name: take(values) for name, values in outcomes.items()}, visit, said.visits, said.outcomes
        )
    cohort = Cohort(
        data=pd.DataFrame(columns, copy=False),
        visits=said.visits,
        outcome_roles=said.outcomes,
        covariate_roles=roles,
        ids=ids,
        policy=said.policy,
        notices=(*notices, *laid.notices, *found, *(times.notices if times else ()), *unseen_visits(said.visits, seen)),
        source=replace(source, rows_kept=len(subject), dialect=dict(source.dialect) | _dialect(laid, said, decimal)),
        missing_as={name: pd.Series(take(codes)) for name, codes in met.items()},
    )
    if times is None or said.timing is None or said.timing.outside != "drop" or not times.outside.any():
        return cohort
    kept = cohort.subset(~take(times.outside))
    return replace(kept, source=replace(kept.source, rows_kept=len(kept.data)))


def _dates(laid: Laid, said: Declaration, subject: Codes, visit: Codes) -> Dated | None:
    if said.timing is None or laid.date is None:
        return None
    return dated(said.timing, laid.date, subject, visit, said.visits, said.missing, laid.places)


def _visits(laid: Laid, said: Declaration, persons: checks.Persons) -> tuple[Codes, list[Problem]]:
    """For each row of a long source the place of its visit."""
    assert laid.visit is not None  # or the reader has stopped
    known = {label: at for at, label in enumerate(said.visits.labels)}
    known |= {code: known[label] for code, label in said.visit_codes.items()}
    codes, labels = laid.visit.to_labels(MissingCodes(), known)
    return checks.bad_visits(codes, labels, known, said.visits, laid.places, persons)


def _order(subject: Codes, visit: Codes, n_visits: int, problems: list[Problem], places: Places) -> Codes | None:
    """The rows by subject and visit, None where they stand so already; rows of one subject and visit are a problem."""
    key = subject * n_visits + visit
    valid = (subject >= 0) & (visit >= 0)
    if valid.all() and (key[1:] > key[:-1]).all():
        return None
    if valid.all() and (size := int(key.max()) + 1) <= 8 * len(key):
        row = np.full(size, -1)
        row[key] = np.arange(len(key))
        order = row[row >= 0]
        if len(order) == len(key):
            return order  # each key once
    order = np.argsort(key, kind="stable")
    checked = order[valid[order]]
    problems += checks.duplicates(subject[checked], visit[checked], places.take(checked))
    return order


def _seen(
    subject: Codes,
    visit: Codes,
    order: Codes | None,
    laid: Laid,
    columns: Mapping[str, Values],
    met: Mapping[str, pd.Categorical[Any]],
) -> Codes:
    """The rows of a wide source at which something was measured or a code says why not; a subject without any keeps
    the first visit.
    """
    has = np.zeros(len(subject), dtype=bool)
    for name, values in columns.items():
        if name in laid.at_visit:
            has |= ~np.asarray(pd.isna(values))
        if name in laid.at_visit and name in met:
            has |= met[name].codes >= 0
    never = np.bincount(subject, weights=has) == 0
    has |= never[subject] & (visit == 0)
    rows = np.arange(len(subject)) if order is None else order
    return rows[has[rows]]


def _numeric(laid: Laid, said: Declaration) -> dict[str, Column]:
    """The columns that tell the decimal mark: outcomes, and covariates in which every cell is a number under one of the
    marks.
    """
    told: dict[str, Column] = {}
    for name, column in laid.columns.items():
        role = (said.covariates or {}).get(name)
        if name in said.outcomes or (role is not None and role.unit) or name == "years":
            told[name] = column
        elif role is None or role.levels is None:
            numbers, others = column.look(said.missing, ".,")
            if numbers and not others:
                told[name] = column
    return told


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """The conversion of a source's columns: values come back, problems and notices go to `laid`."""

    laid: Laid
    said: Declaration
    persons: checks.Persons
    decimal: str
    n_subjects: int

    def outcomes(self) -> dict[str, NDArray[np.float64]]:
        """The scores by name."""
        found = {}
        for name, role in self.said.outcomes.items():
            if name in self.laid.columns:
                values = self._numbers(name)
                self.laid.problems += checks.out_of_range(role, values, self.laid.places, self.said.policy.min_cell)
                found[name] = values
        return found

    def covariates(self) -> tuple[dict[str, Covariate], dict[str, Values]]:
        """The covariates by name, with the levels that were found where none were declared."""
        roles: dict[str, Covariate] = {}
        found: dict[str, Values] = {}
        declared = self.said.covariates or {}
        for name in (*declared, *self.laid.undeclared):
            if name in self.laid.columns:
                role, values = self._covariate(declared.get(name, Covariate(name)), is_declared=name in declared)
                if values is not None:
                    roles[name], found[name] = role, values
        return roles, found

    def met(self, roles: Mapping[str, Covariate], columns: Mapping[str, Values]) -> dict[str, pd.Categorical[Any]]:
        """The code for "no value" that stands in a cell, by column; columns without any are left out."""
        found = {}
        for name, values in columns.items():
            column = self.laid.columns[name]
            if not self.said.missing and column.asked is None:
                continue
            is_text = name in roles and roles[name].levels is not None
            codes, texts = column.met(self.said.missing, "." if is_text else self.decimal)
            codes = np.where(pd.isna(values), codes, -1)
            if (codes >= 0).any():
                found[name] = _categories(codes, texts).remove_unused_categories()
        return found

    def check_years(self, visit: Codes) -> None:
        """A column `years` is the time of the visits, or it has another meaning and another name."""
        values, _ = self.laid.columns["years"].to_numbers(self.said.missing, self.decimal)
        known = np.flatnonzero(visit >= 0)
        years = np.array(self.said.visits.years)[visit[known]]
        self.laid.problems += checks.bad_years(values[known], years, self.laid.places.take(known))

    def _numbers(self, name: str, *, is_declared: bool = True) -> NDArray[np.float64]:
        column = self.laid.columns[name]
        values, wrong = column.to_numbers(self.said.missing, self.decimal)
        problems = checks.bad_numbers(name, column, wrong, self.laid.places, self.decimal)
        self.laid.problems += problems or (self._no_values(name, values) if is_declared else [])
        return values

    def _no_values(self, name: str, values: NDArray[np.float64] | Codes) -> list[Problem]:
        return [] if self.said.is_part else checks.no_values(name, values)

    def _covariate(self, role: Covariate, *, is_declared: bool) -> tuple[Covariate, Values | None]:
        name = role.name
        column = self.laid.columns[name]
        if role.levels is not None:
            return role, self._declared_levels(role, column)
        if column.is_ordered:
            numbers, others = 0, 1
        else:
            numbers, others = column.look(self.said.missing, self.decimal)
        if numbers or role.unit or not others:
            values = self._numbers(name, is_declared=is_declared)
            if is_declared or not np.isnan(values).all():
                return role, values
            self.laid.notices.append(left_out(name, "it has no value"))
            return role, None
        return self._found_levels(role, column, is_declared=is_declared)

    def _declared_levels(self, role: Covariate, column: Column) -> Values:
        levels = role.levels or ()
        codes, labels = column.to_labels(self.said.missing, levels)
        problems = checks.bad_levels(role.name, codes, labels, levels, self.laid.places, self.persons)
        self.laid.problems += problems or self._no_values(role.name, codes)
        unused = [level for level in levels if level not in labels]
        if unused and not problems:
            self.laid.notices.append(unused_levels(role.name, unused))
        table = np.array([*(levels.index(label) if label in levels else -1 for label in labels), -1], dtype=np.int64)
        return _categories(table[codes], levels)

    def _found_levels(self, role: Covariate, column: Column, *, is_declared: bool) -> tuple[Covariate, Values | None]:
        if is_dates(column):
            if is_declared:
                self.laid.problems.append(_dates_as_covariate(role.name))
            else:
                self.laid.notices.append(left_out(role.name, "it holds dates"))
            return role, None
        codes, labels = column.to_labels(self.said.missing)
        if len(labels) > MAX_LEVELS or len(labels) > max(FEW_LEVELS, self.n_subjects // 2):
            if not is_declared:
                self.laid.notices.append(left_out(role.name, f"it holds {len(labels)} different texts"))
                return role, None
            self.laid.problems.append(_free_text(role.name, len(labels)))
        if not labels:
            self.laid.problems += self._no_values(role.name, codes)
        levels = labels if column.is_ordered or column.labels else tuple(sorted(labels))
        words = [level for level in levels if level.casefold() in checks.MISSING_WORDS]
        if words:
            self.laid.notices.append(_word(role.name, words))
        table = np.array([*(levels.index(label) for label in labels), -1], dtype=np.int64)
        return replace(role, levels=levels), _categories(table[codes], levels)


def _dialect(laid: Laid, said: Declaration, decimal: str) -> dict[str, str]:
    told = {"layout": "long" if said.wide is None else f"wide, {said.wide}", "decimal": decimal}
    if said.missing.texts:
        told["missing_codes"] = ", ".join(sorted(said.missing.texts))
    if laid.not_used:
        told["not_used"] = ", ".join(laid.not_used)
    return told


def _categories(codes: Codes, levels: Sequence[str], *, ordered: bool = False) -> pd.Categorical[Any]:
    small = np.int8 if len(levels) < 128 else np.int32
    return pd.Categorical.from_codes(codes.astype(small), dtype=_categorical(tuple(levels), ordered))


@lru_cache(maxsize=256)
def _categorical(levels: tuple[str, ...], ordered: bool) -> pd.CategoricalDtype[Any]:
    """The type of a column with these levels: making one costs pandas more than reading a small column."""
    return pd.CategoricalDtype(pd.Index(list(levels)), ordered=ordered)


def unseen_visits(visits: Visits, seen: NDArray[np.bool_]) -> list[Notice]:
    """Declared visits without a row."""
    return [
        Notice(
            "N-DATA-VISIT",
            f"No subject has a row at the visit `{label}`.",
            "Remove the visit if it has not taken place yet.",
        )
        for label, is_seen in zip(visits.labels, seen, strict=True)
        if not is_seen
    ]


def unused_levels(name: str, levels: Sequence[str]) -> Notice:
    """Declared levels that never occur."""
    return Notice(
        "N-DATA-LEVEL",
        f"Levels of `{name}` that never occur: {', '.join(f'`{level}`' for level in levels)}.",
        "Remove it from the declared levels; a model cannot estimate it.",
    )


def _word(name: str, words: Sequence[str]) -> Notice:
    return Notice(
        "N-DATA-WORD",
        f"Column `{name}` has the level {', '.join(f'`{word}`' for word in words)}.",
        "If it means a missing value, declare it in missing_codes; now it is a category.",
    )


def _dates_as_covariate(name: str) -> Problem:
    return Problem(
        "E-DATA-TEXT",
        f"Covariate `{name}` holds dates.",
        "A covariate is a number or has few levels, and a cohort keeps no dates.",
        'If it says when subjects were assessed, name it as date = "..."; otherwise make it a number, such as age.',
    )


def _free_text(name: str, n: int) -> Problem:
    return Problem(
        "E-DATA-TEXT",
        f"Column `{name}` holds {n} different texts.",
        "A categorical covariate has few levels; names and free text are no covariates.",
        "Declare its levels, or leave it out.",
    )
