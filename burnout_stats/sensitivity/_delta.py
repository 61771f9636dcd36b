"""Completed data sets along a path: what an analysis says when imputed values are moved by δ.

With y the values of a completed data set and D_k what is added to them for one unit of δ_k (a visit's missing cells; or
what a strategy expects less what "missing at random" does), y(δ) = y + Σ_k δ_k D_k. Cross-products are quadratic in δ:

    T(δ) = T + Σ_k δ_k T_k + Σ_kl δ_k δ_l T_kl

so the moments of all data sets at any δ are algebra on a few sets of moments, found once. The model is then fitted to
all of them in one run: its covariance, the variance within imputations and the degrees of freedom follow δ too. (Where
the estimate does not depend on the covariance it is linear in δ, but for other models it is not.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..engine.moments import Moments
from ..engine.multiplicity import t_quantile, two_sided_p
from ..engine.pooling import barnard_rubin
from ..models.degrees_of_freedom import DF_METHODS
from ._imputation import Imputations, Layout, layout
from ._pooling import PooledFit

__all__ = ["Along", "Path", "path", "shifts"]

Array = NDArray[np.float64]
TOGETHER = 2000
"""Data sets that are fitted at a time."""


class Along(NamedTuple):
    """What k contrasts are at G points of a path: arrays (G, k)."""

    estimate: Array
    std_error: Array
    df: Array

    def limits(self, conf_level: float) -> tuple[Array, Array]:
        """The ends of the intervals."""
        reach = t_quantile(conf_level, self.df) * self.std_error
        return self.estimate - reach, self.estimate + reach

    def test(self, margin: float) -> tuple[Array, Array]:
        """Statistic and two-sided p of the hypothesis that a contrast is the margin."""
        statistic = (self.estimate - margin) / self.std_error
        return statistic, two_sided_p(statistic, self.df)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Path:
    """A pooled fit whose imputed values move.

    Attributes
    ----------
    fit : PooledFit
        At δ = 0.
    plan : Layout
    start : Moments of M data sets at δ = 0
    linear : (K, M, ...) array, quadratic : (K, K, M, ...) array
        T_k and T_kl.
    """

    fit: PooledFit
    plan: Layout
    start: Moments
    linear: Array
    quadratic: Array

    def moments(self, at: Array) -> Moments:
        """Of all data sets at the points δ (G, K), one point after another: a stack of G · M."""
        T = self.start.T + np.tensordot(at, self.linear, axes=1)
        T += np.tensordot(at[:, :, None] * at[:, None, :], self.quadratic, axes=2)
        n = np.broadcast_to(self.start.n, (len(at), *self.start.n.shape))
        return replace(self.start, T=T.reshape(-1, *T.shape[2:]), n=n.reshape(-1, n.shape[-1]))

    def answers(self, L: Array, at: Array, *, df: str | None = None) -> Along:
        """L β pooled at the points δ (G, K), as `PooledFit.answer` pools it at 0."""
        size = max(1, TOGETHER // len(self.start.n))
        parts = [self._answers(L, at[first : first + size], df) for first in range(0, len(at), size)]
        return Along(*(np.concatenate(values) for values in zip(*parts, strict=True)))

    def _answers(self, L: Array, at: Array, df: str | None) -> Along:
        state = self.plan.fitted(self.moments(at), self.fit.kept)
        inner, offset = state.basis.functions(L[:, self.fit.kept])
        shape = (len(at), len(self.start.n), len(L))
        estimates = (np.einsum("mkp,mp->mk", inner, state.gamma) + offset).reshape(shape)
        if self.fit.variance == "jackknife":
            without = estimates[:, 1:]
            n = without.shape[1]
            variance = (n - 1) * without.var(1)
            return Along(estimates[:, 0], np.sqrt(variance), np.full(variance.shape, np.inf))
        name = self.fit.df_method(df)
        method = DF_METHODS[name]
        within = np.einsum("mki,mij,mkj->mk", inner, method.vcov(state), inner).reshape(shape).mean(1)
        complete = np.full((len(at), len(L)), np.inf)
        if name != "asymptotic":
            complete = method.rows(state, inner).reshape(shape).mean(1)
        m = shape[1]
        between = (1 + 1 / m) * estimates.var(1, ddof=1)
        between = np.where(between > 1e-24 * np.square(estimates).mean(1), between, 0.0)  # as `rubin` takes rounding
        total = within + between
        return Along(estimates.mean(1), np.sqrt(total), barnard_rubin(m, between / total, complete))


def path(fit: PooledFit, directions: Array) -> Path:
    """The path of a pooled fit along directions (K, n, V), or (K, M, n, V) where data sets differ in them."""
    imputations = fit.analyses.imputations
    plan = layout(imputations, fit.spec)
    y = imputations.values(fit.spec.parsed.response)
    start = plan.moments(y)
    K = len(directions)
    linear, quadratic = np.zeros((K, *start.T.shape)), np.zeros((K, K, *start.T.shape))
    ahead = [plan.moments(y + direction).T for direction in directions]
    for k in range(K):
        behind = plan.moments(y - directions[k]).T
        linear[k] = (ahead[k] - behind) / 2
        quadratic[k, k] = (ahead[k] + behind) / 2 - start.T
        for j in range(k):
            both = plan.moments(y + directions[k] + directions[j]).T
            cross = (both - ahead[k] - ahead[j] + start.T) / 2
            quadratic[k, j] = quadratic[j, k] = cross
    return Path(fit=fit, plan=plan, start=start, linear=linear, quadratic=quadratic)


def shifts(imputations: Imputations, outcome: str, visits: list[list[int]]) -> Array:
    """1 where a value of the outcome was imputed, for each list of visits (positions), (lists, n, V)."""
    data = imputations.draws.data
    gone = np.isnan(data.wide.Y[:, data.places(outcome)])
    return np.stack([gone * np.isin(np.arange(gone.shape[1]), at) for at in visits]).astype(float)
