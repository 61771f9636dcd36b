"""One random effect for each subject: −2 log-likelihood as a function of one number, the variance of the effect over
that of the residual.

With one column z of Z and d = G, for the visits S of a pattern and s_S = z_S'z_S,

    V_S⁻¹ = σ⁻² (I − w_S z_S z_S'),   w_S = d / (1 + d s_S),   log|V_S| = |S| log σ² + log(1 + d s_S)

β and σ² have closed forms for every d. What is left is nearly convex in u = log(1 + d s̄), s̄ the mean of s_S: for
balanced data it is N log(a + b e⁻ᵘ) + n u. So a few Newton steps in u, each a p × p inverse, find the optimum.

**Source**: Lindstrom & Bates 1988, JASA 83:1014, section 3 (σ² profiled out); Sherman & Morrison 1950, Ann Math Stat
21:124.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .moments import Moments

__all__ = ["VarianceRatio"]

Array = NDArray[np.float64]
STEPS = 12
CLOSE = 1e-6
"""Newton's step in u after which the next would be of the size of rounding."""
LONGEST = 1.0
SMALLEST = 1e-3
"""u at which the search is given up: the optimum may be at zero, where Λ needs another look."""


@dataclass(frozen=True, slots=True, eq=False)
class VarianceRatio:
    """The criterion in u.

    Attributes
    ----------
    gram : (q, q) array, and B : (P, q, q) array
        Z'Z of all rows, and Σ (z_S'rows)(z_S'rows)' of the subjects of each pattern.
    n, s : (P,) arrays
        Subjects, and s_S.
    dof : float
        Rows under ML, rows less columns of X under REML.
    reml : bool
    """

    gram: Array
    B: Array
    n: Array
    s: Array
    dof: float
    reml: bool

    @classmethod
    def of(cls, moments: Moments, z: Array, *, reml: bool) -> VarianceRatio:
        """From moments of one data set and the column z (V,) at the visits."""
        P, q = len(moments.n), moments.n_columns + 1
        B = (np.outer(z, z).reshape(-1) @ moments.T.reshape(P, -1, q * q)).reshape(P, q, q)
        dof = float(moments.n_obs) - reml * moments.n_columns
        return cls(moments.gram, B, moments.n, moments.patterns @ z**2, dof, reml)

    @property
    def mean(self) -> float:
        """s̄, over subjects."""
        return float(self.n @ self.s / self.n.sum())

    def start(self) -> float:
        """u from the expected sums of squares of least-squares residuals, E Σ r'r = σ² Σ (|S| + d s) and E Σ (z'r)² =
        σ² Σ (s + d s²).
        """
        c = np.append(-np.linalg.solve(self.gram[:-1, :-1], self.gram[:-1, -1]), 1.0)
        share = float((self.B @ c @ c).sum()) / max(float(c @ self.gram @ c), 1e-300)
        first, second = float(self.n @ self.s), float(self.n @ self.s**2)
        d = (share * self.dof - first) / max(second - share * first, 1e-300)
        return float(np.log1p(min(max(d * self.mean, 0.1), 20.0)))

    def at(self, u: float) -> tuple[float, float, float, float]:
        """First and second derivative of the criterion in u; σ̂² there, and its first derivative over it."""
        mean, n, s = self.mean, self.n, self.s
        d, slope = np.expm1(u) / mean, np.exp(u) / mean
        over = 1.0 / (1.0 + d * s)
        rate = slope * over**2
        w = np.array([d * over, rate, rate - 2 * slope * s * rate * over])
        H, H1, H2 = (w @ self.B.reshape(len(s), -1)).reshape(3, *self.gram.shape)
        H = self.gram - H
        Phi = np.linalg.inv(H[:-1, :-1])
        c = np.append(-Phi @ H[:-1, -1], 1.0)
        rss, g = float(H[-1] @ c), H1[:-1] @ c
        change = -float(c @ H1 @ c) / rss
        bend = -float(c @ H2 @ c + 2 * g @ Phi @ g) / rss
        logs = slope * s * over
        first = self.dof * change + n @ logs
        second = self.dof * (bend - change**2) + n @ (logs - logs**2)
        if self.reml:
            PhiH = Phi @ H1[:-1, :-1]
            first -= np.trace(PhiH)
            second -= (Phi * H2[:-1, :-1]).sum() + (PhiH * PhiH.T).sum()
        return float(first), float(second), rss / self.dof, change

    def solve(self) -> Array | None:
        """θ = (log σ, λ) at the optimum; None where Newton's steps do not find one well inside."""
        u = self.start()
        for _ in range(STEPS):
            first, second, variance, change = self.at(u)
            if not (second > 0 and variance > 0):
                return None
            step = min(max(-first / second, -LONGEST), LONGEST)
            u += step
            if not u > SMALLEST:
                return None
            if abs(step) < CLOSE:
                log_sigma = (np.log(variance) + change * step) / 2
                return np.array([log_sigma, np.sqrt(np.expm1(u) / self.mean)])
        return None
