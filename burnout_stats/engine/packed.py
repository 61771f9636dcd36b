"""Moments without what is redundant: what the optimizer reads hundreds of times.

Σ is symmetric, so of the cross-products of visits a and b only T[a, b] + T[b, a] is ever needed, and of that its upper
triangle; and a pattern has none for visits that it does not contain. With three visits and seven patterns, 18 cells
remain of 63, with 36 numbers each instead of 64 for eight columns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .basis import Basis
from .moments import Moments

__all__ = ["Cells", "PackedMoments", "packed"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Which cross-products are kept: C triples (pattern, a, b) with a <= b both seen, and K pairs (i, j) with i <= j of
    the q columns.

    `unpack` (q, q) says where element (i, j) stands among the K.
    """

    s: NDArray[np.intp]
    a: NDArray[np.intp]
    b: NDArray[np.intp]
    i: NDArray[np.intp]
    j: NDArray[np.intp]
    unpack: NDArray[np.intp]

    @classmethod
    def of(cls, patterns: NDArray[np.bool_], q: int) -> Cells:
        """The cells of these patterns."""
        both = patterns[:, :, None] & patterns[:, None, :]
        s, a, b = np.nonzero(np.triu(both))
        return cls(s, a, b, *_triangle(q))


@cache
def _triangle(q: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the upper triangle, and where each element of the square stands in it."""
    i, j = np.triu_indices(q)
    unpack = np.zeros((q, q), dtype=np.intp)
    unpack[i, j] = unpack[j, i] = np.arange(len(i))
    for array in (i, j, unpack):
        array.setflags(write=False)
    return i, j, unpack


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PackedMoments:
    """Moments (see there), with cross-products as `values` (..., C, K): T[a, b] + T[b, a] for a < b, T[a, a] on the
    diagonal.
    """

    patterns: NDArray[np.bool_]
    groups: NDArray[np.intp]
    n: Array
    values: Array
    cells: Cells
    basis: Basis

    @property
    def n_columns(self) -> int:
        """p."""
        return len(self.cells.unpack) - 1

    @property
    def n_subjects(self) -> Array:
        """Subjects with at least one row, shape (...)."""
        return np.asarray((self.n * self.patterns.any(-1)).sum(-1))

    @property
    def n_obs(self) -> Array:
        """Rows, shape (...)."""
        return np.asarray((self.n * self.patterns.sum(-1)).sum(-1))

    @property
    def gram(self) -> Array:
        """Z'Z of all rows, shape (..., q, q)."""
        return self.contract(
            np.broadcast_to(np.eye(self.patterns.shape[1]), (len(self.patterns), *(2 * self.patterns.shape[1:])))
        )

    def contract(self, A: Array) -> Array:
        """Z'AZ of all rows for symmetric A (..., [k,] P, V, V), shape (..., [k,] q, q)."""
        at = self.cells
        weights = A[..., at.s, at.a, at.b]
        if weights.ndim < self.values.ndim:
            return (weights[..., None, :] @ self.values)[..., 0, :][..., at.unpack]
        return (weights @ self.values)[..., at.unpack]

    def weigh(self, W: Array) -> Array:
        """U_S[a, b] = tr(T_S[a, b] W), made symmetric, for symmetric W (..., q, q); shape (..., P, V, V)."""
        at = self.cells
        w = W[..., at.i, at.j] * np.where(at.i == at.j, 1.0, 2.0)
        u = (self.values @ w[..., None])[..., 0] * np.where(at.a == at.b, 1.0, 0.5)
        U = np.zeros((*u.shape[:-1], *self.patterns.shape, self.patterns.shape[1]))
        U[..., at.s, at.a, at.b] = u
        U[..., at.s, at.b, at.a] = u
        return U

    def take(self, replicates: NDArray[np.intp]) -> PackedMoments:
        """The stack of some replicates along the one leading axis."""
        basis = self.basis
        if basis.transform.ndim == 3:
            basis = replace(basis, transform=basis.transform[replicates], scale=basis.scale[replicates])
        return replace(self, n=self.n[replicates], values=self.values[replicates], basis=basis)


def packed(moments: Moments | PackedMoments) -> PackedMoments:
    """The same moments, packed."""
    if isinstance(moments, PackedMoments):
        return moments
    cells = Cells.of(moments.patterns, moments.n_columns + 1)
    T = moments.T[..., cells.s, cells.a, cells.b, :, :]
    products = (T + np.swapaxes(T, -1, -2)) / np.where(cells.a == cells.b, 2.0, 1.0)[:, None, None]
    return PackedMoments(
        patterns=moments.patterns,
        groups=moments.groups,
        n=moments.n,
        values=np.ascontiguousarray(products[..., cells.i, cells.j]),
        cells=cells,
        basis=moments.basis,
    )
