"""Proportions: intervals for one, for the difference of two, and McNemar's tests of pairs.

Counts are numbers or arrays that broadcast; every limit is an array of their shape. The fourfold table of pairs has

                    later yes   later no
    earlier yes         e           f
    earlier no          g           h          n = e + f + g + h

and the difference is earlier minus later, (f − g) / n; the caller turns the sign where a change is asked for.

**Source**: Wilson 1927, JASA 22:209; Newcombe 1998, Stat Med 17:857, methods 3 and 4 (continuity correction); Clopper &
Pearson 1934, Biometrika 26:404; Newcombe 1998, Stat Med 17:873, method 10 (two groups); Newcombe 1998, Stat Med
17:2635, method 10 (pairs); Tango 1998, Stat Med 17:891; McNemar 1947, Psychometrika 12:153; Edwards 1948, Psychometrika
13:185 (continuity correction); Fagerland, Lydersen & Laake 2013, BMC Med Res Methodol 13:91 (exact and mid-p).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

__all__ = [
    "McNemar",
    "clopper_pearson",
    "mcnemar",
    "newcombe_independent",
    "newcombe_paired",
    "tango",
    "wilson",
]

Array = NDArray[np.float64]
Limits = tuple[Array, Array]
HALVINGS = 60
"""From an interval of length 2 down to the rounding of a number near 1."""


def _floats(*values: ArrayLike) -> tuple[Array, ...]:
    return tuple(np.asarray(value, dtype=float) for value in np.broadcast_arrays(*values))


def _z(conf_level: float) -> float:
    return float(special.ndtri((1 + conf_level) / 2))


def wilson(count: ArrayLike, n: ArrayLike, *, conf_level: float = 0.95, continuity: bool = False) -> Limits:
    """Wilson's score interval, the p at which (x − np)² = z² n p(1 − p); with `continuity`, (|x − np| − ½)² instead.

    >>> [round(float(limit), 4) for limit in wilson(81, 263)]
    [0.2553, 0.3662]
    >>> [round(float(limit), 4) for limit in wilson(81, 263, continuity=True)]
    [0.2535, 0.3682]
    """
    x, n = _floats(count, n)
    z = _z(conf_level)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = x / n
        if continuity:
            low = 2 * x + z**2 - 1 - z * np.sqrt(np.maximum(z**2 - 2 - 1 / n + 4 * p * (n * (1 - p) + 1), 0))
            high = 2 * x + z**2 + 1 + z * np.sqrt(np.maximum(z**2 + 2 - 1 / n + 4 * p * (n * (1 - p) - 1), 0))
        else:
            reach = z * np.sqrt(z**2 + 4 * x * (1 - p))
            low, high = 2 * x + z**2 - reach, 2 * x + z**2 + reach
        low, high = low / (2 * (n + z**2)), high / (2 * (n + z**2))
    return np.where(x == 0, 0.0, np.maximum(low, 0)), np.where(x == n, 1.0, np.minimum(high, 1))


def clopper_pearson(count: ArrayLike, n: ArrayLike, *, conf_level: float = 0.95) -> Limits:
    """Clopper and Pearson's exact interval, from the quantiles of beta distributions.

    >>> [round(float(limit), 4) for limit in clopper_pearson(81, 263)]
    [0.2527, 0.3676]
    """
    x, n = _floats(count, n)
    tail = (1 - conf_level) / 2
    low = special.betaincinv(np.where(x > 0, x, 1), n - x + 1, tail)
    high = special.betaincinv(x + 1, np.where(x < n, n - x, 1), 1 - tail)
    return np.where(x > 0, low, 0.0), np.where(x < n, high, 1.0)


def _square_and_add(p_1: Array, ci_1: Limits, p_2: Array, ci_2: Limits, phi: ArrayLike = 0.0) -> Limits:
    """p₁ − p₂ with limits from those of p₁ and p₂ and the correlation φ of their estimates."""
    phi = np.asarray(phi)

    def length(a: Array, b: Array) -> Array:
        return np.asarray(np.sqrt(np.maximum(a**2 - 2 * phi * a * b + b**2, 0)))

    low = p_1 - p_2 - length(p_1 - ci_1[0], ci_2[1] - p_2)
    high = p_1 - p_2 + length(ci_1[1] - p_1, p_2 - ci_2[0])
    return low, high


def newcombe_independent(
    count_1: ArrayLike, n_1: ArrayLike, count_2: ArrayLike, n_2: ArrayLike, *, conf_level: float = 0.95
) -> Limits:
    """Newcombe's hybrid score interval of p₁ − p₂ of two groups (1998, Stat Med 17:873, method 10).

    >>> [round(float(limit), 4) for limit in newcombe_independent(56, 70, 48, 80)]
    [0.0524, 0.3339]
    """
    x_1, n_1, x_2, n_2 = _floats(count_1, n_1, count_2, n_2)
    ci_1, ci_2 = wilson(x_1, n_1, conf_level=conf_level), wilson(x_2, n_2, conf_level=conf_level)
    return _square_and_add(x_1 / n_1, ci_1, x_2 / n_2, ci_2)


def newcombe_paired(e: ArrayLike, f: ArrayLike, g: ArrayLike, h: ArrayLike, *, conf_level: float = 0.95) -> Limits:
    """Newcombe's hybrid score interval of (f − g)/n of pairs (1998, Stat Med 17:2635, method 10).

    φ is the correlation of the fourfold table, its numerator eh − fg corrected for continuity: less n/2, but not below
    0, where it is positive.

    >>> [round(float(limit), 4) for limit in newcombe_paired(59, 6, 16, 80)]
    [-0.1186, -0.0046]
    """
    e, f, g, h = _floats(e, f, g, h)
    n = e + f + g + h
    first, second = e + f, e + g
    ci_1, ci_2 = wilson(first, n, conf_level=conf_level), wilson(second, n, conf_level=conf_level)
    association = e * h - f * g
    corrected = np.where(association > 0, np.maximum(association - n / 2, 0), association)
    product = first * (g + h) * second * (f + h)
    phi = np.where(product > 0, corrected / np.sqrt(np.where(product > 0, product, 1.0)), 0.0)
    return _square_and_add(first / n, ci_1, second / n, ci_2, phi)


def tango(f: ArrayLike, g: ArrayLike, n: ArrayLike, *, conf_level: float = 0.95) -> Limits:
    """Tango's score interval of (f − g)/n of n pairs: the Δ at which the score statistic is ∓z.

    T(Δ) = (f − g − nΔ) / √(n (2 q(Δ) + Δ(1 − Δ))), with q the restricted estimate of the probability of a pair that is
    "no" first and "yes" later: 2n q² + (−f − g + (2n − f + g)Δ) q − gΔ(1 − Δ) = 0. T falls in Δ; the limits are found
    by bisection. At Δ = 0 it is McNemar's z.

    >>> [round(float(limit), 4) for limit in tango(12, 2, 50)]
    [0.0611, 0.3447]
    """
    f, g, n = _floats(f, g, n)
    z = _z(conf_level)

    def statistic(delta: Array) -> Array:
        B = -f - g + (2 * n - f + g) * delta
        C = -g * delta * (1 - delta)
        q = (np.sqrt(np.maximum(B**2 - 8 * n * C, 0)) - B) / (4 * n)
        spread = np.sqrt(np.maximum(n * (2 * q + delta * (1 - delta)), 0))
        gap = f - g - n * delta
        with np.errstate(divide="ignore", invalid="ignore"):
            T = gap / spread
        return np.where(spread > 0, T, np.where(gap == 0, 0.0, np.where(gap > 0, np.inf, -np.inf)))

    limits = []
    for aim in (z, -z):
        low, high = -np.ones_like(n), np.ones_like(n)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            above = statistic(middle) > aim
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        limits.append((low + high) / 2)
    return np.where(f - g == -n, -1.0, limits[0]), np.where(f - g == n, 1.0, limits[1])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class McNemar:
    """McNemar's tests: z = (f − g)/√(f + g) and p of its square, of the one corrected for continuity, exact, mid-p."""

    z: Array
    p_chi_square: Array
    p_corrected: Array
    p_exact: Array
    p_mid: Array


def mcnemar(f: ArrayLike, g: ArrayLike) -> McNemar:
    """Tests that f and g discordant pairs are equally likely; with no discordant pair z is NaN and every p is 1.

    Given f + g, f is binomial with probability ½. The exact p value is twice the smaller tail; the mid-p value counts
    half of the probability of what was seen, so it is the exact one less that probability (1 − half of it for f = g).

    >>> found = mcnemar(1, 7)
    >>> [round(float(p), 4) for p in (found.p_chi_square, found.p_corrected, found.p_exact, found.p_mid)]
    [0.0339, 0.0771, 0.0703, 0.0391]
    """
    f, g = _floats(f, g)
    m, low = f + g, np.minimum(f, g)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (f - g) / np.sqrt(m)
        corrected = np.maximum(np.abs(f - g) - 1, 0) / np.sqrt(m)
    log_choose = special.gammaln(m + 1) - special.gammaln(low + 1) - special.gammaln(m - low + 1)
    mass = np.exp(log_choose - m * np.log(2))
    tail = special.bdtr(low, m.astype(np.int64), 0.5)
    exact = np.minimum(2 * tail, 1.0)
    mid = np.where(f == g, 1 - mass / 2, 2 * tail - mass)
    none = m == 0
    return McNemar(
        z=z,
        p_chi_square=np.where(none, 1.0, 2 * special.ndtr(-np.abs(z))),
        p_corrected=np.where(none, 1.0, 2 * special.ndtr(-corrected)),
        p_exact=np.where(none, 1.0, exact),
        p_mid=np.where(none, 1.0, mid),
    )
