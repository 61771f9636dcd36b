"""`simulate(parameters)`: a cohort drawn from a latent normal that is carried to each score's own grid.

Every variable at every visit is a step function of one standard normal: the steps are the attainable values of the
scale, their heights a declared margin (a Gaussian copula with discrete margins). Only the group a subject belongs to
and the reported scores of the first visit enter the chance of a later visit, so that missingness is at random given
these.

z = (z_1, ..., z_K) ~ N(0, R); score = the smallest value v of the grid with Phi(z) <= P(score <= v).

**Source** Rubin (1976), Biometrika 63:581-592 (missing at random).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from ..errors import StudyError
from .cohort import Cohort, Source
from .margins import margin_probabilities
from .parameters import Factor, Parameters
from .roles import Covariate, Outcome

__all__ = ["latent_scores", "pattern_probabilities", "simulate"]

Array = NDArray[np.float64]


def latent_scores(parameters: Parameters, z: Array) -> dict[str, Array]:
    """Reported scores (subjects × visits, by name) of latent normals z (subjects × latent, already correlated)."""
    n, visits = len(z), len(parameters.visits)
    scores: dict[str, Array] = {}
    column = 0
    for variable in parameters.variables:
        values = variable.grid.values
        reported = np.empty((n, visits))
        for k, margin in enumerate(variable.margins):
            steps = ndtri(np.minimum(np.cumsum(margin_probabilities(variable, margin))[:-1], 1.0))
            reported[:, k] = values[np.searchsorted(steps, z[:, column + k])]
        if len(variable.margins) == 1:
            reported[:] = reported[:, :1]
        column += len(variable.margins)
        scores[variable.name] = reported
    for variable in parameters.variables:
        if variable.requires:
            scores[variable.name] = np.where(scores[variable.requires] > 0, scores[variable.name], 0.0)
    return scores


def pattern_probabilities(parameters: Parameters, scores: Mapping[str, Array], groups: Mapping[str, Any]) -> Array:
    """The probability of each pattern of visits (subjects × patterns); `groups` holds the level index of each factor,
    an array or one number.
    """
    dropout = parameters.dropout
    x = _dropout_terms(parameters, scores, groups)
    logits = np.stack(
        [p.intercept + (x @ np.array(p.slopes) if p.slopes else 0.0 * x[:, 0]) for p in dropout.patterns], axis=1
    )
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    p: Array = odds / odds.sum(axis=1, keepdims=True)
    return p


def _dropout_terms(parameters: Parameters, scores: Mapping[str, Array], groups: Mapping[str, Any]) -> Array:
    n = len(next(iter(scores.values())))
    levels = {factor.role.name: factor.levels for factor in parameters.factors}
    columns = [np.zeros(n)]
    for term in parameters.dropout.terms:
        if term.level:
            member = np.asarray(groups[term.variable]) == levels[term.variable].index(term.level)
            columns.append(np.broadcast_to(member.astype(float), n))
        else:
            columns.append((scores[term.variable][:, 0] - term.center) ** term.power)
    return np.stack(columns[1:] or columns, axis=1)


def _draw_groups(factor: Factor, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    bounds = np.cumsum(factor.shares)[:-1]
    position = (rng.permutation(n) + 0.5) / n if factor.quota else rng.random(n)
    return np.searchsorted(bounds, position).astype(np.int64)


def _draw_patterns(
    parameters: Parameters, scores: Mapping[str, Array], groups: Mapping[str, Any], u: Array
) -> NDArray[np.bool_]:
    if not parameters.dropout.patterns:
        return np.ones((len(u), len(parameters.visits)), dtype=bool)
    below = np.cumsum(pattern_probabilities(parameters, scores, groups), axis=1)[:, :-1]
    seen = np.array([pattern.seen for pattern in parameters.dropout.patterns])
    drawn: NDArray[np.bool_] = seen[(u[:, None] > below).sum(axis=1)]
    return drawn


def simulate(parameters: Parameters, *, n: int, seed: int) -> Cohort:
    """A synthetic cohort of n subjects; the same parameters, n and seed give the same cohort.

    Groups, latent normals and patterns of visits come from random streams of their own (`SeedSequence.spawn`). A missed
    visit has no row.

    Raises
    ------
    StudyError
        `E-STUDY-SIZE` for n below 1 or a negative seed.
    """
    if n < 1 or seed < 0:
        raise StudyError(
            "E-STUDY-SIZE",
            f"A synthetic cohort was asked for with n = {n} and seed = {seed}.",
            "n is 1 or more, the seed 0 or more, both whole numbers.",
            "Write for example simulate(..., n=227, seed=1).",
        )
    streams = [
        np.random.Generator(np.random.PCG64(part))
        for part in np.random.SeedSequence(seed).spawn(2 + len(parameters.factors))
    ]
    groups = {f.role.name: _draw_groups(f, n, rng) for f, rng in zip(parameters.factors, streams[2:], strict=True)}
    z = streams[0].standard_normal((n, len(parameters.latent))) @ np.linalg.cholesky(parameters.correlation).T
    scores = latent_scores(parameters, z)
    seen = _draw_patterns(parameters, scores, groups, streams[1].random(n))
    outcomes = {v.name: v.role for v in parameters.variables if isinstance(v.role, Outcome)}
    covariates = {f.role.name: f.role for f in parameters.factors}
    covariates |= {v.name: v.role for v in parameters.variables if isinstance(v.role, Covariate)}
    data = _long(parameters, scores, groups, seen)
    return Cohort(
        data=data[["subject", "visit", "years", *outcomes, *covariates]],
        visits=parameters.visits,
        outcome_roles=outcomes,
        covariate_roles=covariates,
        ids=np.array([f"{parameters.id_prefix}{k:0{parameters.id_digits}d}" for k in range(1, n + 1)], dtype=object),
        source=Source(name=parameters.title, rows_read=len(data), rows_kept=len(data)),
    )


def _long(
    parameters: Parameters,
    scores: Mapping[str, Array],
    groups: Mapping[str, NDArray[np.int64]],
    seen: NDArray[np.bool_],
) -> pd.DataFrame:
    """One row per subject and visit that was seen."""
    subject, visit = np.nonzero(seen)
    labels = list(parameters.visits.labels)
    columns: dict[str, Any] = {
        "subject": subject.astype(np.int64) + 1,
        "visit": pd.Categorical.from_codes(visit, categories=pd.Index(labels), ordered=True),
        "years": np.array(parameters.visits.years, dtype=float)[visit],
    }
    for factor in parameters.factors:
        columns[factor.role.name] = pd.Categorical.from_codes(
            groups[factor.role.name][subject], categories=pd.Index(factor.levels)
        )
    for variable in parameters.variables:
        shown = scores[variable.name][subject, visit]
        levels = variable.role.levels if isinstance(variable.role, Covariate) else None
        if levels:
            codes = np.searchsorted(variable.grid.values, shown)
            columns[variable.name] = pd.Categorical.from_codes(codes, categories=pd.Index(levels))
        else:
            columns[variable.name] = shown
    return pd.DataFrame(columns)
