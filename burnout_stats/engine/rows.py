"""The row path: random effects of columns that differ between subjects, such as exact dates, which no cross-products by
pattern can express.

For V_i = σ² (I + Z_i G Z_i') the likelihood needs of each subject only

    C_i = Z_i'Z_i (q × q)   and   D_i = Z_i'(X_i, y_i) (q × (p + 1))

and of all rows together (X, y)'(X, y). By Woodbury's identity, with B_i = Λ(I + Λ'C_iΛ)⁻¹Λ', which needs no inverse of
a singular G, and A_i = (I + Z_i G Z_i')⁻¹,

    log|I + Z_i G Z_i'| = log|I + Λ'C_iΛ|
    Z_i'A_iZ_i          = K_i = C_i − C_iB_iC_i
    Z_i'A_i(X_i, y_i)   = E_i = D_i − C_iB_iD_i

so every subject is a stack of small matrices, whatever the number of its rows, and there is no loop over subjects.
Sums of products of E and K over subjects then give all derivatives, as in `likelihood`.

**Source**: Woodbury as in Henderson & Searle 1981, SIAM Review 23:53; the likelihood as in `likelihood`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from .basis import Basis
from .full_steps import LONGEST, STEPS
from .likelihood import LOG_2PI, inverses
from .random_effects import Factor
from .scoring import GRADIENT_TOLERANCE, HALVINGS, LONGEST_STEP, POLISH, Attempt, Status

__all__ = [
    "RowProducts",
    "RowsCurvature",
    "RowsLikelihood",
    "RowsOptimum",
    "RowsProblem",
    "optimize_rows",
    "row_products",
]

Array = NDArray[np.float64]
FLOOR = 1e-7
"""The Hessian counts as positive definite above this ratio of its eigenvalues."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowProducts:
    """Cross-products of n subjects.

    Attributes
    ----------
    C : (n, q, q) array and D : (n, q, p + 1) array
    gram : (p + 1, p + 1) array
        (X, y)'(X, y) of all rows, weighted.
    weight, rows : (n,) arrays
        How often each subject counts, and its number of rows.
    basis : Basis
        The coordinates of (X, y).
    """

    C: Array
    D: Array
    gram: Array
    weight: Array
    rows: Array
    basis: Basis

    @property
    def n_columns(self) -> int:
        """p."""
        return len(self.gram) - 1

    @property
    def n_subjects(self) -> float:
        """Subjects, or the sum of their weights."""
        return float(self.weight.sum())

    @property
    def n_obs(self) -> float:
        """Rows, or the sum of their weights."""
        return float(self.weight @ self.rows)


def row_products(Z: Array, z: Array, subject: NDArray[np.integer], basis: Basis, weight: Array | None) -> RowProducts:
    """From rows: Z (N, q), z = (X, y) (N, p + 1) in the coordinates of `basis`, and subjects 0, 1, ... in order."""
    starts = np.flatnonzero(np.r_[True, subject[1:] != subject[:-1]])
    rows = np.diff(np.r_[starts, len(subject)]).astype(float)
    w = np.ones(len(starts)) if weight is None else np.asarray(weight, dtype=float)
    C = np.stack([np.add.reduceat(Z[:, [a]] * Z, starts, axis=0) for a in range(Z.shape[1])], axis=1)
    D = np.stack([np.add.reduceat(Z[:, [a]] * z, starts, axis=0) for a in range(Z.shape[1])], axis=1)
    weighted = z if weight is None else z * w[subject][:, None]
    return RowProducts(C=C, D=D, gram=weighted.T @ z, weight=w, rows=rows, basis=basis)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowsLikelihood:
    """The criterion at θ, γ̂ and Φ as in `Likelihood`, H = (X, y)'V⁻¹(X, y), and B_i by subject."""

    criterion: Array
    beta: Array
    Phi: Array
    H: Array
    B: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowsCurvature:
    """Derivatives of the criterion in θ as in `Curvature`; Q (m, m, p, p) is Q_ij, and `slope` (q, q) is ∂f/∂G."""

    gradient: Array
    observed: Array
    expected: Array
    P: Array
    Q: Array
    slope: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowsOptimum:
    """The end of an optimization, as `Optimum`."""

    theta: Array
    at: RowsLikelihood
    curvature: RowsCurvature
    status: NDArray[np.int64]
    iterations: NDArray[np.int64]
    max_gradient: Array
    trace: tuple[Array, ...]
    attempts: tuple[Attempt, ...] = ()

    @property
    def criterion(self) -> float:
        """−2 log-likelihood."""
        return float(self.at.criterion)


def woodbury(C: Array, L: Array) -> tuple[Array, Array]:
    """B_i = Λ(I + Λ'C_iΛ)⁻¹Λ' (n, q, q) and log|I + Λ'C_iΛ| (n,)."""
    if not L.shape[1]:
        return np.zeros_like(C), np.zeros(len(C))
    inverse, logdet, _ = inverses(L.T @ C @ L + np.eye(L.shape[1]))
    B: Array = L @ inverse @ L.T
    return B, logdet


def evaluate_rows(products: RowProducts, factor: Factor, theta: Array, *, reml: bool) -> RowsLikelihood:
    """The criterion at θ (m,)."""
    p, basis, n_obs = products.n_columns, products.basis, products.n_obs
    scale = float(np.exp(2 * theta[0]))
    B, logdet = woodbury(products.C, factor.matrix(theta[1:]))
    D = products.D
    BD = B @ D
    explained = _flat(D, products.weight).T @ BD.reshape(-1, p + 1)
    H = (products.gram - explained) / scale
    H = (H + H.T) / 2
    sign, logdet_x = np.linalg.slogdet(H[:p, :p])
    sound = bool(sign > 0 and np.isfinite(logdet_x))
    Phi = np.linalg.inv(H[:p, :p] if sound else np.eye(p))
    Phi = (Phi + Phi.T) / 2
    beta = Phi @ H[:p, p]
    c = np.append(-beta, 1.0)
    criterion = 2 * n_obs * theta[0] + products.weight @ logdet + c @ H @ c
    criterion += n_obs * (LOG_2PI + 2 * float(np.log(basis.scale)))
    if reml:
        criterion += float(logdet_x) - p * (LOG_2PI + 2 * float(np.log(basis.scale))) - 2 * float(basis.log_determinant)
    if not (sound and np.isfinite(criterion)):
        criterion = np.inf
    return RowsLikelihood(criterion=np.asarray(criterion), beta=beta, Phi=Phi, H=H, B=B)


def curvature_rows(
    products: RowProducts, factor: Factor, theta: Array, at: RowsLikelihood, *, reml: bool
) -> RowsCurvature:
    """Derivatives at θ, by the equations of `likelihood.curvature`.

    With V_j = σ² Z G_j Z' for λ_j (G_j = ∂G/∂λ_j) and V_0 = 2V for log σ, sums over subjects of tr(AV_jAV_k), X'AV_jAX
    and X'AV_jAV_kAX are contractions of G_j and G_k with Σ K, Σ K⊗K, Σ E⊗E and Σ K⊗E⊗E.
    """
    p, n_obs, w = products.n_columns, products.n_obs, products.weight
    C, D, B = products.C, products.D, at.B
    n, q, p1 = D.shape
    scale = float(np.exp(2 * theta[0]))
    CB = C @ B
    E = D - CB @ D
    K = C - CB @ C
    K = (K + np.swapaxes(K, -1, -2)) / 2
    flat_E, flat_K = E.reshape(n, -1), K.reshape(n, -1)
    sum_K = (w @ flat_K).reshape(q, q)
    KK = ((flat_K * w[:, None]).T @ flat_K).reshape(q, q, q, q)
    EE = ((flat_E * w[:, None]).T @ flat_E).reshape(q, p1, q, p1)
    KEE = np.empty((q, q, q, p1, q, p1))
    for b in range(q):
        for c_ in range(b + 1):
            KEE[b, c_] = ((flat_E * (w * K[:, b, c_])[:, None]).T @ flat_E).reshape(q, p1, q, p1)
            KEE[c_, b] = KEE[b, c_]

    L, dL = factor.matrix(theta[1:]), factor.units()
    G = dL @ L.T
    G = G + np.swapaxes(G, -1, -2)
    GG = np.einsum("iac,jbc->ijab", dL, dL)
    GG = GG + np.swapaxes(GG, -1, -2)
    m = 1 + len(G)
    first = np.empty((m, p1, p1))  # (X, y)'A V_j A(X, y)
    first[0] = 2 * at.H
    first[1:] = np.einsum("jab,aubv->juv", G, EE) / scale
    pair = np.empty((m, m, p1, p1))  # (X, y)'A V_j A V_k A(X, y)
    second = np.empty((m, m, p1, p1))  # (X, y)'A V_jk A(X, y)
    pair[0] = 2 * first
    pair[:, 0] = 2 * first
    second[0] = 2 * first
    second[:, 0] = 2 * first
    left = np.einsum("jab,bcaudv->jcudv", G, KEE)
    pair[1:, 1:] = np.einsum("jcudv,kcd->jkuv", left, G) / scale
    second[1:, 1:] = np.einsum("jkab,aubv->jkuv", GG, EE) / scale
    traces = np.append(2 * n_obs, np.einsum("jab,ab->j", G, sum_K))
    pair_trace = np.empty((m, m))
    second_trace = np.empty((m, m))
    for table in (pair_trace, second_trace):
        table[0] = table[:, 0] = 2 * traces
    pair_trace[1:, 1:] = np.einsum("jab,bcda,kcd->jk", G, KK, G)
    second_trace[1:, 1:] = np.einsum("jkab,ab->jk", GG, sum_K)

    c = np.append(-at.beta, 1.0)
    M2 = pair + np.swapaxes(pair, 0, 1) - second
    P = -first[:, :p, :p]
    g = -first[:, :p, :] @ c
    gradient = traces - np.einsum("a,jab,b->j", c, first, c)
    observed = second_trace - pair_trace + np.einsum("a,jkab,b->jk", c, M2, c) - 2 * g @ at.Phi @ g.T
    expected = pair_trace.copy()
    weight = np.outer(c, c)
    if reml:
        weight[:p, :p] += at.Phi
        PhiP = at.Phi @ P
        PhiPPhiP = np.einsum("jab,kba->jk", PhiP, PhiP)
        gradient = gradient + np.einsum("jaa->j", PhiP)
        observed = observed + np.einsum("ab,jkba->jk", at.Phi, M2[:, :, :p, :p]) - PhiPPhiP
        expected = expected - 2 * np.einsum("ab,jkba->jk", at.Phi, pair[:, :, :p, :p]) + PhiPPhiP
    slope = sum_K - np.einsum("aubv,uv->ab", EE, weight) / scale
    return RowsCurvature(
        gradient=gradient,
        observed=(observed + observed.T) / 2,
        expected=(expected + expected.T) / 2,
        P=P,
        Q=pair[:, :, :p, :p],
        slope=(slope + slope.T) / 2,
    )


def optimize_rows(
    products: RowProducts, factor: Factor, *, reml: bool, theta: Array | None = None, max_iterations: int = 100
) -> RowsOptimum:
    """The parameters that minimize −2 log-likelihood."""

    def evaluate(theta: Array) -> RowsLikelihood:
        return evaluate_rows(products, factor, theta, reml=reml)

    def curvature(theta: Array, at: RowsLikelihood) -> RowsCurvature:
        return curvature_rows(products, factor, theta, at, reml=reml)

    start = _start(products, factor) if theta is None else np.array(theta, dtype=float)
    descent = descend(evaluate, curvature, start, factor.signed, max_iterations)
    return RowsOptimum(
        theta=descent.theta,
        at=descent.at,
        curvature=descent.curvature,
        status=np.asarray(descent.status),
        iterations=np.asarray(len(descent.trace)),
        max_gradient=np.asarray(np.abs(descent.curvature.gradient).max()),
        trace=descent.trace,
    )


def _start(products: RowProducts, factor: Factor) -> Array:
    """Half of the residual variance of least squares for the residual, Λ the identity."""
    p, gram = products.n_columns, products.gram
    beta, *_ = np.linalg.lstsq(gram[:p, :p], gram[:p, p], rcond=None)
    residual = max(float(gram[p, p] - beta @ gram[:p, p]), 1e-300)
    lam = np.zeros(len(factor.rows))
    lam[factor.signs] = 1.0 / np.sqrt(max(1, factor.rank))
    return np.concatenate([[np.log(residual / products.n_obs / 2) / 2], lam])


class _Value(Protocol):
    @property
    def criterion(self) -> Array: ...


class _Slope(Protocol):
    @property
    def gradient(self) -> Array: ...
    @property
    def observed(self) -> Array: ...
    @property
    def expected(self) -> Array: ...


L = TypeVar("L", bound=_Value)
S = TypeVar("S", bound=_Slope)


@dataclass(frozen=True, slots=True, eq=False)
class Descent(Generic[L, S]):
    """Where Newton steps ended."""

    theta: Array
    at: L
    curvature: S
    status: Status
    trace: tuple[Array, ...]


def descend(
    evaluate: Callable[[Array], L],
    curvature: Callable[[Array, L], S],
    theta: Array,
    signed: Callable[[Array], Array],
    max_iterations: int = 100,
) -> Descent[L, S]:
    """Newton steps with the observed Hessian where it is positive definite, Fisher scoring otherwise, halved until the
    criterion falls, as `scoring.optimize` takes them, and in full where that stops short; `signed` picks one of several
    θ that say the same.
    """
    trace: list[Array] = []
    converged = False
    at = evaluate(theta)
    for _ in range(max_iterations):
        slope = curvature(theta, at)
        trace.append(at.criterion)
        step, decrement, newton = _direction(slope)
        if newton and decrement < POLISH:
            theta = theta + step
            converged = True
            break
        length, at = _length(evaluate, theta, step, at, decrement)
        if length == 0.0:
            break
        theta = theta + length * step
    theta = signed(theta)
    at = evaluate(theta)
    slope = curvature(theta, at)
    for _ in range(STEPS):  # close to a face of the cone: see `full_steps`
        if np.abs(slope.gradient).max() < GRADIENT_TOLERANCE:
            break
        step, decrement, newton = _direction(slope)
        if not newton or np.abs(step).max() > LONGEST:
            break
        theta = theta + step
        at = evaluate(theta)
        slope = curvature(theta, at)
        converged = decrement < POLISH
    values = np.linalg.eigvalsh(slope.observed)
    status = Status.VERIFIED if values[0] > FLOOR * values[-1] else Status.INDEFINITE
    if not (converged and np.abs(slope.gradient).max() < GRADIENT_TOLERANCE):
        status = Status.NOT_CONVERGED
    return Descent(theta, at, slope, status, tuple(trace))


def _direction(slope: _Slope) -> tuple[Array, float, bool]:
    values, vectors = np.linalg.eigh(slope.observed)
    newton = bool(values[0] > FLOOR * max(values[-1], 1e-300))
    if not newton:
        values, vectors = np.linalg.eigh(slope.expected)
    values = np.maximum(values, FLOOR * max(values[-1], 1e-300))
    rotated = vectors.T @ slope.gradient
    step = -vectors @ (rotated / values)
    longest = float(np.abs(step).max())
    return step * min(1.0, LONGEST_STEP / max(longest, 1e-300)), float((rotated**2 / values).sum()), newton


def _length(evaluate: Callable[[Array], L], theta: Array, step: Array, at: L, decrement: float) -> tuple[float, L]:
    """The longest of 1, 1/2, 1/4, ... at which the criterion falls enough (Armijo) and the likelihood there; 0 where
    none does.
    """
    length = 1.0
    rounding = 1e-13 * abs(float(at.criterion))
    for _ in range(HALVINGS):
        trial = evaluate(theta + length * step)
        if float(trial.criterion) <= float(at.criterion) - 1e-4 * length * min(decrement, 1.0) + rounding:
            return length, trial
        length /= 2
    return 0.0, at


def _flat(D: Array, weight: Array) -> Array:
    return (D * weight[:, None, None]).reshape(-1, D.shape[-1])


@dataclass(frozen=True, slots=True, eq=False)
class RowsProblem:
    """Random effects of any columns, for `random_effects.solve`."""

    products: RowProducts
    reml: bool

    @property
    def n_subjects(self) -> float:
        """Subjects."""
        return self.products.n_subjects

    def minimize(self, factor: Factor, theta: Array | None, *, restarts: bool = False) -> RowsOptimum:
        """The optimum over θ."""
        found = optimize_rows(self.products, factor, reml=self.reml, theta=theta)
        start = _start(self.products, factor)
        for size in (0.1, 0.3, 3.0) if restarts and found.status != Status.VERIFIED else ():
            again = optimize_rows(self.products, factor, reml=self.reml, theta=np.append(start[0], size * start[1:]))
            if again.status == Status.VERIFIED or again.criterion < found.criterion:
                found = again
        return found

    def slope(self, found: RowsOptimum) -> Array:
        """∂f/∂G."""
        return found.curvature.slope
