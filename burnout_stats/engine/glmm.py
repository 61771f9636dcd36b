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

__all__ = ["Optimum", "Penalty", "Problem", "Value", "information", "likelihood", "maximize", "pooled"]

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

PIECE = 1 << 17
"""Places in a block that is computed at once: more do not stay near the processor."""
MODE_STEPS = 60
MODE_STOP = 1e-11
SURE = 1e-6
"""A step to a mode that promises less than this is taken without a look at what it gains."""
FLAT = 1e-2
"""The curvature of a subject's integrand below which it is called flat: that of a normal random effect alone is 1."""
FEW = 12
ROUGH = 40
STEPS = 80
"""Steps with cross-products alone, without the information, and altogether."""
LONGEST = 4.0
"""No parameter goes further in one step: columns should be of the size of 1."""
ARRIVED = 1e-13
"""The gain in log-likelihood that a last Newton step may still promise, as a part of 1 + |ℓ|."""
NEAR = 1e-10
"""From this promised gain on, steps use the information itself, found once."""
FAR = 0.5
"""While a step promises more than this, the next one uses the cross-products of the scores."""
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
    """The log-likelihood, the scores of each subject (n × parameters), the modes (n × q) with their C (n × q × q) and
    their derivatives in ψ (n × q × parameters), and each subject's own log-likelihood.
    """

    loglik: float
    scores: Array
    modes: Array
    spread: Array
    drift: Array
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


def likelihood(problem: Problem, psi: Array, n_nodes: int, near: tuple[Value, Array] | None = None) -> Value:
    """The log-likelihood at ψ, with the score of every subject; `near` is what is known at another ψ, from where the
    modes are predicted.

    Where ψ is so far out that numbers overflow, the log-likelihood is not finite, which a search refuses.
    """
    q, V = problem.Z.shape[2], problem.Z.shape[1]
    n = len(problem.y)
    start = np.zeros((n, q))
    if near is not None and q:
        known, at = near
        start = known.modes + known.drift @ (psi - at)
        start = np.where(np.isfinite(start), start, 0.0)
    size = max(64, PIECE // (V * n_nodes ** max(q, 1)))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        parts = [
            _likelihood(_part(problem, slice(first, first + size)), psi, n_nodes, start[first : first + size])
            for first in range(0, n, size)
        ]
    if len(parts) == 1:
        return parts[0]
    return Value(
        loglik=float(sum(part.loglik for part in parts)),
        scores=np.concatenate([part.scores for part in parts]),
        modes=np.concatenate([part.modes for part in parts]),
        spread=np.concatenate([part.spread for part in parts]),
        drift=np.concatenate([part.drift for part in parts]),
        each=np.concatenate([part.each for part in parts]),
    )


def _part(problem: Problem, rows: slice) -> Problem:
    return replace(
        problem,
        y=problem.y[rows],
        X=problem.X[rows],
        Z=problem.Z[rows],
        W=tuple(block[rows] for block in problem.W),
        fixed=tuple(block[rows] for block in problem.fixed),
        offset=problem.offset[rows],
        mask=problem.mask[rows],
        counts=problem.counts[rows],
    )


def _likelihood(problem: Problem, psi: Array, n_nodes: int, start: Array) -> Value:
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
    a = (problem.Z @ root) * problem.mask[..., None]  # (n, V, q)
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
        drift=np.zeros((n, 0, scores.shape[1])),
        each=each,
    )


def _modes(problem: Problem, linear: Array, further: tuple[Array, ...], a: Array, start: Array) -> Array:
    """û by Newton steps, each halved where it would lose; subjects that have arrived are left alone."""
    n, _, q = a.shape
    u = start.copy()
    active = np.arange(n)
    for _ in range(MODE_STEPS):
        whole = len(active) == n
        part, mask = (a, problem.mask) if whole else (a[active], problem.mask[active])
        zeta = further if whole else tuple(z[active] for z in further)
        at = u[active]
        eta = (linear if whole else linear[active]) + _times(part, at)
        found = problem.family.density(problem.y if whole else problem.y[active], eta, zeta, 3)
        assert found.second is not None
        gradient = np.einsum("nv,nvq->nq", found.first, part) - at
        H = _curvature(-found.second * mask, part)
        if (found.second > 0).any() or not np.isfinite(H).all():  # then at least the part of the normal density
            H = np.where(np.isfinite(H), H, 0.0)
            sunken = ~(np.linalg.eigvalsh(H)[:, 0] > FLAT)
            safe = np.clip(np.nan_to_num(-found.second), 0.0, 1e12) * mask
            H[sunken] = _curvature(safe, part)[sunken]
        H = H + 1e-12 * np.trace(H, axis1=1, axis2=2)[:, None, None] * np.eye(q)
        step = gradient / H[:, :, 0] if q == 1 else np.linalg.solve(H, gradient[..., None])[..., 0]
        promised = (gradient * step).sum(axis=1)
        lost = ~np.isfinite(promised)  # they stay where they are, and so the log-likelihood is not finite
        step[lost], promised[lost] = 0.0, 0.0
        scale = np.ones(len(active))
        if (promised > SURE).any():
            here = np.where(mask > 0, found.value, 0.0).sum(axis=1) - 0.5 * (at**2).sum(axis=1)
            for _ in range(30):
                tried = at + scale[:, None] * step
                value = _h(problem, linear, further, a, tried, active)
                bad = (promised > SURE) & ~(value >= here - 1e-12 * (1 + np.abs(here)))
                if not bad.any():
                    break
                scale = np.where(bad, scale / 2, scale)
        u[active] = at + scale[:, None] * step
        active = active[promised > MODE_STOP]
        if not len(active):
            break
    return u


def _curvature(weight: Array, a: Array) -> Array:
    """I + Σ_v weight_v a_v a_v', (n, q, q)."""
    return np.asarray(np.einsum("nvq,nvr->nqr", weight[..., None] * a, a) + np.eye(a.shape[2]))


def _times(a: Array, u: Array) -> Array:
    """a_v'u: (n, V, q) and (n, q) to (n, V)."""
    return a[:, :, 0] * u if a.shape[2] == 1 else np.asarray(np.einsum("nvq,nq->nv", a, u))


def _h(problem: Problem, linear: Array, further: tuple[Array, ...], a: Array, u: Array, rows: Whole) -> Array:
    eta = linear[rows] + _times(a[rows], u)
    value = problem.family.density(problem.y[rows], eta, tuple(z[rows] for z in further), 1).value
    total = np.where(problem.mask[rows] > 0, value, 0.0).sum(axis=1) - 0.5 * (u**2).sum(axis=1)
    return np.asarray(total)


def _integrated(
    problem: Problem, linear: Array, further: tuple[Array, ...], a: Array, modes: Array, n_nodes: int
) -> Value:
    n, _, q = a.shape
    p, t, g = problem.sizes
    mask = problem.mask
    at = problem.family.density(problem.y, linear + _times(a, modes), further, 3)
    assert at.second is not None
    assert at.third is not None
    first, second, third = at.first * mask, at.second * mask, at.third * mask
    curved, C = _inverse_root(_curvature(-second, a))
    log_det = np.log(np.diagonal(C, axis1=1, axis2=2)).sum(axis=1)

    # the integrand at its nodes, (V, n, K)
    z, log_w = nodes(n_nodes, q)
    u = modes[:, None, :] + np.einsum("nqr,kr->nkq", C, z)
    linear_at, zeta_at = linear.T[:, :, None], tuple(zeta.T[:, :, None] for zeta in further)
    eta = linear_at + np.einsum("nvq,nkq->vnk", a, u)
    node = problem.family.density(problem.y.T[:, :, None], eta, zeta_at, 1)
    h = np.einsum("vnk,nv->nk", node.value, mask) - 0.5 * (u**2).sum(axis=2)
    terms = log_w + h + 0.5 * (z**2).sum(axis=1)
    top = terms.max(axis=1, keepdims=True)
    weights = np.exp(terms - top)
    total = weights.sum(axis=1, keepdims=True)
    each = log_det + (top + np.log(total))[:, 0]
    weights = weights / total

    # its score: Σ_k weight_k ∂h/∂ψ at the nodes, and what moves the nodes
    r = np.einsum("vnk,nk->nv", node.first, weights) * mask
    ru = np.einsum("vnk,nkq->nvq", node.first, weights[..., None] * u) * mask[..., None]
    pull = np.einsum("vnk,nvq->nkq", node.first, a) - u  # ∂h/∂u at the nodes
    pull *= weights[..., None]
    A = pull.sum(axis=1)
    B = np.einsum("nkq,kr->nqr", pull, z)
    row, column = problem.free[:, 0], problem.free[:, 1]
    own = tuple(np.einsum("vnk,nk->nv", part, weights) * mask for part in node.own)
    direct = [
        np.einsum("nv,nvp->np", r, problem.X),
        np.einsum("nvt,nvt->nt", problem.Z[:, :, row], ru[:, :, column]),
        _of_gamma(problem, own, g),
    ]

    # ∂²h/∂u∂ψ and ∂H/∂ψ at the mode
    of_eta = np.concatenate([problem.X, _of_theta(problem, modes)], axis=2)  # ∂η/∂(β, θ), (n, V, p + t)
    mixed, moved = np.zeros((n, q, p + t + g)), np.zeros((n, q, q, p + t + g))
    pairs = a[:, :, :, None] * a[:, :, None, :]  # (n, V, q, q)
    third_pairs = third[..., None, None] * pairs
    second_a = second[..., None] * a
    mixed[:, :, : p + t] = np.einsum("nvq,nvm->nqm", second_a, of_eta)
    moved[:, :, :, : p + t] = -np.einsum("nvqr,nvm->nqrm", third_pairs, of_eta)
    for m in range(t):  # a itself moves with θ: ∂a/∂θ_m is column `row` of Z in place `column`
        b = problem.Z[:, :, row[m]]
        mixed[:, column[m], p + m] += (first * b).sum(axis=1)
        cross = np.einsum("nv,nvq->nq", b, second_a)
        moved[:, column[m], :, p + m] -= cross
        moved[:, :, column[m], p + m] -= cross
    for W, place, own1, own2 in zip(problem.W, problem.tied, at.first_own, at.second_own, strict=True):
        mixed[:, :, p + t + place] += np.einsum("nvq,nvs->nqs", own1[..., None] * a, W)
        moved[:, :, :, p + t + place] -= np.einsum("nvqr,nvs->nqrs", (own2 * mask)[..., None, None] * pairs, W)
    inverse = np.einsum("nqr,nsr->nqs", C, C)
    dmode = np.einsum("nqs,nsm->nqm", inverse, mixed)
    moved -= np.einsum("nqrs,nsm->nqrm", np.einsum("nvqr,nvs->nqrs", third_pairs, a), dmode)
    if not curved.all():  # their C is fixed
        moved[~curved] = 0.0
    # dC = −C Φ(M)' with M = C' dH C, so Σ_k weight_k (∂h/∂u)' dC z_k = −Σ_rt (C'B)_rt Φ(M)_tr, and d log|C| = −tr M / 2
    half = np.tril(np.ones((q, q))) - 0.5 * np.eye(q)
    turned = np.einsum("nqr,nqt->ntr", C, B) * half + 0.5 * np.eye(q)  # what M is weighted with
    pulled = np.einsum("nqt,ntr,nsr->nqs", C, turned, C, optimize=True)
    scores = (
        np.concatenate(direct, axis=1) + np.einsum("nq,nqm->nm", A, dmode) - np.einsum("nqs,nqsm->nm", pulled, moved)
    )
    return Value(loglik=float(problem.counts @ each), scores=scores, modes=modes, spread=C, drift=dmode, each=each)


def _inverse_root(H: Array) -> tuple[NDArray[np.bool_], Array]:
    """C with C C' = H⁻¹, upper triangular, and where H is positive definite; elsewhere C = I (densities that are not
    log-concave, such as those with extra zeros, can bend the other way at their mode).
    """
    q = H.shape[1]
    if q == 1:
        curved = np.asarray(H[:, 0, 0] > FLAT)
        return curved, np.where(curved, 1 / np.sqrt(np.where(curved, H[:, 0, 0], 1.0)), 1.0)[:, None, None]
    finite = np.asarray(np.isfinite(H).all(axis=(1, 2)))
    H = np.where(finite[:, None, None], H, np.eye(q))
    values = np.linalg.eigvalsh(H)
    curved = np.asarray(finite & (values[:, 0] > np.maximum(FLAT, 1e-12 * values[:, -1])))
    H = np.where(curved[:, None, None], H, np.eye(q))
    return curved, np.swapaxes(np.linalg.inv(np.linalg.cholesky(H)), 1, 2)  # H = L L', C = L⁻ᵀ


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

    The first steps use the cross-products of the subjects' scores, then these with secant updates; the last ones use
    the information itself. Every step is halved until it gains, so what is maximized never falls.
    """
    here = _Place.at(problem, start, n_nodes, penalty)
    matrix, gain, iterations = here.cross_products(problem), np.inf, 0
    while iterations < ROUGH and np.isfinite(here.value.loglik):
        iterations += 1
        step, gain = _step(matrix, here.gradient)
        if gain <= NEAR:
            break
        there = _improved(problem, here, step, n_nodes, penalty)
        if there is None:
            break
        matrix = there.cross_products(problem) if gain > FAR and iterations < FEW else _secant(matrix, here, there)
        here = there
    information, converged, definite, vcov = matrix, False, False, matrix
    fresh, polished = False, False
    while iterations < steps and np.isfinite(here.value.loglik):
        iterations += 1
        if not fresh:
            information = _information(problem, here, n_nodes, matrix, penalty)
            vcov, definite = _inverse(information)
        step, gain = _step(information, here.gradient)
        converged = gain <= ARRIVED * (1 + abs(here.value.loglik))
        if converged and (gain <= 0 or iterations >= steps or polished):
            break
        polished = converged  # the last step costs one evaluation, and gains half of the digits
        fresh = definite and gain <= NEAR  # one matrix serves for what is left
        there = _improved(problem, here, step, n_nodes, penalty)
        if there is None:
            break
        here = there
    return Optimum(
        psi=here.psi,
        vcov=vcov,
        loglik=here.value.loglik,
        value=here.value,
        gain=float(gain),
        iterations=iterations,
        converged=bool(converged and definite),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """ψ with the likelihood, what is maximized (with the penalty) and its gradient."""

    psi: Array
    value: Value
    total: float
    gradient: Array

    @staticmethod
    def at(problem: Problem, psi: Array, n_nodes: int, penalty: Penalty | None, near: _Place | None = None) -> _Place:
        value = likelihood(problem, psi, n_nodes, None if near is None else (near.value, near.psi))
        more, slope = penalty(psi) if penalty else (0.0, np.zeros(len(psi)))
        with np.errstate(invalid="ignore", over="ignore"):
            return _Place(psi, value, value.loglik + more, problem.counts @ value.scores + slope)

    def cross_products(self, problem: Problem) -> Array:
        """Σ_i of the outer products of the scores."""
        return np.asarray(self.value.scores.T @ (problem.counts[:, None] * self.value.scores))


def _improved(problem: Problem, here: _Place, step: Array, n_nodes: int, penalty: Penalty | None) -> _Place | None:
    """The first of ψ + step, ψ + step / 2, ... that does not lose."""
    scale = min(1.0, LONGEST / max(float(np.abs(step).max()), 1e-300))
    for _ in range(30):
        tried = here.psi + scale * step
        if _is_allowed(problem, tried):
            there = _Place.at(problem, tried, n_nodes, penalty, here)
            if there.total >= here.total - 1e-11 * (1 + abs(here.total)) and np.isfinite(there.gradient).all():
                return there
        scale /= 2
    return None


def _secant(matrix: Array, here: _Place, there: _Place) -> Array:
    """The update of Broyden, Fletcher, Goldfarb and Shanno of minus the second derivatives."""
    s, turn = there.psi - here.psi, here.gradient - there.gradient
    along, bent = float(s @ turn), matrix @ s
    if along <= 1e-10 * float(np.linalg.norm(s) * np.linalg.norm(turn)):
        return matrix
    return np.asarray(matrix - np.outer(bent, bent) / float(s @ bent) + np.outer(turn, turn) / along)


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
    if not np.isfinite(scaled).all():
        return np.zeros_like(gradient), np.inf
    values, vectors = np.linalg.eigh(0.5 * (scaled + scaled.T))
    floor = 1e-7 * max(float(values.max()), 1e-300)
    turned = vectors.T @ (gradient / scale)
    step = vectors @ (turned / np.maximum(np.abs(values), floor)) / scale
    return step, float(0.5 * gradient @ step)


def information(problem: Problem, psi: Array, n_nodes: int) -> Array:
    """Minus the second derivatives of the log-likelihood."""
    here = _Place.at(problem, psi, n_nodes, None)
    return _information(problem, here, n_nodes, here.cross_products(problem), None)


def _information(problem: Problem, here: _Place, n_nodes: int, rough: Array, penalty: Penalty | None) -> Array:
    """Minus the second derivatives, from central differences of the gradient."""
    widths = np.maximum(DIFFERENCE / np.sqrt(np.maximum(np.diagonal(rough), 1e-12)), 1e-7)
    rows = []
    for k, width in enumerate(np.minimum(widths, 0.01 * (1 + np.abs(here.psi)))):
        ends = []
        for sign in (1.0, -1.0):
            moved = here.psi.copy()
            moved[k] += sign * width
            ends.append(_Place.at(problem, moved, n_nodes, penalty, here).gradient)
        rows.append((ends[1] - ends[0]) / (2 * width))
    matrix = np.array(rows)
    return np.asarray(0.5 * (matrix + matrix.T))


def _inverse(information: Array) -> tuple[Array, bool]:
    if not np.isfinite(information).all():
        return np.full(information.shape, np.nan), False
    scale = np.sqrt(np.maximum(np.abs(np.diagonal(information)), 1e-300))
    values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
    definite = bool(values.min() > 1e-9 * max(float(values.max()), 1e-300))
    inverse = vectors @ np.diag(1 / np.where(np.abs(values) > 1e-12, values, np.inf)) @ vectors.T
    return inverse / np.outer(scale, scale), definite
