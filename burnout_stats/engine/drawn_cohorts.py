"""Simulated cohorts as sufficient statistics: thousands of them, and no rows.

Where X depends on arm and visit only, a Gaussian likelihood needs of the n subjects of arm g with pattern S the sum s
of their scores and the sum of their products SS. Given n, with W = SS − s s'/n,

    s ~ N(n μ_S, n Σ_S),     W ~ Wishart(n − 1, Σ_S),     independent of each other,

and the n of an arm are multinomial where being seen has nothing to do with the scores. W = C B B'C' with Σ = CC' and B
lower triangular, B_ii² ~ χ²(n − i), N(0, 1) below (i = 1, 2, ...); columns i ≥ n are zero, so that fewer subjects than
visits are drawn as exactly as others. Where being seen depends on the scores, rows are drawn and summed.

Letters: R cohorts, G arms, P patterns, V visits, p columns of X.

**Source**: Bartlett 1933, Proc R Soc Edinb 53:260 (the triangular factor); Smith & Hocking 1972, J R Stat Soc C 21:341
(drawing by it); for n − 1 below the number of visits the factor is that of the QR decomposition of normal rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .basis import Basis
from .moments import Moments

__all__ = ["CellSums", "draw_sums", "sums_of_rows"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellSums:
    """Sums by arm and pattern of R cohorts: `n` (R, G, P), `s` (R, G, P, V) of the scores and `SS` (R, G, P, V, V) of
    their products, zero at visits that a pattern of `patterns` (P, V) does not have.
    """

    patterns: Mask
    n: Array
    s: Array
    SS: Array

    def take(self, cohorts: Index | Mask) -> CellSums:
        """Some of the cohorts."""
        return CellSums(patterns=self.patterns, n=self.n[cohorts], s=self.s[cohorts], SS=self.SS[cohorts])

    @property
    def seen(self) -> Array:
        """Scores by arm and visit, (R, G, V)."""
        return np.asarray(self.n @ self.patterns.astype(float))

    def moments(self, X: Array) -> Moments:
        """The moments of all cohorts for X (G, V, p), not yet orthonormal."""
        p, (n_patterns, V) = X.shape[-1], self.patterns.shape
        T = np.zeros((len(self.n), n_patterns, V, V, p + 1, p + 1))
        both = self.patterns[:, :, None] & self.patterns[:, None, :]
        XX = X[:, :, None, :, None] * X[:, None, :, None, :]
        products = np.swapaxes(self.n, -1, -2) @ XX.reshape(len(X), -1)
        T[..., :p, :p] = products.reshape(*products.shape[:-1], V, V, p, p) * both[..., None, None]
        Xy = np.einsum("gai,rgpb->rpabi", X, self.s, optimize=True) * both[..., None]
        T[..., :p, p] = Xy
        T[..., p, :p] = np.swapaxes(Xy, -3, -2)
        T[..., p, p] = self.SS.sum(1)
        plain = Basis.centered(np.zeros(p + 1), np.zeros(p))
        groups = np.zeros(n_patterns, dtype=np.intp)
        return Moments(patterns=self.patterns, groups=groups, n=self.n.sum(1), T=T, basis=plain)


def draw_sums(
    rng: np.random.Generator, n_cohorts: int, *, n: Index, means: Array, Sigma: Array, patterns: Mask, shares: Array
) -> CellSums:
    """R cohorts whose subjects are seen or not whatever their scores.

    Parameters
    ----------
    rng : Generator
    n_cohorts : int
        R.
    n : (G,) integer array
        Subjects by arm.
    means : (G, V) array, and Sigma : (V, V) or (G, V, V) array
        Of the scores.
    patterns : (P, V) bool array, and shares : (G, P) array
        How probable each pattern is in each arm.

    >>> rng = np.random.default_rng(1)
    >>> seen, share = np.array([[True, True], [True, False]]), np.array([[0.8, 0.2]])
    >>> drawn = draw_sums(
    ...     rng, 3, n=np.array([50]), means=np.zeros((1, 2)), Sigma=np.eye(2), patterns=seen, shares=share
    ... )
    >>> drawn.n.sum((1, 2)).tolist(), drawn.SS.shape
    ([50.0, 50.0, 50.0], (3, 1, 2, 2, 2))
    """
    G, V = means.shape
    counts = np.stack([rng.multinomial(n[g], shares[g], size=n_cohorts) for g in range(G)], axis=1).astype(float)
    C = np.linalg.cholesky(np.broadcast_to(Sigma, (G, V, V)))[:, None]
    around = (C @ rng.standard_normal((*counts.shape, V, 1)))[..., 0] * np.sqrt(counts)[..., None]
    df = counts[..., None] - 1 - np.arange(V)
    B = np.zeros((*counts.shape, V, V))
    i, j = np.tril_indices(V, -1)
    B[..., i, j] = np.where(df[..., j] > 0, rng.standard_normal((*counts.shape, len(i))), 0.0)
    diagonal = np.arange(V)
    B[..., diagonal, diagonal] = np.sqrt(np.where(df > 0, rng.chisquare(np.maximum(df, 1.0)), 0.0))
    CB = C @ B
    s = around + counts[..., None] * means[:, None, :]
    SS = CB @ np.swapaxes(CB, -1, -2) + s[..., :, None] * s[..., None, :] / np.maximum(counts, 1.0)[..., None, None]
    both = patterns[:, :, None] & patterns[:, None, :]
    return CellSums(patterns=patterns, n=counts, s=s * patterns, SS=SS * both)


def sums_of_rows(y: Array, pattern: Index, arm: Index, *, patterns: Mask, n_arms: int) -> CellSums:
    """The sums of scores y (R, n, V) of subjects in an `arm` (n,) with a `pattern` (R, n), a row of `patterns`."""
    R, _, V = y.shape
    counts = np.zeros((R, n_arms, len(patterns)))
    s = np.zeros((*counts.shape, V))
    SS = np.zeros((*counts.shape, V, V))
    for g in range(n_arms):
        own = arm == g
        for k, seen in enumerate(patterns):
            member = pattern[:, own] == k
            scores = np.where(member[..., None] & seen, y[:, own], 0.0)
            counts[:, g, k] = member.sum(-1)
            s[:, g, k] = scores.sum(1)
            SS[:, g, k] = np.swapaxes(scores, -1, -2) @ scores
    return CellSums(patterns=patterns, n=counts, s=s, SS=SS)
