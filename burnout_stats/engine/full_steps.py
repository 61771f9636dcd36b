"""Full Newton steps for random effects that stopped short of an optimum close to a face of the cone (see
`random_effects`).

There a variance is nearly zero, and the criterion, which depends on its root through squares alone, is so flat that its
own rounding hides the way down. The gradient still shows it, so the steps ask the gradient only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .covariance import Covariance
from .likelihood import curvature, evaluate
from .packed import PackedMoments
from .steps import newton_step

__all__ = ["LONGEST", "STEPS", "full_steps"]

Array = NDArray[np.float64]
STEPS, LONGEST = 12, 0.1
"""How many steps, and the longest one that is taken."""


def full_steps(stack: PackedMoments, covariance: Covariance, theta: Array, *, reml: bool) -> Array:
    """θ (R, m) of R data sets after the steps; where the Hessian is not positive definite it stays."""
    theta = theta.copy()
    for _ in range(STEPS):
        at = evaluate(stack, covariance, theta, reml=reml)
        slope = curvature(stack, covariance, theta, at, reml=reml, expected=False)
        sound = np.asarray(np.isfinite(slope.observed).all((-2, -1)) & np.isfinite(slope.gradient).all(-1))
        gradient = np.where(sound[:, None], slope.gradient, 0.0)
        step, definite = newton_step(gradient, np.where(sound[:, None, None], slope.observed, 0.0))
        theta += np.where((definite & (np.abs(step).max(-1) < LONGEST))[:, None], step, 0.0)
    return theta
