"""A generalized linear mixed model fitted to every completed data set, and one fit from all of them.

With q_k = L β̂ and U_k its covariance in the k-th completed data set, on the scale of the link, Rubin's rules give q̄ and
T = Ū + (1 + 1/m) B, with (m − 1) / λ² degrees of freedom, since complete data have infinitely many. Probabilities are
pooled on the logit, mean counts on the logarithm, and taken back (`inference.scales`).

**Source**: Rubin 1987, Multiple Imputation for Nonresponse in Surveys, equations (3.1.2)-(3.1.8); White, Royston & Wood
2011, Stat Med 30:377, section 7 (on which scale to pool).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort.roles import Outcome, Visits
from ..design import Design, build
from ..design.build import Rows
from ..design.grid import ReferenceGrid
from ..display import Shown, Table, Watched, teller
from ..display.escape import for_terminal
from ..engine.pooling import Pooled, barnard_rubin, d1_test, rubin
from ..errors import ModelError, one_of
from ..estimates.answers import Answer, JointAnswer
from ..estimates.tabulation import tabulate
from ..inference.summary import summarize
from ..models.estimability import independent_rows
from ..models.events import Counted
from ..models.generalized import GLMM
from ..models.generalized_fit import GeneralizedFit, fit_generalized
from ..models.representation import subjects
from ..notices import BurnoutStatsWarning, Notice, announce
from ._chained import Chains
from ._imputation import Imputations, as_seen

__all__ = ["PooledEvents", "pooled_events"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PooledEvents(Shown):
    """A model of events, ordered categories or counts fitted to M completed data sets, as one.

    `emmeans` on every scale, `contrast`, `summarize`, `term_tests` and `joint_test` take it as they take a
    `GeneralizedFit`.

    Attributes
    ----------
    spec : GLMM
    design : Design
        Its grid counts the scores that were seen.
    fits : tuple of GeneralizedFit
    counted, rows : the outcome as numbers, and the rows, of what was seen
    imputations : Imputations
    notices : tuple of Notice
    """

    spec: GLMM
    design: Design
    fits: tuple[GeneralizedFit, ...]
    counted: Counted
    rows: Rows
    imputations: Imputations
    notices: tuple[Notice, ...]

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
    def null(self) -> Array:
        """Combinations of columns that are zero."""
        return self.fits[0].null

    @property
    def n_subjects(self) -> int:
        """Subjects, every one with every visit."""
        return self.fits[0].n_subjects

    @property
    def n_imputations(self) -> int:
        """Completed data sets."""
        return len(self.fits)

    @property
    def coef(self) -> pd.Series:
        """Pooled fixed effects by term, on the scale of the link; NaN for aliased columns."""
        return pd.concat([one.coef for one in self.fits], axis=1).mean(axis=1, skipna=False).rename("estimate")

    @property
    def notes(self) -> tuple[str, ...]:
        """What was counted, assumed, and how the answers were pooled."""
        return (
            f"Counted: {self.counted.what}.",
            *self.imputations.notes,
            f"{self.n_imputations} imputations; pooled on the scale of the link with Rubin's degrees of freedom.",
        )

    def answer(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> Answer:
        """L β pooled on the scale of the link, with Rubin's degrees of freedom."""
        _checked(df, vcov)
        L = np.atleast_2d(np.asarray(L, dtype=float))
        pooled, estimable = self.pooled(L)
        degrees = barnard_rubin(pooled.m, pooled.share, np.full(len(L), np.inf))
        return Answer(
            estimate=np.where(estimable, pooled.estimate, np.nan),
            vcov=np.where(np.outer(estimable, estimable), pooled.total, np.nan),
            df=np.where(estimable, degrees, np.nan),
            method="asymptotic",
        )

    def answer_joint(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> JointAnswer:
        """The F test of L β = 0: D1 of Li, Raghunathan & Rubin 1991.

        Raises
        ------
        ModelError
            `E-MODEL-NOT-ESTIMABLE`.
        """
        _checked(df, vcov)
        L = np.atleast_2d(np.asarray(L, dtype=float))
        U = independent_rows(L[:, self.fits[0].kept], np.array([one.is_estimable(L).all() for one in self.fits]))
        pooled, _ = self.pooled(U @ L)
        statistic, num_df, degrees = d1_test(pooled, np.inf)
        return JointAnswer(statistic=statistic, num_df=num_df, df=degrees, method="asymptotic")

    def pooled(self, L: Array) -> tuple[Pooled, NDArray[np.bool_]]:
        """Rubin's parts of L β, and which rows every completed data set can estimate."""
        answers = [one.answer(L) for one in self.fits]
        estimates = np.array([answer.estimate for answer in answers])
        estimable: NDArray[np.bool_] = ~np.isnan(estimates).any(axis=0)
        inside = np.outer(estimable, estimable)
        covariances = np.array([np.where(inside, answer.vcov, 0.0) for answer in answers])
        return rubin(np.where(estimable, estimates, 0.0), covariances), estimable

    def _tables(self) -> tuple[Table, ...]:
        return (tabulate(summarize(self)),)

    def __repr__(self) -> str:
        size = subjects(self.n_subjects, self.design.policy, of=self.design.n_cohort)
        return for_terminal(f"<PooledEvents: {self.spec.formula}; {size}, {self.n_imputations} imputations>")


def _checked(df: str | None, vcov: str | None) -> None:
    one_of("df", df or "asymptotic", ["asymptotic"])
    one_of("vcov", vcov or "model", ["model"])


def pooled_events(imputations: Imputations, *, progress: Watched = None) -> PooledEvents:
    """Fit the generalized model that the data were completed for to every completed data set, and pool.

    Parameters
    ----------
    imputations : Imputations
        From `chained(GLMM(...), ...)`.
    progress : callable or bool, optional
        As of `chained`.

    Raises
    ------
    ModelError
        `E-MODEL-POOLED` where the data were completed for a model of a measured outcome; `E-MODEL-IMPUTE` where the
        model has no verified optimum in some of the data sets; and as `fit`.

    >>> from burnout_stats.inference import contrast, emmeans
    >>> from burnout_stats.sensitivity import chained
    >>> from burnout_stats.studies import example
    >>> model = GLMM("sick_leave ~ visit + (1 | subject)")
    >>> both = pooled_events(chained(model, example("villa_sana"), n=4, cycles=3, seed=1))
    >>> contrast(emmeans(both, "visit", scale="marginal")).frame["contrast"].tolist()
    ['1 year - baseline', '3 years - baseline']
    """
    draws = imputations.draws
    spec = draws.spec
    if not isinstance(spec, GLMM) or not isinstance(draws, Chains):
        raise ModelError(
            "E-MODEL-POOLED",
            f"These data were completed for `{spec.formula}`, whose outcome is measured.",
            "Here models of events, ordered categories and counts are pooled.",
            "Write pool(analyse(imputations)), or complete the data for a GLMM.",
        )
    numbers = replace(spec, event=None, case=None)
    skeleton = draws.data.skeleton
    heard = teller(progress)
    fits: list[GeneralizedFit] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BurnoutStatsWarning)  # told together below
        for k in range(len(imputations)):
            one = fit_generalized(numbers, imputations.cohort(k))
            fits.append(replace(one, counted=replace(one.counted, what=draws.what, categories=draws.categories)))
            if heard is not None:
                heard(k + 1, len(imputations), "models of completed data")
    _refuse_unverified(spec, fits)
    seen_design, rows = build(spec.parsed, skeleton)
    counted = replace(fits[0].counted, cohort=skeleton)
    design = replace(fits[0].design, grid=as_seen(fits[0].design.grid, seen_design.grid))
    notices = (*draws.notices, *_together(fits))
    announce(notices)
    return PooledEvents(
        spec=spec,
        design=design,
        fits=tuple(fits),
        counted=counted,
        rows=rows,
        imputations=imputations,
        notices=notices,
    )


def _refuse_unverified(spec: GLMM, fits: Sequence[GeneralizedFit]) -> None:
    failed = sum(not one.converged for one in fits)
    if failed:
        raise ModelError(
            "E-MODEL-IMPUTE",
            f"The model `{spec.formula}` has no verified optimum in {failed} of {len(fits)} completed data sets.",
            "An analysis that is pooled needs them all.",
            "Use fewer random effects or covariates.",
        )


def _together(fits: Sequence[GeneralizedFit]) -> tuple[Notice, ...]:
    """A notice that some of the fits have, once, with how many have it."""
    found: dict[str, list[Notice]] = {}
    for one in fits:
        for notice in {notice.code: notice for notice in one.notices}.values():
            found.setdefault(notice.code, []).append(notice)
    return tuple(
        replace(same[0], message=f"In {len(same)} of {len(fits)} completed data sets: {same[0].message}")
        for same in found.values()
    )
