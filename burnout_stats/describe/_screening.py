"""How well a single item, or any short test, finds what a longer scale finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..cohort import Cohort
from ..engine.screening import Row, accuracy, area, fourfold, kappa, predictive_at
from ..errors import StudyError, one_of
from ..estimates import About, Estimates, Policy

__all__ = ["screening", "screening_from_scores", "screening_from_table"]

Array = NDArray[np.float64]
Labels = tuple[str, str]

WILSON = "wilson"
AREA = "area under the curve"
NOTES = ("Intervals: Wilson for shares, log scale for likelihood ratios, DeLong for the area under the curve.",)


def screening(
    cohort: Cohort,
    *,
    test: str,
    reference: str,
    test_cut: float,
    reference_cut: float,
    visit: str | None = None,
    prevalence: float | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """Sensitivity, specificity, predictive values, likelihood ratios, kappa and the area under the curve of a test.

    Parameters
    ----------
    cohort : Cohort
    test, reference : outcomes or numeric covariates
    test_cut, reference_cut : float
        A person is positive from here on; higher scores mean more of what is looked for.
    visit : label, optional
        The first visit where left out. Persons with both scores there are used.
    prevalence : float, optional
        Predictive values are also given at this prevalence, which is taken as known.
    conf_level : float

    Returns
    -------
    Estimates
        Kind "screening": a row for each `measure`; `n` is the number of persons that it is a share of. Where one of the
        four cells holds fewer persons than may be shown, all measures at the cut are hidden, because together they tell
        it.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` or `E-STUDY-OPTION` for unknown names; `E-STUDY-SCREENING` where nobody is positive or nobody
        negative by the reference; `E-STUDY-VALUE` for a prevalence that cannot be.

    Notes
    -----
    **Source**: as in `engine.screening`. Weighted kappa needs a table with the same categories on both sides: see
    `screening_from_table`.

    >>> from burnout_stats.studies import example
    >>> found = screening(
    ...     example("villa_sana"), test="job_stress", reference="exhaustion", test_cut=2.5, reference_cut=3
    ... )
    >>> found.frame["measure"].tolist()[:2]
    ['sensitivity', 'specificity']
    """
    label = cohort.visits.labels[0] if visit is None else one_of("visit", visit, cohort.visits.labels)
    labels = (_label(cohort, test), _label(cohort, reference))
    at = cohort.data[cohort.data["visit"].eq(label)][[test, reference]].astype(float).dropna()
    return _of_scores(
        at[test].to_numpy(),
        at[reference].to_numpy(),
        (test_cut, reference_cut),
        labels,
        prevalence,
        conf_level,
        policy=cohort.policy,
        notes=(f"Persons with both scores at {label}.",),
    )


def screening_from_scores(
    test: ArrayLike,
    reference: ArrayLike,
    *,
    test_cut: float,
    reference_cut: float,
    prevalence: float | None = None,
    conf_level: float = 0.95,
    policy: Policy | None = None,
) -> Estimates:
    """The same from two arrays of scores of the same persons; pairs with a missing score are left out.

    `policy` says how small a group may be shown; 5 where left out.

    Raises
    ------
    StudyError
        `E-STUDY-SCREENING` for arrays of different lengths, or without both kinds of persons; `E-STUDY-VALUE` for a
        prevalence that cannot be.

    Examples
    --------
    >>> found = screening_from_scores([1, 2, 3, 4], [0, 0, 1, 1], test_cut=3, reference_cut=1).frame
    >>> found["estimate"].tolist()[:2]
    [1.0, 1.0]
    """
    x, y = np.asarray(test, dtype=float), np.asarray(reference, dtype=float)
    if x.shape != y.shape or x.ndim != 1:
        raise _refused(
            f"The test has shape {x.shape} and the reference {y.shape}.", "Give one score of each per person."
        )
    known = ~(np.isnan(x) | np.isnan(y))
    cuts = (test_cut, reference_cut)
    return _of_scores(
        x[known], y[known], cuts, ("Test", "Reference"), prevalence, conf_level, policy=policy or Policy(), notes=()
    )


def screening_from_table(
    counts: pd.DataFrame | ArrayLike,
    *,
    test_cut: float,
    reference_cut: float,
    test_levels: Sequence[float] | None = None,
    reference_levels: Sequence[float] | None = None,
    prevalence: float | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """The same from a printed table of counts: rows are levels of the test, columns levels of the reference.

    Parameters
    ----------
    counts : table (test levels × reference levels)
        Of a DataFrame the index and columns are the levels.
    test_cut, reference_cut : float
        One of the levels each: positive from there on.
    test_levels, reference_levels : numbers in ascending order
        For a plain array.
    prevalence, conf_level
        As in `screening`.

    Returns
    -------
    Estimates
        As `screening`; with the same levels on both sides also kappa of the whole table, plain and weighted.

    Raises
    ------
    StudyError
        `E-STUDY-SCREENING` for a table, levels or cuts that cannot be.

    Examples
    --------
    >>> table = [[40, 10], [5, 45]]
    >>> found = screening_from_table(table, test_levels=[0, 1], reference_levels=[0, 1], test_cut=1, reference_cut=1)
    >>> [round(value, 3) for value in found.frame["estimate"][:2]]
    [0.818, 0.889]
    """
    if isinstance(counts, pd.DataFrame):
        rows, columns = _levels(counts.index.to_numpy()), _levels(counts.columns.to_numpy())
    else:
        rows, columns = _levels(test_levels), _levels(reference_levels)
    table = np.asarray(counts, dtype=float)
    whole = table.ndim == 2 and table.shape == (len(rows), len(columns)) and bool((table >= 0).all())
    if not whole or (table != np.round(table)).any():
        raise _refused(
            f"The table has shape {table.shape}, with {len(rows)} and {len(columns)} levels.",
            "Give whole counts, a row for each level of the test and a column for each of the reference, ascending.",
        )
    cuts = (_at(rows, test_cut, "test_cut"), _at(columns, reference_cut, "reference_cut"))
    same = len(rows) > 2 and np.array_equal(rows, columns)
    found = _measures(table, cuts, prevalence, conf_level, agree=same)
    return _estimates(
        found, ("Test", "Reference"), conf_level, policy=Policy(1), cells=None, notes=_cuts(test_cut, reference_cut)
    )


def _of_scores(
    x: Array,
    y: Array,
    cuts: tuple[float, float],
    labels: Labels,
    prevalence: float | None,
    conf_level: float,
    *,
    policy: Policy,
    notes: tuple[str, ...],
) -> Estimates:
    levels, code = np.unique(x, return_inverse=True)
    positive = y >= cuts[1]
    table = np.zeros((len(levels), 2))
    np.add.at(table, (code, positive.astype(np.int64)), 1)
    at = int(np.searchsorted(levels, cuts[0]))
    found = _measures(table, (at, 1), prevalence, conf_level, agree=False)
    cells = fourfold(table, at, 1).ravel()
    return _estimates(found, labels, conf_level, policy=policy, cells=cells, notes=(*notes, *_cuts(*cuts)))


def _measures(
    table: Array, cuts: tuple[int, int], prevalence: float | None, conf_level: float, *, agree: bool
) -> list[tuple[str, Row, float, str]]:
    """Each measure as name, numbers, number of persons and method."""
    if not 0 < conf_level < 1 or (prevalence is not None and not 0 < prevalence < 1):
        raise StudyError(
            "E-STUDY-VALUE",
            f"`prevalence` is {prevalence} and `conf_level` is {conf_level}.",
            "Both lie between 0 and 1.",
            "Write for example prevalence=0.10.",
        )
    four = fourfold(table, *cuts)
    if (four.sum(axis=0) == 0).any():
        raise _refused(
            "By the reference, all persons are on one side of its cut.", "Choose another cut, or another visit."
        )
    n = float(table.sum())
    found = []
    for name, (row, of) in accuracy(four, conf_level=conf_level).items():
        found.append((name, row, of, "log scale" if "ratio" in name else WILSON))
    if prevalence is not None:
        for name, row in predictive_at(four, prevalence, conf_level=conf_level).items():
            found.append((f"{name} at a prevalence of {100 * prevalence:g}%", row, n, "logit scale"))
    found.append(("kappa", kappa(four, conf_level=conf_level), n, "asymptotic"))
    if agree:
        for weights in ("none", "linear", "quadratic"):
            name = "kappa of all levels" if weights == "none" else f"kappa of all levels, {weights} weights"
            found.append((name, kappa(table, weights=weights, conf_level=conf_level), n, "asymptotic"))
    at = cuts[1]
    curve = area(table[:, at:].sum(axis=1), table[:, :at].sum(axis=1), conf_level=conf_level)
    found.append((AREA, curve, n, "delong"))
    return found


def _estimates(
    found: list[tuple[str, Row, float, str]],
    labels: Labels,
    conf_level: float,
    *,
    policy: Policy,
    cells: Array | None,
    notes: tuple[str, ...],
) -> Estimates:
    rows = []
    for measure, (estimate, error, low, high), n, method in found:
        rows.append(
            {
                "outcome": labels[0],
                "measure": measure,
                "estimate": estimate,
                "std_error": error,
                "df": np.nan,
                "statistic": np.nan,
                "p_value": np.nan,
                "conf_low": low,
                "conf_high": high,
                "n": n,
                "method": method,
            }
        )
    frame = pd.DataFrame(rows)
    vcov = np.full((len(frame), len(frame)), np.nan)
    np.fill_diagonal(vcov, frame["std_error"].to_numpy(dtype=float) ** 2)
    about = About(
        kind="screening",
        outcomes={labels[0]: f"{labels[0]} against {labels[1]}"},
        factors=("measure",),
        conf_level=conf_level,
        notes=(*notes, *NOTES),
        policy=policy,
    )
    return Estimates(frame=frame, vcov=vcov, about=about, cells=_cells(cells, frame["measure"]))


def _cells(cells: Array | None, measures: pd.Series) -> Array | None:
    """The four cells beside each measure at the cut, which tells them; none beside the area, which does not."""
    if cells is None:
        return None
    at_cut = ~measures.eq(AREA).to_numpy()
    return np.where(at_cut[:, None], cells, np.nan)


def _label(cohort: Cohort, name: str) -> str:
    roles = cohort.covariate_roles
    if name in roles and roles[name].levels is None:
        return roles[name].label
    return cohort.outcome(name).label


def _cuts(test_cut: float, reference_cut: float) -> tuple[str, ...]:
    return (f"Test positive at {test_cut:g} or more, reference positive at {reference_cut:g} or more.",)


def _levels(levels: Sequence[float] | NDArray[Any] | None) -> Array:
    if levels is None:
        raise _refused(
            "The table has no levels.",
            "Give `test_levels` and `reference_levels`, or a DataFrame with them as labels.",
        )
    try:
        numbers = np.asarray(list(levels), dtype=float)
    except (TypeError, ValueError):
        raise _refused("The levels are not numbers.", "Write for example test_levels=[1, 2, 3, 4, 5].") from None
    if len(numbers) < 2 or not (np.diff(numbers) > 0).all():
        raise _refused("The levels do not ascend.", "Write for example test_levels=[1, 2, 3, 4, 5].")
    return numbers


def _at(levels: Array, cut: float, name: str) -> int:
    place = np.flatnonzero(levels == cut)
    if not place.size or place[0] == 0:
        above = ", ".join(f"{level:g}" for level in levels[1:])
        raise _refused(f"`{name}` is {cut:g}.", f"It is a level above the lowest: {above}.")
    return int(place[0])


def _refused(seen: str, advice: str) -> StudyError:
    return StudyError(
        "E-STUDY-SCREENING",
        seen,
        "Rows are ascending levels of the test, columns of the reference, and both kinds of persons are there.",
        advice,
    )
