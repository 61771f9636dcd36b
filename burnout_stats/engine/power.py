"""Power and precision of tests that are not made yet: noncentral t, equivalence, and pairs of yes and no.

A planned test compares t = (d̂ − δ₀)/√v̂ with the quantiles of Student's t on ν degrees of freedom, where d̂ ~ N(δ, v)
and v̂ is estimated with ν df. With ncp = (δ − δ₀)/√v and r = √(E v̂/v), which is 1 where the variance is estimated
without bias,

    power = P(t_ν(ncp) > r c) [+ P(t_ν(ncp) < −r c), two-sided],    c = t_ν⁻¹(1 − α/2) or t_ν⁻¹(1 − α).

The half-width of the interval is c √v̂; its mean and the probability that it stays below a bound follow from ν v̂/E v̂ ~
χ²_ν.

**Source**: noncentral t as in R's power.t.test(strict = TRUE). Mean of √(χ²/ν): Johnson, Kotz & Balakrishnan 1994,
Continuous Univariate Distributions 1, equation 18.14. Planning for a width with assurance: Kupper & Hafner 1989, Am
Stat 43:101. Two one-sided tests: Schuirmann 1987, J Pharmacokinet Biopharm 15:657; their exact power: Phillips 1990,
same journal 18:137, who writes as a difference of two of Owen's Q functions (1965, Biometrika 52:437) the integral that
is taken here. McNemar: Duffy 1984, Biometrics 40:1005 (exact); Miettinen 1968, Biometrics 24:339; Connor 1987,
Biometrics 43:207.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from .proportions import newcombe_paired, wilson

__all__ = [
    "ancova_variance",
    "binomial_weights",
    "change_variance",
    "critical",
    "equivalence_power",
    "expected_half_width",
    "half_width_assurance",
    "mcnemar_connor",
    "mcnemar_exact",
    "mcnemar_miettinen",
    "paired_proportion_half_width",
    "proportion_half_width",
    "smallest",
    "t_power",
    "two_proportions_power",
]

Array = NDArray[np.float64]
Alternative = Literal["two-sided", "less", "greater"]
NODES = 96
"""Of Gauss and Legendre in an integral over the standard deviation: 48 and 192 agree to 1e-10 at df 2 and above."""
NEGLIGIBLE = 1e-12
"""Probability in each tail of a binomial count that is left out of a sum."""


def critical(df: ArrayLike, alpha: float, alternative: Alternative = "two-sided") -> Array:
    """c, the quantile of Student's t (of the normal where df is infinite).

    >>> [round(float(c), 4) for c in critical([20, np.inf], 0.05)]
    [2.086, 1.96]
    """
    nu: Array = np.asarray(df, dtype=float)
    p = 1 - alpha / 2 if alternative == "two-sided" else 1 - alpha
    finite = np.isfinite(nu)
    return np.where(finite, special.stdtrit(np.where(finite, nu, 1.0), p), np.where(nu > 0, special.ndtri(p), np.nan))


def _spread_of_sd(df: Array, end: ArrayLike = np.inf) -> tuple[Array, Array]:
    """Points u (..., NODES) and weights that integrate over the density of U = √(χ²_ν/ν), up to `end`."""
    nu = df[..., None]
    reach = 12 / np.sqrt(2 * nu)
    first = np.maximum(1 - reach, 0.0)
    half = np.maximum(np.minimum(np.asarray(end, dtype=float)[..., None], 1 + reach) - first, 0.0) / 2
    x, w = np.polynomial.legendre.leggauss(NODES)
    u = np.maximum(first + half * (1 + x), 1e-300)
    log = np.log(2.0) + (nu / 2) * np.log(nu / 2) - special.gammaln(nu / 2) + (nu - 1) * np.log(u) - nu * u**2 / 2
    return u, half * w * np.exp(log)


def _above(c: Array, df: Array, ncp: Array) -> Array:
    """P(t_ν(ncp) > c), as P(t_ν(−ncp) < −c): a small tail keeps its digits. Far out scipy has no answer, and the
    integral of Φ(ncp − c u) over the density of U is taken.
    """
    finite = np.isfinite(df)
    nu = np.where(finite, df, 1.0)
    t: Array = np.asarray(special.nctdtr(nu, -ncp, -c))
    if (lost := np.isnan(t) & ~np.isnan(ncp)).any():
        u, weight = _spread_of_sd(nu)
        t = np.where(lost, (special.ndtr(ncp[..., None] - c[..., None] * u) * weight).sum(-1), t)
    return np.where(finite, t, np.where(np.isnan(df), np.nan, special.ndtr(ncp - c)))


def t_power(
    ncp: ArrayLike,
    df: ArrayLike,
    *,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
    ratio: ArrayLike = 1.0,
) -> Array:
    """The power of a t test; `ratio` is √(E v̂/v).

    >>> round(
    ...     float(t_power(0.5 * np.sqrt(30), 29)), 6
    ... )  # R: power.t.test(30, 0.5, 1, type = "one.sample", strict = TRUE)
    0.753965
    """
    delta, nu, r = (np.asarray(value, dtype=float) for value in np.broadcast_arrays(ncp, df, ratio))
    c = critical(nu, alpha, alternative) * r
    if alternative == "less":
        return _above(c, nu, -delta)
    above = _above(c, nu, delta)
    return above if alternative == "greater" else above + _above(c, nu, -delta)


def expected_half_width(std_error: ArrayLike, df: ArrayLike, *, conf_level: float = 0.95) -> Array:
    """E[c √v̂] = c √(E v̂) · √(2/ν) Γ((ν + 1)/2)/Γ(ν/2), with std_error = √(E v̂).

    >>> round(float(expected_half_width(1 / np.sqrt(10), 9)), 4)
    0.6958
    """
    se, nu = (np.asarray(value, dtype=float) for value in np.broadcast_arrays(std_error, df))
    finite = np.isfinite(nu)
    safe = np.where(finite, nu, 1.0)
    mean = np.sqrt(2 / safe) * np.exp(special.gammaln((safe + 1) / 2) - special.gammaln(safe / 2))
    return np.asarray(critical(nu, 1 - conf_level) * se * np.where(finite, mean, 1.0))


def half_width_assurance(
    half_width: ArrayLike, std_error: ArrayLike, df: ArrayLike, *, conf_level: float = 0.95
) -> Array:
    """P(c √v̂ ≤ half_width) = P(χ²_ν ≤ ν w²/(c² E v̂)).

    >>> round(float(half_width_assurance(0.75, 1 / np.sqrt(10), 9)), 3)
    0.641
    """
    w, se, nu = (np.asarray(value, dtype=float) for value in np.broadcast_arrays(half_width, std_error, df))
    room = (w / (critical(nu, 1 - conf_level) * se)) ** 2
    finite = np.isfinite(nu)
    safe = np.where(finite, nu, 1.0)
    chance: Array = np.where(finite, special.gammainc(safe / 2, safe * room / 2), (room >= 1).astype(float))
    return chance


# ---- two arms, before and after -------------------------------------------------------------------------------------


def change_variance(sd_before: ArrayLike, sd_after: ArrayLike, correlation: ArrayLike) -> Array:
    """The variance between persons of the change, σ₀² + σ₁² − 2ρσ₀σ₁.

    **Source**: Frison & Pocock 1992, Stat Med 11:1685 (with equal SDs 2(1 − ρ)σ²).
    """
    a, b, r = (np.asarray(value, dtype=float) for value in (sd_before, sd_after, correlation))
    return np.asarray(a**2 + b**2 - 2 * r * a * b)


def ancova_variance(sd_after: ArrayLike, correlation: ArrayLike, n: ArrayLike) -> Array:
    """The variance between persons that is left where the baseline is a covariate, (1 − ρ²)σ₁², times (n − 3)/(n − 4)
    for baselines that differ between n persons in two arms by chance.

    Given the baselines, the variance of the difference is σ₁²(1 − ρ²)(1/n₁ + 1/n₂ + (x̄₁ − x̄₀)²/SS_w). For normal
    baselines the last term has the mean (1/n₁ + 1/n₂)/(n − 4), since 1/χ²_(n−2) has mean 1/(n − 4).

    **Source**: Borm, Fransen & Lemmens 2007, J Clin Epidemiol 60:1234, for (1 − ρ²); the factor is derived here.
    """
    b, r, n = (np.asarray(value, dtype=float) for value in (sd_after, correlation, n))
    return np.asarray((1 - r**2) * b**2 * (n - 3) / (n - 4))


# ---- equivalence ----------------------------------------------------------------------------------------------------


def equivalence_power(
    difference: ArrayLike, std_error: ArrayLike, df: ArrayLike, low: ArrayLike, high: ArrayLike, *, alpha: float = 0.05
) -> Array:
    """The probability that the two one-sided t tests at `alpha` put the difference between both margins.

    With U = √(χ²_ν/ν), both tests reject where low + c s U < d̂ < high − c s U, so the power is

        ∫ [Φ((high − c s u − δ)/s) − Φ((low + c s u − δ)/s)]₊ f_U(u) du

    up to u = (high − low)/(2 c s), taken by Gauss-Legendre quadrature.

    >>> round(float(equivalence_power(0.1, 1 / np.sqrt(30), 29, -0.6, 0.6)), 4)
    0.8303
    """
    d, s, nu, lo, hi = (np.asarray(v, dtype=float) for v in np.broadcast_arrays(difference, std_error, df, low, high))
    c = critical(nu, alpha, "greater")
    finite = np.isfinite(nu)

    def inside(u: Array, d: Array, s: Array, c: Array, lo: Array, hi: Array) -> Array:
        gap = special.ndtr((hi - c * s * u - d) / s) - special.ndtr((lo + c * s * u - d) / s)
        return np.asarray(np.maximum(gap, 0.0))

    u, weight = _spread_of_sd(np.where(finite, nu, 1.0), (hi - lo) / (2 * c * s))
    power: Array = (inside(u, *(v[..., None] for v in (d, s, c, lo, hi))) * weight).sum(-1)
    return np.where(finite, power, inside(np.ones_like(d), d, s, c, lo, hi))


# ---- yes and no ----------------------------------------------------------------------------------------------------


def binomial_weights(n: int, p: float) -> tuple[NDArray[np.intp], Array]:
    """The counts that are not negligible, and their probabilities."""
    k = np.arange(n + 1)
    log = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    weights = np.exp(log + special.xlogy(k, p) + special.xlog1py(n - k, -p))
    total = np.cumsum(weights)
    kept = (total > NEGLIGIBLE) & (total - weights < total[-1] - NEGLIGIBLE)
    return k[kept], weights[kept]


def mcnemar_exact(
    p_up: float,
    p_down: float,
    n: int,
    *,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
    mid_p: bool = False,
) -> float:
    """The power of McNemar's exact test of n pairs: that of the binomial test given m discordant pairs, averaged over
    m ~ Bin(n, p_up + p_down).

    `p_up` and `p_down` are the probabilities of a pair that turns to yes, and to no; "greater" is more up than down.
    The two-sided p is twice the smaller tail. With `mid_p`, half of the probability of the count itself is left out.

    >>> round(mcnemar_exact(0.05, 0.20, 80), 4)
    0.7368
    """
    psi = p_up + p_down
    m, weight = binomial_weights(n, psi)
    share = p_up / psi if psi > 0 else 0.5
    level = alpha / 2 if alternative == "two-sided" else alpha
    most = _rejects_up_to(m, level, mid_p)
    low = np.where(most >= 0, special.bdtr(np.maximum(most, 0).astype(float), m, share), 0.0)
    high = np.where(most >= 0, special.bdtr(np.maximum(most, 0).astype(float), m, 1 - share), 0.0)
    parts = {"less": low, "greater": high, "two-sided": low + high}
    return float((weight * parts[alternative]).sum())


def _rejects_up_to(m: NDArray[np.intp], level: float, mid_p: bool) -> NDArray[np.intp]:
    """The largest count k < m/2 whose lower tail under a half is at most `level`, for each m; −1 where none is."""

    def tail(k: NDArray[np.intp]) -> Array:
        at = np.maximum(k, 0)
        below = special.bdtr(at.astype(float), m, 0.5)
        if mid_p:
            own = np.exp(special.gammaln(m + 1) - special.gammaln(at + 1) - special.gammaln(m - at + 1) - m * np.log(2))
            below = below - own / 2
        return np.where(k < 0, 0.0, np.where(2 * k >= m, 1.0, below))

    k = np.full(m.shape, -1, dtype=np.intp)
    step = 1 << max(int(m.max(initial=1)).bit_length(), 1)
    while step:
        further = k + step
        k = np.where(tail(np.minimum(further, m)) <= level, np.minimum(further, m), k)
        step //= 2
    return k


def mcnemar_miettinen(
    p_up: ArrayLike, p_down: ArrayLike, n: ArrayLike, *, alpha: float = 0.05, alternative: Alternative = "two-sided"
) -> Array:
    """Miettinen 1968, with the number of discordant pairs averaged over to second order: with ψ = p_up + p_down and δ =
    p_up − p_down, √n |δ| = z_(1−α/2) √ψ + z_power √(ψ − δ²(3 + ψ)/(4ψ)).

    >>> round(float(mcnemar_miettinen(0.05, 0.20, 80)), 4)
    0.8051
    """
    up, down, n = (np.asarray(value, dtype=float) for value in (p_up, p_down, n))
    psi, delta = up + down, up - down
    return _discordant(delta, psi, psi - delta**2 * (3 + psi) / (4 * psi), n, alpha, alternative)


def mcnemar_connor(
    p_up: ArrayLike, p_down: ArrayLike, n: ArrayLike, *, alpha: float = 0.05, alternative: Alternative = "two-sided"
) -> Array:
    """Connor 1987: √n |δ| = z_(1−α/2) √ψ + z_power √(ψ − δ²), a little conservative.

    >>> round(float(mcnemar_connor(0.05, 0.20, 80)), 4)
    0.7758
    """
    up, down, n = (np.asarray(value, dtype=float) for value in (p_up, p_down, n))
    psi, delta = up + down, up - down
    return _discordant(delta, psi, psi - delta**2, n, alpha, alternative)


def _discordant(delta: Array, psi: Array, variance: Array, n: Array, alpha: float, alternative: Alternative) -> Array:
    c = critical(np.inf, alpha, alternative)
    toward = {"two-sided": np.abs(delta), "greater": delta, "less": -delta}[alternative]
    return np.asarray(special.ndtr((np.sqrt(n) * toward - c * np.sqrt(psi)) / np.sqrt(variance)))


def two_proportions_power(
    p_1: ArrayLike,
    p_2: ArrayLike,
    n_1: ArrayLike,
    n_2: ArrayLike,
    *,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
) -> Array:
    """The normal power of the pooled z test (chi-squared without correction) of two independent proportions.

    **Source**: Fleiss, Levin & Paik 2003, Statistical Methods for Rates and Proportions, section 4.2, for any ratio of
    the group sizes; for equal ones as in R's power.prop.test(strict = TRUE).

    >>> round(float(two_proportions_power(0.5, 0.75, 50, 50)), 4)
    0.7402
    """
    a, b, n, m = (np.asarray(value, dtype=float) for value in (p_1, p_2, n_1, n_2))
    pooled = (n * a + m * b) / (n + m)
    null = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    own = np.sqrt(a * (1 - a) / n + b * (1 - b) / m)
    c = critical(np.inf, alpha, alternative)
    greater, less = special.ndtr((b - a - c * null) / own), special.ndtr((a - b - c * null) / own)
    return np.asarray({"greater": greater, "less": less, "two-sided": greater + less}[alternative])


def proportion_half_width(p: float, n: int, *, conf_level: float = 0.95) -> float:
    """The mean half-width of Wilson's interval over Bin(n, p).

    >>> round(proportion_half_width(0.35, 200), 4)
    0.0654
    """
    k, weight = binomial_weights(n, p)
    low, high = wilson(k, n, conf_level=conf_level)
    return float((weight * (high - low)).sum() / weight.sum() / 2)


def paired_proportion_half_width(
    p_both: float, p_down: float, p_up: float, n: int, *, conf_level: float = 0.95
) -> float:
    """Half of Newcombe's interval (method 10) of the difference of paired proportions, at the expected fourfold table
    of n pairs; not averaged over tables.

    >>> round(paired_proportion_half_width(0.05, 0.30, 0.01, 200), 4)
    0.067
    """
    cells = (n * np.array([p_both, p_down, p_up, 1 - p_both - p_down - p_up])).tolist()
    low, high = newcombe_paired(*cells, conf_level=conf_level)
    return float((high - low) / 2)


# ---- the number of persons -------------------------------------------------------------------------------------------


def smallest(reached: Callable[[int], bool], *, lowest: int, highest: int, stays: int = 0) -> int | None:
    """The smallest whole number at which `reached` is true, and true for the `stays` numbers after it; None where even
    the highest does not reach it.

    `reached` is taken to be false below some number and true above; where it goes to and fro (exact tests of counts),
    `stays` carries the answer past the last fall within that reach.

    >>> smallest(lambda n: n * n >= 1000, lowest=2, highest=10**6)
    32
    """
    low, high = lowest - 1, lowest
    while not reached(high):
        if high >= highest:
            return None
        low, high = high, min(2 * high, highest)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    run = 0
    n = high
    while run < stays:
        n += 1
        run, high = (run + 1, high) if reached(n) else (0, n + 1)
    return high
