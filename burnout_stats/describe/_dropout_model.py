"""What told at baseline who would be lost: a logistic model of dropout."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from ..cohort import Cohort
from ..design.encode import Encoder, Variable, encoder
from ..design.parse import parse
from ..engine.logistic import Logistic, fit_logistic, profile_limits, separating
from ..errors import ModelError, StudyError, one_of
from ..estimates import About, Estimates
from ..notices import Notice, announce
from ._characteristics import Known, at_baseline
from ._completed import LOST, Completed

__all__ = ["dropout_model"]

Array = NDArray[np.float64]
LIMITS = {"profile": "profile-likelihood", "wald": "Wald (from the standard error of the logarithm)"}


def dropout_model(
    cohort: Cohort,
    terms: str | Iterable[str],
    visit: str | Iterable[str] = (),
    *,
    need: str = "all",
    interval: str = "profile",
    conf_level: float = 0.95,
) -> Estimates:
    """Odds ratios of being lost, by what was known at baseline.

    Parameters
    ----------
    cohort : Cohort
    terms : str or names
        The right side of a formula ("sex + exhaustion + age", with `*`, `:` and the transforms of models), or names of
        covariates and outcomes.
    visit, need
        Who was lost, as in `attrition`.
    interval : "profile" or "wald"
        How the limits of the odds ratios are found.
    conf_level : float
        Coverage of the intervals.

    Returns
    -------
    Estimates
        Kind "odds_ratios": for each term but the intercept the odds ratio in `estimate`, its standard error (that of
        its logarithm times the ratio, as Stata prints it), z and p of the logarithm, and limits. A categorical variable
        is compared with its first level, a number goes up by 1 of its units. Subjects with a value that is not known
        are left out, which a note says. `n` is the smallest of the numbers lost and not lost, at a level of a
        categorical variable also those at that level.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-FORMULA`, `E-STUDY-VALUE` (an unknown visit, random effects), `E-STUDY-OPTION`.
    ModelError
        `E-MODEL-EMPTY` where nobody was lost or all were, `E-MODEL-SINGULAR` where a term follows from others,
        `E-MODEL-SEPARATION` where a term tells some of the lost from the others without error.

    **Source**: McCullagh & Nelder 1989, Generalized Linear Models, chapter 4; Venzon & Moolgavkar 1988, Appl Stat
    37:87 (profile limits).

    Examples
    --------
    >>> import pandas as pd
    >>> from burnout_stats.cohort import read_cohort
    >>> data = {
    ...     "id": [*range(8), 1, 2, 3, 7],
    ...     "visit": ["a"] * 8 + ["b"] * 4,
    ...     "y": [1.0] * 8 + [2.0] * 4,
    ...     "sex": list("FFFFMMMMFFFM"),
    ... }
    >>> cohort = read_cohort(pd.DataFrame(data), subject="id", visit="visit", times={"a": 0, "b": 1}, outcomes=["y"])
    >>> found = dropout_model(cohort, "sex", "b").frame
    >>> found[["term", "estimate"]].round(2).to_numpy().tolist()
    [['sex[M]', 9.0]]
    """
    one_of("interval", interval, LIMITS)
    by = Completed(visit if isinstance(visit, str) else tuple(visit), need=need)
    names = terms if isinstance(terms, str) else " + ".join(f"`{name}`" for name in terms)
    formula = parse(f"{LOST} ~ {names}")
    if formula.random or not formula.terms:
        raise StudyError(
            "E-STUDY-VALUE",
            f"The model of dropout is `{names}`.",
            "It has one row for each subject, and terms without random effects.",
            'Write for example "sex + exhaustion".',
        )
    known = at_baseline(cohort, formula.variables)
    complete = np.logical_and.reduce([variable.known for variable in known])
    y = (~by.seen(cohort)).astype(float)[complete]
    encoded = encoder(formula, {variable.name: _learned(variable, complete) for variable in known})
    values = {
        variable.name: variable.values[complete].astype(np.int64) if variable.levels else variable.values[complete]
        for variable in known
    }
    X = encoded.columns(values, len(y))
    _refuse(X, y, encoded, by.visits(cohort))
    optimum = fit_logistic(X, y)
    left_out = int((~complete).sum())
    notices = _notices(optimum)
    announce(notices)
    return _odds_ratios(
        X,
        y,
        optimum,
        encoded,
        interval,
        About(
            kind="odds_ratios",
            outcomes={LOST: f"Lost at {', '.join(by.visits(cohort))}"},
            factors=("term",),
            conf_level=conf_level,
            df_method="asymptotic",
            notes=(
                by.words(cohort),
                f"Logistic regression of being lost on baseline values; intervals: {LIMITS[interval]}.",
                *(_left_out(left_out, cohort.policy.min_cell) if left_out else ()),
                "n: the smallest number of persons that a row rests on.",
            ),
            policy=cohort.policy,
        ),
        notices,
    )


def _learned(variable: Known, complete: NDArray[np.bool_]) -> Variable:
    """The variable as the coding sees it: only levels that somebody has."""
    values = variable.values[complete]
    if variable.levels:
        return Variable(variable.name, variable.levels)
    many = len(values) > 1
    mean, sd = (float(values.mean()), float(values.std(ddof=1))) if many else (np.nan, np.nan)
    return Variable(variable.name, mean=mean, sd=sd, row_mean=mean)


def _refuse(X: Array, y: Array, encoded: Encoder, visits: tuple[str, ...]) -> None:
    """Where the likelihood has no maximum, or many."""
    if len(y) == 0 or y.min() == y.max():
        raise ModelError(
            "E-MODEL-EMPTY",
            f"Of the subjects whose values are all known, {'all' if len(y) and y[0] else 'none'} were lost at "
            f"{', '.join(visits)}.",
            "A model of dropout needs both subjects who were lost and subjects who were not.",
            "Take fewer variables, or another visit.",
        )
    lengths = np.sqrt((X**2).sum(axis=0))
    R = np.linalg.qr(X / np.where(lengths > 0, lengths, 1.0), mode="r")
    follows = np.abs(np.diag(R)) < 1e-9
    if follows.any():
        raise ModelError(
            "E-MODEL-SINGULAR",
            f"The term {_named(encoded, follows)} follows from the terms before it, or is 0 for everyone.",
            "Each term must tell something of its own about the subjects.",
            "Leave it out, or merge a level that nobody has.",
        )
    apart = separating(X, y)
    if apart.any():
        raise ModelError(
            "E-MODEL-SEPARATION",
            f"The terms {_named(encoded, apart)} tell some of the lost from the others without error.",
            "An odds ratio is then 0 or infinite, and its estimate does not exist.",
            "Merge levels with few subjects, or leave the term out.",
        )


def _named(encoded: Encoder, which: NDArray[np.bool_]) -> str:
    names = [name for name, is_one in zip(encoded.names, which, strict=True) if is_one]
    told = [name for name in names if name != "Intercept" and name != "(Intercept)"] or names
    return ", ".join(f"`{name}`" for name in told)


def _notices(optimum: Logistic) -> tuple[Notice, ...]:
    if optimum.converged:
        return ()
    return (
        Notice(
            "N-MODEL-NOT-CONVERGED",
            "The model of dropout did not reach a verified optimum.",
            "Give its numbers in units nearer to 1, or take fewer terms.",
        ),
    )


def _left_out(n: int, min_cell: int) -> tuple[str, ...]:
    told = f"fewer than {min_cell}" if n < min_cell else str(n)
    return (f"Subjects left out because a value is not known: {told}.",)


def _odds_ratios(
    X: Array, y: Array, optimum: Logistic, encoded: Encoder, interval: str, about: About, notices: tuple[Notice, ...]
) -> Estimates:
    places = [place for place in range(X.shape[1]) if (X[:, place] != 1).any()]
    se = np.sqrt(np.diag(optimum.vcov))
    z = optimum.beta / se
    quantile = float(ndtri((1 + about.conf_level) / 2))
    rows = []
    for place in places:
        beta = optimum.beta[place]
        low, high = beta - quantile * se[place], beta + quantile * se[place]
        if interval == "profile":
            low, high = profile_limits(X, y, optimum, place, about.conf_level)
        rows.append(
            {
                "outcome": LOST,
                "term": encoded.names[place],
                "estimate": np.exp(beta),
                "std_error": np.exp(beta) * se[place],
                "df": np.inf,
                "statistic": z[place],
                "p_value": 2 * float(ndtr(-abs(z[place]))),
                "conf_low": np.exp(low),
                "conf_high": np.exp(high),
                "n": _fewest(X[:, place], y),
                "method": interval,
            }
        )
    ratio = np.exp(optimum.beta[places])
    vcov = optimum.vcov[np.ix_(places, places)] * np.outer(ratio, ratio)
    return Estimates(frame=pd.DataFrame(rows), vcov=vcov, about=about, notices=notices)


def _fewest(x: Array, y: Array) -> int:
    """The smallest group above 0: lost or not, at the two values of a column that has two."""
    values = np.unique(x)
    cells = [y == 0, y == 1]
    if len(values) == 2:
        cells = [cell & (x == value) for cell in cells for value in values]
    return int(min(cell.sum() for cell in cells if cell.any()))
