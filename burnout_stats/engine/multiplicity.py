"""Adjusted p values for a family of tests; each method with the critical value of its simultaneous intervals, where it
has them.

**Source**: Dunn 1961, JASA 56:52 (Bonferroni); Šidák 1967, JASA 62:626; Holm 1979, Scand J Stat 6:65; Benjamini &
Hochberg 1995, J R Stat Soc B 57:289 (fdr); Tukey 1953 and Kramer 1956, Biometrics 12:307 (tukey); Dunnett 1955, JASA
50:1096; Hothorn, Bretz & Westfall 2008, Biometrical J 50:346 (mvt).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from .multivariate_t import largest, largest_quantile, largest_tail
from .studentized_range import studentized_range_quantile, studentized_range_tail

__all__ = ["ADJUSTMENTS", "Adjustment", "Family", "t_quantile", "two_sided_p"]

Array = NDArray[np.float64]


def two_sided_p(statistic: Array, df: Array) -> Array:
    """P(|t| >= |statistic|) on `df` degrees of freedom; the normal limit for infinite df."""
    size = np.abs(np.asarray(statistic, dtype=float))
    finite = np.where(np.isfinite(df), df, 1.0)
    p: Array = np.where(np.isposinf(df), 2 * special.ndtr(-size), 2 * special.stdtr(finite, -size))
    return np.where(np.isnan(df), np.nan, p)


def t_quantile(level: float, df: Array) -> Array:
    """The c with P(|t| <= c) = level, for each of `df`."""
    finite = np.where(np.isfinite(df), df, 1.0)
    upper = (1 + level) / 2
    q: Array = np.where(np.isposinf(df), special.ndtri(upper), special.stdtrit(finite, upper))
    return np.where(np.isnan(df), np.nan, q)


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """k tests that are adjusted together, all of them known.

    Attributes
    ----------
    statistic, df : (k,) arrays
        t values, each on its own degrees of freedom.
    correlation : (k, k) array
        Of the estimates.
    means : int
        How many means the tests compare with one another.
    """

    statistic: Array
    df: Array
    correlation: Array
    means: int

    def __len__(self) -> int:
        return len(self.statistic)

    @property
    def p_values(self) -> Array:
        """The p value of each test by itself, two-sided."""
        return two_sided_p(self.statistic, self.df)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One way to account for several tests.

    `name` is how prose says it; `p_values` gives the adjusted p values of a family; `critical` the number of standard
    errors that each interval needs on either side to hold simultaneously with the others, None where the method has no
    such intervals. `only` names the one set of contrasts that the method is made for, empty where it fits all.
    """

    name: str
    p_values: Callable[[Family], Array]
    critical: Callable[[Family, float], Array] | None
    only: str = ""


def _holm(family: Family) -> Array:
    p: Array = family.p_values
    order = np.argsort(p)
    adjusted = np.maximum.accumulate(p[order] * (p.size - np.arange(p.size)))
    result: Array = np.empty_like(p)
    result[order] = np.minimum(adjusted, 1.0)
    return result


def _benjamini_hochberg(family: Family) -> Array:
    p = family.p_values
    order = np.argsort(p)[::-1]
    adjusted = np.minimum.accumulate(p[order] * p.size / np.arange(p.size, 0, -1))
    result: Array = np.empty_like(p)
    result[order] = np.minimum(adjusted, 1.0)
    return result


def _tukey(family: Family) -> Array:
    return studentized_range_tail(np.sqrt(2) * np.abs(family.statistic), family.means, family.df)


def _tukey_critical(family: Family, level: float) -> Array:
    quantiles = [studentized_range_quantile(level, family.means, df) for df in family.df.tolist()]
    return np.asarray(np.array(quantiles) / np.sqrt(2))


def _joint(family: Family) -> Array:
    if len(family) == 1:
        return family.p_values
    m, rank = largest(family.correlation)
    alone = family.p_values
    adjusted = largest_tail(np.abs(family.statistic), family.df, m, rank)
    return np.asarray(np.clip(adjusted, alone, np.minimum(len(family) * alone, 1.0)))


def _joint_critical(family: Family, level: float) -> Array:
    if len(family) == 1:
        return t_quantile(level, family.df)
    m, rank = largest(family.correlation)
    unique, where = np.unique(family.df, return_inverse=True)
    found = np.array([largest_quantile(level, df, len(family), m, rank) for df in unique.tolist()])
    return np.asarray(found[where])


def _sidak(p: Array, k: int) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(-np.expm1(k * np.log1p(-p)))


ADJUSTMENTS: dict[str, Adjustment] = {
    "none": Adjustment("none", lambda family: family.p_values, lambda family, level: t_quantile(level, family.df)),
    "bonferroni": Adjustment(
        "Bonferroni",
        lambda family: np.minimum(family.p_values * len(family), 1.0),
        lambda family, level: t_quantile(1 - (1 - level) / len(family), family.df),
    ),
    "sidak": Adjustment(
        "Šidák",
        lambda family: _sidak(family.p_values, len(family)),
        lambda family, level: t_quantile(level ** (1 / len(family)), family.df),
    ),
    "holm": Adjustment("Holm", _holm, None),
    "fdr": Adjustment("Benjamini and Hochberg (false discovery rate)", _benjamini_hochberg, None),
    "tukey": Adjustment("Tukey", _tukey, _tukey_critical, only="pairwise"),
    "dunnett": Adjustment("Dunnett", _joint, _joint_critical, only="vs_baseline"),
    "mvt": Adjustment("Hothorn, Bretz and Westfall (multivariate t)", _joint, _joint_critical),
}
"""Ways to adjust. Tukey's is exact for independent means of equal variance and on the safe side otherwise (Hayter 1984,
Ann Stat 12:61); "dunnett" and "mvt" use the correlations of the estimates themselves.
"""
