"""Where an optimization begins: from least-squares residuals, from elsewhere, and from the edges; and when one start is
not enough.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .covariance import Covariance
from .moments import Moments
from .packed import PackedMoments, packed

__all__ = ["edges", "is_scarce", "is_thin", "other_starts", "start_sigma"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
FEW_SUBJECTS = 30
"""With fewer subjects than this for each covariance parameter of one data set one start is not trusted: there may be
two optima. (In a stack further starts are for replicates that are not verified.)
"""
EDGE = 5.0
"""How far a parameter is moved to start near a bound."""
SCATTERED, SCATTER = 8, 1.5
"""How many further starts lie around the first, and their standard deviation in θ."""


def start_sigma(moments: Moments | PackedMoments) -> Array:
    """A positive definite start for Σ, shape (..., V, V): residual cross-products of ordinary least squares, pair by
    pair of visits.

    Correlations are shrunk toward 0 until the smallest eigenvalue of their matrix is at least 0.05.
    """
    moments = packed(moments)
    p = moments.n_columns
    gram = moments.gram
    beta = _least_squares(gram[..., :p, :p], gram[..., :p, p])
    c = np.concatenate([-beta, np.ones((*beta.shape[:-1], 1))], axis=-1)
    products = moments.weigh(c[..., :, None] * c[..., None, :]).sum(-3)
    pairs = moments.patterns[:, :, None] & moments.patterns[:, None, :]
    counts = np.einsum("...p,pab->...ab", moments.n, pairs.astype(float))
    covariance = products / np.maximum(counts, 1.0)
    variances = np.diagonal(covariance, axis1=-2, axis2=-1)
    typical = np.maximum(variances.mean(-1, keepdims=True), 1e-8)
    sd = np.sqrt(np.maximum(variances, 1e-4 * typical))
    correlation = covariance / (sd[..., :, None] * sd[..., None, :])
    on_diagonal = np.arange(covariance.shape[-1])
    correlation[..., on_diagonal, on_diagonal] = 1.0
    smallest = np.linalg.eigvalsh(correlation)[..., 0]
    shrink = np.clip((0.05 - smallest) / (1.0 - np.minimum(smallest, 0.0)), 0.0, 1.0)[..., None, None]
    correlation = (1 - shrink) * correlation + shrink * np.eye(covariance.shape[-1])
    start: Array = correlation * sd[..., :, None] * sd[..., None, :]
    return start


def other_starts(covariance: Covariance, base: Array, first: Array, free: Mask, *, scattered: bool) -> dict[str, Array]:
    """Starts far from the first: no correlation, high correlation, equal variances; fixed parameters stay."""
    variances = np.diagonal(base, axis1=-2, axis2=-1)
    sd = np.sqrt(variances)
    n_visits = base.shape[-1]
    size = sd[..., :, None] * sd[..., None, :]
    high = np.where(np.eye(n_visits, dtype=bool), 1.0, 0.8)
    mean = variances.mean(-1)[..., None, None]
    sigmas = {
        "independent": size * np.eye(n_visits),
        "correlated": size * high,
        "flat": mean * np.where(np.eye(n_visits, dtype=bool), 1.0, 0.4),
    }
    starts = {name: covariance.start(sigma) for name, sigma in sigmas.items()}
    steps = np.random.default_rng(0).normal(0.0, SCATTER, (SCATTERED // 2 if scattered else 0, first.shape[-1]))
    starts |= {f"scattered {k + 1}": first + step for k, step in enumerate(np.concatenate([steps, -steps]))}
    return {name: np.where(free, start, first) for name, start in starts.items()}


def edges(theta: Array, free: Mask) -> dict[str, Array]:
    """Starts near the bounds: one parameter at a time moved far to either side."""
    steps = [(i, side) for i in np.flatnonzero(free) for side in (-EDGE, EDGE)]
    return {f"edge {i + 1}{'+' if side > 0 else '-'}": theta + side * np.eye(theta.shape[-1])[i] for i, side in steps}


def is_thin(moments: PackedMoments, covariance: Covariance) -> Mask:
    """Whether the data are so few for the parameters that one start is not trusted."""
    return np.asarray(moments.n_subjects < FEW_SUBJECTS * covariance.n_parameters)


def is_scarce(moments: PackedMoments) -> bool:
    """Whether so few subjects were seen at some visits together that a combination of their scores can be fitted
    without residual: then Σ can become singular there at no cost, and the likelihood of some structures has no bound.

    For the visits S of a pattern, n_S subjects who have them all and generic w, that is n_S < |S| + rank(Σ_a w_a X_a).
    """
    p = moments.n_columns
    for pattern in moments.patterns[moments.patterns.sum(-1) > 1]:
        having = (moments.patterns & pattern).sum(-1) == pattern.sum()
        w = np.where(pattern, np.sin(1.0 + np.arange(len(pattern))), 0.0)
        gram = moments.contract(having[:, None, None] * (w[:, None] * w))[:p, :p]
        values = np.linalg.eigvalsh(gram)
        rank = int((values > 1e-10 * max(float(values[-1]), 1e-300)).sum())
        if moments.n[having].sum() < pattern.sum() + rank:
            return True
    return False


def _least_squares(gram: Array, products: Array) -> Array:
    """Solves by eigenvectors, leaving out directions that the data do not have (a resample may have lost a level)."""
    values, vectors = np.linalg.eigh(gram)
    with np.errstate(divide="ignore"):
        inverse = np.where(values > 1e-10 * values[..., -1:], 1.0 / values, 0.0)
    rotated = np.einsum("...ji,...j->...i", vectors, products)
    beta: Array = np.einsum("...ij,...j->...i", vectors, inverse * rotated)
    return beta
