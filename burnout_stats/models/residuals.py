"""What the model leaves over: residuals row by row, distances subject by subject, and whether the covariance fits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ..errors import one_of
from ..estimates import About, Summaries
from .clusters import ClusteredState, clustered
from .degrees_of_freedom import MomentsState
from .measured import refuse_counted
from .random_effects import RowsState, not_nominal
from .result import Fit

__all__ = ["KINDS", "covariance_check", "mahalanobis", "nominal", "residuals"]

Array = NDArray[np.float64]
Whiten = Callable[[Array, Array], Array]


def _pearson(r: Array, V: Array) -> Array:
    return r / np.sqrt(np.diagonal(V, axis1=-2, axis2=-1))


def _normalized(r: Array, V: Array) -> Array:
    whitened: Array = np.linalg.solve(np.linalg.cholesky(V), r[..., None])[..., 0]
    return whitened


KINDS: dict[str, Whiten] = {"response": lambda r, V: r, "pearson": _pearson, "normalized": _normalized}


def residuals(fit: Fit, kind: str = "response") -> pd.DataFrame:
    """Observed minus fitted scores, Xβ̂ (marginal: random effects count as part of the residual).

    Numbers of single persons, without identifiers: for the eyes of those who may see the data.

    Parameters
    ----------
    kind : "response", "pearson" or "normalized"
        In the units of the outcome; divided by the SD of the visit; or L⁻¹r with Σ[S, S] = LL', which are independent
        and of variance 1 where the model is right (each is what the subject's earlier visits do not predict).

    Returns
    -------
    DataFrame
        `subject` (its ordinal in the cohort), `visit`, `fitted`, `residual`, in the order of the model's rows.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for an unknown kind.
    ModelError
        `E-MODEL-NEEDS-ROWS` where the fit was made from moments only; `E-MODEL-CLUSTERED` where subjects are not
        independent and the kind is not "response".

    **Source**: Pinheiro & Bates 2000, Mixed-Effects Models in S and S-PLUS, sections 4.3 and 5.3; as `residuals` of
    R's nlme.

    >>> from burnout_stats.models import MMRM, fit
    >>> from burnout_stats.studies import example
    >>> frame = residuals(fit(MMRM("exhaustion ~ visit"), example("villa_sana")), "normalized")
    >>> list(frame), f"{frame['residual'].std():.1f}"
    (['subject', 'visit', 'fitted', 'residual'], '1.0')
    """
    one_of("kind", kind, KINDS)
    refuse_counted(fit, "Residuals are")
    rows = fit.needed_rows()
    fitted, raw = _fitted(fit)
    result = raw.copy()
    for at, V in _stacks(fit) if kind != "response" else ():
        result[at] = KINDS[kind](raw[at], V)
    labels = fit.design.visits.labels
    return pd.DataFrame(
        {
            "subject": rows.ordinal[rows.subject],
            "visit": pd.Categorical.from_codes(rows.visit, dtype=pd.CategoricalDtype(list(labels), ordered=True)),
            "fitted": fitted,
            "residual": result,
        }
    )


def mahalanobis(fit: Fit) -> pd.DataFrame:
    """How far each subject lies from its expected scores: r'Σ[S, S]⁻¹r, chi-squared on its number of visits.

    Numbers of single persons, without identifiers: for the eyes of those who may see the data.

    Returns
    -------
    DataFrame
        `subject` (its ordinal in the cohort), `n_visits`, `distance`, `p_value` (of one subject by itself: of 200
        subjects, ten lie below 0.05 where the model is right).

    Raises
    ------
    ModelError
        `E-MODEL-NEEDS-ROWS` where the fit was made from moments only.

    **Source**: Mahalanobis 1936, Proc Natl Inst Sci India 2:49; Waternaux, Laird & Ware 1989, JASA 84:33, for repeated
    measures.
    """
    refuse_counted(fit, "Distances of subjects are")
    rows = fit.needed_rows()
    _, raw = _fitted(fit)
    white = np.empty(len(raw))
    for at, V in _stacks(fit):
        white[at] = _normalized(raw[at], V)
    n_visits = np.bincount(rows.subject)
    distance = np.bincount(rows.subject, weights=white**2)
    return pd.DataFrame(
        {
            "subject": rows.ordinal,
            "n_visits": n_visits,
            "distance": distance,
            "p_value": special.chdtrc(n_visits, distance),
        }
    )


def covariance_check(fit: Fit) -> Summaries:
    """Whether the covariance structure fits: observed against fitted SDs of visits and correlations between them.

    Returns
    -------
    Summaries
        For every visit and pair of visits, with `n` the subjects seen there: "observed" and "fitted" SD or correlation,
        and "z", the difference of the two (co)variances in standard errors that it has if the model is right. A z
        beyond 2 or 3 says that the structure is too simple; an unstructured covariance has z near 0.

    Notes
    -----
    Observed (co)variances are means of the products of residuals over the subjects seen at both visits, made from
    cross-products by pattern, so no rows are needed; they are about p/N too small, as all residuals are. Their standard
    error is √((σ_aa σ_bb + σ_ab²) / n), that of normal scores with known means (Anderson 2003, An Introduction to
    Multivariate Statistical Analysis, section 3.4).
    """
    state = nominal(fit)
    moments, at = state.moments, state.optimum.at
    scale = float(state.basis.scale)
    c = np.append(-at.beta, 1.0)
    products = np.einsum("i,sabij,j->sab", c, moments.T, c) * scale**2
    pairs = moments.n[:, None, None] * (moments.patterns[:, :, None] & moments.patterns[:, None, :])
    labels, groups = fit.visits.labels, fit.design.groups or ("",)
    rows: list[dict[str, object]] = []
    for g, group in enumerate(groups):
        mine = moments.groups == g
        n, total, sigma = pairs[mine].sum(0), products[mine].sum(0), at.sigma[g] * scale**2
        with np.errstate(divide="ignore", invalid="ignore"):
            observed = total / n
            error = np.sqrt((np.outer(np.diagonal(sigma), np.diagonal(sigma)) + sigma**2) / n)
            z = (observed - sigma) / error
            shown = [_sd_and_correlation(matrix) for matrix in (observed, sigma)]
        for a, first in enumerate(labels):
            for b in range(a, len(labels)):
                level = first if a == b else f"{first}, {labels[b]}"
                quantity = "SD" if a == b else "correlation"
                row = {"variable": fit.outcome.name, "level": level} | ({"group": group} if fit.design.groups else {})
                for statistic, value in (
                    (f"{quantity} observed", shown[0][a, b]),
                    (f"{quantity} fitted", shown[1][a, b]),
                    ("z", z[a, b]),
                ):
                    rows.append(row | {"statistic": statistic, "value": float(value), "n": float(n[a, b])})
    outcome = fit.outcome
    return Summaries(
        frame=pd.DataFrame(rows),
        about=About(
            kind="covariance_check",
            outcomes={outcome.name: outcome.label},
            units={outcome.name: outcome.unit},
            visit_years=fit.design.visits.by_label(),
            factors=("level",),
            by=("group",) if fit.design.groups else (),
            policy=fit.design.policy,
        ),
        notices=fit.notices,
    )


def _sd_and_correlation(matrix: Array) -> Array:
    sd = np.sqrt(np.diagonal(matrix))
    result: Array = np.where(np.eye(len(sd), dtype=bool), sd, matrix / np.outer(sd, sd))
    return result


def _fitted(fit: Fit) -> tuple[Array, Array]:
    """Xβ̂ and y − Xβ̂ of every row."""
    rows = fit.needed_rows()
    fitted: Array = rows.z[:, fit.kept] @ fit.coef.to_numpy()[fit.kept]
    return fitted, rows.z[:, -1] - fitted


def nominal(fit: Fit) -> MomentsState:
    """The state of a fit with one covariance of the visits for all subjects (or for all of a group).

    Raises
    ------
    ModelError
        `E-MODEL-NOT-NOMINAL` where random effects give every subject a covariance of its own, `E-MODEL-CLUSTERED` where
        subjects are not independent.
    """
    refuse_counted(fit, "This is")
    if isinstance(fit.state, ClusteredState):
        raise clustered()
    if isinstance(fit.state, RowsState):
        raise not_nominal()
    return fit.state


def _stacks(fit: Fit) -> list[tuple[NDArray[np.intp], Array]]:
    """The rows of subjects that are alike, (subjects × visits), and their V: one for all of a missingness pattern; for
    each subject, (subjects × visits × visits), where random effects are not nominal.
    """
    rows = fit.needed_rows()
    starts = np.flatnonzero(np.r_[True, rows.subject[1:] != rows.subject[:-1]])
    if isinstance(fit.state, RowsState):
        return _by_length(fit, starts)
    state = nominal(fit)
    moments = state.moments
    sigma = state.optimum.at.sigma * float(state.basis.scale) ** 2
    seen = np.zeros((len(starts), len(fit.seen)), dtype=bool)
    seen[rows.subject, np.searchsorted(fit.seen, rows.visit)] = True
    group = np.zeros(len(starts), dtype=np.int64) if rows.group is None else rows.group
    parts = []
    for pattern, g in zip(moments.patterns, moments.groups, strict=True):
        members = np.flatnonzero((seen == pattern).all(1) & (group == g))
        visits = np.flatnonzero(pattern)
        parts.append((starts[members, None] + np.arange(len(visits)), sigma[g][np.ix_(visits, visits)]))
    return parts


def _by_length(fit: Fit, starts: NDArray[np.intp]) -> list[tuple[NDArray[np.intp], Array]]:
    assert fit.random is not None
    rows = fit.needed_rows()
    Z = fit.random.columns(rows)
    counts = np.bincount(rows.subject)
    parts = []
    for k in np.unique(counts):
        at = starts[counts == k, None] + np.arange(k)
        V = Z[at] @ fit.random.G @ np.swapaxes(Z[at], -1, -2) + fit.random.sigma**2 * np.eye(k)
        parts.append((at, V))
    return parts
