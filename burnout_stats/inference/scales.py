"""Means of a generalized model on other scales than that of its link, as something that answers questions too.

With η_c = x_c'β at a cell c and v_c = z_c'Gz_c the variance of its random part (`engine.mean_scales` for the rest),

    "response":  μ_c = h(Σ_k w_k x_ck'β, γ)          a typical subject, whose random effects are 0
    "marginal":  μ_c = Σ_k w_k ∫ h(x_ck'β + √v_ck ε, γ) φ(ε) dε     the average over subjects

over the combinations k of the factors that are averaged: on the first scale the linear predictor is averaged, as on
that of the link, on the second the means themselves are. The covariance is J Φ J' with J = ∂μ/∂ψ, ψ = (β, θ, γ), and

    ∂v/∂Λ_ij = 2 z_i (Λ'z)_j,   G = ΛΛ'.

**Source**: Zeger, Liang & Albert 1988, Biometrics 44:1049; Hedeker, du Toit, Demirtas & Gibbons 2018, Biometrics
74:354; the delta method with the covariance of all parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtr, ndtri

from ..design.grid import Expanded, ReferenceGrid
from ..engine.mean_scales import Mean, averaged, mean_of, probability_at_least, probability_of
from ..engine.multiplicity import t_quantile
from ..engine.pooling import barnard_rubin, rubin
from ..errors import ModelError, StudyError, one_of
from ..estimates.answers import Answer, JointAnswer
from ..models.generalized_fit import GeneralizedFit

__all__ = [
    "SCALES",
    "UNBOUNDED",
    "ScaledMeans",
    "Unbounded",
    "each_mean",
    "linear_means",
    "mean_numbers",
    "pooled_means",
    "scaled",
]

Array = NDArray[np.float64]

SCALES: Mapping[str, str] = MappingProxyType(
    {
        "link": "the linear predictor: log odds, or logarithms of means",
        "response": "probabilities or means of a typical subject, whose random effects are 0",
        "marginal": "probabilities or means averaged over the subjects",
    }
)
"""The scales on which a generalized model is asked."""


@dataclass(frozen=True, slots=True, eq=False)
class Unbounded:
    """A scale without ends for a mean that has some: the function, its inverse, and its derivative."""

    of: Callable[[Array], Array]
    back: Callable[[Array], Array]
    slope: Callable[[Array], Array]


UNBOUNDED: Mapping[str, Unbounded] = MappingProxyType(
    {
        "logit": Unbounded(logit, expit, lambda m: 1 / (m * (1 - m))),
        "probit": Unbounded(ndtri, ndtr, lambda m: np.sqrt(2 * np.pi) * np.exp(0.5 * ndtri(m) ** 2)),
        "log": Unbounded(np.log, np.exp, lambda m: 1 / m),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScaledMeans:
    """Means that are no linear functions of β, and what is asked of them: differences, ratios, joint tests.

    It answers as a fit does, for linear functions K of the means themselves (k × number of means).

    Attributes
    ----------
    grid : ReferenceGrid
    estimate, vcov, df : of the means; NaN where they cannot be estimated
    link : the name in `UNBOUNDED` of the scale on which limits are found
    """

    grid: ReferenceGrid
    estimate: Array
    vcov: Array
    df: Array
    link: str
    method: str = "asymptotic"
    vcov_name: str = "model"

    def answer(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> Answer:
        """K μ̂ with its covariance; of rows with several means the smallest degrees of freedom."""
        one_of("df", df or self.method, [self.method])
        one_of("vcov", vcov or self.vcov_name, [self.vcov_name])
        K = np.atleast_2d(np.asarray(L, dtype=float))
        absent = np.isnan(self.estimate)
        known = ~(K[:, absent] != 0).any(axis=1)
        inner = np.where(absent, 0.0, K)
        df_of = np.where(inner != 0, np.where(absent, np.inf, self.df), np.inf).min(axis=1)
        return Answer(
            estimate=np.where(known, inner @ np.where(absent, 0.0, self.estimate), np.nan),
            vcov=np.where(
                np.outer(known, known), inner @ np.where(np.isnan(self.vcov), 0.0, self.vcov) @ inner.T, np.nan
            ),
            df=np.where(known, df_of, np.nan),
            method=self.method,
            vcov_name=self.vcov_name,
        )

    def answer_joint(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> JointAnswer:
        """Wald's test of K μ = 0.

        Raises
        ------
        ModelError
            `E-MODEL-NOT-ESTIMABLE`.
        """
        found = self.answer(L, df=df, vcov=vcov)
        values, vectors = np.linalg.eigh(np.where(np.isnan(found.vcov), 0.0, found.vcov))
        kept = values > 1e-10 * max(float(values.max(initial=0.0)), 1e-300)
        if np.isnan(found.estimate).any() or not kept.any():
            raise ModelError(
                "E-MODEL-NOT-ESTIMABLE",
                "The joint test asks for means that the data cannot estimate.",
                "Every row must be made of means that can be estimated, and not be zero.",
                "Leave out the cells without data.",
            )
        turned = vectors[:, kept].T @ found.estimate
        rank = int(kept.sum())
        statistic = float((turned**2 / values[kept]).sum()) / rank
        return JointAnswer(
            statistic=statistic,
            num_df=float(rank),
            df=float(found.df.min()),
            method=self.method,
            vcov_name=self.vcov_name,
        )

    def on(self, name: str) -> ScaledMeans:
        """The same means on an unbounded scale, by the delta method."""
        scale = UNBOUNDED[name]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            estimate, slope = scale.of(self.estimate), scale.slope(self.estimate)
            vcov = self.vcov * np.outer(slope, slope)
        known = np.isfinite(estimate)
        return ScaledMeans(
            grid=self.grid,
            estimate=np.where(known, estimate, np.nan),
            vcov=np.where(np.outer(known, known), vcov, np.nan),
            df=self.df,
            link=self.link,
            method=self.method,
            vcov_name=self.vcov_name,
        )


def mean_numbers(means: ScaledMeans, n: Array, *, conf_level: float, names: Mapping[str, object]) -> pd.DataFrame:
    """The columns of Estimates for the means: limits are found on the unbounded scale and taken back, so that they stay
    within what a mean can be. There is no test: that a probability is 0 is nobody's hypothesis.
    """
    free = means.on(means.link)
    half = t_quantile(conf_level, means.df) * np.sqrt(np.diag(free.vcov))
    back = UNBOUNDED[means.link].back
    nothing = np.full(len(means.estimate), np.nan)
    return pd.DataFrame(
        {
            **names,
            "estimate": means.estimate,
            "std_error": np.sqrt(np.diag(means.vcov)),
            "df": means.df,
            "statistic": nothing,
            "p_value": nothing,
            "conf_low": back(free.estimate - half),
            "conf_high": back(free.estimate + half),
            "n": n,
            "method": means.method,
        }
    )


def pooled_means(parts: Sequence[ScaledMeans]) -> ScaledMeans:
    """The means of several completed data sets as one, by Rubin's rules on the unbounded scale, taken back by the delta
    method; degrees of freedom are Rubin's, (m − 1) / λ².
    """
    first = parts[0]
    free = [part.on(part.link) for part in parts]
    estimates = np.array([part.estimate for part in free])
    known = ~np.isnan(estimates).any(axis=0)
    covariances = np.array([part.vcov for part in free])
    pooled = rubin(np.where(known, estimates, 0.0), np.where(np.outer(known, known), covariances, 0.0))
    with np.errstate(invalid="ignore"):
        df = barnard_rubin(pooled.m, np.where(known, pooled.share, 0.0), np.full(len(known), np.inf))
    scale = UNBOUNDED[first.link]
    estimate = np.where(known, scale.back(pooled.estimate), np.nan)
    back = 1 / scale.slope(np.where(known, estimate, 0.5))
    return ScaledMeans(
        grid=first.grid,
        estimate=estimate,
        vcov=np.where(np.outer(known, known), pooled.total * np.outer(back, back), np.nan),
        df=np.where(known, df, np.nan),
        link=first.link,
        method=first.method,
        vcov_name=first.vcov_name,
    )


# ---- from a fit ------------------------------------------------------------------------------------------------------


def each_mean(fit: GeneralizedFit, categories: str) -> list[tuple[str, Mean]]:
    """The means that a score has, with their names: one, or one for each ordered category.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION`.
    """
    one_of("categories", categories, ["each", "at_least"])
    labels = fit.counted.categories
    if fit.spec.family == "ordinal":
        n = len(labels)
        if categories == "each":
            return [(label, probability_of(k, n)) for k, label in enumerate(labels)]
        return [(f"{label} or higher", probability_at_least(k)) for k, label in enumerate(labels) if k]
    if categories != "each":
        raise StudyError(
            "E-STUDY-VALUE",
            f"`categories` is {categories!r}, and the family is {fit.spec.family}.",
            "Ordered categories have probabilities of at least one of them.",
            'Leave it out, or fit with family="ordinal".',
        )
    return [("", mean_of(f"{fit.spec.family}/{fit.spec.link_name}", fit.spec.zeros))]


def scaled(fit: GeneralizedFit, cells: Expanded, mean: Mean, scale: str) -> tuple[Array, Array]:
    """The means at the cells and their derivatives by ψ (cells × parameters); NaN where they cannot be estimated."""
    psi = fit.optimum.psi
    p, t, _ = fit.problem.sizes
    gamma = psi[p + t :]
    if scale == "response":
        rows, weights = (cells.weights @ cells.rows)[:, None, :], np.ones(1)
        variance, of_theta = np.zeros((len(rows), 1)), np.zeros((len(rows), 1, t))
    else:
        rows, weights = cells.rows, cells.weights
        variance, of_theta = _random_variance(fit, cells)
    m, k, _ = rows.shape
    inner = rows[..., fit.kept] @ fit.transform[:, :p]  # thresholds are γ, not part of η
    eta = inner @ psi[:p]
    at = averaged(mean, eta.ravel(), variance.ravel(), gamma) if scale != "response" else _typical(mean, eta, gamma)
    J = np.concatenate(
        [
            at.of_eta.reshape(m, k, 1) * inner,
            at.of_variance.reshape(m, k, 1) * of_theta,
            at.of_gamma.reshape(m, k, len(gamma)),
        ],
        axis=2,
    )
    used = np.flatnonzero(np.asarray(weights) > 0)
    told = fit.is_estimable(rows[:, used].reshape(-1, rows.shape[2]))
    estimable = np.asarray(told.reshape(m, -1).all(axis=1))
    value = at.value.reshape(m, k) @ weights
    return np.where(estimable, value, np.nan), np.where(estimable[:, None], np.einsum("mkj,k->mj", J, weights), np.nan)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _At:
    """As `MeanOfScores`, for a typical subject."""

    value: Array
    of_eta: Array
    of_variance: Array
    of_gamma: Array


def _typical(mean: Mean, eta: Array, gamma: Array) -> _At:
    found = mean(eta.ravel(), gamma)
    return _At(value=found.value, of_eta=found.first, of_variance=np.zeros_like(found.value), of_gamma=found.own)


def _random_variance(fit: GeneralizedFit, cells: Expanded) -> tuple[Array, Array]:
    """z'Gz at every cell and combination, and its derivatives by θ."""
    problem = fit.problem
    p, t, _ = problem.sizes
    m, k, _ = cells.rows.shape
    if not t:
        return np.zeros((m, k)), np.zeros((m, k, 0))
    Z = _random_columns(fit, cells)
    q = Z.shape[2]
    root = np.zeros((q, q))
    root[problem.free[:, 0], problem.free[:, 1]] = fit.optimum.psi[p : p + t]
    turned = Z @ root
    return (turned**2).sum(axis=2), 2 * Z[:, :, problem.free[:, 0]] * turned[:, :, problem.free[:, 1]]


def _random_columns(fit: GeneralizedFit, cells: Expanded) -> Array:
    """Z at every cell and combination: what the grid says of time and covariates, and otherwise their means."""
    random = fit.design.random
    assert random is not None
    m, k, _ = cells.rows.shape
    years = np.array(fit.design.visits.years)
    values: dict[str, NDArray[np.generic]] = dict(cells.values)
    if "visit" in values:
        at = years[values["visit"].astype(np.int64)]
        values |= {name: at for name in ("years", "exact_years") if name not in values}
    elif "years" in values and "visit" in random.variables:
        values["visit"] = np.abs(values["years"].astype(float)[..., None] - years).argmin(axis=-1)
    for part in random.parts:
        for name, variable in part.variables.items():
            if name in values:
                continue
            if variable.is_categorical:
                raise StudyError(
                    "E-STUDY-GRID",
                    f"The random effects differ by `{name}`, which the fixed part does not have.",
                    "An average over subjects needs to know at which level it is taken.",
                    f"Put `{name}` into the fixed part of the formula too.",
                )
            values[name] = np.full((m, k), variable.mean)
    flat = {name: values[name].reshape(m * k) for name in random.variables}
    return random.columns(flat, m * k).reshape(m, k, -1)


def linear_means(
    answer: Answer, grid: ReferenceGrid, mean: Callable[[Array], Array], slope: Callable[[Array], Array], link: str
) -> ScaledMeans:
    """Means h(η̂) of a model without random effects, from its answer on the scale of the link, with h and h'."""
    known = ~np.isnan(answer.estimate)
    eta = np.where(known, answer.estimate, 0.0)
    h1 = slope(eta)
    return ScaledMeans(
        grid=grid,
        estimate=np.where(known, mean(eta), np.nan),
        vcov=answer.vcov * np.outer(h1, h1),
        df=answer.df,
        link=link,
        method=answer.method,
        vcov_name=answer.vcov_name,
    )
