"""What each subject contributes to an estimate: the scores that tie the estimates of several models together.

To first order L β̂ − L β = Σ_i ψ_i with ψ_i = L Φ X_i' V_i⁻¹ (y_i − X_i β̂), which add up to 0; Σ_i ψ_i ψ_i' is the plain
sandwich (CR0). Two models of the same subjects have the covariance Σ_i ψ_i^(a) ψ_i^(b)', whatever each assumes.

The scores of a small sample are too short, and each answer has a covariance V of its own (Kenward-Roger's, say). So
those of a fit are multiplied by the T that takes their covariance C = Σ ψ ψ' to V:

    T = (V C⁻¹)^½,    T C T' = V

(T is the one such matrix that does not depend on how the rows of L are written, and is near I where the model is
right.) Then each fit's block of the joint covariance is its own, and the joint covariance is positive semidefinite.

**Source**: Pipper, Ritz & Bisgaard 2012, J R Stat Soc C 61:315 (stacked scores of several models); Liang & Zeger 1986,
Biometrika 73:13. The rescaling is our choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..engine import influence as deletion
from ..estimates import Estimates
from ..models import Fit
from ..models.degrees_of_freedom import MomentsState

__all__ = ["Scores", "scores"]

Array = NDArray[np.float64]
SINGULAR = 1e-10
"""Smallest eigenvalue, as part of the largest, at which scores no longer span what is asked."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Scores:
    """Scores of several estimates: numbers about single persons, for computing with and not for showing.

    Attributes
    ----------
    psi : (n, k) array
        By subject of the cohort; 0 where a subject is not in the model, NaN in the columns that have no scores.
    known : (k,) array
        Which estimates have scores.
    """

    psi: Array
    known: NDArray[np.bool_]


def scores(parts: Sequence[Estimates]) -> Scores:
    """The scores of estimates of one cohort, one part below the other.

    There are none for estimates that are detached, of pooled, clustered or frequency-weighted fits, of random effects
    at times of one's own, of fits that know no rows, or of another cohort than the first; nor for rows that cannot be
    estimated, nor where one subject alone determines one.
    """
    sizes = [len(part) for part in parts]
    starts = np.cumsum([0, *sizes])
    fits = [part.answers for part in parts]
    first = next((fit for fit in fits if _has_scores(fit)), None)
    ids = None if first is None else first.needed_rows().ids  # type: ignore[attr-defined]  # a Fit
    n = 0 if ids is None else len(ids)
    psi = np.full((n, int(starts[-1])), np.nan)
    done: set[tuple[int, str, str]] = set()
    for part, fit in zip(parts, fits, strict=True):
        key = _key(part)
        if key in done or not isinstance(fit, Fit) or not _has_scores(fit):
            continue
        own = fit.needed_rows().ids
        if own is None or ids is None or not np.array_equal(own, ids):
            continue
        done.add(key)
        same = [k for k, other in enumerate(parts) if _key(other) == key]
        columns = np.concatenate([np.arange(starts[k], starts[k + 1]) for k in same])
        L = np.concatenate([np.asarray(parts[k].L, dtype=float) for k in same])
        psi[:, columns] = _of_fit(fit, L, part.about.df_method, part.about.vcov, n)
    return Scores(psi=psi, known=np.isfinite(psi).all(0) if n else np.zeros(psi.shape[1], dtype=bool))


def _key(part: Estimates) -> tuple[int, str, str]:
    return id(part.answers), part.about.df_method, part.about.vcov


def _has_scores(fit: object) -> bool:
    return (
        isinstance(fit, Fit)
        and isinstance(fit.state, MomentsState)
        and fit.rows is not None
        and fit.rows.cluster is None
        and (fit.rows.weight is None or fit.has_probability_weights)
    )


def _of_fit(fit: Fit, L: Array, df: str, vcov: str, n: int) -> Array:
    """ψ T' of the rows of L, (n, k); NaN for rows without."""
    found = np.full((n, len(L)), np.nan)
    V = fit.answer(L, df=df, vcov=vcov).vcov
    told = np.flatnonzero(np.isfinite(np.diag(V)))
    if not len(told):
        return found
    _, s, rows = np.linalg.svd(L[told])
    rank = int((s > SINGULAR * max(float(s[0]), 1e-300)).sum())
    basis = rows[:rank]
    raw = _plain(fit, basis)
    C = raw.T @ raw
    values = np.linalg.eigvalsh(C / np.sqrt(np.outer(np.diag(C), np.diag(C)))) if (np.diag(C) > 0).all() else [0.0]
    if values[0] <= SINGULAR:
        return found
    T = _between(C, fit.answer(basis, df=df, vcov=vcov).vcov)
    psi = np.zeros((n, len(told)))
    psi[fit.needed_rows().ordinal - 1] = raw @ T.T @ (L[told] @ basis.T).T
    found[:, told] = psi
    return found


def _plain(fit: Fit, L: Array) -> Array:
    """ψ_i = L Φ X_i' V_i⁻¹ r_i, (subjects of the fit, k)."""
    rows, state = fit.needed_rows(), fit.state
    assert isinstance(state, MomentsState)
    columns = np.append(fit.kept, rows.z.shape[1] - 1)
    subjects = deletion.subjects_of(
        state.moments,
        rows.z[:, columns],
        rows.subject,
        np.searchsorted(fit.seen, rows.visit),
        group=rows.group,
        weights=rows.weight,
    )
    H = deletion.products(state.moments, subjects, state.optimum.at.A)
    p = state.moments.n_columns
    inner, _ = state.basis.functions(L[:, fit.kept])
    u = H[:, :p, p] - H[:, :p, :p] @ state.gamma
    psi: Array = u @ state.Phi @ inner.T
    return psi


def _between(C: Array, V: Array) -> Array:
    """T = (V C⁻¹)^½ for positive definite C, so that T C T' = V."""
    root = np.linalg.cholesky(C)
    left = np.linalg.solve(root, np.linalg.solve(root, V).T)
    values, vectors = np.linalg.eigh((left + left.T) / 2)
    middle = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    T: Array = np.linalg.solve(root.T, (root @ middle).T).T
    return T
