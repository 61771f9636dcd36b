"""The second and the third verb: values for what is missing under a stated assumption, and the model fitted to every
completed data set, all of them in one run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..design import Design, build
from ..engine.basis import Basis
from ..engine.covariance import STRUCTURES, Covariance
from ..engine.incomplete_normal import completed, expected
from ..engine.moments import aliased, moments_of_outcomes
from ..engine.scoring import Status, optimize
from ..errors import ModelError, StudyError, did_you_mean, one_of
from ..models import MMRM
from ..models.degrees_of_freedom import MomentsState
from ..notices import Notice
from ._draws import Draws
from ._strategies import STRATEGIES, Pattern, Strategy

__all__ = ["Analyses", "Imputations", "analyse", "impute"]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Imputations:
    """M completed data sets.

    Attributes
    ----------
    draws : Draws
    strategy : str
        The assumption, by name.
    Y : (M, n, D) array
        What was seen and what was imputed, in the columns of `draws.data`.
    delta : mapping of visit label to what was added to imputed values of the model's outcome
    notes : sentences that belong under every table
    """

    draws: Draws
    strategy: str
    Y: Array
    delta: Mapping[str, float]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.Y)

    def __repr__(self) -> str:
        return f"<Imputations: {len(self)} of {self.draws.spec.formula}, {self.strategy}>"

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
        """The k-th completed cohort, with every imputed outcome at every visit.

        Raises
        ------
        ModelError
            `E-MODEL-CONDITIONAL-MEAN` where missing values are conditional means: only what is linear in the scores may
            be computed from them, and a cohort invites everything else.
        """
        if self.is_expected:
            raise not_linear("A completed cohort")
        skeleton = self.draws.data.skeleton
        filled = {name: self.values(name)[k].reshape(-1) for name in self.draws.data.outcomes}
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
        What is assumed of the model's outcomes after the last visit at which they were seen: a key of
        `sensitivity.STRATEGIES`, or a function that takes a `Pattern` and gives mean and covariance. Auxiliaries are
        always taken as missing at random.
    delta : mapping of visit label to points, optional
        Added to every imputed value of the model's own outcome at that visit.
    gaps : "mar" or "strategy"
        What holds for a visit that was missed and followed by one that was not.
    reference : (covariate, level), optional
        The reference arm, for strategies that have one.

    Returns
    -------
    Imputations

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for an unknown strategy, `E-STUDY-VISITS` for a visit that the cohort does not have.

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
        mean = wide.W[members] @ draws.B
        now = seen.copy()
        at_random = ~seen & (np.ones_like(seen) if how is STRATEGIES["mar"] else ~_after(seen, places, gaps))
        if at_random.any():
            some = seen | at_random
            part = _drawn(mean[..., some], draws.Sigma[:, some][:, :, some], y[..., some], seen[some], rng)
            y[..., at_random] = part
            now = some
        if not now.all():
            for at in places.values():
                mine = ~now[at]
                if not mine.any():
                    continue
                other_mean = None if other is None else other[members] @ draws.B
                pattern = Pattern(
                    seen=now,
                    places=at,
                    years=years,
                    y=y,
                    mean=mean,
                    covariance=draws.Sigma,
                    reference=other_mean,
                )
                moved, covariance = how(pattern)
                only = now.copy()
                only[at] = True
                y[..., at[mine]] = _drawn(
                    moved[..., only], covariance[..., only, :][..., only], y[..., only], now[only], rng
                )
                now = only
        Y[:, members] = y
    own = places[draws.spec.parsed.response]
    Y[..., own] += np.where(np.isnan(wide.Y[:, own]), shifts, 0.0)
    return Imputations(
        draws=draws,
        strategy=name,
        Y=Y,
        delta=dict(delta or {}),
        notes=_notes(draws, name, delta or {}, data.skeleton.outcome(draws.spec.parsed.response).label),
    )


def _after(seen: Bools, places: Mapping[str, NDArray[np.intp]], gaps: str) -> Bools:
    """The columns that the strategy speaks of: an outcome's visits after the last one seen, or all that are missing."""
    spoken = np.zeros_like(seen)
    for at in places.values():
        found = np.flatnonzero(seen[at])
        first = 0 if gaps == "strategy" or not len(found) else found[-1] + 1
        spoken[at[first:]] = True
    return spoken & ~seen


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


def _notes(draws: Draws, strategy: str, delta: Mapping[str, float], label: str) -> tuple[str, ...]:
    given = ", ".join(draws.data.given)
    how = "" if strategy == "mar" else f" Then: {strategy.replace('_', ' ')}."
    added = "; ".join(f"{value:+g} at {visit}" for visit, value in delta.items() if value)
    return (
        f"Missing at random given: {given}.{how}",
        *((f"Added to imputed values of {label}: {added}.",) if added else ()),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Analyses:
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

    def __repr__(self) -> str:
        return f"<Analyses: {self.spec.formula} fitted to {len(self)} completed data sets>"


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
        `E-MODEL-IMPUTE` where the model cannot be fitted to some of the data sets.
    """
    draws = imputations.draws
    asked = spec or draws.spec
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
    basis = Basis.centered(np.append(X.reshape(n * V, -1).mean(0), y.mean()), design.encoder.constant)
    weights = np.concatenate([np.ones((1, n)), 1 - np.eye(n)]) if imputations.is_expected else None
    raw = moments_of_outcomes(X, y, basis=basis, group=rows.group, weights=weights)
    kept, dropped, null = aliased(raw)
    moments = (raw if not len(dropped) else raw.columns(kept)).orthonormal()
    covariance = Covariance(STRUCTURES[asked.covariance], np.array(skeleton.visits.years), max(1, len(design.groups)))
    optimum = optimize(moments, covariance, reml=asked.method == "reml")
    failed = int((optimum.status != Status.VERIFIED).sum())
    if failed:
        raise ModelError(
            "E-MODEL-IMPUTE",
            f"The model `{asked.formula}` has no verified optimum in {failed} of {len(imputations)} completed data "
            "sets.",
            "An analysis that is pooled needs them all.",
            "Use a simpler covariance, or fewer covariates.",
        )
    return Analyses(
        spec=asked,
        design=design,
        imputations=imputations,
        state=MomentsState(moments, optimum, covariance),
        kept=kept,
        null=null,
        notices=draws.notices,
    )
