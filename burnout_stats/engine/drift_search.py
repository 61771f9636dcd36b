"""The maximum of a continuous-time panel's likelihood, from several starts, with rates held where it has none inside.

Where a process carries nothing over from visit to visit, its likelihood rises as its rate grows without end. Such a
rate is held at `FASTEST` over the shortest gap, where exp(A·gap) has lost it (a factor 6e-6), and leaves the
parameters; the others have a maximum then. Of all maxima the highest is taken that a process in continuous time can
have, so with Q and P_0 without negative eigenvalues.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .continuous_time import FASTEST, ContinuousTime, Held
from .structural import Rows, fit_stack

__all__ = ["RATES", "SHARES", "Found", "search", "starts"]

Array = NDArray[np.float64]
RATES, SHARES = (0.3, 1.2), (0.2, 0.6)
"""Rates over the shortest gap, and shares of traits in the variance, at which the searches begin."""
STEPS = 40
"""Steps of a search from one start; those that end at a maximum need 10 to 20."""
NEAR = 0.7
"""Share of the fastest rate at which a search that found no maximum counts as running to it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """Where the search ended.

    Attributes
    ----------
    structure : what was fitted, the panel itself or with rates held; theta : its parameters
    loglik, is_maximum : and whether it was verified
    is_proper : whether Q and P_0 have no negative eigenvalue
    n_held : how many rates were held
    higher : how much higher the likelihood was in places that no process in continuous time has
    """

    structure: ContinuousTime | Held
    theta: Array
    loglik: float
    is_maximum: bool
    is_proper: bool
    n_held: int
    higher: float


def starts(panel: ContinuousTime, mean: Array, covariance: Array) -> Array:
    """θ (R, q) to begin with, from mean and covariance of the columns."""
    gap = float(np.diff(panel.times).min())
    shares = SHARES if panel.has_traits else (0.0,)
    return np.stack([panel.begin(mean, covariance, rate / gap, share) for rate in RATES for share in shares])


def search(Y: Array, panel: ContinuousTime, begin: Array) -> Found:
    """The highest proper maximum that is reached from `begin` (R, q)."""
    sums = Rows.of(Y).sums()
    fits = fit_stack(sums.take(np.zeros(len(begin), dtype=np.intp)), panel, start=begin, max_steps=STEPS)
    found = [_told(panel, panel, *end, 0) for end in zip(fits.theta, fits.loglik, fits.verified, strict=True)]
    P = panel.n_processes
    limit = FASTEST / float(np.diff(panel.times).min())
    fast = np.exp(fits.theta[:, :P]) > NEAR * limit
    running, theta = ~fits.verified & fast.any(1), fits.theta
    for _ in range(P):  # a second rate may run once the first is held
        thetas: list[Array] = []
        patterns: list[NDArray[np.bool_]] = []
        for pattern in np.unique(fast[running], axis=0):
            which = np.flatnonzero(running & (fast == pattern).all(1))
            held = _held(panel, pattern, float(np.log(0.999 * limit)))
            again = fit_stack(
                sums.take(np.zeros(len(which), dtype=np.intp)), held, start=theta[which][:, held.free], max_steps=STEPS
            )
            ends = list(zip(again.theta, again.loglik, again.verified, strict=True))
            found += [_told(panel, held, *end, int(pattern.sum())) for end in ends]
            whole = held.whole(again.theta[~again.verified])
            faster = np.exp(whole[:, :P]) > NEAR * limit
            thetas += list(whole[faster.sum(1) > pattern.sum()])
            patterns += list(faster[faster.sum(1) > pattern.sum()])
        if not thetas:
            break
        theta, fast = np.stack(thetas), np.stack(patterns)
        running = np.ones(len(theta), dtype=bool)
    # a maximum that is proper comes before one that is not, and that before the end of a search without one
    best = max(found, key=lambda one: (one.is_maximum and one.is_proper, one.is_maximum, one.loglik))
    top = max(one.loglik for one in found)
    return Found(
        structure=best.structure,
        theta=best.theta,
        loglik=best.loglik,
        is_maximum=best.is_maximum,
        is_proper=best.is_proper,
        n_held=best.n_held,
        higher=top - best.loglik,
    )


def _held(panel: ContinuousTime, fast: NDArray[np.bool_], value: float) -> Held:
    """The panel with some rates at the limit; where nothing is carried over at all, turns and elements above the
    diagonal say nothing, and are 0.
    """
    P = panel.n_processes
    at = [int(k) for k in np.flatnonzero(fast)]
    rest = list(range(P, P * P)) if fast.all() else []
    return Held(panel, tuple(at + rest), (value,) * len(at) + (0.0,) * len(rest))


def _told(
    panel: ContinuousTime, structure: ContinuousTime | Held, theta: Array, loglik: float, verified: bool, n_held: int
) -> Found:
    whole = structure.whole(theta) if isinstance(structure, Held) else theta
    return Found(
        structure=structure,
        theta=theta,
        loglik=float(loglik) if np.isfinite(loglik) else -np.inf,
        is_maximum=bool(verified),
        is_proper=bool(np.isfinite(loglik)) and is_proper(panel, whole),
        n_held=n_held,
        higher=0.0,
    )


def is_proper(panel: ContinuousTime, theta: Array) -> bool:
    """Whether Q and P_0 at θ (q,) have no negative eigenvalue."""
    P = panel.n_processes
    i, j = np.tril_indices(P)
    Q = np.zeros((P, P))
    Q[i, j] = Q[j, i] = panel.diffusion_elements(theta).value
    lowest = [np.linalg.eigvalsh(matrix).min() / np.trace(matrix) for matrix in (Q, panel.symmetric(theta, "P0"))]
    return all(np.isfinite(low) and low > -1e-9 for low in lowest)
