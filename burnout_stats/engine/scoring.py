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

from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .covariance import Covariance
from .likelihood import Curvature, Likelihood, curvature, evaluate
from .moments import Moments
from .packed import PackedMoments, packed
from .starts import edges, is_scarce, is_thin, other_starts, start_sigma
from .steps import DEFINITE, newton_step, step_within

__all__ = ["Attempt", "Optimum", "Status", "optimize"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Part = TypeVar("Part", Likelihood, Curvature)
GRADIENT_TOLERANCE = 1e-6
"""Largest element of the gradient of −2 log-likelihood at a verified optimum, in θ of the orthonormalized data."""
POLISH = 1e-8
"""Newton decrement below which full steps are taken without asking the criterion, whose own rounding is of this
order.
"""
FLAT = 1e-9
"""Gradient at which a run ends where the Hessian is not positive definite: on a plateau, at a bound."""
SINGULAR = 1e8
"""Variance inflation (1 / (1 − R²) of a visit on the others of a pattern) at which a run ends: Σ becomes singular."""
LONGEST_STEP = 2.0
HALVINGS = 30
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
        Where it began: least-squares residuals, a θ that was given (by `VarianceRatio`, where there is one random
        effect), the former without or with high correlations or with equal variances, a θ at some distance from the
        first (the same in every run), or one with its first (second, ...) parameter far down or up.
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
    end: tuple[Array, Likelihood, Curvature] | None = None
    """Of one data set: θ where the end was verified, and what was found there."""


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
        best = search.scored(stack, first, near=alone and theta is not None)
        attempts = [_attempt(name, "scoring", best)] if alone else []
        thin = alone and theta is None and is_thin(moments, covariance)
        doubtful = np.flatnonzero(((best.status != Status.VERIFIED) | thin) & restarts)
        if len(doubtful):
            part = stack if len(doubtful) == len(first) else stack.take(doubtful)
            base = start_sigma(part) if base is None else base[doubtful]
            wide = alone and not _is_singular(stack, search.at(stack, best.theta))[0]
            others = other_starts(covariance, base, first[doubtful], moving, scattered=wide)
            if wide and theta is None and is_scarce(moments):
                others |= edges(best.theta, moving)
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

    def scored(self, stack: PackedMoments, theta: Array, *, near: bool = False) -> _Run:
        """Newton or Fisher-scoring steps, halved until the criterion falls. `near` says that one data set may begin at
        its optimum: where the gradient is zero there, that is the end, verified already.
        """
        theta = theta.copy()
        n_replicates = len(theta)
        run = _empty(theta)
        active = np.arange(n_replicates)
        part = stack
        at = self.at(stack, theta)
        trace: list[float] = []
        for iteration in range(self.max_iterations):
            trace.extend(at.criterion if n_replicates == 1 else ())
            slope = curvature(part, self.covariance, theta[active], at, reml=self.reml, expected=near and not iteration)
            gradient, hessian = self.restricted(slope.gradient, slope.observed)
            run.criterion[active], run.max_gradient[active] = at.criterion, np.abs(gradient).max(-1)
            step, decrement, newton = self._direction(part, theta[active], at, gradient, hessian)
            polished = newton & (decrement < POLISH)
            if near and not iteration and polished.all() and (run.max_gradient < FLAT).all():
                run.iterations, run.status, run.trace = run.iterations + 1, np.zeros_like(run.status), tuple(trace)
                run.end = (theta, at, slope)
                return run
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
        step, newton = newton_step(gradient, hessian)
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
            step = -np.einsum("bij,bj->bi", vectors, step_within(rotated, values, radius[active])) * self.free
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
        alone = len(run.theta) == 1
        at = self.at(stack, run.theta)
        slope = curvature(stack, self.covariance, run.theta, at, reml=self.reml, expected=alone)
        run.end = (run.theta.copy(), at, slope) if alone else None
        gradient, hessian = self.restricted(slope.gradient, slope.observed)
        run.criterion, run.max_gradient = at.criterion, np.abs(gradient).max(-1)
        flat = (run.max_gradient < GRADIENT_TOLERANCE) & np.isfinite(run.criterion) & hessian.any((-2, -1))
        definite = newton_step(gradient, hessian)[1]
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


def _is_singular(stack: PackedMoments, at: Likelihood) -> Mask:
    inflation = np.diagonal(at.A, axis1=-2, axis2=-1) * np.diagonal(at.sigma, axis1=-2, axis2=-1)[..., stack.groups, :]
    return np.asarray(inflation.max((-2, -1)) > SINGULAR)


def _finished(moments: PackedMoments, search: _Search, best: _Run, attempts: list[Attempt], alone: bool) -> Optimum:
    theta = best.theta[0] if alone else best.theta
    if alone and best.end is not None and np.array_equal(best.end[0], best.theta):
        at, slope = _first(best.end[1]), _first(best.end[2])
    else:
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


def _first(part: Part) -> Part:
    """The values of the one data set of a stack of one."""
    return type(part)(**{field.name: getattr(part, field.name)[0] for field in fields(part)})


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
    changed = {}
    for name in ("criterion", "beta", "Phi", "sigma", "A"):
        changed[name] = np.array(getattr(at, name))
        changed[name][replicates] = getattr(by, name)
    return Likelihood(**changed)
