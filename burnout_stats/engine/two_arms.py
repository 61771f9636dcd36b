"""Two arms before and after: the difference of their changes, plain and adjusted for the score at baseline, from n,
means, sums of squares and cross-products by arm.

x is the score before, y the score after; the last axis runs over the arms, the first arm is the one that the others are
compared with. With the pooled slope b = Σ Sxy / Σ Sxx of all arms, and N persons in G arms,

    difference_g = (ȳ_g − ȳ_0) − b (x̄_g − x̄_0),
    variance_g   = s² (1/n_g + 1/n_0 + (x̄_g − x̄_0)² / Σ Sxx),    s² = (Σ Syy − b Σ Sxy) / (N − G − 1)

which is least squares of y (or of y − x: the difference of arms is the same, Laird 1983) on x and the arms. The
difference of changes has 1 in the place of b.

**Source**: Cochran 1957, Biometrics 13:261 (the adjusted means and their variance); Laird 1983, Am Stat 37:329; Hedges
1981, J Educ Stat 6:107 (d of two samples and J); Hedges & Olkin 1985, Statistical Methods for Meta-Analysis, chapter 5
(its variance).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .effect_size import correction

__all__ = ["Adjusted", "Arms", "ancova", "arms_of_scores", "standardized_difference_of_change"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arms:
    """By arm (last axis): n, the means before and after, and the sums of squares and products around them."""

    n: Array
    before: Array
    after: Array
    Sxx: Array
    Sxy: Array
    Syy: Array

    @property
    def change(self) -> Array:
        """Mean change."""
        return self.after - self.before

    @property
    def sd_change(self) -> Array:
        """SD of the change."""
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.maximum(self.Sxx + self.Syy - 2 * self.Sxy, 0.0)
            return np.asarray(np.sqrt(spread / np.where(self.n > 1, self.n - 1, np.nan)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Adjusted:
    """Each later arm less the first (last axis): difference with its standard error; the pooled slope b, and df."""

    difference: Array
    std_error: Array
    df: Array
    slope: Array


def arms_of_scores(before: ArrayLike, after: ArrayLike, member: ArrayLike) -> Arms:
    """The summaries of scores (..., persons) of members (..., persons, arms); persons without both scores are left out.

    >>> arms = arms_of_scores([1.0, 3.0, 2.0], [2.0, 2.0, np.nan], [[1, 0], [1, 0], [0, 1]])
    >>> arms.n.tolist(), arms.change[0].item()
    ([2.0, 0.0], 0.0)
    """
    x, y = np.broadcast_arrays(np.asarray(before, dtype=float), np.asarray(after, dtype=float))
    seen = ~(np.isnan(x) | np.isnan(y))
    w = np.asarray(member, dtype=float) * seen[..., None]
    n = w.sum(axis=-2)
    x, y = (np.where(seen, values, 0.0) for values in (x, y))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_x, mean_y = (np.einsum("...i,...ig->...g", values, w) / n for values in (x, y))
        dx = np.where(w > 0, x[..., None] - mean_x[..., None, :], 0.0)
        dy = np.where(w > 0, y[..., None] - mean_y[..., None, :], 0.0)
    Sxx, Sxy, Syy = ((w * a * b).sum(axis=-2) for a, b in ((dx, dx), (dx, dy), (dy, dy)))
    return Arms(n=n, before=mean_x, after=mean_y, Sxx=Sxx, Sxy=Sxy, Syy=Syy)


def ancova(arms: Arms) -> Adjusted:
    """The difference of arms after, adjusted for the score before.

    >>> n = np.array([44.0, 44.0])
    >>> alike = Arms(n=n, before=n * 0, after=np.array([1.0, -5.0]), Sxx=n * 0 + 430, Sxy=n * 0 + 215, Syy=n * 0 + 430)
    >>> found = ancova(alike)
    >>> found.difference.tolist(), found.slope.item(), found.df.item()
    ([-6.0], 0.5, 85.0)
    """
    Sxx, Sxy, Syy = (S.sum(axis=-1) for S in (arms.Sxx, arms.Sxy, arms.Syy))
    df = arms.n.sum(axis=-1) - arms.n.shape[-1] - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        b = Sxy / np.where(Sxx > 0, Sxx, np.nan)
        s2 = np.maximum(Syy - b * Sxy, 0.0) / np.where(df > 0, df, np.nan)
        apart = arms.before[..., 1:] - arms.before[..., :1]
        difference = arms.after[..., 1:] - arms.after[..., :1] - b[..., None] * apart
        share = 1 / arms.n[..., 1:] + 1 / arms.n[..., :1] + apart**2 / np.where(Sxx > 0, Sxx, np.nan)[..., None]
        error = np.sqrt(s2[..., None] * share)
    return Adjusted(difference=difference, std_error=error, df=np.asarray(df), slope=np.asarray(b))


def standardized_difference_of_change(
    mean_1: ArrayLike,
    sd_1: ArrayLike,
    n_1: ArrayLike,
    mean_2: ArrayLike,
    sd_2: ArrayLike,
    n_2: ArrayLike,
    *,
    corrected: bool = False,
) -> tuple[Array, Array]:
    """The difference of two mean changes over the pooled SD of the changes, and its variance.

    d = (x̄₂ − x̄₁)/s_p, variance 1/n₁ + 1/n₂ + d²/(2(n₁ + n₂)); corrected, d is multiplied by J(n₁ + n₂ − 2) and the
    variance by its square.

    >>> d, _ = standardized_difference_of_change(1.5, 7.7, 44, -5.2, 8.7, 44)
    >>> round(float(d), 2)
    -0.82
    """
    m1, s1, n1, m2, s2, n2 = (np.asarray(v, dtype=float) for v in (mean_1, sd_1, n_1, mean_2, sd_2, n_2))
    pooled = np.sqrt(((n1 - 1) * s1**2 + (n2 - 1) * s2**2) / (n1 + n2 - 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        d = (m2 - m1) / np.where(pooled > 0, pooled, np.nan)
    variance = 1 / n1 + 1 / n2 + d**2 / (2 * (n1 + n2))
    J = correction(n1 + n2 - 2) if corrected else np.ones_like(d)
    return np.asarray(d * J), np.asarray(variance * J**2)
