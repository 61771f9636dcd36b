"""Generalized estimating equations: the mean of each score given its covariates, a working correlation of the scores of
a subject, for many weightings of the subjects at once.

With μ = g⁻¹(Xβ), D_i = ∂μ_i/∂β, A_i the variance function v(μ) on a diagonal, R the working correlation and φ a scale,
β̂ solves

    Σ_i c_i ω_i D_i' V_i⁻¹ (y_i − μ_i) = 0,      V_i = φ A_i^½ R_i A_i^½

for counts c_i of equal subjects and probability weights ω_i. Between Fisher's steps the correlation is found from the
Pearson residuals r = (y − μ) / √v, with weights w_i = c_i ω_i: φ = Σ w r² / Σ w over all scores, and with z = r_j r_k/φ

    exchangeable: α = Σ w z / Σ w over all pairs;        unstructured: the same for each pair of visits;
    ar1: α minimizes Σ w (z − α^|j−k|)² over all pairs, |j − k| the distance of the visits' places.

These are the moment equations of R's geepack, without a correction for the number of coefficients.

They are solved here and not by statsmodels, whose Autoregressive takes the places of a subject's scores for those of
its visits when it inverts R (a missed visit moves the later ones) and leaves weights out, whose Unstructured divides by
a count less the coefficients and rescales, and which loops over subjects in Python. With independence both agree.

Letters: n subjects, V visits, p columns; B replicates stand in front. Missed scores have mask False, and X, y = 0.

**Source**: Liang & Zeger 1986, Biometrika 73:13, equations 6 and 7; Halekoh, Højsgaard & Yan 2006, J Stat Softw 15(2)
(the moment equations, after Yan & Fine 2004, Stat Med 23:859).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.special import expit, log_ndtr, logit, ndtri

__all__ = ["MARGINS", "WORKING", "Margin", "Panel", "Solution", "runs_to_zero", "solve", "whitened"]

Array = NDArray[np.float64]
STEPS = 200
STOP = 1e-10
"""The search ends where a step is below this part of a standard error, and the correlation moves by less."""
DEFINITE = 1e-8
"""Smallest eigenvalue of a working correlation."""
MEMORY = 1 << 22
"""Elements of whitened designs that replicates may take together."""


@dataclass(frozen=True, slots=True)
class Margin:
    """A mean with its link: g⁻¹(η), its derivative, the variance function v(μ), g(μ), and where μ may lie (open)."""

    name: str
    link: str
    mean: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    variance: Callable[[Array], Array]
    predictor: Callable[[Array], Array]
    range: tuple[float, float] = (-np.inf, np.inf)


def _density(eta: Array) -> Array:
    return np.asarray(np.exp(-0.5 * eta * eta) / np.sqrt(2 * np.pi))


def _logistic_slope(eta: Array) -> Array:
    return np.asarray(expit(eta) * expit(-eta))


def _identity(eta: Array) -> Array:
    return eta


def _one(eta: Array) -> Array:
    return np.ones_like(eta)


def _normal(eta: Array) -> Array:
    return np.asarray(np.exp(log_ndtr(eta)))


_LINKS: dict[str, tuple[Callable[[Array], Array], ...]] = {
    "identity": (_identity, _one, _identity),
    "log": (np.exp, np.exp, np.log),
    "logit": (expit, _logistic_slope, logit),
    "probit": (_normal, _density, ndtri),
}
_FAMILIES: dict[str, tuple[tuple[str, ...], Callable[[Array], Array], tuple[float, float]]] = {
    "gaussian": (("identity", "log"), _one, (-np.inf, np.inf)),
    "binomial": (("logit", "probit", "log", "identity"), lambda mu: mu * (1 - mu), (0.0, 1.0)),
    "poisson": (("log", "identity"), _identity, (0.0, np.inf)),
}
MARGINS: Mapping[str, Margin] = MappingProxyType(
    {
        f"{family}/{link}": Margin(family, link, _LINKS[link][0], _LINKS[link][1], variance, _LINKS[link][2], inside)
        for family, (links, variance, inside) in _FAMILIES.items()
        for link in links
    }
)
"""By family and link; the first link of a family is its default."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """Scores in a block, a subject a line, a visit a place.

    y (n, V), X (n, V, p), mask (n, V); omega (n,) are probability weights, all 1 where left out.
    """

    y: Array
    X: Array
    mask: NDArray[np.bool_]
    omega: Array | None = None

    @property
    def patterns(self) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
        """The distinct rows of the mask, and which of them each subject has."""
        seen, which = np.unique(self.mask, axis=0, return_inverse=True)
        return seen, which.ravel()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """β (B, p), R (B, V, V), φ (B,), the parameters of R (B, m), the steps taken, and for each replicate whether the
    equations were solved, and whether R stayed positive definite.
    """

    beta: Array
    R: Array
    phi: Array
    alpha: Array
    steps: int
    solved: NDArray[np.bool_]
    definite: NDArray[np.bool_]


# ---- the working correlation -----------------------------------------------------------------------------------------


def _nothing(products: Array, _: Array) -> tuple[Array, Array]:
    V = products.shape[-1]
    return np.zeros((len(products), 0)), np.broadcast_to(np.eye(V), products.shape).copy()


def _exchangeable(products: Array, weights: Array) -> tuple[Array, Array]:
    V = products.shape[-1]
    j, k = np.triu_indices(V, 1)
    total = weights[:, j, k].sum(axis=1)
    alpha = np.divide(products[:, j, k].sum(axis=1), total, out=np.zeros(len(total)), where=total > 0)
    R = np.where(np.eye(V, dtype=bool), 1.0, alpha[:, None, None])
    return alpha[:, None], R


def _unstructured(products: Array, weights: Array) -> tuple[Array, Array]:
    V = products.shape[-1]
    j, k = np.triu_indices(V, 1)
    pairs = weights[:, j, k]
    alpha = np.divide(products[:, j, k], pairs, out=np.zeros(pairs.shape), where=pairs > 0)
    R = np.broadcast_to(np.eye(V), products.shape).copy()
    R[:, j, k] = R[:, k, j] = alpha
    return alpha, R


def _ar1(products: Array, weights: Array) -> tuple[Array, Array]:
    """α minimizes Σ_d N_d (z̄_d − α^d)², d the lags: Newton's steps from the best of a fine lattice."""
    V = products.shape[-1]
    j, k = np.triu_indices(V, 1)
    lag = np.arange(1, V)
    of_lag = (k - j)[:, None] == lag
    N, S = weights[:, j, k] @ of_lag, products[:, j, k] @ of_lag  # (B, V − 1)
    tried = np.linspace(-0.995, 0.995, 400)
    power = tried[:, None] ** lag
    loss = N @ (power**2).T - 2 * S @ power.T
    alpha = tried[loss.argmin(axis=1)]
    for _ in range(50):
        a = alpha[:, None]
        first = (lag * a ** (lag - 1.0) * (N * a**lag - S)).sum(axis=1)
        bend = lag * (lag - 1.0) * np.where(lag > 1, a ** np.maximum(lag - 2.0, 0.0), 0.0)
        second = (bend * (N * a**lag - S) + N * (lag * a ** (lag - 1.0)) ** 2).sum(axis=1)
        step = np.divide(first, second, out=np.zeros_like(first), where=second > 0)
        alpha = np.clip(alpha - np.clip(step, -0.01, 0.01), -0.999, 0.999)
        if np.abs(step).max(initial=0.0) < 1e-15:
            break
    distance = np.abs(np.arange(V)[:, None] - np.arange(V))
    return alpha[:, None], np.asarray(alpha[:, None, None] ** distance)


WORKING: Mapping[str, Callable[[Array, Array], tuple[Array, Array]]] = MappingProxyType(
    {"independence": _nothing, "exchangeable": _exchangeable, "unstructured": _unstructured, "ar1": _ar1}
)
"""From the sums of w z and of w for each pair of visits (B, V, V) to the parameters (B, m) and R (B, V, V)."""


# ---- the equations ---------------------------------------------------------------------------------------------------


def whitened(panel: Panel, margin: Margin, beta: Array, R: Array, phi: Array) -> tuple[Array, Array]:
    """Z = V^(−½) D (B, n, V, p) and e = V^(−½) (y − μ) (B, n, V), by the triangular root of V."""
    D, r = _scaled(panel, margin, beta)
    seen, which = panel.patterns
    both = seen[:, :, None] & seen[:, None, :]
    eye = np.eye(R.shape[-1])
    roots = np.linalg.inv(np.linalg.cholesky(np.where(both, R[:, None], eye)))  # (B, patterns, V, V)
    roots = roots / np.sqrt(phi)[:, None, None, None]
    if not R.shape[-1] > 1 or np.array_equal(R, np.broadcast_to(eye, R.shape)):
        return D / np.sqrt(phi)[:, None, None, None], r / np.sqrt(phi)[:, None, None]
    own = roots[:, which]
    return own @ D, (own @ r[..., None])[..., 0]


def solve(panel: Panel, margin: Margin, working: str, counts: Array, start: Array, *, steps: int = STEPS) -> Solution:
    """Solve the equations for each row of counts (B, n), from `start` (p,) or (B, p)."""
    B, n = counts.shape
    V, p = panel.X.shape[1:]
    size = max(1, MEMORY // max(1, n * V * (p + V)))
    starts = np.broadcast_to(start, (B, p))
    parts = [
        _solve(panel, margin, working, counts[k : k + size], starts[k : k + size].copy(), steps)
        for k in range(0, B, size)
    ]
    return Solution(
        beta=np.concatenate([part.beta for part in parts]),
        R=np.concatenate([part.R for part in parts]),
        phi=np.concatenate([part.phi for part in parts]),
        alpha=np.concatenate([part.alpha for part in parts]),
        steps=max(part.steps for part in parts),
        solved=np.concatenate([part.solved for part in parts]),
        definite=np.concatenate([part.definite for part in parts]),
    )


def _solve(panel: Panel, margin: Margin, working: str, counts: Array, beta: Array, steps: int) -> Solution:
    B, p = len(counts), panel.X.shape[2]
    w = counts if panel.omega is None else counts * panel.omega
    phi, R, alpha = _correlation(panel, margin, working, w, beta)
    solved, definite, lost = np.zeros(B, dtype=bool), _is_definite(panel, R), np.zeros(B, dtype=bool)
    taken = 0
    while taken < steps:
        active = np.flatnonzero(~solved & definite & ~lost)
        if not len(active):
            break
        taken += 1
        Z, e = whitened(panel, margin, beta[active], R[active], phi[active])
        weighted = (Z * w[active, :, None, None]).reshape(len(active), -1, p)
        flat = Z.reshape(len(active), -1, p)
        information = np.swapaxes(weighted, 1, 2) @ flat
        score = np.einsum("bkp,bk->bp", weighted, e.reshape(len(active), -1))
        scale = np.sqrt(np.maximum(np.diagonal(information, axis1=1, axis2=2), 1e-300))
        values, vectors = np.linalg.eigh(information / (scale[:, :, None] * scale[:, None, :]))
        told = values.min(axis=1) > 1e-13
        lost[active] |= ~told
        turned = np.einsum("bkp,bk->bp", vectors, score / scale) / np.maximum(values, 1e-13)
        step = np.einsum("bpk,bk->bp", vectors, turned) / scale
        step = _inside(panel, margin, beta[active], step, w[active])
        beta[active] += step
        newphi, newR, newalpha = _correlation(panel, margin, working, w[active], beta[active])
        moved = np.abs(newR - R[active]).max(axis=(1, 2))
        phi[active], R[active], alpha[active] = newphi, newR, newalpha
        size = np.sqrt(np.maximum(np.einsum("bp,bpq,bq->b", step, information, step), 0.0))
        solved[active] = told & (size < STOP) & (moved < STOP)
        definite[active] = _is_definite(panel, newR)
    finite = np.isfinite(beta).all(axis=1)
    return Solution(beta=beta, R=R, phi=phi, alpha=alpha, steps=taken, solved=solved & finite, definite=definite)


def _scaled(panel: Panel, margin: Margin, beta: Array) -> tuple[Array, Array]:
    """A^(−½) D and the Pearson residuals, zero where the mask is False."""
    n, V, p = panel.X.shape
    eta = (beta @ panel.X.reshape(-1, p).T).reshape(len(beta), n, V)
    mu = margin.mean(eta)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        root = 1 / np.sqrt(np.maximum(margin.variance(mu), 1e-14))
    on = np.where(panel.mask, root, 0.0)
    return panel.X * (margin.slope(eta) * on)[..., None], (panel.y - mu) * on


def _correlation(panel: Panel, margin: Margin, working: str, w: Array, beta: Array) -> tuple[Array, Array, Array]:
    """φ, R and its parameters."""
    p, mask = panel.X.shape[2], panel.mask
    eta = (beta @ panel.X.reshape(-1, p).T).reshape(len(beta), *mask.shape)
    mu = margin.mean(eta)
    r = np.where(mask, (panel.y - mu) / np.sqrt(np.maximum(margin.variance(mu), 1e-14)), 0.0)
    phi = (w[:, None, :] @ (r**2).sum(axis=2)[..., None])[:, 0, 0] / (w @ mask.sum(axis=1))
    products = np.swapaxes(r * w[..., None], 1, 2) @ r / phi[:, None, None]
    both = mask.astype(float)
    weights = np.swapaxes(both * w[..., None], 1, 2) @ both
    alpha, R = WORKING[working](products, weights)
    return phi, R, alpha


def _is_definite(panel: Panel, R: Array) -> NDArray[np.bool_]:
    """Whether R is positive definite at the visits of every subject."""
    seen, _ = panel.patterns
    both = seen[:, :, None] & seen[:, None, :]
    values = np.linalg.eigvalsh(np.nan_to_num(np.where(both, R[:, None], np.eye(R.shape[-1]))))
    return np.asarray(np.isfinite(R).all(axis=(1, 2)) & (values.min(axis=(1, 2)) > DEFINITE))


def _inside(panel: Panel, margin: Margin, beta: Array, step: Array, w: Array) -> Array:
    """The step, halved until every mean lies where it may; a step may change no linear predictor by more than 8."""
    p = panel.X.shape[2]
    X = panel.X[panel.mask]
    counted = np.repeat(w > 0, panel.mask.sum(axis=1), axis=1)
    change = np.where(counted, np.abs(step @ X.T), 0.0).max(axis=1, initial=0.0)
    bounded = margin.link in {"identity", "log"} and margin.name != "gaussian"
    if margin.link != "identity":
        step = step * np.minimum(1.0, 8.0 / np.maximum(change, 1e-300))[:, None]
    low, high = margin.range
    for _ in range(60 if bounded else 0):
        mu = margin.mean((beta + step) @ X.T.reshape(p, -1))
        out = np.any(((mu <= low) | (mu >= high)) & counted, axis=1)
        if not out.any():
            break
        step = np.where(out[:, None], step / 2, step)
    return step


def runs_to_zero(X: Array, y: Array) -> NDArray[np.bool_]:
    """Which columns take part in a combination that is 0 where counts are above 0 and below 0 at some zeros (p,).

    Along it the means of these zeros fall without end: with a logarithmic link there is no solution.

    **Source**: Correia, Guimarães & Zylkin 2019, arXiv:1903.01633, section 3.
    """
    scale = np.abs(X).max(axis=0)
    Z = X / np.where(scale > 0, scale, 1.0)
    zero = y == 0
    if not zero.any():
        return np.zeros(X.shape[1], dtype=bool)
    held = Z[~zero] if (~zero).any() else None
    found = linprog(
        Z[zero].sum(axis=0),
        A_ub=Z[zero],
        b_ub=np.zeros(int(zero.sum())),
        A_eq=held,
        b_eq=None if held is None else np.zeros(len(held)),
        bounds=(-1, 1),
        method="highs",
    )
    if found.status != 0 or -found.fun < 1e-7 * len(y):
        return np.zeros(X.shape[1], dtype=bool)
    return np.asarray(np.abs(found.x) > 1e-7)
