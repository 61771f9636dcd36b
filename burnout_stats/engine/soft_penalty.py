"""A soft penalty for mixed models of events: all estimates stay finite, and the penalty vanishes as data grow.

With n rows, p fixed effects, π the probabilities at random effects of 0 and W = diag(π'(η)² / (π (1 − π))), what is
added to the log-likelihood is

    c { log|X'WX| / 2 + Σ_l D(log λ_ll) + Σ_{l > j} D(λ_lj) },   c = 2 √(p / n),

with Jeffreys' prior of the model without random effects (its power c), and D(x) = −x²/2 where |x| ≤ 1 and 1/2 − |x|
beyond, Huber's function, on the entries of Λ. Standard errors are from the information of the log-likelihood,
in β, log λ_ll and λ_lj.

**Source**: Sterzinger & Kosmidis 2023, Stat Comput 33:53; Kosmidis & Firth 2021, Biometrika 108:71, for
links other than the logit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_ndtr

from .glmm import Optimum, Penalty, Problem, information

__all__ = ["multiplier", "soft_covariance", "soft_penalty"]

Array = NDArray[np.float64]
BEYOND = 300.0
"""A linear predictor from which on the penalty is called infinite."""


def multiplier(problem: Problem) -> float:
    """c = 2 √(p / n)."""
    n = float(problem.counts @ problem.mask.sum(axis=1))
    return float(2 * np.sqrt(problem.X.shape[2] / n))


def soft_penalty(problem: Problem) -> Penalty:
    """The penalty as a function of ψ = (β, θ, γ), with its gradient."""
    p, t, g = problem.sizes
    c = multiplier(problem)
    on = problem.mask > 0
    rows = np.concatenate([problem.X[on], problem.offset[on][:, None]], axis=1)
    distinct, place = np.unique(rows, axis=0, return_inverse=True)
    counts = np.bincount(place.ravel(), weights=np.broadcast_to(problem.counts[:, None], on.shape)[on])
    X, offset = np.ascontiguousarray(distinct[:, :-1]), distinct[:, -1]
    weight = WEIGHTS[problem.family.link]
    diagonal = problem.free[:, 0] == problem.free[:, 1]

    def penalty(psi: Array) -> tuple[float, Array]:
        eta = X @ psi[:p] + offset
        if not np.abs(eta).max() < BEYOND:
            return -np.inf, np.zeros(len(psi))
        log_w, slope = weight(eta)
        w = counts * np.exp(log_w)
        M = X.T @ (w[:, None] * X)
        sign, log_det = np.linalg.slogdet(M)
        if sign <= 0 or not np.isfinite(log_det):
            return -np.inf, np.zeros(len(psi))
        leverage = w * np.einsum("ij,ij->i", X @ np.linalg.inv(M), X)
        theta = psi[p : p + t]
        with np.errstate(divide="ignore"):
            x = np.where(diagonal, np.log(np.abs(theta)), theta)
        inner = np.abs(x) <= 1
        huber = np.where(inner, -0.5 * x**2, 0.5 - np.abs(x))
        if not np.isfinite(x).all():
            return -np.inf, np.zeros(len(psi))
        turn = np.where(inner, -x, -np.sign(x)) / np.where(diagonal, theta, 1.0)
        gradient = np.concatenate([0.5 * X.T @ (leverage * slope), turn, np.zeros(g)])
        return float(c * (0.5 * log_det + huber.sum())), c * gradient

    return penalty


def _logit(eta: Array) -> tuple[Array, Array]:
    """log w and its derivative, w = π (1 − π)."""
    return -np.abs(eta) - 2 * np.log1p(np.exp(-np.abs(eta))), 1 - 2 * expit(eta)


def _probit(eta: Array) -> tuple[Array, Array]:
    """log w and its derivative, w = φ² / (Φ (1 − Φ))."""
    log_phi = -0.5 * eta**2 - 0.5 * np.log(2 * np.pi)
    below, above = log_ndtr(eta), log_ndtr(-eta)
    return 2 * log_phi - below - above, -2 * eta - np.exp(log_phi - below) + np.exp(log_phi - above)


WEIGHTS = {"logit": _logit, "probit": _probit}


def soft_covariance(problem: Problem, optimum: Optimum, n_nodes: int) -> tuple[Array, bool]:
    """The covariance of ψ̂ in its own coordinates, and whether the information was positive definite.

    ℓ is not stationary at ψ̂, so its curvature depends on the coordinates: it is that in log λ_ll.
    """
    p = problem.sizes[0]
    matrix = information(problem, optimum.psi, n_nodes)
    slope = problem.counts @ optimum.value.scores
    scale = np.ones(len(optimum.psi))
    diagonal = p + np.flatnonzero(problem.free[:, 0] == problem.free[:, 1])
    scale[diagonal] = optimum.psi[diagonal]
    matrix = matrix * np.outer(scale, scale)
    matrix[diagonal, diagonal] -= scale[diagonal] * slope[diagonal]
    values = np.linalg.eigvalsh(matrix)
    if not values.min() > 1e-9 * max(float(values.max()), 1e-300):
        return optimum.vcov, False
    return np.asarray(np.linalg.inv(matrix) * np.outer(scale, scale)), True
