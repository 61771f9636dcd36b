"""Two independent groups compared: means by Student's and Welch's t, shares by chi-square and Fisher's exact test, all
from the numbers that papers print.

**Source**: Welch 1947, Biometrika 34:28, with the degrees of freedom of Satterthwaite 1946, Biometrics Bull 2:110;
Yates 1934, J R Stat Soc Suppl 1:217 (the correction is never larger than |O − E|, as in R and scipy); Fisher's exact
test with two sides adds up all tables that are not more probable than the one observed (as R's `fisher.test`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, gammaln, ndtri, stdtr, stdtrit

__all__ = ["Comparison", "chi_square", "combined", "compare_means", "fisher_exact", "wald"]

Array = NDArray[np.float64]
AS_PROBABLE = 1e-7
"""Relative: two tables whose probabilities differ by less are as probable."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The second mean less the first: its standard error, degrees of freedom, t and p."""

    difference: float
    std_error: float
    df: float
    t: float
    p: float

    def interval(self, conf_level: float) -> tuple[float, float]:
        """The confidence interval of the difference."""
        half = float(stdtrit(self.df, (1 + conf_level) / 2)) * self.std_error
        return self.difference - half, self.difference + half


def compare_means(
    mean_1: float, sd_1: float, n_1: float, mean_2: float, sd_2: float, n_2: float, *, equal_variances: bool = True
) -> Comparison:
    """Student's t with pooled variance, or Welch's.

    >>> found = compare_means(3.01, 0.94, 184, 3.33, 0.88, 43)
    >>> round(found.t, 2), found.df
    (2.03, 225.0)
    """
    v1, v2 = sd_1**2 / n_1, sd_2**2 / n_2
    if equal_variances:
        df = n_1 + n_2 - 2.0
        pooled = ((n_1 - 1) * sd_1**2 + (n_2 - 1) * sd_2**2) / df
        variance = pooled * (1 / n_1 + 1 / n_2)
    else:
        variance = v1 + v2
        parts = v1**2 / (n_1 - 1) + v2**2 / (n_2 - 1)
        df = variance**2 / parts if parts > 0 else np.nan
    difference, se = mean_2 - mean_1, float(np.sqrt(variance))
    t = difference / se if se > 0 else np.nan
    return Comparison(difference, se, float(df), float(t), float(2 * stdtr(df, -abs(t))))


def combined(means: ArrayLike, sds: ArrayLike, ns: ArrayLike) -> tuple[float, float, float]:
    """Mean, SD and n of several groups taken together.

    (N − 1) s² = Σ (nⱼ − 1) sⱼ² + Σ nⱼ (x̄ⱼ − x̄)².

    >>> mean, sd, n = combined([3.01, 3.33], [0.94, 0.88], [184, 43])
    >>> round(mean, 2), round(sd, 2), n
    (3.07, 0.94, 227.0)
    """
    m, s, n = (np.asarray(values, dtype=float) for values in (means, sds, ns))
    total = n.sum()
    mean = (n * m).sum() / total
    squares = ((n - 1) * s**2).sum() + (n * (m - mean) ** 2).sum()
    return float(mean), float(np.sqrt(squares / (total - 1))), float(total)


def chi_square(table: ArrayLike, *, yates: bool = False) -> tuple[float, float, float]:
    """Pearson's chi-square of a table of counts, its degrees of freedom, and p; Yates' correction is for 2 × 2 only.

    Rows and columns without anybody are left out.

    >>> statistic, df, p = chi_square([[101, 16], [83, 27]])
    >>> round(statistic, 2), df, round(p, 3)
    (4.36, 1.0, 0.037)
    """
    counts = _occupied(table)
    df = float(max(counts.shape[0] - 1, 0) * max(counts.shape[1] - 1, 0))
    if df == 0:
        return float("nan"), df, float("nan")
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    away = np.abs(counts - expected)
    if yates and df == 1:
        away = away - np.minimum(0.5, away)
    statistic = float((away**2 / expected).sum())
    return statistic, df, float(chdtrc(df, statistic))


def fisher_exact(table: ArrayLike) -> float:
    """The two-sided p of Fisher's exact test of a 2 × 2 table; NaN where a margin is empty.

    >>> round(fisher_exact([[101, 16], [83, 27]]), 4)
    0.0425
    """
    counts = _occupied(table)
    if counts.shape != (2, 2):
        return float("nan")
    (row, other), column = counts.sum(axis=1), counts[:, 0].sum()
    k = np.arange(max(0.0, column - other), min(row, column) + 1)
    log_p = _log_choose(row, k) + _log_choose(other, column - k)
    p = np.exp(log_p - log_p.max())
    observed = p[int(counts[0, 0] - k[0])]
    return float(min(p[p <= observed * (1 + AS_PROBABLE)].sum() / p.sum(), 1.0))


def wald(count: ArrayLike, n: ArrayLike, *, conf_level: float = 0.95) -> tuple[Array, Array]:
    """Wald's interval of a share, p ± z √(p(1 − p)/n): the one of many papers, too short for shares near 0 or 1. It is
    cut off at 0 and 1.

    >>> [round(100 * float(limit), 1) for limit in wald(101, 117)]
    [80.1, 92.6]
    """
    x, total = np.asarray(count, dtype=float), np.asarray(n, dtype=float)
    share = x / total
    half = float(ndtri((1 + conf_level) / 2)) * np.sqrt(share * (1 - share) / total)
    return np.maximum(share - half, 0.0), np.minimum(share + half, 1.0)


def _occupied(table: ArrayLike) -> Array:
    counts = np.asarray(table, dtype=float)
    return np.asarray(counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0])


def _log_choose(n: float, k: Array) -> Array:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
