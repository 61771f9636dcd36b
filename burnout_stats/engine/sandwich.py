"""Robust (sandwich) covariances of β̂ with small-sample corrections, and degrees of freedom that go with them.

With M = (X'W̃X)⁻¹, residuals e = y − Xβ̂ and clusters i (subjects, or whole blocks of subjects),

    V = c M { Σ_i F_i' e_i e_i' F_i } M,      F_i = A_i' W̃_i X_i

where the adjustment A_i tells the kinds apart (`ADJUSTMENTS`). W̃_i = ω_i Σ_i⁻¹, and the fitted Σ_i is the working
model; ω_i is a probability weight, or 1. Under the working model the covariance of two residuals is

    cov(e_i, e_j) = δ_ij Σ_i − ω_i X_i M X_j' − X_i M X_j' ω_j + X_i N X_j',     N = M (Σ ω² X'Σ⁻¹X) M

which is δ_ij Σ_i − X_i M X_j' without probability weights. A row l of L has variance Σ_i (c_i'e_i)², c_i = F_i M l',
a quadratic form in normal variables whose matrix P_ij = c_i' cov(e_i, e_j) c_j = δ_ij a_i − β_i'K β_j is diagonal plus
low rank: a_i = c_i'Σ_i c_i and β_i = X_i'c_i has p elements. So its trace and the sum of its squares need sums over
clusters of p × p matrices only, never a matrix over clusters or rows:

    df = (Σ_i P_ii)² / Σ_ij P_ij²,     Σ_ij P_ij² = Σ_i (a_i² − 2 a_i β_i'Kβ_i) + tr(KCKC),     C = Σ_i β_i β_i'

A frequency weight n_i stands for n_i equal clusters: it multiplies every sum over i.

Letters: n clusters of k rows in a stack, p columns of X, r rows of L.

**Source**: Bell & McCaffrey 2002, Surv Methodol 28:169 (bias-reduced linearization and its degrees of freedom);
Pustejovsky & Tipton 2018, J Bus Econ Stat 36:672 (arXiv:1601.01981), in the form of R's clubSandwich. That the sums
over pairs of clusters collapse is our algebra, tested against matrices over all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ADJUSTMENTS", "Adjustment", "Sandwich", "Stack"]

Array = NDArray[np.float64]
SINGULAR = 1e-10
"""Eigenvalues of I − H, which are at most 1, below which they count as zero."""
ROUNDING = 1e-13
"""The same for U cov(e) U', as a share of the size of Σ squared: its eigenvalues fall with the square of those of Σ."""
TOUCHES = 1e-6
"""Share of a row of L, in standard errors, below which it does not touch a direction."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """Clusters with the same number of rows.

    Attributes
    ----------
    X : (n, k, p) array, and e : (n, k) array
        Design and residuals.
    Sigma : (n, k, k) or (1, k, k) array
        The working covariance.
    count : (n,) array
        How many equal clusters each one stands for.
    omega : (n, k) array or None
        Probability weights of the rows; None where there are none.
    """

    X: Array
    e: Array
    Sigma: Array
    count: Array
    omega: Array | None = None


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One kind of sandwich: `name` is how prose says it, `design` gives F_i from a stack, M and N, and `factor` the c
    for m clusters.
    """

    name: str
    design: Callable[[Stack, Array, Array], Array]
    factor: Callable[[float], float] = lambda m: 1.0


def _plain(stack: Stack) -> Array:
    """F_i = W̃_i X_i: no adjustment."""
    F = np.linalg.solve(stack.Sigma, stack.X)
    return np.asarray(F if stack.omega is None else F * stack.omega[..., None])


def _residual_covariance(stack: Stack, M: Array, N: Array) -> Array:
    """cov(e_i) under the working model, (n, k, k)."""
    X_t = np.swapaxes(stack.X, -1, -2)
    if stack.omega is None:
        return np.asarray(stack.Sigma - stack.X @ M @ X_t)
    H = stack.X @ M @ X_t * stack.omega[:, None, :]
    return np.asarray(stack.Sigma - H - np.swapaxes(H, -1, -2) + stack.X @ N @ X_t)


def _unbiased(stack: Stack, M: Array, N: Array) -> Array:
    """A_i = U' B^(-1/2) U with Σ_i = U'U and B = U cov(e_i) U', so that A_i cov(e_i) A_i' = Σ_i.

    U is the upper Cholesky factor, as in Pustejovsky & Tipton 2018 and R's clubSandwich. Other roots of
    Σ_i are unbiased too and differ a little.
    """
    U = np.swapaxes(np.linalg.cholesky(stack.Sigma), -1, -2)
    U_t = np.swapaxes(U, -1, -2)
    B = U @ _residual_covariance(stack, M, N) @ U_t
    size = np.linalg.norm(stack.Sigma, axis=(-2, -1), keepdims=True) ** 2
    root = _symmetric_power(B / size, -0.5, ROUNDING) / np.sqrt(size)
    plain = np.linalg.solve(U_t, stack.X)
    if stack.omega is not None:  # rows of one subject share a weight, so ω_i and Σ_i commute
        plain = plain * stack.omega[..., None]
    F: Array = U_t @ (root @ plain)
    return F


def _power(stack: Stack, M: Array, exponent: float) -> Array:
    """A_i = (I − H_i)^exponent, H_i = X_i M X_i' W̃_i, the power taken in coordinates where W̃_i = I."""
    U = np.swapaxes(np.linalg.cholesky(stack.Sigma), -1, -2)
    Z = np.linalg.solve(np.swapaxes(U, -1, -2), stack.X)
    root = 1.0 if stack.omega is None else np.sqrt(stack.omega)[..., None]
    Z = Z * root
    left = _symmetric_power(np.eye(Z.shape[-2]) - Z @ M @ np.swapaxes(Z, -1, -2), exponent, SINGULAR)
    F: Array = np.linalg.solve(U, root * (left @ Z))
    return F


def _symmetric_power(B: Array, exponent: float, least: float) -> Array:
    """B^exponent of symmetric matrices; eigenvalues that are zero are left out, as in a Moore-Penrose inverse."""
    values, vectors = np.linalg.eigh((B + np.swapaxes(B, -1, -2)) / 2)
    kept = values > least
    powers = np.where(kept, np.where(kept, values, 1.0) ** exponent, 0.0)
    power: Array = (vectors * powers[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return power


ADJUSTMENTS: dict[str, Adjustment] = {
    "cr0": Adjustment("robust (CR0)", lambda stack, M, N: _plain(stack)),
    "cr1": Adjustment("robust (CR1)", lambda stack, M, N: _plain(stack), lambda m: m / (m - 1)),
    "cr2": Adjustment("robust (CR2)", _unbiased),
    "cr2-mmrm": Adjustment("robust (CR2 with mmrm's root)", lambda stack, M, N: _power(stack, M, -0.5)),
    "cr3": Adjustment("robust (CR3)", lambda stack, M, N: _power(stack, M, -1.0)),
}
"""By name: the plain sandwich (Liang & Zeger 1986, Biometrika 73:13), the same times m / (m − 1), unbiased under the
working model, and the jackknife.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Sandwich:
    """Clusters with an adjustment: answers about L β̂.

    Attributes
    ----------
    stacks : Stack by number of rows
    M : (p, p) array
        (X'W̃X)⁻¹.
    kind : str
        A key of `ADJUSTMENTS`.
    """

    stacks: Sequence[Stack]
    M: Array
    kind: str

    @property
    def adjustment(self) -> Adjustment:
        """How F_i is made."""
        return ADJUSTMENTS[self.kind]

    @property
    def n_clusters(self) -> float:
        """m."""
        return float(sum(stack.count.sum() for stack in self.stacks))

    def vcov(self) -> Array:
        """V, (p, p)."""
        meat = np.zeros_like(self.M)
        for stack, F in self._adjusted():
            scores = np.einsum("nkp,nk->np", F, stack.e)
            meat += (scores * stack.count[:, None]).T @ scores
        return self.adjustment.factor(self.n_clusters) * self.M @ meat @ self.M

    def expected(self) -> Array:
        """E(V) under the working model without the factor c, (p, p): for CR2 it is M (without probability weights)."""
        N = self._N()
        middle = np.zeros_like(self.M)
        for stack, F in self._adjusted():
            inner = np.swapaxes(F, -1, -2) @ _residual_covariance(stack, self.M, N) @ F
            middle += np.einsum("n,nab->ab", stack.count, inner)
        return self.M @ middle @ self.M

    def stands_without(self, L: Array) -> NDArray[np.bool_]:
        """Which rows of L (r, p) could be estimated without any single cluster.

        The residuals of a cluster say nothing about an effect that rests on it alone, so a robust variance of that
        effect would lack it. Without cluster i, X'W̃X becomes M⁻¹ − S_i with S_i = X_i'W̃_iX_i, and lβ is estimable where
        l v = 0 for all v with (M⁻¹ − S_i) v = 0. There are none where tr(M S_i), the leverage, is below 1.
        """
        stands = np.ones(len(L), dtype=bool)
        C = np.linalg.cholesky(self.M)
        LC = L @ C
        size = np.linalg.norm(LC, axis=1, keepdims=True)
        for stack in self.stacks:
            F = _plain(stack)
            heavy = np.einsum("nka,ab,nkb->n", stack.X, self.M, F, optimize=True) > 1 - SINGULAR
            values, vectors = np.linalg.eigh(C.T @ np.swapaxes(stack.X[heavy], -1, -2) @ F[heavy] @ C)
            for u in np.swapaxes(vectors, -1, -2)[values > 1 - SINGULAR]:
                stands &= np.abs(LC @ u) <= TOUCHES * size[:, 0]
        return stands

    def row_df(self, L: Array) -> Array:
        """Degrees of freedom of each row of L (r, p) by matching two moments, as in the module's equation."""
        K = self._K()
        r, width = len(L), len(K)
        trace, squares, C = np.zeros(r), np.zeros(r), np.zeros((r, width, width))
        for count, a, beta in self._forms(L):
            own = np.einsum("nrr->nr", a)
            low = np.einsum("nrx,xy,nry->nr", beta, K, beta, optimize=True)
            trace += count @ (own - low)
            squares += count @ (own**2 - 2 * own * low)
            C += np.einsum("n,nrx,nry->rxy", count, beta, beta, optimize=True)
        KC = K @ C
        squares += np.einsum("rxy,ryx->r", KC, KC)
        with np.errstate(divide="ignore", invalid="ignore"):
            df: Array = trace**2 / squares
        return df

    def joint_test(self, L: Array, estimate: Array, vcov: Array) -> tuple[Array, Array]:
        """The approximate Hotelling test of the r rows of L ("AHT", clubSandwich's HTZ): F and its denominator df.

        With rows rotated so that E(LVL') = I and ν = r(r + 1) / Σ_st Var(V_st), F = (ν − r + 1) / (ν r) Q on r and
        ν − r + 1 degrees of freedom, Q the Wald statistic. Where ν ≤ r − 1 there are too few clusters: both are NaN.

        **Source**: Pustejovsky & Tipton 2018; it is `HTZ` of R's clubSandwich.
        """
        r = len(L)
        values, vectors = np.linalg.eigh(L @ self.expected() @ L.T)
        K = self._K()
        width = len(K)
        spread = 0.0
        C = np.zeros((r, width, r, width))
        for count, a, beta in self._forms((vectors / np.sqrt(values)).T @ L):
            low = np.einsum("nsx,xy,nty->nst", beta, K, beta, optimize=True)
            spread += count @ np.einsum("nst,nts->n", a, a - 2 * low)
            own = np.einsum("nss->n", a)
            spread += count @ (own * (own - 2 * np.einsum("nss->n", low)))
            flat = beta.reshape(len(beta), -1)
            C += ((flat * count[:, None]).T @ flat).reshape(C.shape)
        KCK = np.einsum("sxtu,xy,uv->sytv", C, K, K, optimize=True)
        spread += np.einsum("sytv,tysv->", KCK, C) + np.einsum("sytv,sytv->", KCK, C)
        nu = r * (r + 1) / spread
        wald = estimate @ np.linalg.solve(L @ vcov @ L.T, estimate)
        if nu <= r - 1:
            return np.asarray(np.nan), np.asarray(np.nan)
        return np.asarray((nu - r + 1) / (nu * r) * wald), np.asarray(nu - r + 1)

    def _adjusted(self) -> Iterator[tuple[Stack, Array]]:
        """Each stack with its F (n, k, p)."""
        N = self._N()
        design = self.adjustment.design
        for stack in self.stacks:
            yield stack, design(stack, self.M, N)

    def _forms(self, L: Array) -> Iterator[tuple[Array, Array, Array]]:
        """For each stack: counts, a_i (n, r, r), and β_i (n, r, p), twice as long with probability weights."""
        for stack, F in self._adjusted():
            c = F @ (self.M @ L.T)
            a = np.swapaxes(c, -1, -2) @ stack.Sigma @ c
            beta = np.swapaxes(c, -1, -2) @ stack.X
            if stack.omega is not None:
                other = np.swapaxes(c * stack.omega[..., None], -1, -2) @ stack.X
                beta = np.concatenate([beta, other], axis=-1)
            yield stack.count, a, beta

    def _N(self) -> Array:
        """N; M itself where there are no probability weights."""
        if all(stack.omega is None for stack in self.stacks):
            return self.M
        middle = np.zeros_like(self.M)
        for stack in self.stacks:
            Z = stack.X if stack.omega is None else stack.X * stack.omega[..., None]
            middle += np.einsum("n,nab->ab", stack.count, np.swapaxes(Z, -1, -2) @ np.linalg.solve(stack.Sigma, Z))
        return self.M @ middle @ self.M

    def _K(self) -> Array:
        """K of the low-rank part; [[−N, M], [M, 0]] for β_i = (X_i'c_i, X_i'ω_ic_i) with probability weights."""
        if all(stack.omega is None for stack in self.stacks):
            return self.M
        return np.block([[-self._N(), self.M], [self.M, np.zeros_like(self.M)]])
