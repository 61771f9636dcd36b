"""Clusters above the subject in a fit: `(1 | clinic)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from ..design import Design
from ..design.build import Rows
from ..design.random import clusters_of
from ..engine import random_effects as effects
from ..engine.basis import Basis
from ..engine.clusters import Clustered, ClusteredOptimum, ClusteredProblem, cluster_sums, optimize_clustered
from ..engine.covariance import STRUCTURES, Covariance
from ..engine.moments import Moments
from ..engine.scoring import Status
from ..errors import ModelError, StudyError
from ..notices import Notice
from .random_effects import RandomEffects, described, in_basis, told_apart
from .spec import MMRM, Model

__all__ = ["ClusteredState", "Clusters", "fit_clusters"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """The clusters of a fit: the column's `name`, the standard deviation `sd` between them, and how many there are."""

    name: str
    sd: float
    n_clusters: int


@dataclass(frozen=True, slots=True, eq=False)
class ClusteredState:
    """An optimum with clusters, for small-sample methods (see `State`)."""

    model: Clustered
    optimum: ClusteredOptimum

    @property
    def basis(self) -> Basis:
        """The coordinates."""
        return self.model.moments.basis

    @property
    def gamma(self) -> Array:
        """γ̂."""
        return self.optimum.at.beta

    @property
    def Phi(self) -> Array:
        """Φ."""
        return self.optimum.at.Phi

    @property
    def P(self) -> Array:
        """P_i."""
        return self.optimum.curvature.P

    def theta_covariance(self, information: str) -> Array:
        """W: twice the inverse Hessian of −2 log-likelihood."""
        hessian: Array = getattr(self.optimum.curvature, information)
        return np.asarray(2 * np.linalg.inv(hessian))

    def weighted_Q(self, W: Array) -> Array:
        """Σ_ij W_ij Q_ij."""
        Q: Array = np.einsum("ij,ijab->ab", W, self.optimum.curvature.Q)
        return Q

    @property
    def sigma(self) -> Array:
        """The covariance of the visits within a subject, clusters included, (G, V, V) in the coordinates of `basis`."""
        sigma: Array = self.optimum.at.sigma + self.optimum.tau**2
        return sigma

    @property
    def moments(self) -> NoReturn:
        """Not to be asked.

        Raises
        ------
        ModelError
            `E-MODEL-CLUSTERED`.
        """
        raise clustered()

    @property
    def covariance(self) -> NoReturn:
        """Not to be asked.

        Raises
        ------
        ModelError
            `E-MODEL-CLUSTERED`.
        """
        raise clustered()


def clustered() -> ModelError:
    """What is said to a question that takes subjects as independent."""
    return ModelError(
        "E-MODEL-CLUSTERED",
        "In this model the subjects of one cluster are correlated.",
        "This question is answered where subjects are independent.",
        "Fit the model without the random effect of the cluster, and give `cluster` for robust standard errors.",
    )


def fit_clusters(
    spec: Model,
    design: Design,
    rows: Rows | None,
    moments: Moments,
    *,
    seen: NDArray[np.intp],
    kept: NDArray[np.intp],
) -> tuple[ClusteredState, RandomEffects | None, Clusters, tuple[Notice, ...]]:
    """The optimum of a model with a random intercept of a cluster.

    Raises
    ------
    StudyError
        `E-STUDY-CLUSTER` for random effects of the subject that are not nominal.
    ModelError
        `E-MODEL-NEEDS-ROWS` for a stream; `E-MODEL-RANDOM` where there are too few clusters or all subjects are their
        own.
    """
    name = clusters_of(design.formula)
    if name is None or rows is None or rows.nested is None:
        raise ModelError(
            "E-MODEL-NEEDS-ROWS",
            f"A random effect of `{name}` is asked of data that are read part by part.",
            "Sums by cluster are made from rows.",
            "Fit the model to a cohort in memory.",
        )
    codes = rows.nested
    n_clusters = int(codes.max()) + 1
    if n_clusters < 2 or n_clusters == len(codes):
        raise ModelError(
            "E-MODEL-RANDOM",
            f"`{name}` has {n_clusters} levels for {len(codes)} subjects.",
            "A variance between clusters needs several clusters, and several subjects in some of them.",
            "Leave the random effect of the cluster out.",
        )
    reml = spec.method == "reml"
    z = in_basis(rows, kept, moments.basis)
    visit = np.searchsorted(seen, rows.visit)
    sums = cluster_sums(moments, z, rows.subject, visit, codes, rows.group, rows.weight)
    times = np.array(design.visits.years)[seen]
    random: RandomEffects | None = None
    edge: tuple[Notice, ...] = ()
    if isinstance(spec, MMRM):
        covariance = Covariance(STRUCTURES[spec.covariance], times, max(1, len(design.groups)))
        found = optimize_clustered(Clustered(moments, sums, covariance, reml), restarts=True)
    elif design.random is not None and design.random.is_nominal:
        at_visits = design.random.at_visits(design.visits, np.arange(len(design.visits)))
        Z, patterns = at_visits[seen], moments.patterns.astype(float)
        cross = np.einsum("sv,va,vb->sab", patterns, Z, Z)
        T = told_apart(cross, patterns.sum(1), moments.n, design.random, design.outcome.name)
        factor, found = effects.solve(ClusteredProblem(moments, sums, Z @ T, times, reml), design.random.blocks)
        random, edge = described(design, T, factor, found.theta, float(moments.basis.scale), at_visits)
    else:
        raise StudyError(
            "E-STUDY-CLUSTER",
            f"The formula has a random effect of `{name}` beside random effects on times of each subject's own.",
            "Within clusters, random effects of the subject are those of `visit` or `years`.",
            "Use nominal times, or leave the random effect of the cluster out.",
        )
    state = ClusteredState(Clustered(moments, sums, found.covariance, reml), found)
    clusters = Clusters(name=name, sd=found.tau * float(moments.basis.scale), n_clusters=n_clusters)
    return state, random, clusters, (*_words(found, clusters, design.outcome.name), *edge)


def _words(found: ClusteredOptimum, clusters: Clusters, outcome: str) -> tuple[Notice, ...]:
    if found.status != Status.VERIFIED:
        return (
            Notice(
                "N-MODEL-NOT-CONVERGED",
                f"The optimization for `{outcome}` stopped after {int(found.iterations)} iterations "
                f"with a gradient of {float(found.max_gradient):.2g}.",
                "Do not report these numbers; use a structure with fewer parameters.",
            ),
        )
    if clusters.sd > 0:
        return ()
    return (
        Notice(
            "N-MODEL-BOUNDARY",
            f"In the model of `{outcome}`, the variance between the levels of `{clusters.name}` is 0 (singular fit).",
            "Fixed-effect tests hold under the simpler model; leave the term out and compare.",
        ),
    )
