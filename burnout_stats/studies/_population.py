"""Moments of the reported scores in the population that parameters describe, from a quasi-random sample of latent
normals.

Responders are weighted by their probability of being seen, so that nothing but the latent normals is sampled. Means and
SDs of everyone are exact sums over the grid.

**Source** Owen (1998), J. Complexity 14:466-489 (scrambled Sobol points).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ..cohort.margins import margin_probabilities
from ..cohort.parameters import Parameters
from ..cohort.simulate import latent_scores, pattern_probabilities
from ._design import ALL_VISITS, EVERYONE

__all__ = ["Group", "Population", "normal_points", "population"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Group:
    """A part of the population: its share of everyone, and the moments of the reported scores in it."""

    share: float
    mean: Array
    sd: Array
    correlation: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Population:
    """Groups by name, pattern probabilities, and the probability of being seen by level of a factor and visit.

    `columns` names the scores.
    """

    columns: tuple[str, ...]
    groups: Mapping[str, Group]
    patterns: Array
    seen_by: Mapping[tuple[str, str], Mapping[str, float]]

    def mean(self, column: str, group: str) -> float:
        """The mean of a score in a group."""
        return float(self.groups[group].mean[self.columns.index(column)])

    def sd(self, column: str, group: str) -> float:
        """The SD of a score in a group."""
        return float(self.groups[group].sd[self.columns.index(column)])

    def correlation(self, first: str, second: str, group: str) -> float:
        """The correlation of two scores in a group."""
        return float(self.groups[group].correlation[self.columns.index(first), self.columns.index(second)])

    def covariance(self, columns: list[str], group: str) -> Array:
        """The covariance matrix of some scores in a group."""
        at = [self.columns.index(column) for column in columns]
        part = self.groups[group]
        cov: Array = part.correlation[np.ix_(at, at)] * np.outer(part.sd[at], part.sd[at])
        return cov


def normal_points(size: int, dimensions: int, seed: int) -> Array:
    """2**size scrambled Sobol points, carried to normals; their means are made 0 and their covariance the identity."""
    from scipy.stats import qmc

    sequence = qmc.Sobol(dimensions, scramble=True, bits=30, **_random(seed))
    points = ndtri(np.clip(sequence.random_base2(size), 1e-12, 1 - 1e-12))
    points -= points.mean(axis=0)
    whitened: Array = points @ np.linalg.inv(np.linalg.cholesky(points.T @ points / len(points))).T
    return whitened


def _random(seed: int) -> dict[str, np.random.Generator]:
    from inspect import signature

    from scipy.stats import qmc

    keyword = "rng" if "rng" in signature(qmc.Sobol).parameters else "seed"
    return {keyword: np.random.Generator(np.random.PCG64(seed))}


def population(parameters: Parameters, points: Array) -> Population:
    """The moments of everyone, and of those who were seen at a later visit, who missed it, and who missed none.

    Parameters
    ----------
    parameters : Parameters
    points : array, 2**m × latent
        Independent standard normals, as `normal_points` gives them.
    """
    scores = latent_scores(parameters, points @ np.linalg.cholesky(parameters.correlation).T)
    by_level, weights = _patterns(parameters, scores)
    matrix = _matrix(parameters, scores)
    seen = np.array([pattern.seen for pattern in parameters.dropout.patterns])
    labels = parameters.visits.labels
    groups = {EVERYONE: _with_exact(_moments(matrix, np.ones(len(matrix))), parameters)}
    for k, label in enumerate(labels[1:], start=1):
        groups[label] = _moments(matrix, weights[:, seen[:, k]].sum(axis=1))
        groups[f"not {label}"] = _moments(matrix, weights[:, ~seen[:, k]].sum(axis=1))
    groups[ALL_VISITS] = _moments(matrix, weights[:, seen.all(axis=1)].sum(axis=1))
    seen_by = {
        key: {label: float(p[seen[:, k]].sum()) for k, label in enumerate(labels)} for key, p in by_level.items()
    }
    return Population(columns=parameters.latent, groups=groups, patterns=weights.mean(axis=0), seen_by=seen_by)


def _patterns(parameters: Parameters, scores: Mapping[str, Array]) -> tuple[dict[tuple[str, str], Array], Array]:
    """Mean pattern probabilities by level of each factor, and each point's probabilities averaged over the groups."""
    factors = parameters.factors
    total = np.zeros((len(next(iter(scores.values()))), len(parameters.dropout.patterns)))
    by_level: dict[tuple[str, str], Array] = {}
    used = {term.variable for term in parameters.dropout.terms if term.level}
    relevant = [factor for factor in factors if factor.role.name in used]
    for cell in product(*(range(len(factor.levels)) for factor in relevant)):
        share = float(np.prod([factor.shares[k] for factor, k in zip(relevant, cell, strict=True)]))
        p = pattern_probabilities(parameters, scores, {f.role.name: k for f, k in zip(relevant, cell, strict=True)})
        total += share * p
        for factor, k in zip(relevant, cell, strict=True):
            key = (factor.role.name, factor.levels[k])
            by_level[key] = by_level.get(key, 0.0) + share / factor.shares[k] * p.mean(axis=0)
    return by_level, total


def _matrix(parameters: Parameters, scores: Mapping[str, Array]) -> Array:
    return np.concatenate([scores[v.name][:, : len(v.margins)] for v in parameters.variables], axis=1)


def _moments(matrix: Array, weight: Array) -> Group:
    total = weight.sum()
    mean = weight @ matrix / total
    centered = matrix - mean
    cov = centered.T @ (centered * weight[:, None]) / total
    sd = np.sqrt(np.diag(cov))
    return Group(share=float(total / len(weight)), mean=mean, sd=sd, correlation=cov / np.outer(sd, sd))


def _with_exact(everyone: Group, parameters: Parameters) -> Group:
    """Everyone, with means and SDs summed over the grids, except of variables that require another."""
    mean, sd = everyone.mean.copy(), everyone.sd.copy()
    column = 0
    for variable in parameters.variables:
        values = variable.grid.values
        for k, margin in enumerate(variable.margins, start=column):
            if not variable.requires:
                p = margin_probabilities(variable, margin)
                mean[k] = p @ values
                sd[k] = np.sqrt(p @ (values - mean[k]) ** 2)
        column += len(variable.margins)
    return replace(everyone, mean=mean, sd=sd)
