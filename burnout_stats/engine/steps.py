"""What an optimizer makes of a gradient and a Hessian: Newton's step, the step within a radius, and at the end the
covariance of the parameters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["DEFINITE", "newton_step", "step_within", "theta_covariance"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
DEFINITE = 1e-7
"""Smallest eigenvalue of a Hessian, as part of the largest, at which it counts as positive definite."""


def newton_step(gradient: Array, hessian: Array) -> tuple[Array, Mask]:
    """−H⁻¹g where H is positive definite, and whether it is.

    Most replicates of a large stack are solved together, by the square-root-free Cholesky factors of H; those with a
    small pivot are looked at through their eigenvalues.
    """
    m = hessian.shape[-1]
    step = np.empty_like(gradient)
    definite = np.zeros(len(gradient), dtype=bool)
    rest = np.arange(len(gradient))
    if len(gradient) > 8:
        H = np.moveaxis(hessian, 0, -1).copy()
        x = -gradient.T
        least = 1e-4 * np.abs(H[np.arange(m), np.arange(m)])
        easy = np.ones(len(gradient), dtype=bool)
        for j in range(m):
            pivot = H[j, j].copy()
            easy &= pivot > least[j]
            pivot[~easy] = 1.0
            below = H[j + 1 :, j] / pivot
            H[j + 1 :, j + 1 :] -= below[:, None] * H[j, j + 1 :]
            x[j + 1 :] -= below * x[j]
            H[j, j] = pivot
        for j in range(m - 1, -1, -1):
            x[j] = (x[j] - (H[j, j + 1 :] * x[j + 1 :]).sum(0)) / H[j, j]
        size = np.abs(np.diagonal(hessian, axis1=-2, axis2=-1))
        easy &= size.min(-1) > 1e-3 * size.max(-1)
        step[easy], definite[easy] = x.T[easy], True
        rest = np.flatnonzero(~easy)
        if not len(rest):
            return step, definite
    values, vectors = np.linalg.eigh(hessian[rest])
    definite[rest] = values[:, 0] > DEFINITE * np.maximum(values[:, -1], 1e-300)
    safe = np.where(definite[rest, None], values, 1.0)
    step[rest] = -np.einsum("bij,bj->bi", vectors, np.einsum("bji,bj->bi", vectors, gradient[rest]) / safe)
    return step, definite


def step_within(rotated: Array, values: Array, radius: Array) -> Array:
    """g / (λ + μ) in the coordinates of the eigenvectors, with the smallest μ >= 0 that makes λ + μ positive and the
    step no longer than the radius (found by bisection of log μ).
    """
    scale = np.maximum(np.abs(values).max(-1), 1e-300)
    floor = np.maximum(0.0, -values[:, 0]) + 1e-9 * scale * (values[:, 0] <= DEFINITE * scale)
    low, high = floor, floor + np.linalg.norm(rotated, axis=-1) / radius + scale
    inside = np.linalg.norm(rotated / np.maximum(values + low[:, None], 1e-300), axis=-1) <= radius
    for _ in range(0 if inside.all() else 30):
        middle = np.where(low > 0, np.sqrt(np.maximum(low, 1e-18 * high) * high), np.sqrt(1e-18) * high)
        middle = np.where(high - low < 0.5 * high, (low + high) / 2, middle)
        shorter = np.linalg.norm(rotated / np.maximum(values + middle[:, None], 1e-300), axis=-1) <= radius
        low, high = np.where(shorter, low, middle), np.where(shorter, middle, high)
    mu = np.where(inside, floor, high)
    step: Array = rotated / np.maximum(values + mu[:, None], 1e-300)
    hard = inside & (floor > 0)
    if hard.any():
        along = np.sqrt(np.maximum(radius**2 - (step**2).sum(-1), 0.0))
        step[hard, 0] += np.where(step[hard, 0] < 0, -1.0, 1.0) * along[hard]
    return step


def theta_covariance(hessian: Array) -> Array:
    """W = 2 H⁻¹, the covariance of θ̂ from a Hessian of −2 log-likelihood (..., m, m).

    A direction in which H is not positive stands at a bound, or was not verified: it is taken as known (as SAS does
    with a variance of 0).
    """
    values, vectors = np.linalg.eigh(hessian)
    if (values[..., 0] > DEFINITE * values[..., -1]).all():
        return np.asarray(2 * np.linalg.inv(hessian))
    known = values <= DEFINITE * values[..., -1:]
    inverse = np.where(known, 0.0, 2 / np.where(known, 1.0, values))
    return np.asarray((vectors * inverse[..., None, :]) @ np.swapaxes(vectors, -1, -2))
