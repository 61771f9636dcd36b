"""A cohort laid out for imputation: every subject at every visit, and in the wide what is jointly normal of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..design import Formula, build
from ..engine.incomplete_normal import Wide
from ..errors import ModelError, StudyError, did_you_mean
from ..estimates import Policy
from ..models import MMRM
from ..models.generalized import GLMM
from ..notices import Notice

__all__ = ["Column", "Incomplete", "incomplete"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
AT = re.compile(r"^(?P<name>.+)\[(?P<visit>.+)\]$")
TIMES = ("visit", "years", "exact_years")


@dataclass(frozen=True, slots=True)
class Column:
    """A variable of the wide data: an outcome or a numeric covariate at a visit (a position)."""

    variable: str
    visit: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Incomplete:
    """What imputation works on.

    Attributes
    ----------
    skeleton : Cohort
        Every subject that has a value of any column, with a row for every visit; what does not change within a subject
        stands in each row.
    columns : tuple of Column
        Of the D columns of `wide.Y`.
    wide : Wide
        `W` holds what is known of every subject: the model's covariates in full interaction with nothing but each
        other as the formula has them.
    W_formula : Formula, W_kept : index array
        What the columns of W are made from, and which of its columns are no combinations of earlier ones.
    outcomes : names of the outcomes that are imputed at every visit, the model's first
    given : tuple of str
        The variables given which values are taken to be missing at random, in words.
    notices : tuple of Notice
    """

    skeleton: Cohort
    columns: tuple[Column, ...]
    wide: Wide
    W_formula: Formula
    W_kept: NDArray[np.intp]
    outcomes: tuple[str, ...]
    given: tuple[str, ...]
    notices: tuple[Notice, ...]

    @property
    def n_subjects(self) -> int:
        """Subjects."""
        return len(self.wide.Y)

    @property
    def n_visits(self) -> int:
        """Visits."""
        return len(self.skeleton.visits)

    def places(self, outcome: str) -> NDArray[np.intp]:
        """Where an outcome's visits stand among the columns, in the order of the visits."""
        found = {column.visit: k for k, column in enumerate(self.columns) if column.variable == outcome}
        return np.array([found[visit] for visit in range(self.n_visits)], dtype=np.intp)

    def completed(self) -> dict[str, NDArray[np.intp]]:
        """The variables that are complete once they are imputed, and where they stand among the columns: at every
        visit, or once for what does not change.
        """
        found: dict[str, list[int]] = {}
        for place in np.lexsort([[c.visit for c in self.columns]]):
            found.setdefault(self.columns[place].variable, []).append(int(place))
        return {
            name: np.array(places, dtype=np.intp)
            for name, places in found.items()
            if len(places) == self.n_visits or not _changes(self.skeleton, name)
        }

    def W_at(self, variable: str, level: str) -> Array:
        """W as it would be if every subject had this level of a categorical covariate.

        Raises
        ------
        StudyError
            `E-STUDY-COLUMN` for a covariate that is not in the model, `E-STUDY-VALUE` for a level that it lacks.
        """
        data = self.skeleton.data
        if variable not in self.W_formula.variables:
            raise StudyError(
                "E-STUDY-COLUMN",
                f"The model has no `{variable}`.",
                f"A reference arm is a level of a covariate that it has: {', '.join(self.W_formula.variables)}.",
                f"Put it into the formula: visit * {variable}.",
            )
        levels = self.skeleton.covariate_roles[variable].levels
        if levels is None or level not in levels:
            raise StudyError(
                "E-STUDY-VALUE",
                f"`{level}` is not a level of `{variable}`.",
                f"Its levels are: {', '.join(levels or ('none, it is a number',))}.",
                did_you_mean(level, levels or ()),
            )
        column = pd.Categorical([level] * len(data), categories=list(levels), ordered=False)
        return _W(replace(self.skeleton, data=data.assign(**{variable: column})), self.W_formula)[:, self.W_kept]


def incomplete(
    spec: MMRM | GLMM,
    cohort: Cohort,
    *,
    outcomes: Iterable[str] = (),
    auxiliaries: Iterable[str] = (),
    levels: bool = False,
) -> Incomplete:
    """Lay out the outcome of a model, further outcomes and auxiliary variables of a cohort.

    An auxiliary is an outcome or a covariate: `"job_stress"` at every visit where anybody has it,
    `"job_stress[baseline]"` at one. A covariate that does not change within any subject and that all have joins the
    model's covariates. With `levels`, an auxiliary with levels may change and have gaps too: its columns hold the
    position of the level.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for names that the cohort does not have, `E-STUDY-IMPUTE` for a variable that a joint normal
        distribution cannot hold.
    ModelError
        `E-MODEL-EMPTY` where no subject is left.
    """
    _refuse(spec)
    response = spec.parsed.response
    imputed = tuple(dict.fromkeys((response, *outcomes)))
    for name in imputed:
        cohort.outcome(name)
    skeleton = _skeleton(cohort)
    covariates = [name for name in spec.parsed.variables if name not in TIMES]
    fixed, moving = _kinds(skeleton, covariates)
    known, asked = _auxiliaries(skeleton, auxiliaries, imputed, levels)
    formula = _subject_formula(spec.parsed, fixed, [name for name in known if name not in fixed])
    columns = [Column(name, visit) for name in (*imputed, *moving) for visit in range(len(skeleton.visits))]
    columns += [column for column in asked if column not in columns]
    Y = _wide(skeleton, columns)
    empty: NDArray[np.bool_] = np.asarray(np.isnan(Y).all(0))
    lost = [columns[k] for k in np.flatnonzero(empty) if columns[k].variable in imputed]
    if lost:
        labels = ", ".join(f"{c.variable} at {skeleton.visits.labels[c.visit]}" for c in lost)
        raise ModelError(
            "E-MODEL-EMPTY",
            f"Nobody has {labels}.",
            "A value is imputed from those of others at the same visit.",
            "Leave that visit out of the cohort.",
        )
    columns, Y = [c for c, gone in zip(columns, empty, strict=True) if not gone], Y[:, ~empty]
    complete = _complete(skeleton, [*fixed, *known])
    kept = complete & ~np.isnan(Y).all(1)
    notices = _left_out(int((~complete & ~np.isnan(Y).all(1)).sum()), (*fixed, *known), skeleton.policy)
    if not kept.any():
        raise ModelError(
            "E-MODEL-EMPTY",
            f"No subject has `{response}` and {', '.join((*fixed, *known)) or 'anything'}.",
            "Imputation needs subjects of whom the covariates are known.",
            "Look at the missing values with describe.missingness(cohort).",
        )
    if not kept.all():
        skeleton = skeleton.subset(np.repeat(kept, len(skeleton.visits)))
        Y = Y[kept]
    W = _W(skeleton, formula)
    independent = _independent(W)
    return Incomplete(
        skeleton=skeleton,
        columns=tuple(columns),
        wide=Wide.of(Y, W[:, independent]),
        W_formula=formula,
        W_kept=independent,
        outcomes=imputed,
        given=_given(skeleton, columns, (*fixed, *known)),
        notices=notices,
    )


def _refuse(spec: MMRM | GLMM) -> None:
    reasons = {
        "weights": spec.weights,
        "clusters": spec.cluster or next((part.group for part in spec.parsed.random if part.group != "subject"), None),
    }
    for what, name in reasons.items():
        if name is not None:
            raise StudyError(
                "E-STUDY-IMPUTE",
                f"The model has {what} (`{name}`).",
                "Imputation takes subjects as independent and alike in weight.",
                f"Leave {what} out, or use sensitivity.weighted(...).",
            )


def _skeleton(cohort: Cohort) -> Cohort:
    """A row for every subject and visit; what never changes within a subject is filled in."""
    data, visits = cohort.data, cohort.visits
    n, V = cohort.n_subjects, len(visits)
    at = (data["subject"].to_numpy() - 1) * V + data["visit"].cat.codes.to_numpy()
    dtype = data["visit"].dtype
    assert isinstance(dtype, pd.CategoricalDtype)
    columns: dict[str, object] = {
        "subject": np.repeat(np.arange(1, n + 1), V),
        "visit": pd.Categorical(list(visits.labels) * n, dtype=dtype),
        "years": np.tile(np.array(visits.years, dtype=float), n),
    }
    for name in (*cohort.outcomes, *cohort.covariates):
        values = data[name]
        if isinstance(values.dtype, pd.CategoricalDtype):
            codes = np.full(n * V, -1, dtype=np.int64)
            codes[at] = values.cat.codes.to_numpy()
            spread = _spread(np.where(codes < 0, np.nan, codes).reshape(n, V))
            whole = np.where(np.isnan(spread), -1, spread).astype(np.int64).reshape(-1)
            columns[name] = pd.Categorical.from_codes(whole, dtype=values.dtype)
        else:
            numbers = np.full(n * V, np.nan)
            numbers[at] = values.to_numpy(dtype=float)
            shaped = numbers.reshape(n, V)
            columns[name] = (shaped if name in cohort.outcomes else _spread(shaped)).reshape(-1)
    return replace(cohort, data=pd.DataFrame(columns), missing_as={})


def _spread(values: Array) -> Array:
    """Values (n, V), each subject's one value at all visits if no subject has two."""
    known = ~np.isnan(values)
    low = np.where(known, values, np.inf).min(1)
    high = np.where(known, values, -np.inf).max(1)
    some: NDArray[np.bool_] = np.asarray(known.any(1))
    if (low[some] != high[some]).any():
        return values
    return np.where(some[:, None], np.where(some, low, np.nan)[:, None], np.nan) * np.ones(values.shape[1])


def _kinds(skeleton: Cohort, covariates: list[str]) -> tuple[list[str], list[str]]:
    """The model's covariates that do not change within a subject, and numeric ones that do."""
    fixed, moving = [], []
    for name in covariates:
        if name in skeleton.outcomes or not _changes(skeleton, name):
            fixed.append(name)
        elif skeleton.covariate_roles[name].levels is not None or skeleton.data[name].isna().any():
            raise StudyError(
                "E-STUDY-IMPUTE",
                f"Covariate `{name}` of the model changes between visits"
                + (" and has levels." if skeleton.covariate_roles[name].levels is not None else " and has gaps."),
                "A covariate of an imputed model is known at every visit, seen or not.",
                "Use its value at baseline, or leave it out of the model and name it as an auxiliary.",
            )
        else:
            moving.append(name)
    for name in fixed:
        if name in skeleton.outcomes:
            raise StudyError(
                "E-STUDY-IMPUTE",
                f"`{name}` is an outcome and stands on the right of the formula.",
                "An outcome among the covariates may itself be missing.",
                "Name it as an auxiliary, which is imputed together with the outcome.",
            )
    return fixed, moving


def _changes(skeleton: Cohort, name: str) -> bool:
    _checked(skeleton, name)
    data = skeleton.data[name]
    values = data.cat.codes.to_numpy() if isinstance(data.dtype, pd.CategoricalDtype) else data.to_numpy(dtype=float)
    shaped = values.reshape(skeleton.n_subjects, len(skeleton.visits))
    same = (shaped == shaped[:, :1]) | np.isnan(shaped.astype(float))
    return not bool(same.all())


def _checked(skeleton: Cohort, name: str) -> None:
    known = (*skeleton.outcomes, *skeleton.covariates)
    if name not in known:
        raise StudyError(
            "E-STUDY-COLUMN",
            f"Column `{name}` is not in the cohort.",
            f"Its columns are: {', '.join(known)}.",
            did_you_mean(name, known),
        )


def _auxiliaries(
    skeleton: Cohort, asked: Iterable[str], imputed: tuple[str, ...], levels: bool
) -> tuple[list[str], list[Column]]:
    """Auxiliaries that every subject has once and for all, and the columns of the others."""
    known: list[str] = []
    columns: list[Column] = []
    labels = skeleton.visits.labels
    for text in asked:
        name, visits = text, list(range(len(labels)))
        if name not in (*skeleton.outcomes, *skeleton.covariates) and (match := AT.match(text)):
            name = match["name"]
            if match["visit"] not in labels:
                raise StudyError(
                    "E-STUDY-COLUMN",
                    f"`{match['visit']}` in the auxiliary `{text}` is not a visit.",
                    f"The visits are: {', '.join(labels)}.",
                    did_you_mean(match["visit"], labels),
                )
            visits = [labels.index(match["visit"])]
        _checked(skeleton, name)
        if name in imputed:
            continue
        role = skeleton.covariate_roles.get(name)
        whole = name not in skeleton.outcomes and not _changes(skeleton, name)
        if whole and not skeleton.data[name].isna().any():
            known.append(name)
        elif role is not None and role.levels is not None and not levels:
            raise StudyError(
                "E-STUDY-IMPUTE",
                f"Auxiliary `{name}` has levels, and changes between visits or is not known of everybody.",
                "A joint normal distribution holds numbers, and levels that everybody has once and for all.",
                "Use chained equations: sensitivity.chained(...), or give a level to those of whom it is not known.",
            )
        else:
            columns += [Column(name, visit) for visit in (visits if not whole else visits[:1])]
    return known, columns


def _subject_formula(parsed: Formula, fixed: list[str], known: list[str]) -> Formula:
    """The formula of W: the model's terms without time, and the auxiliaries that everybody has."""
    terms = [tuple(f for f in term if f.variable not in TIMES) for term in parsed.terms]
    kept = [term for term in terms if term and all(f.variable in fixed for f in term)]
    text = " + ".join(["1", *(f"`{name}`" for name in known)])
    extra = _parsed(parsed.response, text).terms
    return replace(
        parsed, terms=tuple(dict.fromkeys((*sorted(kept, key=len), *extra))), intercept=True, random=(), text=text
    )


def _parsed(response: str, right: str) -> Formula:
    from ..design import parse

    return parse(f"`{response}` ~ {right}")


def _wide(skeleton: Cohort, columns: list[Column]) -> Array:
    V = len(skeleton.visits)
    values = {
        name: _numbers(skeleton.data[name]).reshape(-1, V)
        for name in dict.fromkeys(column.variable for column in columns)
    }
    return np.column_stack([values[column.variable][:, column.visit] for column in columns])


def _numbers(values: pd.Series) -> Array:
    """Numbers as they are, levels by their position."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return values.to_numpy(dtype=float)
    codes = values.cat.codes.to_numpy()
    return np.where(codes < 0, np.nan, codes)


def _complete(skeleton: Cohort, names: list[str]) -> NDArray[np.bool_]:
    whole = np.ones(skeleton.n_subjects, dtype=bool)
    for name in names:
        whole &= skeleton.data[name].notna().to_numpy().reshape(-1, len(skeleton.visits)).all(1)
    return whole


def _W(skeleton: Cohort, formula: Formula) -> Array:
    """W (n, p), with columns that may be combinations of others."""
    first = skeleton.data["visit"].cat.codes.to_numpy() == 0
    response = formula.response
    data = skeleton.data[first].assign(**{response: 0.0}).reset_index(drop=True)
    _, rows = build(formula, replace(skeleton, data=data))
    return np.asarray(rows.z[:, :-1])


def _independent(W: Array) -> NDArray[np.intp]:
    """The columns that are no combinations of earlier ones."""
    kept: list[int] = []
    for k in range(W.shape[1]):
        if np.linalg.matrix_rank(_scaled(W[:, [*kept, k]])) > len(kept):
            kept.append(k)
    return np.array(kept, dtype=np.intp)


def _scaled(W: Array) -> Array:
    size = np.linalg.norm(W, axis=0)
    return W / np.where(size > 0, size, 1.0)


def _given(skeleton: Cohort, columns: list[Column], fixed: tuple[str, ...]) -> tuple[str, ...]:
    labels = skeleton.visits.labels
    roles = dict(skeleton.outcome_roles) | dict(skeleton.covariate_roles)
    words: list[str] = []
    for name in dict.fromkeys(column.variable for column in columns):
        visits = [column.visit for column in columns if column.variable == name]
        where = "every visit" if len(visits) == len(labels) else " and ".join(labels[v] for v in visits)
        words.append(f"{roles[name].label} ({where})")
    return (*words, *(roles[name].label for name in fixed))


def _left_out(n: int, names: tuple[str, ...], policy: Policy) -> tuple[Notice, ...]:
    if not n:
        return ()
    told = f"Fewer than {policy.min_cell}" if policy.hides(n) else str(n)
    return (
        Notice(
            "N-MODEL-ROWS-LEFT-OUT",
            f"{told} subjects were left out of the imputation, because a covariate ({', '.join(names)}) is missing.",
            "Fill in what does not change over time, or leave the covariate out.",
        ),
    )
