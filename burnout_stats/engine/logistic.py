"""Logistic regression by maximum likelihood: the optimum, Wald and profile-likelihood limits, and whether there is an
optimum at all.

P(yᵢ = 1) = 1 / (1 + e^(−ηᵢ)) with η = X β + o for a known offset o. With p the fitted probabilities and W = diag(p(1
− p)), Newton's step is (X' W X)⁻¹ X'(y − p), halved until the likelihood grows. The limits of a profile interval are
where 2 (ℓ̂ − ℓ(βⱼ)) reaches the quantile of chi-squared on one degree of freedom, ℓ(βⱼ) the largest log-likelihood with
βⱼ held; the part of βⱼ goes into the offset.

Where a combination of the columns tells some of the y = 1 from the y = 0 without error, the likelihood has no maximum:
a coefficient runs to infinity. This is a linear program: is there a β with sᵢ xᵢ'β ≥ 0 for all i, and > 0 for one,
where sᵢ = 2yᵢ − 1?

**Source**: Albert & Anderson 1984, Biometrika 71:1 (when there is no maximum); Konis 2007, Linear programming
algorithms for detecting separated data in binary logistic regression models (DPhil thesis, Oxford), chapter 4; Venzon &
Moolgavkar 1988, Appl Stat 37:87 (profile limits).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, linprog
from scipy.special import chdtri, expit

__all__ = ["Logistic", "fit_logistic", "profile_limits", "separating"]

Array = NDArray[np.float64]
STEPS = 100
STOP = 1e-12
"""Newton stops after a step that was expected to gain less than this part of the log-likelihood."""
FARTHEST = 60.0
"""In standard errors: so far out a profile limit is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Logistic:
    """The optimum: coefficients (p,), their covariance, the log-likelihood, and whether Newton arrived."""

    beta: Array
    vcov: Array
    loglik: float
    converged: bool


def fit_logistic(X: Array, y: Array, offset: Array | float = 0.0, start: Array | None = None) -> Logistic:
    """Maximize the likelihood; y is 0 or 1, the columns of X are linearly independent.

    >>> found = fit_logistic(np.ones((4, 1)), np.array([1.0, 1.0, 1.0, 0.0]))
    >>> round(float(np.exp(found.beta[0])), 6)
    3.0
    """
    beta = np.zeros(X.shape[1]) if start is None else np.array(start, dtype=float)
    loglik = _loglik(X @ beta + offset, y)
    converged = X.shape[1] == 0
    for _ in range(STEPS):
        p = expit(X @ beta + offset)
        score = X.T @ (y - p)
        step = np.linalg.lstsq(_information(X, p), score, rcond=None)[0]
        converged = bool(score @ step <= STOP * (1 + abs(loglik)))
        for _ in range(40):
            new = _loglik(X @ (beta + step) + offset, y)
            if new >= loglik or converged:
                break
            step = step / 2
        beta, loglik = beta + step, new
        if converged:  # the last step, which is small, was taken too
            break
    vcov = np.asarray(np.linalg.pinv(_information(X, expit(X @ beta + offset))), dtype=np.float64)
    return Logistic(beta=beta, vcov=vcov, loglik=loglik, converged=converged)


def profile_limits(X: Array, y: Array, optimum: Logistic, place: int, conf_level: float) -> tuple[float, float]:
    """The limits of the profile interval of one coefficient; NaN for one that is not reached."""
    allowed = float(chdtri(1, 1 - conf_level)) / 2
    others = np.delete(X, place, axis=1)
    start = np.delete(optimum.beta, place)
    se = float(np.sqrt(optimum.vcov[place, place]))

    def short(away: float) -> float:
        held = X[:, place] * (optimum.beta[place] + away * se)
        return optimum.loglik - fit_logistic(others, y, held, start).loglik - allowed

    limits = []
    for side in (-1.0, 1.0):
        reach = 2.0
        while short(side * reach) < 0 and reach < FARTHEST:
            reach *= 1.5
        found = reach < FARTHEST or short(side * reach) >= 0
        away = brentq(short, 0.0, side * reach, xtol=1e-10) if found else np.nan
        limits.append(float(optimum.beta[place] + away * se))
    return limits[0], limits[1]


def separating(X: Array, y: Array) -> NDArray[np.bool_]:
    """Which columns take part in telling y = 1 from y = 0 without error (p,); none where the optimum exists."""
    scale = np.abs(X).max(axis=0)
    Z = (2 * y - 1)[:, None] * X / np.where(scale > 0, scale, 1.0)
    found = linprog(-Z.sum(axis=0), A_ub=-Z, b_ub=np.zeros(len(y)), bounds=(-1, 1), method="highs")
    if found.status != 0 or -found.fun < 1e-7 * len(y):
        return np.zeros(X.shape[1], dtype=bool)
    return np.asarray(np.abs(found.x) > 1e-7)


def _information(X: Array, p: Array) -> Array:
    """X' W X."""
    return np.asarray(X.T @ (X * (p * (1 - p))[:, None]))


def _loglik(eta: Array, y: Array) -> float:
    return float((y * eta - np.logaddexp(0.0, eta)).sum())
