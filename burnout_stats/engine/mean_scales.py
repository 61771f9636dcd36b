"""Means of generalized models on the scale of the scores, for a typical subject and averaged over random effects.

With h(η, γ) the mean of a score given its linear predictor η and the further parameters γ, and the random part of η
normal with variance v at a cell, the mean over subjects is

    m(η, v, γ) = ∫ h(η + √v ε, γ) φ(ε) dε,

with h itself where v = 0. The random part has one dimension at every cell, however many random effects there are, so
one integral does; and its derivatives need no further one of another kind:

    ∂m/∂η = E h'(η + √v ε),   ∂m/∂v = ½ E h''(η + √v ε),   ∂m/∂γ = E ∂h/∂γ.

The second holds at v = 0 too, where the derivative by √v would not exist (the normal density solves the heat equation).
The integral is a sum over equally spaced nodes (the trapezoidal rule): for an analytic integrand against the normal
density its error falls geometrically with the distance between nodes, and does not grow with v as that of a rule with
few nodes does.

**Source**: Zeger, Liang & Albert 1988, Biometrics 44:1049 (population-averaged means of random-effects models);
Hedeker, du Toit, Demirtas & Gibbons 2018, Biometrics 74:354 (the integral by quadrature, and its standard error by the
delta method); Price 1958, IRE Trans Inf Theory 4:69 (derivative by the variance); Trefethen & Weideman 2014, SIAM Rev
56:385, section 5 (the rule).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_ndtr

from .families import FAMILIES, Family

__all__ = [
    "FAR",
    "SPACING",
    "Jet",
    "Mean",
    "MeanOfScores",
    "attenuated",
    "averaged",
    "mean_of",
    "probability_at_least",
    "probability_of",
]

Array = NDArray[np.float64]

FAR, SPACING = 13.0, 0.025
"""How far the nodes reach, in standard deviations, and the distance between them."""
LOGISTIC_TO_NORMAL = 16 * np.sqrt(3) / (15 * np.pi)
"""c of the attenuation of a logistic mean."""


@dataclass(frozen=True, slots=True, eq=False)
class Jet:
    """A mean with its first two derivatives by η, and its derivatives by γ in the last axis."""

    value: Array
    first: Array
    second: Array
    own: Array


Mean: TypeAlias = Callable[[Array, Array], Jet]
"""h of η (any shape) and γ (g,)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeanOfScores:
    """m at each cell, and its derivatives by η (m,), the variance v (m,) and γ (m × g)."""

    value: Array
    of_eta: Array
    of_variance: Array
    of_gamma: Array


def averaged(mean: Mean, eta: Array, variance: Array, gamma: Array) -> MeanOfScores:
    """E h(η + √v ε, γ) at each cell, over a standard normal ε, with its derivatives.

    >>> at = averaged(MEANS["binomial/logit"], np.array([0.0, 1.0]), np.array([4.0, 0.0]), np.zeros(0))
    >>> np.round(at.value, 6).tolist()
    [0.5, 0.731059]
    """
    nodes = np.arange(-FAR, FAR + SPACING / 2, SPACING)
    weights = np.exp(-0.5 * nodes**2)
    weights /= weights.sum()
    with np.errstate(over="ignore"):
        found = mean(eta[:, None] + np.sqrt(variance)[:, None] * nodes, gamma)
    return MeanOfScores(
        value=found.value @ weights,
        of_eta=found.first @ weights,
        of_variance=0.5 * found.second @ weights,
        of_gamma=np.einsum("mkg,k->mg", found.own, weights),
    )


def attenuated(eta: Array, variance: Array) -> Array:
    """The linear predictor of the average logistic probability, nearly: η / √(1 + c² v), c = 16√3 / (15π).

    A check and an explanation, not what is reported: the integral is.

    **Source**: Zeger, Liang & Albert 1988, Biometrics 44:1049, section 2.

    >>> round(float(attenuated(np.array([2.0]), np.array([4.0]))[0]), 3)
    1.295
    """
    return np.asarray(eta / np.sqrt(1 + LOGISTIC_TO_NORMAL**2 * variance))


# ---- means of one score ----------------------------------------------------------------------------------------------


def _nothing(eta: Array) -> Array:
    return np.zeros((*eta.shape, 0))


def _logistic(eta: Array, _: Array) -> Jet:
    p = expit(eta)
    v = p * (1 - p)
    return Jet(p, v, v * (1 - 2 * p), _nothing(eta))


def _normal(eta: Array, _: Array) -> Jet:
    density = np.exp(-0.5 * eta**2) / np.sqrt(2 * np.pi)
    return Jet(np.exp(log_ndtr(eta)), density, -eta * density, _nothing(eta))


def _exponential(eta: Array, gamma: Array) -> Jet:
    mu = np.exp(eta)
    return Jet(mu, mu, mu, np.zeros((*eta.shape, len(gamma))))


MEANS: Mapping[str, Mean] = MappingProxyType(
    {
        "binomial/logit": _logistic,
        "binomial/probit": _normal,
        "poisson/log": _exponential,
        "negative_binomial/log": _exponential,
    }
)
"""The mean of a score by family and link."""


def mean_of(name: str, zeros: str | None = None) -> Mean:
    """The mean of a score, with extra zeros ("inflated") or given that it is above 0 ("none")."""
    plain = MEANS[name]
    if zeros is None:
        return plain
    return _with_extra_zeros(plain) if zeros == "inflated" else _above_zero(plain, FAMILIES[name])


def _with_extra_zeros(plain: Mean) -> Mean:
    """(1 − π) h, the logit of π the last of γ."""

    def mean(eta: Array, gamma: Array) -> Jet:
        found = plain(eta, gamma)
        p = float(expit(gamma[-1]))
        own = (1 - p) * found.own
        own[..., -1] = -p * (1 - p) * found.value
        return Jet((1 - p) * found.value, (1 - p) * found.first, (1 - p) * found.second, own)

    return mean


def _above_zero(plain: Mean, family: Family) -> Mean:
    """h / (1 − f(0)), by the logarithm: ∂ log m = ∂ log h + o ∂ log f(0), with o = f(0) / (1 − f(0))."""

    def mean(eta: Array, gamma: Array) -> Jet:
        found = plain(eta, gamma)
        further = tuple(np.full_like(eta, value) for value in gamma)
        zero = family.density(np.zeros_like(eta), eta, further, 3)
        assert zero.second is not None
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            value = found.value / -np.expm1(zero.value)
            odds = 1 / np.expm1(-zero.value)
            first = 1 + odds * zero.first
            second = odds * zero.second + odds * (1 + odds) * zero.first**2
        # f(0) → 1 far below: the mean of a score above 0 is then 1, whatever η is
        flat = np.exp(eta) < 1e-9
        value = np.where(flat, 1.0, value)
        first, second = np.where(flat, 0.0, first), np.where(flat, 0.0, second)
        own = np.zeros((*eta.shape, len(gamma)))
        for s, part in enumerate(zero.own):
            with np.errstate(over="ignore", invalid="ignore"):
                own[..., s] = np.where(flat, 0.0, value * odds * part)
        return Jet(value, value * first, value * (second + first**2), own)

    return mean


def probability_at_least(k: int) -> Mean:
    """P(y ≥ k) = F(η − τ_k) of ordered categories 0, 1, ..., with γ the thresholds τ_1, τ_2, ...; k ≥ 1."""

    def mean(eta: Array, gamma: Array) -> Jet:
        p = expit(eta - gamma[k - 1])
        v = p * (1 - p)
        own = np.zeros((*eta.shape, len(gamma)))
        own[..., k - 1] = -v
        return Jet(p, v, v * (1 - 2 * p), own)

    return mean


def probability_of(k: int, n_categories: int) -> Mean:
    """P(y = k) = P(y ≥ k) − P(y ≥ k + 1)."""

    def mean(eta: Array, gamma: Array) -> Jet:
        parts = [probability_at_least(j)(eta, gamma) if 0 < j < n_categories else None for j in (k, k + 1)]
        value = np.full_like(eta, 1.0 if k == 0 else 0.0)
        found = Jet(value, np.zeros_like(eta), np.zeros_like(eta), np.zeros((*eta.shape, len(gamma))))
        for sign, part in zip((1, -1), parts, strict=True):
            if part is not None:
                found = Jet(
                    found.value + sign * part.value,
                    found.first + sign * part.first,
                    found.second + sign * part.second,
                    found.own + sign * part.own,
                )
        return found

    return mean
