"""Random effects of the visit in many replicates at once: every replicate at its optimum over σ² and positive
semidefinite G, inside the cone or on the face of it where the optimum lies.

All replicates share Λ, lower triangular in every block, and its θ = (log σ, λ) (see `random_effects`). A face of the
cone is a rank in each block: r columns of the block stay and the others are zero, which any G of that rank allows. The
stack is optimized over all of Λ first. Replicates that end with an eigenvalue of G at zero go on as one stack for each
face, those without a verified end on all faces, and their end counts where

    the gradient in the free elements of Λ is 0 with positive definite Hessian, and N' (∂f/∂G) N is positive
    semidefinite for N spanning {v : Gv = 0}.

What is left is tried once more from elsewhere. Nothing is fitted in a loop over replicates; the loop is over faces.

**Source**: as `random_effects`: Boyd & Vandenberghe 2004, Convex Optimization, section 5.9.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from .covariance import Covariance
from .full_steps import full_steps
from .likelihood import Likelihood, evaluate
from .packed import PackedMoments
from .random_effects import ZERO, Block, Factor, full_factor, identified, random_structure
from .scoring import Status, optimize

__all__ = ["Cone", "InCone", "optimize_in_cone"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]
INSIDE = 0.05
"""Eigenvalues of G that a run over all of Λ begins with at least: on a face, it would stay there."""


@dataclass(frozen=True, slots=True, eq=False)
class Cone:
    """Random effects whose columns Z (V × q) are the same for all subjects, standardized (see
    `random_effects.standardized`).
    """

    Z: Array
    times: Array
    blocks: tuple[Block, ...]

    @property
    def factor(self) -> Factor:
        """Λ lower triangular in every block."""
        return full_factor(self.blocks)

    @property
    def covariance(self) -> Covariance:
        """Σ(θ)."""
        return Covariance(random_structure(self.Z, self.factor), self.times)

    @property
    def faces(self) -> list[tuple[int, ...]]:
        """Ranks in the blocks, those with the most first; not the inside."""
        ranks = product(*(range(len(block), -1, -1) for block in self.blocks))
        return sorted(ranks, key=sum, reverse=True)[1:]

    def free(self, ranks: tuple[int, ...]) -> Mask:
        """Which elements of θ are free on a face."""
        kept = np.concatenate([np.arange(len(b)) < r for b, r in zip(self.blocks, ranks, strict=True)])
        return np.append(True, kept[self.factor.columns])

    def ranks(self, theta: Array) -> Index:
        """The rank of each block of G at θ, shape (..., number of blocks)."""
        G = self.factor.covariance(theta[..., 1:])
        return np.stack(
            [(np.linalg.eigvalsh(G[..., b, :][..., :, b]) > ZERO).sum(-1) for b in map(list, self.blocks)], axis=-1
        )

    def inside(self, theta: Array) -> Array:
        """θ with no eigenvalue of G below `INSIDE`."""
        return self._factored(theta, tuple(map(len, self.blocks)), INSIDE)

    def onto(self, theta: Array, ranks: tuple[int, ...]) -> Array:
        """θ with the largest eigenvalues of each block of G, as many as its rank."""
        return self._factored(theta, ranks, 0.0)

    def start(self, log_sigma: float, G: Array) -> Array:
        """θ inside, for log σ and G (q, q)."""
        theta = np.zeros((1, 1 + len(self.factor.rows)))
        theta[:, 0] = log_sigma
        return np.asarray(self._of_covariance(theta, G[None], tuple(map(len, self.blocks)), INSIDE)[0])

    def helped(self, moments: PackedMoments, theta: Array, at: Likelihood, reml: bool) -> Mask:
        """Whether a direction outside G would lower the criterion: ∂f/∂G = σ² Z' Σ_S {n_S A_S − A_S U_S A_S} Z as in
        `random_effects.MomentsProblem.slope`, asked on the null space of G.
        """
        c = np.concatenate([-at.beta, np.ones((*at.beta.shape[:-1], 1))], axis=-1)
        w = c[..., :, None] * c[..., None, :]
        if reml:
            w[..., :-1, :-1] += at.Phi
        middle = (moments.n[..., None, None] * at.A - at.A @ moments.weigh(w) @ at.A).sum(-3)
        M = np.exp(2 * theta[..., 0])[..., None, None] * (self.Z.T @ middle @ self.Z)
        G = self.factor.covariance(theta[..., 1:])
        lowest = np.zeros(len(theta))
        for block in map(list, self.blocks):
            values, vectors = np.linalg.eigh(G[..., block, :][..., :, block])
            null = values <= ZERO
            inner = np.swapaxes(vectors, -1, -2) @ M[..., block, :][..., :, block] @ vectors
            asked = np.where(null[..., :, None] & null[..., None, :], inner, 0.0)
            lowest = np.minimum(lowest, np.linalg.eigvalsh((asked + np.swapaxes(asked, -1, -2)) / 2)[..., 0])
        return np.asarray(lowest < -ZERO * moments.n_subjects)

    def _factored(self, theta: Array, ranks: tuple[int, ...], least: float) -> Array:
        return self._of_covariance(theta, self.factor.covariance(theta[..., 1:]), ranks, least)

    def _of_covariance(self, theta: Array, G: Array, ranks: tuple[int, ...], least: float) -> Array:
        """λ of G cut to its largest eigenvalues: with G = FF', the triangle of the QR decomposition of F'."""
        factor = self.factor
        L = np.zeros((*theta.shape[:-1], factor.size, factor.rank))
        first = 0
        for block, rank in zip(self.blocks, ranks, strict=True):
            at = list(block)
            if rank:
                values, vectors = np.linalg.eigh(G[..., at, :][..., :, at])
                root = np.sqrt(np.maximum(values[..., -rank:], max(least, ZERO)))
                F = vectors[..., -rank:] * root[..., None, :]
                R = np.linalg.qr(np.swapaxes(F, -1, -2))[1]
                signs = np.where(np.diagonal(R, axis1=-2, axis2=-1) < 0, -1.0, 1.0)
                columns = np.arange(first, first + rank)
                L[..., np.array(at)[:, None], columns] = np.swapaxes(R * signs[..., None], -1, -2)
            first += len(block)
        return np.concatenate([theta[..., :1], L[..., factor.rows, factor.columns]], axis=-1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InCone:
    """R optima: `theta` (R, m) with all of Λ, the likelihood there, whether each was `verified` and whether it lies at
    the `edge` of the cone.
    """

    theta: Array
    at: Likelihood
    verified: Mask
    edge: Mask


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """What stays the same, and where the replicates stand; `theta`, `criterion` and `sound` are changed in place."""

    moments: PackedMoments
    cone: Cone
    covariance: Covariance
    reml: bool
    max_iterations: int
    theta: Array
    criterion: Array
    sound: Mask

    def anywhere(self, where: Index, start: Array, restarts: bool) -> None:
        """The optimum over all of Λ, and over the faces on which it comes out or, where it is doubtful, over all."""
        found = optimize(
            self.moments.take(where),
            self.covariance,
            reml=self.reml,
            theta=start,
            max_iterations=self.max_iterations,
            restarts=restarts,
        )
        ranks = self.cone.ranks(found.theta)
        stopped = found.status == Status.VERIFIED
        interior = ranks.sum(-1) == self.cone.factor.rank
        self.theta[where] = found.theta
        self._take(where, found.theta, found.at.criterion, stopped & interior)
        self._near_a_face(where[~stopped])
        for face in self.cone.faces:
            self._face(where[stopped & (ranks == face).all(-1)], face)
        left = where[~self.sound[where]]
        for face in self.cone.faces:
            self._face(left, face)

    def _near_a_face(self, where: Index) -> None:
        """Full Newton steps for what stopped short of an optimum inside (see `full_steps`)."""
        if not len(where):
            return
        part = self.moments.take(where)
        theta = full_steps(part, self.covariance, self.theta[where], reml=self.reml)
        found = optimize(part, self.covariance, reml=self.reml, theta=theta, max_iterations=2, restarts=False)
        interior = self.cone.ranks(found.theta).sum(-1) == self.cone.factor.rank
        self._take(where, found.theta, found.at.criterion, (found.status == Status.VERIFIED) & interior)

    def _face(self, where: Index, face: tuple[int, ...]) -> None:
        """The optimum on one face, for the replicates that end there at an optimum of the whole."""
        if not len(where):
            return
        part = self.moments.take(where)
        found = optimize(
            part,
            self.covariance,
            reml=self.reml,
            theta=self.cone.onto(self.theta[where], face),
            max_iterations=self.max_iterations,
            free=self.cone.free(face),
            restarts=False,
        )
        sound = (found.status == Status.VERIFIED) & (self.cone.ranks(found.theta) == face).all(-1)
        sound &= ~self.cone.helped(part, found.theta, found.at, self.reml)
        self._take(where, found.theta, found.at.criterion, sound)

    def _take(self, where: Index, theta: Array, criterion: Array, sound: Mask) -> None:
        """Takes over verified ends, where there is none yet or none so good."""
        better = sound & (~self.sound[where] | (criterion < self.criterion[where]))
        at = where[better]
        self.theta[at], self.criterion[at], self.sound[at] = theta[better], criterion[better], True


def optimize_in_cone(
    moments: PackedMoments, cone: Cone, theta: Array, *, reml: bool, max_iterations: int = 100
) -> InCone:
    """The optima of a stack of replicates over σ² and G, each from θ (m,), which lies inside.

    Replicates in which the variances cannot be told apart (see `random_effects.identified`) are not verified.
    """
    R = len(moments.n)
    search = _Search(
        moments=moments,
        cone=cone,
        covariance=cone.covariance,
        reml=reml,
        max_iterations=max_iterations,
        theta=np.tile(theta, (R, 1)),
        criterion=np.full(R, np.inf),
        sound=np.zeros(R, dtype=bool),
    )
    patterns = moments.patterns.astype(float)
    cross = np.einsum("sv,va,vb->sab", patterns, cone.Z, cone.Z)
    apart = np.asarray(identified(cross, patterns.sum(1), moments.n, cone.blocks))
    with np.errstate(all="ignore"):
        for restarts in (False, True):
            where = np.flatnonzero(apart & ~search.sound)
            if len(where):
                search.anywhere(where, cone.inside(search.theta[where]), restarts)
        at = evaluate(moments, search.covariance, search.theta, reml=reml)
    edge = cone.ranks(search.theta).sum(-1) < cone.factor.rank
    return InCone(theta=search.theta, at=at, verified=search.sound, edge=edge & search.sound)
