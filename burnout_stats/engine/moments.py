"""What a Gaussian likelihood needs of the data: counts and cross-products by missingness pattern.

With V nominal visits, pattern S is the set of visits at which a subject was seen. For rows z = (x, y) the likelihood of
every marginal covariance Σ of the visits depends on the data only through

    n_S          the number of subjects with that pattern
    T_S[a, b]    = Σ z_a z_b'  over these subjects, for visits a and b in S

so one pass over the rows is all the work that grows with the number of subjects. Letters: P patterns, V visits, p
columns of X, q = p + 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .basis import Basis

__all__ = ["Moments", "aliased", "distinct", "moments_of_outcomes", "moments_of_rows", "moments_of_stack"]

Array = NDArray[np.float64]
CHUNK = 8192
"""Subjects gathered at a time: a block of rows stays in the processor's cache."""
SMALL = 1 << 16
"""Codes of patterns up to which counting is cheaper than sorting."""
ROUNDING_SHARE = 1e-9
"""A column with a smaller weight, in standard deviations, in a combination that is zero has no part in it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """Sufficient statistics of one data set, or of a stack of them on leading axes.

    Attributes
    ----------
    patterns : (P, V) bool array
    groups : (P,) integer array
        The covariance group that each pattern belongs to; 0 where there is one group only.
    n : (..., P) array
        Subjects by pattern (sums of weights where rows are weighted).
    T : (..., P, V, V, q, q) array
        Cross-products in the coordinates of `basis`.
    basis : Basis
    """

    patterns: NDArray[np.bool_]
    groups: NDArray[np.intp]
    n: Array
    T: Array
    basis: Basis

    @property
    def n_columns(self) -> int:
        """p."""
        return int(self.T.shape[-1]) - 1

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
        gram: Array = np.einsum("...paaij->...ij", self.T)
        return gram

    def __add__(self, other: Moments) -> Moments:
        """Moments of the rows of both; they must share visits and basis."""
        if not self.basis.same_as(other.basis):
            raise ValueError("Moments of two bases cannot be added: build the second in the basis of the first.")
        labels = [np.column_stack([part.groups, part.patterns]) for part in (self, other)]
        unique, where = np.unique(np.concatenate(labels), axis=0, return_inverse=True)
        groups, patterns = unique[:, 0].astype(np.intp), unique[:, 1:].astype(bool)
        where = where.reshape(-1)
        n = np.zeros((*np.broadcast_shapes(self.n.shape[:-1], other.n.shape[:-1]), len(patterns)))
        T = np.zeros((*n.shape, *self.T.shape[-4:]))
        for part, target in ((self, where[: len(self.patterns)]), (other, where[len(self.patterns) :])):
            n[..., target] += part.n
            T[..., target, :, :, :, :] += part.T
        return Moments(patterns=patterns, groups=groups, n=n, T=T, basis=self.basis)

    def recentered(self, center: Array) -> Moments:
        """The same moments about another center: z̃ − 1 d' = z̃ (I − u d'), because the constant 1 = z̃ u is a column, or
        a sum of columns, that is not centered. Where there is no constant, nothing is centered and nothing changes.

        Parts are added about the center of both, so that the shift only adds what lies between them and no digits are
        lost, however unlike they are (Chan, Golub & LeVeque 1983, Am Stat 37:242).
        """
        basis = self.basis.recentered(center)
        K = np.eye(self.n_columns + 1)
        K -= np.outer(np.append(basis.constant, 0.0), basis.center - self.basis.center)
        return replace(self, T=K.T @ self.T @ K, basis=basis)

    def visits(self, seen: NDArray[np.intp]) -> Moments:
        """The moments of some visits only, where nobody has a row at the others."""
        T = self.T[..., seen[:, None], seen, :, :]
        return replace(self, patterns=self.patterns[:, seen], T=T)

    def take(self, replicates: NDArray[np.intp]) -> Moments:
        """The stack of some replicates along the one leading axis."""
        basis = self.basis
        if basis.transform.ndim == 3:
            basis = replace(basis, transform=basis.transform[replicates], scale=basis.scale[replicates])
        return replace(self, n=self.n[replicates], T=self.T[replicates], basis=basis)

    def columns(self, kept: NDArray[np.intp]) -> Moments:
        """The moments of some columns of X only, before any orthonormalization."""
        both = np.append(kept, self.n_columns)
        basis = Basis(
            center=self.basis.center[both],
            constant=self.basis.constant[kept],
            transform=self.basis.transform[..., kept[:, None], kept],
            scale=self.basis.scale,
        )
        return replace(self, T=self.T[..., both[:, None], both], basis=basis)

    def orthonormal(self) -> Moments:
        """The same moments in coordinates where X'X / N = I and the variance of y is 1: the best that can be done for
        the optimiser.

        Raises
        ------
        numpy.linalg.LinAlgError
            Where the columns of X are linearly dependent (see `aliased`).
        """
        p = self.n_columns
        gram = self.gram / np.maximum(self.n_obs, 1.0)[..., None, None]
        d = np.sqrt(np.diagonal(gram, axis1=-2, axis2=-1))
        scale = np.where(d[..., p] > 0, d[..., p], 1.0)
        correlation = gram[..., :p, :p] / (d[..., :p, None] * d[..., None, :p])
        R = np.swapaxes(np.linalg.cholesky(correlation), -1, -2)
        A = np.linalg.solve(R, np.broadcast_to(np.eye(p), R.shape)) / d[..., :p, None]
        A = np.triu(A)
        whole = np.zeros((*A.shape[:-2], p + 1, p + 1))
        whole[..., :p, :p] = A
        whole[..., p, p] = 1.0 / scale
        step = whole[..., None, None, None, :, :]
        return replace(self, T=np.swapaxes(step, -1, -2) @ self.T @ step, basis=self.basis.then(A, scale))


def moments_of_rows(
    z: Array,
    subject: NDArray[np.integer],
    visit: NDArray[np.integer],
    n_visits: int,
    *,
    basis: Basis,
    group: NDArray[np.integer] | None = None,
    weights: Array | None = None,
) -> Moments:
    """Moments of N rows.

    Parameters
    ----------
    z : (N, q) array
        Columns of X, then y; no missing values.
    subject, visit : (N,) integer arrays
        Sorted by subject, then visit; visits are 0, 1, ..., `n_visits` - 1.
    basis : Basis
        Its center is subtracted from the rows before anything is squared; its transform is applied after.
    group : (number of subjects,) integer array, optional
        0, 1, ...: which covariance each subject has.
    weights : (number of subjects,) array, optional
        In the order of the subjects: 3 counts a subject three times.
    """
    starts = np.flatnonzero(np.r_[True, subject[1:] != subject[:-1]]) if len(subject) else np.zeros(0, dtype=np.intp)
    if len(starts):
        codes = np.bitwise_or.reduceat(np.left_shift(np.int64(1), visit.astype(np.int64)), starts)
    else:
        codes = np.zeros(0, dtype=np.int64)
    if group is not None:
        codes = codes + (np.asarray(group, dtype=np.int64) << n_visits)
    seen, which = distinct(codes)
    patterns = (seen[:, None] >> np.arange(n_visits)) & 1 == 1
    q = z.shape[1]
    n = np.zeros(len(seen))
    T = np.zeros((len(seen), n_visits, n_visits, q, q))
    for s, pattern in enumerate(patterns):
        members = np.flatnonzero(which == s)
        visits = np.flatnonzero(pattern)
        total = np.zeros((len(visits) * q, len(visits) * q))
        for first in range(0, len(members), CHUNK):
            chunk = members[first : first + CHUNK]
            w = z.take(starts[chunk, None] + np.arange(len(visits)), axis=0)
            w -= basis.center
            w = w.reshape(len(chunk), -1)
            total += w.T @ w if weights is None else w.T @ (w * weights[chunk, None])
        blocks = total.reshape(len(visits), q, len(visits), q).transpose(0, 2, 1, 3)
        T[s, visits[:, None], visits] = blocks
        n[s] = len(members) if weights is None else weights[members].sum()
    groups = (seen >> n_visits).astype(np.intp)
    raw = Moments(patterns=patterns, groups=groups, n=n, T=T, basis=Basis.centered(basis.center, basis.constant))
    return _transformed(raw, basis)


def moments_of_stack(z: Array, seen: NDArray[np.bool_], *, constant: Array, weights: Array | None = None) -> Moments:
    """Moments of a stack of data sets of equal shape, each centered at the grand mean of the stack.

    Parameters
    ----------
    z : (..., n, V, q) array
        Columns of X, then y, for n subjects at V visits; unseen visits may hold anything.
    seen : (..., n, V) bool array
    constant : (p,) array
        u with X u = 1, or zeros.
    weights : (..., n) array, optional
    """
    n_visits = z.shape[-2]
    codes = (seen * (1 << np.arange(n_visits))).sum(-1)
    found = np.unique(codes)
    found = found[found > 0]
    patterns = (found[:, None] >> np.arange(n_visits)) & 1 == 1
    rows = np.where(seen[..., None], z, 0.0)
    center = rows.reshape(-1, z.shape[-1]).sum(0) / max(1, int(seen.sum()))
    basis = Basis.centered(center, constant)
    rows = np.where(seen[..., None], z - basis.center, 0.0)
    flat = rows.reshape(*rows.shape[:-2], -1)
    n = np.zeros((*seen.shape[:-2], len(found)))
    T = np.zeros((*n.shape, n_visits, n_visits, z.shape[-1], z.shape[-1]))
    for s, code in enumerate(found):
        member = (codes == code).astype(float) if weights is None else (codes == code) * weights
        products = np.swapaxes(flat * member[..., None], -1, -2) @ flat
        blocks = products.reshape(*products.shape[:-2], n_visits, z.shape[-1], n_visits, z.shape[-1])
        T[..., s, :, :, :, :] = np.swapaxes(blocks, -3, -2)
        n[..., s] = member.sum(-1)
    return Moments(patterns=patterns, groups=np.zeros(len(patterns), dtype=np.intp), n=n, T=T, basis=basis)


def moments_of_outcomes(
    X: Array,
    y: Array,
    *,
    basis: Basis,
    group: NDArray[np.integer] | None = None,
    weights: Array | None = None,
) -> Moments:
    """Moments of R outcomes y (R, n, V) of n subjects who were all seen at V visits, with the same columns X (n, V, p);
    the products of the columns are taken once.

    `basis` only centers; `group` (n,) is the covariance group of each subject; `weights` (R, n) are optional.
    """
    n, V, p = X.shape
    R = len(y)
    columns, values = X - basis.center[:p], y - basis.center[p]
    own = np.zeros(n, dtype=np.intp) if group is None else np.asarray(group, dtype=np.intp)
    labels = np.unique(own)
    counts = np.zeros((R, len(labels)))
    T = np.zeros((R, len(labels), V, V, p + 1, p + 1))
    for g, label in enumerate(labels):
        mine = own == label
        x = columns[mine].reshape(-1, V * p)
        v = values[:, mine]
        if weights is None:
            counts[:, g] = mine.sum()
            xx, vv = x.T @ x, np.swapaxes(v, -1, -2) @ v
            xv = np.tensordot(x, v, axes=(0, 1)).swapaxes(0, 1)
        else:
            w = weights[:, mine]
            counts[:, g] = w.sum(-1)
            products = (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)
            xx = (w @ products).reshape(R, V * p, V * p)
            heavy = v * w[..., None]
            vv = np.swapaxes(heavy, -1, -2) @ v
            xv = np.tensordot(x, heavy, axes=(0, 1)).swapaxes(0, 1)
        T[:, g, :, :, :p, :p] = np.swapaxes(xx.reshape(*xx.shape[:-2], V, p, V, p), -3, -2)
        T[:, g, :, :, :p, p] = np.swapaxes(xv.reshape(R, V, p, V), -2, -1)
        T[:, g, :, :, p, :p] = xv.reshape(R, V, p, V).transpose(0, 3, 1, 2)
        T[:, g, :, :, p, p] = vv
    return Moments(
        patterns=np.ones((len(labels), V), dtype=bool), groups=labels.astype(np.intp), n=counts, T=T, basis=basis
    )


def aliased(moments: Moments, *, tolerance: float = 1e-10) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
    """Which columns of X are linear combinations of earlier ones, from centered moments of one data set (or the sum of
    a stack).

    Columns are taken in order; one is aliased when what earlier columns leave of it has less than `tolerance` of its
    sum of squares (squared sine of the angle to their span).

    Returns
    -------
    kept, dropped : index arrays
    null : (p, number dropped) array
        Basis of {v : X v = 0} in the original coordinates: L β is estimable exactly where L v = 0.
    """
    p = moments.n_columns
    gram = moments.gram.reshape(-1, p + 1, p + 1).sum(0)[:p, :p]
    d = np.sqrt(np.diagonal(gram))
    rounding = 1e-14 * np.abs(moments.basis.center[:p]) * np.sqrt(float(np.sum(moments.n_obs)))
    d = np.where(d > rounding, d, 0.0)
    safe = np.where(d > 0, d, 1.0)
    G = gram / safe[:, None] / safe
    if (d > 0).all() and _is_independent(G, tolerance):
        return np.arange(p), np.zeros(0, dtype=np.intp), np.zeros((p, 0))
    rows = np.zeros((p, p))
    kept: list[int] = []
    dropped: list[int] = []
    for j in range(p):
        column = np.zeros(len(kept))
        for i, k in enumerate(kept):
            column[i] = (G[k, j] - rows[:i, k] @ column[:i]) / rows[i, k]
        left = G[j, j] - column @ column
        rows[: len(kept), j] = column
        if d[j] == 0 or left < tolerance:
            dropped.append(j)
        else:
            rows[len(kept), j] = np.sqrt(left)
            kept.append(j)
    return (
        np.array(kept, dtype=np.intp),
        np.array(dropped, dtype=np.intp),
        _null_space(rows, safe, kept, dropped, moments.basis),
    )


def _is_independent(G: Array, tolerance: float) -> bool:
    """Whether every column keeps at least that part of its sum of squares once earlier ones are taken out of it."""
    try:
        left = np.diag(np.linalg.cholesky(G)) ** 2
    except np.linalg.LinAlgError:
        return False
    return bool((left >= tolerance).all())


def distinct(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """The distinct codes, sorted, and where each code stands among them; without sorting where codes are small."""
    if not len(codes) or int(codes.max()) > SMALL:
        found, where = np.unique(codes, return_inverse=True)
        return found, where
    found = np.flatnonzero(np.bincount(codes))
    rank = np.zeros(int(found[-1]) + 1, dtype=np.intp)
    rank[found] = np.arange(len(found))
    return found.astype(np.int64), rank[codes]


def _null_space(rows: Array, scale: Array, kept: list[int], dropped: list[int], basis: Basis) -> Array:
    p = len(scale)
    null = np.zeros((p, len(dropped)))
    triangle = rows[: len(kept)][:, kept]
    for column, j in enumerate(dropped):
        null[j, column] = 1.0 / scale[j]
        if kept:
            shares = np.linalg.solve(triangle, rows[: len(kept), j])
            shares[np.abs(shares) < ROUNDING_SHARE] = 0.0
            null[kept, column] = -shares / scale[kept]
    return basis.map @ null


def _transformed(moments: Moments, basis: Basis) -> Moments:
    p = moments.n_columns
    if np.array_equal(basis.transform, np.eye(p)) and np.all(basis.scale == 1.0):
        return replace(moments, basis=basis)
    whole = np.zeros((p + 1, p + 1))
    whole[:p, :p] = basis.transform
    whole[p, p] = 1.0 / float(basis.scale)
    return replace(moments, T=whole.T @ moments.T @ whole, basis=basis)
