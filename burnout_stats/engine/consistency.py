"""Whether printed numbers can belong together: what each could have been before it was rounded, and what follows.

A printed number stands for an interval of numbers, which depends on how it was rounded; a number that is computed from
others is itself an interval. They are consistent where the two meet. Sources do not always round half up, so three
readings are tried, each wider than the one before.

**Source**: Brown & Heathers 2017, Soc Psychol Personal Sci 8:363 (GRIM); Anaya 2016, PeerJ Preprints 4:e2400
(GRIMMER), in the analytic form of Allard 2018, with every sum that the rounded mean allows tried, not only the nearest.
The others are algebra: of the paired t statistic, and of F and partial eta squared as ratios of sums of squares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = [
    "NEVER",
    "READINGS",
    "change_sd",
    "correlation",
    "grim",
    "grimmer",
    "nearest_sd",
    "p_range",
    "partial_eta_squared",
    "reading",
    "stood_for",
    "t_range",
]

Array = NDArray[np.float64]
Range = tuple[float, float]

READINGS: Mapping[str, str] = MappingProxyType(
    {
        "half": "rounded half up or half to even",
        "cut": "cut off after the last digit",
        "unit": "not by the usual roundings; within one unit of the last digit",
    }
)
"""How a number may have come to be printed, in the order in which they are tried."""

NEVER = "none"
"""The reading of numbers that no rounding brings together."""

HAIR = 1e-9
"""Relative to the unit of the last digit: two limits that differ by less are the same."""


def stood_for(value: float, unit: float, how: str) -> Range:
    """The numbers that are printed as `value` with a last digit worth `unit` (0 for a number known exactly).

    >>> [tuple(round(limit, 3) for limit in stood_for(0.35, 0.01, how)) for how in READINGS]
    [(0.345, 0.355), (0.35, 0.36), (0.34, 0.36)]
    """
    hair = HAIR * unit
    if how == "half":
        return value - unit / 2 - hair, value + unit / 2 + hair
    if how == "cut":  # the far end is another number already
        return (value - hair, value + unit - hair) if value >= 0 else (value - unit + hair, value + hair)
    return value - unit + hair, value + unit - hair


def reading(value: float, unit: float, low: float, high: float) -> str:
    """The first reading of a printed value under which it meets the interval [low, high]; `NEVER` where none does.

    >>> reading(6, 1, 100 * 10 / 182, 100 * 10 / 182), reading(35, 1, 100 * 63 / 182, 100 * 63 / 182)
    ('unit', 'half')
    """
    for how in READINGS:
        first, last = stood_for(value, unit, how)
        if low <= last and high >= first:
            return how
    return NEVER


def grim(low: float, high: float, grains: float) -> tuple[NDArray[np.int64], float]:
    """The sums whose mean over `grains` (persons × items) lies in [low, high], and the mean nearest to its middle.

    >>> grim(3.445, 3.455, 18)[0].size, round(grim(3.445, 3.455, 18)[1], 4)
    (0, 3.4444)
    """
    first, last = np.ceil(low * grains - HAIR), np.floor(high * grains + HAIR)
    nearest = float(np.round((low + high) / 2 * grains) / grains)
    return np.arange(int(first), int(last) + 1, dtype=np.int64), nearest


def grimmer(sums: NDArray[np.int64], low: float, high: float, n: int, items: int) -> Array:
    """The SDs within [low, high] that n persons can have whose totals over the items are whole numbers with these sums.

    With T the sum and Q the sum of squares of the totals, s² items² (n − 1) = Q − T²/n. Q is a whole number, as even or
    odd as T, and not below that of totals as equal as they can be.
    """
    found = [_squares(int(total), low, high, n, items) for total in sums]
    return np.concatenate(found) if found else np.empty(0)


def _squares(total: int, low: float, high: float, n: int, items: int) -> Array:
    each, over = divmod(total, n)
    least = (n - over) * each**2 + over * (each + 1) ** 2
    low, high = max(low, 0.0), max(high, 0.0)
    centered = np.array([low, high]) ** 2 * items**2 * (n - 1)
    first = max(int(np.ceil(centered[0] + total**2 / n - HAIR)), least)
    last = int(np.floor(centered[1] + total**2 / n + HAIR))
    first += (first - total) % 2
    Q = np.arange(first, last + 1, 2, dtype=float)
    return np.asarray(np.sqrt(np.maximum(Q - total**2 / n, 0.0) / (n - 1)) / items)


def nearest_sd(sums: NDArray[np.int64], sd: float, n: int, items: int) -> float:
    """The attainable SD nearest to a printed one; NaN where there is no sum."""
    step = 4 / (items**2 * (n - 1))  # twice the step from one attainable variance to the next
    found = grimmer(sums, np.sqrt(max(sd**2 - step, 0)), np.sqrt(sd**2 + step), n, items)
    return float(found[np.argmin(np.abs(found - sd))]) if found.size else np.nan


def change_sd(difference: Range, t: Range, n: float) -> Range:
    """s_D = |D| √n / |t| over intervals of D and t.

    >>> tuple(round(limit, 3) for limit in change_sd((0.47, 0.47), (6.76, 6.76), 185))
    (0.946, 0.946)
    """
    (d_low, d_high), (t_low, t_high) = _sizes(difference), _sizes(t)
    root = float(np.sqrt(n))
    return (d_low * root / t_high if t_high > 0 else np.inf, d_high * root / t_low if t_low > 0 else np.inf)


def _sizes(values: Range) -> Range:
    """The interval of absolute values."""
    low, high = values
    if low <= 0 <= high:
        return 0.0, max(-low, high)
    return min(abs(low), abs(high)), max(abs(low), abs(high))


def correlation(sd_1: Range, sd_2: Range, sd_change: Range) -> Range:
    """r = (s₁² + s₂² − s_D²) / (2 s₁ s₂) over intervals of the three SDs.

    It falls in s_D. In s₁ it is highest at an end; its lowest may lie inside, at s₁ = √(s₂² − s_D²), and in s₂ alike.

    >>> [round(limit, 2) for limit in correlation((0.94, 0.94), (0.76, 0.76), (0.946, 0.946))]
    [0.4, 0.4]
    """

    def r(s_1: float, s_2: float, s_d: float) -> float:
        return (s_1**2 + s_2**2 - s_d**2) / (2 * s_1 * s_2)

    corners = list(product(sd_1, sd_2))
    wide = sd_change[1]
    if not np.isfinite(wide):
        return -np.inf, max(r(s_1, s_2, sd_change[0]) for s_1, s_2 in corners)
    inside = [(_within(s_2, wide, sd_1), s_2) for s_2 in sd_2] + [(s_1, _within(s_1, wide, sd_2)) for s_1 in sd_1]
    return (
        min(r(s_1, s_2, wide) for s_1, s_2 in corners + inside),
        max(r(s_1, s_2, sd_change[0]) for s_1, s_2 in corners),
    )


def _within(other: float, wide: float, limits: Range) -> float:
    return float(np.clip(np.sqrt(max(other**2 - wide**2, 0.0)), *limits))


def t_range(difference: Range, sd_1: Range, sd_2: Range, r: Range, n: float) -> Range:
    """The paired |t| = |D| √n / √(s₁² + s₂² − 2 r s₁ s₂) over intervals.

    The SD of the change is, in each SD, lowest at an end or where s₁ = r s₂, and highest at an end.
    """
    d_low, d_high = _sizes(difference)

    def variance(s_1: float, s_2: float, rho: float) -> float:
        return s_1**2 + s_2**2 - 2 * rho * s_1 * s_2

    corners = list(product(sd_1, sd_2))
    inside = [(float(np.clip(r[1] * s_2, *sd_1)), s_2) for s_2 in sd_2]
    inside += [(s_1, float(np.clip(r[1] * s_1, *sd_2))) for s_1 in sd_1]
    most = max(variance(*pair, r[0]) for pair in corners)
    least = min(variance(*pair, r[1]) for pair in corners + inside)
    root = float(np.sqrt(n))
    return (
        d_low * root / float(np.sqrt(most)) if most > 0 else np.inf,
        d_high * root / float(np.sqrt(least)) if least > 0 else np.inf,
    )


def p_range(kind: str, statistic: Range, df: Range, df_2: Range = (np.nan, np.nan)) -> Range:
    """Two-sided p of t or z, upper p of chi2 or F, over intervals of the statistic and its degrees of freedom.

    p falls in the size of the statistic; in the degrees of freedom the ends are tried.

    >>> [round(p, 4) for p in p_range("t", (2.025, 2.035), (225, 225))]
    [0.043, 0.044]
    """
    low, high = _sizes(statistic) if kind in ("t", "z") else statistic
    tails: dict[str, Callable[[float, float, float], float]] = {
        "t": lambda x, f, _: 2 * special.stdtr(f, -x),
        "z": lambda x, *_: 2 * special.ndtr(-x),
        "chi2": lambda x, f, _: special.chdtrc(f, x),
        "F": lambda x, f, g: special.fdtrc(f, g, x),
    }
    tail = tails[kind]
    ends = list(product(df, df_2))
    return (
        min(float(tail(max(high, 0.0), f, g)) for f, g in ends),
        max(float(tail(max(low, 0.0), f, g)) for f, g in ends),
    )


def partial_eta_squared(F: Range, df_1: Range, df_2: Range) -> Range:
    """η_p² = F f₁ / (F f₁ + f₂) over intervals.

    >>> [round(limit, 3) for limit in partial_eta_squared((33.1, 33.1), (1.829, 1.829), (267, 267))]
    [0.185, 0.185]
    """
    low, high = max(F[0], 0.0) * df_1[0], F[1] * df_1[1]
    return low / (low + df_2[1]), high / (high + df_2[0])
