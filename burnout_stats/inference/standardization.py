"""Marginal standardization: what the model says of everybody in turn at each visit (and in each group), averaged over
the covariates as they were observed.

With rows i of the model, s_i the share of a row (all rows of a subject share its weight), and x_i^c the columns of row
i with the asked factors set to those of cell c,

    m_c = Σ_i s_i h(x_i^c'β̂),      J_c = Σ_i s_i h'(x_i^c'β̂) x_i^c,

h the inverse link; with random effects h is integrated over their distribution, and J has the derivatives by their
covariance too. The covariance is J V J' where the covariates are taken as fixed. Where they are taken as sampled, it
is that of the sums over subjects: Σ_j ψ_j ψ_j' with ψ_j = (q_j − m w_j / w) + J a_j, q_j the part of subject j in m and
a_j its part in β̂ (of the robust covariance); with the covariance of a likelihood both parts are added, since under the
model they do not correlate.

A mean is not the one of `emmeans`, which holds numeric covariates at their mean: only where the link is the identity do
they agree.

**Source**: Lane & Nelder 1982, Biometrics 38:613; Muller & MacLehose 2014, Int J Epidemiol 43:962 (marginal
standardization, with the delta method and the bootstrap); Terza 2016, Health Serv Res 51:1109 (the term of the
covariates).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..engine.gee import solve
from ..errors import ModelError, StudyError, one_of
from ..estimates import Estimates
from ..estimates.answers import Answer
from ..models.fitted import Fitted
from ..models.gee_fit import GeeFit
from ..models.generalized_fit import GeneralizedFit
from ..notices import Notice
from .about import about
from .contrasts import contrast
from .emmeans import named, not_estimable
from .everybody import Everybody, everybody_of, in_cell, is_estimable, means_of
from .generalized import COUNTS, event_cells, family_of
from .intervals import checked_level, numbers
from .scales import UNBOUNDED, ScaledMeans, mean_numbers

__all__ = ["numbers_needed", "risk_contrasts", "standardized"]

Array = NDArray[np.float64]
COVARIATES = {"fixed": "taken as fixed", "sampled": "taken as a sample"}
"""What the distribution of the covariates is taken for."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StandardizedMeans(ScaledMeans):
    """Standardized means; `J` holds their derivatives by the coefficients of `fit`, whose degrees of freedom they have,
    and `replicates` (B × means) those of bootstrapped subjects, on the scale of `estimate`.
    """

    fit: Fitted | None = None
    J: Array | None = None
    replicates: Array | None = None

    def answer(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> Answer:
        """K m̂ with its covariance and the degrees of freedom of K J."""
        found = ScaledMeans.answer(self, L, df=df, vcov=vcov)
        if self.fit is None or self.J is None:
            return found
        K = np.where(np.isnan(self.estimate), 0.0, np.atleast_2d(np.asarray(L, dtype=float)))
        rows = K @ np.where(np.isnan(self.J), 0.0, self.J)
        own = self.fit.answer(rows, df=self.method, vcov=self.vcov_name).df
        return replace(found, df=np.where(np.isnan(found.estimate), np.nan, own))

    def on(self, name: str) -> StandardizedMeans:
        """The same means on an unbounded scale, by the delta method; their replicates are taken there themselves."""
        moved = ScaledMeans.on(self, name)
        scale = ScaledMeans.on(replace(self, vcov=np.eye(len(self.estimate))), name)
        slope = np.sqrt(np.diag(scale.vcov))
        copies = None
        if self.replicates is not None:
            flat = self.replicates.ravel()
            each = ScaledMeans(
                grid=self.grid, estimate=flat, vcov=np.zeros((1, 1)), df=np.full(1, np.inf), link=self.link
            )
            copies = _values_on(each, name).reshape(self.replicates.shape)
        return StandardizedMeans(
            grid=self.grid,
            estimate=moved.estimate,
            vcov=moved.vcov,
            df=self.df,
            link=self.link,
            method=self.method,
            vcov_name=self.vcov_name,
            fit=self.fit,
            J=None if self.J is None else slope[:, None] * self.J,
            replicates=copies,
        )


def _values_on(means: ScaledMeans, name: str) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(UNBOUNDED[name].of(np.clip(means.estimate, 1e-300, None)))


def standardized(
    fit: Fitted,
    specs: str | Sequence[str] = "visit",
    *,
    by: str | Sequence[str] | None = None,
    at: Mapping[str, object] | None = None,
    cohort: Cohort | None = None,
    covariates: str = "fixed",
    n_replicates: int = 0,
    seed: int | np.random.SeedSequence | None = None,
    df: str | None = None,
    vcov: str | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """The average probability, mean count or mean score if everybody were at each level of `specs` (and `by`).

    Parameters
    ----------
    fit : a fitted GEE, GLMM, MMRM or LMM
        Of a GLMM the random effects are integrated out.
    specs, by : str or sequence of str
        Factors that everybody is given in turn; `contrast` compares within the levels of `by`.
    at : mapping, optional
        Levels to which to restrict factors of `specs` and `by`, or values of numeric ones.
    cohort : Cohort, optional
        The cohort that the model was fitted to; an MMRM or LMM needs it, because its fit does not keep the covariates.
    covariates : "fixed" or "sampled"
        Whether standard errors are those for just these subjects' covariates, or have the term for the sampling of
        covariates.
    n_replicates, seed : int, optional
        With replicates, standard errors and limits are those of bootstrapped subjects (of a GEE). The answer depends on
        the seed and nothing else.
    df, vcov, conf_level
        As in `summarize`.

    Returns
    -------
    Estimates
        Of the kind "means"; `contrast(..., measure="difference" | "ratio" | "odds_ratio")` makes risk differences, risk
        ratios and odds ratios of averages, `risk_contrasts` the same with bootstrap limits. `n` counts the subjects
        who were seen in a cell.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` without a cohort where one is needed, for ordered categories, or for replicates without a seed.
    ModelError
        `E-MODEL-BOOTSTRAP` for replicates of another model than a GEE, or fewer than half of them solved.
    """
    one_of("covariates", covariates, COVARIATES)
    level = checked_level(conf_level)
    known = fit.design.encoder.variables
    over, within = named(specs, known), () if by is None else named(by, known)
    names = (*within, *over)
    labels, L, n, _ = fit.grid.means(names, at=at)
    grid = fit.grid
    everybody = everybody_of(fit, cohort)
    cells = [
        in_cell(everybody, fit, {str(name): level for name, level in record.items()})
        for record in labels.to_dict("records")
    ]
    is_there = np.array([is_estimable(fit, X) for X, _ in cells])
    m, J, parts, own_vcov = means_of(fit, cells, everybody)
    answer = fit.answer(J if not isinstance(fit, GeneralizedFit) else L, df=df, vcov=vcov)
    V = own_vcov if own_vcov is not None else answer.vcov
    if covariates == "sampled":
        V = _with_covariates(fit, V, J, parts, m, everybody, answer.vcov_name)
    method, degrees, copies = answer.method, answer.df, None
    if n_replicates:
        copies, notices = _bootstrapped(fit, cells, everybody, n_replicates, seed, covariates)
        V, method, degrees = np.cov(copies.T).reshape(len(m), len(m)), "asymptotic", np.full(len(m), np.inf)
    else:
        notices = ()
    m, V = np.where(is_there, m, np.nan), np.where(np.outer(is_there, is_there), V, np.nan)
    family = family_of(fit)
    is_linear = family in ("", "gaussian")
    means = StandardizedMeans(
        grid=grid,
        estimate=m,
        vcov=V,
        df=np.where(is_there, degrees, np.nan),
        link="log" if family in COUNTS else "logit",
        method=method,
        vcov_name="model" if n_replicates else answer.vcov_name,
        fit=None if isinstance(fit, GeneralizedFit) or n_replicates else fit,
        J=J,
        replicates=copies,
    )
    told = {"outcome": fit.outcome.name} | {name: labels[name].to_numpy() for name in (*over, *within)}
    if is_linear:
        frame = numbers(means.answer(np.eye(len(m))), n, conf_level=level, names=told)
    else:
        frame = mean_numbers(means, n, conf_level=level, names=told)
    if copies is not None:
        frame = _percentiles(frame, copies, level)
    gone = (not_estimable(frame[~is_there], names),) if not is_there.all() else ()
    found = about(
        fit,
        kind="means",
        factors=over,
        by=within,
        conf_level=level,
        df_method="" if n_replicates else method,
        vcov=means.vcov_name,
        notes=_notes(fit, names, covariates, n_replicates, labels[(n == 0) & is_there]),
    )
    if not is_linear:
        is_count = family in COUNTS
        quantity, units = ("count", found.units) if is_count else ("probability", {})
        found = replace(found, quantity=quantity, units=units, ranges={})
    return Estimates(
        frame=frame,
        vcov=V,
        about=found,
        notices=(*fit.notices, *gone, *notices),
        L=np.eye(len(frame)),
        answers=means,
        cells=None if is_linear else event_cells(fit, labels),
    )


def risk_contrasts(
    means: Estimates,
    method: str | Mapping[str, Sequence[float]] = "vs_baseline",
    *,
    measure: str = "difference",
    adjust: str = "none",
    conf_level: float | None = None,
) -> Estimates:
    """Contrasts of standardized means; where these were bootstrapped, with quantiles of the replicates as limits.

    Parameters
    ----------
    means : Estimates
        From `standardized`.
    method, adjust, conf_level
        As in `contrast`; limits by quantiles are not adjusted.
    measure : "difference", "ratio" or "odds_ratio"
        Ratios are made on the logarithm (or logit).
    """
    found = contrast(means, method, measure=measure, adjust=adjust, conf_level=conf_level)
    answers, K = found.answers, found.L
    if not isinstance(answers, StandardizedMeans) or answers.replicates is None or K is None:
        return found
    copies = answers.replicates @ K.T
    if measure != "difference":
        copies = np.exp(copies)
    frame = _percentiles(found.frame, copies, found.about.conf_level)
    return replace(found, frame=frame, about=replace(found.about, df_method=""))


def numbers_needed(differences: Estimates) -> Estimates:
    """How many persons there are to one event more or less: 1 / |difference| of risk differences.

    The limits are those of 1 / |difference| where the interval of the difference is on one side of 0. Where it holds 0
    the numbers that agree with the data run through infinity (from one benefit to one harm), and no limits are given.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates that are no risk differences.

    **Source**: Altman 1998, BMJ 317:1309.
    """
    if differences.about.kind != "contrasts" or differences.about.quantity != "probability":
        raise StudyError(
            "E-STUDY-VALUE",
            f"Numbers needed are asked of {differences.about.kind}.",
            "They are made of risk differences.",
            'Write numbers_needed(contrast(standardized(fit, "visit"))).',
        )
    frame = differences.frame
    d, low, high = (frame[name].to_numpy(dtype=float) for name in ("estimate", "conf_low", "conf_high"))
    one_side = low * high > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.sort(np.abs(np.column_stack([1 / low, 1 / high])), axis=1)
        needed = np.abs(1 / d)
    numbers_of = frame.assign(
        estimate=needed,
        std_error=np.nan,
        df=np.nan,
        statistic=np.nan,
        conf_low=np.where(one_side, ends[:, 0], np.nan),
        conf_high=np.where(one_side, ends[:, 1], np.nan),
    )
    told = (
        "Persons to one event more or one fewer, as the sign of the risk difference says.",
        *(() if one_side.all() else ("Without limits where the interval of the risk difference holds 0.",)),
    )
    found = replace(
        differences.about, kind="numbers_needed", quantity="", units={}, notes=(*differences.about.notes, *told)
    )
    nothing = np.full((len(frame), len(frame)), np.nan)
    return replace(differences, frame=numbers_of, vcov=nothing, about=found, L=None, answers=None)


# ---- covariances -----------------------------------------------------------------------------------------------------


def _with_covariates(fit: Fitted, V: Array, J: Array, parts: Array, m: Array, everybody: Everybody, kind: str) -> Array:
    """The covariance with the term for the sampling of covariates."""
    w = everybody.weight / everybody.weight.sum()
    q = parts - m[:, None] * w
    if isinstance(fit, GeeFit) and kind != "model":
        sandwich = fit.sandwich(kind)
        each = sandwich.scores() @ sandwich.M @ J[:, fit.kept].T
        c = fit.counts
        psi = q / c[:, None].T + each.T  # of one of the c equal subjects
        return np.asarray((psi * c) @ psi.T)
    counts = everybody.weight if fit.spec.weights_kind == "frequency" else np.ones(len(w))
    return np.asarray(V + (q / counts) @ q.T)


# ---- the bootstrap ---------------------------------------------------------------------------------------------------


def _bootstrapped(
    fit: Fitted,
    cells: list[tuple[Array, Array]],
    everybody: Everybody,
    n_replicates: int,
    seed: int | np.random.SeedSequence | None,
    covariates: str,
) -> tuple[Array, tuple[Notice, ...]]:
    """The means in replicates (B × cells): subjects drawn with replacement, the equations solved for all at once."""
    if not isinstance(fit, GeeFit):
        raise ModelError(
            "E-MODEL-BOOTSTRAP",
            f"A bootstrap of standardized means is asked of `{fit.spec.formula}`.",
            "Subjects are resampled for estimating equations; other models have the delta method here.",
            "Leave `n_replicates` out, or fit a GEE; bootstrap(...) resamples for the coefficients of an MMRM or LMM.",
        )
    if seed is None or n_replicates < 2:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`n_replicates` is {n_replicates}, and `seed` is {seed!r}.",
            "A bootstrap needs replicates, and a seed to be the same again.",
            "Write for example n_replicates=2000, seed=1.",
        )
    rng = np.random.default_rng(seed)
    persons = fit.counts
    drawn = rng.multinomial(round(float(persons.sum())), persons / persons.sum(), size=n_replicates).astype(float)
    size = np.sqrt((fit.panel.X**2).sum(axis=(0, 1)) / fit.n_obs)
    found = solve(replace(fit.panel, X=fit.panel.X / size), fit.spec.margin, fit.spec.working, drawn, fit.beta * size)
    good = found.solved & found.definite
    lost = int((~good).sum())
    if lost > n_replicates / 2:
        raise ModelError(
            "E-MODEL-BOOTSTRAP",
            f"{lost} of {n_replicates} resamples of `{fit.outcome.name}` have no solution.",
            "At least half of them must have one for their quantiles to mean anything.",
            'Use fewer terms, or working="independence".',
        )
    beta = found.beta[good] / size
    if covariates == "sampled":
        share = (drawn[good] / persons)[:, everybody.subject] * everybody.share
        share /= share.sum(axis=1, keepdims=True)
    else:
        share = np.broadcast_to(everybody.share, (len(beta), len(everybody.share)))
    means = [(share * fit.spec.margin.mean(beta @ X[:, fit.kept].T)).sum(axis=1) for X, _ in cells]
    told = (
        Notice(
            "N-MODEL-REPLICATES",
            f"{lost} of {n_replicates} refits of `{fit.outcome.name}` have no verified optimum and are left out.",
            "Above a few percent the intervals are too narrow: use a structure with fewer parameters.",
        ),
    )
    return np.column_stack(means), told if lost else ()


def _percentiles(frame: pd.DataFrame, copies: Array, level: float) -> pd.DataFrame:
    low, high = np.quantile(copies, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return frame.assign(conf_low=low, conf_high=high, statistic=np.nan, p_value=np.nan, df=np.nan, method="bootstrap")


def _notes(
    fit: Fitted, names: tuple[str, ...], covariates: str, n_replicates: int, nobody: pd.DataFrame
) -> tuple[str, ...]:
    what = " and ".join(name.replace("_", " ") for name in names)
    first = f"Standardized: everybody is given each level of {what} in turn, and the means are averaged over the "
    told = [f"{first}covariates as observed, which are {COVARIATES[covariates]}."]
    if isinstance(fit, GeneralizedFit):
        told.append("The random effects are integrated out.")
    if n_replicates:
        told.append(f"Standard errors and intervals are those of {n_replicates} bootstraps of subjects (quantiles).")
    if len(nobody):
        shown = "; ".join(", ".join(map(str, cell)) for cell in nobody.itertuples(index=False))
        told.append(f"Nobody was seen in {shown}: there the mean rests on the model alone.")
    return tuple(told)
