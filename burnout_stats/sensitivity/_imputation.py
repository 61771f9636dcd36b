"""The second and the third verb: values for what is missing under a stated assumption, and the model fitted to every
completed data set, all of them in one run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..design import Design, build
from ..design.grid import ReferenceGrid
from ..display import Shown, Table
from ..display.escape import for_terminal
from ..display.showing import facts
from ..engine.basis import Basis
from ..engine.covariance import STRUCTURES, Covariance
from ..engine.incomplete_normal import completed, expected
from ..engine.moments import Moments, aliased, moments_of_outcomes
from ..engine.scoring import Status, optimize
from ..errors import ModelError, StudyError, did_you_mean, one_of
from ..models import MMRM
from ..models.degrees_of_freedom import MomentsState
from ..models.generalized import GLMM
from ..notices import Notice
from ._draws import Draws
from ._strategies import STRATEGIES, WORDS, Pattern, Strategy

if TYPE_CHECKING:
    from ._chained import Chains

__all__ = ["Analyses", "Imputations", "Layout", "analyse", "as_seen", "impute", "layout"]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Imputations(Shown):
    """M completed data sets.

    Attributes
    ----------
    draws : Draws, or Chains where the data were completed by chained equations
    strategy : str
        The assumption, by name.
    Y : (M, n, D) array
        What was seen and what was imputed, in the columns of `draws.data`.
    delta : mapping of visit label to what was added to imputed values of the model's outcome
    notes : sentences that belong under every table
    """

    draws: Draws | Chains
    strategy: str
    Y: Array
    delta: Mapping[str, float]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.Y)

    def _tables(self) -> tuple[Table, ...]:
        pairs = [
            ("Model", str(self.draws.spec.formula)),
            ("Completed data sets", str(len(self))),
            ("Assumption", self.strategy),
        ]
        return (facts("Imputations", pairs, notes=self.notes),)

    def __repr__(self) -> str:
        return for_terminal(f"<Imputations: {len(self)} of {self.draws.spec.formula}, {self.strategy}>")

    @property
    def is_expected(self) -> bool:
        """Whether missing values are conditional means, which have no spread of their own."""
        return self.draws.method == "conditional-mean"

    def values(self, outcome: str) -> Array:
        """An outcome at every visit, (M, n, V).

        Raises
        ------
        StudyError
            `E-STUDY-COLUMN` for an outcome that was not imputed.
        """
        data = self.draws.data
        if outcome not in data.outcomes:
            raise StudyError(
                "E-STUDY-COLUMN",
                f"`{outcome}` was not imputed.",
                f"The imputed outcomes are: {', '.join(data.outcomes)}.",
                did_you_mean(outcome, data.outcomes) or "Name it in draws(..., outcomes=[...]).",
            )
        return np.asarray(self.Y[..., data.places(outcome)])

    def cohort(self, k: int) -> Cohort:
        """The k-th completed cohort, with every imputed outcome at every visit, and every auxiliary that was imputed at
        all of them.

        Raises
        ------
        ModelError
            `E-MODEL-CONDITIONAL-MEAN` where missing values are conditional means: only what is linear in the scores may
            be computed from them, and a cohort invites everything else.
        """
        if self.is_expected:
            raise not_linear("A completed cohort")
        skeleton = self.draws.data.skeleton
        filled: dict[str, Array | pd.Categorical[Any]] = {}
        for name, places in self.draws.data.completed().items():
            values = np.broadcast_to(self.Y[k][:, places], (len(self.Y[k]), len(skeleton.visits))).reshape(-1)
            dtype = skeleton.data[name].dtype
            if isinstance(dtype, pd.CategoricalDtype):
                filled[name] = pd.Categorical.from_codes(values.astype(np.int64), dtype=dtype)
            else:
                filled[name] = values
        return replace(skeleton, data=skeleton.data.assign(**filled))


def not_linear(what: str) -> ModelError:
    """The error for what conditional means cannot give."""
    return ModelError(
        "E-MODEL-CONDITIONAL-MEAN",
        f"{what} is asked of conditional means.",
        "They lack the spread of what they stand for, so shares above a cut-off, standard deviations, correlations and "
        "standardized effects would be wrong; means and their contrasts are right.",
        'Draw with method="bayes" or "bootstrap".',
    )


def impute(
    draws: Draws,
    strategy: str | Strategy = "mar",
    *,
    delta: Mapping[str, float] | None = None,
    gaps: str = "mar",
    reference: tuple[str, str] | None = None,
) -> Imputations:
    """Complete the data once for every draw.

    Parameters
    ----------
    draws : Draws
    strategy : str or function
        What is assumed of the imputed outcomes after the last visit at which they were seen: a key of
        `sensitivity.STRATEGIES`, or a function that takes a `Pattern` and gives mean and covariance (`fade(0.2)`,
        `jump_to_norm(norm)`, or one of your own, with a `name` and a `note` for the tables where you like). What is
        missing is drawn from that distribution given all that was seen, auxiliaries included; missing auxiliaries
        come with it.
    delta : mapping of visit label to points, optional
        Added to every imputed value of the model's own outcome at that visit, and not carried on to later ones.
    gaps : "mar" or "strategy"
        What holds for a visit that was missed and followed by one that was not: missing at random, filled in before
        the strategy has its say, or the strategy.
    reference : (covariate, level), optional
        The reference arm, for strategies that have one.

    Returns
    -------
    Imputations

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for an unknown strategy, or one that needs a reference and has none; `E-STUDY-VISITS` for a
        visit that the cohort does not have; `E-STUDY-COLUMN` or `E-STUDY-VALUE` for a reference that is not in the
        model.

    >>> from burnout_stats.studies import example
    >>> from burnout_stats.sensitivity import draws
    >>> impute(draws(MMRM("exhaustion ~ visit"), example("villa_sana"), n=4, seed=1))
    <Imputations: 4 of exhaustion ~ visit, mar>
    """
    one_of("gaps", gaps, ["mar", "strategy"])
    if isinstance(strategy, str):
        name, how = one_of("strategy", strategy, list(STRATEGIES)), STRATEGIES[strategy]
    else:
        name, how = getattr(strategy, "name", getattr(strategy, "__name__", "a strategy of one's own")), strategy
    data, wide = draws.data, draws.data.wide
    shifts = _shifts(delta or {}, data.skeleton.visits.labels)
    rng = None if draws.method == "conditional-mean" else np.random.default_rng(draws.seed)
    Y = np.broadcast_to(wide.Y, (len(draws), *wide.Y.shape)).copy()
    other = None if reference is None else data.W_at(*reference)
    places = {outcome: data.places(outcome) for outcome in data.outcomes}
    years = np.array(data.skeleton.visits.years, dtype=float)
    for seen, members in zip(wide.patterns, wide.members, strict=True):
        if seen.all():
            continue
        y = np.broadcast_to(wide.Y[members], (len(draws), len(members), len(seen))).copy()
        mean, covariance = wide.W[members] @ draws.B, draws.Sigma
        now = seen | _gaps(seen, places) if gaps == "mar" else seen
        if (now > seen).any():
            y[..., now & ~seen] = _drawn(mean[..., now], covariance[:, now][:, :, now], y[..., now], seen[now], rng)
        other_mean = None if other is None else other[members] @ draws.B
        for outcome, at in places.items():
            if not now[at].all():
                mean, covariance = how(
                    Pattern(
                        seen=now,
                        places=at,
                        years=years,
                        y=y,
                        mean=mean,
                        covariance=covariance,
                        reference=other_mean,
                        own=outcome == draws.spec.parsed.response,
                    )
                )
        if not now.all():
            y[..., ~now] = _drawn(mean, covariance, y, now, rng)
        Y[:, members] = y
    own = places[draws.spec.parsed.response]
    Y[..., own] += np.where(np.isnan(wide.Y[:, own]), shifts, 0.0)
    return Imputations(
        draws=draws,
        strategy=name,
        Y=Y,
        delta=dict(delta or {}),
        notes=_notes(draws, _words(name, how), delta or {}, data.skeleton.outcome(draws.spec.parsed.response).label),
    )


def _gaps(seen: Bools, places: Mapping[str, NDArray[np.intp]]) -> Bools:
    """The columns of an outcome that are missing before its last visit seen."""
    found = np.zeros_like(seen)
    for at in places.values():
        visits = np.flatnonzero(seen[at])
        found[at[: visits[-1] if len(visits) else 0]] = True
    return found & ~seen


def _drawn(mean: Array, covariance: Array, y: Array, seen: Bools, rng: np.random.Generator | None) -> Array:
    """What is missing of y (M, n, D), drawn or expected, (M, n, missing)."""
    if rng is None:
        return expected(mean, covariance, y, seen)
    z = rng.standard_normal((*y.shape[:-1], int((~seen).sum())))
    return completed(mean, covariance, y, seen, z)


def _shifts(delta: Mapping[str, float], labels: tuple[str, ...]) -> Array:
    for label in delta:
        if label not in labels:
            raise StudyError(
                "E-STUDY-VISITS",
                f"`delta` names the visit {label!r}.",
                f"The visits are: {', '.join(labels)}.",
                did_you_mean(label, labels),
            )
    return np.array([float(delta.get(label, 0.0)) for label in labels])


def _words(name: str, how: Strategy) -> str:
    """What a strategy assumes, as people read it; nothing for "missing at random"."""
    if how is STRATEGIES["mar"]:
        return ""
    note = getattr(how, "note", WORDS.get(name, ""))
    return name.replace("_", " ") + (f" ({note})" if note else "")


def _notes(draws: Draws, strategy: str, delta: Mapping[str, float], label: str) -> tuple[str, ...]:
    given = ", ".join(draws.data.given)
    how = f" Then: {strategy}." if strategy else ""
    added = "; ".join(f"{value:+g} at {visit}" for visit, value in delta.items() if value)
    return (
        f"Missing at random given: {given}.{how}",
        *((f"Added to imputed values of {label}: {added}.",) if added else ()),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Analyses(Shown):
    """A model fitted to M completed data sets.

    Attributes
    ----------
    spec : MMRM
    design : Design
    imputations : Imputations
    state : MomentsState
        Of the stack.
    kept, null : columns estimated, and combinations of columns that are zero
    notices : tuple of Notice
    """

    spec: MMRM
    design: Design
    imputations: Imputations
    state: MomentsState
    kept: NDArray[np.intp]
    null: Array
    notices: tuple[Notice, ...]

    def __len__(self) -> int:
        return len(self.imputations)

    def _tables(self) -> tuple[Table, ...]:
        pairs = [("Model", str(self.spec.formula)), ("Completed data sets", str(len(self)))]
        return (facts("Analyses of completed data sets", pairs, notes=tuple(map(str, self.notices))),)

    def __repr__(self) -> str:
        return for_terminal(f"<Analyses: {self.spec.formula} fitted to {len(self)} completed data sets>")


def analyse(imputations: Imputations, spec: MMRM | None = None) -> Analyses:
    """Fit a model to every completed data set, in one vectorized run.

    Parameters
    ----------
    imputations : Imputations
    spec : MMRM, optional
        Another model of an imputed outcome, of the same or fewer covariates; by default the one that was drawn for.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for an outcome that was not imputed or a covariate that is not there.
    ModelError
        `E-MODEL-IMPUTE` where the model cannot be fitted to some of the data sets; `E-MODEL-POOLED` where they were
        completed for a `GLMM` (see `pooled_events`).
    """
    plan = layout(imputations, spec)
    response = plan.spec.parsed.response
    raw = plan.moments(imputations.values(response))
    kept, _, null = aliased(raw)
    return Analyses(
        spec=plan.spec,
        design=plan.design,
        imputations=imputations,
        state=plan.fitted(raw, kept),
        kept=kept,
        null=null,
        notices=imputations.draws.notices,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """How completed data sets are fitted: all but their values.

    Attributes
    ----------
    spec : MMRM
    design : Design
    X : (n, V, p) array
    group : (n,) array or None
    weights : (M, n) array or None
        Of conditional means: all subjects, and all but one.
    basis : Basis
    covariance : Covariance
    """

    spec: MMRM
    design: Design
    X: Array
    group: NDArray[np.int64] | None
    weights: Array | None
    basis: Basis
    covariance: Covariance

    def moments(self, y: Array) -> Moments:
        """The moments of outcomes (M, n, V)."""
        return moments_of_outcomes(self.X, y, basis=self.basis, group=self.group, weights=self.weights)

    def fitted(self, raw: Moments, kept: NDArray[np.intp]) -> MomentsState:
        """The optima of a stack of moments, on the columns `kept`.

        Raises
        ------
        ModelError
            `E-MODEL-IMPUTE` where one of them is not verified.
        """
        moments = (raw if len(kept) == raw.n_columns else raw.columns(kept)).orthonormal()
        optimum = optimize(moments, self.covariance, reml=self.spec.method == "reml")
        failed = int((optimum.status != Status.VERIFIED).sum())
        if failed:
            raise ModelError(
                "E-MODEL-IMPUTE",
                f"The model `{self.spec.formula}` has no verified optimum in {failed} of {len(raw.n)} completed data "
                "sets.",
                "An analysis that is pooled needs them all.",
                "Use a simpler covariance, or fewer covariates.",
            )
        return MomentsState(moments, optimum, self.covariance)


def layout(imputations: Imputations, spec: MMRM | None = None) -> Layout:
    """How `analyse` fits a model, with the same errors."""
    draws = imputations.draws
    asked = spec or draws.spec
    if isinstance(asked, GLMM):
        raise ModelError(
            "E-MODEL-POOLED",
            f"These data were completed for `{asked.formula}`, whose outcome is counted, not measured.",
            "Models of events, ordered categories and counts are fitted and pooled in one step.",
            "Write pooled_events(imputations).",
        )
    response = asked.parsed.response
    y = imputations.values(response)
    skeleton = draws.data.skeleton
    n, V = y.shape[1:]
    filled = replace(skeleton, data=skeleton.data.assign(**{response: y[0].reshape(-1)}))
    design, rows = build(asked.parsed, filled, group=asked.covariance_by)
    if len(rows.subject) != n * V:
        raise StudyError(
            "E-STUDY-COLUMN",
            f"The model `{asked.formula}` has covariates that are not known of every subject.",
            f"Those of `{draws.spec.formula}` are.",
            "Name the covariate in the model that is drawn for.",
        )
    X = rows.z[:, :-1].reshape(n, V, -1)
    return Layout(
        spec=asked,
        design=replace(design, grid=as_seen(design.grid, build(asked.parsed, skeleton)[0].grid)),
        X=X,
        group=rows.group,
        weights=np.concatenate([np.ones((1, n)), 1 - np.eye(n)]) if imputations.is_expected else None,
        basis=Basis.centered(np.append(X.reshape(n * V, -1).mean(0), y.mean()), design.encoder.constant),
        covariance=Covariance(
            STRUCTURES[asked.covariance], np.array(skeleton.visits.years), max(1, len(design.groups))
        ),
    )


def as_seen(grid: ReferenceGrid, seen: ReferenceGrid) -> ReferenceGrid:
    """The grid of completed data, its cells with the numbers of scores and subjects that were seen there: an imputed
    score is no person more, and the gate for privacy asks for persons.
    """
    own = seen.cells

    def found(codes: NDArray[np.int64], of: NDArray[np.int64], counts: Array) -> Array:
        same = (codes[:, None, :] == of[None, :, :]).all(-1)
        return np.asarray(same @ counts)

    cells = replace(
        grid.cells,
        rows=found(grid.cells.codes, own.codes, own.rows),
        subjects=found(grid.cells.subject_codes, own.subject_codes, own.subjects),
    )
    return replace(grid, cells=cells)
