"""The small-sample covariance of β̂ and the F test of Kenward and Roger.

    Φ_A = Φ + 2Φ { Σ_ij W_ij (Q_ij − P_i Φ P_j − R_ij / 4) } Φ

with P_i = X'(∂V⁻¹/∂θ_i)X, Q_ij = X'A V_i A V_j A X, R_ij = X'A V_ij A X and W the covariance of θ̂.

*First order* leaves R, the term in the second derivatives of V, out (SAS `ddfm=kr(firstorder)`): the result then does
not depend on how Σ is parameterized, and equals SAS's default where Σ is linear in its parameters, as the unstructured
one is. *Second order* takes R in SAS's parameters (`SAS_PARAMETERS`); it depends on them. F and its degrees of freedom
use Φ_A and first derivatives only. W comes from the observed information, as in SAS and mmrm, or from the expected one,
as in pbkrtest.

**Source**: Kenward & Roger 1997, Biometrics 53:983, equations (4)-(6) and section 3; notation of Halekoh & Højsgaard
2014, J Stat Softw 59(9).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .covariance import Covariance
from .jets import Jet
from .likelihood import contract
from .satterthwaite import variance_slopes

__all__ = ["SAS_PARAMETERS", "adjusted_covariance", "joint_test", "weighted_Q", "weighted_R"]

Array = NDArray[np.float64]
ELEMENTS: dict[str, Callable[[int], list[tuple[int, int]]]] = {
    "first": lambda V: [(0, 0)],
    "diagonal": lambda V: [(a, a) for a in range(V)],
    "first pair": lambda V: [(0, 1)],
    "first row": lambda V: [(0, b) for b in range(1, V)],
    "neighbors": lambda V: [(a, a + 1) for a in range(V - 1)],
}
SAS_PARAMETERS = {
    "csh": ("diagonal", "first pair"),
    "ar1": ("first", "first pair"),
    "ar1h": ("diagonal", "first pair"),
    "toeph": ("diagonal", "first row"),
    "ad": ("first", "neighbors"),
    "adh": ("diagonal", "neighbors"),
    "sp_exp": ("first", "first pair"),
}
"""For structures that are not linear in SAS's parameters, the elements of Σ whose variances and whose correlations are
those parameters (SP(EXP): the range −d / log r of a correlation r at distance d). `us`, `cs` and `toep` are linear:
their second derivatives are zero. SAS has ANTE(1) with a variance for each visit; `ad` is the same with one variance.

**Source**: SAS/STAT User's Guide, PROC MIXED, REPEATED statement, TYPE=.
"""


def weighted_Q(A: Array, first: Array, T: Array, W: Array) -> Array:
    """Σ_ij W_ij Q_ij from moments, shape (..., p, p): one contraction of A_S (Σ_ij W_ij V_i A_S V_j) A_S with T_S."""
    p = T.shape[-1] - 1
    weighted = np.einsum("...ij,...jpab->...ipab", W, first)
    inner = (first @ A[..., None, :, :, :] @ weighted).sum(-4)
    return contract(A @ inner @ A, T)[..., :p, :p]


def weighted_R(A: Array, covariance: Covariance, theta: Array, groups: NDArray[np.intp], T: Array, W: Array) -> Array:
    """Σ_ab W_ab R_ab in SAS's parameters s, shape (..., p, p); zero where Σ is linear in them.

    W is the covariance of θ̂, our parameters. With J = ∂s/∂θ and H_c = ∂²s_c/∂θ∂θ', the covariance of ŝ is JWJ', and the
    chain rule leaves of Σ_ab (JWJ')_ab ∂²V/∂s_a∂s_b

        Σ_ij W_ij V_ij − Σ_k V_k x_k,      x = J⁻¹ t,  t_c = tr(W H_c)
    """
    p = T.shape[-1] - 1
    if covariance.structure.code not in SAS_PARAMETERS or len(covariance.times) == 1:
        return np.zeros((*T.shape[:-5], p, p))
    first, second = covariance.derivatives(theta)
    parameters = _sas_parameters(covariance, covariance.sigma(theta), first, second)
    J = np.stack([s.gradient for s in parameters], axis=-2)
    t = np.stack([np.sum(W * s.hessian, axis=(-2, -1)) for s in parameters], axis=-1)
    x = np.linalg.solve(J, t[..., None])[..., 0]
    D = np.einsum("...ij,...ijgab->...gab", W, second) - np.einsum("...i,...igab->...gab", x, first)
    return contract(A @ D[..., groups, :, :] @ A, T)[..., :p, :p]


def _sas_parameters(covariance: Covariance, sigma: Array, first: Array, second: Array) -> list[Jet]:
    """SAS's parameters as functions of ours, group after group."""
    variances, correlations = (ELEMENTS[name] for name in SAS_PARAMETERS[covariance.structure.code])
    V, power = len(covariance.times), np.array(-0.5)

    def element(g: int, a: int, b: int) -> Jet:
        return Jet(sigma[..., g, a, b], first[..., g, a, b], second[..., g, a, b])

    parameters = []
    for g in range(covariance.n_groups):
        parameters += [element(g, a, b) for a, b in variances(V)]
        for a, b in correlations(V):
            r = element(g, a, b) * (element(g, a, a) * element(g, b, b)).power(power)
            if covariance.structure.code == "sp_exp":
                log = r.map(np.log(r.value), 1 / r.value, -1 / r.value**2)
                d = covariance.times[b] - covariance.times[a]
                r = log.power(np.array(-1.0)) * -d
            parameters.append(r)
    return parameters


def adjusted_covariance(Q: Array, Phi: Array, P: Array, W: Array, R: Array | None = None) -> Array:
    """Φ_A, shape (..., p, p), from Q = Σ_ij W_ij Q_ij (..., p, p), Φ, P (..., m, p, p) and W (..., m, m); of second
    order where R = Σ_ij W_ij R_ij is given.
    """
    PhiP = np.einsum("...ij,...jab->...iab", W, P)
    middle = Q - np.einsum("...iab,...bc,...icd->...ad", P, Phi, PhiP)
    if R is not None:
        middle = middle - R / 4
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
