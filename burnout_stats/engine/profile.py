"""Profile likelihood: the values of one quantity for which the rest of the model can still explain the data nearly as
well as the optimum does.

With f = −2 log-likelihood, an interval of level 1 − α for a quantity ψ holds every value c for which the smallest f
with ψ = c is at most f̂ + q, q the 1 − α quantile of chi-squared on one degree of freedom.

A linear function lβ is fixed at c by turning the coordinates so that it is one of them and taking its part out of y: a
linear change of the Moments, after which the other p − 1 coefficients and θ are estimated as ever. Its limits are found
on the signed root of f − f̂, nearly a straight line in c, for all functions and both sides as one stack.

For a function g(θ) the two limits are the points where its gradient is parallel to that of f on the surface f = f̂ + q:
the m + 1 equations

    ∇f(θ) = λ ∇g(θ),    f(θ) = f̂ + q

are solved by Newton's method, following the solution from q = 0, where it is known, outward.

**Source**: Venzon & Moolgavkar 1988, Appl Stat 37:87; Royston 2007, Stata J 7:376, for the signed root; Pinheiro &
Bates 2000, section 2.4, and Bates, Mächler, Bolker & Walker 2015, J Stat Softw 67(1), section 5.1, for mixed models.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from .basis import Basis
from .covariance import STRUCTURES, Covariance
from .jets import Jet
from .likelihood import contract, curvature, evaluate
from .moments import Moments
from .random_effects import Block, MomentsProblem, solve, standardized
from .scoring import Status, optimize

__all__ = [
    "Element",
    "Quantity",
    "correlation",
    "covariance_limits",
    "criterion_without",
    "fisher_z",
    "fixed",
    "half_logarithm",
    "linear_limits",
    "log_deviation",
    "quantity_at",
]

Array = NDArray[np.float64]
Element = Callable[[int, int], Jet]
Quantity = Callable[[Element, Array], Jet]
"""A function of the elements of one Σ, each of which it asks for as a jet in θ, and of θ."""
ROOT = 1e-8
"""How near the signed root must come to its target, in standard errors."""
STATIONS = 12
"""Stations on the way outward."""


def log_deviation(visit: int) -> Quantity:
    """The logarithm of the standard deviation at a visit."""
    return lambda element, theta: half_logarithm(element(visit, visit))


def correlation(a: int, b: int) -> Quantity:
    """Fisher's z of the correlation between two visits."""
    return lambda element, theta: fisher_z(element(a, a), element(b, b), element(a, b))


def half_logarithm(variance: Jet) -> Jet:
    """The logarithm of the root of a variance."""
    v = variance.value
    return variance.map(np.log(v) / 2, 1 / (2 * v), -1 / (2 * v**2))


def fisher_z(first: Jet, second: Jet, covariance: Jet) -> Jet:
    """artanh of the correlation that two variances and a covariance make."""
    product = first * second
    v = product.value
    r = covariance * product.map(v**-0.5, -0.5 * v**-1.5, 0.75 * v**-2.5)
    left = 1 - r.value**2
    return r.map(np.arctanh(r.value), 1 / left, 2 * r.value / left**2)


def quantity_at(covariance: Covariance, theta: Array, quantity: Quantity, group: int = 0) -> Jet:
    """g(θ) with its derivatives."""
    sigma = covariance.sigma(theta)[..., group, :, :]
    first, second = covariance.derivatives(theta)
    first, second = first[..., group, :, :], second[..., group, :, :]
    return quantity(lambda a, b: Jet(sigma[a, b], first[..., a, b], second[..., a, b]), theta)


def fixed(moments: Moments, directions: Array, values: Array) -> Moments:
    """The stack of the moments in which dγ = value, for directions d (B, p) and values (B,): p − 1 columns are left.

    For ML only: the determinant of the columns, which REML needs, is not carried along.
    """
    p = moments.n_columns
    K = np.zeros((len(directions), p + 1, p))
    for k, d in enumerate(directions):
        K[k, :p, : p - 1] = linalg.null_space(d[None])
    K[:, :p, p - 1] = -directions * (values / (directions**2).sum(1))[:, None]
    K[:, p, p - 1] = 1.0
    step = K[:, None, None, None]
    basis = Basis(
        center=np.zeros(p), constant=np.zeros(p - 1), transform=np.eye(p - 1), scale=np.asarray(moments.basis.scale)
    )
    n = np.repeat(moments.n[None], len(directions), axis=0)
    return replace(moments, n=n, T=np.swapaxes(step, -1, -2) @ moments.T @ step, basis=basis)


def linear_limits(
    moments: Moments, covariance: Covariance, theta: Array, directions: Array, q: float
) -> tuple[Array, Array]:
    """Lower and upper limits (k,) for dγ, each row d of `directions` (k × p), by maximum likelihood.

    `theta` is the optimum under ML. NaN where a limit was not found.
    """
    at = evaluate(moments, covariance, theta, reml=False)
    k, p = directions.shape
    d = np.vstack([directions, directions])
    center = d @ at.beta
    step = np.sqrt(np.einsum("ka,ab,kb->k", d, at.Phi, d)) * np.repeat([-1.0, 1.0], k)
    best, target = float(at.criterion), float(np.sqrt(q))
    start = np.repeat(theta[None], 2 * k, axis=0)
    u, found = np.full(2 * k, target), np.zeros(2 * k, dtype=bool)
    for _ in range(30):
        todo = np.flatnonzero(~found)
        if not len(todo):
            break
        values = center[todo] + u[todo] * step[todo]
        stack = fixed(moments, d[todo], values)
        optimum = optimize(stack, covariance, reml=False, theta=start[todo])
        answered = optimum.status == Status.VERIFIED
        start[todo] = np.where(answered[:, None], optimum.theta, start[todo])
        size = (d[todo] ** 2).sum(1)
        null = np.stack([linalg.null_space(one[None]) for one in d[todo]])
        gamma = np.einsum("kab,kb->ka", null, optimum.at.beta) + d[todo] * (values / size)[:, None]
        H = contract(optimum.at.A, moments.T)
        force = 2 * (np.einsum("kab,kb->ka", H[:, :p, :p], gamma) - H[:, :p, p])  # df/dγ, along d by the envelope
        rise = np.einsum("ka,ka->k", force, d[todo]) / size * step[todo]
        zeta = np.sqrt(np.maximum(optimum.at.criterion - best, 1e-300))
        found[todo] = answered & (np.abs(zeta - target) < ROOT)
        ahead = u[todo] + (target - zeta) * 2 * zeta / np.where(answered & (rise > 0), rise, np.nan)
        ahead = np.where(np.isfinite(ahead), np.clip(ahead, u[todo] / 3, u[todo] * 3), u[todo] / 2)
        u[todo] = np.where(found[todo], u[todo], ahead)
    limits = np.where(found, center + u * step, np.nan)
    return limits[:k], limits[k:]


def covariance_limits(
    moments: Moments,
    covariance: Covariance,
    theta: Array,
    quantity: Quantity,
    q: float,
    *,
    reml: bool,
    group: int = 0,
) -> tuple[float, float]:
    """Lower and upper limit of one function of Σ(θ); NaN where a limit was not found.

    `theta` is the optimum.
    """
    at = evaluate(moments, covariance, theta, reml=reml)
    slope = curvature(moments, covariance, theta, at, reml=reml)
    g = quantity_at(covariance, theta, quantity, group)
    toward = np.linalg.lstsq(slope.observed, g.gradient, rcond=None)[0]
    bend = float(toward @ slope.observed @ toward)
    if not bend > 0:  # at a bound of the structure, where g does not move
        return np.nan, np.nan
    unit = float(np.sqrt(2 / bend))
    length = np.sqrt(q) / STATIONS
    limits = []
    for side in (-1.0, 1.0):
        before = np.append(theta, 0.0)
        reached = float(g.value)
        ahead: Array = before + side * length * unit * np.append(toward, 1.0)
        for station in range(1, STATIONS + 1):
            rise = (station * length) ** 2
            point = _solved(moments, covariance, quantity, group, ahead, float(at.criterion) + rise, reml)
            value = np.nan if point is None else float(quantity_at(covariance, point[:-1], quantity, group).value)
            if point is None or side * point[-1] <= 0 or side * (value - reached) <= 0:  # it turned back: there is none
                reached = np.nan
                break
            before, ahead, reached = point, 2 * point - before, value
        limits.append(reached)
    return limits[0], limits[1]


def criterion_without(
    moments: Moments, Z: Array, blocks: Sequence[Block], effect: int, times: Array, *, reml: bool
) -> float:
    """f at the edge where the variance of one random effect, and its covariances with others, are 0.

    Z (V × q) are the columns of all effects at the visits.
    """
    left = [k for k in range(Z.shape[1]) if k != effect]
    if not left:
        cs = Covariance(STRUCTURES["cs"], times)
        uncorrelated = np.array([0.0, -np.log(max(len(times) - 1, 1))])[: cs.n_parameters]
        only = np.arange(cs.n_parameters) == 0
        return float(optimize(moments, cs, reml=reml, theta=uncorrelated, free=only).at.criterion)
    fewer = [tuple(left.index(k) for k in block if k != effect) for block in blocks]
    fewer = [block for block in fewer if block]
    seen = moments.patterns.astype(float)
    total = np.einsum("s,sv,va,vb->ab", moments.n, seen, Z[:, left], Z[:, left]) / float(moments.n_obs)
    T = standardized(total, fewer)
    if T is None:
        return np.inf
    return solve(MomentsProblem(moments, Z[:, left] @ T, times, reml), fewer)[1].criterion


def _solved(
    moments: Moments,
    covariance: Covariance,
    quantity: Quantity,
    group: int,
    start: Array,
    target: float,
    reml: bool,
) -> Array | None:
    """(θ, λ) with ∇f = λ∇g and f = target, by Newton's method; None where it does not get there."""
    point = start
    m = len(start) - 1
    for _ in range(30):
        theta, factor = point[:m], point[m]
        at = evaluate(moments, covariance, theta, reml=reml)
        if not np.isfinite(at.criterion):
            return None
        slope = curvature(moments, covariance, theta, at, reml=reml)
        g = quantity_at(covariance, theta, quantity, group)
        miss = np.append(slope.gradient - factor * g.gradient, float(at.criterion) - target)
        J = np.zeros((m + 1, m + 1))
        J[:m, :m] = slope.observed - factor * g.hessian
        J[:m, m] = -g.gradient
        J[m, :m] = slope.gradient
        try:
            step = -np.linalg.solve(J, miss)
        except np.linalg.LinAlgError:
            return None
        point = point + step * min(1.0, 1.0 / max(float(np.abs(step[:m]).max()), 1e-300))
        if np.abs(step[:m]).max() < 1e-9 and abs(miss[m]) < 1e-7:
            return point
    return None
