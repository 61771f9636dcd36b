"""Distributions of one score given its linear predictor η, with the derivatives that a mixed model needs.

A family has a first predictor η, which holds the random effects, and further ones ζ_s without (the logarithm of a size,
the logit of a share of extra zeros, thresholds). For every score it gives

    ℓ, and in η: ℓ₁ = ∂ℓ/∂η, ℓ₂, ℓ₃;   for each ζ_s: ℓ_s = ∂ℓ/∂ζ_s, ℓ₁ₛ = ∂²ℓ/∂η∂ζ_s, ℓ₂ₛ = ∂³ℓ/∂η²∂ζ_s.

All arrays have the shape of η. `order` says how far to go: 1 for ℓ, ℓ₁, ℓ_s; 3 for everything.

**Source**: McCullagh & Nelder 1989, Generalized Linear Models (2nd ed.), chapters 4 to 6; Hilbe 2011, Negative Binomial
Regression (2nd ed.), section 8.2 (NB2: variance μ + μ²/r); Lambert 1992, Technometrics 34:1 (extra zeros); Mullahy
1986, J Econometrics 33:341 (hurdle); McCullagh 1980, JRSS B 42:109 (cumulative logits).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln, log_expit, log_ndtr, psi

__all__ = ["FAMILIES", "Derivatives", "Family", "truncated", "zero_inflated"]

Array = NDArray[np.float64]
STIRLING = 1e4
"""A size from which on Stirling's series is used: its first term left out is below 1e-23."""
ALL = 1e-90
"""A share of positive scores below which a truncated distribution is that of a share of this."""
Further: TypeAlias = "tuple[Array, ...]"


@dataclass(frozen=True, slots=True, eq=False)
class Derivatives:
    """ℓ and its derivatives; the second and third ones are empty tuples or None where they were not asked for.

    `first` is ∂ℓ/∂η, `own` holds ∂ℓ/∂ζ_s; `second`, `third` go on in η, `first_own` and `second_own` are those of
    `first` and `second` in ζ_s.
    """

    value: Array
    first: Array
    own: tuple[Array, ...] = ()
    second: Array | None = None
    third: Array | None = None
    first_own: tuple[Array, ...] = ()
    second_own: tuple[Array, ...] = ()


Density: TypeAlias = "Callable[[Array, Array, Further, int], Derivatives]"


@dataclass(frozen=True, slots=True)
class Family:
    """A distribution: its name, the names of its further predictors, its log-density, and its mean given η and ζ.

    `density(y, eta, further, order)`; `mean(eta, further)` is the expected score (for cumulative logits it is not
    defined).
    """

    name: str
    link: str
    density: Density
    mean: Callable[[Array, Further], Array]
    further: tuple[str, ...] = ()


# ---- events: y is 0 or 1 ---------------------------------------------------------------------------------------------


def _logit(y: Array, eta: Array, _: Further, order: int) -> Derivatives:
    tail = np.exp(-np.abs(eta))
    up = eta > 0
    mu = np.where(up, 1.0, tail) / (1 + tail)
    value = y * eta - np.where(up, eta, 0.0) - np.log(1 + tail)  # near 0 and 1 the absolute error is what counts
    if order < 2:
        return Derivatives(value, y - mu)
    v = mu * (1 - mu)
    return Derivatives(value, y - mu, (), -v, -v * (1 - 2 * mu))


def _probit(y: Array, eta: Array, _: Further, order: int) -> Derivatives:
    s = 2 * y - 1
    t = s * eta
    value = log_ndtr(t)
    ratio = np.exp(-0.5 * t * t - 0.5 * np.log(2 * np.pi) - value)  # φ / Φ
    if order < 2:
        return Derivatives(value, s * ratio)
    second = -ratio * (ratio + t)
    third = s * (ratio * (t + ratio) * (2 * ratio + t) - ratio)
    return Derivatives(value, s * ratio, (), second, third)


def _standard_normal(eta: Array, _: Further) -> Array:
    return np.asarray(np.exp(log_ndtr(eta)))


# ---- counts ----------------------------------------------------------------------------------------------------------


def _poisson(y: Array, eta: Array, _: Further, order: int) -> Derivatives:
    mu = np.exp(eta)
    value = y * eta - mu - gammaln(y + 1)
    if order < 2:
        return Derivatives(value, y - mu)
    return Derivatives(value, y - mu, (), -mu, -mu)


def _negative_binomial(y: Array, eta: Array, further: Further, order: int) -> Derivatives:
    """With m = μ / (r + μ), ℓ = log Γ(y + r) − log Γ(r) − log y! + r log(1 − m) + y log m."""
    r = np.exp(further[0])
    m = expit(eta - further[0])
    surplus = np.logaddexp(0.0, eta - further[0])  # log(1 + μ / r)
    rising, slope = _rising(y, r)  # less y log r
    value = rising - gammaln(y + 1) - r * surplus + y * (eta - surplus)
    first = y - (y + r) * m
    own = (r * (slope - surplus) + r * m - y * (1 - m),)
    if order < 2:
        return Derivatives(value, first, own)
    v = m * (1 - m)
    first_own = (-r * m + (y + r) * v,)
    second_own = (-r * v + (y + r) * (1 - 2 * m) * v,)
    return Derivatives(value, first, own, -(y + r) * v, -(y + r) * v * (1 - 2 * m), first_own, second_own)


def _rising(y: Array, r: Array) -> tuple[Array, Array]:
    """log Γ(y + r) − log Γ(r) − y log r and ψ(y + r) − ψ(r); for large r by Stirling's series, where the difference of
    two large numbers would lose its digits (Abramowitz & Stegun 1964, 6.1.41 and 6.3.18).
    """
    x = y + r
    far = r > STIRLING
    near = np.where(far, 1.0, r)
    value = gammaln(y + near) - gammaln(near) - y * np.log(near)
    slope = psi(y + near) - psi(near)
    if not far.any():
        return value, slope
    one, grown = 1 / x - 1 / r, np.log1p(y / r)
    series = (x - 0.5) * grown - y + one / 12 - (1 / x**3 - 1 / r**3) / 360
    turn = grown - 0.5 * one - (1 / x**2 - 1 / r**2) / 12 + (1 / x**4 - 1 / r**4) / 120
    return np.where(far, series, value), np.where(far, turn, slope)


def _exponential(eta: Array, _: Further) -> Array:
    return np.exp(eta)


# ---- ordered categories: the thresholds above and below y come as two further predictors -----------------------------


def _cumulative_logit(_: Array, eta: Array, further: Further, order: int) -> Derivatives:
    """P(y) = F(a) − F(b), a and b the thresholds above and below y less η; infinite ones stand at the ends.

    F(a) − F(b) = F(a) F(−b) (1 − e^{−(a − b)}), so that nothing cancels.
    """
    upper, lower = further
    a, b = upper - eta, lower - eta
    gap = np.where(np.isinf(upper) | np.isinf(lower), np.inf, upper - lower)
    above, below = expit(a), expit(b)
    value = log_expit(a) + log_expit(-b) + np.log1p(-np.exp(-gap))
    with np.errstate(over="ignore"):
        tied = 1 / np.expm1(gap)
    own = (1 - above + tied, -below - tied)
    first = above + below - 1
    if order < 2:
        return Derivatives(value, first, own)
    va, vb = above * (1 - above), below * (1 - below)
    sa, sb = va * (1 - 2 * above), vb * (1 - 2 * below)
    return Derivatives(value, first, own, -va - vb, sa + sb, (va, vb), (-sa, -sb))


def _no_mean(_eta: Array, _: Further) -> Array:
    raise NotImplementedError("ordered categories have no mean")


# ---- without zeros, and with more of them ----------------------------------------------------------------------------


def truncated(family: Family) -> Family:
    """The same distribution given that the score is not 0: the positive part of a hurdle."""

    def density(y: Array, eta: Array, further: Further, order: int) -> Derivatives:
        plain = family.density(y, eta, further, order)
        zero = family.density(np.zeros_like(y), eta, further, order)
        positive = np.maximum(-zero.value, ALL)
        o = 1 / np.expm1(positive)  # f(0) / (1 − f(0))
        added = _through(zero, o, o * (1 + o), o * (1 + o) * (1 + 2 * o), order)
        return _sum(plain, added, -np.log(-np.expm1(-positive)))

    def mean(eta: Array, further: Further) -> Array:
        zero = family.density(np.zeros_like(eta), eta, further, 1).value
        return family.mean(eta, further) / -np.expm1(zero)

    return Family(f"truncated {family.name}", family.link, density, mean, family.further)


def zero_inflated(family: Family) -> Family:
    """The same distribution mixed with a share π of zeros; logit π is its last further predictor."""

    def density(y: Array, eta: Array, further: Further, order: int) -> Derivatives:
        *inner, share = further
        plain = family.density(y, eta, tuple(inner), order)
        zero = family.density(np.zeros_like(y), eta, tuple(inner), order)
        is_zero = y == 0
        p = expit(zero.value - share)
        v = p * (1 - p)
        mixed = _through(zero, p, v, v * (1 - 2 * p), order)
        value = np.where(is_zero, np.logaddexp(share, zero.value), plain.value) - np.logaddexp(0, share)

        def chosen(of_zero: Array | None, otherwise: Array | None) -> Array:
            assert of_zero is not None
            assert otherwise is not None
            return np.where(is_zero, of_zero, otherwise)

        own = tuple(map(chosen, mixed.own, plain.own))
        own = (*own, np.where(is_zero, 1 - p, 0.0) - expit(share))
        first = chosen(mixed.first, plain.first)
        if order < 2:
            return Derivatives(value, first, own)
        g1, g2 = zero.first, zero.second
        assert g2 is not None
        return Derivatives(
            value,
            first,
            own,
            chosen(mixed.second, plain.second),
            chosen(mixed.third, plain.third),
            (*map(chosen, mixed.first_own, plain.first_own), np.where(is_zero, -v * g1, 0.0)),
            (
                *map(chosen, mixed.second_own, plain.second_own),
                np.where(is_zero, -v * g2 - v * (1 - 2 * p) * g1**2, 0.0),
            ),
        )

    def mean(eta: Array, further: Further) -> Array:
        return np.asarray(family.mean(eta, further[:-1]) * expit(-further[-1]))

    return Family(f"zero-inflated {family.name}", family.link, density, mean, (*family.further, "zero_inflation"))


def _through(g: Derivatives, f1: Array, f2: Array, f3: Array, order: int) -> Derivatives:
    """The derivatives of f(g) from f', f'' and f''' at g (Faà di Bruno); its value is left as that of g."""
    first = f1 * g.first
    own = tuple(f1 * gs for gs in g.own)
    if order < 2:
        return Derivatives(g.value, first, own)
    assert g.second is not None
    assert g.third is not None
    second = f1 * g.second + f2 * g.first**2
    third = f1 * g.third + 3 * f2 * g.first * g.second + f3 * g.first**3
    first_own = tuple(f1 * g1s + f2 * g.first * gs for g1s, gs in zip(g.first_own, g.own, strict=True))
    second_own = tuple(
        f1 * g2s + f2 * (gs * g.second + 2 * g.first * g1s) + f3 * g.first**2 * gs
        for g2s, g1s, gs in zip(g.second_own, g.first_own, g.own, strict=True)
    )
    return Derivatives(g.value, first, own, second, third, first_own, second_own)


def _sum(a: Derivatives, b: Derivatives, value: Array) -> Derivatives:
    """The derivatives of a sum, whose second value is given."""

    def both(x: tuple[Array, ...], y: tuple[Array, ...]) -> tuple[Array, ...]:
        return tuple(p + q for p, q in zip(x, y, strict=True))

    if a.second is None or b.second is None or a.third is None or b.third is None:
        return Derivatives(a.value + value, a.first + b.first, both(a.own, b.own))
    return Derivatives(
        a.value + value,
        a.first + b.first,
        both(a.own, b.own),
        a.second + b.second,
        a.third + b.third,
        both(a.first_own, b.first_own),
        both(a.second_own, b.second_own),
    )


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "binomial/logit": Family("binomial", "logit", _logit, lambda eta, _: np.asarray(expit(eta))),
        "binomial/probit": Family("binomial", "probit", _probit, _standard_normal),
        "poisson/log": Family("Poisson", "log", _poisson, _exponential),
        "negative_binomial/log": Family("negative binomial", "log", _negative_binomial, _exponential, ("log_size",)),
        "ordinal/logit": Family("ordinal", "logit", _cumulative_logit, _no_mean, ("upper", "lower")),
    }
)
"""The families by name and link."""
