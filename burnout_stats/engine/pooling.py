"""Rubin's rules: one answer from the answers to m imputed data sets.

    q̄ = Σ q_i / m         the estimate
    Ū = Σ U_i / m         the variance within imputations
    B = Σ (q_i − q̄)(q_i − q̄)' / (m − 1)        the variance between them
    T = Ū + (1 + 1/m) B
    λ = (1 + 1/m) B / T,   r = (1 + 1/m) B / Ū

**Source**: Rubin 1987, Multiple Imputation for Nonresponse in Surveys, equations (3.1.2)-(3.1.10); Barnard & Rubin
1999, Biometrika 86:948, for the degrees of freedom; Li, Raghunathan & Rubin 1991, JASA 86:1065, for the test of several
parameters (D1), with the degrees of freedom of Reiter 2007, Biometrika 94:502; von Hippel 2020, Sociol Methods Res
49:699, for the number of imputations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pooled", "barnard_rubin", "d1_test", "imputations_needed", "missing_information", "rubin"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pooled:
    """k estimates pooled over m imputations: `estimate` (k,), `within`, `between` and `total` (k, k)."""

    m: int
    estimate: Array
    within: Array
    between: Array
    total: Array

    @property
    def share(self) -> Array:
        """λ of every estimate, the share of its variance that comes from between the imputations; (k,)."""
        return self._ratio(np.diagonal(self.total))

    @property
    def increase(self) -> Array:
        """r of every estimate, the relative increase of variance by what is missing; (k,)."""
        return self._ratio(np.diagonal(self.within))

    @property
    def monte_carlo_error(self) -> Array:
        """The standard error of q̄ as an estimate of what infinitely many imputations would give: √(B/m); (k,)."""
        return np.sqrt(np.maximum(np.diagonal(self.between), 0.0) / self.m)

    def _ratio(self, below: Array) -> Array:
        between = (1 + 1 / self.m) * np.diagonal(self.between)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(between == 0, 0.0, between / below)


def rubin(estimates: Array, covariances: Array) -> Pooled:
    """Pool estimates (m, k) with covariances (m, k, k) of m imputed data sets.

    >>> pooled = rubin(np.array([[1.0], [2.0], [3.0]]), np.ones((3, 1, 1)))
    >>> pooled.estimate.item(), round(pooled.total.item(), 4)
    (2.0, 2.3333)
    """
    m = len(estimates)
    mean = estimates.mean(0)
    deviation = estimates - mean
    # imputations that do not differ differ by rounding only, and are told so
    deviation = np.where(np.abs(deviation) > 1e-12 * np.abs(mean), deviation, 0.0)
    between = deviation.T @ deviation / (m - 1) if m > 1 else np.zeros((len(mean), len(mean)))
    within = covariances.mean(0)
    return Pooled(m=m, estimate=mean, within=within, between=between, total=within + (1 + 1 / m) * between)


def barnard_rubin(m: int, share: Array, df_complete: Array) -> Array:
    """Degrees of freedom of pooled estimates, with λ (k,) and the degrees of freedom ν_com (k,) that they would have
    with complete data; ν_com itself where the imputations do not differ, and Rubin's (m − 1) / λ² where it is infinite.

        1 / ν = λ² / (m − 1) + 1 / { (ν_com + 1) / (ν_com + 3) · ν_com (1 − λ) }

    R's mice takes λ as at least 1e-4; here it may be 0.

    >>> barnard_rubin(5, np.array([0.5676 / 4.5676]), np.array([47.0])).round(6).item()
    34.283427
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        finite = np.isfinite(df_complete)
        known = np.where(finite, (df_complete + 1) / (df_complete + 3) * df_complete * (1 - share), np.inf)
        old = share**2 / (m - 1) if m > 1 else np.where(share > 0, np.inf, 0.0)
        df = 1 / (old + np.where(finite, 1 / known, 0.0))
    return np.where(share == 0, df_complete, df)


def missing_information(increase: Array, df: Array) -> Array:
    """The fraction of missing information (r + 2 / (ν + 3)) / (1 + r), and 0 where the imputations do not differ (the
    second term is what the small number of imputations adds).

    >>> missing_information(np.array([0.5676 / 4.0]), np.array([34.283427])).round(8).item()
    0.17124366
    """
    return np.where(increase == 0, 0.0, (increase + 2 / (df + 3)) / (1 + increase))


def imputations_needed(fraction: Array, *, cv: float = 0.05) -> Array:
    """How many imputations keep the coefficient of variation of a standard error, over repeated imputation, at `cv`:
    1 + (γ / cv)² / 2 for a fraction γ of missing information (von Hippel 2020, equation 2); 2 at least.

    >>> imputations_needed(np.array([0.3])).item()
    19.0
    """
    return np.maximum(np.ceil(1 + (fraction / cv) ** 2 / 2), 2.0)


def d1_test(pooled: Pooled, df_complete: float) -> tuple[float, float, float]:
    """F, and the degrees of freedom of numerator and denominator, for the hypothesis that all k estimates are 0.

    D1 = q̄'Ū⁻¹q̄ / (k (1 + r)) with r = (1 + 1/m) tr(BŪ⁻¹) / k takes the missing information as alike in all
    directions. Its denominator has the degrees of freedom of Reiter 2007 (equation 3) where ν_com is finite and k(m −
    1) > 4, and otherwise those of Li, Raghunathan & Rubin 1991; it has ν_com where the imputations do not differ.

    Reiter's expansion holds where ν_com (ν_com + 1) / (ν_com + 3) > 4(1 + a), a = rt/(t − 2): below that it gives
    negative numbers and large ones, and so does R's mitml. What stands in for it there is our choice, after Barnard &
    Rubin: 1 / ν = 1 / ν_LRR + (1 + r) / {ν_com (ν_com + 1) / (ν_com + 3)}.
    """
    k, m = len(pooled.estimate), pooled.m
    inverse = np.linalg.inv(pooled.within)
    r = (1 + 1 / m) * float(np.sum(pooled.between * inverse)) / k
    F = float(pooled.estimate @ inverse @ pooled.estimate) / (k * (1 + r))
    t = k * (m - 1)
    if r == 0:
        return F, float(k), float(df_complete)
    large = 4 + (t - 4) * (1 + (1 - 2 / t) / r) ** 2 if t > 4 else t * (1 + 1 / k) * (1 + 1 / r) ** 2 / 2
    if not np.isfinite(df_complete) or t <= 4:
        return F, float(k), large
    nu = (df_complete + 1) / (df_complete + 3) * df_complete
    a = r * t / (t - 2)
    if nu <= 4 * (1 + a):
        return F, float(k), 1 / (1 / large + (1 + r) / nu)
    return F, float(k), _reiter(t, a, nu)


def _reiter(t: float, a: float, nu: float) -> float:
    c0, c1, c2 = 1 / (t - 4), nu - 2 * (1 + a), nu - 4 * (1 + a)
    z = (
        1 / c2
        + c0 * a**2 * c1 / ((1 + a) ** 2 * c2)
        + c0 * 8 * a**2 * c1 / ((1 + a) * c2**2)
        + c0 * 4 * a**2 / ((1 + a) * c2)
        + c0 * 4 * a**2 / (c2 * c1)
        + c0 * 16 * a**2 * c1 / c2**3
        + c0 * 8 * a**2 / c2**2
    )
    return 4 + 1 / z
