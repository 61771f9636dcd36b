"""A change judged at the mean of a norm: the line of the later on the earlier score, read where an average person
stands.

Whoever is selected on Y₀ alone leaves the line of Y₁ on Y₀ as it is. Where nothing happened but regression to the mean,
the line passes through (μ, μ), so its height over μ is the change apart from that:

    Y₁ − μ₁ = δ + β (Y₀ − μ₀) + e.

δ is tested by t on n − 2 degrees of freedom, with μ taken as known. Where the norm has an error of its own, its mean
enters δ with the factor −(1 − β), whose square times that error is added to the variance.

**Source**: Mee & Chua 1991, Am Stat 45:39 (its model and the example of eight pupils are as in Ostermann, Willich &
Lüdtke 2008, BMC Med Res Methodol 8:52, and in their R package regtomean, whose code was read); the range over μ is
Ostermann et al.: their t(μ) is written here with d = ȳ₀ − μ. The norm's own error is added here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from .regression_to_mean import Ratio, fieller

__all__ = ["Line", "Range", "line", "range_over_means"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The regression of Y₁ on Y₀ from its summaries: means, the slope β, the residual variance and S₀ = Σ(y₀ − ȳ₀)²."""

    mean_0: float
    mean_1: float
    slope: float
    variance: float
    spread: float
    n: int

    @property
    def df(self) -> int:
        """n − 2."""
        return self.n - 2

    @property
    def slope_error(self) -> float:
        """The standard error of β, s/√S₀."""
        return float(np.sqrt(self.variance / self.spread))

    def change_at(self, mean: ArrayLike, shift: float = 0.0) -> tuple[Array, Array]:
        """δ = ȳ₁ − μ₁ − β(ȳ₀ − μ₀) and its standard error with μ known, s √(1/n + (ȳ₀ − μ₀)²/S₀).

        `shift` is μ₁ − μ₀.

        >>> delta, error = line(3.00, 2.53, 0.94, 0.76, 0.3968, 185).change_at(2.52)
        >>> round(float(delta), 3), round(float(error), 3)
        (-0.144, 0.058)
        """
        mu = np.asarray(mean, dtype=float)
        d = self.mean_0 - mu
        delta = self.mean_1 - mu - shift - self.slope * d
        return np.asarray(delta), np.asarray(np.sqrt(self.variance * (1 / self.n + d**2 / self.spread)))


def line(mean_0: float, mean_1: float, sd_0: float, sd_1: float, r: float, n: int) -> Line:
    """The line from means, SDs, correlation and size: β = r s₁/s₀, s² = (n − 1) s₁² (1 − r²)/(n − 2).

    >>> round(line(3.00, 2.53, 0.94, 0.76, 0.3968, 185).slope, 3)
    0.321
    """
    return Line(
        mean_0=mean_0,
        mean_1=mean_1,
        slope=r * sd_1 / sd_0,
        variance=(n - 1) * sd_1**2 * (1 - r**2) / (n - 2),
        spread=(n - 1) * sd_0**2,
        n=n,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What the line says over all means of a norm.

    Attributes
    ----------
    none : Ratio
        The mean at which there is no change apart from regression to the mean, and the means at which none is shown.
    shown : (low, high)
        The means between which one is shown, where it is shown between two means only; else NaN.
    best : float
        The mean at which |t| is largest.
    t, p_value : float
        There.
    """

    none: Ratio
    shown: tuple[float, float]
    best: float
    t: float
    p_value: float


def range_over_means(of: Line, conf_level: float = 0.95) -> Range:
    """Ostermann, Willich & Lüdtke 2008: where over μ a change apart from regression to the mean is shown.

    With d = ȳ₀ − μ and D = ȳ₁ − ȳ₀: δ = D + (1 − β)d and t² = δ²/(s²/n + s²d²/S₀). So δ = 0 at μ = ȳ₀ + D/(1 − β),
    with Fieller's limits for the means at which |t| does not reach the quantile. |t| is largest at
    μ = ȳ₀ − (1 − β)S₀/(nD), where t² = (n D² + (1 − β)² S₀)/s². Far away from all scores |t| tends to that of the test
    of β = 1; where that does not reach the quantile, a change is shown between two means or nowhere.

    >>> found = range_over_means(line(3.00, 2.53, 0.94, 0.76, 0.3968, 185))
    >>> round(found.none.estimate, 2), round(found.none.conf_low, 2), round(found.none.conf_high, 2)
    (2.31, 2.1, 2.48)
    """
    D, kept = of.mean_1 - of.mean_0, 1 - of.slope
    quantile = float(special.stdtrit(of.df, (1 + conf_level) / 2))
    V = np.diag([of.variance / of.n, of.variance / of.spread])
    zero = fieller(D, kept, V, quantile)
    none = Ratio(
        estimate=of.mean_0 + zero.estimate,
        std_error=zero.std_error,
        conf_low=of.mean_0 + zero.conf_low,
        conf_high=of.mean_0 + zero.conf_high,
    )
    A, B, C = kept**2 - quantile**2 * V[1, 1], D * kept, D**2 - quantile**2 * V[0, 0]
    apart = np.sqrt(B**2 - A * C) if A < 0 < B**2 - A * C else np.nan
    shown = sorted((of.mean_0 + (B - apart) / A, of.mean_0 + (B + apart) / A))
    best = of.mean_0 - kept * of.spread / of.n / D if D != 0 else np.inf
    t = float(np.sign(D) * np.sqrt((of.n * D**2 + kept**2 * of.spread) / of.variance))
    return Range(
        none=none,
        shown=(float(shown[0]), float(shown[1])),
        best=float(best),
        t=t,
        p_value=float(2 * special.stdtr(of.df, -abs(t))),
    )
