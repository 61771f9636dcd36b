"""Repeated-measures analysis of variance of complete cases, with corrections for a lack of sphericity.

k visits, g groups of N persons in all. B (g × k) holds the group means, E (k × k) the pooled sums of squares and
products within groups on ν = N − g degrees of freedom, C (k × (k − 1)) orthonormal contrasts of the visits, and
S = C'EC/ν. A hypothesis L on the groups (mean of the groups for `visit`, differences between groups for
`visit:group`) has

    SS = tr{C'(LB)'(L diag(1/n) L')⁻¹ LB C},   SS_error = tr(C'EC),   F = (SS/df₁) / (SS_error/(ν(k − 1))),

and the main effect of the groups is the same with C = 1/√k. Groups count alike whatever their sizes (Type III, as SPSS
does). Under a correction both degrees of freedom are multiplied by ε.

**Source**: Greenhouse & Geisser 1959, Psychometrika 24:95 (ε̂ = tr(S)²/((k − 1) tr(S²))); Huynh & Feldt 1976, J Educ
Stat 1:69 (ε̃); Lecoutre 1991, J Educ Stat 16:371 (ε̃ with N − g + 1 for N where there are groups); Mauchly 1940, Ann
Math Stat 11:204, with the second term of Anderson 1984, An Introduction to Multivariate Statistical Analysis, section
10.7 (in which R's `mauchly.test` takes one p for another, at the sixth decimal of the p value); Olejnik & Algina 2003,
Psychol Methods 8:434 (generalized eta squared); Steiger 2004, Psychol Methods 9:164 (interval of partial eta squared).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

__all__ = [
    "Effect",
    "RmAnova",
    "Sphericity",
    "eta_limits",
    "from_printed",
    "rm_anova",
    "sphericity",
    "within_sums",
]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sphericity:
    """How far the contrasts of the visits are from equal variances and no correlation.

    `greenhouse_geisser`, `huynh_feldt` and `lecoutre` are estimates of ε (the last two not above 1), `lower_bound` is
    1/(k − 1); Mauchly's `W` with its chi-square, degrees of freedom and p (NaN for two visits, which are spherical).
    """

    greenhouse_geisser: float
    huynh_feldt: float
    lecoutre: float
    lower_bound: float
    W: float
    chi_square: float
    df: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Effect:
    """One F test before any correction; `sum_of_squares` of the effect and of its error."""

    sum_of_squares: float
    error: float
    num_df: float
    df: float
    F: float
    is_within: bool

    @property
    def partial_eta_squared(self) -> float:
        """SS/(SS + SS_error)."""
        return self.sum_of_squares / (self.sum_of_squares + self.error)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RmAnova:
    """Effects of the visits, and with several groups of the groups and of both together."""

    within: Effect
    between: Effect | None
    interaction: Effect | None
    sphericity: Sphericity
    subjects: float

    def generalized_eta_squared(self, effect: Effect) -> float:
        """SS over itself, all variation of persons, and the effects of the groups, which are measured and not assigned
        (Olejnik & Algina 2003).
        """
        errors = self.subjects + self.within.error
        measured = [other for other in (self.between, self.interaction) if other is not None]
        own = 0.0 if any(effect is other for other in measured) else effect.sum_of_squares
        return effect.sum_of_squares / (own + sum(other.sum_of_squares for other in measured) + errors)


def within_sums(scores: ArrayLike, codes: ArrayLike) -> tuple[Array, Array, Array]:
    """Group sizes (g,), means (g × k), pooled sums of squares and products (k × k) of complete scores (N × k)."""
    y, group = np.asarray(scores, dtype=float), np.asarray(codes)
    sizes = np.bincount(group).astype(float)
    sums = np.stack([np.bincount(group, weights=column, minlength=len(sizes)) for column in y.T], axis=1)
    means = sums / sizes[:, None]
    rest = y - means[group]
    return sizes, means, rest.T @ rest


def contrasts(k: int) -> Array:
    """Orthonormal contrasts of k visits (Helmert's), k × (k − 1)."""
    C = np.zeros((k, k - 1))
    for j in range(1, k):
        C[:j, j - 1], C[j, j - 1] = 1.0, -float(j)
    return np.asarray(C / np.linalg.norm(C, axis=0))


def rm_anova(sizes: ArrayLike, means: ArrayLike, E: ArrayLike) -> RmAnova:
    """The analysis of variance of k visits (and g groups) from group sizes, means and pooled sums of squares.

    >>> S = np.array([[0.8, 0.3, 0.2], [0.3, 0.6, 0.3], [0.2, 0.3, 0.7]])
    >>> found = rm_anova([30], [[3.0, 2.5, 2.4]], 29 * S)
    >>> round(found.within.F, 2), round(found.sphericity.greenhouse_geisser, 3)
    (7.15, 0.929)
    """
    n = np.atleast_1d(np.asarray(sizes, dtype=float))
    B, E = np.atleast_2d(np.asarray(means, dtype=float)), np.asarray(E, dtype=float)
    g, k = B.shape
    nu = n.sum() - g
    C, level = contrasts(k), np.full((k, 1), 1 / np.sqrt(k))
    average = np.full((1, g), 1 / g)
    within = _effect(average, B, n, E, C, nu, is_within=True)
    subjects = float((level.T @ E @ level).item())
    between = interaction = None
    if g > 1:
        differences = np.eye(g)[1:] - np.eye(g)[:1]
        between = _effect(differences, B, n, E, level, nu, is_within=False)
        interaction = _effect(differences, B, n, E, C, nu, is_within=True)
    return RmAnova(
        within=within,
        between=between,
        interaction=interaction,
        sphericity=sphericity(C.T @ E @ C / nu, float(n.sum()), g),
        subjects=subjects,
    )


def _effect(L: Array, B: Array, n: Array, E: Array, C: Array, nu: float, *, is_within: bool) -> Effect:
    hypothesis = L @ B @ C
    total = float(np.sum(hypothesis * np.linalg.solve((L / n) @ L.T, hypothesis)))
    error = float(np.trace(C.T @ E @ C))
    num_df, df = float(len(L) * C.shape[1]), float(nu * C.shape[1])
    F = (total / num_df) / (error / df) if error > 0 else float("nan")
    return Effect(sum_of_squares=total, error=error, num_df=num_df, df=df, F=F, is_within=is_within)


def sphericity(S: ArrayLike, n: float, groups: int = 1) -> Sphericity:
    """ε and Mauchly's test from the covariance S of orthonormal contrasts, of n persons in so many groups."""
    S = np.asarray(S, dtype=float)
    p = len(S)
    nu = n - groups
    trace = float(np.trace(S))
    with np.errstate(divide="ignore", invalid="ignore"):
        gg = trace**2 / (p * float(np.sum(S * S)))
        below = p * (nu - p * gg)
        hf, lecoutre = (((m * p * gg - 2) / below) if below > 0 else 1.0 for m in (n, nu + 1))
    if p == 1:
        return Sphericity(
            greenhouse_geisser=1.0,
            huynh_feldt=1.0,
            lecoutre=1.0,
            lower_bound=1.0,
            W=1.0,
            chi_square=float("nan"),
            df=0.0,
            p_value=float("nan"),
        )
    sign, log_det = np.linalg.slogdet(S)
    log_w = float(log_det - p * np.log(trace / p)) if sign > 0 and nu >= p else float("nan")
    f = p * (p + 1) / 2 - 1
    rho = 1 - (2 * p**2 + p + 2) / (6 * p * nu)
    second = (p + 2) * (p - 1) * (p - 2) * (2 * p**3 + 6 * p**2 + 3 * p + 2) / (288 * (nu * p * rho) ** 2)
    chi_square = -nu * rho * log_w
    first = special.chdtrc(f, chi_square)
    p_value = float(np.clip(first + second * (special.chdtrc(f + 4, chi_square) - first), 0.0, 1.0))
    return Sphericity(
        greenhouse_geisser=gg,
        huynh_feldt=min(hf, 1.0),
        lecoutre=min(lecoutre, 1.0),
        lower_bound=1 / p,
        W=float(np.exp(log_w)),
        chi_square=chi_square,
        df=f,
        p_value=p_value,
    )


def eta_limits(F: float, num_df: float, df: float, *, conf_level: float = 0.95) -> tuple[float, float]:
    """Limits of partial eta squared: λ/(λ + df₁ + df₂ + 1) at the noncentralities λ for which F is a quantile.

    >>> tuple(round(limit, 3) for limit in eta_limits(33.1, 1.829, 267.0, conf_level=0.90))
    (0.117, 0.249)
    """
    limits = []
    for tail in ((1 + conf_level) / 2, (1 - conf_level) / 2):
        low, high = 0.0, 10.0 * (num_df * F + 10.0)
        if not np.isfinite(F) or F <= 0 or special.fdtr(num_df, df, F) <= tail:
            limits.append(0.0 if np.isfinite(F) else float("nan"))
            continue
        for _ in range(80):
            middle = (low + high) / 2
            if special.ncfdtr(num_df, df, middle, F) > tail:  # falls as the noncentrality grows
                low = middle
            else:
                high = middle
        limits.append((low + high) / 2)
    return (limits[0] / (limits[0] + num_df + df + 1), limits[1] / (limits[1] + num_df + df + 1))


def from_printed(F: float, df: float, n: int, visits: int, groups: int = 1) -> tuple[float, float, float]:
    """ε, df₁ and partial eta squared from a printed F of the visits and its second degrees of freedom.

    df₂ = ε (k − 1)(N − g) is printed with more digits than df₁, and df₂/df₁ = N − g, so all follows from it:
    partial eta squared = F/(F + N − g).

    >>> [round(number, 3) for number in from_printed(33.1, 267.0, 147, 3)]
    [0.914, 1.829, 0.185]
    """
    nu = n - groups
    return df / ((visits - 1) * nu), df / nu, F / (F + nu)
