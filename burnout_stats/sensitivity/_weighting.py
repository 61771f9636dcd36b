"""The model's contrasts with those who were seen weighted so that they stand for everybody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..cohort.roles import Covariate
from ..display import Watched, teller
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
from ..estimates.answers import Answer
from ..inference import contrast, emmeans
from ..inference.about import about
from ..inference.intervals import checked_level, numbers
from ..models import MMRM, fit
from ..notices import Notice, announce
from ._being_seen import independent, predictor_columns
from ._complete_cases import needs_visit, only
from ._draws import Progress
from ._follow_up_weights import FollowUpWeights, weights
from ._weighted_fit import ERRORS, WeightedFit

__all__ = ["weighted"]

Array = NDArray[np.float64]
WEIGHT = "follow_up_weight"


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
    progress: Watched = None,
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
    progress : callable or bool, optional
        Called as `progress(done, total, what)`; a bar where left out and somebody watches, none with False.

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
    needs_visit(spec)
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
    boot = _Bootstrap(n=n, seed=root, progress=teller(progress)) if se == "bootstrap" else None
    if kind == "augmented":
        return _augmented(found, outcome_terms, se, boot, level)
    solved = _solved(found, se, boot)
    changes = contrast(emmeans(solved, "visit", conf_level=level), "vs_baseline")
    if kind == "completers":
        changes = replace(changes, frame=changes.frame.assign(n=float(solved.n_subjects)))
    return changes


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
    kept, dropped, null = aliased(moments_of_rows(np.column_stack([X, y]), subject, place, len(visits), basis=basis))
    X = X[:, kept]
    if found.kind == "completers":
        X, y = _whitened(found, X, y, subject)
    Q, R = np.linalg.qr(X)
    notices = (*found.notices, *_aliased(found, dropped))
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
    own = only(replace(cohort, data=data, covariate_roles=roles), completed)
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
    answer = Answer(estimate=K @ mu, vcov=K @ V @ K.T, df=np.full(len(K), np.inf), method="asymptotic", vcov_name=se)
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
            f"Mean over all subjects; scores are predicted from {named} (at baseline), by a regression for each visit.",
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
    known: NDArray[np.bool_] = np.asarray(~np.isnan(replicates).any(1))
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


def _aliased(found: FollowUpWeights, dropped: NDArray[np.intp]) -> tuple[Notice, ...]:
    if not len(dropped):
        return ()
    names = ", ".join(f"`{found.design.names[k]}`" for k in dropped)
    notice = Notice(
        "N-MODEL-ALIASED",
        f"In the weighted model, {names} cannot be told from earlier columns, and is left out.",
        "Look for a level without subjects, or for a covariate that says the same as another.",
    )
    announce([notice])
    return (notice,)
