"""Draws from the posterior of a multivariate normal regression, and of its missing values, given what was seen.

    y_i = B'w_i + e_i,   e_i ~ N(0, Σ),   i = 1, ..., n

with D columns of y, some of them missing, and p columns of w, all known. Data augmentation goes back and forth between

    I: y_missing | y_seen, B, Σ      normal, pattern by pattern
    P: Σ | y ~ IW(S, n − p + ν₀ − D − 1),   B | Σ, y ~ N(B̂, Σ ⊗ (W'W)⁻¹)

with S = (Y − WB̂)'(Y − WB̂). The prior is p(B, Σ) ∝ |Σ|^(−ν₀/2); with ν₀ = D + 1 it is Jeffreys' usual one, and Σ has n
− p degrees of freedom. Many chains go as one stack.

**Source**: Schafer 1997, Analysis of Incomplete Multivariate Data, sections 5.2-5.4; Tanner & Wong 1987, JASA 82:528;
Gelman & Rubin 1992, Stat Sci 7:457, for R̂; Smith & Hocking 1972, Appl Stat 21:341 (Bartlett's decomposition).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Posterior", "Wide", "completed", "expected", "posterior", "regression"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
CHAINS = 20
"""Chains that share one stream of random numbers."""
LEAST_SWEEPS = 100
"""Sweeps after the burn-in on which R̂ is judged, at least."""


@dataclass(frozen=True, slots=True, eq=False)
class Wide:
    """Incomplete data in the wide: `Y` (n, D), NaN where missing, `W` (n, p) of full rank, and the rows by pattern."""

    Y: Array
    W: Array
    patterns: NDArray[np.bool_]
    members: tuple[Index, ...]

    @classmethod
    def of(cls, Y: Array, W: Array) -> Wide:
        """Sort the rows by what was seen of them."""
        seen, which = np.unique(~np.isnan(Y), axis=0, return_inverse=True)
        return cls(Y, W, seen, tuple(np.flatnonzero(which.reshape(-1) == s) for s in range(len(seen))))

    @property
    def n_missing(self) -> int:
        """Cells without a value."""
        return int(np.isnan(self.Y).sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Posterior:
    """M draws: `B` (M, p, D), `Sigma` (M, D, D), in the order of the chains; `r_hat` (D(D+1)/2 + p D,) of all elements
    of Σ and B, NaN where there is one chain; `sweeps` after the burn-in.
    """

    B: Array
    Sigma: Array
    r_hat: Array
    sweeps: int


def regression(covariance: Array, seen: NDArray[np.bool_]) -> tuple[Array, Array]:
    """For covariances (..., D, D): the slopes K (..., m, o) of the missing columns on the seen ones, and the covariance
    (..., m, m) that is left.
    """
    o, m = np.flatnonzero(seen), np.flatnonzero(~seen)
    across = covariance[..., o[:, None], m]
    K = np.swapaxes(np.linalg.solve(covariance[..., o[:, None], o], across), -1, -2)
    left = covariance[..., m[:, None], m] - K @ across
    return K, (left + np.swapaxes(left, -1, -2)) / 2


def expected(mean: Array, covariance: Array, y: Array, seen: NDArray[np.bool_]) -> Array:
    """E(y_missing | y_seen) for means and values y (..., n, D) and covariances (..., D, D); shape (..., n, m)."""
    K, _ = regression(covariance, seen)
    return np.asarray(mean[..., ~seen] + (y[..., seen] - mean[..., seen]) @ np.swapaxes(K, -1, -2))


def completed(mean: Array, covariance: Array, y: Array, seen: NDArray[np.bool_], z: Array) -> Array:
    """Missing columns drawn given the seen ones, for standard normal z (..., n, m); shape (..., n, m)."""
    K, left = regression(covariance, seen)
    root = np.linalg.cholesky(left)
    at = mean[..., ~seen] + (y[..., seen] - mean[..., seen]) @ np.swapaxes(K, -1, -2)
    return np.asarray(at + z @ np.swapaxes(root, -1, -2))


def posterior(
    wide: Wide,
    n_draws: int,
    seed: np.random.SeedSequence,
    *,
    n_chains: int = CHAINS,
    burn_in: int = 200,
    thin: int = 10,
    progress: Callable[[int, int], None] | None = None,
) -> Posterior:
    """`n_draws` draws of B and Σ, shared among `n_chains` chains which begin at the available-case moments.

    Where nothing is missing the draws are independent, and neither burn-in nor thinning is needed nor made.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where Σ has no posterior: fewer rows than columns, or columns that are combinations of others.
    """
    n, p, D = len(wide.Y), wide.W.shape[1], wide.Y.shape[1]
    if n - p < D:
        raise np.linalg.LinAlgError(f"{n} rows with {p} columns of W leave less than {D} degrees of freedom.")
    n_chains = min(n_chains, n_draws)
    center, scale = np.nanmean(wide.Y, axis=0), np.nanstd(wide.Y, axis=0)
    if not (scale > 0).all():
        raise np.linalg.LinAlgError("A column has one value only.")
    Q, R = np.linalg.qr(wide.W)
    constant = np.linalg.lstsq(Q, np.ones(n), rcond=None)[0]
    if np.abs(Q @ constant - 1).max() > 1e-8:
        center = np.zeros(D)
    inner = Wide((wide.Y - center) / scale, Q, wide.patterns, wide.members)
    each = -(-n_draws // n_chains)
    between = thin if wide.n_missing else 1
    first = burn_in if wide.n_missing else 0
    sweeps = max(each * between, LEAST_SWEEPS if wide.n_missing else 1)
    blocks = [range(start, min(start + CHAINS, n_chains)) for start in range(0, n_chains, CHAINS)]
    found: list[tuple[Array, Array]] = []
    sums: list[tuple[Array, Array]] = []
    total = len(blocks) * (first + sweeps)
    for block, (chains, own) in enumerate(zip(blocks, seed.spawn(len(blocks)), strict=True)):
        run = _Run(inner, len(chains), np.random.default_rng(own))
        for sweep in range(first):
            run.sweep()
            if progress is not None and not sweep % 50:
                progress(block * (first + sweeps) + sweep, total)
        kept: list[tuple[Array, Array]] = []
        one, two = np.zeros(0), np.zeros(0)
        upper = np.triu_indices(D)
        for sweep in range(sweeps):
            run.sweep()
            now = np.concatenate([run.Sigma[:, upper[0], upper[1]], run.B.reshape(len(chains), -1)], axis=1)
            one, two = (now, now**2) if not sweep else (one + now, two + now**2)
            if (sweep + 1) % (sweeps // each) == 0 and len(kept) < each:
                kept.append((run.B.copy(), run.Sigma.copy()))
            if progress is not None and not sweep % 50:
                progress(block * (first + sweeps) + first + sweep, total)
        found.append((np.stack([B for B, _ in kept], 1), np.stack([S for _, S in kept], 1)))
        sums.append((one / sweeps, (two - one**2 / sweeps) / max(sweeps - 1, 1)))
    B = np.concatenate([B for B, _ in found]).reshape(-1, p, D)[:n_draws]
    Sigma = np.concatenate([S for _, S in found]).reshape(-1, D, D)[:n_draws]
    means, spreads = (np.concatenate(part) for part in zip(*sums, strict=True))
    outer = np.linalg.solve(R, np.broadcast_to(B * scale, B.shape))
    outer = outer + np.linalg.solve(R, constant)[:, None] * center
    if progress is not None:
        progress(total, total)
    return Posterior(B=outer, Sigma=Sigma * scale[:, None] * scale, r_hat=_r_hat(means, spreads, sweeps), sweeps=sweeps)


class _Run:
    """Chains of one block: the state of the data augmentation, changed in place."""

    def __init__(self, wide: Wide, n_chains: int, rng: np.random.Generator) -> None:
        self.wide, self.rng = wide, rng
        n, D = wide.Y.shape
        self.Y = np.broadcast_to(np.where(np.isnan(wide.Y), 0.0, wide.Y), (n_chains, n, D)).copy()
        self.B = np.zeros((n_chains, wide.W.shape[1], D))
        self.Sigma = np.broadcast_to(np.eye(D), (n_chains, D, D)).copy()

    def sweep(self) -> None:
        """One I-step and one P-step."""
        Y, wide, rng = self.Y, self.wide, self.rng
        mean = wide.W @ self.B
        for seen, members in zip(wide.patterns, wide.members, strict=True):
            if seen.all():
                continue
            z = rng.standard_normal((len(Y), len(members), int((~seen).sum())))
            drawn = completed(mean[:, members], self.Sigma, wide.Y[members], seen, z)
            Y[:, members[:, None], np.flatnonzero(~seen)] = drawn
        n, D = wide.Y.shape
        p = wide.W.shape[1]
        least_squares = wide.W.T @ Y
        residual = Y - wide.W @ least_squares
        root = np.linalg.cholesky(np.swapaxes(residual, -1, -2) @ residual)
        A = np.zeros((len(Y), D, D))
        below = np.tril_indices(D, -1)
        A[:, below[0], below[1]] = rng.standard_normal((len(Y), len(below[0])))
        A[:, np.arange(D), np.arange(D)] = np.sqrt(rng.chisquare(n - p - np.arange(D), (len(Y), D)))
        # Σ⁻¹ ~ Wishart(S⁻¹, n − p) is C⁻ᵀ A A' C⁻¹ with S = CC', so Σ = FF' with F = C A⁻ᵀ
        F = root @ np.swapaxes(np.linalg.inv(A), -1, -2)
        self.Sigma = F @ np.swapaxes(F, -1, -2)
        self.B = least_squares + rng.standard_normal((len(Y), p, D)) @ np.swapaxes(F, -1, -2)


def _r_hat(means: Array, variances: Array, sweeps: int) -> Array:
    """√{ (1 − 1/N) + B/W } over the chains, for chain means and variances (chains, elements)."""
    if len(means) < 2:
        return np.full(means.shape[1], np.nan)
    within = variances.mean(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(within > 0, means.var(0, ddof=1) / within, 0.0)
    return np.sqrt(1 - 1 / sweeps + ratio)
