"""The optimum: Newton steps with the observed Hessian where it is positive definite, Fisher scoring where it is not,
each step halved until the criterion falls. A whole stack of data sets is one run: replicates that have converged are
masked out.

At the end every replicate is verified: gradient below `GRADIENT_TOLERANCE` and positive definite observed Hessian.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from .covariance import Covariance
from .likelihood import Curvature, Likelihood, curvature, evaluate
from .moments import Moments

__all__ = ["Optimum", "Status", "optimize", "start_sigma"]

Array = NDArray[np.float64]
GRADIENT_TOLERANCE = 1e-6
"""Largest element of the gradient of −2 log-likelihood at a verified optimum, in θ of the orthonormalized data."""
POLISH = 1e-8
"""Newton decrement below which full steps are taken without asking the criterion, whose own rounding is of this
order.
"""
LONGEST_STEP = 2.0
HALVINGS = 30


class Status(IntEnum):
    """How an optimization ended."""

    VERIFIED = 0
    NOT_CONVERGED = 1
    INDEFINITE = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Optimum:
    """The end of an optimization and its record.

    Attributes
    ----------
    theta : (..., m) array
    at : Likelihood, and curvature : Curvature
        At theta.
    status : (...) array of Status
    iterations : (...) array
    max_gradient : (...) array
    trace : tuple of (...) arrays
        The criterion before each iteration.
    """

    theta: Array
    at: Likelihood
    curvature: Curvature
    status: NDArray[np.int64]
    iterations: NDArray[np.int64]
    max_gradient: Array
    trace: tuple[Array, ...]


def start_sigma(moments: Moments) -> Array:
    """A positive definite start for Σ, shape (..., V, V): residual cross-products of ordinary least squares, pair by
    pair of visits.

    Correlations are shrunk toward 0 until the smallest eigenvalue of their matrix is at least 0.05.
    """
    p = moments.n_columns
    gram = moments.gram
    beta = np.linalg.solve(gram[..., :p, :p], gram[..., :p, p:])[..., 0]
    c = np.concatenate([-beta, np.ones((*beta.shape[:-1], 1))], axis=-1)
    products = np.einsum("...i,...pabij,...j->...ab", c, moments.T, c)
    pairs = moments.patterns[:, :, None] & moments.patterns[:, None, :]
    counts = np.einsum("...p,pab->...ab", moments.n, pairs.astype(float))
    covariance = products / np.maximum(counts, 1.0)
    variances = np.diagonal(covariance, axis1=-2, axis2=-1)
    typical = np.maximum(variances.mean(-1, keepdims=True), 1e-8)
    sd = np.sqrt(np.maximum(variances, 1e-4 * typical))
    correlation = covariance / (sd[..., :, None] * sd[..., None, :])
    on_diagonal = np.arange(covariance.shape[-1])
    correlation[..., on_diagonal, on_diagonal] = 1.0
    smallest = np.linalg.eigvalsh(correlation)[..., 0]
    shrink = np.clip((0.05 - smallest) / (1.0 - np.minimum(smallest, 0.0)), 0.0, 1.0)[..., None, None]
    correlation = (1 - shrink) * correlation + shrink * np.eye(covariance.shape[-1])
    start: Array = correlation * sd[..., :, None] * sd[..., None, :]
    return start


def optimize(
    moments: Moments, covariance: Covariance, *, reml: bool, theta: Array | None = None, max_iterations: int = 100
) -> Optimum:
    """The parameters that minimize −2 log-likelihood.

    Parameters
    ----------
    moments : Moments
        Orthonormal (see `Moments.orthonormal`), alone or a stack on one leading axis.
    theta : (..., m) array, optional
        Where to start; the structure's own start otherwise.
    """
    alone = moments.n.ndim == 1
    stack = _as_stack(moments) if alone else moments
    theta = np.array(covariance.start(start_sigma(stack)) if theta is None else np.atleast_2d(theta), dtype=float)
    n_replicates = len(theta)
    iterations = np.zeros(n_replicates, dtype=np.int64)
    converged = np.zeros(n_replicates, dtype=bool)
    active = np.arange(n_replicates)
    trace: list[Array] = []
    for _ in range(max_iterations):
        part = stack if len(active) == n_replicates else stack.take(active)
        at = evaluate(part, covariance, theta[active], reml=reml)
        slope = curvature(part, covariance, theta[active], at, reml=reml)
        step, decrement, newton = _direction(slope)
        if n_replicates == 1:
            trace.append(at.criterion.copy())
        polished = newton & (decrement < POLISH)
        length = _line_search(part, covariance, theta[active], step, at.criterion, decrement, polished, reml)
        theta[active] += length[:, None] * step
        iterations[active] += 1
        converged[active] = polished
        stuck = (length == 0.0) & ~polished
        active = active[~(polished | stuck)]
        if not len(active):
            break
    return _verified(stack, covariance, theta, iterations, converged, trace, reml, alone)


def _direction(slope: Curvature) -> tuple[Array, Array, NDArray[np.bool_]]:
    """The step −H⁻¹g, its decrement g'H⁻¹g, and whether H is the observed Hessian."""
    values, vectors = np.linalg.eigh(slope.observed)
    newton = values[:, 0] > 1e-7 * np.maximum(values[:, -1], 1e-300)
    if not newton.all():
        values_e, vectors_e = np.linalg.eigh(slope.expected)
        values = np.where(newton[:, None], values, values_e)
        vectors = np.where(newton[:, None, None], vectors, vectors_e)
    values = np.maximum(values, 1e-7 * np.maximum(values[:, -1:], 1e-300))
    rotated = np.einsum("bji,bj->bi", vectors, slope.gradient)
    step = -np.einsum("bij,bj->bi", vectors, rotated / values)
    decrement = (rotated**2 / values).sum(-1)
    longest = np.abs(step).max(-1)
    return step * np.minimum(1.0, LONGEST_STEP / np.maximum(longest, 1e-300))[:, None], decrement, newton


def _line_search(
    stack: Moments,
    covariance: Covariance,
    theta: Array,
    step: Array,
    criterion: Array,
    decrement: Array,
    polished: NDArray[np.bool_],
    reml: bool,
) -> Array:
    """The longest of 1, 1/2, 1/4, ... along each step at which the criterion falls enough (Armijo); 0 where none
    does.
    """
    length = np.ones(len(theta))
    waiting = np.flatnonzero(~polished)
    for _ in range(HALVINGS):
        if not len(waiting):
            return length
        part = stack if len(waiting) == len(theta) else stack.take(waiting)
        trial = evaluate(part, covariance, theta[waiting] + length[waiting, None] * step[waiting], reml=reml).criterion
        rounding = 1e-13 * np.abs(criterion[waiting])
        enough = trial <= criterion[waiting] - 1e-4 * length[waiting] * np.minimum(decrement[waiting], 1.0) + rounding
        waiting = waiting[~enough]
        length[waiting] /= 2
    length[waiting] = 0.0
    return length


def _verified(
    stack: Moments,
    covariance: Covariance,
    theta: Array,
    iterations: NDArray[np.int64],
    converged: NDArray[np.bool_],
    trace: list[Array],
    reml: bool,
    alone: bool,
) -> Optimum:
    if alone:
        stack, theta, iterations, converged = _first(stack), theta[0], iterations[0], converged[0]
        trace = [value[0] for value in trace]
    at = evaluate(stack, covariance, theta, reml=reml)
    slope = curvature(stack, covariance, theta, at, reml=reml)
    max_gradient = np.abs(slope.gradient).max(-1)
    values = np.linalg.eigvalsh(slope.observed)
    status = np.where(
        ~(converged & (max_gradient < GRADIENT_TOLERANCE)),
        Status.NOT_CONVERGED,
        np.where(values[..., 0] > 1e-7 * values[..., -1], Status.VERIFIED, Status.INDEFINITE),
    )
    return Optimum(
        theta=theta,
        at=at,
        curvature=slope,
        status=status,
        iterations=np.asarray(iterations),
        max_gradient=max_gradient,
        trace=tuple(trace),
    )


def _as_stack(moments: Moments) -> Moments:
    return replace(moments, n=moments.n[None], T=moments.T[None])


def _first(stack: Moments) -> Moments:
    return replace(stack, n=stack.n[0], T=stack.T[0])
