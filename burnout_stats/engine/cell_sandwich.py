"""The robust covariances of `sandwich` for thousands of cohorts at once, where X depends on arm and visit only.

Subjects of one arm g with one pattern S have the same X_i and Σ_i, so the same F_i: with E_c = Σ_i e_i e_i' over the
n_c subjects of such a cell c, the meat is Σ_c F_c' E_c F_c, and every other sum over subjects is one over cells times
n_c. Visits that are not seen are rows of zeros in X, and of the identity in Σ.

Letters as in `sandwich`; R cohorts, C = G × P cells, V visits, r rows of L.

**Source**: as in `sandwich`; that subjects with equal X share their adjustment is plain algebra, tested against it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .drawn_cohorts import CellSums
from .sandwich import ADJUSTMENTS, Stack

__all__ = ["CellSandwich"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellSandwich:
    """R cohorts with the cells of their subjects: `count` (R, C), `X` and `F` (R, C, V, p), `E` and `Sigma`
    (R, C, V, V), and M = (X'V⁻¹X)⁻¹ (R, p, p).
    """

    kind: str
    count: Array
    X: Array
    F: Array
    E: Array
    Sigma: Array
    M: Array

    @classmethod
    def of(cls, sums: CellSums, X: Array, beta: Array, Sigma: Array, M: Array, *, kind: str) -> CellSandwich:
        """From the sums of R cohorts, X (G, V, p), β̂ (R, p), Σ̂ (R, V, V) and M, in the units of the scores."""
        R, G, P = sums.n.shape
        V, p = X.shape[1:]
        seen = sums.patterns
        rows = (X[:, None] * seen[:, :, None]).reshape(1, G * P, V, p)
        mean = np.einsum("rcvp,np->ncv", rows, beta, optimize=True)
        n, s = sums.n.reshape(R, -1), sums.s.reshape(R, G * P, V)
        cross = s[..., :, None] * mean[..., None, :]
        E = sums.SS.reshape(R, G * P, V, V) - cross - np.swapaxes(cross, -1, -2)
        E = E + n[..., None, None] * mean[..., :, None] * mean[..., None, :]
        both = np.tile(seen[:, :, None] & seen[:, None, :], (G, 1, 1))
        whole = np.where(both, Sigma[:, None], np.eye(V))
        many = np.broadcast_to(rows, (R, G * P, V, p))
        stack = Stack(X=many, e=mean, Sigma=whole, count=n)
        F = ADJUSTMENTS[kind].design(stack, M[:, None], M[:, None])
        return cls(kind=kind, count=n, X=many, F=F, E=E, Sigma=whole, M=M)

    def vcov(self) -> Array:
        """V, (R, p, p)."""
        inner = np.swapaxes(self.F, -1, -2) @ self.E @ self.F
        factor = np.vectorize(ADJUSTMENTS[self.kind].factor)(self.count.sum(-1))
        return np.asarray(factor[:, None, None] * (self.M @ inner.sum(1) @ self.M))

    def row_df(self, L: Array) -> Array:
        """Degrees of freedom of each row of L (r, p), shape (R, r): those of `Sandwich.row_df`."""
        c = self.F @ (self.M @ L.T)[:, None]
        own = np.einsum("ncvr,ncvw,ncwr->ncr", c, self.Sigma, c, optimize=True)
        beta = np.swapaxes(c, -1, -2) @ self.X
        low = np.einsum("ncrx,nxy,ncry->ncr", beta, self.M, beta, optimize=True)
        n = self.count[..., None]
        trace = (n * (own - low)).sum(1)
        C = np.einsum("nc,ncrx,ncry->nrxy", self.count, beta, beta, optimize=True)
        MC = self.M[:, None] @ C
        squares = (n * (own**2 - 2 * own * low)).sum(1) + np.einsum("nrxy,nryx->nr", MC, MC)
        with np.errstate(divide="ignore", invalid="ignore"):
            df: Array = trace**2 / squares
        return df
