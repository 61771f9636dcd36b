"""The statistics that papers print, of a whole stack of cohorts at once: arrays (replicates,), NaN where none is.

What a paper prints without a sign is the fall (baseline less follow-up). Every function reads a stack and what a number
is asked of: `variable`, `visits`, and whom it is about (`seen`, `lost`, `where`).

**Source** Greenhouse & Geisser 1959, Psychometrika 24:95 (epsilon); Wilcoxon 1945 with midranks, Lehmann 1975, p. 329;
McNemar 1947, Psychometrika 12:153; Student's pooled t; Pearson's chi-square without correction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ..errors import StudyError
from ._stack import Stack, among
from ._statistics_of_arms import STATISTICS_OF_ARMS

__all__ = ["STATISTICS", "design_rows", "least_squares", "moments", "statistic"]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Of = Mapping[str, Any]


def statistic(name: str) -> Callable[[Stack, Of], Array]:
    """The statistic of this name.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for a name that no statistic bears.
    """
    if name not in STATISTICS:
        raise StudyError(
            "E-STUDY-OPTION",
            f"There is no statistic `{name}`.",
            f"Statistics are: {', '.join(STATISTICS)}.",
            "Name one of them in the study's data file.",
        )
    return STATISTICS[name]


# ---- building blocks -----------------------------------------------------------------------------------------------


def moments(values: Array, mask: Bools) -> tuple[Array, Array, Array]:
    """n, mean and SD of each replicate among those of the mask who have a value."""
    kept = mask & ~np.isnan(values)
    n = kept.sum(axis=1).astype(float)
    x = np.where(kept, values, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = x.sum(axis=1) / n
        rest = np.where(kept, values - mean[:, None], 0.0)
        sd = np.sqrt((rest**2).sum(axis=1) / (n - 1))
    return n, mean, sd


def _values(stack: Stack, of: Of, visit: str | None = None) -> Array:
    at = visit if visit is not None else of.get("visit", stack.visits.labels[0])
    return stack.at(of["variable"], at)


def _fall(stack: Stack, of: Of) -> tuple[Array, Bools]:
    before, after = of["visits"]
    moved = stack.at(of["variable"], before) - stack.at(of["variable"], after)
    return moved, among(stack, of) & ~np.isnan(moved)


# ---- counts, means, shares -----------------------------------------------------------------------------------------


def _count(stack: Stack, of: Of) -> Array:
    return np.asarray(among(stack, of).sum(axis=1), dtype=float)


def _percent_of(stack: Stack, of: Of) -> Array:
    """Of those in `of["base"]` (all subjects where left out), the percentage that the number is about."""
    base = among(stack, of.get("base", {}))
    return np.asarray(100.0 * (among(stack, of) & base).sum(axis=1) / base.sum(axis=1))


def _mean(stack: Stack, of: Of) -> Array:
    return moments(_values(stack, of), among(stack, of))[1]


def _sd(stack: Stack, of: Of) -> Array:
    return moments(_values(stack, of), among(stack, of))[2]


def _percent(stack: Stack, of: Of) -> Array:
    """The percentage of `yes` (1) of a covariate with levels, or of scores at or above `of["cut"]`."""
    values, mask = _values(stack, of), among(stack, of)
    if "cut" in of:
        values = np.where(np.isnan(values), np.nan, values >= float(of["cut"]))
    return np.asarray(100.0 * moments(values, mask)[1])


def _yes(stack: Stack, of: Of) -> Array:
    values, mask = _values(stack, of), among(stack, of)
    return np.asarray(np.where(mask & (values == 1), 1.0, 0.0).sum(axis=1))


def _change_mean(stack: Stack, of: Of) -> Array:
    return -moments(*_fall(stack, of))[1]


def _change_sd(stack: Stack, of: Of) -> Array:
    return moments(*_fall(stack, of))[2]


def _change_correlation(stack: Stack, of: Of) -> Array:
    before, after = (stack.at(of["variable"], visit) for visit in of["visits"])
    both = among(stack, of) & ~np.isnan(before + after)
    _, _, a = moments(before, both)
    _, _, b = moments(after, both)
    _, _, d = moments(before - after, both)
    return np.asarray((a**2 + b**2 - d**2) / (2 * a * b))


def _d_average(stack: Stack, of: Of) -> Array:
    before, after = (stack.at(of["variable"], visit) for visit in of["visits"])
    both = among(stack, of) & ~np.isnan(before + after)
    _, m0, s0 = moments(before, both)
    _, m1, s1 = moments(after, both)
    return np.asarray((m0 - m1) / ((s0 + s1) / 2))


# ---- tests of change -----------------------------------------------------------------------------------------------


def _paired_t(stack: Stack, of: Of) -> Array:
    n, mean, sd = moments(*_fall(stack, of))
    return np.asarray(mean / (sd / np.sqrt(n)))


def _p_paired_t(stack: Stack, of: Of) -> Array:
    n, mean, sd = moments(*_fall(stack, of))
    return np.asarray(2 * special.stdtr(n - 1, -np.abs(mean / (sd / np.sqrt(n)))))


def _moved(stack: Stack, of: Of) -> tuple[Array, Array]:
    fall, mask = _fall(stack, of)
    return (mask & (fall > 0)).sum(axis=1).astype(float), (mask & (fall < 0)).sum(axis=1).astype(float)


def _mcnemar_p(stack: Stack, of: Of) -> Array:
    """p of McNemar's chi-square without continuity correction."""
    b, c = _moved(stack, of)
    with np.errstate(divide="ignore", invalid="ignore"):
        chi = np.where(b + c > 0, (b - c) ** 2 / (b + c), 0.0)
    return np.asarray(special.chdtrc(1, chi))


def _signed_rank_z(stack: Stack, of: Of) -> Array:
    """z of the signed-rank test, zeros dropped, midranks for ties, no continuity correction; below 0 for falls."""
    fall, mask = _fall(stack, of)
    change = np.round(-fall, 9)
    kept = mask & (change != 0)
    sizes, codes = np.unique(np.where(kept, np.abs(change), np.inf), return_inverse=True)
    codes = codes.reshape(kept.shape)
    rows = np.arange(len(kept))[:, None]
    counts = np.zeros((len(kept), len(sizes)))
    np.add.at(counts, (np.broadcast_to(rows, codes.shape)[kept], codes[kept]), 1.0)
    midrank = np.cumsum(counts, axis=1) - (counts - 1) / 2
    ranks = np.where(kept, np.take_along_axis(midrank, codes, axis=1), 0.0)
    w_plus = (ranks * (change > 0)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((w_plus - ranks.sum(axis=1) / 2) / np.sqrt((ranks**2).sum(axis=1) / 4))


def _complete_moments(stack: Stack, of: Of) -> tuple[Array, Array, Array]:
    """n, means (replicates × k) and covariance (replicates × k × k) of complete cases over `of["visits"]`."""
    y = np.stack([stack.at(of["variable"], visit) for visit in of["visits"]], axis=-1)
    kept = among(stack, of) & ~np.isnan(y).any(axis=-1)
    y = np.where(kept[..., None], y, 0.0)
    n = kept.sum(axis=1).astype(float)
    mean = y.sum(axis=1) / n[:, None]
    rest = np.where(kept[..., None], y - mean[:, None, :], 0.0)
    return n, mean, np.einsum("rni,rnj->rij", rest, rest) / (n - 1)[:, None, None]


def _anova(stack: Stack, of: Of) -> tuple[Array, Array, Array]:
    n, mean, cov = _complete_moments(stack, of)
    k = mean.shape[1]
    center = np.eye(k) - 1.0 / k
    A = center @ cov @ center
    trace = np.trace(A, axis1=1, axis2=2)
    epsilon = trace**2 / ((k - 1) * np.sum(A * A, axis=(1, 2)))
    F = n * np.sum((mean - mean.mean(axis=1, keepdims=True)) ** 2, axis=1) / trace
    return np.asarray(F), np.asarray(epsilon * (k - 1)), n


def _anova_df_2(stack: Stack, of: Of) -> Array:
    _, df, n = _anova(stack, of)
    return np.asarray(df * (n - 1))


# ---- completers against those who were lost ------------------------------------------------------------------------


def _attrition_t(stack: Stack, of: Of) -> Array:
    """Pooled t of those lost less those seen, at the first visit."""
    values = _values(stack, of)
    n1, m1, s1 = moments(values, among(stack, {"seen": of["follow_up"]}))
    n2, m2, s2 = moments(values, among(stack, {"lost": of["follow_up"]}))
    pooled = ((n1 - 1) * s1**2 + (n2 - 1) * s2**2) / (n1 + n2 - 2)
    return np.asarray((m2 - m1) / np.sqrt(pooled * (1 / n1 + 1 / n2)))


def _attrition_chi_square(stack: Stack, of: Of) -> Array:
    """Chi-square, without correction, of a factor's level by being seen at follow-up."""
    kept = among(stack, {"seen": of["follow_up"]})
    (factor, level), *_ = dict(of["where"]).items()
    member = stack.level(factor, level)
    a, b = (kept & member).sum(axis=1), (~kept & member).sum(axis=1)
    c, d = (kept & ~member).sum(axis=1), (~kept & ~member).sum(axis=1)
    total = (a + b) * (c + d) * (a + c) * (b + d)
    return np.asarray((a + b + c + d) * (a * d - b * c) ** 2.0 / total)


# ---- regression ----------------------------------------------------------------------------------------------------


def design_rows(stack: Stack, terms: Sequence[str], of: Of) -> Array:
    """Columns of a regression (replicates × subjects × terms), NaN where a value is missing.

    A term is `name[visit]`, `fall(name)` (baseline less `of["visits"][1]`), `name` (at the first visit), or
    `factor=level`.
    """
    return np.stack([_term(stack, term, of) for term in terms], axis=-1)


def _term(stack: Stack, term: str, of: Of) -> Array:
    if term.startswith("fall("):
        name = term[5:-1]
        before, after = of["visits"]
        return stack.at(name, before) - stack.at(name, after)
    if "=" in term:
        factor, _, level = term.partition("=")
        return stack.level(factor, level).astype(float)
    name, _, visit = term.partition("[")
    return stack.at(name, visit.rstrip("]") if visit else stack.visits.labels[0])


def least_squares(y: Array, X: Array, mask: Bools) -> tuple[Array, Array, Array, Array]:
    """Coefficients after a constant (replicates × terms), their standard errors, the SDs of y and the columns, and n.

    The SDs come as one array (replicates × (1 + terms)), that of y first.
    """
    kept = mask & ~np.isnan(y) & ~np.isnan(X).any(axis=-1)
    n = kept.sum(axis=1).astype(float)
    Z = np.where(kept[..., None], np.concatenate([y[..., None], X], axis=-1), 0.0)
    mean = Z.sum(axis=1) / n[:, None]
    rest = np.where(kept[..., None], Z - mean[:, None, :], 0.0)
    S = np.einsum("rni,rnj->rij", rest, rest)
    inverse = np.linalg.inv(S[:, 1:, 1:])
    beta = np.einsum("rij,rj->ri", inverse, S[:, 1:, 0])
    residual = S[:, 0, 0] - np.einsum("ri,ri->r", beta, S[:, 1:, 0])
    df = n - 1 - X.shape[-1]
    error = np.sqrt(residual[:, None] / df[:, None] * np.einsum("rii->ri", inverse))
    sds = np.sqrt(np.einsum("rii->ri", S) / (n[:, None] - 1))
    return beta, error, sds, n


def _regression(stack: Stack, of: Of) -> tuple[Array, Array, Array, Array]:
    y = _term(stack, of["response"], of)
    X = design_rows(stack, [of["term"], *of.get("given", ())], of)
    return least_squares(y, X, among(stack, of))


def _beta(stack: Stack, of: Of) -> Array:
    """The standardized coefficient of the first term."""
    b, _, sds, _ = _regression(stack, of)
    return np.asarray(b[:, 0] * sds[:, 1] / sds[:, 0])


def _slope(stack: Stack, of: Of) -> Array:
    return _regression(stack, of)[0][:, 0]


def _slope_error(stack: Stack, of: Of) -> Array:
    return _regression(stack, of)[1][:, 0]


def _path_z(stack: Stack, of: Of) -> Array:
    """z of a path of a saturated cross-lagged panel, complete pairs: b over its maximum-likelihood standard error.

    With free residual covariances and no restriction, each equation is its own regression on all baseline scores, and
    the likelihood divides by n where least squares divides by n − p − 1.
    """
    b, error, _, n = _regression(stack, of)
    p = 1 + len(of.get("given", ()))
    return np.asarray(b[:, 0] / (error[:, 0] * np.sqrt((n - p - 1) / n)))


def _synchronous_z(stack: Stack, of: Of) -> Array:
    """z of a synchronous path, both paths and the residual covariance free: indirect least squares, which is maximum
    likelihood here. `of["instrument"]`, the earlier score of the term, acts on the response through the term only.

    With X = (term, given) and Z = (instrument, given), centered: b = (Z'X)⁻¹ Z'y, V = σ² (Z'X)⁻¹ Z'Z (X'Z)⁻¹,
    σ² = |y − Xb|²/n.
    """
    given = list(of.get("given", ()))
    y = _term(stack, of["response"], of)
    X, Z = design_rows(stack, [of["term"], *given], of), design_rows(stack, [of["instrument"], *given], of)
    kept = among(stack, of) & ~np.isnan(y) & ~np.isnan(X).any(axis=-1) & ~np.isnan(Z).any(axis=-1)
    n = kept.sum(axis=1).astype(float)

    def centered(values: Array) -> Array:
        filled = np.where(kept[..., None], values, 0.0)
        return np.asarray(np.where(kept[..., None], filled - (filled.sum(axis=1) / n[:, None])[:, None, :], 0.0))

    X, Z, v = centered(X), centered(Z), centered(y[..., None])[..., 0]
    inverse = np.linalg.inv(np.einsum("rni,rnj->rij", Z, X))
    b = np.einsum("rij,rnj,rn->ri", inverse, Z, v, optimize=True)
    sigma2 = ((v - np.einsum("rni,ri->rn", X, b)) ** 2).sum(axis=1) / n
    V = np.einsum("rij,rjk,rlk->ril", inverse, np.einsum("rni,rnj->rij", Z, Z), inverse)
    return np.asarray(b[:, 0] / np.sqrt(sigma2 * V[:, 0, 0]))


# ---- adjusted means ------------------------------------------------------------------------------------------------


def _adjusted(stack: Stack, of: Of) -> tuple[Array, Array]:
    """Mean of a factor's level adjusted to the covariates' means in everyone, and its standard error (one visit)."""
    factor, level = of["factor"], of["level"]
    terms = [f"{factor}={level}", *of.get("given", ())]
    y, X = _values(stack, of), design_rows(stack, terms, of)
    kept = among(stack, of) & ~np.isnan(y) & ~np.isnan(X).any(axis=-1)
    n = kept.sum(axis=1).astype(float)
    centered = X - (np.where(kept[..., None], X, 0.0).sum(axis=1) / n[:, None])[:, None, :]
    centered[..., 0] = X[..., 0] - 1.0  # the constant is then the mean of the level
    D = np.concatenate([np.ones((*y.shape, 1)), centered], axis=-1)
    D, y = np.where(kept[..., None], D, 0.0), np.where(kept, y, 0.0)
    across = D.transpose(0, 2, 1)
    inverse = np.linalg.inv(across @ D)
    beta = inverse @ (across @ y[..., None])
    sigma2 = ((y[..., None] - D @ beta) ** 2).sum(axis=(1, 2)) / (n - D.shape[-1])
    return beta[:, 0, 0], np.asarray(np.sqrt(sigma2 * inverse[:, 0, 0]))


def _adjusted_low(stack: Stack, of: Of) -> Array:
    mean, error = _adjusted(stack, of)
    return np.asarray(mean - 1.96 * error)


def _adjusted_high(stack: Stack, of: Of) -> Array:
    mean, error = _adjusted(stack, of)
    return np.asarray(mean + 1.96 * error)


STATISTICS: Mapping[str, Callable[[Stack, Of], Array]] = MappingProxyType(
    {
        "count": _count,
        "percent_of": _percent_of,
        "mean": _mean,
        "sd": _sd,
        "percent": _percent,
        "yes": _yes,
        "change_mean": _change_mean,
        "change_sd": _change_sd,
        "change_correlation": _change_correlation,
        "d_average": _d_average,
        "paired_t": _paired_t,
        "p_paired_t": _p_paired_t,
        "mcnemar_p": _mcnemar_p,
        "signed_rank_z": _signed_rank_z,
        "anova_F": lambda stack, of: _anova(stack, of)[0],
        "anova_df_1": lambda stack, of: _anova(stack, of)[1],
        "anova_df_2": _anova_df_2,
        "anova_n": lambda stack, of: _anova(stack, of)[2],
        "attrition_t": _attrition_t,
        "attrition_chi_square": _attrition_chi_square,
        "beta": _beta,
        "slope": _slope,
        "slope_error": _slope_error,
        "path_z": _path_z,
        "synchronous_z": _synchronous_z,
        "adjusted_mean": lambda stack, of: _adjusted(stack, of)[0],
        "adjusted_low": _adjusted_low,
        "adjusted_high": _adjusted_high,
        **STATISTICS_OF_ARMS,
    }
)
"""Statistics by name: of a stack, and of what a number is asked of."""
