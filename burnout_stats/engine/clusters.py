"""Clusters above the subject: a random intercept shared by the subjects of a clinic, on any covariance of the visits.

For cluster c, with the Σ_i of its subjects and V_c = diag(Σ_1, Σ_2, ...) + τ² 11', Woodbury's identity gives, with A as
for independent subjects (`likelihood`), k_c = Σ 1'A_i1, F_c = Σ 1'A_i(X_i, y_i), u_c = 1 + τ²k_c and b_c = τ²/u_c,

    log|V| = Σ_S n_S log|Σ[S, S]| + Σ_c log u_c
    H      = (X, y)'V⁻¹(X, y) = Σ_S Σ_ab A_S[a, b] T_S[a, b] − Σ_c b_c F_cF_c'

A_S is the same for all subjects of pattern S, so beyond the moments only counts n_cS and sums of rows s_cS[a], by
cluster, pattern and visit, are needed: an iteration costs the same for any number of subjects.

θ = (parameters of Σ, τ), τ ≥ 0 by symmetry; where τ = 0 is the optimum, ∂f/∂(τ²) is not negative there.

**Source**: Woodbury as in Henderson & Searle 1981, SIAM Review 23:53; derivatives as in `likelihood`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .covariance import Covariance
from .jets import Jet
from .likelihood import LOG_2PI, contract, precisions
from .moments import Moments
from .random_effects import Factor, random_structure
from .rows import descend
from .scoring import Attempt, Status, optimize

__all__ = ["ClusterSums", "Clustered", "ClusteredOptimum", "ClusteredProblem", "cluster_sums", "optimize_clustered"]

Array = NDArray[np.float64]
ZERO = 1e-7
"""A variance between clusters below this share of that within is taken as zero, if that is an optimum."""


@dataclass(frozen=True, slots=True, eq=False)
class ClusterSums:
    """n (C, P), subjects by cluster and pattern, and s (C, P, V, p + 1), sums of their rows (X, y)."""

    n: Array
    s: Array


def cluster_sums(
    moments: Moments,
    z: Array,
    subject: NDArray[np.integer],
    visit: NDArray[np.integer],
    cluster: NDArray[np.integer],
    group: NDArray[np.integer] | None,
    weight: Array | None,
) -> ClusterSums:
    """From rows z (N, p + 1) in the basis of `moments`, and cluster, group and weight of each subject."""
    n_visits = moments.patterns.shape[1]
    bits = np.left_shift(np.int64(1), np.arange(n_visits))
    starts = np.flatnonzero(np.r_[True, subject[1:] != subject[:-1]])
    code = np.add.reduceat(bits[visit], starts)
    known = moments.patterns @ bits
    if group is not None:
        code, known = code + (group << n_visits), known + (moments.groups << n_visits)
    order = np.argsort(known)
    pattern = order[np.searchsorted(known[order], code)]
    C, P, q = int(cluster.max()) + 1, len(known), z.shape[1]
    w = np.ones(len(starts)) if weight is None else weight
    n = np.bincount(cluster * P + pattern, weights=w, minlength=C * P).reshape(C, P)
    where = ((cluster * P + pattern)[subject]) * n_visits + visit
    size = C * P * n_visits
    s = np.stack([np.bincount(where, weights=z[:, j] * w[subject], minlength=size) for j in range(q)], axis=-1)
    return ClusterSums(np.asarray(n, dtype=float), np.asarray(s, dtype=float).reshape(C, P, n_visits, q))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusteredLikelihood:
    """The criterion at θ, γ̂ and Φ as in `Likelihood`, Σ by group without τ², A by pattern, and H."""

    criterion: Array
    beta: Array
    Phi: Array
    sigma: Array
    A: Array
    H: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusteredCurvature:
    """Derivatives of the criterion in θ as in `Curvature`; Q (m, m, p, p) is (Q_ij + Q_ji) / 2."""

    gradient: Array
    observed: Array
    expected: Array
    P: Array
    Q: Array


@dataclass(frozen=True, slots=True, eq=False)
class Clustered:
    """The criterion with clusters."""

    moments: Moments
    sums: ClusterSums
    covariance: Covariance
    reml: bool

    def evaluate(self, theta: Array) -> ClusteredLikelihood:
        """The criterion at θ (m + 1,), τ last."""
        moments, p = self.moments, self.moments.n_columns
        sigma = self.covariance.sigma(theta[:-1])
        A, logdet = precisions(moments.patterns, sigma[moments.groups])
        k, F = self._sums(A)
        u = 1 + theta[-1] ** 2 * k
        H = contract(A, moments.T) - np.einsum("c,ci,cj->ij", theta[-1] ** 2 / u, F, F)
        H = (H + H.T) / 2
        sign, logdet_x = np.linalg.slogdet(H[:p, :p])
        sound = bool(sign > 0 and np.isfinite(logdet_x))
        Phi = np.linalg.inv(H[:p, :p] if sound else np.eye(p))
        Phi = (Phi + Phi.T) / 2
        beta = Phi @ H[:p, p]
        c = np.append(-beta, 1.0)
        unit = LOG_2PI + 2 * float(np.log(moments.basis.scale))
        criterion = float(moments.n @ logdet + np.log(u).sum() + c @ H @ c + float(moments.n_obs) * unit)
        if self.reml:
            criterion += float(logdet_x) - p * unit - 2 * float(moments.basis.log_determinant)
        if not (sound and np.isfinite(criterion)):
            criterion = np.inf
        return ClusteredLikelihood(criterion=np.asarray(criterion), beta=beta, Phi=Phi, sigma=sigma, A=A, H=H)

    def curvature(self, theta: Array, at: ClusteredLikelihood) -> ClusteredCurvature:
        """Derivatives at θ.

        The second derivatives of H and of log|V| give the sums that the expected information and Kenward-Roger need:
        Q_ij + Q_ji = ∂²H_ij + X'V⁻¹V_ijV⁻¹X and tr(V⁻¹V_iV⁻¹V_j) = tr(V⁻¹V_ij) − ∂² log|V|.
        """
        moments, p = self.moments, self.moments.n_columns
        A, T, n = at.A, moments.T, moments.n
        first, second = self.covariance.derivatives(theta[:-1])
        first, second = first[:, moments.groups], second[:, :, moments.groups]
        m, tau = len(first), float(theta[-1])
        AV = A @ first
        dA = -AV @ A
        pair = np.einsum("ipab,jpbc->ijpac", AV, AV)
        both = pair @ A
        d2A = both + np.swapaxes(both, 0, 1) - A @ second @ A
        H1, H2 = _padded(contract(dA, T), contract(d2A, T))
        l1, l2 = _padded(
            np.einsum("p,ipaa->i", n, AV),
            np.einsum("p,pab,ijpba->ij", n, A, second) - np.einsum("p,ijpaa->ij", n, pair),
        )
        k, F = self._sums(A)
        k1, F1 = self._sums(dA)
        k2, F2 = self._sums(d2A)
        k1, k2 = _padded(k1, k2)
        F1, F2 = _padded(F1, F2)
        square = Jet(np.asarray(tau), np.eye(m + 1)[-1], np.zeros((m + 1, m + 1)))
        square = square * square
        u = square * Jet(k, k1, k2, 1) + 1.0
        logs = u.map(np.log(u.value), 1 / u.value, -1 / u.value**2)
        b = square * u.map(1 / u.value, -1 / u.value**2, 2 / u.value**3)
        l1, l2 = l1 + logs.gradient.sum(-1), l2 + logs.hessian.sum(-1)
        H1 = H1 - np.einsum("ic,cu,cv->iuv", b.gradient, F, F) - _both(np.einsum("c,icu,cv->iuv", b.value, F1, F))
        mixed = _both(np.einsum("ic,jcu,cv->ijuv", b.gradient, F1, F))
        H2 = (
            H2
            - np.einsum("ijc,cu,cv->ijuv", b.hessian, F, F)
            - mixed
            - np.swapaxes(mixed, 0, 1)
            - _both(np.einsum("c,ijcu,cv->ijuv", b.value, F2, F))
            - _both(np.einsum("c,icu,jcv->ijuv", b.value, F1, F1))
        )
        H2 = (H2 + np.swapaxes(H2, 0, 1)) / 2

        along, trace = self._along(at, tau, second, 0.0)  # V_ij: second derivatives of Σ, and 2·11' for τ alone
        along, trace = _padded_pairs(along), _padded_pairs(trace)
        along[m, m], trace[m, m] = (2 * part for part in self._along(at, tau, np.zeros_like(A), 1.0))
        twice_Q = (H2 - along)[:, :, :p, :p]

        c = np.append(-at.beta, 1.0)
        P = H1[:, :p, :p]
        g = H1[:, :p, :] @ c
        gradient = l1 + np.einsum("a,iab,b->i", c, H1, c)
        observed = l2 + np.einsum("a,ijab,b->ij", c, H2, c) - 2 * g @ at.Phi @ g.T
        expected = trace - l2
        if self.reml:
            PhiP = at.Phi @ P
            products = np.einsum("iab,jba->ij", PhiP, PhiP)
            gradient = gradient + np.einsum("iaa->i", PhiP)
            observed = observed + np.einsum("ab,ijba->ij", at.Phi, H2[:, :, :p, :p]) - products
            expected = expected - np.einsum("ab,ijba->ij", at.Phi, twice_Q) + products
        return ClusteredCurvature(
            gradient=gradient,
            observed=(observed + observed.T) / 2,
            expected=(expected + expected.T) / 2,
            P=P,
            Q=twice_Q / 2,
        )

    def slope(self, at: ClusteredLikelihood, tau: float, direction: Array, square: float) -> Array:
        """The change of the criterion along changes of Σ by pattern (..., P, V, V) and of τ²."""
        p = self.moments.n_columns
        along, trace = self._along(at, tau, direction, square)
        c = np.append(-at.beta, 1.0)
        changed: Array = trace + np.einsum("a,...ab,b->...", c, along, c)
        if self.reml:
            changed = changed + np.einsum("ab,...ba->...", at.Phi, along[..., :p, :p])
        return changed

    def _along(self, at: ClusteredLikelihood, tau: float, direction: Array, square: float) -> tuple[Array, Array]:
        """The changes of H and of log|V| along a direction of Σ and of τ²."""
        A = at.A
        AD = A @ direction
        dA = -AD @ A
        k, F = self._sums(A)
        dk, dF = self._sums(dA)
        u = 1 + tau**2 * k
        b = tau**2 / u
        db = -(b**2) * dk + square / u**2
        H = contract(dA, self.moments.T)
        H = H - np.einsum("...c,cu,cv->...uv", db, F, F) - _both(np.einsum("c,...cu,cv->...uv", b, dF, F))
        trace = np.einsum("p,...paa->...", self.moments.n, AD) + ((tau**2 * dk + square * k) / u).sum(-1)
        return H, trace

    def _sums(self, A: Array) -> tuple[Array, Array]:
        """Σ 1'A1 (..., C) and Σ 1'A(X, y) (..., C, p + 1) over the subjects of each cluster."""
        columns = A.sum(-2)
        return np.einsum("...sb,cs->...c", columns, self.sums.n), np.einsum("...sb,csbj->...cj", columns, self.sums.s)


def _both(matrix: Array) -> Array:
    return matrix + np.swapaxes(matrix, -1, -2)


def _padded(first: Array, second: Array) -> tuple[Array, Array]:
    """A row of zeros for τ."""
    grown = np.concatenate([first, np.zeros((1, *first.shape[1:]))])
    return grown, _padded_pairs(second)


def _padded_pairs(second: Array) -> Array:
    m = len(second)
    whole = np.zeros((m + 1, m + 1, *second.shape[2:]))
    whole[:m, :m] = second
    return whole


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusteredOptimum:
    """The end of an optimization, as `Optimum`; `tau` is 0 where the variance between clusters is at its bound, and
    then the derivatives are those of Σ alone.
    """

    covariance: Covariance
    theta: Array
    tau: float
    at: ClusteredLikelihood
    curvature: ClusteredCurvature
    status: NDArray[np.int64]
    iterations: NDArray[np.int64]
    max_gradient: Array
    trace: tuple[Array, ...]
    attempts: tuple[Attempt, ...] = ()

    @property
    def criterion(self) -> float:
        """−2 log-likelihood."""
        return float(self.at.criterion)


def optimize_clustered(model: Clustered, theta: Array | None = None, *, restarts: bool = False) -> ClusteredOptimum:
    """The optimum over θ and τ; `theta` is a start for the parameters of Σ."""
    alone = optimize(model.moments, model.covariance, reml=model.reml, theta=theta, restarts=restarts)
    within = np.asarray(alone.theta, dtype=float)
    between = 0.1 * float(np.trace(alone.at.sigma[0])) / alone.at.sigma.shape[-1]
    found = descend(
        model.evaluate,
        model.curvature,
        np.append(within, np.sqrt(between)),
        lambda theta: np.append(theta[:-1], abs(theta[-1])),
    )
    share = found.theta[-1] ** 2 / (float(np.trace(found.at.sigma[0])) / found.at.sigma.shape[-1])
    if share < ZERO or found.status != Status.VERIFIED:
        at = model.evaluate(np.append(within, 0.0))
        none = np.zeros_like(at.A)
        helps = float(model.slope(at, 0.0, none, 1.0)) * between * 10 < -ZERO * float(model.moments.n_subjects)
        if not helps and alone.status == Status.VERIFIED:
            return _at_zero(model, within, at)
    theta, tau = found.theta[:-1], float(found.theta[-1])
    return ClusteredOptimum(
        covariance=model.covariance,
        theta=theta,
        tau=tau,
        at=found.at,
        curvature=found.curvature,
        status=np.asarray(found.status),
        iterations=np.asarray(len(found.trace)),
        max_gradient=np.asarray(np.abs(found.curvature.gradient).max()),
        trace=found.trace,
    )


def _at_zero(model: Clustered, theta: Array, at: ClusteredLikelihood) -> ClusteredOptimum:
    whole = model.curvature(np.append(theta, 0.0), at)
    curvature = ClusteredCurvature(
        gradient=whole.gradient[:-1],
        observed=whole.observed[:-1, :-1],
        expected=whole.expected[:-1, :-1],
        P=whole.P[:-1],
        Q=whole.Q[:-1, :-1],
    )
    return ClusteredOptimum(
        covariance=model.covariance,
        theta=theta,
        tau=0.0,
        at=at,
        curvature=curvature,
        status=np.asarray(Status.VERIFIED),
        iterations=np.asarray(1),
        max_gradient=np.asarray(np.abs(curvature.gradient).max()),
        trace=(at.criterion,),
    )


@dataclass(frozen=True, slots=True, eq=False)
class ClusteredProblem:
    """Random effects of the subject (Z by visit, V × q) within clusters, for `random_effects.solve`."""

    moments: Moments
    sums: ClusterSums
    Z: Array
    times: Array
    reml: bool

    @property
    def n_subjects(self) -> float:
        """Subjects."""
        return float(self.moments.n_subjects)

    def minimize(self, factor: Factor, theta: Array | None, *, restarts: bool = False) -> ClusteredOptimum:
        """The optimum over θ and τ."""
        covariance = Covariance(random_structure(self.Z, factor), self.times)
        return optimize_clustered(Clustered(self.moments, self.sums, covariance, self.reml), theta, restarts=restarts)

    def slope(self, found: ClusteredOptimum) -> Array:
        """∂f/∂G."""
        model = Clustered(self.moments, self.sums, found.covariance, self.reml)
        q = self.Z.shape[1]
        scale = float(np.exp(2 * found.theta[0]))
        outer = np.einsum("va,wb->abvw", self.Z, self.Z) * scale
        direction = (outer + np.swapaxes(outer, 0, 1)) / 2
        shape = (q, q, len(self.moments.patterns), *direction.shape[-2:])
        return model.slope(found.at, found.tau, np.broadcast_to(direction[:, :, None], shape), 0.0)
