"""Standardized changes from summaries: n pairs, the means, the standard deviations and their correlation.

A standardized change is d = D / h, with D the later mean minus the earlier one and h a *standardizer*, a function of
the two variances a = s₁², b = s₂² and the covariance c = r s₁ s₂. Which h it is decides what d means, so every measure
here is named by its own. `J(m) = Γ(m/2) / (√(m/2) Γ((m−1)/2))` takes away the bias of 1/h on m degrees of freedom.

Where normal pairs are sampled, means and (co)variances are independent, so that by the delta method

    var(d) = s_D² / (h² n) + d² g' C g,    g = ∂ log h / ∂(a, b, c),
    C = cov(a, b, c) = [2a², 2c², 2ac; 2c², 2b², 2bc; 2ac, 2bc, ab + c²] / (n − 1)

Bonett's variances (equations 10 and 13) are this with n − 1 in the first term too; it is taken here for every measure
that makes no assumption of equal variances.

**Source**: Bonett 2008, Psychol Methods 13:99, equations 10 and 13; Becker 1988, Br J Math Stat Psychol 41:257,
equation 13; Gibbons, Hedeker & Davis 1993, J Educ Stat 18:271, equation 21; Cousineau 2020, Quant Meth Psych
16:418, equation 2; Lakens 2013, Front Psychol 4:863 (d_z, d_rm, d_av); Hedges 1981, J Educ Stat
6:107, for J. Codes that begin with `smc` are those of metafor's `escalc` (4.0 and later; for `smcrh` earlier versions
multiply the variance by J²).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

__all__ = ["MEASURES", "STANDARDIZERS", "EffectSize", "Measure", "Pairs", "Standardizer", "correction", "effect_size"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Summaries of paired scores, as numbers or arrays that broadcast: n pairs; means, SDs, and their correlation."""

    n: Array
    mean_1: Array
    mean_2: Array
    sd_1: Array
    sd_2: Array
    r: Array

    @classmethod
    def of(cls, **summaries: ArrayLike) -> Pairs:
        """Pairs from anything that numpy reads as numbers."""
        numbers: dict[str, Any] = {name: np.asarray(value, dtype=float) for name, value in summaries.items()}
        return cls(**numbers)

    @property
    def covariance(self) -> tuple[Array, Array, Array]:
        """a, b and c."""
        return self.sd_1**2, self.sd_2**2, self.r * self.sd_1 * self.sd_2

    @property
    def difference(self) -> Array:
        """D, later minus earlier."""
        return self.mean_2 - self.mean_1


@dataclass(frozen=True, slots=True)
class Standardizer:
    """A name for prose, h(a, b, c), and ∂ log h / ∂(a, b, c) on a last axis."""

    name: str
    h: Callable[[Array, Array, Array], Array]
    slopes: Callable[[Array, Array, Array], Array]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EffectSize:
    """d with its variance and interval, arrays of one shape."""

    estimate: Array
    variance: Array
    conf_low: Array
    conf_high: Array


@dataclass(frozen=True, slots=True)
class Measure:
    """One effect size.

    `m` gives the degrees of freedom of the correction J, or is None where there is none; `variance` takes the pairs,
    and the estimate as it is reported.
    """

    code: str
    standardizer: str
    m: Callable[[Pairs], Array] | None
    variance: Callable[[Pairs, Array], Array]
    exact: bool = False


def _stacked(*slopes: Array) -> Array:
    return np.stack(np.broadcast_arrays(*slopes), axis=-1)


def _change(a: Array, b: Array, c: Array) -> Array:
    return a + b - 2 * c


def _average_slopes(a: Array, b: Array, c: Array) -> Array:
    total = np.sqrt(a) + np.sqrt(b)
    return _stacked(1 / (2 * np.sqrt(a) * total), 1 / (2 * np.sqrt(b) * total), 0 * c)


def _rm(a: Array, b: Array, c: Array) -> Array:
    return np.asarray(np.sqrt(_change(a, b, c) / (2 * (1 - c / np.sqrt(a * b)))))


def _rm_slopes(a: Array, b: Array, c: Array) -> Array:
    """log h = log(a + b − 2c)/2 − log(2(1 − r))/2, with ∂r/∂(a, b, c) = r (−1/2a, −1/2b, 1/c)."""
    v, root = _change(a, b, c), np.sqrt(a * b)
    r = c / root
    k = 1 / (2 * (1 - r))
    return _stacked(1 / (2 * v) - k * r / (2 * a), 1 / (2 * v) - k * r / (2 * b), -1 / v + k / root)


STANDARDIZERS: dict[str, Standardizer] = {
    "baseline": Standardizer(
        "the SD at baseline", lambda a, b, c: np.sqrt(a) + 0 * b, lambda a, b, c: _stacked(1 / (2 * a), 0 * b, 0 * c)
    ),
    "average": Standardizer(
        "the average of the two SDs", lambda a, b, c: (np.sqrt(a) + np.sqrt(b)) / 2, _average_slopes
    ),
    "pooled": Standardizer(
        "the root of the average variance",
        lambda a, b, c: np.sqrt((a + b) / 2),
        lambda a, b, c: _stacked(1 / (2 * (a + b)), 1 / (2 * (a + b)), 0 * c),
    ),
    "change": Standardizer(
        "the SD of the change",
        lambda a, b, c: np.sqrt(_change(a, b, c)),
        lambda a, b, c: _stacked(*(k / (2 * _change(a, b, c)) for k in (1, 1, -2))),
    ),
    "repeated": Standardizer("the SD of the change over √(2(1 − r))", _rm, _rm_slopes),
}


def correction(m: ArrayLike) -> Array:
    """J(m), Hedges 1981; NaN for m ≤ 1."""
    m = np.asarray(m, dtype=float)
    safe = np.where(m > 1, m, 2.0)
    J = np.exp(special.gammaln(safe / 2) - np.log(np.sqrt(safe / 2)) - special.gammaln((safe - 1) / 2))
    return np.where(m > 1, J, np.nan)


def _delta(standardizer: str) -> Callable[[Pairs, Array], Array]:
    """Bonett 2008: no assumption on the variances."""
    h, slopes = STANDARDIZERS[standardizer].h, STANDARDIZERS[standardizer].slopes

    def variance(pairs: Pairs, d: Array) -> Array:
        a, b, c = pairs.covariance
        g = slopes(a, b, c)
        C = np.stack(
            (
                _stacked(2 * a**2, 2 * c**2, 2 * a * c),
                _stacked(2 * c**2, 2 * b**2, 2 * b * c),
                _stacked(2 * a * c, 2 * b * c, a * b + c**2),
            ),
            axis=-2,
        )
        spread = np.einsum("...i,...ij,...j->...", g, C, g)
        total: Array = (_change(a, b, c) / h(a, b, c) ** 2 + d**2 * spread) / (pairs.n - 1)
        return total

    return variance


def _less_one(pairs: Pairs) -> Array:
    return pairs.n - 1


def _both(pairs: Pairs) -> Array:
    """Degrees of freedom of the average of two correlated variances (Cousineau 2020)."""
    return 2 * (pairs.n - 1) / (1 + pairs.r**2)


MEASURES: dict[str, Measure] = {
    measure.code: measure
    for measure in (
        Measure("d_av", "average", None, _delta("average")),
        Measure("d_z", "change", None, lambda p, d: (1 + d**2 / 2) / p.n, exact=True),
        Measure("d_rm", "repeated", None, _delta("repeated")),
        Measure("glass", "baseline", None, _delta("baseline")),
        Measure("smcc", "change", _less_one, lambda p, d: (1 + d**2 / 2) / p.n),
        Measure("smcr", "baseline", _less_one, lambda p, d: (2 * (1 - p.r) + d**2 / 2) / p.n),
        Measure("smcrh", "baseline", _less_one, _delta("baseline")),
        Measure("smcrp", "pooled", _both, lambda p, d: (2 * (1 - p.r) + d**2 * (1 + p.r**2) / 4) / p.n),
        Measure("smcrph", "pooled", _both, _delta("pooled")),
    )
}
"""`smcr` and `smcrp` assume that the variance is the same at both times; `glass`, `smcrh`, `smcrph`, `d_av`, `d_rm` do
not. `d_z`, `d_av`, `d_rm` and `glass` are not corrected for bias.
"""


def effect_size(pairs: Pairs, measure: str, *, conf_level: float = 0.95) -> EffectSize:
    """One measure of standardized change, with a normal interval; for `d_z` the exact one through the noncentral t.

    >>> villa_sana = Pairs.of(n=185, mean_1=3.00, mean_2=2.53, sd_1=0.94, sd_2=0.76, r=0.40)
    >>> [round(float(effect_size(villa_sana, code).estimate), 2) for code in ("d_av", "d_z")]
    [-0.55, -0.5]
    """
    rule = MEASURES[measure]
    with np.errstate(divide="ignore", invalid="ignore"):
        d = pairs.difference / STANDARDIZERS[rule.standardizer].h(*pairs.covariance)
        d = d if rule.m is None else d * correction(rule.m(pairs))
        variance = np.asarray(rule.variance(pairs, d))
    if rule.exact:
        low, high = _noncentral_limits(d, pairs.n, conf_level)
    else:
        margin = special.ndtri((1 + conf_level) / 2) * np.sqrt(variance)
        low, high = d - margin, d + margin
    return EffectSize(estimate=np.asarray(d), variance=variance, conf_low=low, conf_high=high)


def _noncentral_limits(d: Array, n: Array, conf_level: float) -> tuple[Array, Array]:
    """The noncentralities at which t = d √n is a quantile, over √n (Steiger & Fouladi 1997), by bisection."""
    t, root = d * np.sqrt(n), np.sqrt(n)
    limits = []
    for p in ((1 + conf_level) / 2, (1 - conf_level) / 2):
        reach = 10 + np.abs(t)  # many times the standard error of a noncentrality near t
        low, high = t - reach, t + reach
        for _ in range(60):
            middle = (low + high) / 2
            above = special.nctdtr(n - 1, middle, t) > p  # falls as the noncentrality grows
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        limits.append(np.where(np.isfinite(t), (low + high) / 2, np.nan) / root)
    return limits[0], limits[1]
