"""How a Fit answers: the table of small-sample methods. Each says which covariance of β̂ it uses, and how degrees of
freedom are found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..engine import kenward_roger, satterthwaite
from ..engine.basis import Basis
from ..engine.covariance import Covariance
from ..engine.moments import Moments
from ..engine.sandwich import Sandwich
from ..engine.scoring import Optimum
from ..engine.steps import theta_covariance

__all__ = ["DF_METHODS", "ROBUST_METHODS", "Counting", "DfMethod", "MomentsState", "State"]

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
    covariance: Covariance

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
        return theta_covariance(getattr(self.optimum.curvature, information))

    def weighted_Q(self, W: Array) -> Array:
        """Σ_ij W_ij Q_ij."""
        o = self.optimum
        return kenward_roger.weighted_Q(o.at.A, o.curvature.first, self.moments.T, W)

    def weighted_R(self, W: Array) -> Array:
        """Σ_ij W_ij R_ij in SAS's parameters."""
        o, m = self.optimum, self.moments
        return kenward_roger.weighted_R(o.at.A, self.covariance, o.theta, m.groups, m.T, W)


@runtime_checkable
class Nonlinear(Protocol):
    """A state whose V may be nonlinear in SAS's parameters. Random effects and their residual variance are linear, so
    Kenward-Roger of second order is that of first order for states that do not have this.
    """

    def weighted_R(self, W: Array) -> Array:
        """Σ_ij W_ij R_ij, (p, p)."""
        ...


@dataclass(frozen=True, slots=True)
class Counting:
    """What df that only count rows and subjects need: the estimated columns of X are the "intercept", "between" (they
    do not change within any subject) or "within".
    """

    n_obs: int
    n_subjects: int
    columns: tuple[str, ...]

    @classmethod
    def of(cls, n_obs: int, n_subjects: int, names: list[str], X: Array, subject: NDArray[np.int64]) -> Counting:
        """Look at columns X (N, p) of rows sorted by subject."""
        same = subject[1:] == subject[:-1]
        within = ((X[1:] != X[:-1]) & same[:, None]).any(0)
        kinds = ("between", "within")
        columns = ("intercept" if name == "Intercept" else kinds[int(w)] for name, w in zip(names, within, strict=True))
        return cls(n_obs, n_subjects, tuple(columns))

    def residual(self, L: Array) -> Array:
        """N − p, for each row of L."""
        return np.full(len(L), float(self.n_obs - len(self.columns)))

    def between_within(self, L: Array) -> Array:
        """Subjects less between columns and the intercept where a row of L involves a between column, else rows less
        subjects less within columns; the intercept counts as within. L is in the coordinates of the columns.

        **Source**: Schluchter & Elashoff 1990, J Stat Comput Simul 37:69, in the form of R's mmrm. SAS gives every
        effect the between df where Σ is unstructured, and splits the within df among effects of categories.
        """
        kinds = np.array(self.columns)
        between = self.n_subjects - int(np.isin(kinds, ["between", "intercept"]).sum())
        within = self.n_obs - self.n_subjects - int((kinds == "within").sum())
        of_column = np.where(kinds == "between", between, within)
        return np.asarray(np.where(L != 0, of_column, np.inf).min(1))


S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class DfMethod(Generic[S]):
    """One method, for states S.

    `name` is how prose says it; `vcov` gives the covariance of γ̂, `rows` the df of each row of L, `joint` the F
    statistic and its denominator df. Where `counted` is given it has the last word on the df. `reml_only` methods have
    no meaning under ML.
    """

    name: str
    vcov: Callable[[S], Array]
    rows: Callable[[S, Array], Array]
    joint: Callable[[S, Array, Array], tuple[Array, Array]]
    counted: Callable[[Counting, Array], Array] | None = None
    reml_only: bool = False


def _phi(state: State) -> Array:
    return state.Phi


def _satterthwaite_rows(information: str) -> Callable[[State, Array], Array]:
    def rows(state: State, L: Array) -> Array:
        return satterthwaite.row_df(L, state.Phi, state.P, state.theta_covariance(information))

    return rows


def _satterthwaite_joint(state: State, L: Array, estimate: Array) -> tuple[Array, Array]:
    return satterthwaite.joint_test(L, estimate, state.Phi, state.P, state.theta_covariance("observed"))


def _adjusted(information: str, second_order: bool) -> Callable[[State], Array]:
    def vcov(state: State) -> Array:
        W = state.theta_covariance(information)
        R = state.weighted_R(W) if second_order and isinstance(state, Nonlinear) else None
        return kenward_roger.adjusted_covariance(state.weighted_Q(W), state.Phi, state.P, W, R)

    return vcov


def _kenward_roger(information: str, order: str) -> DfMethod[State]:
    vcov = _adjusted(information, order == "second")

    def joint(state: State, L: Array, estimate: Array) -> tuple[Array, Array]:
        W = state.theta_covariance(information)
        return kenward_roger.joint_test(L, estimate, state.Phi, vcov(state), state.P, W)

    name = f"Kenward-Roger ({order} order, {information} information)"
    return DfMethod(name, vcov, _satterthwaite_rows(information), joint, reml_only=True)


def _wald(vcov: Callable[[S], Array]) -> Callable[[S, Array, Array], tuple[Array, Array]]:
    def joint(state: S, L: Array, estimate: Array) -> tuple[Array, Array]:
        V = L @ vcov(state) @ L.T
        return np.asarray(estimate @ np.linalg.solve(V, estimate) / len(L)), np.asarray(np.inf)

    return joint


def _simple(vcov: Callable[[S], Array]) -> dict[str, DfMethod[S]]:
    """Methods that go with any covariance."""
    wald = _wald(vcov)

    def infinite(_: S, L: Array) -> Array:
        return np.full(len(L), np.inf)

    return {
        "between-within": DfMethod("between-within", vcov, infinite, wald, Counting.between_within),
        "residual": DfMethod("residual", vcov, infinite, wald, Counting.residual),
        "asymptotic": DfMethod("asymptotic (normal)", vcov, infinite, wald),
    }


def _robust_joint(sandwich: Sandwich, L: Array, estimate: Array) -> tuple[Array, Array]:
    return sandwich.joint_test(L, estimate, sandwich.vcov())


DF_METHODS: dict[str, DfMethod[State]] = {
    "kenward-roger": _kenward_roger("observed", "first"),
    "kenward-roger-expected": _kenward_roger("expected", "first"),
    "kenward-roger-second-order": _kenward_roger("observed", "second"),
    "satterthwaite": DfMethod("Satterthwaite", _phi, _satterthwaite_rows("observed"), _satterthwaite_joint),
    **_simple(_phi),
}
"""With the covariance of the model."""

ROBUST_METHODS: dict[str, DfMethod[Sandwich]] = {
    "satterthwaite": DfMethod("Satterthwaite (Bell & McCaffrey)", Sandwich.vcov, Sandwich.row_df, _robust_joint),
    **_simple(Sandwich.vcov),
}
"""With a robust covariance."""
