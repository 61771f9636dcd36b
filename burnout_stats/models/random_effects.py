"""Random effects of a fit: the optimum over their covariance, its words, and its state for small-sample methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort.roles import Visits
from ..design import Design
from ..design.build import Rows
from ..design.random import RandomDesign
from ..engine import random_effects as engine
from ..engine.basis import Basis
from ..engine.cone import Cone
from ..engine.moments import Moments
from ..engine.rows import RowProducts, RowsOptimum, RowsProblem, row_products
from ..engine.scoring import Status
from ..errors import ModelError
from ..notices import Notice
from .convergence import verdict
from .degrees_of_freedom import MomentsState

__all__ = [
    "RandomEffects",
    "RowsState",
    "cone_of",
    "described",
    "fit_random_effects",
    "in_basis",
    "not_nominal",
    "told_apart",
]

Array = NDArray[np.float64]
NONE = 1e-7
"""A variance whose part of the variance of a row is below this share of σ² is called zero."""
VANISHING = 1e-5
"""A residual standard deviation below this share of that of y, at an unverified end, is running to zero."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RandomEffects:
    """The random effects of a fit.

    Attributes
    ----------
    design : RandomDesign
        Their columns and names.
    G : (q, q) array
        Their covariance, in the units of the outcome and of the columns.
    sigma : float
        The standard deviation of the residual.
    at_visits : (number of visits of the cohort, q) array
        Z at the visits; without rows where it differs between subjects.
    """

    design: RandomDesign
    G: Array
    sigma: float
    at_visits: Array

    @property
    def n_parameters(self) -> int:
        """Variances and covariances, and the variance of the residual: those that came out at the edge count too (as in
        lme4; SAS leaves them out).
        """
        return 1 + sum(len(block) * (len(block) + 1) // 2 for block in self.design.blocks)

    @property
    def varcorr(self) -> pd.DataFrame:
        """Standard deviations of random effects and residual, and the correlations of the effects."""
        names = list(self.design.names)
        sd = np.sqrt(np.diag(self.G))
        with np.errstate(invalid="ignore", divide="ignore"):
            correlations = self.G / np.outer(sd, sd)
        frame = pd.DataFrame(correlations, index=names, columns=names).reindex([*names, "residual"])
        frame.insert(0, "sd", np.append(sd, self.sigma))
        return frame

    def columns(self, rows: Rows) -> Array:
        """Z (N, q) of the rows of the fit."""
        return self.at_visits[rows.visit] if rows.random is None else rows.random


@dataclass(frozen=True, slots=True, eq=False)
class RowsState:
    """An optimum found from rows, for small-sample methods (see `State`)."""

    products: RowProducts
    optimum: RowsOptimum

    @property
    def basis(self) -> Basis:
        """The coordinates."""
        return self.products.basis

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
    def moments(self) -> NoReturn:
        """There are none.

        Raises
        ------
        ModelError
            `E-MODEL-NOT-NOMINAL`.
        """
        raise not_nominal()

    @property
    def covariance(self) -> NoReturn:
        """There is not one Σ.

        Raises
        ------
        ModelError
            `E-MODEL-NOT-NOMINAL`.
        """
        raise not_nominal()


def in_basis(rows: Rows, kept: NDArray[np.intp], basis: Basis) -> Array:
    """The rows (X, y) in coordinates of the engine."""
    z = rows.z[:, np.append(kept, rows.z.shape[1] - 1)] - basis.center
    return np.column_stack([z[:, :-1] @ basis.transform, z[:, -1] / basis.scale])


def not_nominal() -> ModelError:
    """What is said to a question that needs one covariance of the visits."""
    return ModelError(
        "E-MODEL-NOT-NOMINAL",
        "The random effects of this model change with a column of their own, so every subject has another covariance.",
        "This question needs one covariance of the visits, for all subjects.",
        "Use random effects of `visit` or `years`.",
    )


def fit_random_effects(
    design: Design,
    rows: Rows | None,
    moments: Moments,
    *,
    seen: NDArray[np.intp],
    kept: NDArray[np.intp],
    reml: bool,
) -> tuple[MomentsState | RowsState, RandomEffects, tuple[Notice, ...]]:
    """The optimum over the covariance of the random effects, from orthonormal moments where Z depends on the visit
    alone and from rows otherwise.

    Raises
    ------
    ModelError
        `E-MODEL-RANDOM` where the data cannot tell the variances apart, `E-MODEL-SINGULAR` where there is no residual.
    """
    random = design.random
    if random is None:
        raise ValueError("the formula has no random part")
    name, basis = design.outcome.name, moments.basis
    if random.is_nominal:
        at_visits = random.at_visits(design.visits, np.arange(len(design.visits)))
        Z = at_visits[seen]
        T = _standardized_at_visits(Z, moments, random, name)
        problem = engine.MomentsProblem(moments, Z @ T, np.array(design.visits.years)[seen], reml)
        factor, found = engine.solve(problem, random.blocks)
        state: MomentsState | RowsState = MomentsState(moments, found.optimum, found.covariance)
        theta = found.theta
        visits = design.visits
        words = verdict(
            found.optimum,
            name,
            visits=replace(
                visits,
                labels=tuple(visits.labels[k] for k in seen),
                years=tuple(visits.years[k] for k in seen),
            ),
            moments=moments,
            covariance=found.covariance,
            reml=reml,
        )
    else:
        at_visits = np.zeros((0, len(random.names)))
        if rows is None or rows.random is None:
            raise ValueError("random effects that differ between subjects at one visit need rows")
        Z = rows.random
        z = in_basis(rows, kept, basis)
        raw = row_products(Z, z, rows.subject, basis, rows.weight)
        T = told_apart(raw.C, raw.rows, raw.weight, random, name)
        products = row_products(Z @ T, z, rows.subject, basis, rows.weight)
        factor, ended = engine.solve(RowsProblem(products, reml), random.blocks)
        state = RowsState(products, ended)
        theta = ended.theta
        words = _doubts(ended, name)
    effects, edge = described(design, T, factor, theta, float(basis.scale), at_visits)
    return state, effects, (*words, *edge)


def cone_of(effects: RandomEffects, moments: Moments, visits: Visits, seen: Sequence[int]) -> tuple[Cone, Array]:
    """The random effects of a fit at nominal times as a cone for many refits, and θ inside of it near the fit; `visits`
    are those of the fit, `seen` their positions among those of the cohort.
    """
    Z = effects.at_visits[list(seen)]
    T = _standardized_at_visits(Z, moments, effects.design, "the outcome")
    back = np.linalg.inv(T)
    cone = Cone(Z @ T, np.array(visits.years), effects.design.blocks)
    log_sigma = float(np.log(effects.sigma / float(moments.basis.scale)))
    return cone, cone.start(log_sigma, back @ effects.G @ back.T / effects.sigma**2)


def _standardized_at_visits(Z: Array, moments: Moments, random: RandomDesign, outcome: str) -> Array:
    """T of `told_apart` for Z (V × q) of the visits."""
    patterns = moments.patterns.astype(float)
    cross = np.einsum("sv,va,vb->sab", patterns, Z, Z)
    return told_apart(cross, patterns.sum(1), moments.n, random, outcome)


def described(
    design: Design, T: Array, factor: engine.Factor, theta: Array, scale: float, at_visits: Array
) -> tuple[RandomEffects, tuple[Notice, ...]]:
    """The random effects at θ̂ in the units of the outcome and of the columns, and what is at the edge."""
    random = design.random
    if random is None:
        raise ValueError("the formula has no random part")
    sigma = float(np.exp(theta[0]) * scale)
    relative = factor.covariance(theta[1:])
    G = sigma**2 * T @ relative @ T.T
    zero = np.diag(T @ relative @ T.T) * _mean_squares(T, random) < NONE
    G[zero, :] = 0.0
    G[:, zero] = 0.0
    effects = RandomEffects(design=random, G=G, sigma=sigma, at_visits=at_visits)
    return effects, _at_the_edge(random, factor, relative, zero, design.outcome.name)


def _doubts(ended: RowsOptimum, outcome: str) -> tuple[Notice, ...]:
    """Notices on an optimum from rows."""
    if ended.status == Status.VERIFIED:
        return ()
    if ended.theta[0] < np.log(VANISHING):
        raise ModelError(
            "E-MODEL-SINGULAR",
            f"The residual variance of `{outcome}` runs to zero: the likelihood grows without end.",
            "There must be more in the rows of a subject than fixed and random effects explain.",
            "Use fewer random effects, or fewer fixed effects.",
        )
    return (
        Notice(
            "N-MODEL-INDEFINITE",
            f"The Hessian for `{outcome}` is not positive definite where it ended: this may be no maximum.",
            "Do not report these standard errors; use fewer random effects.",
        )
        if ended.status == Status.INDEFINITE
        else Notice(
            "N-MODEL-NOT-CONVERGED",
            f"The optimization for `{outcome}` stopped after {int(ended.iterations)} iterations "
            f"with a gradient of {float(ended.max_gradient):.2g}.",
            "Do not report these numbers; look for an outlying value or use fewer random effects.",
        ),
    )


def told_apart(cross: Array, n_rows: Array, weight: Array, random: RandomDesign, outcome: str) -> Array:
    """T of `standardized`, for columns whose variances the data can tell apart."""
    total = np.einsum("s,sab->ab", weight, cross) / float(weight @ n_rows)
    T = engine.standardized(total, random.blocks)
    if T is not None and engine.identified(T.T @ cross @ T, n_rows, weight, random.blocks):
        return T
    raise ModelError(
        "E-MODEL-RANDOM",
        f"The variances of the random effects of `{outcome}` ({', '.join(random.names)}) and of the residual cannot be "
        "told apart.",
        "There must be more rows in a subject than random effects, and no effect may be a combination of others.",
        "Use fewer random effects, or MMRM.",
    )


def _mean_squares(T: Array, random: RandomDesign) -> Array:
    """The mean square of each column of Z, from T: (Z'Z / N) of a block is T⁻ᵀT⁻¹."""
    squares = np.zeros(len(T))
    for block in random.blocks:
        inverse = np.linalg.inv(T[np.ix_(block, block)])
        squares[list(block)] = np.diag(inverse.T @ inverse)
    return squares


def _at_the_edge(
    random: RandomDesign, factor: engine.Factor, relative: Array, zero: NDArray[np.bool_], outcome: str
) -> tuple[Notice, ...]:
    """What came out at the edge of what a covariance can be."""
    if factor.rank == factor.size:
        return ()
    said = [
        f"the variance of the random {'intercept' if name == 'Intercept' else f'slope of `{name}`'} is 0"
        for name, none in zip(random.names, zero, strict=True)
        if none
    ]
    for block in random.blocks:
        left = [k for k in block if not zero[k]]
        rank = int((np.linalg.eigvalsh(relative[np.ix_(block, block)]) > engine.ZERO).sum())
        if len(left) > rank:
            names = " and ".join(f"`{random.names[k]}`" for k in left)
            said.append(f"the random effects {names} are perfectly correlated")
    return (
        Notice(
            "N-MODEL-BOUNDARY",
            f"In the model of `{outcome}`, {' and '.join(said)} (singular fit).",
            "Fixed-effect tests hold under the simpler model; leave the term out and compare.",
        ),
    )
