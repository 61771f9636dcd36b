"""Covariance structures of the visits: Σ(θ) on an unconstrained scale, with first and second derivatives, as one table.

A structure is a row of `STRUCTURES`; validation, messages and dispatch all read that table. V is the number of visits,
m the number of parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["STRUCTURES", "Structure"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Structure:
    """One covariance structure.

    Attributes
    ----------
    code, name : str
        `us`, "unstructured".
    n_parameters : V -> m
    sigma : θ (..., m), V -> Σ (..., V, V)
    derivatives : θ, V -> ∂Σ/∂θ_i (..., m, V, V) and ∂²Σ/∂θ_i∂θ_j (..., m, m, V, V)
    start : a positive definite Σ (..., V, V) -> θ of the structure's nearest (or own) Σ
    """

    code: str
    name: str
    n_parameters: Callable[[int], int]
    sigma: Callable[[Array, int], Array]
    derivatives: Callable[[Array, int], tuple[Array, Array]]
    start: Callable[[Array], Array]


def _positions(n_visits: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column in L of each parameter: the diagonal first, then the rows below it."""
    rows, columns = np.tril_indices(n_visits, -1)
    diagonal = np.arange(n_visits)
    return np.concatenate([diagonal, rows]), np.concatenate([diagonal, columns])


def _cholesky_factor(theta: Array, n_visits: int) -> Array:
    rows, columns = _positions(n_visits)
    values = np.concatenate([np.exp(theta[..., :n_visits]), theta[..., n_visits:]], axis=-1)
    L = np.zeros((*theta.shape[:-1], n_visits, n_visits))
    L[..., rows, columns] = values
    return L


def _us_sigma(theta: Array, n_visits: int) -> Array:
    """Σ = L L' with log-diagonal L (log-Cholesky: Pinheiro & Bates 1996, Stat Comput 6:289, section 2.2)."""
    L = _cholesky_factor(theta, n_visits)
    return L @ np.swapaxes(L, -1, -2)


def _us_derivatives(theta: Array, n_visits: int) -> tuple[Array, Array]:
    """∂Σ = ∂L L' + L ∂L';  ∂²Σ_ij = ∂L_i ∂L_j' + ∂L_j ∂L_i' + (∂²L_ij L' + L ∂²L_ij'), the last term for i = j on the
    diagonal only.
    """
    rows, columns = _positions(n_visits)
    m = len(rows)
    L = _cholesky_factor(theta, n_visits)
    units = np.zeros((m, n_visits, n_visits))
    units[np.arange(m), rows, columns] = 1.0
    slopes = np.where(rows == columns, L[..., rows, columns], 1.0)
    dL = slopes[..., None, None] * units
    half = dL @ np.swapaxes(L, -1, -2)[..., None, :, :]
    first = half + np.swapaxes(half, -1, -2)
    cross = np.einsum("...iab,...jcb->...ijac", dL, dL)
    second = cross + np.swapaxes(cross, -1, -2)
    on_diagonal = np.arange(n_visits)
    second[..., on_diagonal, on_diagonal, :, :] += first[..., on_diagonal, :, :]
    return first, second


def _us_start(sigma: Array) -> Array:
    n_visits = sigma.shape[-1]
    rows, columns = _positions(n_visits)
    L = np.linalg.cholesky(sigma)
    values = L[..., rows, columns]
    return np.concatenate([np.log(values[..., :n_visits]), values[..., n_visits:]], axis=-1)


STRUCTURES: dict[str, Structure] = {
    "us": Structure(
        code="us",
        name="unstructured",
        n_parameters=lambda n_visits: n_visits * (n_visits + 1) // 2,
        sigma=_us_sigma,
        derivatives=_us_derivatives,
        start=_us_start,
    ),
}
