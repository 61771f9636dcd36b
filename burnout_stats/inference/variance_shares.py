"""What part of the variance lies between subjects, and what part a model explains: ICC and R²."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ..estimates import Estimates
from ..models import Fit
from ..models.clusters import ClusteredState, clustered
from ..models.measured import refuse_counted
from ..models.random_effects import RowsState
from ..models.residuals import nominal
from .about import about
from .intervals import checked_level
from .weighted import refuse_weighted

__all__ = ["average_covariance", "icc", "r_squared"]

Array = NDArray[np.float64]


def icc(fit: Fit, *, conf_level: float = 0.95) -> Estimates:
    """The intraclass correlation: the part of the variance that lies between subjects.

    Returns
    -------
    Estimates
        "adjusted", of the variance around the fixed effects, with an interval by the delta method on Fisher's z; and
        "conditional", of the total variance, the fixed effects counted among it (no interval).

    Notes
    -----
    In an MMRM the part between subjects is the mean covariance of two visits, the variance the mean variance of a
    visit: with covariance="cs" this is σ²_between / (σ²_between + σ²_within), and where correlations differ between
    pairs of visits their average in this sense, which a note says. In an LMM the part between subjects is the mean over
    the rows of the variance of their random effects. Where random effects are not nominal there is no interval.

    **Source**: Shrout & Fleiss 1979, Psychol Bull 86:420; adjusted and conditional as in Nakagawa, Johnson & Schielzeth
    2017, J R Soc Interface 14:20170213, and R's performance.
    """
    checked_level(conf_level)
    refuse_weighted(fit)
    _refuse_clustered(fit)
    between, total = _between(fit)
    value = between / total
    error, limits = np.nan, np.full(2, np.nan)
    if not isinstance(fit.state, RowsState) and abs(value) < 1:
        g_between, g_total = _between_slopes(fit)
        g = (g_between - value * g_total) / total
        error = float(np.sqrt(g @ fit.state.theta_covariance("observed") @ g))
        margin = float(special.ndtri((1 + conf_level) / 2)) * error / (1 - value**2)
        limits = np.tanh(np.arctanh(value) + np.array([-margin, margin]))
    conditional = between / (total + _fixed_variance(fit))
    rows = [("ICC, adjusted", value, error, *limits), ("ICC, conditional", conditional, np.nan, np.nan, np.nan)]
    notes = ["Adjusted: of the variance around the fixed effects; conditional: of the total variance."]
    if fit.random is None and not _exchangeable(fit):
        notes.append("Correlations differ between pairs of visits; this is mean covariance over mean variance.")
    return _shares(fit, rows, conf_level, tuple(notes))


def r_squared(fit: Fit) -> Estimates:
    """The part of the variance that the fixed effects explain (marginal), and they and the subjects (conditional).

    Returns
    -------
    Estimates
        Without intervals. The conditional one is given for an LMM, and where all pairs of visits are alike
        (covariance="cs"): elsewhere what belongs to a subject and what to an occasion is not told apart.

    Notes
    -----
    Marginal: σ²_f / (σ²_f + σ²), σ²_f the variance of Xβ̂ over the rows, σ² the mean over the rows of the variance of
    their visit; conditional: (σ²_f + σ²_between) / (σ²_f + σ²).

    **Source**: Nakagawa & Schielzeth 2013, Methods Ecol Evol 4:133, in the form for normal scores; Johnson 2014,
    Methods Ecol Evol 5:944, for the mean over the rows where variances differ.
    """
    _refuse_clustered(fit)
    fixed, (between, sigma) = _fixed_variance(fit), _row_variances(fit)
    whole = fixed + sigma
    rows = [("R2, marginal", fixed / whole, np.nan, np.nan, np.nan)]
    notes: tuple[str, ...] = ("Variance of the fitted values over the rows, against the variance around them.",)
    if fit.random is not None or _exchangeable(fit):
        rows.append(("R2, conditional", (fixed + between) / whole, np.nan, np.nan, np.nan))
    else:
        notes += ("What belongs to subjects is not told apart from occasions here, so there is no conditional R2.",)
    return _shares(fit, rows, 0.95, notes)


def _refuse_clustered(fit: Fit) -> None:
    """Clusters have a variance of their own, which is neither between nor within subjects."""
    refuse_counted(fit, "The share of variance is")
    if isinstance(fit.state, ClusteredState):
        raise clustered()


def average_covariance(fit: Fit) -> tuple[Array, Array, Array]:
    """Σ (V, V) averaged over the subjects of its groups, in the units of the outcome; its derivatives in θ (m, V, V);
    and the covariance of θ̂.
    """
    state = nominal(fit)
    moments, optimum = state.moments, state.optimum
    n_groups = len(optimum.at.sigma)
    n = np.bincount(moments.groups, weights=moments.n, minlength=n_groups)
    scale = float(state.basis.scale) ** 2
    sigma = np.einsum("g,gab->ab", n / n.sum(), optimum.at.sigma) * scale
    first, _ = state.covariance.derivatives(optimum.theta)
    slopes = np.einsum("g,mgab->mab", n / n.sum(), first) * scale
    return sigma, slopes, state.theta_covariance("observed")


def _fixed_variance(fit: Fit) -> float:
    """σ²_f: the variance of Xβ̂ over the rows."""
    rows = fit.needed_rows()
    fitted, weights = rows.z[:, fit.kept] @ fit.coef.to_numpy()[fit.kept], _row_weights(fit)
    total = float(len(fitted) if weights is None else weights.sum())
    center = np.average(fitted, weights=weights)
    return float(np.average((fitted - center) ** 2, weights=weights)) * total / (total - 1)


def _row_variances(fit: Fit) -> tuple[float, float]:
    """The mean over the rows of the variance between subjects (where it is told apart), and of all."""
    if fit.random is not None:
        rows = fit.needed_rows()
        Z = fit.random.columns(rows)
        between = float(np.average(np.einsum("na,ab,nb->n", Z, fit.random.G, Z), weights=_row_weights(fit)))
        return between, between + fit.random.sigma**2
    state = nominal(fit)
    moments, at = state.moments, state.optimum.at
    variances = np.diagonal(at.sigma, axis1=-2, axis2=-1)[moments.groups] * moments.patterns
    total = float((moments.n[:, None] * variances).sum() / moments.n_obs * state.basis.scale**2)
    return _mean_covariance(average_covariance(fit)[0]), total


def _row_weights(fit: Fit) -> Array | None:
    rows = fit.needed_rows()
    return None if rows.weight is None else rows.weight[rows.subject]


def _mean_covariance(sigma: Array) -> float:
    """The mean of what stands off the diagonal; NaN for one visit."""
    V = len(sigma)
    return float((sigma.sum() - np.trace(sigma)) / (V * (V - 1))) if V > 1 else np.nan


def _between(fit: Fit) -> tuple[float, float]:
    """The variance between subjects, and all of it: means over the rows of an LMM, over the visits of an MMRM."""
    if fit.random is not None:
        return _row_variances(fit)
    sigma = average_covariance(fit)[0]
    return _mean_covariance(sigma), float(np.trace(sigma)) / len(sigma)


def _between_slopes(fit: Fit) -> tuple[Array, Array]:
    """∂/∂θ of both; of an LMM the variance of the residual, σ² = exp(2θ₁), is taken from the whole."""
    slopes = average_covariance(fit)[1]
    of_visits = np.diagonal(slopes, axis1=1, axis2=2)
    V = slopes.shape[-1]
    if fit.random is None:
        whole = of_visits.mean(1)
        return np.asarray((slopes.sum((1, 2)) - V * whole) / (V * (V - 1))), np.asarray(whole)
    moments = nominal(fit).moments
    whole = of_visits @ (moments.n @ moments.patterns) / float(moments.n_obs)
    residual = np.zeros(len(slopes))
    residual[0] = 2 * fit.random.sigma**2
    return np.asarray(whole - residual), np.asarray(whole)


def _exchangeable(fit: Fit) -> bool:
    """Whether every pair of visits has the same covariance, and every visit the same variance."""
    sigma = average_covariance(fit)[0]
    V = len(sigma)
    if V < 2:
        return False
    off = sigma[~np.eye(V, dtype=bool)]
    alike = np.allclose(off, off[0], rtol=1e-9, atol=0) and np.allclose(np.diagonal(sigma), sigma[0, 0], rtol=1e-9)
    return bool(alike and off[0] >= 0)


def _shares(
    fit: Fit, rows: list[tuple[str, float, float, float, float]], conf_level: float, notes: tuple[str, ...]
) -> Estimates:
    frame = pd.DataFrame(rows, columns=["term", "estimate", "std_error", "conf_low", "conf_high"])
    frame.insert(0, "outcome", fit.outcome.name)
    for position, name in enumerate(("df", "statistic", "p_value"), start=4):
        frame.insert(position, name, np.nan)
    frame["n"], frame["method"] = float(fit.n_subjects), "asymptotic"
    kind = about(fit, kind="shares", factors=("term",), conf_level=conf_level, df_method="asymptotic", notes=notes)
    vcov = np.diag(frame["std_error"].to_numpy() ** 2)
    return Estimates(frame=frame, vcov=vcov, about=kind, notices=fit.notices)
