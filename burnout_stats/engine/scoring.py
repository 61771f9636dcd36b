"""The optimum of a likelihood, for one data set or a whole stack of them in one run, in three stages.

1. scoring: Newton steps with the observed Hessian where it is positive definite, Fisher scoring where it is not, each
   step halved until the criterion falls;
2. where that ends doubtful, a trust region, which goes on where no step along a line would;
3. from other starts too.

Every end is verified: gradient below `GRADIENT_TOLERANCE` and positive definite observed Hessian. Replicates that have
converged are masked out; nothing is fitted in a loop over data sets.

**Source**: Lindstrom & Bates 1988, JASA 83:1014 (Newton-Raphson for these likelihoods); Nocedal & Wright 2006,
Numerical Optimization, chapter 4 (trust regions, with the exact step).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from .covariance import Covariance
from .likelihood import Curvature, Likelihood, curvature, evaluate
from .moments import Moments
from .packed import PackedMoments, packed

__all__ = ["Attempt", "Optimum", "Status", "optimize", "start_sigma", "theta_covariance"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
GRADIENT_TOLERANCE = 1e-6
"""Largest element of the gradient of −2 log-likelihood at a verified optimum, in θ of the orthonormalized data."""
POLISH = 1e-8
"""Newton decrement below which full steps are taken without asking the criterion, whose own rounding is of this
order.
"""
DEFINITE = 1e-7
"""Smallest eigenvalue of a Hessian, as part of the largest, at which it counts as positive definite."""
FLAT = 1e-9
"""Gradient at which a run ends where the Hessian is not positive definite: on a plateau, at a bound."""
SINGULAR = 1e8
"""Variance inflation (1 / (1 − R²) of a visit on the others of a pattern) at which a run ends: Σ becomes singular."""
LONGEST_STEP = 2.0
HALVINGS = 30
FEW_SUBJECTS = 30
"""With fewer subjects than this for each covariance parameter of one data set one start is not trusted: there may be
two optima. (In a stack further starts are for replicates that are not verified.)
"""
EDGE = 5.0
"""How far a parameter is moved to start near a bound."""
SCATTERED, SCATTER = 8, 1.5
"""How many further starts lie around the first, and their standard deviation in θ."""
SAME = 1e-8
"""Relative difference of −2 log-likelihood up to which two attempts ended at the same optimum."""


class Status(IntEnum):
    """How an optimization ended."""

    VERIFIED = 0
    NOT_CONVERGED = 1
    INDEFINITE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One run of the optimizer on one data set.

    Attributes
    ----------
    start : "moments", "given", "independent", "correlated", "flat" or "scattered 1", ..., "edge 1-", ...
        Where it began: least-squares residuals, a θ that was given, the former without or with high correlations or
        with equal variances, a θ at some distance from the first (the same in every run), or
        one with its first (second, ...) parameter far down or up.
    method : "scoring" or "trust region"
    iterations, criterion, max_gradient, status : where it ended
    """

    start: str
    method: str
    iterations: int
    criterion: float
    max_gradient: float
    status: Status


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
        The criterion before each iteration of the first attempt; empty for a stack.
    attempts : tuple of Attempt
        All runs, in order; empty for a stack.
    """

    theta: Array
    at: Likelihood
    curvature: Curvature
    status: NDArray[np.int64]
    iterations: NDArray[np.int64]
    max_gradient: Array
    trace: tuple[Array, ...]
    attempts: tuple[Attempt, ...] = ()


@dataclass(slots=True, eq=False)
class _Run:
    """Where the replicates of one run stand; changed in place by the stages."""

    theta: Array
    criterion: Array
    max_gradient: Array
    status: NDArray[np.int64]
    iterations: NDArray[np.int64]
    trace: tuple[float, ...] = ()


def start_sigma(moments: Moments | PackedMoments) -> Array:
    """A positive definite start for Σ, shape (..., V, V): residual cross-products of ordinary least squares, pair by
    pair of visits.

    Correlations are shrunk toward 0 until the smallest eigenvalue of their matrix is at least 0.05.
    """
    moments = packed(moments)
    p = moments.n_columns
    gram = moments.gram
    beta = _least_squares(gram[..., :p, :p], gram[..., :p, p])
    c = np.concatenate([-beta, np.ones((*beta.shape[:-1], 1))], axis=-1)
    products = moments.weigh(c[..., :, None] * c[..., None, :]).sum(-3)
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
    moments: Moments | PackedMoments,
    covariance: Covariance,
    *,
    reml: bool,
    theta: Array | None = None,
    max_iterations: int = 100,
    free: Mask | None = None,
    restarts: bool = True,
) -> Optimum:
    """The parameters that minimize −2 log-likelihood.

    Parameters
    ----------
    moments : Moments or PackedMoments
        Orthonormal (see `Moments.orthonormal`), alone or a stack on one leading axis.
    theta : (..., m) array, optional
        Where to start; the structure's own start otherwise.
    max_iterations : int
        Of each attempt.
    free : (m,) bool array, optional
        Parameters that may move; the others stay where they start, and gradient and Hessian are verified over the free
        ones only. All where it is left out.
    restarts : bool
        Whether a doubtful end is tried again from other starts.
    """
    moments = packed(moments)
    alone = moments.n.ndim == 1
    stack = replace(moments, n=moments.n[None], values=moments.values[None]) if alone else moments
    moving = np.ones(covariance.n_parameters, dtype=bool) if free is None else np.asarray(free, dtype=bool)
    with np.errstate(all="ignore"):
        starts = {"given": np.atleast_2d(np.array(theta, dtype=float))} if theta is not None else {}
        base = None
        if theta is None:
            base = start_sigma(stack)
            starts["moments"] = covariance.start(base)
        ((name, first),) = starts.items()
        search = _Search(covariance, reml, max_iterations, moving)
        best = search.scored(stack, first)
        attempts = [_attempt(name, "scoring", best)] if alone else []
        thin = alone and theta is None and _is_thin(moments, covariance)
        doubtful = np.flatnonzero(((best.status != Status.VERIFIED) | thin) & restarts)
        if len(doubtful):
            part = stack if len(doubtful) == len(first) else stack.take(doubtful)
            base = start_sigma(part) if base is None else base[doubtful]
            wide = alone and not _is_singular(stack, search.at(stack, best.theta))[0]
            others = _other_starts(covariance, base, first[doubtful], moving, scattered=wide)
            if wide and theta is None and _is_scarce(moments):
                others |= _edges(best.theta, moving)
            attempts += search.again(part, {name: best.theta[doubtful]} | others, best, doubtful)
            if alone:  # a stack rounds otherwise than one data set does
                _keep_better(best, search.scored(stack, best.theta), np.arange(1), ties=True)
        return _finished(moments if alone else stack, search, best, attempts if alone else [], alone)


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """What stays the same in every attempt: the model, and the parameters that may move."""

    covariance: Covariance
    reml: bool
    max_iterations: int
    free: Mask

    def at(self, stack: PackedMoments, theta: Array) -> Likelihood:
        return evaluate(stack, self.covariance, theta, reml=self.reml)

    def slope(
        self, stack: PackedMoments, theta: Array, at: Likelihood, *, expected: bool = False
    ) -> tuple[Array, Array]:
        """Gradient and Hessian (observed or expected) over the free parameters; a fixed one has slope 0, curvature 1.

        Where they are not finite the slope is 0 and the Hessian zero, which counts as indefinite.
        """
        slope = curvature(stack, self.covariance, theta, at, reml=self.reml, expected=expected)
        return self.restricted(slope.gradient, slope.expected if expected else slope.observed)

    def restricted(self, gradient: Array, hessian: Array) -> tuple[Array, Array]:
        if not self.free.all():
            fixed = ~self.free
            gradient = np.where(fixed, 0.0, gradient)
            hessian = np.where(fixed[:, None] | fixed, 0.0, hessian)
            at = np.flatnonzero(fixed)
            hessian[..., at, at] = np.abs(np.diagonal(hessian, axis1=-2, axis2=-1)).max(-1)[..., None]
        sound = np.asarray(np.isfinite(gradient).all(-1) & np.isfinite(hessian).all((-2, -1)))
        return np.where(sound[..., None], gradient, 0.0), np.where(sound[..., None, None], hessian, 0.0)

    def scored(self, stack: PackedMoments, theta: Array) -> _Run:
        """Newton or Fisher-scoring steps, halved until the criterion falls."""
        theta = theta.copy()
        n_replicates = len(theta)
        run = _empty(theta)
        active = np.arange(n_replicates)
        part = stack
        at = self.at(stack, theta)
        trace: list[float] = []
        for _ in range(self.max_iterations):
            trace.extend(at.criterion if n_replicates == 1 else ())
            gradient, hessian = self.slope(part, theta[active], at)
            run.criterion[active], run.max_gradient[active] = at.criterion, np.abs(gradient).max(-1)
            step, decrement, newton = self._direction(part, theta[active], at, gradient, hessian)
            polished = newton & (decrement < POLISH)
            length, at = self._line_search(part, theta[active], step, at, decrement, polished)
            theta[active] += length[:, None] * step
            run.iterations[active] += 1
            run.status[active[polished]] = Status.VERIFIED
            flat = ~newton & (run.max_gradient[active] < FLAT)
            going = np.flatnonzero(~polished & (length > 0) & ~flat & ~_is_singular(part, at))
            if len(going) < len(active):
                active = active[going]
                if not len(active):
                    break
                part, at = part.take(going), _some(at, going)
        run.trace = tuple(trace)
        return self.verified(stack, run)

    def _direction(
        self, stack: PackedMoments, theta: Array, at: Likelihood, gradient: Array, hessian: Array
    ) -> tuple[Array, Array, Mask]:
        """The step −H⁻¹g, its decrement g'H⁻¹g, and whether H is the observed Hessian."""
        step, newton = _newton_step(gradient, hessian)
        if not newton.all():
            rest = np.flatnonzero(~newton)
            part = stack if len(rest) == len(theta) else stack.take(rest)
            _, expected = self.slope(part, theta[rest], _some(at, rest), expected=True)
            values, vectors = np.linalg.eigh(expected)
            values = np.maximum(values, DEFINITE * np.maximum(values[:, -1:], 1e-300))
            step[rest] = -np.einsum("bij,bj->bi", vectors, np.einsum("bji,bj->bi", vectors, gradient[rest]) / values)
        decrement = -np.einsum("bi,bi->b", step, gradient)
        longest = np.abs(step).max(-1)
        shorter = np.minimum(1.0, LONGEST_STEP / np.maximum(longest, 1e-300))[:, None]
        return step * np.where(self.free, shorter, 0.0), decrement, newton

    def _line_search(
        self, stack: PackedMoments, theta: Array, step: Array, at: Likelihood, decrement: Array, polished: Mask
    ) -> tuple[Array, Likelihood]:
        """The longest of 1, 1/2, 1/4, ... along each step at which the criterion falls enough (Armijo), or 0 where none
        does; and the likelihood there.
        """
        length = np.ones(len(theta))
        new = at
        waiting = np.flatnonzero(~polished)
        for _ in range(HALVINGS):
            if not len(waiting):
                return length, new
            all_of_them = len(waiting) == len(theta)
            part = stack if all_of_them else stack.take(waiting)
            trial = self.at(part, theta[waiting] + length[waiting, None] * step[waiting])
            before = at.criterion[waiting]
            rounding = 1e-13 * np.abs(before)
            enough = trial.criterion <= before - 1e-4 * length[waiting] * np.minimum(decrement[waiting], 1.0) + rounding
            new = trial if all_of_them else _replaced(new, waiting[enough], _some(trial, np.flatnonzero(enough)))
            waiting = waiting[~enough]
            length[waiting] /= 2
        length[waiting] = 0.0
        return length, new

    def trusted(self, stack: PackedMoments, theta: Array) -> _Run:
        """Steps that minimize the quadratic model within a radius, which grows where the model foretells the criterion
        well and shrinks where it does not; indefinite Hessians are as welcome as others.
        """
        theta = theta.copy()
        run = _empty(theta)
        radius = np.ones(len(theta))
        active = np.arange(len(theta))
        part = stack
        at = self.at(stack, theta)
        trace: list[float] = []
        for _ in range(self.max_iterations):
            trace.extend(at.criterion if len(theta) == 1 else ())
            gradient, hessian = self.slope(part, theta[active], at)
            run.criterion[active], run.max_gradient[active] = at.criterion, np.abs(gradient).max(-1)
            values, vectors = np.linalg.eigh(hessian)
            rotated = np.einsum("bji,bj->bi", vectors, gradient)
            definite = values[:, 0] > DEFINITE * np.maximum(values[:, -1], 1e-300)
            step = -np.einsum("bij,bj->bi", vectors, _within(rotated, values, radius[active])) * self.free
            size = np.linalg.norm(step, axis=-1)
            foretold = -(gradient * step).sum(-1) - np.einsum("bi,bij,bj->b", step, hessian, step) / 2
            polished = definite & (2 * foretold < POLISH) & (size < 0.99 * radius[active])
            new = self.at(part, theta[active] + step)
            rounding = 1e-12 * np.abs(at.criterion)
            ratio = (at.criterion - new.criterion + rounding) / (foretold + rounding)
            taken = polished | (ratio > 1e-4)
            theta[active[taken]] += step[taken]
            at = _replaced(at, np.flatnonzero(taken), _some(new, np.flatnonzero(taken)))
            grows = (ratio > 0.75) & (size > 0.8 * radius[active])
            radius[active] *= np.where(grows, 2.0, np.where(ratio > 0.25, 1.0, 0.25))
            radius = np.minimum(radius, 2 * LONGEST_STEP)
            run.iterations[active] += 1
            run.status[active[polished]] = Status.VERIFIED
            flat = ~definite & (run.max_gradient[active] < FLAT)
            stuck = (radius[active] < 1e-12) | ~np.isfinite(at.criterion) | _is_singular(part, at)
            going = np.flatnonzero(~polished & ~flat & ~stuck)
            if len(going) < len(active):
                active = active[going]
                if not len(active):
                    break
                part, at = part.take(going), _some(at, going)
        run.trace = tuple(trace)
        return self.verified(stack, run)

    def again(
        self, part: PackedMoments, starts: dict[str, Array], best: _Run, where: NDArray[np.intp]
    ) -> list[Attempt]:
        """Further runs for the replicates `where` of `best`, which takes over those that end better: scoring from every
        start but the first, which is where the run before ended, and a trust region from all ends not verified.

        All starts are one stack. The attempts are those of the first replicate.
        """
        names, n = list(starts), len(where)
        theta = np.concatenate(list(starts.values()))
        member = np.tile(np.arange(n), len(names))
        run = self.scored(part.take(member[n:]), theta[n:])
        log = [_attempt(name, "scoring", run, k * n) for k, name in enumerate(names[1:])]
        for k in range(len(names) - 1):
            _keep_better(best, _part(run, slice(k * n, (k + 1) * n)), where)
        theta[n:] = run.theta
        needed = np.flatnonzero((best.status[where] != Status.VERIFIED)[member])
        if len(needed):
            run = self.trusted(part.take(member[needed]), theta[needed])
            log += [_attempt(names[k // n], "trust region", run, i) for i, k in enumerate(needed) if k % n == 0]
            for k in range(len(names)):
                mine = np.flatnonzero(needed // n == k)
                _keep_better(best, _part(run, mine), where[needed[mine] % n])
        return log

    def verified(self, stack: PackedMoments, run: _Run) -> _Run:
        """The run with its end looked at again: gradient and Hessian at θ decide on the status."""
        at = self.at(stack, run.theta)
        gradient, hessian = self.slope(stack, run.theta, at)
        run.criterion, run.max_gradient = at.criterion, np.abs(gradient).max(-1)
        flat = (run.max_gradient < GRADIENT_TOLERANCE) & np.isfinite(run.criterion) & hessian.any((-2, -1))
        definite = _newton_step(gradient, hessian)[1]
        stopped = run.status == Status.VERIFIED
        run.status = np.where(
            flat & definite & stopped,
            Status.VERIFIED,
            np.where(flat & ~definite, Status.INDEFINITE, Status.NOT_CONVERGED),
        ).astype(np.int64)
        return run


def _keep_better(best: _Run, run: _Run, where: NDArray[np.intp], *, ties: bool = False) -> None:
    """Verified before unverified; then the lower criterion, where it is lower by more than rounding (or no higher)."""
    sound, was = run.status == Status.VERIFIED, best.status[where] == Status.VERIFIED
    margin = (1e-11 if ties else -1e-11) * np.abs(best.criterion[where])
    lower = run.criterion < best.criterion[where] + margin
    better = (sound & ~was) | ((sound == was) & lower)
    for field in ("theta", "criterion", "max_gradient", "status", "iterations"):
        getattr(best, field)[where[better]] = getattr(run, field)[better]


def _other_starts(
    covariance: Covariance, base: Array, first: Array, free: Mask, *, scattered: bool
) -> dict[str, Array]:
    """Starts far from the first: no correlation, high correlation, equal variances; fixed parameters stay."""
    variances = np.diagonal(base, axis1=-2, axis2=-1)
    sd = np.sqrt(variances)
    n_visits = base.shape[-1]
    size = sd[..., :, None] * sd[..., None, :]
    high = np.where(np.eye(n_visits, dtype=bool), 1.0, 0.8)
    mean = variances.mean(-1)[..., None, None]
    sigmas = {
        "independent": size * np.eye(n_visits),
        "correlated": size * high,
        "flat": mean * np.where(np.eye(n_visits, dtype=bool), 1.0, 0.4),
    }
    starts = {name: covariance.start(sigma) for name, sigma in sigmas.items()}
    steps = np.random.default_rng(0).normal(0.0, SCATTER, (SCATTERED // 2 if scattered else 0, first.shape[-1]))
    starts |= {f"scattered {k + 1}": first + step for k, step in enumerate(np.concatenate([steps, -steps]))}
    return {name: np.where(free, start, first) for name, start in starts.items()}


def _edges(theta: Array, free: Mask) -> dict[str, Array]:
    """Starts near the bounds: one parameter at a time moved far to either side."""
    steps = [(i, side) for i in np.flatnonzero(free) for side in (-EDGE, EDGE)]
    return {f"edge {i + 1}{'+' if side > 0 else '-'}": theta + side * np.eye(theta.shape[-1])[i] for i, side in steps}


def _is_scarce(moments: PackedMoments) -> bool:
    """Whether so few subjects were seen at some visits together that a combination of their scores can be fitted
    without residual: then Σ can become singular there at no cost, and the likelihood of some structures has no bound.

    For the visits S of a pattern, n_S subjects who have them all and generic w, that is n_S < |S| + rank(Σ_a w_a X_a).
    """
    p = moments.n_columns
    for pattern in moments.patterns[moments.patterns.sum(-1) > 1]:
        having = (moments.patterns & pattern).sum(-1) == pattern.sum()
        w = np.where(pattern, np.sin(1.0 + np.arange(len(pattern))), 0.0)
        gram = moments.contract(having[:, None, None] * (w[:, None] * w))[:p, :p]
        values = np.linalg.eigvalsh(gram)
        rank = int((values > 1e-10 * max(float(values[-1]), 1e-300)).sum())
        if moments.n[having].sum() < pattern.sum() + rank:
            return True
    return False


def _is_singular(stack: PackedMoments, at: Likelihood) -> Mask:
    inflation = np.diagonal(at.A, axis1=-2, axis2=-1) * np.diagonal(at.sigma, axis1=-2, axis2=-1)[..., stack.groups, :]
    return np.asarray(inflation.max((-2, -1)) > SINGULAR)


def _is_thin(moments: PackedMoments, covariance: Covariance) -> Mask:
    return np.asarray(moments.n_subjects < FEW_SUBJECTS * covariance.n_parameters)


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


def _newton_step(gradient: Array, hessian: Array) -> tuple[Array, Mask]:
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


def _within(rotated: Array, values: Array, radius: Array) -> Array:
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


def _least_squares(gram: Array, products: Array) -> Array:
    """Solves by eigenvectors, leaving out directions that the data do not have (a resample may have lost a level)."""
    values, vectors = np.linalg.eigh(gram)
    with np.errstate(divide="ignore"):
        inverse = np.where(values > 1e-10 * values[..., -1:], 1.0 / values, 0.0)
    rotated = np.einsum("...ji,...j->...i", vectors, products)
    beta: Array = np.einsum("...ij,...j->...i", vectors, inverse * rotated)
    return beta


def _finished(moments: PackedMoments, search: _Search, best: _Run, attempts: list[Attempt], alone: bool) -> Optimum:
    theta = best.theta[0] if alone else best.theta
    at = search.at(moments, theta)
    slope = curvature(moments, search.covariance, theta, at, reml=search.reml)
    max_gradient = np.abs(search.restricted(slope.gradient, slope.observed)[0]).max(-1)
    status = best.status[0] if alone else best.status
    lost = (status == Status.VERIFIED) & ~(max_gradient < GRADIENT_TOLERANCE)
    return Optimum(
        theta=theta,
        at=at,
        curvature=slope,
        status=np.where(lost, Status.NOT_CONVERGED, status).astype(np.int64),
        iterations=np.asarray(best.iterations[0] if alone else best.iterations),
        max_gradient=np.asarray(max_gradient),
        trace=tuple(np.asarray(value) for value in best.trace),
        attempts=tuple(attempts),
    )


def _attempt(start: str, method: str, run: _Run, k: int = 0) -> Attempt:
    return Attempt(
        start=start,
        method=method,
        iterations=int(run.iterations[k]),
        criterion=float(run.criterion[k]),
        max_gradient=float(run.max_gradient[k]),
        status=Status(int(run.status[k])),
    )


def _part(run: _Run, which: slice | NDArray[np.intp]) -> _Run:
    return _Run(
        theta=run.theta[which],
        criterion=run.criterion[which],
        max_gradient=run.max_gradient[which],
        status=run.status[which],
        iterations=run.iterations[which],
    )


def _empty(theta: Array) -> _Run:
    n = len(theta)
    return _Run(
        theta=theta,
        criterion=np.full(n, np.inf),
        max_gradient=np.full(n, np.inf),
        status=np.full(n, Status.NOT_CONVERGED, dtype=np.int64),
        iterations=np.zeros(n, dtype=np.int64),
    )


def _some(at: Likelihood, replicates: NDArray[np.intp]) -> Likelihood:
    return Likelihood(
        criterion=at.criterion[replicates],
        beta=at.beta[replicates],
        Phi=at.Phi[replicates],
        sigma=at.sigma[replicates],
        A=at.A[replicates],
    )


def _replaced(at: Likelihood, replicates: NDArray[np.intp], by: Likelihood) -> Likelihood:
    fields = {}
    for name in ("criterion", "beta", "Phi", "sigma", "A"):
        fields[name] = np.array(getattr(at, name))
        fields[name][replicates] = getattr(by, name)
    return Likelihood(**fields)
