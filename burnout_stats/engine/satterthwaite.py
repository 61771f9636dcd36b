"""Degrees of freedom after Satterthwaite: the variance of an estimated variance, by the delta method on θ.

For a row l of L with v(θ) = lΦl', df = 2 v² / (g'W g), with g_i = ∂v/∂θ_i = −lΦP_iΦl' and W the covariance of θ̂.
Several rows are tested together through the eigenvectors of LΦL' (Fai & Cornelius 1996, J Stat Comput Simul 54:363).

**Source**: Giesbrecht & Burns 1985, Biometrics 41:477; as in SAS PROC MIXED (`ddfm=satterth`), lmerTest and mmrm.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["joint_test", "row_df", "variance_slopes"]

Array = NDArray[np.float64]


def variance_slopes(L: Array, Phi: Array, P: Array) -> Array:
    """G_i = LΦP_iΦL', shape (..., m, k, k), for L (..., k, p), Φ (..., p, p) and P (..., m, p, p)."""
    LPhi = L @ Phi
    slopes: Array = LPhi[..., None, :, :] @ P @ np.swapaxes(LPhi, -1, -2)[..., None, :, :]
    return slopes


def row_df(L: Array, Phi: Array, P: Array, W: Array) -> Array:
    """Degrees of freedom of each row of L, shape (..., k)."""
    variances = np.einsum("...ka,...ab,...kb->...k", L, Phi, L)
    slopes = np.einsum("...ikk->...ik", variance_slopes(L, Phi, P))
    spread = np.einsum("...ik,...ij,...jk->...k", slopes, W, slopes)
    with np.errstate(divide="ignore", invalid="ignore"):
        df: Array = 2 * variances**2 / spread
    return df


def joint_test(L: Array, estimate: Array, Phi: Array, P: Array, W: Array) -> tuple[Array, Array]:
    """F statistic and denominator degrees of freedom for the k rows of L together, each of shape (...).

    With ν_r the degrees of freedom of the r-th of q eigenvector rows and E = Σ ν_r / (ν_r − 2), the denominator is 2E /
    (E − q). Where a ν_r is at most 2 the answer is 2; where all are equal, it is their mean (as lmerTest and mmrm do).
    """
    k = L.shape[-2]
    values, vectors = np.linalg.eigh(L @ Phi @ np.swapaxes(L, -1, -2))
    rotated = np.swapaxes(vectors, -1, -2) @ L
    t_squared = np.einsum("...kr,...k->...r", vectors, estimate) ** 2 / values
    nu = row_df(rotated, Phi, P, W)
    with np.errstate(divide="ignore", invalid="ignore"):
        E = (nu / (nu - 2)).sum(-1)
        df = 2 * E / (E - k)
    equal = np.abs(nu - nu.mean(-1, keepdims=True)).max(-1) < 1e-8
    df = np.where(equal, nu.mean(-1), np.where((nu <= 2).any(-1), 2.0, df))
    return t_squared.mean(-1), df
