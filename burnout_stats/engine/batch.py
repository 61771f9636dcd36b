"""Many weightings of the same subjects as one run: bootstrap, jackknife, influence.

The cross-products of every subject are taken once, packed; a replicate is a vector of weights, and the moments of R
replicates are one matrix product (R × subjects) (subjects × cells) for each pattern. The stack is optimized together,
from the optimum of all subjects. Memory is bounded by working on some replicates at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .basis import Basis
from .cone import Cone, optimize_in_cone
from .covariance import Covariance
from .packed import Cells, PackedMoments
from .scoring import Status, optimize

__all__ = ["Refits", "SubjectProducts", "leave_one_out", "refits", "resamples", "subject_products"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
BLOCK = 100
"""Replicates that share one stream of random numbers: results do not depend on how many are worked on at a time."""
LOST = 1e-10
"""Smallest eigenvalue of X'X, as part of the largest, at which a replicate has lost a column of X."""
MAX_ITERATIONS = 50
MEMORY = 4e7
"""Bytes for the moments and derivatives of the replicates that are worked on at a time."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SubjectProducts:
    """Packed cross-products of every subject, by pattern.

    Attributes
    ----------
    patterns : (P, V) bool array, and groups : (P,) integer array
    members : for each pattern, the positions of its n_S subjects
    values : for each pattern, (n_S, cells of the pattern, K)
    cells : Cells
    basis : Basis
        The coordinates of the rows.
    """

    patterns: NDArray[np.bool_]
    groups: Index
    members: tuple[Index, ...]
    values: tuple[Array, ...]
    cells: Cells
    basis: Basis

    @property
    def n_subjects(self) -> int:
        """Subjects in all patterns."""
        return sum(map(len, self.members))

    @property
    def strata(self) -> tuple[Index, ...]:
        """The subjects of each covariance group."""
        return tuple(
            np.sort(np.concatenate([m for m, own in zip(self.members, self.groups, strict=True) if own == g]))
            for g in np.unique(self.groups)
        )

    def weighted(self, weights: Array) -> PackedMoments:
        """The moments of R replicates, for weights (R, number of subjects)."""
        sums = []
        for members, values in zip(self.members, self.values, strict=True):
            flat = weights[:, members] @ values.reshape(len(members), -1)
            sums.append(flat.reshape(len(weights), *values.shape[1:]))
        return PackedMoments(
            patterns=self.patterns,
            groups=self.groups,
            n=np.stack([weights[:, members].sum(-1) for members in self.members], axis=-1),
            values=np.concatenate(sums, axis=1),
            cells=self.cells,
            basis=self.basis,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Refits:
    """R refits: `beta` (R, p) and `Phi` (R, p, p) in the coordinates of the engine, `theta` (R, m), `sigma`
    (R, G, V, V), whether each is `verified` (R,), and whether its random effects are at the `edge` (R,) of what a
    covariance can be.
    """

    beta: Array
    Phi: Array
    theta: Array
    sigma: Array
    verified: NDArray[np.bool_]
    edge: NDArray[np.bool_]


def subject_products(
    z: Array,
    subject: NDArray[np.integer],
    visit: NDArray[np.integer],
    n_visits: int,
    *,
    basis: Basis,
    group: NDArray[np.integer] | None = None,
) -> SubjectProducts:
    """Packed cross-products of the subjects of N rows z = (x, y), which are sorted as for `moments_of_rows`."""
    p = z.shape[1] - 1
    rows = z - basis.center
    rows = np.column_stack([rows[:, :p] @ basis.transform, rows[:, p] / basis.scale])
    starts = np.flatnonzero(np.r_[True, subject[1:] != subject[:-1]])
    codes = np.bitwise_or.reduceat(np.left_shift(np.int64(1), visit.astype(np.int64)), starts)
    if group is not None:
        codes = codes + (np.asarray(group, dtype=np.int64) << n_visits)
    found, which = np.unique(codes, return_inverse=True)
    patterns = (found[:, None] >> np.arange(n_visits)) & 1 == 1
    cells = Cells.of(patterns, p + 1)
    members, values = [], []
    for s, pattern in enumerate(patterns):
        own = np.flatnonzero(which == s)
        stack = rows[starts[own, None] + np.arange(pattern.sum())]
        place = np.cumsum(pattern) - 1
        mine = cells.s == s
        left, right = stack[:, place[cells.a[mine]]], stack[:, place[cells.b[mine]]]
        products = left[..., cells.i] * right[..., cells.j] + left[..., cells.j] * right[..., cells.i]
        members.append(own)
        values.append(products / np.where(cells.a[mine] == cells.b[mine], 2.0, 1.0)[:, None])
    return SubjectProducts(
        patterns=patterns,
        groups=(found >> n_visits).astype(np.intp),
        members=tuple(members),
        values=tuple(values),
        cells=cells,
        basis=basis,
    )


def resamples(
    strata: Iterable[Index], n: int, seed: np.random.SeedSequence, *, frequency: Array | None = None
) -> Iterator[Array]:
    """Blocks of bootstrap weights (at most `BLOCK`, subjects): how often each subject was drawn, with replacement and
    as many as there are, within each stratum.

    `frequency` (subjects,) counts identical subjects: a subject is then drawn as often as its copies together.
    """
    strata = tuple(strata)
    n_subjects = sum(map(len, strata))
    for block, start in enumerate(range(0, n, BLOCK)):
        key = (*seed.spawn_key, block)
        rng = np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=key, pool_size=seed.pool_size))
        weights = np.zeros((BLOCK, n_subjects))
        for members in strata:
            size = len(members)
            if frequency is None:
                drawn = rng.integers(0, size, (BLOCK, size)) + np.arange(BLOCK)[:, None] * size
                weights[:, members] = np.bincount(drawn.reshape(-1), minlength=BLOCK * size).reshape(BLOCK, size)
            else:
                share = frequency[members] / frequency[members].sum()
                weights[:, members] = rng.multinomial(round(frequency[members].sum()), share, size=BLOCK)
        yield weights[: n - start]


def leave_one_out(n_subjects: int, *, frequency: Array | None = None) -> Iterator[Array]:
    """Blocks of jackknife weights: one subject (or one of its identical copies) left out of each replicate."""
    whole = np.ones(n_subjects) if frequency is None else frequency
    for start in range(0, n_subjects, BLOCK):
        size = min(BLOCK, n_subjects - start)
        yield whole - np.eye(size, n_subjects, start)


def refits(
    products: SubjectProducts,
    weights: Iterable[Array],
    covariance: Covariance,
    theta: Array,
    *,
    reml: bool,
    chunk: int | None = None,
    cone: Cone | None = None,
) -> Iterator[Refits]:
    """The optimum for every row of the blocks of weights, some blocks at a time, each from θ (m,); over the cone of
    random effects where there is one (`covariance` is then that of the cone).

    A replicate that lost a column of X or that has no verified optimum is marked, never repaired.
    """
    waiting: list[Array] = []
    held, limit = 0, chunk or _chunk(products, covariance)
    for block in weights:
        waiting.append(block)
        held += len(block)
        if held >= limit:
            yield _refit(products, np.concatenate(waiting), covariance, theta, reml, cone)
            waiting, held = [], 0
    if waiting:
        yield _refit(products, np.concatenate(waiting), covariance, theta, reml, cone)


def _refit(
    products: SubjectProducts, weights: Array, covariance: Covariance, theta: Array, reml: bool, cone: Cone | None
) -> Refits:
    moments = products.weighted(weights)
    p, R = moments.n_columns, len(weights)
    values = np.linalg.eigvalsh(moments.gram[:, :p, :p])
    whole = values[:, 0] > LOST * np.maximum(values[:, -1], 1e-300)
    found = Refits(
        beta=np.full((R, p), np.nan),
        Phi=np.full((R, p, p), np.nan),
        theta=np.full((R, len(theta)), np.nan),
        sigma=np.full((R, covariance.n_groups, *2 * products.patterns.shape[1:]), np.nan),
        verified=np.zeros(R, dtype=bool),
        edge=np.zeros(R, dtype=bool),
    )
    if not whole.any():
        return found
    some = moments if whole.all() else moments.take(np.flatnonzero(whole))
    if cone is not None:
        ends = optimize_in_cone(some, cone, theta, reml=reml, max_iterations=MAX_ITERATIONS)
        found.beta[whole], found.Phi[whole] = ends.at.beta, ends.at.Phi
        found.theta[whole], found.sigma[whole] = ends.theta, ends.at.sigma
        found.verified[whole], found.edge[whole] = ends.verified, ends.edge
        return found
    optimum = optimize(
        some, covariance, reml=reml, theta=np.tile(theta, (int(whole.sum()), 1)), max_iterations=MAX_ITERATIONS
    )
    found.beta[whole], found.Phi[whole] = optimum.at.beta, optimum.at.Phi
    found.theta[whole], found.sigma[whole] = optimum.theta, optimum.at.sigma
    found.verified[whole] = optimum.status == Status.VERIFIED
    return found


def _chunk(products: SubjectProducts, covariance: Covariance) -> int:
    """Replicates at a time: their moments and the derivatives of Σ and A fit into `MEMORY`."""
    n_patterns, n_visits = products.patterns.shape
    m, q = covariance.n_parameters, len(products.cells.unpack)
    moments = len(products.cells.s) * len(products.cells.i)
    derivatives = m * (m + 5 * n_patterns) * n_visits**2 + 3 * m * q**2
    return max(BLOCK, int(MEMORY / 8 / (moments + derivatives)) // BLOCK * BLOCK)
