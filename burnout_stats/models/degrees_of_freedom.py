"""How a Fit answers: the table of small-sample methods. Each says which covariance of β̂ it uses, and how degrees of
freedom are found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..engine import kenward_roger, satterthwaite
from ..engine.moments import Moments
from ..engine.scoring import Optimum

__all__ = ["DF_METHODS", "DfMethod", "State"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """An optimum and the moments it was found on, in the coordinates of the engine."""

    moments: Moments
    optimum: Optimum

    def theta_covariance(self, information: str) -> Array:
        """W, the covariance of θ̂, from the observed or the expected information of the log-likelihood."""
        hessian: Array = getattr(self.optimum.curvature, information)
        return np.asarray(2 * np.linalg.inv(hessian))


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
    return state.optimum.at.Phi


def _satterthwaite_rows(information: str) -> Callable[[State, Array], Array]:
    def rows(state: State, L: Array) -> Array:
        o = state.optimum
        return satterthwaite.row_df(L, o.at.Phi, o.curvature.P, state.theta_covariance(information))

    return rows


def _satterthwaite_joint(state: State, L: Array, estimate: Array) -> tuple[Array, Array]:
    o = state.optimum
    return satterthwaite.joint_test(L, estimate, o.at.Phi, o.curvature.P, state.theta_covariance("observed"))


def _adjusted(information: str) -> Callable[[State], Array]:
    def vcov(state: State) -> Array:
        o, W = state.optimum, state.theta_covariance(information)
        return kenward_roger.adjusted_covariance(o.at.A, o.curvature.first, state.moments.T, o.at.Phi, o.curvature.P, W)

    return vcov


def _kenward_roger_joint(information: str) -> Callable[[State, Array, Array], tuple[Array, Array]]:
    def joint(state: State, L: Array, estimate: Array) -> tuple[Array, Array]:
        o, W = state.optimum, state.theta_covariance(information)
        return kenward_roger.joint_test(L, estimate, o.at.Phi, _adjusted(information)(state), o.curvature.P, W)

    return joint


def _wald(state: State, L: Array, estimate: Array) -> tuple[Array, Array]:
    V = L @ state.optimum.at.Phi @ L.T
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
