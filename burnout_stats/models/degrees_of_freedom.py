"""How a Fit answers: the table of small-sample methods. Each says which covariance of β̂ it uses, and how degrees of
freedom are found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..engine import kenward_roger, satterthwaite
from ..engine.basis import Basis
from ..engine.moments import Moments
from ..engine.scoring import Optimum

__all__ = ["DF_METHODS", "DfMethod", "MomentsState", "State"]

Array = NDArray[np.float64]


class State(Protocol):
    """What small-sample methods need of an optimum, whether it was found from moments or from rows.

    β̂ and everything below stand in the coordinates of `basis` (β = basis.coefficients(γ)).
    """

    @property
    def basis(self) -> Basis:
        """The coordinates."""
        ...

    @property
    def gamma(self) -> Array:
        """Generalized least squares γ̂ (p,)."""
        ...

    @property
    def Phi(self) -> Array:
        """Φ = (X'V⁻¹X)⁻¹, (p, p)."""
        ...

    @property
    def P(self) -> Array:
        """P_i = X'(∂V⁻¹/∂θ_i)X, (m, p, p)."""
        ...

    def theta_covariance(self, information: str) -> Array:
        """W (m, m), the covariance of θ̂, from the "observed" or the "expected" information."""
        ...

    def weighted_Q(self, W: Array) -> Array:
        """Σ_ij W_ij Q_ij, (p, p)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class MomentsState:
    """An optimum found from moments."""

    moments: Moments
    optimum: Optimum

    @property
    def basis(self) -> Basis:
        """The coordinates of the moments."""
        return self.moments.basis

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
        o = self.optimum
        return kenward_roger.weighted_Q(o.at.A, o.curvature.first, self.moments.T, W)


@dataclass(frozen=True, slots=True)
class DfMethod:
    """One method.

    `name` is how prose says it; `vcov` gives the covariance of γ̂, `rows` the df of each row of L, `joint` the F
    statistic and its denominator df. `reml_only` methods have no meaning under ML.
    """

    name: str
    vcov: Callable[[State], Array]
    rows: Callable[[State, Array], Array]
    joint: Callable[[State, Array, Array], tuple[Array, Array]]
    reml_only: bool = False


def _phi(state: State) -> Array:
    return state.Phi


def _satterthwaite_rows(information: str) -> Callable[[State, Array], Array]:
    def rows(state: State, L: Array) -> Array:
        return satterthwaite.row_df(L, state.Phi, state.P, state.theta_covariance(information))

    return rows


def _satterthwaite_joint(state: State, L: Array, estimate: Array) -> tuple[Array, Array]:
    return satterthwaite.joint_test(L, estimate, state.Phi, state.P, state.theta_covariance("observed"))


def _adjusted(information: str) -> Callable[[State], Array]:
    def vcov(state: State) -> Array:
        W = state.theta_covariance(information)
        return kenward_roger.adjusted_covariance(state.weighted_Q(W), state.Phi, state.P, W)

    return vcov


def _kenward_roger_joint(information: str) -> Callable[[State, Array, Array], tuple[Array, Array]]:
    def joint(state: State, L: Array, estimate: Array) -> tuple[Array, Array]:
        W = state.theta_covariance(information)
        return kenward_roger.joint_test(L, estimate, state.Phi, _adjusted(information)(state), state.P, W)

    return joint


def _wald(state: State, L: Array, estimate: Array) -> tuple[Array, Array]:
    V = L @ state.Phi @ L.T
    return np.asarray(estimate @ np.linalg.solve(V, estimate) / len(L)), np.asarray(np.inf)


def _kenward_roger(name: str, information: str) -> DfMethod:
    return DfMethod(
        name,
        _adjusted(information),
        _satterthwaite_rows(information),
        _kenward_roger_joint(information),
        reml_only=True,
    )


DF_METHODS: dict[str, DfMethod] = {
    "kenward-roger": _kenward_roger("Kenward-Roger (first order, observed information)", "observed"),
    "kenward-roger-expected": _kenward_roger("Kenward-Roger (first order, expected information)", "expected"),
    "satterthwaite": DfMethod("Satterthwaite", _phi, _satterthwaite_rows("observed"), _satterthwaite_joint),
    "asymptotic": DfMethod("asymptotic (normal)", _phi, lambda state, L: np.full(len(L), np.inf), _wald),
}
