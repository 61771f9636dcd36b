"""Restricted maximum likelihood for an incomplete multivariate normal regression, for many weightings of its rows at
once, by the EM algorithm.

    y_i = B'w_i + e_i,   e_i ~ N(0, Σ)

Restricted likelihood integrates B out, so the E-step takes missing values and B as unknown. With A = Σ_oo⁻¹ for the
columns o that a pattern S saw, and its weighted sums n_S, WW_S = Σ ww', WY_S = Σ wy_o', YY_S = Σ y_oy_o',

    G = Σ_S A ⊗ WW_S,   vec B̂ = G⁻¹ Σ_S vec(WY_S A),   Φ = G⁻¹
    E_S = YY_S − B̂_o'WY_S − WY_S'B̂_o + B̂_o'WW_S B̂_o + tr_w(Φ_oo WW_S)
    Σ ← { Σ_S F_S E_S F_S' + n_S (Σ − F_S Σ_o·) } / n,   F_S = Σ_·o A

A step costs the same for any number of rows; near the end the error shrinks by the fraction of missing information.

**Source**: Dempster, Laird & Rubin 1977, JRSS B 39:1; Laird & Ware 1982, Biometrics 38:963, section 4 (restricted
likelihood by EM); Little & Rubin 2002, Statistical Analysis with Missing Data, section 11.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .incomplete_normal import Wide

__all__ = ["RestrictedEM", "restricted_em"]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
CLOSE = 1e-11
"""Largest change of Σ in one step, in units of its diagonal, at which a replicate has converged."""
MAX_STEPS = 3000
MEMORY = 4e7
"""Bytes for the matrices of the replicates that are worked on at a time."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RestrictedEM:
    """R estimates: `B` (R, p, D), `Sigma` (R, D, D), whether each `converged` (R,), and its number of `steps` (R,)."""

    B: Array
    Sigma: Array
    converged: Bools
    steps: NDArray[np.int64]


def restricted_em(wide: Wide, weights: Array, *, start: Array | None = None) -> RestrictedEM:
    """Estimates for every row of weights (R, n), from Σ `start` (D, D) or the available-case variances.

    A replicate without an answer (a column or a pair of columns lost, a singular Σ) is marked, never repaired.
    """
    p, D = wide.W.shape[1], wide.Y.shape[1]
    size = 8 * (3 * (p * D) ** 2 + len(wide.patterns) * (p + D) ** 2)
    chunk = max(20, int(MEMORY / size))
    parts = [_run(wide, weights[k : k + chunk], start) for k in range(0, len(weights), chunk)]
    return RestrictedEM(
        B=np.concatenate([part.B for part in parts]),
        Sigma=np.concatenate([part.Sigma for part in parts]),
        converged=np.concatenate([part.converged for part in parts]),
        steps=np.concatenate([part.steps for part in parts]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """What a pattern contributes: its columns, and n (R,), WW (R, p, p), WY (R, p, o), YY (R, o, o)."""

    o: NDArray[np.intp]
    n: Array
    WW: Array
    WY: Array
    YY: Array

    @classmethod
    def of(cls, wide: Wide, k: int, weights: Array) -> _Sums:
        members, o = wide.members[k], np.flatnonzero(wide.patterns[k])
        p = wide.W.shape[1]
        u = np.column_stack([wide.W[members], wide.Y[members][:, o]])
        products = (u[:, :, None] * u[:, None, :]).reshape(len(u), -1)
        total = (weights[:, members] @ products).reshape(len(weights), u.shape[1], u.shape[1])
        return cls(o, weights[:, members].sum(1), total[:, :p, :p], total[:, :p, p:], total[:, p:, p:])

    def take(self, which: NDArray[np.intp]) -> _Sums:
        return _Sums(self.o, self.n[which], self.WW[which], self.WY[which], self.YY[which])


def _run(wide: Wide, weights: Array, start: Array | None) -> RestrictedEM:
    R, p, D = len(weights), wide.W.shape[1], wide.Y.shape[1]
    center, scale = np.nanmean(wide.Y, axis=0), np.nanstd(wide.Y, axis=0)
    Q, upper = np.linalg.qr(wide.W)
    constant = np.linalg.lstsq(Q, np.ones(len(Q)), rcond=None)[0]
    if np.abs(Q @ constant - 1).max() > 1e-8:
        center = np.zeros(D)
    inner = Wide((wide.Y - center) / scale, Q * np.sqrt(len(Q)), wide.patterns, wide.members)
    sums = [_Sums.of(inner, k, weights) for k in range(len(wide.patterns))]
    Sigma = np.broadcast_to(np.eye(D) if start is None else start / scale[:, None] / scale, (R, D, D)).copy()
    B = np.full((R, p, D), np.nan)
    converged, steps = np.zeros(R, dtype=bool), np.zeros(R, dtype=np.int64)
    active = np.flatnonzero(_pairs_seen(sums, R, D))
    part = [own.take(active) for own in sums]
    for _ in range(MAX_STEPS):
        if not len(active):
            break
        new, beta, sound = _step(part, Sigma[active], p)
        change = np.abs(new - Sigma[active]).max((1, 2)) / np.diagonal(new, axis1=1, axis2=2).max(1)
        steps[active] += 1
        Sigma[active[sound]], B[active[sound]] = new[sound], beta[sound]
        done = sound & (change < CLOSE)
        converged[active[done]] = True
        going = sound & ~done
        if not going.all():
            active = active[going]
            part = [own.take(np.flatnonzero(going)) for own in part]
    B = np.linalg.solve(upper, B * np.sqrt(len(Q)) * scale) + np.linalg.solve(upper, constant)[:, None] * center
    return RestrictedEM(B=B, Sigma=Sigma * scale[:, None] * scale, converged=converged, steps=steps)


def _step(sums: list[_Sums], Sigma: Array, p: int) -> tuple[Array, Array, Bools]:
    """Σ after one step, B before it, and which replicates are sound."""
    R, D = Sigma.shape[:2]
    G, right = np.zeros((R, D, p, D, p)), np.zeros((R, D, p))
    inverses = []
    sound = np.ones(R, dtype=bool)
    for own in sums:
        block = Sigma[:, own.o[:, None], own.o]
        sign, _ = np.linalg.slogdet(block)
        fine = (sign > 0) & np.isfinite(block).all((1, 2))
        sound &= fine
        A = np.linalg.inv(np.where(fine[:, None, None], block, np.eye(len(own.o))))
        inverses.append(A)
        places = np.ix_(np.arange(R), own.o, np.arange(p), own.o, np.arange(p))
        G[places] += A[:, :, None, :, None] * own.WW[:, None, :, None, :]
        right[:, own.o] += A @ np.swapaxes(own.WY, 1, 2)
    flat = G.reshape(R, D * p, D * p)
    sign, _ = np.linalg.slogdet(flat)
    fine = sign > 0
    sound &= fine
    Phi = np.linalg.inv(np.where(fine[:, None, None], flat, np.eye(D * p)))
    B = (Phi @ right.reshape(R, D * p, 1)).reshape(R, D, p)
    Phi = Phi.reshape(R, D, p, D, p)
    total, n = np.zeros((R, D, D)), np.zeros(R)
    for own, A in zip(sums, inverses, strict=True):
        b = B[:, own.o]
        cross = b @ own.WY
        spread = np.einsum("raibj,rij->rab", Phi[:, own.o][:, :, :, own.o], own.WW, optimize=True)
        E = own.YY - cross - np.swapaxes(cross, 1, 2) + b @ own.WW @ np.swapaxes(b, 1, 2) + spread
        F = Sigma[:, :, own.o] @ A
        total += F @ E @ np.swapaxes(F, 1, 2) + own.n[:, None, None] * (Sigma - F @ Sigma[:, own.o])
        n += own.n
    new = total / n[:, None, None]
    sound &= np.isfinite(new).all((1, 2))
    return (new + np.swapaxes(new, 1, 2)) / 2, np.swapaxes(B, 1, 2), sound


def _pairs_seen(sums: list[_Sums], R: int, D: int) -> Bools:
    """Whether any two columns were seen together in a replicate."""
    seen = np.zeros((R, D, D))
    for own in sums:
        seen[:, own.o[:, None], own.o] += own.n[:, None, None]
    return np.asarray((seen > 0).all((1, 2)))
