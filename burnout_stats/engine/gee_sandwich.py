"""Robust covariances of generalized estimating equations with corrections for few subjects, and degrees of freedom.

In coordinates where every working covariance is I (Z_i = V_i^(−½) D_i, e_i = V_i^(−½)(y_i − μ_i)) the equations are
those of a linear model, M = (Σ Z'Z)⁻¹ is the covariance under the working model, and with H_i = Z_i M Z_i' the scores
u_i = F_i' e_i of V = M (Σ u_i u_i') M are

    plain (Liang & Zeger):   F_i = Z_i
    mancl-derouen:           F_i = (I − H_i)⁻¹ Z_i
    kauermann-carroll:       F_i = (I − H_i)^(−½) Z_i
    fay-graubard:            F_i = Z_i diag{1 − min(b, (Z_i'Z_i M)_jj)}^(−½),  b = 0.75

(The leverage of the papers, D_i M D_i' V_i⁻¹, is V^½ H_i V^(−½), so that its powers are those of H_i.) Degrees of
freedom of a row l of L:

- "satterthwaite": the two moments of l V l' under the working model, as in `sandwich`;
- "fay-graubard": the same with cov(u_j) taken as Ψ_j = s_j Σ_i u_i u_i', s_j = w_j / Σ w, where w_j =
  l {(M⁻¹ − Z_j'Z_j)⁻¹ − M} l' is what subject j adds to the precision. With m_i = h_i M l' (h_i the diagonal above) and
  t_i = M Z_i'Z_i m_i, l V l' = Σ_i (m_i'u_i − t_i'Σ_j u_j)², a quadratic form whose matrix is P_ij = δ_ij m_i'Ψ_i m_i −
  β_i' K β_j, β_i = (Ψ_i m_i, t_i), K = [[0, I], [I, −Σ Ψ]];
- "pan-wall": 2 v² / Var(v) for v = Σ_i q_i, q_i = (l M u_i)², whose variance is that seen among the subjects:
  n / (n − 1) Σ (q_i − v / n)².

**Source**: Liang & Zeger 1986, Biometrika 73:13; Mancl & DeRouen 2001, Biometrics 57:126; Kauermann & Carroll 2001,
JASA 96:1387; Fay & Graubard 2001, Biometrics 57:1198, sections 2.2 and 2.3 (its δ5); Pan & Wall 2002,
Stat Med 21:1429. That sums over pairs of subjects collapse is our algebra, as in `sandwich`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from .sandwich import ADJUSTMENTS, Adjustment, Sandwich, Stack

__all__ = ["CORRECTIONS", "GeeSandwich", "sandwich_of"]

Array = NDArray[np.float64]
BOUND = 0.75
"""b of Fay & Graubard."""


def _leverages(stack: Stack, M: Array) -> Array:
    """min(b, (Z_i'Z_i M)_jj), (n, p)."""
    Z = stack.X
    diagonal: Array = np.einsum("nkp,nkp->np", Z, Z @ M)
    if stack.omega is not None:
        diagonal = diagonal * stack.omega[:, :1]
    return np.asarray(np.minimum(diagonal, BOUND))


def _fay_graubard(stack: Stack, M: Array, _: Array) -> Array:
    Z = stack.X if stack.omega is None else stack.X * stack.omega[..., None]
    return np.asarray(Z / np.sqrt(1 - _leverages(stack, M))[:, None, :])


CORRECTIONS: Mapping[str, Adjustment] = MappingProxyType(
    {
        "robust": Adjustment("robust (Liang & Zeger)", ADJUSTMENTS["cr0"].design),
        "mancl-derouen": Adjustment("robust (Mancl & DeRouen)", ADJUSTMENTS["cr3"].design),
        "kauermann-carroll": Adjustment("robust (Kauermann & Carroll)", ADJUSTMENTS["cr2-mmrm"].design),
        "fay-graubard": Adjustment("robust (Fay & Graubard)", _fay_graubard),
    }
)
"""By name. In coordinates where V = I the second and third are the jackknife and the symmetric root of `sandwich`."""


@dataclass(frozen=True, slots=True, eq=False)
class GeeSandwich(Sandwich):
    """A sandwich in coordinates where the working covariance is I; `kind` is a key of `CORRECTIONS`."""

    @property
    def adjustment(self) -> Adjustment:
        """How F_i is made."""
        return CORRECTIONS[self.kind]

    def scores(self) -> Array:
        """u_i, (n, p)."""
        return np.concatenate([np.einsum("nkp,nk->np", F, stack.e) for stack, F in self._adjusted()])

    def df(self, name: str, L: Array) -> Array:
        """Degrees of freedom of each row of L (r, p) by one of `DF`."""
        return DF[name](self, L)


def sandwich_of(Z: Array, e: Array, counts: Array, omega: Array | None, kind: str) -> GeeSandwich:
    """The sandwich of subjects (n, V, p), (n, V), with rows of zeros where a visit was missed."""
    weight = counts if omega is None else counts * omega
    p = Z.shape[2]
    M = np.linalg.inv((Z * weight[:, None, None]).reshape(-1, p).T @ Z.reshape(-1, p))
    own = None if omega is None else np.broadcast_to(omega[:, None], e.shape)
    stack = Stack(X=Z, e=e, Sigma=np.eye(Z.shape[1])[None], count=counts, omega=own)
    return GeeSandwich([stack], 0.5 * (M + M.T), kind)


def _satterthwaite(sandwich: GeeSandwich, L: Array) -> Array:
    return sandwich.row_df(L)


def _fay_graubard_df(sandwich: GeeSandwich, L: Array) -> Array:
    (stack,), M = sandwich.stacks, sandwich.M
    Z, c = stack.X, stack.count
    omega = np.ones(len(Z)) if stack.omega is None else stack.omega[:, 0]
    u = sandwich.scores()
    B = (u * c[:, None]).T @ u
    h = np.ones((len(Z), len(M))) if sandwich.kind == "robust" else 1 / np.sqrt(1 - _leverages(stack, M))
    left = np.linalg.pinv(np.eye(Z.shape[1]) - omega[:, None, None] * (Z @ M @ np.swapaxes(Z, 1, 2)), hermitian=True)
    found = np.empty(len(L))
    for place, row in enumerate(L):  # a few rows, each over all subjects at once
        v = Z @ (M @ row)
        w = omega * np.einsum("nk,nkj,nj->n", v, left, v)
        s = w / (c @ w)
        m = h * (M @ row)
        t = omega[:, None] * (np.einsum("nkp,nk->np", Z, np.einsum("nkp,np->nk", Z, m)) @ M)
        Bm, Bt = m @ B, t @ B
        a = s * (m * Bm).sum(1)
        low = 2 * s * (Bm * t).sum(1) - (t * Bt).sum(1)  # β_i' K β_i
        beta = np.hstack([s[:, None] * Bm, t])
        C = (beta * c[:, None]).T @ beta
        p = len(M)
        K = np.block([[np.zeros((p, p)), np.eye(p)], [np.eye(p), -B]])
        KC = K @ C
        squares = c @ (a * a - 2 * a * low) + np.einsum("xy,yx->", KC, KC)
        found[place] = (c @ (a - low)) ** 2 / squares
    return found


def _pan_wall_df(sandwich: GeeSandwich, L: Array) -> Array:
    (stack,) = sandwich.stacks
    c, n = stack.count, sandwich.n_clusters
    q = (sandwich.scores() @ sandwich.M @ L.T) ** 2
    v = c @ q
    return np.asarray(2 * v**2 / (n / (n - 1) * (c @ (q - v / n) ** 2)))


def _subjects_df(sandwich: GeeSandwich, L: Array) -> Array:
    return np.full(len(L), sandwich.n_clusters - len(sandwich.M))


def _infinite(_: GeeSandwich, L: Array) -> Array:
    return np.full(len(L), np.inf)


DF: Mapping[str, Callable[[GeeSandwich, Array], Array]] = MappingProxyType(
    {
        "satterthwaite": _satterthwaite,
        "fay-graubard": _fay_graubard_df,
        "pan-wall": _pan_wall_df,
        "subjects": _subjects_df,
        "asymptotic": _infinite,
    }
)
"""Degrees of freedom by name."""
