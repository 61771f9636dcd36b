"""The distribution of the studentized range: the largest minus the smallest of k standard normals, divided by an
independent estimate of their SD on ν degrees of freedom.

    P(Q ≤ q) = ∫ f(s; ν) R_k(q s) ds,    R_k(w) = k ∫ φ(z) [Φ(z) − Φ(z − w)]^(k−1) dz

with f the density of s = √(χ²_ν / ν). Both integrals are taken by Gauss-Legendre quadrature, whose nodes cover all but
1e-16 of the mass; the tail 1 − R_k is integrated, so that small p values keep their absolute accuracy.

**Source**: Lund & Lund 1983, Appl Stat 32:204 (AS 190); Copenhaver & Holland 1988, J Stat Comput Simul 30:1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

__all__ = ["studentized_range_quantile", "studentized_range_tail"]

Array = NDArray[np.float64]

INNER, INNER_WEIGHTS = np.polynomial.legendre.leggauss(160)
OUTER, OUTER_WEIGHTS = np.polynomial.legendre.leggauss(96)
EDGE = 8.5
"""Standard normals beyond it have less than 1e-16 of the mass."""


def studentized_range_tail(q: Array, k: float, df: Array) -> Array:
    """P(Q > q) for the range of k means, element by element of `q` and `df` (infinite df allowed)."""
    q, df = np.broadcast_arrays(np.asarray(q, dtype=float), np.asarray(df, dtype=float))
    scale, weight = _scales(df)
    tail: Array = (weight * (1.0 - _range_below(q[..., None] * scale, k))).sum(-1)
    return np.clip(tail, 0.0, 1.0)


def studentized_range_quantile(level: float, k: float, df: float) -> float:
    """The q with P(Q ≤ q) = level."""
    if np.isnan(df):
        return float("nan")
    finite = df if np.isfinite(df) else 1e9
    lowest = np.sqrt(2.0) * float(special.stdtrit(finite, (1 + level) / 2))
    highest = np.sqrt(2.0) * float(special.stdtrit(finite, 1 - (1 - level) / (k * max(k - 1, 1))))
    if k <= 2 or highest <= lowest:
        return float(lowest)
    found = optimize.brentq(
        lambda q: float(studentized_range_tail(np.array(q), k, np.array(df))) - (1 - level),
        0.999 * lowest,
        1.001 * highest,
        xtol=1e-12,
    )
    return float(found)


def _scales(df: Array) -> tuple[Array, Array]:
    """Nodes of s (..., nodes) and their weights, which sum to 1."""
    half = np.where(np.isfinite(df), df, 2.0)[..., None] / 2
    low = np.sqrt(special.gammaincinv(half, 1e-17) / half)
    high = np.sqrt(special.gammainccinv(half, 1e-17) / half)
    s = low + (high - low) * (OUTER + 1) / 2
    with np.errstate(divide="ignore"):
        log_density = np.log(2.0) + half * np.log(half) - special.gammaln(half) + (2 * half - 1) * np.log(s)
    weight = np.exp(log_density - half * s**2) * OUTER_WEIGHTS * (high - low) / 2
    weight /= weight.sum(-1, keepdims=True)
    infinite = np.isinf(df)[..., None]
    return np.where(infinite, 1.0, s), np.where(infinite, 1.0 / len(OUTER), weight)


def _range_below(w: Array, k: float) -> Array:
    """R_k(w), the distribution of the range of k standard normals."""
    z = EDGE * INNER
    weight = k * EDGE * INNER_WEIGHTS * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    between = special.ndtr(z) - special.ndtr(z - w[..., None])
    below: Array = (weight * np.maximum(between, 0.0) ** (k - 1)).sum(-1)
    return below
