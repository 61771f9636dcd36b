"""Values for what is missing by chained equations: each column is drawn given all the others, in turn, many chains as
one stack.

In one cycle every incomplete column y is regressed on the constant, the known W and the current values of all other
columns, among the rows that have y; then its missing values are drawn anew. With X those predictors (levels as 0/1
columns), o the rows that have y and m those that lack it,

    numbers     β̂ = G⁻¹ X_o'y, G = X_o'X_o;  σ*² = |y − X_o β̂|² / χ²(n_o − q);  β* = β̂ + σ* G^(−1/2) z
        norm    X_m β* + σ* z
        pmm     the value of a donor: one of the k rows of o whose x'β̂ is nearest to x'β* of the row that lacks y
    levels      multinomial logit (two levels: logistic regression):  β* = β̂ + Î^(−1/2) z, the level drawn with the
                probabilities at β*; of two levels with a shift δ, those at logit⁻¹(x'β* + δ)

G has 10⁻⁵ of its diagonal added, so that a column which follows from others does no harm. To the logit, rows of small
weight are added that keep its estimate finite where a predictor separates the levels: for each of the p predictors its
mean ± half an SD at the means of the others, once with each level, together weighing p + 1.

Predictive mean matching is of type 1 (β̂ among the donors, β* for the recipient). It draws values that were seen, and
weakens associations a little, for a donor is near in what is predicted and not equal: more so with more donors and
fewer rows (van Buuren 2018, table 3.3).

**Source**: van Buuren 2018, Flexible Imputation of Missing Data, 2nd ed., algorithms 3.1-3.4 and 4.3; Rubin 1987,
Multiple Imputation for Nonresponse in Surveys, p. 167 (β*, σ*); Morris, White & Royston 2014, BMC Med Res Methodol
14:75 (type 1, and how many donors); Tompsett et al. 2018, Stat Med 37:2338, equation 5 (a shift δ of the log odds of
those who were not seen); White, Daniel & Royston 2010, Comput Stat Data Anal 54:2267 (added rows).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MODELS", "Chained", "chained", "nearest_donors"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
MODELS = {
    "pmm": "predictive mean matching",
    "norm": "normal regression",
    "logistic": "logistic regression",
    "polytomous": "multinomial logistic regression",
}
BLOCK = 50
"""Chains that share one stream of random numbers."""
RIDGE = 1e-5
ALIKE = 1e-9
"""Of the range of predictions: nearer than this they are the same."""
STEPS = 30
"""Newton steps of a logit, at most."""
CLOSE = 1e-8
"""The gain in log-likelihood that a Newton step promises, at which a logit has converged."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chained:
    """M completed data sets, one from each chain: `Y` (M, n, D); `path` (cycles, M, D), the mean of what was imputed
    in each cycle, NaN for complete columns.
    """

    Y: Array
    path: Array

    @property
    def drift(self) -> Array:
        """How far the mean over the chains has moved from the third quarter of the cycles to the last, in its standard
        errors; (D,), 0 for complete columns. The chains have nothing in common but the data, so that this is near
        standard normal once they have settled.
        """
        quarter = len(self.path) // 4
        if not quarter or self.path.shape[1] < 2:
            return np.zeros(self.path.shape[2])
        moved = self.path[-quarter:].mean(0) - self.path[-2 * quarter : -quarter].mean(0)
        error = moved.std(0, ddof=1) / np.sqrt(len(moved))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(error > 0, moved.mean(0) / error, 0.0)


def chained(
    Y: Array,
    W: Array,
    models: Sequence[str],
    has_levels: Sequence[bool],
    n_chains: int,
    seed: np.random.SeedSequence,
    *,
    cycles: int,
    donors: int = 5,
    shift: Array | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Chained:
    """Complete Y (n, D), NaN where missing, once in each chain; columns with levels hold whole numbers. W (n, p), of
    full rank and with the constant in its span, is known. `shift` (D,) is added to the log odds of the second of two
    levels wherever they are drawn.

    Chains begin at values drawn from those seen, and visit columns from the least to the most incomplete.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where a column has no more seen values than predictors, or one value only.
    """
    table = _Table.of(Y, W, models, has_levels)
    blocks = [range(start, min(start + BLOCK, n_chains)) for start in range(0, n_chains, BLOCK)]
    whole, paths = [], []
    for done, (block, own) in enumerate(zip(blocks, seed.spawn(len(blocks)), strict=True)):
        run = _Run(
            table, len(block), donors, np.random.default_rng(own), np.zeros(Y.shape[1]) if shift is None else shift
        )
        path = np.full((cycles, len(block), Y.shape[1]), np.nan)
        for cycle in range(cycles if len(table.order) else 0):
            for j in table.order:
                path[cycle][:, j] = run.draw(j)
            if progress is not None:
                progress(done * cycles + cycle + 1, len(blocks) * cycles)
        whole.append(run.Y)
        paths.append(path)
    return Chained(Y=np.concatenate(whole), path=np.concatenate(paths, axis=1))


def nearest_donors(of_seen: Array, of_missing: Array, donors: int, rng: np.random.Generator) -> Index:
    """For predictions (M, o) and (M, m): a row of o for each of m, one of the nearest, all alike likely; (M, m).

    A donor that is not alone with its prediction stands for all that share it, and one of them is drawn: recipients
    that are alike would otherwise all have the same few donors.
    """
    M, o = of_seen.shape
    k = min(donors, o)
    order = np.argsort(of_seen, axis=1, kind="stable")
    values = np.take_along_axis(of_seen, order, 1)
    above = (values[:, None, :] < of_missing[..., None]).sum(-1)
    width = min(2 * k, o)
    window = np.clip(above - k, 0, o - width)[..., None] + np.arange(width)
    distance = np.abs(values[np.arange(M)[:, None, None], window] - of_missing[..., None])
    near = np.argpartition(distance, k - 1, axis=-1)[..., :k]
    drawn = rng.integers(k, size=of_missing.shape)[..., None]
    place = np.take_along_axis(window, np.take_along_axis(near, drawn, -1), -1)[..., 0]
    first, last = _runs(values)
    low, high = np.take_along_axis(first, place, 1), np.take_along_axis(last, place, 1)
    place = np.where(high > low, low + (rng.random(place.shape) * (high - low + 1)).astype(np.intp), place)
    return np.asarray(np.take_along_axis(order, place, 1))


def _runs(values: Array) -> tuple[Index, Index]:
    """For sorted values (M, o): the first and the last place of those equal to each."""
    M, o = values.shape
    jump = np.diff(values, axis=1) > ALIKE * np.maximum(np.ptp(values, axis=1, keepdims=True), 1e-300)
    edge = np.ones((M, 1), dtype=bool)
    places = np.arange(o)
    first = np.maximum.accumulate(np.where(np.concatenate([edge, jump], 1), places, 0), axis=1)
    last = np.where(np.concatenate([jump, edge], 1), places, o - 1)
    return first, np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """The data: `known` (n, p) begins with the constant; `blocks` are where each column of Y stands among the
    predictors; `center` and `scale` are those of numbers, and `values` the levels seen of the others.
    """

    Y: Array
    known: Array
    models: tuple[str, ...]
    order: tuple[int, ...]
    seen: NDArray[np.bool_]
    blocks: tuple[slice, ...]
    center: Array
    scale: Array
    values: tuple[Array | None, ...]

    @classmethod
    def of(cls, Y: Array, W: Array, models: Sequence[str], has_levels: Sequence[bool]) -> _Table:
        seen = ~np.isnan(Y)
        n, D = Y.shape
        center, scale = np.zeros(D), np.ones(D)
        values: list[Array | None] = []
        blocks, at = [], 0
        for j in range(D):
            found = np.unique(Y[seen[:, j], j])
            if len(found) < 2:
                raise np.linalg.LinAlgError("A column has one value only.")
            values.append(found if has_levels[j] else None)
            if not has_levels[j]:
                center[j], scale[j] = Y[seen[:, j], j].mean(), Y[seen[:, j], j].std()
            width = len(found) - 1 if has_levels[j] else 1
            blocks.append(slice(at, at + width))
            at += width
        u, s, _ = np.linalg.svd(W - W.mean(0), full_matrices=False)
        other = u[:, s > 1e-9 * max(float(s[0]), 1e-300)] * np.sqrt(n)
        known = np.column_stack([np.ones(n), other])
        missing = (~seen).sum(0)
        order = tuple(int(j) for j in np.argsort(missing, kind="stable") if missing[j])
        for j in order:
            q = known.shape[1] + at - (blocks[j].stop - blocks[j].start)
            if seen[:, j].sum() <= q:
                raise np.linalg.LinAlgError(
                    f"A column has {int(seen[:, j].sum())} values, and {q} coefficients are to be estimated from them."
                )
        return cls(Y, known, tuple(models), order, seen, tuple(blocks), center, scale, tuple(values))

    def encoded(self, j: int, y: Array) -> Array:
        """Values y (..., n) of column j as predictors (..., n, width)."""
        own = self.values[j]
        if own is None:
            return np.asarray((y - self.center[j]) / self.scale[j])[..., None]
        return np.asarray(y[..., None] == own[1:], dtype=float)


class _Run:
    """Chains of one block: the current values, changed in place."""

    def __init__(self, table: _Table, n_chains: int, donors: int, rng: np.random.Generator, shift: Array) -> None:
        self.table, self.donors, self.rng, self.shift = table, donors, rng, shift
        n, D = table.Y.shape
        self.Y = np.broadcast_to(table.Y, (n_chains, n, D)).copy()
        for j in table.order:
            gone = np.flatnonzero(~table.seen[:, j])
            self.Y[:, gone, j] = rng.choice(table.Y[table.seen[:, j], j], (n_chains, len(gone)))
        self.predictors = np.concatenate([table.encoded(j, self.Y[..., j]) for j in range(D)], axis=-1)
        self.starts: dict[int, Array] = {}

    def draw(self, j: int) -> Array:
        """Draw the missing values of column j, and give their mean in each chain."""
        table = self.table
        M = len(self.Y)
        own = table.blocks[j]
        known = np.broadcast_to(table.known, (M, *table.known.shape))
        X = np.concatenate([known, self.predictors[..., : own.start], self.predictors[..., own.stop :]], axis=-1)
        o, m = np.flatnonzero(table.seen[:, j]), np.flatnonzero(~table.seen[:, j])
        model = {"pmm": self._matched, "norm": self._normal}.get(table.models[j], self._level)
        drawn = model(j, X, o, m)
        self.Y[:, m, j] = drawn
        self.predictors[:, m, own] = table.encoded(j, drawn)
        return np.asarray(drawn.mean(1))

    def _regressed(self, X: Array, y: Array) -> tuple[Array, Array, Array]:
        """β̂ (M, q), and β* and σ* drawn around it."""
        G = np.swapaxes(X, -1, -2) @ X
        q = np.arange(G.shape[-1])
        G[..., q, q] *= 1 + RIDGE
        beta = np.linalg.solve(G, (np.swapaxes(X, -1, -2) @ y)[..., None])[..., 0]
        rss = ((y - (X @ beta[..., None])[..., 0]) ** 2).sum(-1)
        sigma = np.sqrt(rss / self.rng.chisquare(len(y) - len(q), len(X)))
        return np.asarray(beta), np.asarray(beta + sigma[:, None] * _away(G, self.rng)), np.asarray(sigma)

    def _normal(self, j: int, X: Array, o: Index, m: Index) -> Array:
        center, scale = self.table.center[j], self.table.scale[j]
        _, drawn, sigma = self._regressed(X[:, o], (self.table.Y[o, j] - center) / scale)
        noise = sigma[:, None] * self.rng.standard_normal((len(X), len(m)))
        return np.asarray(center + scale * ((X[:, m] @ drawn[..., None])[..., 0] + noise))

    def _matched(self, j: int, X: Array, o: Index, m: Index) -> Array:
        y = self.table.Y[o, j]
        beta, drawn, _ = self._regressed(X[:, o], y - y.mean())
        of_seen, of_missing = (X[:, o] @ beta[..., None])[..., 0], (X[:, m] @ drawn[..., None])[..., 0]
        return np.asarray(y[nearest_donors(of_seen, of_missing, self.donors, self.rng)])

    def _level(self, j: int, X: Array, o: Index, m: Index) -> Array:
        values = self.table.values[j]
        assert values is not None
        level = np.searchsorted(values, self.table.Y[o, j])
        rows, levels, weights = _with_added(X, o, level, len(values))
        beta, information = _logit(rows, levels, weights, len(values), self.starts.get(j))
        self.starts[j] = beta
        M, q = len(X), X.shape[-1]
        drawn = (beta.reshape(M, -1) + _away(information, self.rng)).reshape(M, len(values) - 1, q)
        if self.shift[j]:
            drawn[..., 0] += self.shift[j]  # X begins with the constant
        below = np.cumsum(_probabilities(X[:, m], drawn), axis=-1)[..., :-1]
        return np.asarray(values[(self.rng.random((M, len(m)))[..., None] > below).sum(-1)])


def _away(precision: Array, rng: np.random.Generator) -> Array:
    """Draws (M, q) from N(0, precision⁻¹)."""
    root = np.linalg.cholesky(precision)
    z = rng.standard_normal((*precision.shape[:-1], 1))
    return np.asarray(np.linalg.solve(np.swapaxes(root, -1, -2), z)[..., 0])


def _with_added(X: Array, o: Index, level: Index, K: int) -> tuple[Array, Index, Array]:
    """The rows o of X (M, n, q) with the added ones, their levels and their weights; X begins with the constant."""
    M, _, q = X.shape
    p = q - 1
    if not p:
        return X[:, o], level, np.ones(len(o))
    mean, sd = X[..., 1:].mean(1), X[..., 1:].std(1)
    added = np.broadcast_to(mean[:, None, None], (M, 2, p, p)).copy()
    each = np.arange(p)
    added[:, 0, each, each] += sd / 2
    added[:, 1, each, each] -= sd / 2
    rows = np.concatenate([np.ones((M, 2 * p, 1)), added.reshape(M, 2 * p, p)], axis=-1)
    levels = np.concatenate([level, np.repeat(np.arange(K), 2 * p)])
    weights = np.concatenate([np.ones(len(o)), np.full(2 * p * K, (p + 1) / (2 * p * K))])
    return np.concatenate([X[:, o], *[rows] * K], axis=1), levels, weights


def _probabilities(X: Array, beta: Array) -> Array:
    """Of every level, (M, n, K), for β (M, K − 1, q) of all levels but the first."""
    eta = X @ np.swapaxes(beta, -1, -2)
    eta = np.concatenate([np.zeros((*eta.shape[:-1], 1)), eta], axis=-1)
    odds = np.exp(eta - eta.max(-1, keepdims=True))
    return np.asarray(odds / odds.sum(-1, keepdims=True))


def _logit(X: Array, level: Index, weights: Array, K: int, start: Array | None) -> tuple[Array, Array]:
    """The multinomial logit of `level` (n,) on X (M, n, q) by Newton's method with halved steps: β̂ (M, K − 1, q) and
    the information (M, (K − 1)q, (K − 1)q).
    """
    M, n, q = X.shape
    target = np.eye(K)[level]
    beta = np.zeros((M, K - 1, q)) if start is None else start

    def loglik(p: Array) -> Array:
        return np.asarray((weights * np.log(np.maximum(p[:, np.arange(n), level], 1e-300))).sum(-1))

    p = _probabilities(X, beta)
    value = loglik(p)
    for _ in range(STEPS):
        information = _information(X, p[..., 1:], weights)
        score = np.swapaxes(weights[:, None] * (target - p)[..., 1:], -1, -2) @ X
        step = np.linalg.solve(information, score.reshape(M, -1, 1)).reshape(beta.shape)
        if float((score * step).sum((1, 2)).max()) < CLOSE:
            break
        size = np.ones(M)
        for _ in range(10):
            trial = beta + size[:, None, None] * step
            p = _probabilities(X, trial)
            new = loglik(p)
            worse = new < value - 1e-10
            if not worse.any():
                break
            size = np.where(worse, size / 2, size)
        beta, value = trial, new
    return beta, information


def _information(X: Array, p: Array, weights: Array) -> Array:
    M, _, q = X.shape
    K = p.shape[-1]
    blocks = np.empty((M, K, q, K, q))
    for a in range(K):
        for b in range(a + 1):
            w = weights * p[..., a] * ((a == b) - p[..., b])
            blocks[:, a, :, b] = np.swapaxes(X * w[..., None], -1, -2) @ X
            blocks[:, b, :, a] = blocks[:, a, :, b]
    flat = blocks.reshape(M, K * q, K * q)
    diagonal = np.arange(K * q)
    flat[:, diagonal, diagonal] *= 1 + RIDGE
    return flat
