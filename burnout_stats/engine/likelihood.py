"""The Gaussian log-likelihood of repeated measures from moments, profiled over β, with its derivatives in θ.

Notation: V_S = Σ[S, S] for the visits S of a pattern, A_S its inverse padded with zeros, Φ = (X'V⁻¹X)⁻¹, r = y − Xβ̂.
The criterion is f(θ) = −2 log-likelihood, either

    ML      N log 2π       + Σ n_S log|V_S| + r'V⁻¹r
    REML    (N − p) log 2π + Σ n_S log|V_S| + r'V⁻¹r + log|X'V⁻¹X|

as SAS, nlme, lme4 and mmrm count it (Patterson & Thompson 1971, Biometrika 58:545; Harville 1977, JASA 72:320).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .covariance import Covariance
from .moments import Moments

__all__ = ["Curvature", "Likelihood", "contract", "curvature", "evaluate", "precisions"]

Array = NDArray[np.float64]
LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Likelihood:
    """The criterion at θ and what it was computed from.

    Attributes
    ----------
    criterion : (...) array
        −2 log-likelihood, in the units of the original data; infinite where Σ or X'V⁻¹X is not positive definite.
    beta : (..., p) array and Phi : (..., p, p) array
        Generalized least squares and its covariance, in the coordinates of the moments.
    sigma, A : (..., G, V, V) and (..., P, V, V) arrays
        Σ by group, and the inverse of its part by pattern.
    """

    criterion: Array
    beta: Array
    Phi: Array
    sigma: Array
    A: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curvature:
    """First and second derivatives of the criterion in θ, and the matrices that degrees of freedom need.

    Attributes
    ----------
    gradient : (..., m) array
    observed, expected : (..., m, m) arrays
        Hessian of the criterion, and its expectation.
    P : (..., m, p, p) array
        P_i = X' (∂V⁻¹/∂θ_i) X.
    first : (..., m, P, V, V) array
        ∂Σ/∂θ_i, for the group of each pattern.
    """

    gradient: Array
    observed: Array
    expected: Array
    P: Array
    first: Array


def precisions(patterns: NDArray[np.bool_], sigma: Array) -> tuple[Array, Array]:
    """A_S for every pattern, shape (..., P, V, V), and log|V_S|, shape (..., P); NaN where a V_S is not positive
    definite.
    """
    both = patterns[:, :, None] & patterns[:, None, :]
    padded = np.where(both, sigma, np.eye(patterns.shape[1]))
    sign, logdet = np.linalg.slogdet(padded)
    logdet = np.where(sign > 0, logdet, np.nan)
    safe = np.where((sign > 0)[..., None, None], padded, np.eye(patterns.shape[1]))
    inverse = np.linalg.inv(safe)
    A = np.where(both, (inverse + np.swapaxes(inverse, -1, -2)) / 2, 0.0)
    return A, logdet


def contract(A: Array, T: Array) -> Array:
    """Σ_S Σ_ab A_S[a, b] T_S[a, b], shape (..., q, q), for A (..., P, V, V); a further axis of A before P is kept.

    This is Z' A Z of all rows: one matrix product, whatever the number of subjects.
    """
    q = T.shape[-1]
    cells = int(np.prod(T.shape[-5:-2]))
    flat_T = T.reshape(*T.shape[:-5], cells, q * q)
    extra = A.ndim - (T.ndim - 2)
    if extra <= 0:
        product = A.reshape(*A.shape[:-3], 1, cells) @ flat_T
        return product.reshape(*product.shape[:-2], q, q)
    lead = A.shape[: A.ndim - 3 - extra]
    inner = A.shape[A.ndim - 3 - extra : A.ndim - 3]
    product = A.reshape(*lead, int(np.prod(inner)), cells) @ flat_T
    return product.reshape(*product.shape[:-2], *inner, q, q)


def evaluate(moments: Moments, covariance: Covariance, theta: Array, *, reml: bool) -> Likelihood:
    """The criterion at θ, shape (..., m)."""
    p = moments.n_columns
    sigma = covariance.sigma(theta)
    A, logdet = precisions(moments.patterns, sigma[..., moments.groups, :, :])
    H = contract(A, moments.T)
    XVX, XVy = H[..., :p, :p], H[..., :p, p]
    sign, logdet_x = np.linalg.slogdet(XVX)
    sound = (sign > 0) & np.isfinite(logdet_x)
    Phi = np.linalg.inv(np.where(sound[..., None, None], XVX, np.eye(p)))
    Phi = (Phi + np.swapaxes(Phi, -1, -2)) / 2
    beta = np.einsum("...ij,...j->...i", Phi, XVy)
    c = np.concatenate([-beta, np.ones((*beta.shape[:-1], 1))], axis=-1)
    rss = np.einsum("...i,...ij,...j->...", c, H, c)
    n_obs = moments.n_obs
    basis = moments.basis
    criterion = (moments.n * logdet).sum(-1) + rss + n_obs * (LOG_2PI + 2 * np.log(basis.scale))
    if reml:
        criterion = criterion + logdet_x - p * (LOG_2PI + 2 * np.log(basis.scale)) - 2 * basis.log_determinant
    criterion = np.where(sound & np.isfinite(criterion), criterion, np.inf)
    return Likelihood(criterion=criterion, beta=beta, Phi=Phi, sigma=sigma, A=A)


def curvature(moments: Moments, covariance: Covariance, theta: Array, at: Likelihood, *, reml: bool) -> Curvature:
    """Derivatives of the criterion at θ, where `at` is `evaluate` at the same θ.

    With V_i = ∂V/∂θ_i and the profile score X'V⁻¹r = 0:

        ∂f/∂θ_i     = tr(A V_i) + r'(∂A_i) r + tr(Φ P_i)                                      [the last term under REML
        only] ∂²f/∂θ_i∂θ_j = tr(∂A_j V_i) + tr(A V_ij) + r'(∂²A_ij) r − 2 g_i'Φ g_j + tr(Φ P_ij) − tr(Φ P_i Φ P_j)
        E            = tr(A V_i A V_j) − 2 tr(Φ Q_ij) + tr(Φ P_i Φ P_j)

    with ∂A_i = −A V_i A, ∂²A_ij = A V_i A V_j A + A V_j A V_i A − A V_ij A, g_i = X'(∂A_i) r, P_ij = X'(∂²A_ij) X, Q_ij
    = X'A V_i A V_j A X.

    **Source**: Harville 1977, JASA 72:320, section 5; Lindstrom & Bates 1988, JASA 83:1014, section 3 (checked against
    finite differences).
    """
    p = moments.n_columns
    n, T = moments.n, moments.T
    first, second = covariance.derivatives(theta)
    first, second = first[..., moments.groups, :, :], second[..., moments.groups, :, :]
    A = at.A[..., None, :, :, :]
    AV = A @ first
    dA = -(AV @ A)
    pair = np.einsum("...ipab,...jpbc->...ijpac", AV, AV)
    AVAVA = pair @ at.A[..., None, None, :, :, :]
    AVijA = A[..., None, :, :, :] @ second @ A[..., None, :, :, :]
    d2A = AVAVA + np.swapaxes(AVAVA, -1, -2) - AVijA

    M = contract(dA, T)
    P = M[..., :p, :p]
    M2 = contract(d2A, T)
    c = np.concatenate([-at.beta, np.ones((*at.beta.shape[:-1], 1))], axis=-1)
    g = np.einsum("...iab,...b->...ia", M[..., :p, :], c)

    traces = np.einsum("...ipaa->...ip", AV)
    gradient = np.einsum("...p,...ip->...i", n, traces) + np.einsum("...a,...iab,...b->...i", c, M, c)
    pair_trace = np.einsum("...p,...ijpaa->...ij", n, pair)
    second_trace = np.einsum("...p,...pab,...ijpba->...ij", n, at.A, second)
    observed = (
        second_trace
        - pair_trace
        + np.einsum("...a,...ijab,...b->...ij", c, M2, c)
        - 2 * np.einsum("...ia,...ab,...jb->...ij", g, at.Phi, g)
    )
    expected = pair_trace
    if reml:
        PhiP = at.Phi[..., None, :, :] @ P
        PhiPPhiP = np.einsum("...iab,...jba->...ij", PhiP, PhiP)
        Q = contract(AVAVA, T)[..., :p, :p]
        gradient = gradient + np.einsum("...iaa->...i", PhiP)
        observed = observed + np.einsum("...ab,...ijba->...ij", at.Phi, M2[..., :p, :p]) - PhiPPhiP
        expected = expected - 2 * np.einsum("...ab,...ijba->...ij", at.Phi, Q) + PhiPPhiP
    return Curvature(gradient=gradient, observed=_symmetric(observed), expected=_symmetric(expected), P=P, first=first)


def _symmetric(matrix: Array) -> Array:
    return (matrix + np.swapaxes(matrix, -1, -2)) / 2
