"""`fit`: a question and a cohort become a Fit."""

from __future__ import annotations

from dataclasses import replace
from typing import overload

import numpy as np

from ..cohort.cohort import Cohort
from ..cohort.stream import CohortStream
from ..design import build
from ..design.build import Rows
from ..design.random import clusters_of
from ..engine.basis import Basis
from ..engine.covariance import STRUCTURES, Covariance
from ..engine.moments import aliased, distinct, moments_of_rows
from ..engine.scoring import optimize
from ..errors import ModelError
from ..notices import announce
from .clusters import ClusteredState, Clusters, fit_clusters
from .convergence import refuse_unanswerable, verdict
from .degrees_of_freedom import MomentsState
from .gee import GEE
from .gee_fit import GeeFit, fit_gee
from .generalized import GLMM
from .generalized_fit import GeneralizedFit, fit_generalized
from .link_fit import aliased_notice
from .random_effects import RandomEffects, RowsState, fit_random_effects
from .result import Fit
from .spec import MMRM, Model
from .streaming import Tally, gathered

__all__ = ["fit"]


@overload
def fit(spec: GLMM, cohort: Cohort) -> GeneralizedFit: ...


@overload
def fit(spec: GEE, cohort: Cohort) -> GeeFit: ...


@overload
def fit(spec: Model, cohort: Cohort | CohortStream | Tally) -> Fit: ...


def fit(spec: Model | GLMM | GEE, cohort: Cohort | CohortStream | Tally) -> Fit | GeneralizedFit | GeeFit:
    """Fit a model to a cohort, or to one that is read part by part (its fit has no rows).

    A `GLMM` takes a cohort and becomes a `GeneralizedFit`, a `GEE` a `GeeFit`.

    Subjects without the outcome change nothing; rows without a covariate of the model are left out with a notice;
    columns that are combinations of earlier ones are named in a notice and left out.

    Raises
    ------
    StudyError
        For names that the cohort does not have.
    ModelError
        Where the model has no answer for these data (`E-MODEL-...`).

    >>> from burnout_stats.studies import example
    >>> fitted = fit(MMRM("exhaustion ~ visit"), example("villa_sana"))
    >>> fitted.converged, list(fitted.coef.index)
    (True, ['Intercept', 'visit[1 year]', 'visit[3 years]'])
    """
    if isinstance(spec, GLMM | GEE):
        if not isinstance(cohort, Cohort):
            raise ModelError(
                "E-MODEL-NEEDS-ROWS",
                f"{type(spec).__name__} is asked of a cohort that is read part by part.",
                "Events, ordered categories and counts are modeled from rows, not from cross-products.",
                "Fit the model to a cohort in memory.",
            )
        return fit_generalized(spec, cohort) if isinstance(spec, GLMM) else fit_gee(spec, cohort)
    rows: Rows | None = None
    if isinstance(cohort, CohortStream | Tally):
        design, raw, seen = gathered(spec, cohort)
    else:
        design, rows = build(spec.parsed, cohort, group=spec.covariance_by, weight=spec.weights, cluster=spec.cluster)
        if rows.weight is not None and spec.weights_kind == "probability":  # their scale has no meaning: mean 1
            rows = replace(rows, weight=rows.weight / rows.weight.mean())
        seen, visit = distinct(rows.visit)
        n_rows = len(rows.z)
        basis = Basis.centered(np.full(n_rows, 1 / n_rows) @ rows.z, design.encoder.constant)
        raw = moments_of_rows(
            rows.z, rows.subject, visit, len(seen), basis=basis, group=rows.group, weights=rows.weight
        )
    kept, dropped, null = aliased(raw)
    moments = raw if not len(dropped) else raw.columns(kept)
    visits = replace(
        design.visits,
        labels=tuple(design.visits.labels[k] for k in seen),
        years=tuple(design.visits.years[k] for k in seen),
    )
    refuse_unanswerable(moments, visits, design.outcome.name, spec.structure_code, reml=spec.method == "reml")
    moments = moments.orthonormal()
    reml = spec.method == "reml"
    state: MomentsState | RowsState | ClusteredState
    random: RandomEffects | None = None
    clusters: Clusters | None = None
    if clusters_of(spec.parsed) is not None:
        state, random, clusters, found = fit_clusters(spec, design, rows, moments, seen=seen, kept=kept)
    elif isinstance(spec, MMRM):
        covariance = Covariance(STRUCTURES[spec.covariance], np.array(visits.years), max(1, len(design.groups)))
        optimum = optimize(moments, covariance, reml=reml)
        state = MomentsState(moments, optimum, covariance)
        found = verdict(optimum, design.outcome.name, visits=visits, moments=moments, covariance=covariance, reml=reml)
    else:
        state, random, found = fit_random_effects(design, rows, moments, seen=seen, kept=kept, reml=reml)
    notices = (*design.notices, *aliased_notice(design, dropped), *found)
    announce(notices)
    return Fit(
        spec=spec,
        design=design,
        state=state,
        seen=tuple(int(k) for k in seen),
        kept=kept,
        null=null,
        rows=rows,
        random=random,
        clusters=clusters,
        notices=notices,
    )
