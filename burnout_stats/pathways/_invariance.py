"""Longitudinal measurement invariance: whether items measure one thing in the same way at all visits.

    y_jk = κ_jk + λ_jk η_k + u_jk,   Cov(u_jk, u_jl) free for the same item j at visits k and l, 0 for different items

    configural   κ and λ free at every visit
    metric       λ_jk = λ_j
    scalar       λ_jk = λ_j and κ_jk = κ_j
    strict       and Var u_jk = θ_j

The first item has loading 1 and intercept 0 at every visit, which gives each η_k a scale and a mean in every model.

**Source**: Meredith 1993, Psychometrika 58:525 (the levels); Widaman, Ferrer & Conger 2010, Child Dev Perspect 4:10,
and Little 2013, Longitudinal Structural Equation Modeling, chapter 5 (over time, residuals of an item correlated);
Cheung & Rensvold 2002, Struct Equ Modeling 9:233 (change of CFI); Widaman & Thompson 2003, Psychol Methods 8:16 (which
null model).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from ..cohort import Cohort
from ..engine.structural import Template
from ..errors import StudyError, one_of
from ..estimates import About, Estimates
from ..notices import Notice, announce
from ._fitting import LIKELIHOOD, Wide, chosen, fitted, trouble
from ._nested import compared
from ._specification import specified

__all__ = ["LEVELS", "invariance", "measurement_model"]

LEVELS: Mapping[str, str] = MappingProxyType(
    {
        "configural": "one factor behind the items at every visit, loadings and intercepts free",
        "metric": "the same loadings at all visits: needed to compare variances and correlations over time",
        "scalar": "and the same intercepts: needed to compare means; a fall of the scores is then a fall of the factor",
        "strict": "and the same residual variances: needed to compare reliabilities and variances of sum scores",
    }
)
"""What is held equal over visits, from the weakest model to the strongest, and what for."""
CUSTOM = (
    "A fall of CFI of more than 0.010 is often taken as a sign that the stronger model does not hold (Cheung & "
    "Rensvold 2002, from simulated groups with complete data); a chi-square difference finds small departures in large "
    "samples and misses large ones in small samples. Neither proves that the items measure the same."
)
NULL = (
    "CFI and TLI compare with the model without any covariance and with free means, as lavaan does; that model is not "
    "nested in the scalar and strict ones (Widaman & Thompson 2003), whose CFI another null model would change."
)
NUMERIC = (
    "Items are taken as numeric and normal; answers in four categories or fewer call for a model of ordered "
    "categories, which this is not."
)
MARKER = (
    "The item {first} sets the scale and cannot show a lack of invariance of its own; residuals of an item may go "
    "together over visits."
)


def invariance(
    cohort: Cohort,
    items: Sequence[str],
    *,
    visits: Sequence[str] | None = None,
    levels: Sequence[str] = ("configural", "metric", "scalar"),
    name: str = "",
) -> Estimates:
    """How well items fit one factor at every visit as more and more is held equal over the visits.

    Parameters
    ----------
    cohort : Cohort
    items : names of numeric columns, three or more
        Outcomes or covariates; items that run the other way are turned before.
    visits : names, optional
        Two or more; all where left out.
    levels : names
        Of "configural", "metric", "scalar" and "strict"; each is compared with the next weaker one named.
    name : str, optional
        What the items measure, for the table.

    Returns
    -------
    Estimates
        Kind "invariance", named by `model`, `measure` and `against`.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-VISITS`, `E-STUDY-OPTION`, `E-STUDY-VALUE` for fewer than three items.
    ModelError
        `E-MODEL-NO-SPREAD`, `E-MODEL-NOT-IDENTIFIED`.

    Examples
    --------
    >>> import pandas as pd
    >>> from burnout_stats.cohort import read_cohort
    >>> rng = np.random.default_rng(1)
    >>> true = rng.normal(size=(150, 1)) + 0.5 * rng.normal(size=(150, 2))
    >>> answers = true.reshape(-1, 1) + 0.6 * rng.normal(size=(300, 3))
    >>> frame = pd.DataFrame(answers.round(2), columns=["i1", "i2", "i3"])
    >>> frame = frame.assign(id=np.repeat(range(150), 2), visit=["start", "end"] * 150)
    >>> cohort = read_cohort(
    ...     frame, subject="id", visit="visit", times={"start": 0, "end": 1}, outcomes=["i1", "i2", "i3"]
    ... )
    >>> found = invariance(cohort, ["i1", "i2", "i3"]).frame
    >>> found.loc[found["measure"] == "chi-square", "df"].tolist()
    [5.0, 7.0, 9.0]
    """
    for level in levels:
        one_of("levels", level, LEVELS)
    names = tuple(items)
    if len(names) < 3:
        raise StudyError(
            "E-STUDY-VALUE",
            f"{len(names)} items are named.",
            "One factor with invariance to be tested needs three or more items.",
            "Name all items of the scale, or use change_scores() with a reliability.",
        )
    wide = chosen(cohort, names, visits)
    ordered = [level for level in LEVELS if level in levels]
    fits = {}
    notices: list[Notice] = []
    for level in ordered:
        model, start = measurement_model(wide, level)
        fits[level] = fitted(wide.flat, model, start, what=f"the {level} model")
        notices += trouble(fits[level], f"the {level} model")
    label = name or f"{len(names)} items"
    about = About(
        kind="invariance",
        conf_level=0.90,
        outcomes={label: label},
        visit_years=dict(zip(wide.visits, wide.years.tolist(), strict=True)),
        factors=("model", "measure", "against"),
        notes=(
            *(f"{level.capitalize()}: {LEVELS[level]}." for level in ordered),
            MARKER.format(first=wide.labels[0]),
            LIKELIHOOD.format(said="the items are the scores here"),
            NUMERIC,
            *((CUSTOM,) if len(ordered) > 1 else ()),
            NULL,
        ),
        policy=cohort.policy,
    )
    announce(notices)
    nested = [(strong, weak) for weak, strong in pairwise(ordered)]
    return compared(fits, nested, outcome=label, seen=wide.seen, about=about, notices=tuple(notices))


def measurement_model(wide: Wide, level: str) -> tuple[Template, dict[str, float]]:
    """One factor behind the items at every visit, with what `level` holds equal, and values to begin with."""
    held = list(LEVELS).index(level)
    columns = np.array(wide.columns).reshape(len(wide.names), len(wide.visits))
    factors = [f"factor@{visit}" for visit in wide.visits]
    means: dict[str, float | str] = {factor: f"mean {factor}" for factor in factors}
    paths: dict[tuple[str, str], float | str] = {}
    covariances: dict[tuple[str, str], float | str] = {
        (a, b): f"cov {a} {b}" for k, a in enumerate(factors) for b in factors[k:]
    }
    start = {f"cov {a} {b}": 0.0 for a, b in covariances}
    marker = np.nanmean(wide.Y[:, 0], axis=0)
    for k, factor in enumerate(factors):
        start |= {f"mean {factor}": float(marker[k]), f"cov {factor} {factor}": float(np.nanvar(wide.Y[:, 0, k])) / 2}

    def name(what: str, j: int, k: int, equal: bool) -> str:
        return f"{what} {wide.names[j]}" if equal else f"{what} {columns[j, k]}"

    for j in range(len(wide.names)):
        mean, variance = np.nanmean(wide.Y[:, j], axis=0), np.nanvar(wide.Y[:, j], axis=0)
        for k, factor in enumerate(factors):
            place = columns[j, k]
            loading, intercept = name("loading", j, k, held >= 1), name("intercept", j, k, held >= 2)
            residual = name("residual", j, k, held >= 3)
            paths[place, factor] = loading if j else 1.0
            means[place] = intercept if j else 0.0
            covariances[place, place] = residual
            start |= {loading: 1.0, intercept: float(mean[k] - marker[k]), residual: float(variance[k]) / 2}
            for later in columns[j, k + 1 :]:
                covariances[place, later] = f"residual {place} {later}"
                start[f"residual {place} {later}"] = 0.0
    return specified(columns.ravel().tolist(), factors, paths=paths, covariances=covariances, means=means), start
