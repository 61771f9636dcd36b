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
from .packed import PackedMoments, packed

__all__ = ["Curvature", "Likelihood", "contract", "curvature", "evaluate", "precisions"]

Array = NDArray[np.float64]
LOG_2PI = float(np.log(2 * np.pi))
FEW = 32
"""Up to so many matrices LAPACK is called for each; more are swept together."""
ROUNDING = 1e-14
"""A pivot below this part of its diagonal element is rounding: the matrix counts as not positive definite."""


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
        Hessian of the criterion, and its expectation (of shape (0, 0) where it was not asked for).
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


def inverses(matrices: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Inverse (identity where there is none), log-determinant and soundness of symmetric matrices (..., k, k).

    Many matrices are swept together, pivot by pivot.

    **Source**: the sweep operator, Goodnight 1979, Am Stat 33:149.
    """
    lead, k = matrices.shape[:-2], matrices.shape[-1]
    if not k:
        return matrices, np.zeros(lead), np.ones(lead, dtype=bool)
    M = matrices.reshape(-1, k, k)
    if len(M) <= FEW:
        sign, logdet = np.linalg.slogdet(M)
        sound = (sign > 0) & np.isfinite(logdet)
        inverse = np.linalg.inv(np.where(sound[:, None, None], M, np.eye(k)))
        inverse = (inverse + np.swapaxes(inverse, -1, -2)) / 2
        return inverse.reshape(*lead, k, k), logdet.reshape(lead), sound.reshape(lead)
    M = np.moveaxis(M, 0, -1).copy()
    sound = np.ones(M.shape[-1], dtype=bool)
    logdet = np.zeros(M.shape[-1])
    least = ROUNDING * M[np.arange(k), np.arange(k)]
    for j in range(k):
        pivot = M[j, j].copy()
        sound &= pivot > least[j]
        pivot[~sound] = 1.0
        logdet += np.log(pivot)
        column = M[:, j].copy()
        row = column / pivot
        M -= column[:, None] * row
        M[j] = row
        M[:, j] = row
        M[j, j] = -1.0 / pivot
    inverse = -np.moveaxis(M, -1, 0)
    inverse[~sound] = np.eye(k)
    return inverse.reshape(*lead, k, k), logdet.reshape(lead), sound.reshape(lead)


def _ordered(array: Array, *last: int) -> Array:
    """The array with its last axes in another order, which names them by negative positions (a quick moveaxis)."""
    n = array.ndim
    return array.transpose(*range(n - len(last)), *(n + axis for axis in last))


def precisions(patterns: NDArray[np.bool_], sigma: Array) -> tuple[Array, Array]:
    """A_S for every pattern, shape (..., P, V, V), and log|V_S|, shape (..., P); NaN where a V_S is not positive
    definite.
    """
    both = patterns[:, :, None] & patterns[:, None, :]
    inverse, logdet, sound = inverses(np.where(both, sigma, np.eye(patterns.shape[1])))
    return np.where(both, inverse, 0.0), np.where(sound, logdet, np.nan)


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


def evaluate(moments: Moments | PackedMoments, covariance: Covariance, theta: Array, *, reml: bool) -> Likelihood:
    """The criterion at θ, shape (..., m)."""
    moments = packed(moments)
    p = moments.n_columns
    sigma = covariance.sigma(theta)
    A, logdet = precisions(moments.patterns, sigma[..., moments.groups, :, :])
    H = moments.contract(A)
    Phi, logdet_x, sound = inverses(H[..., :p, :p])
    beta = np.einsum("...ij,...j->...i", Phi, H[..., :p, p])
    c = np.concatenate([-beta, np.ones((*beta.shape[:-1], 1))], axis=-1)
    rss = np.einsum("...i,...i->...", c, np.einsum("...ij,...j->...i", H, c))
    n_obs = moments.n_obs
    basis = moments.basis
    criterion = (moments.n * logdet).sum(-1) + rss + n_obs * (LOG_2PI + 2 * np.log(basis.scale))
    if reml:
        criterion = criterion + logdet_x - p * (LOG_2PI + 2 * np.log(basis.scale)) - 2 * basis.log_determinant
    criterion = np.where(sound & np.isfinite(criterion), criterion, np.inf)
    return Likelihood(criterion=criterion, beta=beta, Phi=Phi, sigma=sigma, A=A)


def curvature(
    moments: Moments | PackedMoments,
    covariance: Covariance,
    theta: Array,
    at: Likelihood,
    *,
    reml: bool,
    expected: bool = True,
) -> Curvature:
    """Derivatives of the criterion at θ, where `at` is `evaluate` at the same θ.

    With V_i = ∂V/∂θ_i and the profile score X'V⁻¹r = 0:

        ∂f/∂θ_i      = tr(A V_i) + r'(∂A_i) r + tr(Φ P_i)
        ∂²f/∂θ_i∂θ_j = tr(∂A_j V_i) + tr(A V_ij) + r'(∂²A_ij) r − 2 g_i'Φ g_j + tr(Φ P_ij) − tr(Φ P_i Φ P_j)
        E            = tr(A V_i A V_j) − 2 tr(Φ Q_ij) + tr(Φ P_i Φ P_j)

    (terms that begin with Φ under REML only), with ∂A_i = −A V_i A, ∂²A_ij = A V_i A V_j A + A V_j A V_i A − A V_ij A,
    g_i = X'(∂A_i) r, P_ij = X'(∂²A_ij) X and Q_ij = X'A V_i A V_j A X.

    The sums over rows are taken once, not once for each pair i, j: with w = cc' + Φ, c = (−β̂, 1) (Φ under REML only),
    U_S[a, b] = tr(T_S[a, b] w), B = A U A and G = Σ_S n_S A − B,

        ∂f/∂θ_i     = tr(G V_i)
        ∂²f/∂θ_i∂θ_j = tr(G V_ij) + Σ_S tr{(2B − n_S A) V_i A V_j} − 2 g_i'Φ g_j − tr(Φ P_i Φ P_j)

    **Source**: Harville 1977, JASA 72:320, section 5; Lindstrom & Bates 1988, JASA 83:1014, section 3 (checked against
    finite differences).
    """
    moments = packed(moments)
    p, groups = moments.n_columns, moments.groups
    A, Phi = at.A, at.Phi
    first, second = covariance.derivatives(theta)
    m, n_visits = first.shape[-4], first.shape[-1]
    c = np.concatenate([-at.beta, np.ones((*at.beta.shape[:-1], 1))], axis=-1)
    w = c[..., :, None] * c[..., None, :]
    if reml:
        w[..., :p, :p] += Phi
    B = A @ moments.weigh(w) @ A
    nA = moments.n[..., None, None] * A
    G = _by_group(nA - B, groups, first.shape[-3])
    columns = _ordered(first, -3, -2, -4, -1)[..., groups, :, :, :]
    side_by_side = columns.reshape(*columns.shape[:-2], m * n_visits)
    AV = A @ side_by_side

    def twice(D: Array) -> Array:
        """Σ_S tr(D_S V_i A_S V_j), symmetric in i and j."""
        DV = (D @ side_by_side).reshape(*AV.shape[:-1], m, n_visits)
        left = _ordered(DV, -2, -4, -3, -1).reshape(*AV.shape[:-3], m, -1)
        right = _ordered(AV.reshape(DV.shape), -2, -4, -1, -3).reshape(*AV.shape[:-3], m, -1)
        return _symmetric(left @ np.swapaxes(right, -1, -2))

    dA = -(np.swapaxes(AV.reshape(*AV.shape[:-1], m, n_visits), -3, -2).reshape(*AV.shape[:-2], -1, n_visits) @ A)
    M = moments.contract(np.swapaxes(dA.reshape(*AV.shape[:-2], m, n_visits, n_visits), -3, -4))
    P = M[..., :p, :p]
    g = (M[..., :p, :] @ c[..., None, :, None])[..., 0]
    flat_G = G.reshape(*G.shape[:-3], -1, 1)
    gradient = (first.reshape(*first.shape[:-3], -1) @ flat_G)[..., 0]
    observed = (
        (second.reshape(*second.shape[:-5], m * m, -1) @ flat_G).reshape(*second.shape[:-5], m, m)
        + twice(2 * B - nA)
        - 2 * g @ Phi @ np.swapaxes(g, -1, -2)
    )
    products = np.zeros(())
    if reml:
        PhiP = Phi[..., None, :, :] @ P
        flat = PhiP.reshape(*PhiP.shape[:-2], -1)
        products = flat @ np.swapaxes(np.swapaxes(PhiP, -1, -2).reshape(flat.shape), -1, -2)
        observed = observed - products
    mean = np.zeros((*observed.shape[:-2], 0, 0))
    if expected and reml:
        w = np.zeros_like(w)
        w[..., :p, :p] = Phi
        mean = twice(nA - 2 * A @ moments.weigh(w) @ A) + products
    elif expected:
        mean = twice(nA)
    return Curvature(
        gradient=gradient,
        observed=_symmetric(observed),
        expected=_symmetric(mean),
        P=P,
        first=first[..., groups, :, :],
    )


def _by_group(by_pattern: Array, groups: NDArray[np.intp], n_groups: int) -> Array:
    """Sums over the patterns of each group, shape (..., G, V, V)."""
    return np.stack([by_pattern[..., groups == g, :, :].sum(-3) for g in range(n_groups)], axis=-3)


def _symmetric(matrix: Array) -> Array:
    return (matrix + np.swapaxes(matrix, -1, -2)) / 2
