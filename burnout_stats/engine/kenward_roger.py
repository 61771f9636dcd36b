"""The small-sample covariance of β̂ and the F test of Kenward and Roger, first order.

    Φ_A = Φ + 2Φ { Σ_ij W_ij (Q_ij − P_i Φ P_j) } Φ

with P_i = X'(∂V⁻¹/∂θ_i)X, Q_ij = X'A V_i A V_j A X and W the covariance of θ̂. The term in the second derivatives of V
is left out ("first order", SAS `ddfm=kr(firstorder)`): the result then does not depend on how Σ is parameterized, and
equals SAS's default where Σ is linear in its parameters, as the unstructured one is. W comes from the observed
information, as in SAS and mmrm, or from the expected one, as in pbkrtest.

**Source**: Kenward & Roger 1997, Biometrics 53:983, equations (4)-(6) and section 3; notation of Halekoh & Højsgaard
2014, J Stat Softw 59(9).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .likelihood import contract
from .satterthwaite import variance_slopes

__all__ = ["adjusted_covariance", "joint_test", "weighted_Q"]

Array = NDArray[np.float64]


def weighted_Q(A: Array, first: Array, T: Array, W: Array) -> Array:
    """Σ_ij W_ij Q_ij from moments, shape (..., p, p): one contraction of A_S (Σ_ij W_ij V_i A_S V_j) A_S with T_S."""
    p = T.shape[-1] - 1
    weighted = np.einsum("...ij,...jpab->...ipab", W, first)
    inner = (first @ A[..., None, :, :, :] @ weighted).sum(-4)
    return contract(A @ inner @ A, T)[..., :p, :p]


def adjusted_covariance(Q: Array, Phi: Array, P: Array, W: Array) -> Array:
    """Φ_A, shape (..., p, p), from Q = Σ_ij W_ij Q_ij (..., p, p), Φ, P (..., m, p, p) and W (..., m, m)."""
    PhiP = np.einsum("...ij,...jab->...iab", W, P)
    middle = Q - np.einsum("...iab,...bc,...icd->...ad", P, Phi, PhiP)
    adjusted: Array = Phi + 2 * Phi @ ((middle + np.swapaxes(middle, -1, -2)) / 2) @ Phi
    return adjusted


def joint_test(L: Array, estimate: Array, Phi: Array, Phi_A: Array, P: Array, W: Array) -> tuple[Array, Array]:
    """Scaled F statistic and its denominator degrees of freedom for the k rows of L together, each of shape (...).

    For one row this is t² on Satterthwaite's degrees of freedom with the adjusted standard error.
    """
    k = L.shape[-2]
    L_t = np.swapaxes(L, -1, -2)
    M = np.linalg.inv(L @ Phi @ L_t)
    MG = M[..., None, :, :] @ variance_slopes(L, Phi, P)
    traces = np.einsum("...ikk->...i", MG)
    A1 = np.einsum("...i,...ij,...j->...", traces, W, traces)
    A2 = np.einsum("...ij,...iab,...jba->...", W, MG, MG)
    B = (A1 + 6 * A2) / (2 * k)
    g = ((k + 1) * A1 - (k + 4) * A2) / ((k + 2) * A2)
    d = 3 * k + 2 * (1 - g)
    c1, c2, c3 = g / d, (k - g) / d, (k + 2 - g) / d
    E = 1 / (1 - A2 / k)
    V = (2 / k) * (1 + c1 * B) / ((1 - c2 * B) ** 2 * (1 - c3 * B))
    rho = V / (2 * E**2)
    df = 4 + (k + 2) / (k * rho - 1)
    scale = df / (E * (df - 2))
    F = np.einsum("...a,...ab,...b->...", estimate, np.linalg.inv(L @ Phi_A @ L_t), estimate) / k
    return scale * F, df
