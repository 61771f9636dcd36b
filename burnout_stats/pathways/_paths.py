"""What a fitted panel model answers: its paths, as they are or standardized, and how well it fits.

    standardized path a_ij √v_jj / √v_ii,   covariance s_ij / √(s_ii s_jj),   variance s_ii / v_ii,   mean m_i / √v_ii

with v the model's covariance of all variables, so a path between within-person parts is standardized within persons.
Intervals and tests of standardized values are by the delta method, with derivatives along the imaginary axis.

**Source**: Bollen 1989, Structural Equations with Latent Variables, pp. 124-126 (standardized coefficients); Oehlert
1992, Am Stat 46:27 (delta method); Squire & Trapp 1998, SIAM Rev 40:110 (complex step).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..describe._pairs import checked_level
from ..engine.multiplicity import t_quantile, two_sided_p
from ..errors import ModelError, one_of
from ..estimates import About, Estimates
from ..estimates.margins import counted
from ..estimates.tabulation import heading, in_sentence
from ._fitting import covariance_of, fit_sentence
from ._nodes import COVARIATE, SCORE, Node
from ._path_fit import PathFit

__all__ = ["WHICH", "fit_indices", "paths"]

Array = NDArray[np.float64]
WHICH = {
    "paths": "paths and the covariances between outcomes",
    "all": "variances, means and covariances with covariates too",
}
STEP = 1e-20
STANDARDIZED = (
    "Standardized: in standard deviations that the model implies{within}; a covariance is then a correlation."
)
AGAINST = (
    "Against the saturated model (log-likelihood {saturated:.2f}; that of the model {model:.2f}); the baseline model "
    "has means and variances only."
)
ROBUST = (
    "They do not rest on normal scores; where scores are not normal, missing ones are assumed to be missing completely "
    "at random."
)


@dataclass(frozen=True, slots=True)
class _Row:
    """An element of the model: A, S or m at (to, source), and what kind of path it is."""

    part: str
    to: int
    source: int
    kind: str
    parameter: int


def paths(
    fit: PathFit,
    *,
    standardized: bool = False,
    which: str = "paths",
    vcov: str = "model",
    conf_level: float = 0.95,
) -> Estimates:
    """The paths of a panel model.

    Parameters
    ----------
    fit : PathFit
    standardized : bool
        In standard deviations.
    which : "paths" or "all"
        With "all", variances, means and covariances with covariates too.
    vcov : "model" or "robust"
        Standard errors from the observed information, or Huber-White.
    conf_level : float

    Returns
    -------
    Estimates
        Kind "paths": rows named by `path`, `from` and `to`, with joint covariance.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION`, `E-STUDY-VALUE`.

    Examples
    --------
    >>> from burnout_stats.pathways import synchronous
    >>> from burnout_stats.studies import example
    >>> found = paths(synchronous(example("villa_sana"), "job_stress", "exhaustion", direction="x_to_y")).frame
    >>> found.loc[found["path"] == "synchronous", ["from", "to"]].values.tolist()
    [['Job stress, 1 year', 'Emotional exhaustion, 1 year']]
    """
    level = checked_level(conf_level)
    one_of("which", which, WHICH)
    rows = [row for row in _rows(fit) if which == "all" or row.kind in _SHOWN]
    V, said = covariance_of(fit.estimated, vcov)
    function = _standardized(fit, rows) if standardized else _plain(rows)
    q = len(fit.estimated.theta)
    theta = fit.estimated.theta + 1j * STEP * np.vstack([np.zeros(q), np.eye(q)])
    with np.errstate(invalid="ignore"):  # a standardized value that has no variance to stand on
        found = function(theta)
    value, G = found[0].real, found[1:].imag.T / STEP
    own = G @ V @ G.T
    fixed = np.array([standardized and row.part == "S" and row.to == row.source for row in rows]) & (
        np.abs(G).max(1) < 1e-12
    )
    error = np.where(fixed, np.nan, np.sqrt(np.maximum(np.diag(own), 0.0)))
    infinite = np.full(len(rows), np.inf)
    half = t_quantile(level, infinite) * error
    untested = np.array([row.part == "S" and row.to == row.source for row in rows])
    statistic = np.where(untested, np.nan, value / error)
    label = [node.label for node in fit.nodes]
    frame = pd.DataFrame(
        {
            "outcome": [fit.nodes[row.to].outcome for row in rows],
            "path": [row.kind for row in rows],
            "from": [label[row.source] for row in rows],
            "to": [label[row.to] for row in rows],
            "estimate": value,
            "std_error": error,
            "df": infinite,
            "statistic": statistic,
            "p_value": two_sided_p(statistic, infinite),
            "conf_low": value - half,
            "conf_high": value + half,
            "n": fit.n_subjects,
            "method": "FIML",
        }
    )
    within = ", of the deviations for paths between deviations" if fit.model == "random-intercept" else ""
    names = {node.outcome: fit.outcomes.get(node.outcome, heading(node.outcome)) for node in fit.nodes}
    about = About(
        kind="paths",
        outcomes=names,
        visit_years=fit.visit_years,
        factors=("path", "from", "to"),
        conf_level=level,
        df_method="asymptotic",
        vcov=vcov,
        notes=(
            f"{title_of(fit)}.",
            *([STANDARDIZED.format(within=within)] if standardized else []),
            *fit.notes,
            f"{said[:1].upper()}{said[1:]}." + (f" {ROBUST}" if vcov == "robust" else ""),
            fit_sentence(fit.estimated),
            *(notice.message for notice in fit.notices),
        ),
        policy=fit.policy,
    )
    return Estimates(frame=frame, vcov=own, about=about, notices=fit.notices, margins=counted([fit.seen] * len(frame)))


def fit_indices(fit: PathFit) -> Estimates:
    """Chi-square against the saturated model, CFI, TLI, RMSEA with its 90% interval, and SRMR.

    Returns
    -------
    Estimates
        Kind "fit_indices": rows named by `index`.

    Raises
    ------
    ModelError
        `E-MODEL-JUST-IDENTIFIED` for a model with 0 df, which has none.

    **Source**: as in `engine.structural`.

    Examples
    --------
    >>> from burnout_stats.pathways import synchronous
    >>> from burnout_stats.studies import example
    >>> found = fit_indices(synchronous(example("villa_sana"), "job_stress", "exhaustion", direction="x_to_y"))
    >>> found.frame["index"].tolist()
    ['chi-square', 'CFI', 'TLI', 'RMSEA', 'SRMR']
    """
    found = fit.estimated.indices
    if found.df <= 0:
        raise ModelError(
            "E-MODEL-JUST-IDENTIFIED",
            f"The {fit.model} model of {len(fit.visit_years)} visits has {found.df} degrees of freedom.",
            "It fits any data, so fit indices tell nothing of it.",
            "Ask for them of a model that leaves something over, such as cross_lagged(waves=3).",
        )
    if np.isnan(found.chi_square):
        raise ModelError(
            "E-MODEL-PAIR-UNSEEN",
            "Two scores of the model are never seen together in one person, or the saturated model has no maximum.",
            "Fit is judged against the model in which every mean and covariance is free.",
            "Leave out a visit.",
        )
    values = {
        "chi-square": found.chi_square,
        "CFI": found.cfi,
        "TLI": found.tli,
        "RMSEA": found.rmsea,
        "SRMR": found.srmr,
    }
    chi = np.array([name == "chi-square" for name in values])
    root = np.array([name == "RMSEA" for name in values])
    frame = pd.DataFrame(
        {
            "outcome": fit.model,
            "index": list(values),
            "estimate": list(values.values()),
            "std_error": np.nan,
            "df": np.where(chi, float(found.df), np.nan),
            "statistic": np.nan,
            "p_value": np.where(chi, found.p_value, np.nan),
            "conf_low": np.where(root, found.rmsea_low, np.nan),
            "conf_high": np.where(root, found.rmsea_high, np.nan),
            "n": fit.n_subjects,
            "method": "FIML",
        }
    )
    about = About(
        kind="fit_indices",
        outcomes={fit.model: title_of(fit)},
        visit_years=fit.visit_years,
        factors=("index",),
        conf_level=0.90,
        notes=(
            AGAINST.format(saturated=fit.estimated.saturated_loglik, model=fit.loglik),
            "Chi-square tests whether the model holds exactly, and assumes normal scores.",
        ),
        policy=fit.policy,
    )
    return Estimates(
        frame=frame,
        vcov=np.full((len(frame), len(frame)), np.nan),
        about=about,
        notices=fit.notices,
        margins=counted([fit.seen] * len(frame)),
    )


def title_of(fit: PathFit) -> str:
    """The model and its outcomes in words."""
    first, second = (in_sentence(label) for label in fit.outcomes.values())
    words = {
        "cross-lagged": "Cross-lagged",
        "synchronous": "Synchronous",
        "random-intercept": "Random-intercept cross-lagged",
    }
    return f"{words[fit.model]} panel model of {first} and {second}, {len(fit.visit_years)} visits"


_SHOWN = frozenset(
    (
        "autoregressive",
        "cross-lagged",
        "synchronous",
        "covariate",
        "covariance",
        "residual covariance",
        "between persons",
    )
)


def _rows(fit: PathFit) -> list[_Row]:
    """The free elements: paths by the variable they lead to, then covariances, variances and means."""
    template, nodes = fit.structure, fit.nodes
    out = []
    order = {"autoregressive": 0, "cross-lagged": 1, "synchronous": 2, "covariate": 3}
    to, source = np.nonzero(template.A_free >= 0)
    found = [
        _Row("A", int(i), int(j), _path_kind(nodes[i], nodes[j]), int(template.A_free[i, j]))
        for i, j in zip(to, source, strict=True)
    ]
    out += sorted(found, key=lambda row: (row.to, order[row.kind]))
    ends = set(to.tolist())
    i, j = np.nonzero(np.triu(template.S_free >= 0))
    elements = list(zip(i.tolist(), j.tolist(), strict=True))
    for a, b in sorted(elements, key=lambda pair: (pair[0] == pair[1], pair)):
        left = "residual " if a in ends else ""
        kind = f"{left}{'variance' if a == b else 'covariance'}"
        if nodes[a].sort == nodes[b].sort == "between" and a != b:
            kind = "between persons"
        elif COVARIATE in (nodes[a].sort, nodes[b].sort) and a != b:
            kind = "covariance with a covariate"
        out.append(_Row("S", b, a, kind, int(template.S_free[a, b])))
    for k in np.flatnonzero(template.m_free >= 0).tolist():
        kind = "intercept" if k in ends else "mean"
        out.append(_Row("m", k, k, kind, int(template.m_free[k])))
    return out


def _path_kind(to: Node, source: Node) -> str:
    if source.sort == COVARIATE:
        return "covariate"
    if to.outcome == source.outcome:
        return "autoregressive"
    return "synchronous" if to.visit == source.visit and to.sort == SCORE else "cross-lagged"


Values = Callable[[NDArray[np.complex128]], NDArray[np.complex128]]


def _plain(rows: list[_Row]) -> Values:
    at = [row.parameter for row in rows]
    return lambda theta: theta[:, at]


def _standardized(fit: PathFit, rows: list[_Row]) -> Values:
    """θ (R, q) to standardized values (R, rows); NaN where a variance that they need is not above 0."""
    template = fit.structure

    def values(theta: NDArray[np.complex128]) -> NDArray[np.complex128]:
        A, S, m = template.filled(theta)  # type: ignore[arg-type]  # complex in, complex out
        _, _, V = template.whole(theta)  # type: ignore[arg-type]
        spread, own = np.diagonal(V, axis1=1, axis2=2), np.diagonal(S, axis1=1, axis2=2)
        sd, residual_sd = (np.sqrt(np.where(part.real > 0, part, np.nan)) for part in (spread, own))
        out = []
        for row in rows:
            i, j = row.to, row.source
            if row.part == "A":
                out.append(A[:, i, j] * sd[:, j] / sd[:, i])
            elif row.part == "m":
                out.append(m[:, i] / sd[:, i])
            elif i == j:
                out.append(S[:, i, i] / sd[:, i] ** 2)
            else:
                out.append(S[:, i, j] / residual_sd[:, i] / residual_sd[:, j])
        return np.column_stack(out)

    return values
