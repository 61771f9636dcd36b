"""A covariance of outcomes times a covariance of visits: Σ = Γ ⊗ Ω, as one more structure.

Positions are outcome after outcome, the visits of each in order; K outcomes, V visits, D = KV. Γ (K × K) is
unstructured and bears the scale; Ω (V × V) is any structure of the table with its first parameter, a log standard
deviation, fixed at 0 (SAS fixes the first element of Ω at 1 for the same reason: cΓ ⊗ Ω/c is the same Σ).

    ∂Σ       = ∂Γ ⊗ Ω,  Γ ⊗ ∂Ω
    ∂²Σ      = ∂²Γ ⊗ Ω,  ∂Γ ⊗ ∂Ω,  Γ ⊗ ∂²Ω

**Source**: Galecki 1994, Commun Stat Theory Methods 23:3105; SAS/STAT User's Guide, PROC MIXED, TYPE=UN@UN, UN@AR(1),
UN@CS.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .covariance import STRUCTURES, Structure

__all__ = ["kronecker"]

Array = NDArray[np.float64]


def kronecker(n_outcomes: int, over_visits: str) -> Structure:
    """The structure us ⊗ `over_visits` for D = KV positions, whose times repeat for each outcome.

    >>> kronecker(2, "ar1").n_parameters(6)
    4
    """
    K, outcomes, visits = n_outcomes, STRUCTURES["us"], STRUCTURES[over_visits]
    n_own = outcomes.n_parameters(K)
    at = np.zeros(K)

    def n_parameters(D: int) -> int:
        return n_own + visits.n_parameters(D // K) - 1

    def parts(theta: Array) -> tuple[Array, Array]:
        scale = np.zeros((*theta.shape[:-1], 1))
        return theta[..., :n_own], np.concatenate([scale, theta[..., n_own:]], axis=-1)

    def sigma(theta: Array, times: Array) -> Array:
        own, other = parts(theta)
        return _kron(outcomes.sigma(own, at), visits.sigma(other, times[: len(times) // K]))

    def derivatives(theta: Array, times: Array) -> tuple[Array, Array]:
        own, other = parts(theta)
        once = times[: len(times) // K]
        G, dG, ddG = outcomes.sigma(own, at), *outcomes.derivatives(own, at)
        W = visits.sigma(other, once)
        dW, ddW = visits.derivatives(other, once)
        dW, ddW = dW[..., 1:, :, :], ddW[..., 1:, 1:, :, :]
        one, two = (..., None, slice(None), slice(None)), (..., None, None, slice(None), slice(None))
        first = np.concatenate([_kron(dG, W[one]), _kron(G[one], dW)], axis=-3)
        cross = _kron(dG[..., :, None, :, :], dW[..., None, :, :, :])
        upper = np.concatenate([_kron(ddG, W[two]), cross], axis=-3)
        lower = np.concatenate([np.swapaxes(cross, -4, -3), _kron(G[two], ddW)], axis=-3)
        return first, np.concatenate([upper, lower], axis=-4)

    def start(given: Array, times: Array) -> Array:
        V = len(times) // K
        blocks = given.reshape(*given.shape[:-2], K, V, K, V)
        Gamma = np.einsum("...kvlv->...kl", blocks) / V
        variance = np.diagonal(Gamma, axis1=-2, axis2=-1)
        Omega = np.einsum("...kakb,...k->...ab", blocks, 1.0 / variance) / K
        other = visits.start(Omega, times[:V])
        size = np.exp(2 * other[..., 0])
        own = outcomes.start(Gamma * size[..., None, None], at)
        unit = visits.start(Omega / size[..., None, None], times[:V])
        return np.concatenate([own, unit[..., 1:]], axis=-1)

    name = f"unstructured over outcomes, {visits.name} over visits"
    return Structure("kronecker", name, n_parameters, sigma, derivatives, start)


def _kron(A: Array, B: Array) -> Array:
    """A ⊗ B over leading axes that broadcast."""
    whole = A[..., :, None, :, None] * B[..., None, :, None, :]
    size = A.shape[-1] * B.shape[-1]
    return np.asarray(whole.reshape(*whole.shape[:-4], size, size))
