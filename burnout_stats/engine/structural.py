"""Structural models by full-information maximum likelihood, from sums by missingness pattern.

The likelihood of μ(θ) and Σ(θ) is that of `pattern_sums`; with J = ∂(μ, vech Σ)/∂θ, its gradient u and Hessian K there,

    g = J'u,   H = J'KJ + u'∂²(μ, vech Σ),   vcov = −H⁻¹,   robust vcov = H⁻¹ (Σ J'u_i u_i'J) H⁻¹

Newton's steps where −H is positive definite, else Fisher's, halved until the likelihood rises. θ is not bounded: a
variance below 0 is an answer that is told. The saturated model frees every mean and covariance, the baseline model
every mean and variance and no covariance; both by the same likelihood. Fit indices: `engine.fit_indices`.

**Source**: Arbuckle 1996, in Marcoulides & Schumacker, Advanced Structural Equation Modeling (likelihood); Savalei
2010, Psychol Methods 15:352 (observed information, sandwich); Huber 1967, 5th Berkeley Symp 1:221; White 1982,
Econometrica 50:1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .fit_indices import FitIndices, fit_indices, rmsea_interval
from .path_template import Function, Moments, Saturated, Structure, Template
from .pattern_sums import PatternSums, Rows, coordinates, derivatives, loglik, meat, stacked

__all__ = [
    "FitIndices",
    "Function",
    "Moments",
    "Rows",
    "Saturated",
    "StructuralFit",
    "StructuralFits",
    "Structure",
    "Template",
    "baseline_loglik",
    "fit_indices",
    "fit_stack",
    "fit_structural",
    "rmsea_interval",
    "stacked",
]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
MAX_STEPS = 200
DEFINITE = 1e-9
"""Smallest eigenvalue of a correlation-scaled information matrix, at which it counts as positive definite."""
CLOSE = 1e-12
"""The rise of the log-likelihood that a step promises, per row, at which the search ends."""
VERIFIED = 1e-4
"""Largest |g| in units of 1/SE at which an optimum counts as verified."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StructuralFits:
    """R fits of one model: `theta` (R, q), `loglik` (R,), `hessian` and `vcov` (R, q, q), the largest |gradient| in
    units of 1/SE `gradient` (R,), whether gradient and Hessian were `verified` (R,), `steps` (R,), rows `n` (R,).
    """

    theta: Array
    loglik: Array
    hessian: Array
    vcov: Array
    gradient: Array
    verified: Bools
    steps: NDArray[np.int64]
    n: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StructuralFit:
    """One fit.

    Attributes
    ----------
    labels, theta : the q parameters
    loglik, n, n_parameters : of the model; rows with no value at all do not count
    gradient : largest |g| in units of 1/SE
    verified : whether gradient and Hessian are those of a maximum; `steps`, how many were taken
    identified : whether the information matrix has full rank
    hessian : of the log-likelihood, analytic
    vcov, robust_vcov : from the observed information; Huber and White's
    mu, Sigma : implied; mu_saturated, Sigma_saturated : of the saturated model
    saturated_loglik, baseline_loglik : NaN where there is none
    indices : FitIndices
    negative : the variance parameters below 0
    """

    labels: tuple[str, ...]
    theta: Array
    loglik: float
    n: float
    gradient: float
    verified: bool
    identified: bool
    steps: int
    hessian: Array
    vcov: Array
    robust_vcov: Array
    mu: Array
    Sigma: Array
    mu_saturated: Array
    Sigma_saturated: Array
    saturated_loglik: float
    baseline_loglik: float
    indices: FitIndices
    negative: tuple[int, ...]

    @property
    def n_parameters(self) -> int:
        """q."""
        return len(self.theta)


def fit_structural(
    Y: Array, structure: Structure, *, start: Array | None = None, weights: Array | None = None
) -> StructuralFit:
    """The model's maximum of the likelihood of Y (n, D), NaN where missing; `weights` (n,) multiply the rows.

    Examples
    --------
    >>> y = np.array([[1.0, 2.0], [2.0, 2.5], [3.0, 4.0], [4.0, np.nan], [2.5, 3.0]])
    >>> fit = fit_structural(y, Saturated(n_observed=2))
    >>> fit.verified, fit.indices.df, round(float(fit.theta[0]), 3)
    (True, 0, 2.5)
    """
    rows = Rows.of(Y)
    if weights is not None:
        kept = ~np.isnan(np.asarray(Y, dtype=float)).all(1)
        weights = np.asarray(weights, dtype=float)[kept]
    sums = rows.sums(weights)
    found = fit_stack(sums, structure, start=None if start is None else np.asarray(start, dtype=float)[None])
    theta = found.theta[0]
    own = structure.derivatives(theta[None])
    J = _jacobian(own)[0]
    bread = found.vcov[0]
    robust = bread @ J.T @ meat(rows, own.mu[0], own.Sigma[0], weights) @ J @ bread
    D = structure.n_observed
    if _pairs_seen(sums)[0]:
        saturated = fit_stack(sums, Saturated(n_observed=D))
        s_mu, s_Sigma = (part[0] for part in Saturated(n_observed=D).moments(saturated.theta))
        s_loglik = float(saturated.loglik[0]) if saturated.verified[0] else np.nan
    else:
        s_mu, s_Sigma, s_loglik = np.full(D, np.nan), np.full((D, D), np.nan), np.nan
    b_loglik = float(baseline_loglik(sums)[0])
    expected = _information(sums, own, expected=True)[0]
    return StructuralFit(
        labels=structure.labels,
        theta=theta,
        loglik=float(found.loglik[0]),
        n=float(found.n[0]),
        gradient=float(found.gradient[0]),
        verified=bool(found.verified[0]),
        identified=bool(_least(expected[None])[0] > DEFINITE),
        steps=int(found.steps[0]),
        hessian=found.hessian[0],
        vcov=bread,
        robust_vcov=robust,
        mu=own.mu[0],
        Sigma=own.Sigma[0],
        mu_saturated=s_mu,
        Sigma_saturated=s_Sigma,
        saturated_loglik=s_loglik,
        baseline_loglik=b_loglik,
        indices=fit_indices(
            float(found.loglik[0]), s_loglik, b_loglik, len(theta), float(found.n[0]), own, s_mu, s_Sigma
        ),
        negative=tuple(at for at in structure.variances() if theta[at] < 0),
    )


def fit_stack(
    sums: PatternSums, structure: Structure, *, start: Array | None = None, max_steps: int = MAX_STEPS
) -> StructuralFits:
    """The same model fitted to R samples at once, from their sums (`Rows.sums`, `stacked`); `start` is "
    "(R, q) or (1, q).
    """
    R, q = len(sums.n), len(structure.labels)
    begin = structure.start(*_available(sums)) if start is None else np.asarray(start, dtype=float)
    theta = np.broadcast_to(begin, (R, q)).copy()
    steps = np.zeros(R, dtype=np.int64)
    value = loglik(sums, *structure.moments(theta))
    active = np.flatnonzero(np.isfinite(value))
    for _ in range(max_steps):
        if not len(active):
            break
        part, at = sums.take(active), theta[active]
        gradient, direction = _direction(part, structure, at)
        promise = (gradient * direction).sum(1)
        size, fresh = np.ones(len(active)), value[active].copy()
        open_ = promise > 0
        for _ in range(40):
            if not open_.any():
                break
            tried = at[open_] + size[open_, None] * direction[open_]
            with np.errstate(all="ignore"):
                new = loglik(part.take(np.flatnonzero(open_)), *structure.moments(tried))
            rises = new >= value[active[open_]] + 1e-4 * size[open_] * promise[open_]
            flat = promise[open_] < 1e-9 * np.maximum(np.abs(value[active[open_]]), 1.0)
            rises |= flat & (new >= value[active[open_]] - 1e-10 * np.abs(value[active[open_]]))
            places = np.flatnonzero(open_)
            theta[active[places[rises]]], fresh[places[rises]] = tried[rises], new[rises]
            open_[places[rises]] = False
            size[open_] /= 2
        value[active] = fresh
        steps[active] += 1
        going = (promise > CLOSE * np.maximum(part.total, 1.0)) & ~open_
        active = active[going]
    return _at(sums, structure, theta, value, steps)


def baseline_loglik(sums: PatternSums) -> Array:
    """The log-likelihood of the model without covariances (R,): each column by its available cases, in closed form."""
    _, variance = _available(sums)
    n = (sums.n[..., None] * sums.seen).sum(1)
    return np.asarray(-0.5 * (n * (np.log(2 * np.pi * variance) + 1)).sum(-1))


def _available(sums: PatternSums) -> tuple[Array, Array]:
    """Mean and variance (R, D) of each column's available cases (divisor n)."""
    n = (sums.n[..., None] * sums.seen).sum(1)
    safe = np.where(n > 0, n, 1.0)
    mean = (sums.n[..., None] * sums.mean).sum(1) / safe
    gap = np.where(sums.seen, sums.mean - mean[:, None], 0.0)
    squares = (np.diagonal(sums.C, axis1=2, axis2=3) + sums.n[..., None] * gap**2).sum(1)
    return mean, squares / safe


def _pairs_seen(sums: PatternSums) -> Bools:
    """Whether any two columns were seen together (R,)."""
    both = sums.seen[:, :, None] & sums.seen[:, None, :]
    return np.asarray(((sums.n[..., None, None] * both).sum(1) > 0).all((1, 2)))


def _jacobian(own: Moments) -> Array:
    """∂(μ, vech Σ)/∂θ (R, p*, q)."""
    i, j, _ = coordinates(own.mu.shape[1])
    return np.swapaxes(np.concatenate([own.d_mu, own.d_Sigma[..., i, j]], axis=2), 1, 2)


def _information(sums: PatternSums, own: Moments, *, expected: bool) -> Array:
    """−J'KJ (R, q, q)."""
    J = _jacobian(own)
    K = derivatives(sums, own.mu, own.Sigma, expected=expected)[3]
    return np.asarray(-np.swapaxes(J, 1, 2) @ K @ J)


def _gradient_and_hessian(sums: PatternSums, structure: Structure, theta: Array) -> tuple[Array, Array, Moments]:
    own = structure.derivatives(theta)
    _, by_mu, by_Sigma, K = derivatives(sums, own.mu, own.Sigma)
    J = _jacobian(own)
    gradient = np.einsum("rqd,rd->rq", own.d_mu, by_mu) + np.einsum("rqde,rde->rq", own.d_Sigma, by_Sigma)
    H = np.swapaxes(J, 1, 2) @ K @ J + structure.curvature(theta, by_mu, by_Sigma)
    return gradient, (H + np.swapaxes(H, 1, 2)) / 2, own


def _scaled(information: Array) -> tuple[Array, Array]:
    """The matrix with a unit diagonal, and the scale (R, q) that was divided out on both sides."""
    size = np.sqrt(np.abs(np.diagonal(information, axis1=1, axis2=2)))
    scale = np.where(size > 0, size, 1.0)
    return information / scale[:, :, None] / scale[:, None, :], scale


def _least(information: Array) -> Array:
    """The smallest eigenvalue once the diagonal is 1 (R,)."""
    scaled, _ = _scaled(information)
    fine = np.isfinite(scaled).all((1, 2))
    scaled[~fine] = -np.eye(scaled.shape[1])
    return np.asarray(np.linalg.eigvalsh(scaled)[:, 0])


def _direction(sums: PatternSums, structure: Structure, theta: Array) -> tuple[Array, Array]:
    """The gradient, and Newton's step; Fisher's where the Hessian is not that of a maximum."""
    gradient, H, own = _gradient_and_hessian(sums, structure, theta)
    bent = np.flatnonzero(_least(-H) <= DEFINITE)
    information = -H
    if len(bent):
        some = Moments(own.mu[bent], own.Sigma[bent], own.d_mu[bent], own.d_Sigma[bent])
        information[bent] = _information(sums.take(bent), some, expected=True)
    scaled, scale = _scaled(information)
    values, vectors = np.linalg.eigh(scaled)
    values = np.maximum(values, 1e-8)
    rotated = np.einsum("rji,rj->ri", vectors, gradient / scale)
    return gradient, np.einsum("rij,rj->ri", vectors, rotated / values) / scale


def _at(
    sums: PatternSums, structure: Structure, theta: Array, value: Array, steps: NDArray[np.int64]
) -> StructuralFits:
    """What stands at the end of the search."""
    R, q = theta.shape
    gradient, H, vcov = np.full(R, np.inf), np.full((R, q, q), np.nan), np.full((R, q, q), np.nan)
    verified = np.zeros(R, dtype=bool)
    fine = np.flatnonzero(np.isfinite(value))
    if len(fine):
        g, H[fine], _ = _gradient_and_hessian(sums.take(fine), structure, theta[fine])
        top = _least(-H[fine]) > DEFINITE
        good = fine[top]
        if len(good):
            scaled, scale = _scaled(-H[good])
            inverse = np.linalg.inv(scaled) / scale[:, :, None] / scale[:, None, :]
            vcov[good] = (inverse + np.swapaxes(inverse, 1, 2)) / 2
            se = np.sqrt(np.diagonal(vcov[good], axis1=1, axis2=2))
            gradient[good] = np.abs(g[top] * se).max(1)
            verified[good] = gradient[good] < VERIFIED
    return StructuralFits(
        theta=theta,
        loglik=value,
        hessian=H,
        vcov=vcov,
        gradient=gradient,
        verified=verified,
        steps=steps,
        n=sums.total,
    )
