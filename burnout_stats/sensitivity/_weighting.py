"""The model's contrasts with those who were seen weighted so that they stand for everybody; and complete cases, which
stand for nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..cohort.roles import Covariate, Outcome, Visits
from ..design import Design, build
from ..design.grid import ReferenceGrid
from ..engine.basis import Basis
from ..engine.batch import resamples
from ..engine.moments import aliased, moments_of_rows
from ..engine.weighting import (
    Weighting,
    augmented_means,
    augmented_replicates,
    weigh,
    weighted_equations,
    weighted_replicates,
)
from ..errors import ModelError, StudyError, one_of
from ..estimates import Estimates
from ..estimates.answers import Answer, JointAnswer
from ..inference import contrast, emmeans
from ..inference.about import about
from ..inference.intervals import checked_level, numbers
from ..models import MMRM, fit
from ..notices import Notice, announce
from ._draws import Progress
from ._follow_up_weights import FollowUpWeights, independent, predictor_columns, weights

__all__ = ["ERRORS", "WeightedFit", "change_from_baseline", "complete_cases", "weighted"]

Array = NDArray[np.float64]
ERRORS = MappingProxyType(
    {
        "sandwich": "sandwich, clustered on the subject, that carries the estimation of the weights",
        "sandwich-known": "sandwich, clustered on the subject, with the weights taken as known",
        "bootstrap": "bootstrap of subjects that refits the model of being seen",
    }
)
"""Where standard errors come from. Weights taken as known give the larger ones, as a rule (Robins, Rotnitzky & Zhao
1995); programs for generalized estimating equations print them. None has a correction for few subjects.
"""
WEIGHT = "follow_up_weight"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class WeightedFit:
    """Weighted estimating equations, solved: `emmeans`, `contrast` and `summarize` take it as they take a `Fit`.

    Attributes
    ----------
    weights : FollowUpWeights
    kept : array of int, null : (p, number aliased) array
        Columns estimated, and combinations of columns that are zero.
    beta : array, covariance : array
        Of the columns estimated.
    se : a key of `ERRORS`
    n_replicates : int
        Of the bootstrap.
    notices : tuple of Notice
    """

    weights: FollowUpWeights
    kept: NDArray[np.intp]
    null: Array
    beta: Array
    covariance: Array
    se: str
    n_replicates: int
    notices: tuple[Notice, ...]

    @property
    def spec(self) -> MMRM:
        """The question."""
        return self.weights.spec

    @property
    def design(self) -> Design:
        """How the columns were made."""
        return self.weights.design

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
        """Subjects with a weighted score."""
        return int(self.weights.response.seen.any(1).sum())

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed, and where the standard errors come from."""
        return (*self.weights.notes, _errors_note(self.se, self.n_replicates))

    @property
    def coef(self) -> pd.Series:
        """Fixed effects by term; NaN for aliased columns."""
        beta = np.full(len(self.design.names), np.nan)
        beta[self.kept] = self.beta
        return pd.Series(beta, index=list(self.design.names), name="estimate")

    def answer(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> Answer:
        """L β with its covariance; the normal distribution stands behind intervals and tests.

        Raises
        ------
        StudyError
            `E-STUDY-OPTION` for other degrees of freedom or another covariance.
        """
        one_of("df", df or "asymptotic", ["asymptotic"])
        one_of("vcov", vcov or self.se, [self.se])
        L = np.atleast_2d(np.asarray(L, dtype=float))
        size = np.abs(L) @ np.abs(self.null)
        known = (np.abs(L @ self.null) <= 1e-8 * np.maximum(size, 1e-300)).all(1)
        own = L[:, self.kept]
        return Answer(
            estimate=np.where(known, own @ self.beta, np.nan),
            vcov=np.where(np.outer(known, known), own @ self.covariance @ own.T, np.nan),
            df=np.where(known, np.inf, np.nan),
            method="asymptotic",
            vcov_name=self.se,
        )

    def answer_joint(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> JointAnswer:
        """Wald's test of L β = 0.

        Raises
        ------
        ModelError
            `E-MODEL-NOT-ESTIMABLE`; otherwise as `answer`.
        """
        found = self.answer(L, df=df, vcov=vcov)
        values, vectors = np.linalg.eigh(np.where(np.isnan(found.vcov), 0.0, found.vcov))
        large = values > 1e-10 * max(float(values[-1]), 1e-300)
        if np.isnan(found.estimate).any() or not large.any():
            raise ModelError(
                "E-MODEL-NOT-ESTIMABLE",
                "The joint test asks for a combination of fixed effects that the data cannot estimate.",
                "Every row of L must be a combination of estimable effects, and not zero.",
                "Leave out the cells without data.",
            )
        z = vectors[:, large].T @ found.estimate / np.sqrt(values[large])
        rank = float(large.sum())
        return JointAnswer(
            statistic=float(z @ z) / rank, num_df=rank, df=np.inf, method="asymptotic", vcov_name=self.se
        )

    def __repr__(self) -> str:
        return f"<WeightedFit: {self.spec.formula}, {self.weights.kind}; {self.n_subjects} subjects>"


def weighted(
    spec: MMRM,
    cohort: Cohort,
    predictors: str | Iterable[str],
    *,
    kind: str = "visits",
    gaps: str = "visit-specific",
    truncate: tuple[float, float] | None = (0.01, 0.99),
    outcome_predictors: str | Iterable[str] | None = None,
    se: str = "sandwich",
    n: int = 1000,
    seed: int | np.random.SeedSequence | None = None,
    conf_level: float = 0.95,
    progress: Progress | None = None,
) -> Estimates:
    """The changes from baseline that would have been seen if everybody had been seen, by inverse-probability weights.

    Parameters
    ----------
    spec : MMRM
        The model; its formula has `visit`.
    cohort, predictors, gaps, truncate
        As in `weights`.
    kind : "visits", "completers" or "augmented"
        - "visits": weighted least squares of all scores (independence estimating equations), each score with the weight
          of its visit.
        - "completers": the model fitted to those seen at every visit, each with one weight.
        - "augmented": the mean of each visit over all subjects, from a regression on `outcome_predictors` among those
          seen and weighted residuals; right if either the regression or the weights are (doubly robust). Of the model
          it takes outcome and visits; its covariates need not be named, since the mean is over all subjects as they
          are.
    outcome_predictors : str or names, optional
        Of the regression of "augmented"; `predictors` where left out.
    se : "sandwich", "sandwich-known" or "bootstrap"
        See `ERRORS`. Intervals take the normal distribution. For "completers" the covariance of the visits is held at
        its estimate.
    n : int
        Resamples of the bootstrap.
    seed : int or SeedSequence
        Of the bootstrap.
    conf_level : float
    progress : callable, optional
        Called as `progress(done, total, what)`.

    Returns
    -------
    Estimates
        Kind "contrasts": each visit less the first, averaged as `emmeans` does over all subjects seen at all.

    Raises
    ------
    StudyError, ModelError
        As `weights`; `E-STUDY-WEIGHTING` for a formula without `visit`, `E-STUDY-VALUE` for a bootstrap without a seed
        or with fewer than 2 resamples, `E-MODEL-BOOTSTRAP` where fewer than half of the resamples have an answer.

    **Source**: Robins, Rotnitzky & Zhao 1995, JASA 90:106; Seaman & White 2013, Stat Methods Med Res 22:278, for
    subjects' weights; Bang & Robins 2005, Biometrics 61:962, for augmented means.

    >>> from burnout_stats.studies import example
    >>> found = weighted(MMRM("exhaustion ~ visit"), example("villa_sana"), ["exhaustion", "job_stress", "coping"])
    >>> found.frame["contrast"].tolist(), found.about.df_method
    (['1 year - baseline', '3 years - baseline'], 'asymptotic')
    """
    one_of("se", se, list(ERRORS))
    level = checked_level(conf_level)
    _needs_visit(spec)
    if se == "bootstrap" and (seed is None or n < 2):
        raise StudyError(
            "E-STUDY-VALUE",
            f"A bootstrap is asked with seed={seed} and n={n}.",
            "It draws at random, at least twice, and the same seed gives the same answer.",
            "Write seed=1 and n=1000.",
        )
    if outcome_predictors is not None and kind != "augmented":
        raise StudyError(
            "E-STUDY-WEIGHTING",
            f"`outcome_predictors` are given with kind={kind!r}.",
            "Only augmented means have a regression of the outcome beside the weights.",
            'Ask with kind="augmented", or leave them out.',
        )
    asked = predictors if isinstance(predictors, str) else tuple(predictors)
    outcome_terms: str | tuple[str, ...] = asked
    if outcome_predictors is not None:
        outcome_terms = outcome_predictors if isinstance(outcome_predictors, str) else tuple(outcome_predictors)
    found = weights(spec, cohort, asked, kind=kind, gaps=gaps, truncate=truncate)
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    boot = _Bootstrap(n=n, seed=root, progress=progress) if se == "bootstrap" else None
    if kind == "augmented":
        return _augmented(found, outcome_terms, se, boot, level)
    solved = _solved(found, se, boot)
    changes = contrast(emmeans(solved, "visit", conf_level=level), "vs_baseline")
    if kind == "completers":
        changes = replace(changes, frame=changes.frame.assign(n=float(solved.n_subjects)))
    return changes


def complete_cases(spec: MMRM, cohort: Cohort, *, conf_level: float = 0.95) -> Estimates:
    """The changes from baseline among those seen at every visit, by the model fitted to them alone.

    It stands for the cohort only where being lost has nothing to do with the scores or their change, given the model's
    covariates.

    Raises
    ------
    StudyError, ModelError
        As `fit`; `E-STUDY-WEIGHTING` for a formula without `visit`, `E-MODEL-EMPTY` where nobody was seen at every
        visit.

    >>> from burnout_stats.studies import example
    >>> complete_cases(MMRM("exhaustion ~ visit"), example("villa_sana")).frame["n"].tolist()
    [169.0, 169.0]
    """
    _needs_visit(spec)
    _, rows = build(spec.parsed, cohort)
    seen = np.zeros((cohort.n_subjects, len(cohort.visits)), dtype=bool)
    seen[rows.ordinal[rows.subject] - 1, rows.visit] = True
    complete = seen.all(1)
    if not complete.any():
        raise ModelError(
            "E-MODEL-EMPTY",
            "Nobody was seen at every visit.",
            "Complete cases are subjects with a score at each of them.",
            "Fit the model to all: fit(spec, cohort).",
        )
    found = change_from_baseline(fit(spec, _only(cohort, complete)), conf_level)
    note = "Subjects seen at every visit only: taken to be like those lost, given the model's covariates."
    return replace(found, about=replace(found.about, notes=(note, *found.about.notes)))


def change_from_baseline(fitted: object, conf_level: float) -> Estimates:
    """Each visit less the first, averaged as `emmeans` does."""
    return contrast(emmeans(fitted, "visit", conf_level=conf_level), "vs_baseline")  # type: ignore[arg-type]  # Fitted


def _needs_visit(spec: MMRM) -> None:
    if "visit" not in spec.parsed.variables:
        raise StudyError(
            "E-STUDY-WEIGHTING",
            f"The formula `{spec.formula}` does not have `visit`.",
            "A change is asked from the first visit to each other one.",
            "Put visit into the formula in place of years.",
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Bootstrap:
    """How often, from where, and whom it tells."""

    n: int
    seed: np.random.SeedSequence
    progress: Progress | None

    def told(self, done: int) -> None:
        """Report progress."""
        if self.progress is not None:
            self.progress(done, self.n, "resampling")


def _solved(found: FollowUpWeights, se: str, boot: _Bootstrap | None) -> WeightedFit:
    """The weighted equations of "visits" and "completers"."""
    rows, design = found.rows, found.design
    visits = np.unique(rows.visit)
    basis = Basis.centered(np.full(len(rows.z), 1 / len(rows.z)) @ rows.z, design.encoder.constant)
    place = np.searchsorted(visits, rows.visit)
    used = found.response.seen[found.subject, rows.visit]
    X, y, subject, visit = rows.z[:, :-1], rows.z[:, -1], found.subject, rows.visit
    if found.kind == "completers":
        X, y, subject, visit, place = X[used], y[used], subject[used], visit[used], place[used]
    kept, _, null = aliased(moments_of_rows(np.column_stack([X, y]), subject, place, len(visits), basis=basis))
    X = X[:, kept]
    if found.kind == "completers":
        X, y = _whitened(found, X, y, subject)
    Q, R = np.linalg.qr(X)
    notices = found.notices
    if boot is None:
        gamma, V = weighted_equations(
            Q, y, subject, visit, found.response, found.weighting, known=se == "sandwich-known"
        )
    else:
        gamma, _ = weighted_equations(Q, y, subject, visit, found.response, found.weighting, known=True)
        replicates = []
        for counts, weighting in _resampled(found, boot):
            beta, known = weighted_replicates(Q, y, subject, visit, counts, weighting)
            replicates.append(np.where(known[:, None], beta, np.nan))
        V, more = _spread(np.concatenate(replicates))
        notices = (*notices, *more)
    back = np.linalg.inv(R)
    return WeightedFit(
        weights=found,
        kept=kept,
        null=null,
        beta=back @ gamma,
        covariance=back @ V @ back.T,
        se=se,
        n_replicates=0 if boot is None else boot.n,
        notices=notices,
    )


def _whitened(found: FollowUpWeights, X: Array, y: Array, subject: NDArray[np.int64]) -> tuple[Array, Array]:
    """The rows of completers times the root of the inverse covariance of the visits, which is that of the weighted
    model, so that its equations are those of independent rows.
    """
    completed = found.response.seen[:, 0]
    weight = found.weighting.weights[0, :, 0]
    cohort = found.cohort
    data = cohort.data.assign(**{WEIGHT: weight[cohort.data["subject"].to_numpy() - 1]})
    roles = {**cohort.covariate_roles, WEIGHT: Covariate(WEIGHT)}
    own = _only(replace(cohort, data=data, covariate_roles=roles), completed)
    sigma = fit(replace(found.spec, weights=WEIGHT, weights_kind="probability"), own).covariance.to_numpy()
    V = len(cohort.visits)
    roots = np.linalg.cholesky(np.linalg.inv(sigma.reshape(-1, V, V)))
    of_subject = roots[np.zeros(len(subject) // V, dtype=np.intp)]
    if found.rows.group is not None:
        group = np.empty(cohort.n_subjects, dtype=np.int64)
        group[found.rows.ordinal - 1] = found.rows.group
        _, codes = np.unique(group[subject[::V]], return_inverse=True)
        of_subject = roots[codes]
    white = np.einsum("nba,nbk->nak", of_subject, np.column_stack([X, y]).reshape(-1, V, X.shape[1] + 1))
    flat = white.reshape(-1, X.shape[1] + 1)
    return flat[:, :-1], flat[:, -1]


def _augmented(
    found: FollowUpWeights,
    terms: str | tuple[str, ...],
    se: str,
    boot: _Bootstrap | None,
    conf_level: float,
) -> Estimates:
    known, names, Z = predictor_columns(found.cohort, terms)
    if len(Z) != found.cohort.n_subjects:
        raise StudyError(
            "E-STUDY-WEIGHTING",
            "Some subjects of whom the predictors of being seen are known lack an outcome predictor.",
            "The regression predicts a score for every subject.",
            "Leave that predictor out, or name it among the predictors of being seen too.",
        )
    seen, labels = found.response.seen, found.cohort.visits.labels
    for v, label in enumerate(labels):
        independent(Z[seen[:, v]], names, f"those seen at {label}")
    Y = np.full(seen.shape, np.nan)
    Y[found.subject, found.rows.visit] = found.rows.z[:, -1]
    mu, V = augmented_means(Z, Y, found.response, found.weighting, known=se == "sandwich-known")
    notices = found.notices
    if boot is not None:
        replicates = []
        for counts, weighting in _resampled(found, boot):
            means, there = augmented_replicates(Z, Y, found.response, counts, weighting)
            replicates.append(np.where(there[:, None], means, np.nan))
        V, more = _spread(np.concatenate(replicates))
        notices = (*notices, *more)
    K = np.column_stack([-np.ones(len(labels) - 1), np.eye(len(labels) - 1)])
    answer = Answer(
        estimate=K @ mu, vcov=K @ V @ K.T, df=np.full(len(K), np.inf), method="asymptotic", vcov_name=se
    )
    n = np.minimum(seen[:, 1:].sum(0), seen[:, 0].sum()).astype(float)
    frame = numbers(
        answer,
        n,
        conf_level=conf_level,
        names={
            "outcome": found.design.outcome.name,
            "contrast": [f"{label} - {labels[0]}" for label in labels[1:]],
        },
    )
    named = ", ".join(variable.label for variable in known)
    shell = WeightedFit(
        weights=found,
        kept=np.arange(0),
        null=np.zeros((0, 0)),
        beta=np.zeros(0),
        covariance=np.zeros((0, 0)),
        se=se,
        n_replicates=0 if boot is None else boot.n,
        notices=notices,
    )
    words = about(
        shell,
        kind="contrasts",
        factors=("contrast",),
        df_method="asymptotic",
        conf_level=conf_level,
        vcov=se,
        notes=(
            f"Mean over all subjects; scores are predicted from {named} (at baseline), by a regression for each visit. "
            "Right if that regression is, or the model of being seen.",
        ),
    )
    return Estimates(frame=frame, vcov=answer.vcov, about=words, notices=notices)


def _resampled(found: FollowUpWeights, boot: _Bootstrap) -> Iterable[tuple[Array, Weighting]]:
    done = 0
    for counts in resamples([np.arange(len(found.X))], boot.n, boot.seed):
        yield counts, weigh(found.response, counts, limits=found.truncate, start=found.weighting)
        done += len(counts)
        boot.told(done)


def _spread(replicates: Array) -> tuple[Array, tuple[Notice, ...]]:
    """The covariance of the replicates that have an answer."""
    known = ~np.isnan(replicates).any(1)
    lost = int((~known).sum())
    if lost > len(known) / 2:
        raise ModelError(
            "E-MODEL-BOOTSTRAP",
            f"{lost} of {len(known)} resamples have no answer.",
            "In most of them the model of being seen must have an optimum.",
            'Take fewer predictors, or ask with se="sandwich".',
        )
    notices: tuple[Notice, ...] = ()
    if lost:
        notices = (
            Notice(
                "N-MODEL-REPLICATES",
                f"{lost} of {len(known)} resamples had no answer and were left out.",
                'With many of them, the rest no longer stands for all; ask with se="sandwich".',
            ),
        )
        announce(notices)
    return np.atleast_2d(np.cov(replicates[known], rowvar=False)), notices


def _only(cohort: Cohort, subjects: NDArray[np.bool_]) -> Cohort:
    return cohort.subset(subjects[cohort.data["subject"].to_numpy() - 1])


def _errors_note(se: str, n: int) -> str:
    often = f" ({n} resamples)" if n else ""
    return f"Standard errors: {ERRORS[se]}{often}; no correction for few subjects."
