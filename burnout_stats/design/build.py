"""A formula and a cohort become rows of numbers: the one place where names turn into columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort.cohort import Cohort
from ..cohort.roles import Outcome, Visits
from ..engine.moments import distinct
from ..errors import ModelError, StudyError, did_you_mean
from ..estimates import Policy
from ..notices import Notice
from .encode import Encoder, Variable, encoder
from .grid import Cells, ReferenceGrid
from .parse import Formula
from .random import RandomDesign, clusters_of, random_design, random_variables, subject_parts

__all__ = ["Design", "Rows", "build", "rows_left_out"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Rows:
    """What the engine reads.

    Attributes
    ----------
    z : (N, p + 1) array
        (X, y).
    subject, visit : (N,) arrays
        Subjects 0, 1, ... in order, visits 0, 1, ...
    ordinal : (n,) array
        For each of the n subjects, its ordinal in the cohort.
    group, weight, cluster : (n,) arrays, optional
        Covariance group, weight and cluster of each subject.
    random : (N, q) array, optional
        The columns Z of the random effects, where they differ between subjects seen at the same visit.
    nested : (n,) array, optional
        The cluster of each subject, where the formula has a random effect of clusters.
    ids : array, optional
        The identifiers of the cohort by ordinal, for `Fit.subject_ids` alone.
    """

    z: Array
    subject: NDArray[np.int64]
    visit: NDArray[np.int64]
    ordinal: NDArray[np.int64]
    group: NDArray[np.int64] | None = None
    weight: Array | None = None
    random: Array | None = None
    nested: NDArray[np.int64] | None = None
    cluster: NDArray[np.int64] | None = None
    ids: NDArray[np.object_] | None = None

    def __repr__(self) -> str:
        return f"<Rows: {len(self.subject)} of {len(self.ordinal)} subjects>"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Design:
    """How the columns were made and what they mean; holds no rows.

    Attributes
    ----------
    formula, outcome, visits : what was asked
    encoder : Encoder
    grid : ReferenceGrid
    n_cohort : subjects in the cohort, with or without an outcome
    policy : what may be shown (the cohort's)
    groups : labels of the covariance groups; empty where there is one covariance
    notices : rows that had to be left out
    random : how the columns of the random effects are made; None where the formula has none
    """

    formula: Formula
    outcome: Outcome
    visits: Visits
    encoder: Encoder
    grid: ReferenceGrid
    n_cohort: int
    policy: Policy
    groups: tuple[str, ...]
    notices: tuple[Notice, ...]
    random: RandomDesign | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the p columns."""
        return self.encoder.names

    @property
    def min_cell(self) -> int:
        """The smallest group that may be shown."""
        return self.policy.min_cell


def build(
    formula: Formula, cohort: Cohort, *, group: str | None = None, weight: str | None = None, cluster: str | None = None
) -> tuple[Design, Rows]:
    """The design of a formula on a cohort, and its rows: those with the outcome and every covariate.

    `group`, `weight` and `cluster` name columns that do not change within a subject (`covariance_by`, `weights` and
    `cluster` of a model).

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for a name that the cohort does not have, `E-STUDY-FORMULA` for a role that cannot stand in the
        fixed part.
    ModelError
        `E-MODEL-EMPTY` where no row is complete, `E-MODEL-CHANGES` where a group, cluster or weight changes within a
        subject, `E-MODEL-WEIGHT` for weights that are not positive numbers.
    """
    data = cohort.data
    outcome = _outcome(formula.response, cohort)
    y = data[formula.response].to_numpy(dtype=float)
    fixed = formula.variables
    columns = {name: _column(name, cohort) for name in dict.fromkeys((*fixed, *random_variables(formula)))}
    nested = clusters_of(formula)
    sides = {name: _column(name, cohort) for name in (group, weight, cluster, nested) if name is not None}
    present = ~np.isnan(y)
    complete = present.copy()
    for values, _ in (*columns.values(), *sides.values()):
        complete &= np.greater_equal(values, 0) if values.dtype.kind == "i" else ~np.isnan(values)
    if not complete.any():
        raise ModelError(
            "E-MODEL-EMPTY",
            f"No row of the cohort has `{formula.response}` with {', '.join(columns) or 'anything'}.",
            "A model needs rows in which the outcome and every covariate are known.",
            "Look at the missing values with describe.by_visit(cohort).",
        )
    rows = slice(None) if complete.all() else np.flatnonzero(complete)
    ordinals = data["subject"].to_numpy()[rows]
    subject = _consecutive(ordinals)
    first = np.flatnonzero(np.r_[True, subject[1:] != subject[:-1]])
    levels_of = {name: sides[name][1] for name in sides}
    of_subject: dict[str, NDArray[np.generic]] = {
        name: _constant_within(name, values[rows], subject, first) for name, (values, _) in sides.items()
    }
    visits = columns["visit"][0] if "visit" in columns else _codes(data["visit"])
    visit = visits[rows].astype(np.int64)
    taken = {name: values[rows] for name, (values, _) in columns.items()}
    labels, codes = _grouped(group, of_subject, levels_of)
    share = 1.0 / np.bincount(subject)[subject]
    learned = {name: _learned(name, taken[name], levels, share, cohort) for name, (_, levels) in columns.items()}
    variables = {name: learned[name] for name in fixed}
    random = random_design(formula, learned) if subject_parts(formula) else None
    made = encoder(formula, variables)
    z = np.empty((len(subject), len(made.names) + 1))
    made.columns(taken, len(subject), out=z)
    z[:, -1] = y[rows]
    if not np.isfinite(z).all():
        raise ModelError(
            "E-MODEL-NOT-FINITE",
            "A transform in the formula gives values that are not finite.",
            "log() needs positive values and sqrt() none below zero.",
            "Look at the range of the transformed column.",
        )
    grid = ReferenceGrid(
        encoder=made,
        cells=_cells(taken, variables, subject, visit, len(cohort.visits), share),
        visit_years=cohort.visits.by_label(),
        units={name: role.unit for name, role in cohort.covariate_roles.items()},
    )
    design = Design(
        formula=formula,
        outcome=outcome,
        visits=cohort.visits,
        encoder=made,
        grid=grid,
        n_cohort=cohort.n_subjects,
        policy=cohort.policy,
        groups=labels,
        notices=rows_left_out(int(present.sum()), int(complete.sum()), formula, tuple(columns), cohort.policy),
        random=random,
    )
    return design, Rows(
        z=z,
        subject=subject,
        visit=visit,
        ordinal=ordinals[first],
        ids=cohort.ids,
        group=codes,
        weight=None if weight is None else _positive(weight, of_subject[weight]),
        random=None if random is None or random.is_nominal else random.columns(taken, len(subject)),
        nested=None if nested is None else np.unique(of_subject[nested], return_inverse=True)[1].astype(np.int64),
        cluster=None if cluster is None else np.unique(of_subject[cluster], return_inverse=True)[1].astype(np.int64),
    )


def _outcome(name: str, cohort: Cohort) -> Outcome:
    role = cohort.covariate_roles.get(name)
    if role is not None and role.levels is None:
        return Outcome(name, label=role.label, unit=role.unit)
    return cohort.outcome(name)


def _column(name: str, cohort: Cohort) -> tuple[NDArray[np.generic], tuple[str, ...]]:
    """Codes (-1 missing) and levels of a categorical column, or values (NaN missing) and no levels."""
    if name == "visit":
        return _codes(cohort.data["visit"]), cohort.visits.labels
    if name == "subject":
        raise StudyError(
            "E-STUDY-FORMULA",
            "`subject` stands in the fixed part of the formula.",
            "Subjects are what the covariance and the random effects are about.",
            "Leave it out; MMRM knows which rows belong to one subject.",
        )
    exact = ("exact_years",) if "exact_years" in cohort.data else ()
    known = ("visit", "years", *exact, *cohort.outcomes, *cohort.covariates)
    if name not in known:
        raise StudyError(
            "E-STUDY-COLUMN",
            f"Column `{name}` is not in the cohort.",
            f"Its columns are: {', '.join(known)}.",
            did_you_mean(name, known),
        )
    column = cohort.data[name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _codes(column), tuple(map(str, column.dtype.categories))
    return column.to_numpy(dtype=float), ()


def _codes(column: pd.Series) -> NDArray[np.integer]:
    """The codes of a categorical column, without the detour of its accessor."""
    categorical = column.array
    if not isinstance(categorical, pd.Categorical):
        raise TypeError(f"{column.dtype} is no categorical column")
    return np.asarray(categorical.codes)


def _constant_within(
    name: str, values: NDArray[np.generic], subject: NDArray[np.int64], first: NDArray[np.intp]
) -> NDArray[np.generic]:
    """The value of each subject."""
    own = values[first]
    changing = len(np.unique(subject[values != own[subject]]))
    if changing:
        raise ModelError(
            "E-MODEL-CHANGES",
            f"`{name}` changes between the visits of {changing} subjects.",
            "A group of the covariance, a cluster or a weight belongs to a subject and stays the same at every visit.",
            "Use the value at baseline on every row.",
        )
    return own


def _grouped(
    group: str | None, of_subject: Mapping[str, NDArray[np.generic]], levels: Mapping[str, tuple[str, ...]]
) -> tuple[tuple[str, ...], NDArray[np.int64] | None]:
    """Labels of the covariance groups that have subjects, and the group of each subject."""
    if group is None:
        return (), None
    if not levels[group]:
        raise StudyError(
            "E-STUDY-OPTION",
            f"`covariance_by` is `{group}`, which is numeric.",
            "A covariance of its own is given to each level of a categorical column.",
            "Declare its levels under [covariates].",
        )
    present, codes = np.unique(of_subject[group], return_inverse=True)
    return tuple(levels[group][int(k)] for k in present), codes.astype(np.int64)


def _positive(name: str, values: NDArray[np.generic]) -> Array:
    weights = np.asarray(values, dtype=float)
    if not (weights > 0).all() or not np.isfinite(weights).all():
        raise ModelError(
            "E-MODEL-WEIGHT",
            f"`{name}` has values that are not above 0.",
            "A weight is a positive number; a subject that should not count is left out.",
            "Leave those subjects out with cohort.subset(...).",
        )
    return weights


def _learned(name: str, values: NDArray[np.generic], levels: tuple[str, ...], share: Array, cohort: Cohort) -> Variable:
    if levels:
        return Variable(name, levels, cohort.visits.years if name == "visit" else ())
    numbers = np.asarray(values, dtype=float)
    total = share.sum()
    mean = float(numbers @ share / total)
    spread = float(np.sqrt((numbers - mean) ** 2 @ share / max(total - 1, 1)))
    return Variable(name, mean=mean, sd=spread, row_mean=float(numbers.mean()))


def _consecutive(subject: NDArray[np.generic]) -> NDArray[np.int64]:
    """0, 1, ... for sorted subject ordinals."""
    steps = np.empty(len(subject), dtype=np.int64)
    steps[0] = 0
    np.not_equal(subject[1:], subject[:-1], out=steps[1:], casting="unsafe")
    return np.cumsum(steps)


def _cells(
    taken: Mapping[str, NDArray[np.generic]],
    variables: Mapping[str, Variable],
    subject: NDArray[np.int64],
    visit: NDArray[np.int64],
    n_visits: int,
    share: Array,
) -> Cells:
    others = [name for name, variable in variables.items() if variable.is_categorical and name != "visit"]
    sizes = [len(variables[name].levels) for name in others]
    code = np.zeros(len(subject), dtype=np.int64)
    for name, size in zip(others, sizes, strict=True):
        code = code * size + taken[name].astype(np.int64)
    both = code * n_visits + visit
    found, where = distinct(both)
    rows = np.bincount(where, minlength=len(found)).astype(float)
    weight = np.bincount(where, weights=share, minlength=len(found)).astype(float)
    changes = np.r_[True, (subject[1:] != subject[:-1]) | (code[1:] != code[:-1])]
    pairs = (
        np.unique(np.column_stack([subject[changes], code[changes]]), axis=0)
        if changes.sum() > subject[-1] + 1
        else None
    )
    once = code[changes] if pairs is None else pairs[:, 1]
    own, of = distinct(once)
    visits = (found % n_visits)[:, None]
    return Cells(
        names=("visit", *others),
        codes=np.hstack([visits, _digits(found // n_visits, sizes)]),
        rows=rows,
        weight=weight,
        subject_codes=_digits(own, sizes),
        subjects=np.bincount(of, minlength=len(own)).astype(float),
    )


def _digits(codes: NDArray[np.int64], sizes: list[int]) -> NDArray[np.int64]:
    if not sizes:
        return np.zeros((len(codes), 0), dtype=np.int64)
    columns = []
    for size in reversed(sizes):
        columns.append(codes % size)
        codes = codes // size
    return np.column_stack(columns[::-1]).astype(np.int64)


def rows_left_out(
    n_present: int, n_complete: int, formula: Formula, names: tuple[str, ...], policy: Policy
) -> tuple[Notice, ...]:
    """A notice of rows that have the outcome and lack a covariate (one of `names`); it does not tell how few."""
    n = n_present - n_complete
    if not n:
        return ()
    told = f"Fewer than {policy.min_cell}" if policy.hides(n) else f"{n} of {n_present}"
    return (
        Notice(
            "N-MODEL-ROWS-LEFT-OUT",
            f"{told} rows with `{formula.response}` were left out, "
            f"because a covariate of the model ({', '.join(names)}) is missing there.",
            "Fill in what does not change over time, or leave the covariate out.",
        ),
    )
