"""Random effects: Σ_i = σ² (I + Z_i G Z_i'), with G = ΛΛ' the covariance of the random effects relative to σ².

G is block diagonal, one block for each set of effects that may correlate. Zero variances and correlations of ±1 are
normal answers: they are points on the edge of the cone of positive semidefinite G, where the rank of a block is less
than its size. There Λ keeps as many columns as the rank, its parameters are the free elements of a pivoted Cholesky
factor, and the optimum is verified in the cone:

    the gradient in the free elements of Λ is 0, and N' (∂f/∂G) N is positive semidefinite for N spanning {v : Gv = 0}

(Karush-Kuhn-Tucker), so no variance that was left at zero would lower the criterion. Σ depends on Λ through squares
alone, so its derivative in an element that stands at zero says nothing; the second condition is asked of G instead.

θ = (log σ, λ), λ the free elements of Λ. Letters: q random effects, R columns of Λ, V visits.

**Source**: the relative factor after Bates, Mächler, Bolker & Walker 2015, J Stat Softw 67(1), section 2;
positive semidefinite optimality after Boyd & Vandenberghe 2004, Convex Optimization, section 5.9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from .covariance import Covariance, Structure
from .full_steps import full_steps
from .moments import Moments
from .packed import packed
from .scoring import Optimum, Status, optimize
from .variance_ratio import VarianceRatio

__all__ = [
    "Block",
    "Factor",
    "MomentsProblem",
    "Problem",
    "full_factor",
    "identified",
    "random_structure",
    "solve",
    "standardized",
]

Array = NDArray[np.float64]
Block = tuple[int, ...]
"""The random effects that may correlate with each other."""
ZERO = 1e-7
"""A variance below this share of σ² (per unit of a standardized column) is taken as zero, if the model without it is an
optimum.
"""
DOUBTFUL = 1e-3
"""The same, where the optimum with it could not be verified."""


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """Which elements of Λ (q × R) are free.

    Attributes
    ----------
    blocks : tuple of Block
    rows, columns : (number of λ,) integer arrays
    signs : (R,) integer array
        In each column, the position in λ of the element that is kept positive.
    """

    blocks: tuple[Block, ...]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    signs: NDArray[np.intp]

    @property
    def size(self) -> int:
        """q."""
        return sum(map(len, self.blocks))

    @property
    def rank(self) -> int:
        """R."""
        return len(self.signs)

    def matrix(self, lam: Array) -> Array:
        """Λ, shape (..., q, R)."""
        L = np.zeros((*lam.shape[:-1], self.size, self.rank))
        L[..., self.rows, self.columns] = lam
        return L

    def units(self) -> Array:
        """∂Λ/∂λ_i, shape (number of λ, q, R)."""
        units = np.zeros((len(self.rows), self.size, self.rank))
        units[np.arange(len(self.rows)), self.rows, self.columns] = 1.0
        return units

    def covariance(self, lam: Array) -> Array:
        """G = ΛΛ', shape (..., q, q)."""
        L = self.matrix(lam)
        G: Array = L @ np.swapaxes(L, -1, -2)
        return G

    def signed(self, theta: Array) -> Array:
        """The same Σ with the leading element of each column of Λ positive."""
        lam = theta[1:]
        flip = np.where(lam[self.signs] < 0, -1.0, 1.0)
        return np.concatenate([theta[:1], lam * flip[self.columns]])


def full_factor(blocks: Sequence[Block]) -> Factor:
    """Λ lower triangular in every block."""
    return _factor(blocks, [[list(block[j:]) for j in range(len(block))] for block in blocks])


def _factor(blocks: Sequence[Block], free: Sequence[Sequence[Sequence[int]]]) -> Factor:
    """From the free rows of each column, the leading one first, block by block."""
    rows: list[int] = []
    columns: list[int] = []
    signs: list[int] = []
    for own in free:
        for members in own:
            signs.append(len(rows))
            columns += [len(signs) - 1] * len(members)
            rows += members
    return Factor(tuple(blocks), np.array(rows, np.intp), np.array(columns, np.intp), np.array(signs, np.intp))


def _factored(G: Array, blocks: Sequence[Block], ranks: Sequence[int]) -> tuple[Factor, Array]:
    """The factor of G with some rank in each block, and λ: Cholesky with pivoting where the rank is not full, so that
    the leading elements stay away from zero.
    """
    free: list[list[list[int]]] = []
    values: list[float] = []
    for block, rank in zip(blocks, ranks, strict=True):
        left = G[np.ix_(block, block)].copy()
        taken: list[int] = []
        own: list[list[int]] = []
        for j in range(rank):
            pivot = j if rank == len(block) else int(np.argmax(np.diag(left)))
            column = left[:, pivot] / np.sqrt(max(left[pivot, pivot], 1e-300))
            left = left - np.outer(column, column)
            members = [pivot, *(k for k in range(len(block)) if k != pivot and k not in taken)]
            taken.append(pivot)
            left[taken, :] = 0.0
            left[:, taken] = 0.0
            own.append([block[k] for k in members])
            values += [float(column[k]) for k in members]
        free.append(own)
    return _factor(blocks, free), np.array(values)


def random_structure(Z: Array, factor: Factor) -> Structure:
    """Σ = σ² (I + ZΛΛ'Z') over V visits for Z (V × q), as a structure like those of the table.

    With U = ZΛ: ∂Σ/∂λ_i = σ² (∂U_i U' + U ∂U_i'), ∂²Σ/∂λ_i∂λ_j = σ² (∂U_i ∂U_j' + ∂U_j ∂U_i'), and every derivative in
    log σ doubles.
    """
    dU = Z @ factor.units()
    cross = np.einsum("iac,jbc->ijab", dU, dU)
    cross = cross + np.swapaxes(cross, -1, -2)
    identity = np.eye(len(Z))

    def variance(theta: Array) -> Array:
        scale: Array = np.exp(2 * theta[..., 0])[..., None, None]
        return scale

    def sigma(theta: Array, _: Array) -> Array:
        U = Z @ factor.matrix(theta[..., 1:])
        return variance(theta) * (identity + U @ np.swapaxes(U, -1, -2))

    def derivatives(theta: Array, _: Array) -> tuple[Array, Array]:
        U = Z @ factor.matrix(theta[..., 1:])
        scale = variance(theta)
        half = dU @ np.swapaxes(U, -1, -2)[..., None, :, :]
        whole = 2 * scale * (identity + U @ np.swapaxes(U, -1, -2))
        slopes = scale[..., None] * (half + np.swapaxes(half, -1, -2))
        first = np.concatenate([whole[..., None, :, :], slopes], axis=-3)
        m = first.shape[-3]
        second = np.empty((*first.shape[:-3], m, m, *first.shape[-2:]))
        second[..., 0, :, :, :] = 2 * first
        second[..., :, 0, :, :] = 2 * first
        second[..., 1:, 1:, :, :] = scale[..., None, None] * cross
        return first, second

    def start(given: Array, _: Array) -> Array:
        """The nearest σ² I + ZGZ' by least squares, then moved inside the cone."""
        V, J = len(Z), _entries(Z, factor.blocks)
        solved = given.reshape(*given.shape[:-2], V * V) @ np.linalg.pinv(J.reshape(len(J), V * V))
        total = np.trace(given, axis1=-2, axis2=-1) / V
        residual = np.clip(solved[..., 0], 0.1 * total, total)
        G = _filled(solved[..., 1:], factor.blocks) / residual[..., None, None]
        values, vectors = np.linalg.eigh(G)
        inside = (vectors * np.clip(values, 0.05, 20.0)[..., None, :]) @ np.swapaxes(vectors, -1, -2)
        L = np.linalg.cholesky(inside)
        return np.concatenate([np.log(residual)[..., None] / 2, L[..., factor.rows, factor.columns]], axis=-1)

    return Structure("random", "random effects", lambda V: 1 + len(factor.rows), sigma, derivatives, start)


def _pairs(blocks: Sequence[Block]) -> list[tuple[int, int]]:
    """The elements of G that may differ from zero, each once."""
    return [(k, m) for block in blocks for at, k in enumerate(block) for m in block[: at + 1]]


def _entries(Z: Array, blocks: Sequence[Block]) -> Array:
    """∂Σ/∂(σ², G) at σ² = 1, shape (1 + number of pairs, V, V)."""
    parts = [np.eye(len(Z))]
    for k, m in _pairs(blocks):
        outer = np.outer(Z[:, k], Z[:, m])
        parts.append(outer if k == m else outer + outer.T)
    return np.stack(parts)


def _filled(values: Array, blocks: Sequence[Block]) -> Array:
    q = sum(map(len, blocks))
    G = np.zeros((*values.shape[:-1], q, q))
    for at, (k, m) in enumerate(_pairs(blocks)):
        G[..., k, m] = values[..., at]
        G[..., m, k] = values[..., at]
    return G


def standardized(cross: Array, blocks: Sequence[Block]) -> Array | None:
    """T (q × q), block diagonal, such that the columns of ZT have mean square 1 and are orthogonal within a block;
    `cross` is Z'Z / N. Then G = T G* T'. None where columns within a block depend on each other.
    """
    T = np.zeros_like(cross)
    for block in blocks:
        own = np.ix_(block, block)
        d = np.sqrt(np.diag(cross[own]))
        if not (d > 0).all():
            return None
        values = np.linalg.eigvalsh(cross[own] / np.outer(d, d))
        if values[0] < 1e-10:
            return None
        R = np.linalg.cholesky(cross[own] / np.outer(d, d))
        T[own] = np.linalg.inv(R).T / d[:, None]
    return T


def identified(C: Array, rows: Array, weight: Array, blocks: Sequence[Block]) -> NDArray[np.bool_]:
    """Whether σ² and the elements of G can be told apart: the matrices I and z_k z_m' + z_m z_k' of all subjects
    together are linearly independent.

    C (n, q, q) is Z_i'Z_i of each subject or pattern, `rows` (n,) its number of rows and `weight` (..., n) its weight,
    in one data set or in many.
    """
    pairs = _pairs(blocks)
    k = np.array([pair[0] for pair in pairs])
    m = np.array([pair[1] for pair in pairs])
    flat = C.reshape(len(C), -1)
    lead, q = weight.shape[:-1], C.shape[-1]
    CC = (np.swapaxes(flat * weight[..., None], -1, -2) @ flat).reshape(*lead, q, q, q, q)
    gram = np.zeros((*lead, 1 + len(pairs), 1 + len(pairs)))
    gram[..., 0, 0] = weight @ rows
    gram[..., 0, 1:] = gram[..., 1:, 0] = (weight @ flat).reshape(*lead, q, q)[..., k, m]
    gram[..., 1:, 1:] = (CC[..., k[:, None], k, m[:, None], m] + CC[..., k[:, None], m, m[:, None], k]) / 2
    d = np.sqrt(np.maximum(np.diagonal(gram, axis1=-2, axis2=-1), 1e-300))
    smallest = np.linalg.eigvalsh(gram / (d[..., :, None] * d[..., None, :]))[..., 0]
    return np.asarray(smallest > 1e-10)


# ---- the optimum in the cone ---------------------------------------------------------------------------------------


class _Found(Protocol):
    @property
    def theta(self) -> Array: ...
    @property
    def status(self) -> NDArray[np.int64]: ...
    @property
    def criterion(self) -> float: ...


F = TypeVar("F", bound=_Found)


class Problem(Protocol[F]):
    """A criterion in θ = (log σ, λ) for any factor, from moments or from rows."""

    @property
    def n_subjects(self) -> float:
        """The size of a unit of information."""
        ...

    def minimize(self, factor: Factor, theta: Array | None, *, restarts: bool = False) -> F:
        """The optimum over θ, from a start or from one of its own, or the best from several."""
        ...

    def slope(self, found: F) -> Array:
        """∂f/∂G, (q, q), where the criterion changes by tr(∂f/∂G dG)."""
        ...


def solve(problem: Problem[F], blocks: Sequence[Block]) -> tuple[Factor, F]:
    """The optimum over σ² and positive semidefinite G, and the factor in which it is an interior point.

    First with all of Λ free; then without what came out as zero, as long as that is an optimum of the whole: where
    ∂f/∂G says that a direction left out would lower the criterion, it is taken back.
    """
    factor, found = _searched(problem, full_factor(blocks), restarts=False)
    if found.status == Status.VERIFIED:
        return factor, found
    other, again = _searched(problem, full_factor(blocks), restarts=True)
    better = again.status == Status.VERIFIED or again.criterion < found.criterion
    return (other, again) if better else (factor, found)


def _searched(problem: Problem[F], factor: Factor, *, restarts: bool) -> tuple[Factor, F]:
    found = problem.minimize(factor, None, restarts=restarts)
    for _ in range(2 * factor.size + 2):
        smaller = _without_zeros(problem, factor, found)
        if smaller is not None:
            factor, found = smaller
        larger = _with_what_helps(problem, factor, found)
        if larger is None:
            break
        factor, found = larger
    return factor, found


def _ranks(G: Array, blocks: Sequence[Block], limit: float) -> list[int]:
    ranks = []
    for block in blocks:
        values = np.linalg.eigvalsh(G[np.ix_(block, block)])
        ranks.append(int((values > limit).sum()))
    return ranks


def _without_zeros(problem: Problem[F], factor: Factor, found: F) -> tuple[Factor, F] | None:
    G = factor.covariance(found.theta[1:])
    verified = bool(found.status == Status.VERIFIED)
    for limit in (ZERO,) if verified else (DOUBTFUL, ZERO):
        ranks = _ranks(G, factor.blocks, limit)
        if sum(ranks) == factor.rank:
            continue
        fewer, lam = _factored(G, factor.blocks, ranks)
        again = problem.minimize(fewer, np.concatenate([found.theta[:1], lam]))
        slack = 1e-9 * abs(found.criterion) + 1e-7
        worse = again.criterion > found.criterion + slack
        if worse or (verified and again.status != Status.VERIFIED):
            continue
        deeper = _without_zeros(problem, fewer, again)
        return deeper if deeper is not None else (fewer, again)
    return None


def _with_what_helps(problem: Problem[F], factor: Factor, found: F) -> tuple[Factor, F] | None:
    if factor.rank == factor.size or not np.isfinite(found.criterion):
        return None
    G = factor.covariance(found.theta[1:])
    M = problem.slope(found)
    ranks = _ranks(G, factor.blocks, ZERO)
    for at, block in enumerate(factor.blocks):
        if ranks[at] == len(block):
            continue
        own = np.ix_(block, block)
        _, vectors = np.linalg.eigh(G[own])
        null = vectors[:, : len(block) - ranks[at]]
        values, directions = np.linalg.eigh(null.T @ M[own] @ null)
        if values[0] >= -ZERO * problem.n_subjects:
            continue
        direction = null @ directions[:, 0]
        more = list(ranks)
        more[at] += 1
        for size in (0.1, 1e-3):
            raised = G.copy()
            raised[own] += size * np.outer(direction, direction)
            wider, lam = _factored(raised, factor.blocks, more)
            again = problem.minimize(wider, np.concatenate([found.theta[:1], lam]))
            if again.criterion < found.criterion - 1e-9:
                return wider, again
    return None


# ---- from moments --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class MomentsOptimum:
    """An optimum from moments, and the covariance in which it was found."""

    covariance: Covariance
    optimum: Optimum

    @property
    def theta(self) -> Array:
        """θ̂."""
        return self.optimum.theta

    @property
    def status(self) -> NDArray[np.int64]:
        """How the optimization ended."""
        return self.optimum.status

    @property
    def criterion(self) -> float:
        """−2 log-likelihood."""
        return float(self.optimum.at.criterion)


@dataclass(frozen=True, slots=True, eq=False)
class MomentsProblem:
    """Random effects of the visit: Z (V × q), the same for all subjects."""

    moments: Moments
    Z: Array
    times: Array
    reml: bool

    @property
    def n_subjects(self) -> float:
        """Subjects."""
        return float(self.moments.n_subjects)

    def minimize(self, factor: Factor, theta: Array | None, *, restarts: bool = False) -> MomentsOptimum:
        """The optimum over θ."""
        covariance = Covariance(random_structure(self.Z, factor), self.times)
        if theta is None and not restarts and factor.size == factor.rank == 1:
            theta = VarianceRatio.of(self.moments, self.Z[:, 0], reml=self.reml).solve()
        found = optimize(self.moments, covariance, reml=self.reml, theta=theta, restarts=restarts)
        signed = factor.signed(found.theta)
        if np.any(signed != found.theta):
            found = optimize(self.moments, covariance, reml=self.reml, theta=signed, restarts=False)
        if found.status == Status.NOT_CONVERGED and np.isfinite(found.at.criterion):
            found = self._near_a_face(covariance, found)
        return MomentsOptimum(covariance, found)

    def _near_a_face(self, covariance: Covariance, found: Optimum) -> Optimum:
        """The optimum after full Newton steps (see `full_steps`) from where a run stopped, if there is one."""
        moments = packed(self.moments)
        stack = replace(moments, n=moments.n[None], values=moments.values[None])
        with np.errstate(all="ignore"):
            theta = full_steps(stack, covariance, found.theta[None], reml=self.reml)[0]
        again = optimize(moments, covariance, reml=self.reml, theta=theta, max_iterations=2, restarts=False)
        if again.status != Status.VERIFIED:
            return found
        return replace(again, trace=found.trace, attempts=(*found.attempts, *again.attempts))

    def slope(self, found: MomentsOptimum) -> Array:
        """∂f/∂G = σ² Z' Σ_S { n_S A_S − A_S U_S A_S } Z, with U_S[a, b] = Σ_uv T_S[a, b, u, v] (cc' + Φ)[u, v], c =
        (−β̂, 1), and Φ under REML only.
        """
        at = found.optimum.at
        c = np.append(-at.beta, 1.0)
        weight = np.outer(c, c)
        if self.reml:
            weight[:-1, :-1] += at.Phi
        U = np.einsum("sabuv,uv->sab", self.moments.T, weight)
        middle = np.einsum("s,sab->ab", self.moments.n, at.A) - (at.A @ U @ at.A).sum(0)
        slope: Array = np.exp(2 * found.theta[0]) * self.Z.T @ middle @ self.Z
        return (slope + slope.T) / 2
