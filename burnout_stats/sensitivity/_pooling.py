"""The fourth verb: one fit from the fits to all completed data sets. It answers questions as a `Fit` does."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort.roles import Outcome, Visits
from ..design import Design
from ..design.grid import ReferenceGrid
from ..display import Shown, Table
from ..display.escape import for_terminal
from ..engine.pooling import Pooled, barnard_rubin, d1_test, imputations_needed, missing_information, rubin
from ..errors import ModelError, one_of
from ..estimates import Estimates
from ..estimates.answers import Answer, JointAnswer
from ..estimates.tabulation import tabulate
from ..inference.summary import summarize
from ..models import MMRM
from ..models.degrees_of_freedom import DF_METHODS
from ..models.estimability import estimable_rows, independent_rows
from ..models.representation import subjects
from ..notices import Notice
from ._imputation import Analyses, not_linear

__all__ = ["VARIANCES", "PooledFit", "information", "pool"]

Array = NDArray[np.float64]
VARIANCES = MappingProxyType(
    {
        "rubin": "information-anchored (Rubin's rules)",
        "jackknife": "of repeated sampling (jackknife of conditional means)",
    }
)
"""What a variance estimates. Rubin's rules keep the share of information that is lost as it is under "missing at
random", whatever is assumed (Cro, Carpenter & Kenward 2019, JRSS A 182:623); the jackknife of conditional means
estimates how the estimate varies over samples (Wolbers et al. 2022, Pharm Stat 21:1246), which under assumptions that
borrow from a reference is smaller. With a fixed delta both rest on that delta (Lu 2021).
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PooledFit(Shown):
    """A model fitted to M completed data sets, as one.

    `emmeans`, `contrast`, `slopes`, `summarize` and `joint_test` take it as they take a `Fit`.

    Attributes
    ----------
    analyses : Analyses
    variance : a key of `VARIANCES`
    """

    analyses: Analyses
    variance: str

    @property
    def spec(self) -> MMRM:
        """The question."""
        return self.analyses.spec

    @property
    def design(self) -> Design:
        """How the columns were made; its grid counts the scores that were seen."""
        return self.analyses.design

    @property
    def outcome(self) -> Outcome:
        """The outcome that was modeled."""
        return self.design.outcome

    @property
    def visits(self) -> Visits:
        """The visits."""
        return self.design.visits

    @property
    def grid(self) -> ReferenceGrid:
        """The reference grid."""
        return self.design.grid

    @property
    def n_subjects(self) -> int:
        """Subjects, every one with every visit."""
        return self.analyses.imputations.draws.data.n_subjects

    @property
    def n_imputations(self) -> int:
        """Completed data sets (of conditional means: 1)."""
        return 1 if self.variance == "jackknife" else len(self.analyses)

    @property
    def kept(self) -> NDArray[np.intp]:
        """The columns that are estimated."""
        return self.analyses.kept

    @property
    def null(self) -> Array:
        """Combinations of columns that are zero."""
        return self.analyses.null

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the draws had to tell."""
        return self.analyses.notices

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed, and what the variance estimates."""
        draws = self.analyses.imputations.draws
        how = (
            f"{self.n_imputations} imputations, {draws.method} draws"
            if self.variance == "rubin"
            else "conditional-mean imputation"
        )
        return (*self.analyses.imputations.notes, f"{how[:1].upper()}{how[1:]}; variance {VARIANCES[self.variance]}.")

    @property
    def coef(self) -> pd.Series:
        """Pooled fixed effects by term; NaN for aliased columns."""
        names = list(self.design.names)
        beta = np.full(len(names), np.nan)
        state = self.analyses.state
        whole = state.basis.coefficients(state.gamma)
        beta[self.kept] = whole[0] if self.variance == "jackknife" else whole.mean(0)
        return pd.Series(beta, index=names, name="estimate")

    @property
    def covariance(self) -> pd.DataFrame:
        """Σ, averaged over the completed data sets (groups one below the other).

        Raises
        ------
        ModelError
            `E-MODEL-CONDITIONAL-MEAN` for conditional means, which have too little spread.
        """
        if self.variance == "jackknife":
            raise not_linear("The covariance of the visits")
        state = self.analyses.state
        sigma = (state.optimum.at.sigma * state.basis.scale[:, None, None, None] ** 2).mean(0)
        labels = list(self.visits.labels)
        groups = self.design.groups
        index = pd.MultiIndex.from_product([groups, labels]) if groups else pd.Index(labels)
        return pd.DataFrame(sigma.reshape(-1, len(labels)), index=index, columns=labels)

    def answer(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> Answer:
        """L β pooled, with covariance and degrees of freedom (Barnard & Rubin 1999); the degrees of freedom that
        complete data would have are found by the method `df`, as of a `Fit`.

        Raises
        ------
        StudyError
            `E-STUDY-OPTION` for an unknown method.
        ModelError
            `E-MODEL-VCOV` for a robust covariance, `E-MODEL-NEEDS-REML` as of a `Fit`.
        """
        L = np.atleast_2d(np.asarray(L, dtype=float))
        name = self.df_method(df, vcov)
        estimable = self.is_estimable(L)
        inner, offset = self.analyses.state.basis.functions(L[:, self.kept])
        estimates = np.einsum("mkp,mp->mk", inner, self.analyses.state.gamma) + offset
        if self.variance == "jackknife":
            estimate, covariance = estimates[0], _jackknife(estimates[1:])
            degrees = np.full(len(L), np.inf)
            name = "asymptotic"
        else:
            pooled, complete = self._pooled(inner, estimates, name)
            estimate, covariance = pooled.estimate, pooled.total
            degrees = barnard_rubin(pooled.m, pooled.share, complete)
        return Answer(
            estimate=np.where(estimable, estimate, np.nan),
            vcov=np.where(np.outer(estimable, estimable), covariance, np.nan),
            df=np.where(estimable, degrees, np.nan),
            method=name,
        )

    def answer_joint(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> JointAnswer:
        """The F test of L β = 0: D1 with the degrees of freedom of Reiter 2007 (of conditional means, Wald's).

        Raises
        ------
        ModelError
            `E-MODEL-NOT-ESTIMABLE`; otherwise as `answer`.
        """
        L = np.atleast_2d(np.asarray(L, dtype=float))
        name = self.df_method(df, vcov)
        U = independent_rows(L[:, self.kept], self.is_estimable(L))
        rank = len(U)
        L = U @ L
        inner, offset = self.analyses.state.basis.functions(L[:, self.kept])
        estimates = np.einsum("mkp,mp->mk", inner, self.analyses.state.gamma) + offset
        if self.variance == "jackknife":
            V = _jackknife(estimates[1:])
            F = float(estimates[0] @ np.linalg.solve(V, estimates[0])) / rank
            return JointAnswer(statistic=F, num_df=float(rank), df=np.inf, method="asymptotic")
        state = self.analyses.state
        pooled, _ = self._pooled(inner, estimates, name)
        complete, scale = np.inf, 1.0
        if name != "asymptotic":  # Kenward and Roger scale F, and so is D1 then
            method = DF_METHODS[name]
            own, denominators = method.joint(state, inner, estimates)
            V = inner @ method.vcov(state) @ np.swapaxes(inner, -1, -2)
            wald = np.einsum("mk,mk->m", estimates, np.linalg.solve(V, estimates[..., None])[..., 0]) / rank
            complete, scale = float(denominators.mean()), float((own / wald).mean())
        F, num_df, degrees = d1_test(pooled, complete)
        return JointAnswer(statistic=scale * F, num_df=num_df, df=degrees, method=name)

    def is_estimable(self, L: Array) -> NDArray[np.bool_]:
        """Which rows of L (k × p) the completed data can estimate."""
        return estimable_rows(self.null, L)

    def pooled(self, L: Array, *, df: str | None = None) -> tuple[Pooled, Array]:
        """Rubin's parts of L β, and the degrees of freedom with complete data.

        Raises
        ------
        ModelError
            `E-MODEL-CONDITIONAL-MEAN` where there are no imputations to compare.
        """
        if self.variance == "jackknife":
            raise not_linear("The fraction of missing information")
        inner, offset = self.analyses.state.basis.functions(np.atleast_2d(L)[:, self.kept])
        estimates = np.einsum("mkp,mp->mk", inner, self.analyses.state.gamma) + offset
        return self._pooled(inner, estimates, self.df_method(df))

    def _pooled(self, inner: Array, estimates: Array, name: str) -> tuple[Pooled, Array]:
        state = self.analyses.state
        method = DF_METHODS[name]
        within = inner @ method.vcov(state) @ np.swapaxes(inner, -1, -2)
        somewhere = np.abs(inner).max((0, 2)) > 0
        complete = np.full(estimates.shape[1], np.nan)
        complete[somewhere] = np.inf if name == "asymptotic" else method.rows(state, inner[:, somewhere]).mean(0)
        return rubin(estimates, within), complete

    def df_method(self, df: str | None, vcov: str | None = None) -> str:
        """The method that is meant, after the checks of `answer`."""
        if vcov not in (None, "model"):
            raise ModelError(
                "E-MODEL-VCOV",
                f"The robust covariance `{vcov}` is asked of a pooled fit.",
                "Rubin's rules here pool the covariance of the model.",
                'Ask with vcov="model".',
            )
        name = df or ("kenward-roger" if self.spec.method == "reml" else "satterthwaite")
        one_of("df", name, [key for key, method in DF_METHODS.items() if method.counted is None])
        if DF_METHODS[name].reml_only and self.spec.method != "reml":
            raise ModelError(
                "E-MODEL-NEEDS-REML",
                f"`{name}` is asked of a model fitted by maximum likelihood.",
                "The adjustment of Kenward and Roger is derived for REML.",
                'Fit with method="reml", or ask with df="satterthwaite".',
            )
        return name

    def _tables(self) -> tuple[Table, ...]:
        return (tabulate(summarize(self)),)

    def __repr__(self) -> str:
        what = f"{self.n_imputations} imputations" if self.variance == "rubin" else "conditional means"
        size = subjects(self.n_subjects, self.design.policy, of=self.design.n_cohort)
        return for_terminal(f"<PooledFit: {self.spec.formula}; {size}, {what}>")


def pool(analyses: Analyses) -> PooledFit:
    """One fit from all: by Rubin's rules, or of conditional means with the jackknife.

    >>> from burnout_stats.inference import contrast, emmeans
    >>> from burnout_stats.sensitivity import analyse, draws, impute
    >>> from burnout_stats.studies import example
    >>> found = draws(MMRM("exhaustion ~ visit"), example("villa_sana"), n=20, seed=1)
    >>> fit = pool(analyse(impute(found)))
    >>> contrast(emmeans(fit, "visit")).frame["contrast"].tolist()
    ['1 year - baseline', '3 years - baseline']
    """
    return PooledFit(analyses=analyses, variance="jackknife" if analyses.imputations.is_expected else "rubin")


def information(estimates: Estimates) -> pd.DataFrame:
    """What is missing behind estimates of a pooled fit: for each row the fraction of missing information `fmi`, the
    relative `increase` of variance, the Monte-Carlo error of the estimate, and how many imputations keep the standard
    error within 5% over repeated imputation.

    Raises
    ------
    ModelError
        `E-MODEL-DETACHED`, or `E-MODEL-CONDITIONAL-MEAN` where nothing was drawn, or `E-MODEL-POOLED` for estimates
        of another fit.

    **Source**: Rubin 1987, section 3.1; von Hippel 2020, Sociol Methods Res 49:699.
    """
    L, fit = estimates.attached()
    if not isinstance(fit, PooledFit):
        raise ModelError(
            "E-MODEL-POOLED",
            "The estimates are not those of a pooled fit.",
            "Only imputation tells how much information is missing.",
            "Ask emmeans(pool(analyse(impute(draws(...)))), ...).",
        )
    pooled, complete = fit.pooled(L, df=estimates.about.df_method)
    df = barnard_rubin(pooled.m, pooled.share, complete)
    fmi = missing_information(pooled.increase, df)
    naming = [name for name in ("outcome", *estimates.about.factors, *estimates.about.by) if name in estimates.frame]
    return estimates.frame[naming].assign(
        fmi=fmi,
        increase=pooled.increase,
        monte_carlo_error=pooled.monte_carlo_error,
        imputations=fit.n_imputations,
        imputations_needed=imputations_needed(fmi),
    )


def _jackknife(without: Array) -> Array:
    """(n − 1)/n Σ (θ_(i) − θ̄)(θ_(i) − θ̄)'."""
    n = len(without)
    deviation = without - without.mean(0)
    return np.asarray((n - 1) / n * deviation.T @ deviation)
