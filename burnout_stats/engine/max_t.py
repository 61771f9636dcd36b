"""The largest of several test statistics that are correlated, by the multiplier bootstrap of per-subject scores.

An estimate is, to first order, its target plus a sum over subjects, θ̂_j − θ_j ≈ Σ_i ψ_ij with Σ_i ψ̂_ij = 0. Multiplying
each subject's scores by a random ξ_i of mean 0 and variance 1, the same for all j, makes draws with the covariance that
the scores have:

    T*_j = Σ_i ξ_i ψ_ij / s_j,    s_j² = Σ_i ψ_ij²

so no correlation is ever assumed, and the outcomes need not be measured in the same subjects (who has no score for one
contributes 0 to it). Normal multipliers give exactly N(0, R) with R the correlation of the scores; "rademacher" (±1)
and "mammen" (which also keeps the third moment) do not take the scores for normal.

Test statistics stand on degrees of freedom of their own. They are compared on the normal scale, z_j = Φ⁻¹(1 − p_j / 2)
with p_j the p value of each test by itself, so the adjusted p value is P(min_l p*_l ≤ p_j), a small sample's heavier
tails stay with each test, and one test alone keeps its p value.

Letters: n subjects, k tests, R draws.

**Source**: Chernozhukov, Chetverikov & Kato 2013, Ann Stat 41:2786 (multiplier bootstrap of the maximum); Pipper, Ritz
& Bisgaard 2012, J R Stat Soc C 61:315 (stacked scores of several models); Hothorn, Bretz & Westfall 2008, Biometrical J
50:346 (max-t and its simultaneous intervals); Westfall & Young 1993, Resampling-Based Multiple Testing (min-p); Romano
& Wolf 2005, Econometrica 73:1237, and 2016, Stat Probab Lett 113:38 (step-down, and (1 + count) / (1 + R)); Mammen
1993, Ann Stat 21:255.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy import special

from .multivariate_t import largest, largest_quantile, largest_tail

__all__ = ["MULTIPLIERS", "correlation", "critical", "exact", "multiplied", "normal_scale", "single_step", "step_down"]

Array = NDArray[np.float64]
BLOCK = 500
"""Draws that share one stream of random numbers: results do not depend on how many are worked on at a time."""
GOLDEN = (1 + np.sqrt(5.0)) / 2


def _rademacher(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    return np.asarray(2.0 * rng.integers(0, 2, shape) - 1.0, dtype=np.float64)


def _mammen(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """1 − φ with probability φ / √5, else φ: mean 0, variance 1, third moment 1."""
    return np.asarray(np.where(rng.random(shape) < GOLDEN / np.sqrt(5.0), 1 - GOLDEN, GOLDEN))


MULTIPLIERS: MappingProxyType[str, Callable[[np.random.Generator, tuple[int, int]], Array]] = MappingProxyType(
    {"normal": lambda rng, shape: rng.standard_normal(shape), "rademacher": _rademacher, "mammen": _mammen}
)
"""Distributions of ξ, by name."""


def normal_scale(p: Array) -> Array:
    """|z| of the same two-sided p value; finite also where p underflows."""
    return np.asarray(-special.ndtri(np.maximum(np.asarray(p, dtype=float), 1e-300) / 2))


def multiplied(psi: Array, n: int, seed: np.random.SeedSequence, *, kind: str = "normal") -> Array:
    """|T*| of n draws, (n, k), from scores psi (subjects, k)."""
    scaled = psi / np.sqrt((psi**2).sum(0))
    found = np.empty((n, psi.shape[1]))
    for block, start in enumerate(range(0, n, BLOCK)):
        key = (*seed.spawn_key, block)
        rng = np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=key, pool_size=seed.pool_size))
        part = found[start : start + BLOCK]
        np.abs((MULTIPLIERS[kind](rng, (BLOCK, len(psi))) @ scaled)[: len(part)], out=part)
    return found


def correlation(psi: Array) -> Array:
    """R of the scores, (k, k)."""
    scaled = psi / np.sqrt((psi**2).sum(0))
    R: Array = scaled.T @ scaled
    return R


def single_step(z: Array, draws: Array) -> Array:
    """P(max_l |T*_l| ≥ |z_j|), (k,), counted with the observed one among the draws."""
    most = np.sort(draws.max(1))
    above = len(most) - np.searchsorted(most, np.abs(z) * (1 - 1e-12), side="left")
    return np.asarray((1 + above) / (1 + len(most)))


def step_down(z: Array, draws: Array) -> Array:
    """The same, where each test is held against the largest of those that are not larger than itself only, (k,).

    In the order |z|_(1) ≥ |z|_(2) ≥ ..., p_(j) = max(p_(j−1), P(max_{l ≥ j} |T*_(l)| ≥ |z|_(j))). It never rejects
    less than the single step and keeps the familywise error rate, but has no simultaneous intervals of this kind.
    """
    order = np.argsort(-np.abs(z), kind="stable")
    rest = np.maximum.accumulate(draws[:, order[::-1]], axis=1)[:, ::-1]
    above = (rest >= np.abs(z)[order] * (1 - 1e-12)).sum(0)
    p = np.empty(len(z))
    p[order] = np.maximum.accumulate((1 + above) / (1 + len(draws)))
    return p


def critical(draws: Array, level: float) -> float:
    """The c on the normal scale with P(max |T*| ≤ c) = level."""
    return float(np.quantile(draws.max(1), level, method="higher"))


def exact(z: Array, R: Array, level: float) -> tuple[Array, float]:
    """Adjusted p values (k,) and the critical value c where the statistics are taken as N(0, R): no draws needed."""
    if len(z) == 1:
        return np.asarray(2 * special.ndtr(-np.abs(z))), float(special.ndtri((1 + level) / 2))
    m, rank = largest(R)
    p = largest_tail(np.abs(z), np.full(len(z), np.inf), m, rank)
    alone = 2 * special.ndtr(-np.abs(z))
    return np.clip(p, alone, np.minimum(len(z) * alone, 1.0)), largest_quantile(level, np.inf, len(z), m, rank)
