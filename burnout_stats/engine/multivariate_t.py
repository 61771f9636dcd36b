"""The largest of several |t|: the multivariate t distribution of a family of tests that share one estimate of scale.

With correlations C = AA' of rank r, T = A Z / s for r independent standard normals Z and s = √(χ²_ν / ν). In polar
coordinates Z = ρ U, with U uniform on the sphere and independent of ρ, max |T| ≤ c says ρ² / s² ≤ (c / m)², where m =
max
|A U|; and ρ² / (r s²) has an F distribution. So

    P(max |T| > c) = E_U [ P(F(r, ν) > c² / (r m(U)²)) ]

which leaves the average of a smooth function over the sphere: exact for r = 1, an equidistant rule over the angle for r
= 2, a Fibonacci lattice for r = 3 and a lattice on the square roots of primes beyond. The points are fixed, so the same
question always has the same answer; the error is below 1e-6 up to r = 3 and about 1e-4 at most beyond. C may be
singular, as it is for all pairwise differences.

**Source**: Deák 1980, Numer Math 35:369 (polar form); Genz & Bretz 2002, J Comput Graph Stat
11:950 (spherical-radial transformations and lattice rules for multivariate t).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

__all__ = ["largest", "largest_quantile", "largest_tail"]

Array = NDArray[np.float64]

POINTS = 160_000
NODES = 2_000
"""To so many groups of equal size the values of m are averaged, which a function as smooth as the tail of F does not
notice.
"""
PRIMES = np.array(
    [
        2,
        3,
        5,
        7,
        11,
        13,
        17,
        19,
        23,
        29,
        31,
        37,
        41,
        43,
        47,
        53,
        59,
        61,
        67,
        71,
        73,
        79,
        83,
        89,
        97,
        101,
        103,
        107,
        109,
        113,
    ]
)


def largest(correlation: Array) -> tuple[Array, int]:
    """m(U) = max |A U| at the points U of the rule, and the rank r, for correlations (k × k)."""
    values, vectors = np.linalg.eigh(correlation)
    kept = values > 1e-10 * values.max()
    A = vectors[:, kept] * np.sqrt(values[kept])
    A /= np.sqrt((A**2).sum(1, keepdims=True))
    rank = int(kept.sum())
    m = np.sort(np.abs(_directions(rank) @ A.T).max(1))
    return m.reshape(min(NODES, len(m)), -1).mean(1), rank


def largest_tail(c: Array, df: Array, m: Array, rank: int) -> Array:
    """P(max |T| > c), element by element of `c` and `df` (infinite df allowed)."""
    ratio = (np.asarray(c, dtype=float)[..., None] / m) ** 2
    nu = np.asarray(df, dtype=float)[..., None]
    finite = np.where(np.isfinite(nu), nu, 1.0)
    tail: Array = np.where(
        np.isfinite(nu), special.fdtrc(rank, finite, ratio / rank), special.chdtrc(rank, ratio)
    ).mean(-1)
    return tail


def largest_quantile(level: float, df: float, k: int, m: Array, rank: int) -> float:
    """The c with P(max |T| ≤ c) = level: between the t quantiles for one and, after Bonferroni, for k tests."""
    if np.isnan(df):
        return float("nan")
    finite = df if np.isfinite(df) else 1e9
    low, high = (float(special.stdtrit(finite, 1 - (1 - level) / 2 / tests)) for tests in (1, k))
    if k == 1 or rank == 1:
        return low

    def excess(c: float) -> float:
        return float(largest_tail(np.array(c), np.array(df), m, rank)) - (1 - level)

    if excess(low) <= 0:
        return low
    return high if excess(high) >= 0 else float(optimize.brentq(excess, low, high, xtol=1e-10))


def _directions(rank: int) -> Array:
    """Points spread evenly over the unit sphere in `rank` dimensions."""
    if rank == 1:
        return np.ones((1, 1))
    if rank == 2:
        angle = np.pi * (np.arange(POINTS) + 0.5) / POINTS
        return np.column_stack([np.cos(angle), np.sin(angle)])
    if rank == 3:
        height = (2 * np.arange(POINTS) + 1) / POINTS - 1
        angle = np.pi * (1 + np.sqrt(5)) * np.arange(POINTS)
        around = np.sqrt(1 - height**2)
        return np.column_stack([around * np.cos(angle), around * np.sin(angle), height])
    points = (np.arange(1, POINTS + 1)[:, None] * np.sqrt(_primes(rank)) + 0.5) % 1.0
    z = special.ndtri(np.clip(points, 1e-12, 1 - 1e-12))
    directions: Array = z / np.sqrt((z**2).sum(1, keepdims=True))
    return directions


def _primes(count: int) -> Array:
    if count <= len(PRIMES):
        return PRIMES[:count].astype(float)
    candidates = np.arange(2, 20 * count + 100)
    prime = [n for n in candidates.tolist() if all(n % d for d in range(2, int(n**0.5) + 1))]
    return np.array(prime[:count], dtype=float)
