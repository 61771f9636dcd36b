"""The log-likelihood of an incomplete multivariate normal sample from sums by missingness pattern, as a function
of its mean μ (D,) and covariance Σ (D, D), with its gradient, its Hessian and its scores.

For a pattern s with n rows, observed columns o and P = Σ_oo⁻¹ (zero elsewhere), M = Σ (y − μ)(y − μ)' and r = Σ (y −
μ),

    l = −½ { n (|o| log 2π + log |Σ_oo|) + tr PM }
    ∂l = r'P ∂μ + tr G ∂Σ,   G = −½ (nP − PMP)
    ∂²l = −n ∂₁μ'P ∂₂μ − ∂₁μ'P ∂₂Σ Pr − ∂₂μ'P ∂₁Σ Pr + tr ∂₁Σ (½ nP − PMP) ∂₂Σ P

The p* = D + D(D + 1)/2 coordinates are μ, then Σ by rows of its upper triangle. Everything broadcasts over leading axes
(a stack of samples that share their patterns; a pattern that a sample has not has n = 0).

**Source**: Arbuckle 1996, in Marcoulides & Schumacker, Advanced Structural Equation Modeling (full-information
likelihood by pattern); Magnus & Neudecker 1999, Matrix Differential Calculus, chapters 8 and 15 (the differentials);
Savalei 2010, Psychol Methods 15:352 (observed information and scores).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "PatternSums",
    "Rows",
    "coordinates",
    "derivatives",
    "loglik",
    "meat",
    "packed",
    "scores",
    "stacked",
    "unpacked",
]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Index = NDArray[np.intp]
SINGULAR = 1e-12
"""Smallest eigenvalue of a correlation matrix at which it counts as singular."""


@dataclass(frozen=True, slots=True, eq=False)
class PatternSums:
    """`seen` (S, D), and for each of R samples `n` (R, S), `mean` (R, S, D) and the cross-products about it `C`
    (R, S, D, D), both zero where nothing was seen.
    """

    seen: Bools
    n: Array
    mean: Array
    C: Array

    @property
    def total(self) -> Array:
        """Rows, or weights, of each sample (R,)."""
        return np.asarray(self.n.sum(-1))

    def take(self, which: Index) -> PatternSums:
        """Some of the samples."""
        return PatternSums(self.seen, self.n[which], self.mean[which], self.C[which])


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of one sample, Y (n, D) with NaN, and their pattern."""

    Y: Array
    seen: Bools
    which: Index

    @classmethod
    def of(cls, Y: Array) -> Rows:
        """Sort rows by what was seen of them; rows of which nothing was seen are left out."""
        Y = np.asarray(Y, dtype=float)
        Y = Y[~np.isnan(Y).all(1)]
        seen, which = np.unique(~np.isnan(Y), axis=0, return_inverse=True)
        return cls(Y, seen, which.reshape(-1))

    def sums(self, weights: Array | None = None) -> PatternSums:
        """The sums, once or for each row of weights (R, n)."""
        w = np.ones((1, len(self.Y))) if weights is None else np.atleast_2d(np.asarray(weights, dtype=float))
        S, D = self.seen.shape
        center = np.nanmean(self.Y, axis=0)
        n, mean, C = np.zeros((len(w), S)), np.zeros((len(w), S, D)), np.zeros((len(w), S, D, D))
        for s in range(S):
            rows = np.flatnonzero(self.which == s)
            y = np.where(self.seen[s], self.Y[rows] - center, 0.0)
            own = w[:, rows]
            n[:, s] = own.sum(1)
            total = own @ y
            products = (own @ (y[:, :, None] * y[:, None, :]).reshape(len(rows), -1)).reshape(len(w), D, D)
            at = total / np.where(n[:, s] > 0, n[:, s], 1.0)[:, None]
            C[:, s] = products - n[:, s, None, None] * at[:, :, None] * at[:, None, :]
            mean[:, s] = np.where(self.seen[s], at + center, 0.0)
        return PatternSums(self.seen, n, mean, C)


def stacked(samples: Array) -> PatternSums:
    """The sums of a stack of samples (R, n, D) with NaN, one each."""
    samples = np.asarray(samples, dtype=float)
    R, n, D = samples.shape
    seen_of = ~np.isnan(samples)
    seen, which = np.unique(seen_of.reshape(-1, D), axis=0, return_inverse=True)
    which = which.reshape(R, n)
    center = np.nanmean(samples, axis=(0, 1))
    y = np.where(seen_of, samples - center, 0.0)
    kept = np.flatnonzero(seen.any(1))
    S = len(kept)
    count, mean, C = np.zeros((R, S)), np.zeros((R, S, D)), np.zeros((R, S, D, D))
    for at, s in enumerate(kept):
        own = (which == s).astype(float)
        count[:, at] = own.sum(1)
        masked = y * own[:, :, None]
        m = masked.sum(1) / np.where(count[:, at] > 0, count[:, at], 1.0)[:, None]
        C[:, at] = np.swapaxes(masked, 1, 2) @ masked - count[:, at, None, None] * m[:, :, None] * m[:, None, :]
        mean[:, at] = np.where(seen[s], m + center, 0.0)
    return PatternSums(seen[kept], count, mean, C)


@lru_cache(maxsize=32)
def coordinates(D: int) -> tuple[Index, Index, Array]:
    """Row and column of each element of the upper triangle, and how often it stands in the matrix (1 or 2)."""
    rows, columns = np.triu_indices(D)
    return rows, columns, np.where(rows == columns, 1.0, 2.0)


def packed(mu: Array, Sigma: Array) -> Array:
    """μ (..., D) and symmetric Σ (..., D, D) as p* coordinates."""
    rows, columns, _ = coordinates(mu.shape[-1])
    return np.concatenate([mu, Sigma[..., rows, columns]], axis=-1)


def unpacked(coordinate: Array, D: int) -> tuple[Array, Array]:
    """μ and Σ of p* coordinates."""
    rows, columns, _ = coordinates(D)
    Sigma = np.zeros((*coordinate.shape[:-1], D, D))
    Sigma[..., rows, columns] = Sigma[..., columns, rows] = coordinate[..., D:]
    return coordinate[..., :D], Sigma


def loglik(sums: PatternSums, mu: Array, Sigma: Array) -> Array:
    """The log-likelihood (R,); −inf where Σ of a pattern is not positive definite."""
    return _parts(sums, mu, Sigma)[0]


def derivatives(
    sums: PatternSums, mu: Array, Sigma: Array, *, expected: bool = False
) -> tuple[Array, Array, Array, Array]:
    """Log-likelihood (R,), gradients by μ (R, D) and by Σ (R, D, D) (the G of dl = tr G dΣ), and the Hessian in p*
    coordinates (R, p*, p*): the observed one, or its expectation given the patterns.
    """
    value, P, r, M = _parts(sums, mu, Sigma)
    R, S, D = r.shape
    Pr = (P @ r[..., None])[..., 0]
    Q = P @ M @ P
    n = sums.n[..., None, None]
    by_mu, by_Sigma = Pr.sum(1), -0.5 * (n * P - Q).sum(1)
    nP = n * P
    rows, columns, _ = coordinates(D)
    inner = -0.5 * nP if expected else 0.5 * nP - Q
    # T[ab, cd] = Σ_s P[a, b] inner[c, d]; the quadratic form of d₁, d₂ is Σ d₁[i, j] inner[j, k] d₂[k, l] P[l, i]
    T = (np.swapaxes(P.reshape(R, S, D * D), 1, 2) @ inner.reshape(R, S, D * D)).reshape(R, D, D, D, D)
    quad = np.einsum("rlijk->rijkl", T)
    both = quad + np.swapaxes(quad, 1, 2)
    both = both + np.swapaxes(both, 3, 4)
    weight = np.where(rows == columns, 0.5, 1.0)
    second = both[:, rows, columns][:, :, rows, columns] * weight[:, None] * weight
    second = (second + np.swapaxes(second, 1, 2)) / 2
    H = np.zeros((R, D + len(rows), D + len(rows)))
    H[:, :D, :D] = -nP.sum(1)
    H[:, D:, D:] = second
    if not expected:
        # −∂μ'P ∂Σ Pr: element [a, (j, k)] = −Σ_s (P[a, j] Pr[k] + P[a, k] Pr[j]) for j ≠ k
        cross = np.swapaxes(P.reshape(R, S, D * D), 1, 2) @ Pr
        cross = cross.reshape(R, D, D, D)
        across = -(cross + np.swapaxes(cross, 2, 3))[:, :, rows, columns] * weight
        H[:, :D, D:] = across
        H[:, D:, :D] = np.swapaxes(across, 1, 2)
    return value, by_mu, by_Sigma, H


def scores(rows: Rows, mu: Array, Sigma: Array) -> Array:
    """The gradient of each row's log-likelihood in p* coordinates (n, p*)."""
    D = len(mu)
    i, j, twice = coordinates(D)
    P = _inverse(rows.seen, Sigma[None])[0][0]
    u = np.empty((len(rows.Y), D + len(i)))
    for s in range(len(rows.seen)):
        own = np.flatnonzero(rows.which == s)
        z = np.where(rows.seen[s], rows.Y[own] - mu, 0.0) @ P[s]
        u[own, :D] = z
        u[own, D:] = -0.5 * (P[s][i, j] - z[:, i] * z[:, j]) * twice
    return u


def meat(rows: Rows, mu: Array, Sigma: Array, weights: Array | None = None) -> Array:
    """Σ w² u u' over the rows' scores u, in p* coordinates."""
    u = scores(rows, mu, Sigma)
    if weights is not None:
        u = u * np.asarray(weights, dtype=float)[:, None]
    return np.asarray(u.T @ u)


def _inverse(seen: Bools, Sigma: Array) -> tuple[Array, Array, Bools]:
    """Σ_oo⁻¹ set into zeros (R, S, D, D), log |Σ_oo| (R, S), and whether Σ_oo is positive definite for all (R,)."""
    both = seen[:, :, None] & seen[:, None, :]
    D = seen.shape[1]
    filled = np.where(both, Sigma[:, None], 0.0) + np.eye(D) * ~seen[:, :, None]
    sound = np.isfinite(filled).all((1, 2, 3))
    filled[~sound] = np.eye(D)
    size = np.diagonal(filled, axis1=2, axis2=3)
    positive = np.asarray((size > 0).all((1, 2)))
    scale = np.sqrt(np.where(positive[:, None, None], size, 1.0))
    least = np.linalg.eigvalsh(filled / scale[..., :, None] / scale[..., None, :]).min((1, 2))
    fine = sound & positive & (least > SINGULAR)
    filled[~fine] = np.eye(D)
    log_det = np.linalg.slogdet(filled)[1]
    return np.where(both, np.linalg.inv(filled), 0.0), log_det, fine


def _parts(sums: PatternSums, mu: Array, Sigma: Array) -> tuple[Array, Array, Array, Array]:
    P, log_det, fine = _inverse(sums.seen, Sigma)
    gap = np.where(sums.seen, sums.mean - mu[:, None], 0.0) * (sums.n > 0)[..., None]
    n = sums.n
    M = sums.C + n[..., None, None] * gap[..., :, None] * gap[..., None, :]
    constant = sums.seen.sum(1) * np.log(2 * np.pi)
    value = -0.5 * (n * (constant + log_det) + (P * M).sum((-1, -2))).sum(-1)
    return np.where(fine, value, -np.inf), P, n[..., None] * gap, M
