"""Generalized linear mixed models by adaptive Gauss-Hermite quadrature, all subjects at once.

Given u_i ~ N(0, I), the scores of subject i are independent with log-densities ℓ_ij at η_ij = x_ij'β + z_ij'Λu_i +
o_ij, where Λ, lower triangular, holds θ, and ζ_s = W_s γ_s are further predictors without random effects. With
h_i(u) = Σ_j ℓ_ij − u'u/2, its mode û_i, H_i = −∂²h_i/∂u∂u' there and C C' = H_i⁻¹, the likelihood of the subject is

    L_i ≈ |C| Σ_k w_k exp(h_i(û_i + C z_k) + z_k'z_k/2)

over the nodes z_k and weights w_k of the standard normal; with one node it is Laplace's approximation. The gradient is
that of this expression itself, through û_i and C too, so the optimum is that of the approximation to all digits:

    dû = H⁻¹ ∂²h/∂u∂ψ,   dC = −C Φ(C' dH C)',   Φ the lower triangle with half the diagonal.

Subjects whose rows are all the same are computed once (`pooled`). The covariance of the estimates is the inverse of the
observed information, from central differences of the gradient.

**Source**: Pinheiro & Bates 1995, J Comput Graph Stat 4:12; Liu & Pierce 1994, Biometrika 81:624 (adaptive quadrature);
Breslow & Clayton 1993, JASA 88:9 (Laplace); Smith 1995, J Comput Graph Stat 4:134 (derivative of Cholesky's factor);
Berndt, Hall, Hall & Hausman 1974, Ann Econ Soc Meas 3:653 (first steps).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .families import Family
from .quadrature import nodes

__all__ = ["Optimum", "Penalty", "Problem", "likelihood", "maximize", "pooled"]

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

MODE_STEPS = 60
MODE_STOP = 1e-11
STEPS = 120
ARRIVED = 1e-13
"""The gain in log-likelihood that a last Newton step may still promise, as a part of 1 + |ℓ|."""
NEAR = 1e-3
"""From this promised gain on, steps use the information itself."""
DIFFERENCE = 2e-4
"""The step of the central differences, in standard errors."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """Rows in a padded block, a subject a line.

    Attributes
    ----------
    family : Family
    y : scores, (n, V); any finite number where `mask` is 0
    X : (n, V, p)
    Z : (n, V, q); q may be 0, and there are then no random effects
    W : for each further predictor (n, V, p_s)
    tied : for each further predictor, the place of its coefficients among those of all further predictors (p_s,)
    fixed : for each further predictor, what is added to it, (n, V); infinite for the open ends of ordered categories
    offset, mask : (n, V)
    counts : how often each subject counts, (n,)
    free : which entries (row, column) of Λ are θ, (t, 2)
    """

    family: Family
    y: Array
    X: Array
    Z: Array
    W: tuple[Array, ...]
    tied: tuple[Whole, ...]
    fixed: tuple[Array, ...]
    offset: Array
    mask: Array
    counts: Array
    free: Whole

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Numbers of β, θ and γ."""
        gamma = 1 + max((int(place.max()) for place in self.tied if len(place)), default=-1)
        return self.X.shape[2], len(self.free), gamma

    def without_random(self) -> Problem:
        """The same scores with Λ = 0."""
        return replace(self, Z=self.Z[:, :, :0], free=self.free[:0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Value:
    """The log-likelihood, the scores of each subject (n × parameters), the modes (n × q) with their C (n × q × q), and
    each subject's own log-likelihood.
    """

    loglik: float
    scores: Array
    modes: Array
    spread: Array
    each: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Optimum:
    """Where the search ended: ψ = (β, θ, γ), its covariance from the observed information, and the record.

    `loglik` leaves a penalty out; `gain` is what a further Newton step promised; `converged` says that this is
    negligible and the information positive definite.
    """

    psi: Array
    vcov: Array
    loglik: float
    value: Value
    gain: float
    iterations: int
    converged: bool


Penalty = Callable[[Array], tuple[float, Array]]
"""A function of ψ that is added to the log-likelihood, and its gradient."""


def pooled(problem: Problem) -> tuple[Problem, Whole]:
    """The problem with identical subjects counted once, and where each subject went.

    The order of a subject's rows matters: they should stand in the order of the visits.
    """
    parts = [problem.y * problem.mask, problem.offset * problem.mask, problem.mask]
    parts += [block.reshape(len(problem.y), -1) for block in (problem.X, problem.Z, *problem.W, *problem.fixed)]
    rows = np.ascontiguousarray(np.concatenate([part.reshape(len(problem.y), -1) for part in parts], axis=1) + 0.0)
    keys = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)  # as they first appear: the same on every machine
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    chosen, place = first[order], rank[place.ravel()]
    counts = np.bincount(place, weights=problem.counts, minlength=len(chosen)).astype(np.float64)
    small = replace(
        problem,
        y=problem.y[chosen],
        X=problem.X[chosen],
        Z=problem.Z[chosen],
        W=tuple(block[chosen] for block in problem.W),
        fixed=tuple(block[chosen] for block in problem.fixed),
        offset=problem.offset[chosen],
        mask=problem.mask[chosen],
        counts=counts,
    )
    return small, place.astype(np.int64)


# ---- the likelihood --------------------------------------------------------------------------------------------------


def likelihood(problem: Problem, psi: Array, n_nodes: int, start: Array | None = None) -> Value:
    """The log-likelihood at ψ, with the score of every subject; `start` are modes to begin from."""
    p, t, g = problem.sizes
    beta, theta, gamma = psi[:p], psi[p : p + t], psi[p + t :]
    linear = problem.X @ beta + problem.offset
    further = tuple(
        fixed + W @ gamma[place] for W, place, fixed in zip(problem.W, problem.tied, problem.fixed, strict=True)
    )
    q = problem.Z.shape[2]
    if q == 0:
        return _without_random(problem, linear, further, g)
    root = np.zeros((q, q))
    root[problem.free[:, 0], problem.free[:, 1]] = theta
    a = problem.Z @ root  # (n, V, q)
    modes = _modes(problem, linear, further, a, start)
    return _integrated(problem, linear, further, a, modes, n_nodes)


def _without_random(problem: Problem, linear: Array, further: tuple[Array, ...], g: int) -> Value:
    n = len(problem.y)
    found = problem.family.density(problem.y, linear, further, 1)
    each = (np.where(problem.mask > 0, found.value, 0.0)).sum(axis=1)
    scores = np.concatenate(
        [
            np.einsum("nv,nvp->np", found.first * problem.mask, problem.X),
            _of_gamma(problem, tuple(own * problem.mask for own in found.own), g),
        ],
        axis=1,
    )
    return Value(
        loglik=float(problem.counts @ each),
        scores=scores,
        modes=np.zeros((n, 0)),
        spread=np.zeros((n, 0, 0)),
        each=each,
    )


def _modes(problem: Problem, linear: Array, further: tuple[Array, ...], a: Array, start: Array | None) -> Array:
    """û by Newton steps, each halved where it would lose; subjects that have arrived are left alone."""
    n, _, q = a.shape
    u = np.zeros((n, q)) if start is None else start.copy()
    active = np.arange(n)
    for _ in range(MODE_STEPS):
        part = a[active]
        eta = linear[active] + np.einsum("nvq,nq->nv", part, u[active])
        mask = problem.mask[active]
        zeta = tuple(z[active] for z in further)
        found = problem.family.density(problem.y[active], eta, zeta, 3)
        assert found.second is not None
        gradient = np.einsum("nv,nvq->nq", found.first * mask, part) - u[active]
        weight = np.maximum(-found.second, 0.0) * mask  # at least the part that the normal density gives
        H = np.einsum("nv,nvq,nvr->nqr", weight, part, part) + np.eye(q)
        step = np.linalg.solve(H, gradient[..., None])[..., 0]
        here = np.where(mask > 0, found.value, 0.0).sum(axis=1) - 0.5 * (u[active] ** 2).sum(axis=1)
        promised = (gradient * step).sum(axis=1)
        moving = promised > MODE_STOP**2
        scale = np.ones(len(active))
        for _ in range(30):
            tried = u[active] + scale[:, None] * step
            value = _h(problem, linear, further, a, tried, active)
            bad = moving & ~(value >= here - 1e-12 * (1 + np.abs(here)))
            if not bad.any():
                break
            scale = np.where(bad, scale / 2, scale)
        u[active] = u[active] + scale[:, None] * step
        active = active[promised > MODE_STOP]
        if not len(active):
            break
    return u


def _h(problem: Problem, linear: Array, further: tuple[Array, ...], a: Array, u: Array, rows: Whole) -> Array:
    eta = linear[rows] + np.einsum("nvq,nq->nv", a[rows], u)
    value = problem.family.density(problem.y[rows], eta, tuple(z[rows] for z in further), 1).value
    total = np.where(problem.mask[rows] > 0, value, 0.0).sum(axis=1) - 0.5 * (u**2).sum(axis=1)
    return np.asarray(total)


def _integrated(
    problem: Problem, linear: Array, further: tuple[Array, ...], a: Array, modes: Array, n_nodes: int
) -> Value:
    n, _, q = a.shape
    p, t, g = problem.sizes
    mask = problem.mask
    at = problem.family.density(problem.y, linear + np.einsum("nvq,nq->nv", a, modes), further, 3)
    assert at.second is not None
    assert at.third is not None
    first, second, third = at.first * mask, at.second * mask, at.third * mask
    H = np.eye(q) - np.einsum("nv,nvq,nvr->nqr", second, a, a)
    C = np.swapaxes(np.linalg.inv(np.linalg.cholesky(H)), 1, 2)  # H = L L', C = L⁻ᵀ
    log_det = np.log(np.diagonal(C, axis1=1, axis2=2)).sum(axis=1)

    # the integrand at its nodes
    z, log_w = nodes(n_nodes, q)
    u = modes[:, None, :] + np.einsum("nqr,kr->nkq", C, z)
    eta = linear[:, :, None] + np.einsum("nvq,nkq->nvk", a, u)
    node = problem.family.density(problem.y[:, :, None], eta, tuple(zeta[:, :, None] for zeta in further), 1)
    on = mask[:, :, None]
    h = np.where(on > 0, node.value, 0.0).sum(axis=1) - 0.5 * (u**2).sum(axis=2)
    terms = log_w + h + 0.5 * (z**2).sum(axis=1)
    top = terms.max(axis=1, keepdims=True)
    weights = np.exp(terms - top)
    total = weights.sum(axis=1, keepdims=True)
    each = log_det + (top + np.log(total))[:, 0]
    weights = weights / total

    # its score: Σ_k weight_k ∂h/∂ψ at the nodes, and what moves the nodes
    slope = node.first * on
    r = np.einsum("nvk,nk->nv", slope, weights)
    ru = np.einsum("nvk,nk,nkq->nvq", slope, weights, u)
    pull = np.einsum("nvk,nvq->nkq", slope, a) - u  # ∂h/∂u at the nodes
    A = np.einsum("nkq,nk->nq", pull, weights)
    B = np.einsum("nkq,nk,kr->nqr", pull, weights, z)
    direct = [np.einsum("nv,nvp->np", r, problem.X)]
    row, column = problem.free[:, 0], problem.free[:, 1]
    direct.append(np.einsum("nvt,nvt->nt", problem.Z[:, :, row], ru[:, :, column]))
    direct.append(_of_gamma(problem, tuple(np.einsum("nvk,nk->nv", own * on, weights) for own in node.own), g))

    # ∂²h/∂u∂ψ and ∂H/∂ψ at the mode
    of_eta = _of_theta(problem, modes)  # ∂η/∂θ, (n, V, t)
    mixed = np.zeros((n, q, p + t + g))
    moved = np.zeros((n, q, q, p + t + g))
    mixed[:, :, :p] = np.einsum("nv,nvq,nvp->nqp", second, a, problem.X)
    moved[:, :, :, :p] = -np.einsum("nv,nvq,nvr,nvp->nqrp", third, a, a, problem.X)
    mixed[:, :, p : p + t] = np.einsum("nv,nvq,nvt->nqt", second, a, of_eta)
    moved[:, :, :, p : p + t] = -np.einsum("nv,nvq,nvr,nvt->nqrt", third, a, a, of_eta)
    for m in range(t):  # a itself moves with θ: ∂a/∂θ_m is column `row` of Z in place `column`
        b = problem.Z[:, :, row[m]]
        mixed[:, column[m], p + m] += np.einsum("nv,nv->n", first, b)
        cross = np.einsum("nv,nv,nvq->nq", second, b, a)
        moved[:, column[m], :, p + m] -= cross
        moved[:, :, column[m], p + m] -= cross
    for W, place, own1, own2 in zip(problem.W, problem.tied, at.first_own, at.second_own, strict=True):
        mixed[:, :, p + t + place] += np.einsum("nv,nvq,nvs->nqs", own1 * mask, a, W)
        moved[:, :, :, p + t + place] -= np.einsum("nv,nvq,nvr,nvs->nqrs", own2 * mask, a, a, W)
    dmode = np.einsum("nqr,nsr,nsm->nqm", C, C, mixed)
    moved -= np.einsum("nv,nvq,nvr,nvs,nsm->nqrm", third, a, a, a, dmode, optimize=True)
    M = np.einsum("nqr,nqsm,nst->nrtm", C, moved, C, optimize=True)
    half = np.tril(np.ones((q, q))) - 0.5 * np.eye(q)
    trace = np.einsum("nrrm->nm", M)
    turned = np.einsum("nqr,nqt->nrt", C, B)  # C' B
    # dC = −C Φ(M)', so Σ_k weight_k (∂h/∂u)' dC z_k = −Σ_rt (C'B)_rt Φ(M)_tr
    scores = (
        np.concatenate(direct, axis=1)
        + np.einsum("nq,nqm->nm", A, dmode)
        - 0.5 * trace
        - np.einsum("nrt,ntrm,tr->nm", turned, M, half)
    )
    return Value(loglik=float(problem.counts @ each), scores=scores, modes=modes, spread=C, each=each)


def _of_theta(problem: Problem, u: Array) -> Array:
    """∂η/∂θ at u: column `row` of Z times u of `column`."""
    return np.asarray(problem.Z[:, :, problem.free[:, 0]] * u[:, None, problem.free[:, 1]])


def _of_gamma(problem: Problem, own: tuple[Array, ...], g: int) -> Array:
    """Scores of γ from those of the further predictors, (n, V) each."""
    scores = np.zeros((len(problem.y), g))
    for W, place, part in zip(problem.W, problem.tied, own, strict=True):
        scores[:, place] += np.einsum("nv,nvs->ns", part, W)
    return scores


# ---- the search ------------------------------------------------------------------------------------------------------


def maximize(
    problem: Problem, start: Array, n_nodes: int, *, penalty: Penalty | None = None, steps: int = STEPS
) -> Optimum:
    """Maximize the log-likelihood (plus a penalty) from `start`.

    First by the cross-products of the subjects' scores, then by the information itself; every step is halved until it
    gains, so the log-likelihood never falls.
    """
    value = likelihood(problem, start, n_nodes)
    psi, gain, converged, iterations = start.copy(), np.inf, False, 0
    extra, slope = penalty(psi) if penalty else (0.0, np.zeros(len(psi)))
    information: Array | None = None
    while iterations < steps:
        iterations += 1
        gradient = problem.counts @ value.scores + slope
        if gain > NEAR or information is None:
            rough = value.scores.T @ (problem.counts[:, None] * value.scores)
            step, promised = _step(rough, gradient)
            if promised <= NEAR * 10:
                information = _information(problem, psi, n_nodes, value, rough, penalty)
                step, promised = _step(information, gradient)
        else:
            information = _information(problem, psi, n_nodes, value, information, penalty)
            step, promised = _step(information, gradient)
        gain = promised
        converged = gain <= ARRIVED * (1 + abs(value.loglik))
        if converged and information is not None:
            break
        before = value.loglik + extra
        scale = 1.0
        for _ in range(40):
            tried = psi + scale * step
            if _is_allowed(problem, tried):
                new = likelihood(problem, tried, n_nodes, value.modes)
                more, turn = penalty(tried) if penalty else (0.0, slope)
                if np.isfinite(new.loglik) and new.loglik + more >= before - 1e-11 * (1 + abs(before)):
                    psi, value, extra, slope = tried, new, more, turn
                    break
            scale /= 2
        else:
            break
    if information is None:
        rough = value.scores.T @ (problem.counts[:, None] * value.scores)
        information = _information(problem, psi, n_nodes, value, rough, penalty)
    vcov, definite = _inverse(information)
    return Optimum(
        psi=psi,
        vcov=vcov,
        loglik=value.loglik,
        value=value,
        gain=float(gain),
        iterations=iterations,
        converged=bool(converged and definite),
    )


def _is_allowed(problem: Problem, psi: Array) -> bool:
    """Whether thresholds rise, where there are thresholds."""
    if problem.family.name != "ordinal":
        return True
    p, t, _ = problem.sizes
    return bool((np.diff(psi[p + t :]) > 0).all())


def _step(information: Array, gradient: Array) -> tuple[Array, float]:
    """The step information⁻¹ gradient, where necessary on a ridge, and half of what it promises to gain."""
    scale = np.sqrt(np.maximum(np.diagonal(information), 1e-300))
    scaled = information / np.outer(scale, scale)
    values, vectors = np.linalg.eigh(0.5 * (scaled + scaled.T))
    floor = 1e-7 * max(float(values.max()), 1e-300)
    turned = vectors.T @ (gradient / scale)
    step = vectors @ (turned / np.maximum(np.abs(values), floor)) / scale
    return step, float(0.5 * gradient @ step)


def _information(
    problem: Problem, psi: Array, n_nodes: int, value: Value, rough: Array, penalty: Penalty | None
) -> Array:
    """Minus the second derivatives, from central differences of the gradient."""
    widths = DIFFERENCE / np.sqrt(np.maximum(np.diagonal(rough), 1e-12))
    rows = []
    for k, width in enumerate(np.maximum(widths, 1e-7)):
        ends = []
        for sign in (1.0, -1.0):
            moved = psi.copy()
            moved[k] += sign * width
            there = problem.counts @ likelihood(problem, moved, n_nodes, value.modes).scores
            ends.append(there + (penalty(moved)[1] if penalty else 0.0))
        rows.append((ends[1] - ends[0]) / (2 * width))
    matrix = np.array(rows)
    return np.asarray(0.5 * (matrix + matrix.T))


def _inverse(information: Array) -> tuple[Array, bool]:
    scale = np.sqrt(np.maximum(np.abs(np.diagonal(information)), 1e-300))
    values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
    definite = bool(values.min() > 1e-9 * max(float(values.max()), 1e-300))
    inverse = vectors @ np.diag(1 / np.where(np.abs(values) > 1e-12, values, np.inf)) @ vectors.T
    return inverse / np.outer(scale, scale), definite
