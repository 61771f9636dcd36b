"""Everybody in turn at each cell: the rows of a model with some factors set, the means there, and their derivatives.

With X^c the columns of all rows with the asked factors set to those of cell c, and s_i the share of a row:
m_c = Σ_i s_i h(x_i^c'β̂), and for random effects h is integrated over their distribution at z_i^c.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..design.newdata import new_values
from ..engine.mean_scales import averaged, mean_of
from ..errors import StudyError
from ..models.estimability import estimable_rows
from ..models.fitted import Fitted
from ..models.gee_fit import GeeFit
from ..models.generalized_fit import GeneralizedFit
from ..models.result import Fit
from .counting import rows_of_cohort
from .generalized import family_of

__all__ = ["Everybody", "everybody_of", "in_cell", "is_estimable", "means_of"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Everybody:
    """The values of all variables at the rows of a model; subject (N,) and share (N,), which sums to 1; weight (n,)."""

    values: Mapping[str, NDArray[np.generic]]
    subject: NDArray[np.int64]
    share: Array
    weight: Array


def everybody_of(fit: Fitted, cohort: Cohort | None) -> Everybody:
    """The rows of a model; an MMRM or LMM does not keep its cohort.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` without a cohort where one is needed, or for ordered categories.
    """
    counted, rows = getattr(fit, "counted", None), getattr(fit, "rows", None)
    own = cohort if counted is None else counted.cohort
    if own is None or rows is None:
        raise StudyError(
            "E-STUDY-VALUE",
            "Standardized means are asked of a fit that does not keep the covariates of its subjects.",
            "They are averages over the covariates as they were observed.",
            'Give the cohort too: standardized(fit, "visit", cohort=cohort).',
        )
    if family_of(fit) == "ordinal":
        raise StudyError(
            "E-STUDY-VALUE",
            "Standardized means are asked of ordered categories.",
            "Such categories have probabilities, and no mean.",
            'Use emmeans(fit, "visit", scale="marginal"), or make the event a category and above.',
        )
    variables = dict(fit.design.encoder.variables)
    if isinstance(fit, GeneralizedFit) and fit.design.random is not None:
        variables |= {name: v for part in fit.design.random.parts for name, v in part.variables.items()}
    frame = own.data.iloc[rows_of_cohort(rows, own)]
    weight = np.ones(len(rows.ordinal)) if rows.weight is None else rows.weight
    share = (weight / np.bincount(rows.subject))[rows.subject]
    return Everybody(
        values=new_values(frame, variables, own.visits),
        subject=rows.subject,
        share=share / share.sum(),
        weight=weight,
    )


def in_cell(everybody: Everybody, fit: Fitted, levels: Mapping[str, object]) -> tuple[Array, Array]:
    """X (N × p) and Z (N × q) with everybody at these levels."""
    n_rows = len(everybody.subject)
    values = dict(everybody.values)
    years = np.array(fit.design.visits.years)
    told: dict[str, float] = {}
    for name, level in levels.items():
        variable = fit.design.encoder.variables[name]
        told[name] = variable.levels.index(str(level)) if variable.is_categorical else float(level)  # type: ignore[arg-type]
    if "visit" in told:
        told |= {name: years[int(told["visit"])] for name in ("years", "exact_years") if name not in told}
    elif "years" in told:
        told["visit"] = int(np.abs(years - told["years"]).argmin())
    for name, value in told.items():
        if name in values:
            kind = values[name].dtype
            values[name] = np.full(n_rows, value, dtype=kind)
    X = fit.design.encoder.columns(values, n_rows)
    random = fit.design.random if isinstance(fit, GeneralizedFit) else None
    Z = np.zeros((n_rows, 0)) if random is None else random.columns(values, n_rows)
    return X, Z


def is_estimable(fit: Fitted, X: Array) -> bool:
    """Whether the data can estimate the mean of every row of X."""
    return bool(estimable_rows(fit.null, X).all())


# ---- means and their derivatives -------------------------------------------------------------------------------------


def means_of(
    fit: Fitted, cells: list[tuple[Array, Array]], everybody: Everybody
) -> tuple[Array, Array, Array, Array | None]:
    """m (c,), J (c × parameters), the parts of the subjects (c × n), and for random effects the covariance J Φ J'."""
    values, slopes, parts = [], [], []
    for X, Z in cells:
        if isinstance(fit, GeneralizedFit):
            value, slope = _integrated(fit, X, Z)
        elif isinstance(fit, GeeFit):
            eta = X[:, fit.kept] @ fit.beta
            value, slope = fit.spec.margin.mean(eta), fit.spec.margin.slope(eta)[:, None] * X
        elif isinstance(fit, Fit):
            value, slope = X[:, fit.kept] @ fit.coef.to_numpy(dtype=float)[fit.kept], X
        else:
            raise StudyError(
                "E-STUDY-VALUE",
                f"Standardized means are asked of {type(fit).__name__}.",
                "They are made from one fitted GEE, GLMM, MMRM or LMM.",
                "Ask the fit of each data set.",
            )
        values.append(everybody.share @ value)
        slopes.append(everybody.share @ slope)
        parts.append(np.bincount(everybody.subject, everybody.share * value))
    m, J = np.array(values), np.array(slopes)
    if not isinstance(fit, GeneralizedFit):
        return m, J, np.array(parts), None
    return m, J, np.array(parts), J @ fit.optimum.vcov @ J.T


def _integrated(fit: GeneralizedFit, X: Array, Z: Array) -> tuple[Array, Array]:
    """The mean of each row over the random effects, and its derivatives by all parameters."""
    problem, psi = fit.problem, fit.optimum.psi
    p, t, _ = problem.sizes
    root = np.zeros((Z.shape[1], Z.shape[1]))
    if t:
        root[problem.free[:, 0], problem.free[:, 1]] = psi[p : p + t]
    turned = Z @ root
    inner = X[:, fit.kept] @ fit.transform[:, :p]
    mean = mean_of(f"{fit.spec.family}/{fit.spec.link_name}", fit.spec.zeros)
    eta, variance, gamma = inner @ psi[:p], (turned**2).sum(axis=1), psi[p + t :]
    # rows that are alike are integrated once
    pairs, place = np.unique(np.column_stack([eta, variance]), axis=0, return_inverse=True)
    at = averaged(mean, pairs[:, 0], pairs[:, 1], gamma)
    place = place.ravel()
    of_theta = 2 * Z[:, problem.free[:, 0]] * turned[:, problem.free[:, 1]] if t else np.zeros((len(X), 0))
    slope = np.hstack(
        [at.of_eta[place, None] * inner, at.of_variance[place, None] * of_theta, at.of_gamma[place].reshape(len(X), -1)]
    )
    return at.value[place], slope
