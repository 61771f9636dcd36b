"""The exponential of a matrix over a lag, the noise that gathers over it, and the derivatives of both.

Every integral and every derivative here is a corner of the exponential of a block triangular matrix. Arrays broadcast
over leading axes.

**Source**: Van Loan 1978, IEEE Trans Autom Control 23:395, theorem 1 (integrals); Najfeld & Havel 1995, Adv Appl Math
16:321 (the derivative in a direction); Voelkle, Oud, Davidov & Schmidt 2012, Psychol Methods 17:176 (K).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

__all__ = ["asymptotic", "directional", "integral", "lagged", "process_noise", "units"]

Array = NDArray[np.float64]


def directional(M: Array, E: Array) -> tuple[Array, Array]:
    """exp(M) for M (..., n, n), and its derivatives in the directions E (..., m, n, n) as (..., m, n, n).

    exp([[M, E], [0, M]]) = [[exp(M), L(M, E)], [0, exp(M)]] (Najfeld & Havel 1995).

    >>> value, change = directional(np.array([[0.0]]), np.array([[[2.0]]]))
    >>> value.tolist(), change.tolist()
    ([[1.0]], [[[2.0]]])
    """
    n = M.shape[-1]
    shape = np.broadcast_shapes(M[..., None, :, :].shape, E.shape)
    block = np.zeros((*shape[:-2], 2 * n, 2 * n))
    block[..., :n, :n] = block[..., n:, n:] = M[..., None, :, :]
    block[..., :n, n:] = E
    found = np.asarray(expm(block))
    return found[..., 0, :n, :n], found[..., :n, n:]


def lagged(A: Array, lag: float) -> tuple[Array, Array]:
    """Φ = exp(A·lag) for A (..., P, P), and ∂Φ/∂A_kl as (..., P², P, P), k the slower index."""
    return directional(A * lag, units(A.shape[-1]) * lag)


def integral(A: Array, lag: float) -> Array:
    """J(lag) (..., P², P²), with vec Ψ = J vec Q.

    >>> bool(np.isclose(integral(np.array([[-0.5]]), 2.0)[0, 0], (1 - np.exp(-2.0)) / 1.0))
    True
    """
    n = A.shape[-1] ** 2
    return np.asarray(expm(_augmented(A) * lag))[..., :n, n:]


def process_noise(A: Array, lag: float) -> tuple[Array, Array]:
    """J (..., P², P²) with vec Ψ = J vec Q, and ∂J/∂A_kl as (..., P², P², P²)."""
    P = A.shape[-1]
    E = np.zeros((P * P, 2 * P * P, 2 * P * P))
    E[:, : P * P, : P * P] = _kronecker_sum(units(P))
    value, change = directional(_augmented(A) * lag, E * lag)
    return value[..., : P * P, P * P :], change[..., : P * P, P * P :]


def asymptotic(A: Array, Q: Array) -> tuple[Array, Array, Array]:
    """The covariance P_∞ that is reached after a long time, A P_∞ + P_∞ A' + Q = 0, with ∂P_∞/∂A_kl as (..., P², P, P)
    and the matrix (..., P², P²) that takes vec Q to vec P_∞.
    """
    P = A.shape[-1]
    taking = -np.linalg.inv(_kronecker_sum(A))
    shape = (*np.broadcast_shapes(A.shape[:-2], Q.shape[:-2]), P, P)
    end = (taking @ Q.reshape(*Q.shape[:-2], P * P, 1)).reshape(shape)
    half = units(P) @ end[..., None, :, :]
    both = half + np.swapaxes(half, -1, -2)
    change = (taking[..., None, :, :] @ both.reshape(*both.shape[:-2], P * P, 1)).reshape(both.shape)
    return np.asarray(end), np.asarray(change), np.asarray(taking)


def _augmented(A: Array) -> Array:
    """[[K, I], [0, 0]]."""
    n = A.shape[-1] ** 2
    M = np.zeros((*A.shape[:-2], 2 * n, 2 * n))
    M[..., :n, :n] = _kronecker_sum(A)
    M[..., :n, n:] = np.eye(n)
    return M


def units(P: int) -> Array:
    """E_kl (P², P, P): 1 at (k, l)."""
    return np.eye(P * P).reshape(P * P, P, P)


def _kronecker_sum(A: Array) -> Array:
    """K = A ⊗ I + I ⊗ A, so that K vec X = vec(AX + XA'), row by row."""
    P = A.shape[-1]
    eye = np.eye(P)
    left = np.einsum("...ij,kl->...ikjl", A, eye)
    right = np.einsum("ij,...kl->...ikjl", eye, A)
    return np.asarray(left + right).reshape(*A.shape[:-2], P * P, P * P)
