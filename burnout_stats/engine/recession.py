"""Whether a generalized linear model has a maximum: the directions in which no score becomes less likely.

Along d = (dβ, dγ), no score loses if its constraints hold: for an event x'dβ ≥ 0, for none x'dβ ≤ 0; for a
count above its least value x'dβ = 0, at its least value x'dβ ≤ 0; for a category between thresholds α_k and α_{k+1},
dα_{k+1} − x'dβ ≥ 0 and x'dβ − dα_k ≥ 0. If some d ≠ 0 makes a score more likely, the likelihood grows along it without
end, and so does that of the model with random effects, at each value of which the same is true. It is a linear program.

**Source**: Albert & Anderson 1984, Biometrika 71:1 (events); Correia, Guimarães & Zylkin 2019, arXiv:1903.01633, for
counts; Konis 2007 (DPhil thesis, Oxford), chapter 4, for the linear program.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from .glmm import Problem

__all__ = ["receding"]

Array = NDArray[np.float64]


def receding(problem: Problem) -> NDArray[np.bool_]:
    """Which of (β, γ) take part in a direction in which the likelihood grows without end; none if it has a maximum."""
    p, _, g = problem.sizes
    on = problem.mask > 0
    X, y = problem.X[on], problem.y[on]
    rows = np.concatenate([X, np.zeros((len(y), g))], axis=1)
    held = np.zeros((0, p + g))
    if problem.family.name == "ordinal":
        gains = []
        for sign, W, place, fixed in zip((1.0, -1.0), problem.W, problem.tied, problem.fixed, strict=True):
            block = -rows.copy()
            block[:, p + place] += W[on]
            gains.append(sign * block[np.isfinite(fixed[on])])
        grows = np.concatenate(gains)
    elif problem.family.name == "binomial":
        grows = (2 * y - 1)[:, None] * rows
    else:
        least = y <= (1 if problem.family.name.startswith("truncated") else 0)
        grows, held = -rows[least], rows[~least]
    grows, held = np.unique(grows, axis=0), np.unique(held, axis=0)
    scale = np.maximum(np.abs(rows).max(axis=0), 1e-300)
    scale[p:] = 1.0
    grows, held = grows / scale, held / scale
    if not len(grows):
        return np.zeros(p + g, dtype=bool)
    found = linprog(
        -grows.sum(axis=0),
        A_ub=-grows,
        b_ub=np.zeros(len(grows)),
        A_eq=held if len(held) else None,
        b_eq=np.zeros(len(held)) if len(held) else None,
        bounds=(-1, 1),
        method="highs",
    )
    if found.status != 0 or -found.fun < 1e-6:
        return np.zeros(p + g, dtype=bool)
    return np.asarray(np.abs(found.x) > 1e-7)
