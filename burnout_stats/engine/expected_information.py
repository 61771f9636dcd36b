"""What a mixed model for repeated measures is expected to know before there are data: the information by missingness
pattern.

With n_S persons expected in pattern S, the moments of X are expected to be T_S[a, b] = n_S x_a x_b', and with the
assumed Σ everything that standard errors and degrees of freedom rest on follows without any y:

    Φ = (Σ_S n_S X_S' Σ_S⁻¹ X_S)⁻¹,   W = the covariance of θ̂ from the expected REML information,
    Λ = Φ {Σ_ij W_ij (Q_ij − P_i Φ P_j)} Φ.

Φ alone is Lu, Luo & Chen 2008 (Int J Biostat 4:9, formula 3: their φ is the last diagonal element of (Σ_j (r_j −
r_(j+1)) R_j⁻¹)⁻¹, R_j the correlations of the first j visits), here for any pattern, contrast and covariance structure.
That Σ is estimated makes β̂ vary more than Φ says, Var(β̂) ≈ Φ + Λ, while the estimate of Φ falls short of it, E[Φ̂] ≈ Φ −
Λ; Kenward & Roger (1997, Biometrics 53:983) add twice Λ for that reason. Both are of the order of 1/n².

Who misses which visit is chance: the numbers by pattern of the N_a persons of an arm are multinomial. With I_aS the
information of one person and Ī_a its mean over patterns, the second-order terms of E Φ and the first-order ones of Var
Φ about the expected numbers are, for a row l,

    Σ_a N_a {Σ_S p_aS l'ΦI_aSΦI_aSΦl' − l'ΦĪ_aΦĪ_aΦl'}   and   Σ_a N_a {Σ_S p_aS (l'ΦI_aSΦl')² − (l'ΦĪ_aΦl')²}.

That, and degrees of freedom at the expected numbers, are approximations of ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import kenward_roger
from .basis import Basis
from .covariance import Covariance
from .likelihood import curvature, evaluate, precisions
from .moments import Moments
from .steps import theta_covariance

__all__ = ["ExpectedInformation", "expected_information"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExpectedInformation:
    """Φ, P and W at the assumed parameters, for one design or a stack of them (of other sizes) on a leading axis.

    It stands where a fitted model's state stands, so that degrees of freedom are found by the same functions.
    """

    moments: Moments
    covariance: Covariance
    theta: Array
    Phi: Array
    P: Array
    W: Array
    A: Array
    first: Array
    X: Array
    n: Array
    persons: Array

    @property
    def basis(self) -> Basis:
        """Of the moments."""
        return self.moments.basis

    @property
    def gamma(self) -> Array:
        """No coefficients are known."""
        return np.full(self.Phi.shape[:-1], np.nan)

    def theta_covariance(self, information: str) -> Array:  # noqa: ARG002  # one answer to both
        """W, whichever information is asked for: what is observed has the expected one as its mean."""
        return self.W

    def weighted_Q(self, W: Array) -> Array:
        """Σ_ij W_ij Q_ij."""
        return kenward_roger.weighted_Q(self.A, self.first, self.moments.T, W)

    @property
    def excess(self) -> Array:
        """Λ, (..., p, p)."""
        adjusted = kenward_roger.adjusted_covariance(self.weighted_Q(self.W), self.Phi, self.P, self.W)
        return (adjusted - self.Phi) / 2

    def spread(self, L: Array) -> tuple[Array, Array]:
        """How numbers by pattern that are left to chance raise the mean of l'Φl, and their variance of it, (..., k)."""
        V_S, _ = precisions(self.moments.patterns, self.covariance.sigma(self.theta)[..., self.moments.groups, :, :])
        LPhi = L @ self.Phi
        single = _information(self.X, V_S)
        near = np.einsum("...kp,...sapq,...kr,...rq->...sak", LPhi, single, L, self.Phi)
        n = np.swapaxes(self.n, -1, -2)
        mean = (n[..., None, None] * single).sum(-4)
        far = np.einsum("...kp,...sapq,...qr,...sart,...kt->...sak", LPhi, single, self.Phi, single, LPhi)
        squares = np.einsum("...kp,...apq,...qr,...art,...kt->...ak", LPhi, mean, self.Phi, mean, LPhi)
        raised = (n[..., None] * far).sum((-3, -2)) - (squares / self.persons[..., None]).sum(-2)
        total = (n[..., None] * near).sum(-3)
        variance = (n[..., None] * near**2).sum((-3, -2)) - (total**2 / self.persons[..., None]).sum(-2)
        return np.maximum(raised, 0.0), np.maximum(variance, 0.0)


def _information(X: Array, A: Array) -> Array:
    """I_aS of one person, (..., P, A, p, p)."""
    return np.asarray(np.einsum("avp,...svw,awq->...sapq", X, A, X))


def expected_information(
    X: Array, seen: NDArray[np.bool_], n: Array, covariance: Covariance, sigma: Array
) -> ExpectedInformation:
    """The expected information of a design.

    Parameters
    ----------
    X : (A, V, p) array
        Rows of the design matrix by arm and visit; the first column is the constant.
    seen : (P, V) bool array
    n : (..., A, P) array
        Persons expected by arm and pattern; need not be whole numbers.
    covariance : Covariance
    sigma : (V, V) array
        The assumed Σ, which must be of that structure.
    """
    persons = np.asarray(n, dtype=float).sum(-1)
    kept = seen.any(1)
    seen, n = seen[kept], np.asarray(n, dtype=float)[..., kept]
    p = X.shape[2]
    both = seen[:, :, None] & seen[:, None, :]
    products = np.einsum("...as,avp,awq->...svwpq", n, X, X) * both[..., None, None]
    T = np.zeros((*products.shape[:-2], p + 1, p + 1))
    T[..., :p, :p] = products
    basis = Basis.centered(np.zeros(p + 1), np.eye(p)[0])
    moments = Moments(patterns=seen, groups=np.zeros(len(seen), dtype=np.intp), n=n.sum(-2), T=T, basis=basis)
    theta = np.broadcast_to(covariance.start(sigma), (*n.shape[:-2], covariance.n_parameters))
    at = evaluate(moments, covariance, theta, reml=True)
    slope = curvature(moments, covariance, theta, at, reml=True, expected=True)
    sound = np.isfinite(at.criterion)[..., None, None]
    return ExpectedInformation(
        moments=moments,
        covariance=covariance,
        theta=np.asarray(theta),
        Phi=np.where(sound, at.Phi, np.nan),
        P=slope.P,
        W=theta_covariance(np.where(sound, slope.expected, np.eye(covariance.n_parameters))),
        A=at.A,
        first=slope.first,
        X=X,
        n=n,
        persons=persons,
    )
