"""Reliability of a score: Cronbach's α, McDonald's ω, intraclass correlations, the standard error of measurement.

Y is a table of n subjects × k items (or raters, or occasions), complete. All intervals are two-sided.

- α = k/(k−1) (1 − Σ sᵢ² / s_T²) (Cronbach 1951, Psychometrika 16:297). Where the items are compound
  symmetric, (1 − α)/(1 − α̂) has an F distribution with n−1 and (n−1)(k−1) degrees of freedom (Feldt 1965, Psychometrika
  30:357; Feldt, Woodruff & Salih 1987, Appl Psychol Meas 11:93, formulas 6 and 7). Bonett 2002, J Educ Behav Stat
  27:335: ln(1 − α̂) has the variance 2k/((k−1)(n−2)).
- ω = (Σλ)² / ((Σλ)² + Σψ) for the factor model S ≈ λλᵀ + diag(ψ), fitted by maximum likelihood (Jöreskog 1967,
  Psychometrika 32:443); the denominator is the variance that the model implies (McDonald 1999, Test theory;
  Raykov 2001, Br J Math Stat Psychol 54:315). On the variances and covariances themselves ω is that of the plain
  sum (or mean) of the items. Its standard error is that of the delta method with the expected information, and its
  interval is made on the logit scale (Kelley & Pornprasertmanit 2016, Psychol Methods 21:69).
- ICC forms and their F-based intervals: Shrout & Fleiss 1979, Psychol Bull 86:420; McGraw & Wong 1996, Psychol Methods
  1:30, tables 4 and 7 (with the correction of 1:390).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

__all__ = [
    "ICC_FORMS",
    "Interval",
    "OneFactor",
    "Squares",
    "alpha",
    "alpha_interval",
    "correlation_interval",
    "icc",
    "item_rest",
    "omega",
    "one_factor",
    "sem",
    "squares",
    "squares_of_pairs",
]

Array = NDArray[np.float64]

ICC_FORMS: Mapping[str, str] = MappingProxyType(
    {
        "ICC(1)": "ICC(1,1): one-way, a single measurement",
        "ICC(A,1)": "ICC(2,1): two-way random, absolute agreement, a single measurement",
        "ICC(C,1)": "ICC(3,1): two-way mixed, consistency, a single measurement",
        "ICC(k)": "ICC(1,k): one-way, the mean of the measurements",
        "ICC(A,k)": "ICC(2,k): two-way random, absolute agreement, the mean of the measurements",
        "ICC(C,k)": "ICC(3,k): two-way mixed, consistency, the mean of the measurements",
    }
)
"""The forms by McGraw & Wong's names, with Shrout & Fleiss' names and what they mean."""

LOWEST = 0.005
"""The smallest share of an item's variance that may be left to it alone: at it the fit is an improper (Heywood) one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A number with its standard error (NaN where none is defined) and its limits."""

    estimate: float
    std_error: float
    conf_low: float
    conf_high: float


def _f(p: float, df1: float, df2: float) -> float:
    """The p quantile of F."""
    return float(special.fdtri(df1, df2, p))


# ---- internal consistency ------------------------------------------------------------------------------------------


def alpha(S: ArrayLike) -> float:
    """Cronbach's α from the covariance matrix of the items."""
    S = np.asarray(S, dtype=float)
    k = len(S)
    total = S.sum()
    return float(k / (k - 1) * (1 - np.trace(S) / total)) if total > 0 and k > 1 else np.nan


def alpha_interval(estimate: float, n: int, k: int, *, conf_level: float = 0.95, method: str = "feldt") -> Interval:
    """α̂ of k items in n subjects with its limits, by Feldt's F or by Bonett's logarithm; the standard error is
    Bonett's by the delta method.
    """
    tail = (1 - conf_level) / 2
    if n < 3 or k < 2 or not np.isfinite(estimate):
        return Interval(estimate=estimate, std_error=np.nan, conf_low=np.nan, conf_high=np.nan)
    rest, sd = 1 - estimate, np.sqrt(2 * k / ((k - 1) * (n - 2)))
    if method == "bonett":
        z = float(special.ndtri(1 - tail))
        low, high = 1 - rest * np.exp(z * sd), 1 - rest * np.exp(-z * sd)
    else:
        df1, df2 = n - 1, (n - 1) * (k - 1)
        low, high = 1 - rest * _f(1 - tail, df1, df2), 1 - rest * _f(tail, df1, df2)
    return Interval(estimate=estimate, std_error=float(rest * sd), conf_low=float(low), conf_high=float(high))


def item_rest(S: ArrayLike) -> Array:
    """The correlation of each item with the sum of the others."""
    S = np.asarray(S, dtype=float)
    own, with_total, total = np.diag(S), S.sum(axis=1), S.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((with_total - own) / np.sqrt(own * (total - 2 * with_total + own)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OneFactor:
    """λ and ψ of one factor, the covariance of their estimates (λ first), and whether the fit is a proper one."""

    loadings: Array
    uniquenesses: Array
    vcov: Array
    discrepancy: float
    converged: bool
    is_improper: bool


def one_factor(S: ArrayLike, n: int) -> OneFactor:
    """One factor by maximum likelihood, from the covariance matrix of k ≥ 3 items in n subjects.

    The search goes over ψ of the correlation matrix (Jöreskog 1967: given ψ, λ is the first eigenvector of
    ψ^{-1/2} R ψ^{-1/2}), is polished by Fisher scoring on (λ, ψ), and is carried back to the scale of S, on which the
    criterion does not depend. The sign is such that Σλ is positive.
    """
    from scipy import optimize

    S = np.asarray(S, dtype=float)
    k = len(S)
    scale = np.sqrt(np.diag(S))
    R = S / np.outer(scale, scale)

    def criterion(psi: Array) -> tuple[float, Array]:
        root = np.sqrt(psi)
        values, vectors = np.linalg.eigh(R / np.outer(root, root))
        rest = values[:-1]
        load = root * vectors[:, -1] * np.sqrt(max(values[-1] - 1, 0))
        fitted = load**2 + psi
        return float((rest - np.log(rest) - 1).sum()), np.asarray((fitted - np.diag(R)) / psi**2)

    start = np.clip((1 - 0.5 / k) / np.diag(np.linalg.inv(R)), LOWEST, 1.0)
    found = optimize.minimize(
        criterion, start, jac=True, method="L-BFGS-B", bounds=[(LOWEST, 1.0)] * k, options={"ftol": 1e-15, "gtol": 1e-9}
    )
    psi = np.asarray(found.x)
    root = np.sqrt(psi)
    values, vectors = np.linalg.eigh(R / np.outer(root, root))
    load = root * vectors[:, -1] * np.sqrt(max(values[-1] - 1, 0))
    is_improper = bool((psi <= LOWEST * (1 + 1e-6)).any())
    theta = np.concatenate([load * (1 if load.sum() >= 0 else -1), psi])
    gradient, information = _score(R, theta)
    for _ in range(20):
        if is_improper or np.abs(gradient).max() < 1e-12:
            break
        theta = theta + np.linalg.solve(information, gradient)
        gradient, information = _score(R, theta)
    load, psi = theta[:k], theta[k:]
    Sigma = np.outer(load, load) + np.diag(psi)
    discrepancy = float(np.linalg.slogdet(Sigma)[1] - np.linalg.slogdet(R)[1] + np.trace(np.linalg.solve(Sigma, R)) - k)
    jacobian = np.concatenate([scale, scale**2])
    vcov = np.linalg.pinv(information) / (n - 1) * np.outer(jacobian, jacobian)
    return OneFactor(
        loadings=load * scale,
        uniquenesses=psi * scale**2,
        vcov=vcov,
        discrepancy=discrepancy,
        converged=bool(is_improper or np.abs(gradient).max() < 1e-8),
        is_improper=is_improper,
    )


def _score(R: Array, theta: Array) -> tuple[Array, Array]:
    """The gradient of the log-likelihood in (λ, ψ) and the expected information, both per subject.

    With W = Σ⁻¹: ∂Σ/∂λᵢ = eᵢλᵀ + λeᵢᵀ, ∂Σ/∂ψᵢ = eᵢeᵢᵀ, and the information is ½ tr(W Σ_a W Σ_b).
    """
    k = len(R)
    load, psi = theta[:k], theta[k:]
    W = np.linalg.inv(np.outer(load, load) + np.diag(psi))
    residual = W @ (R - np.outer(load, load) - np.diag(psi)) @ W
    gradient = np.concatenate([residual @ load, np.diag(residual) / 2])
    Wl = W @ load
    information = np.empty((2 * k, 2 * k))
    information[:k, :k] = W * (load @ Wl) + np.outer(Wl, Wl)
    information[:k, k:] = W * Wl
    information[k:, :k] = information[:k, k:].T
    information[k:, k:] = W**2 / 2
    return gradient, information


def omega(fit: OneFactor, *, conf_level: float = 0.95) -> Interval:
    """ω of the plain sum of the items, with a standard error by the delta method and limits on the logit scale."""
    common, own = float(fit.loadings.sum()), float(fit.uniquenesses.sum())
    total = common**2 + own
    estimate = common**2 / total
    k = len(fit.loadings)
    slope = np.concatenate([np.full(k, 2 * common * own / total**2), np.full(k, -(common**2) / total**2)])
    std_error = float(np.sqrt(max(slope @ fit.vcov @ slope, 0.0)))
    if fit.is_improper or not fit.converged or not 0 < estimate < 1:
        return Interval(estimate=estimate, std_error=np.nan, conf_low=np.nan, conf_high=np.nan)
    z = float(special.ndtri((1 + conf_level) / 2))
    half = z * std_error / (estimate * (1 - estimate))
    logit = special.logit(estimate)
    return Interval(
        estimate=estimate,
        std_error=std_error,
        conf_low=float(special.expit(logit - half)),
        conf_high=float(special.expit(logit + half)),
    )


# ---- intraclass correlations ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Squares:
    """Mean squares of n subjects × k measurements: between subjects (R), between measurements (C), error (E), and
    within subjects (W).
    """

    n: int
    k: int
    msr: float
    msc: float
    mse: float
    msw: float


def squares(Y: ArrayLike) -> Squares:
    """The mean squares of a complete table, subjects in rows."""
    Y = np.asarray(Y, dtype=float)
    n, k = Y.shape
    rows, columns, grand = Y.mean(axis=1), Y.mean(axis=0), Y.mean()
    msr = k * ((rows - grand) ** 2).sum() / (n - 1)
    msc = n * ((columns - grand) ** 2).sum() / (k - 1)
    mse = ((Y - rows[:, None] - columns + grand) ** 2).sum() / ((n - 1) * (k - 1))
    msw = ((Y - rows[:, None]) ** 2).sum() / (n * (k - 1))
    return Squares(n=n, k=k, msr=float(msr), msc=float(msc), mse=float(mse), msw=float(msw))


def squares_of_pairs(n: int, mean_1: float, mean_2: float, sd_1: float, sd_2: float, r: float) -> Squares:
    """The same for two measurements, from their means, SDs and correlation."""
    a, b, c = sd_1**2, sd_2**2, r * sd_1 * sd_2
    msc = n * (mean_1 - mean_2) ** 2 / 2
    mse = (a + b - 2 * c) / 2
    return Squares(n=n, k=2, msr=(a + b + 2 * c) / 2, msc=msc, mse=mse, msw=(msc + (n - 1) * mse) / n)


def icc(form: str, squares: Squares, *, conf_level: float = 0.95) -> Interval:
    """An intraclass correlation with its F-based limits; `form` is one of `ICC_FORMS`."""
    s = squares
    single = {
        "1": (s.msr - s.msw) / (s.msr + (s.k - 1) * s.msw),
        "C": (s.msr - s.mse) / (s.msr + (s.k - 1) * s.mse),
        "A": (s.msr - s.mse) / (s.msr + (s.k - 1) * s.mse + s.k / s.n * (s.msc - s.mse)),
    }
    kind = "1" if form in ("ICC(1)", "ICC(k)") else form[4]
    limits = _agreement(s, single["A"], conf_level) if kind == "A" else _one_f(s, kind, conf_level)
    numbers = np.array([single[kind], *limits])
    if form.endswith("k)"):  # Spearman-Brown: what a mean of k has, given what one has
        numbers = s.k * numbers / (1 + (s.k - 1) * numbers)
    return Interval(
        estimate=float(numbers[0]), std_error=np.nan, conf_low=float(numbers[1]), conf_high=float(numbers[2])
    )


def _one_f(s: Squares, kind: str, conf_level: float) -> tuple[float, float]:
    """Limits of ICC(1) and ICC(C,1): (F_L − 1)/(F_L + k − 1), with F_L = F/F* and F_U = F·F*."""
    tail = (1 - conf_level) / 2
    error, df2 = (s.msw, s.n * (s.k - 1)) if kind == "1" else (s.mse, (s.n - 1) * (s.k - 1))
    df1 = s.n - 1
    ratio = np.divide(s.msr, error) if error > 0 else np.inf
    low, high = ratio / _f(1 - tail, df1, df2), ratio * _f(1 - tail, df2, df1)
    return tuple((f - 1) / (f + s.k - 1) if np.isfinite(f) else 1.0 for f in (low, high))  # type: ignore[return-value]


def _agreement(s: Squares, estimate: float, conf_level: float) -> tuple[float, float]:
    """Limits of ICC(A,1), with Satterthwaite's v for the denominator (McGraw & Wong 1996, table 7)."""
    tail = (1 - conf_level) / 2
    n, k = s.n, s.k
    if estimate >= 1 or s.mse <= 0:
        return np.nan, np.nan
    a = k * estimate / (n * (1 - estimate))
    b = 1 + k * estimate * (n - 1) / (n * (1 - estimate))
    v = (a * s.msc + b * s.mse) ** 2 / ((a * s.msc) ** 2 / (k - 1) + (b * s.mse) ** 2 / ((n - 1) * (k - 1)))
    f_low, f_high = _f(1 - tail, n - 1, v), _f(1 - tail, v, n - 1)
    error = k * s.msc + (k * n - k - n) * s.mse
    low = n * (s.msr - f_low * s.mse) / (f_low * error + n * s.msr)
    high = n * (f_high * s.msr - s.mse) / (error + n * f_high * s.msr)
    return float(low), float(high)


# ---- two administrations -------------------------------------------------------------------------------------------


def correlation_interval(r: float, n: int, *, conf_level: float = 0.95) -> Interval:
    """A correlation with Fisher's limits, tanh(artanh r ± z/√(n−3)); the standard error is (1 − r²)/√(n−3) (Fisher
    1921, Metron 1:3).
    """
    if n < 4 or not abs(r) < 1:
        return Interval(estimate=r, std_error=np.nan, conf_low=np.nan, conf_high=np.nan)
    half = float(special.ndtri((1 + conf_level) / 2)) / np.sqrt(n - 3)
    z = np.arctanh(r)
    return Interval(
        estimate=r,
        std_error=float((1 - r**2) / np.sqrt(n - 3)),
        conf_low=float(np.tanh(z - half)),
        conf_high=float(np.tanh(z + half)),
    )


def sem(sd: ArrayLike, reliability: ArrayLike) -> Array:
    """The standard error of measurement, SD √(1 − r) (Lord & Novick 1968)."""
    return np.asarray(np.asarray(sd, dtype=float) * np.sqrt(1 - np.asarray(reliability, dtype=float)))
