"""Standardized differences between two groups: how far apart they are in standard deviations, whatever their size.

Of a number, with means x̄₁, x̄₂ and SDs s₁, s₂,

    d = (x̄₂ − x̄₁) / √((s₁² + s₂²) / 2).

Of a categorical variable with K levels, with p₁ and p₂ the shares of all levels but the first,

    d = √((p₂ − p₁)' S⁻¹ (p₂ − p₁)),    S = (V(p₁) + V(p₂)) / 2,    V(p) = diag(p) − p p',

a Mahalanobis distance, which has no sign and does not depend on the level left out; for two levels it is
|p₂ − p₁| / √((p₁(1 − p₁) + p₂(1 − p₂)) / 2). The standard error of either is

    SE(d) = √((n₁ + n₂) / (n₁ n₂) + d² / (2 (n₁ + n₂))).

**Source**: Yang & Dalton 2012, A unified approach to measuring the effect size between two groups using SAS (SAS Global
Forum, paper 335-2012); the standard error is that of Hedges & Olkin 1985, p. 86, for two independent groups. Formulas
read in R's `stddiff` 3.0. For a distance that is near 0 the interval from this SE is too wide below: it goes under 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

__all__ = ["difference_of_means", "difference_of_shares", "interval", "std_error"]

Array = NDArray[np.float64]
SINGULAR = 1e-10
"""A direction of S with less variance than this has none."""


def difference_of_means(mean_1: ArrayLike, sd_1: ArrayLike, mean_2: ArrayLike, sd_2: ArrayLike) -> Array:
    """d of a number, the second group less the first; NaN where nobody differs from anybody, infinite where only the
    groups do.

    >>> round(float(difference_of_means(3.01, 0.94, 3.33, 0.88)), 3)
    0.351
    """
    difference = np.subtract(mean_2, mean_1, dtype=float)
    spread = np.sqrt((np.square(sd_1, dtype=float) + np.square(sd_2, dtype=float)) / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(difference / spread)


def difference_of_shares(counts_1: ArrayLike, counts_2: ArrayLike) -> float:
    """d of a categorical variable, from the counts of its levels in each group (K,); infinite where a level that one
    group has and the other has not leaves no variance to divide by.

    >>> round(difference_of_shares([101, 83], [16, 27]), 3)
    0.36
    """
    both = np.array([counts_1, counts_2], dtype=float)
    totals = both.sum(axis=1, keepdims=True)
    if not totals.all():
        return float("nan")
    p, q = (both / totals)[:, 1:]
    S = (np.diag(p) - np.outer(p, p) + np.diag(q) - np.outer(q, q)) / 2
    values, vectors = np.linalg.eigh(S)
    along = vectors.T @ (q - p)
    has_variance = values > SINGULAR
    if (np.abs(along[~has_variance]) > SINGULAR).any():
        return float("inf")
    return float(np.sqrt((along[has_variance] ** 2 / values[has_variance]).sum()))


def std_error(d: ArrayLike, n_1: ArrayLike, n_2: ArrayLike) -> Array:
    """The standard error of d."""
    first, second = np.asarray(n_1, dtype=float), np.asarray(n_2, dtype=float)
    total = first + second
    return np.asarray(np.sqrt(total / (first * second) + np.square(d) / (2 * total)))


def interval(d: float, n_1: float, n_2: float, conf_level: float) -> tuple[float, float]:
    """d ± z SE(d); no limits where d is not finite."""
    if not np.isfinite(d):
        return float("nan"), float("nan")
    half = float(ndtri((1 + conf_level) / 2)) * float(std_error(d, n_1, n_2))
    return d - half, d + half
