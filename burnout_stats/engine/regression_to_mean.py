"""How far a selected group is expected to come back toward the mean of its population when nothing is done.

A group is selected on a variable U that goes with its score Y₀. Where the regressions on U are linear (as in normal
populations), the group keeps at a later time, of its distance from the population mean, the share

    κ = (E[Y₁|sel] − μ₁)/(E[Y₀|sel] − μ₀) = Cov(U, Y₁)/Cov(U, Y₀),

so E[Y₁ − Y₀|sel] = (μ₁ − μ₀) − (1 − κ)(E[Y₀|sel] − μ₀). With a score made of a lasting trait T, a passing state S₀ and
an error of measurement, all uncorrelated, Y₀ = T + S₀ + E₀, and β the slope of Y₁ on Y₀ in the unselected population:

| U | κ |
| --- | --- |
| the score Y₀ itself | β = ρ σ₁/σ₀; ρ where the population's SDs are equal |
| the trait T | 1 |
| the momentary state T + S₀, free of error | β/λ, λ the reliability of Y₀ |
| a crisis S₀ that is over by the later time | 0 |
| the mean of m baselines, which is Y₀ here | m β/(1 + (m − 1) ρ_b), ρ_b the correlation of two of them |
| an earlier score Y_a, not Y₀ | β_a/ρ_b, β_a and ρ_b those of Y_a with the later score and with Y₀ |

**Source**: the ratio of covariances is derived here from linear regression on U. Selection by a cut-off on Y₀: James
1973, Biometrics 29:121, in the form of Barnett, van der Pols & Dobson 2005, Int J Epidemiol 34:215, equations 1 and 2
(their published code was read), and for unequal SDs Khan & Olivier 2022 (in the documentation of the R package RTM).
The mean of several baselines is Gardner & Heady 1973, J Chronic Dis 26:781, by way of Barnett's equation 2. A second
baseline is the idea of Davis 1976, Am J Epidemiol 104:493; his text was not at hand, and the formula is derived here.
Ratios: Fieller 1954, J R Stat Soc B 16:175.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

__all__ = [
    "SELECTIONS",
    "Ratio",
    "beyond_cutoff",
    "carried",
    "correlation_error",
    "correlation_interval",
    "cutoff_distance",
    "expected_change",
    "fieller",
    "from_mean_of_baselines",
    "from_second_baseline",
    "inverse_mills",
    "share_kept",
    "tipping_share",
]

Array = NDArray[np.float64]

SELECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "score": "they came because of this very score, chance and error of the day included",
        "state": "they came because of how they truly were that day, which the score measures with error",
        "trait": "they came because of how they lastingly are",
        "crisis": "they came because of a crisis that is over, and forgotten by the score, at the later visit",
        "mean": "they came because of the mean of several scores, which is their score at baseline",
        "earlier": "they came because of an earlier score than the one at baseline, from which their change is counted",
    }
)
"""What a group may have been selected on."""


def share_kept(
    stability: ArrayLike,
    *,
    selection: str,
    reliability: ArrayLike = 1.0,
    between: ArrayLike | None = None,
    baselines: int = 1,
) -> Array:
    """κ, the share of the distance that remains, for a way of selection of `SELECTIONS`.

    `between` is the correlation of two baselines; for the mean of several it is the stability where left out, and κ is
    then Spearman and Brown's formula.

    >>> known = {"reliability": 0.90, "between": 0.80, "baselines": 2}
    >>> [round(float(share_kept(0.62, selection=name, **known)), 3) for name in SELECTIONS]
    [0.62, 0.689, 1.0, 0.0, 0.689, 0.775]
    """
    beta = np.asarray(stability, dtype=float)
    rho = beta if between is None else np.asarray(between, dtype=float)
    if selection == "score":
        return beta
    if selection == "state":
        return np.asarray(beta / np.asarray(reliability, dtype=float))
    if selection == "mean":
        return np.asarray(baselines * beta / (1 + (baselines - 1) * rho))
    if selection == "earlier":
        return np.asarray(beta / rho)
    return np.full_like(beta, 1.0 if selection == "trait" else 0.0)


def expected_change(distance: ArrayLike, share: ArrayLike, shift: ArrayLike = 0.0) -> Array:
    """(μ₁ − μ₀) − (1 − κ)(E[Y₀|sel] − μ₀), with `shift` = μ₁ − μ₀.

    >>> [round(float(expected_change(3.00 - 2.52, share)), 3) for share in (0.40, 0.40 * 0.76 / 0.94, 0.62, 1.0)]
    [-0.288, -0.325, -0.182, 0.0]
    """
    d, kappa, m = (np.asarray(value, dtype=float) for value in (distance, share, shift))
    return np.asarray(m - (1 - kappa) * d)


def tipping_share(distance: ArrayLike, change: ArrayLike, shift: ArrayLike = 0.0) -> Array:
    """The κ at which the expected change is the observed one: 1 + (D − (μ₁ − μ₀))/(E[Y₀|sel] − μ₀).

    >>> round(float(tipping_share(3.00 - 2.52, 2.53 - 3.00)), 2)
    0.02
    """
    d, D, m = (np.asarray(value, dtype=float) for value in (distance, change, shift))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 + (D - m) / d)


def carried(stability: ArrayLike, lag: float, gap: float, reliability: ArrayLike = 1.0) -> Array:
    """A stability over `lag` years carried to `gap` years: λ (β/λ)^(gap/lag), for β above 0.

    So it is where the true score is a first-order autoregressive process and λ the reliability of its measurement;
    λ = 1 where nothing is known, which lets β come near 1 over short gaps, as no score with error does. A lasting trait
    keeps stabilities over long gaps higher than this.

    >>> [round(float(carried(0.62, 5, gap, reliability)), 3) for gap, reliability in ((1, 1), (1, 0.9), (10, 0.9))]
    [0.909, 0.835, 0.427]
    """
    rel = np.asarray(reliability, dtype=float)
    return np.asarray(rel * (np.asarray(stability, dtype=float) / rel) ** (gap / lag))


def correlation_error(r: ArrayLike, n: ArrayLike) -> Array:
    """The standard error of a correlation, (1 − r²)/√(n − 3), which is Fisher's on the scale of r."""
    return np.asarray((1 - np.asarray(r, dtype=float) ** 2) / np.sqrt(np.asarray(n, dtype=float) - 3))


def correlation_interval(r: float, n: float, conf_level: float) -> tuple[float, float]:
    """Fisher's interval of a correlation, tanh(artanh r ± z/√(n − 3)).

    >>> low, high = correlation_interval(0.62, 293, 0.95)
    >>> round(low, 3), round(high, 3)
    (0.544, 0.686)
    """
    reach = special.ndtri((1 + conf_level) / 2) / np.sqrt(n - 3)
    z = np.arctanh(r)
    return float(np.tanh(z - reach)), float(np.tanh(z + reach))


# ---- selection by a cut-off ----------------------------------------------------------------------------------------


def inverse_mills(z: ArrayLike) -> Array:
    """φ(z)/(1 − Φ(z)), the mean of a standard normal score beyond z; exact in both tails.

    >>> round(float(inverse_mills(0.0)), 4), round(float(inverse_mills(40.0)), 3)
    (0.7979, 40.025)
    """
    return np.asarray(np.sqrt(2 / np.pi) / special.erfcx(np.asarray(z, dtype=float) / np.sqrt(2)))


def cutoff_distance(
    cutoff: ArrayLike, mean: ArrayLike, sd: ArrayLike, *, above: bool = True
) -> tuple[Array, Array, Array]:
    """How far from the mean those beyond a cut-off lie, σ φ(z)/(1 − Φ(z)) with z = (c − μ)/σ, and its derivatives by μ
    and by σ.

    Below a cut-off everything is mirrored. With h = φ/(1 − Φ) and h′ = h(h − z): ∂/∂μ = −h′, ∂/∂σ = h − z h′.
    """
    c, mu, sigma = (np.asarray(value, dtype=float) for value in (cutoff, mean, sd))
    sign = 1.0 if above else -1.0
    z = sign * (c - mu) / sigma
    h = inverse_mills(z)
    slope = h * (h - z)
    return np.asarray(sign * sigma * h), np.asarray(-slope), np.asarray(sign * (h - z * slope))


def beyond_cutoff(cutoff: ArrayLike, mean: ArrayLike, sd: ArrayLike, share: ArrayLike, *, above: bool = True) -> Array:
    """James 1973: the expected change of those whose own score lies beyond a cut-off, −(1 − κ) σ φ(z)/(1 − Φ(z)).

    With κ = ρ σ₁/σ₀ it is −(σ₀ − ρ σ₁) φ(z)/(1 − Φ(z)), for unequal SDs.

    >>> round(float(beyond_cutoff(40, 60, 15, 0.5, above=False)), 2)
    13.49
    """
    distance, _, _ = cutoff_distance(cutoff, mean, sd, above=above)
    return expected_change(distance, share)


def from_mean_of_baselines(
    cutoff: ArrayLike,
    mean: ArrayLike,
    sd: ArrayLike,
    r: ArrayLike,
    baselines: ArrayLike,
    *,
    above: bool = True,
) -> Array:
    """Gardner & Heady 1973: the expected change from the mean of m baselines, where that mean lies beyond the cut-off.

    With σ_b² = r σ² between persons, σ_w² = (1 − r) σ² within, τ² = σ_b² + σ_w²/m and z = (c − μ)/τ it is
    −(σ_w²/m)/τ · φ(z)/(1 − Φ(z)); m = 1 is James's. All occasions correlate alike.

    >>> [round(float(from_mean_of_baselines(3.5, 2.52, 0.92, 0.62, m)), 2) for m in (1, 2, 3)]
    [-0.55, -0.33, -0.23]
    """
    s, rho, m = (np.asarray(value, dtype=float) for value in (sd, r, baselines))
    within = (1 - rho) * s**2 / m
    tau = np.sqrt(rho * s**2 + within)
    return beyond_cutoff(cutoff, mean, tau, rho * s**2 / tau**2, above=above)


def from_second_baseline(
    cutoff: ArrayLike,
    mean: ArrayLike,
    sd: ArrayLike,
    r_baselines: ArrayLike,
    r_later: ArrayLike,
    *,
    above: bool = True,
) -> Array:
    """After Davis 1976: the expected change from a second baseline, of those whose first lay beyond the cut-off.

    It is −(ρ_ab − ρ_a1) σ φ(z)/(1 − Φ(z)), with ρ_ab the correlation of the two baselines and ρ_a1 that of the first
    with the later score: 0 where all occasions correlate alike.

    >>> float(from_second_baseline(3.5, 2.52, 0.92, 0.62, 0.62)) == 0
    True
    """
    distance, _, _ = cutoff_distance(cutoff, mean, sd, above=above)
    kept = np.asarray(r_later, dtype=float) - np.asarray(r_baselines, dtype=float)
    return np.asarray(kept * distance)


# ---- a ratio -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A ratio, its standard error by the delta method, and Fieller's limits: infinite where the set has no end."""

    estimate: float
    std_error: float
    conf_low: float
    conf_high: float


def fieller(above: float, below: float, covariance: ArrayLike, quantile: float) -> Ratio:
    """The ratio a/b of two estimates with their 2 × 2 covariance, and the set of ρ with |a − ρb| ≤ t · se(a − ρb).

    Where b is not clearly apart from 0 (b² ≤ t² V_b), that set is no interval: it is the whole line, or all but an
    interval. Both are told as −∞ to ∞.

    >>> found = fieller(0.01, 0.48, [[0.0040, 0.0023], [0.0023, 0.0056]], 1.96)
    >>> round(found.estimate, 2), round(found.conf_low, 2), round(found.conf_high, 2)
    (0.02, -0.29, 0.25)
    """
    V = np.asarray(covariance, dtype=float)
    if below == 0:
        return Ratio(estimate=np.nan, std_error=np.nan, conf_low=-np.inf, conf_high=np.inf)
    ratio = above / below
    error = np.sqrt(max(V[0, 0] - 2 * ratio * V[0, 1] + ratio**2 * V[1, 1], 0.0)) / abs(below)
    A, B, C = below**2 - quantile**2 * V[1, 1], above * below - quantile**2 * V[0, 1], above**2 - quantile**2 * V[0, 0]
    low, high = -np.inf, np.inf
    if A > 0:
        root = np.sqrt(max(B**2 - A * C, 0.0))
        low, high = (B - root) / A, (B + root) / A
    return Ratio(estimate=float(ratio), std_error=float(error), conf_low=float(low), conf_high=float(high))
