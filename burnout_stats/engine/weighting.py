"""Inverse probabilities of being seen, and what is estimated with them; many weightings of the subjects at once.

Whether subject i was seen is modeled by parts, each a logistic regression among those at risk with probabilities p_ik =
expit(x_ik'α_k). The probability of being seen at visit v is the product of the parts that lead there, π_iv = Π_k p_ik:
one part where each visit has its own model, all parts up to v where being seen means having been seen ever since. With
s_v the share that was seen, the stabilized weight of a score that was seen is w_iv = s_v / π_iv, held between two of
its quantiles.

*Weighted equations.* β̂ solves Σ_i Σ_v w_iv x_iv (y_iv − x_iv'β) = 0. Stacked on the scores of α and on those of s, its
estimating function becomes, with U_i = Σ_v w_iv x_iv e_iv, S_ik the score and I_k the information of part k,

    U_i* = U_i + Σ_k (∂U/∂α_k) I_k⁻¹ S_ik + Σ_v (∂U/∂s_v) (r_iv − s_v) / n,   ∂ log w_iv / ∂α_k = −(1 − p_ik) x_ik
    Var β̂ = A⁻¹ (Σ_i U_i* U_i*') A⁻¹,   A = Σ_i Σ_v w_iv x_iv x_iv'

Without the last two terms of U* it takes the weights as known, as programs for generalized estimating equations do. The
limits of the truncation are taken as fixed.

*Augmented mean.* With m_iv = z_i'γ_v a regression among those seen, μ̂_v = Σ_i { m_iv + r_iv / π_iv (y_iv − m_iv) } / n,
which is right if either model is. Its variance comes from the same stack, with γ in it, and so is right then too.

**Source**: Robins, Rotnitzky & Zhao 1995, JASA 90:106 (weighted equations with estimated weights); Stefanski & Boos
2002, Am Stat 56:29 (stacked estimating equations); Cole & Hernán 2008, Am J Epidemiol 168:656 (stabilized and truncated
weights); Bang & Robins 2005, Biometrics 61:962, and Seaman & Vansteelandt 2018, Stat Sci 33:184 (augmented means);
Shook-Sa et al. 2025, Biometrics 81:ujaf054 (the stacked variance is doubly robust, that of the influence function alone
is not); Kish 1965, Survey Sampling (effective sample size).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = [
    "Part",
    "Response",
    "Weighting",
    "augmented_means",
    "augmented_replicates",
    "effective_size",
    "logistic_batch",
    "weigh",
    "weighted_equations",
    "weighted_replicates",
]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
STEPS = 15
"""Newton arrives in fewer; where the data are separated every step goes on for ever."""
STOP = 1e-10
HALVINGS = 10
LOST = 1e-10
"""Smallest eigenvalue of an information, as part of the largest, at which a replicate has no answer."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """A logistic regression: columns X (n, p) that are independent among those `at_risk` (n,), and who was `seen`
    (n,).
    """

    X: Array
    seen: Bools
    at_risk: Bools


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Response:
    """How being seen came about: `parts`, which of them lead to each visit, `leads` (V, K), and the scores that are
    weighted, `seen` (n, V).
    """

    parts: tuple[Part, ...]
    leads: Bools
    seen: Bools


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weighting:
    """R weightings.

    Attributes
    ----------
    weights : (R, n, V) array
        Stabilized and truncated; of those not seen, and where Newton did not arrive, it has no meaning.
    probability : (R, n, V) array
        Of being seen.
    share : (R, V) array
        That was seen.
    is_cut : (R, n, V) bool array
        Which weights stand at a limit.
    alpha : for each part, coefficients (R, p)
    converged : (R,) bool array
    """

    weights: Array
    probability: Array
    share: Array
    is_cut: Bools
    alpha: tuple[Array, ...]
    converged: Bools


def logistic_batch(X: Array, y: Array, counts: Array, start: Array | None = None) -> tuple[Array, Bools]:
    """Logistic regressions of y (n,) on X (n, p) for R rows of counts (R, n): coefficients (R, p), and whether Newton
    arrived. Where it cannot (the data are separated, a column is lost), the replicate is marked.

    >>> y = np.array([1.0, 1.0, 1.0, 0.0])
    >>> beta, converged = logistic_batch(np.ones((4, 1)), y, np.array([[1.0, 1, 1, 1], [1, 1, 1, 0]]))
    >>> float(np.exp(beta[0, 0]).round(6)), converged.tolist()
    (3.0, [True, False])
    """
    Q, R = np.linalg.qr(X)
    p = X.shape[1]
    products = (Q[:, :, None] * Q[:, None, :]).reshape(len(Q), p * p)
    beta = np.zeros((len(counts), p)) if start is None else np.tile(R @ start, (len(counts), 1))
    converged = np.zeros(len(counts), dtype=bool)
    lost = np.zeros(len(counts), dtype=bool)
    for _ in range(STEPS):
        go = np.flatnonzero(~converged & ~lost)
        if not len(go):
            break
        at, c = beta[go], counts[go]
        mean = expit(at @ Q.T)
        information = ((c * mean * (1 - mean)) @ products).reshape(-1, p, p)
        bad = _singular(information)
        lost[go[bad]] = True
        go, at, c, mean, information = go[~bad], at[~bad], c[~bad], mean[~bad], information[~bad]
        score = (c * (y - mean)) @ Q
        step = np.linalg.solve(information, score[..., None])[..., 0]
        before = _loglik(at, Q, y, c)
        gain = (score * step).sum(1)
        done = gain <= STOP * (1 + np.abs(before))
        for _ in range(HALVINGS):
            worse = ~done & (_loglik(at + step, Q, y, c) < before)
            if not worse.any():
                break
            step[worse] /= 2
        beta[go] = at + step
        converged[go] = done
    beta[~converged] = np.nan
    return np.linalg.solve(R, beta.T).T, converged


def weigh(
    response: Response, counts: Array, *, limits: tuple[float, float] | None, start: Weighting | None = None
) -> Weighting:
    """The weights for R rows of counts (R, n); `limits` are the quantiles of the weights, among the scores of a visit,
    at which they are cut (inverse of the empirical distribution).
    """
    n, V = response.seen.shape
    alpha, converged, log_p = [], np.ones(len(counts), dtype=bool), []
    for k, part in enumerate(response.parts):
        own = part.at_risk
        found, arrived = logistic_batch(
            part.X[own], part.seen[own].astype(float), counts[:, own], None if start is None else start.alpha[k][0]
        )
        alpha.append(found)
        converged &= arrived
        eta = np.where(arrived[:, None], found, 0.0) @ np.where(own[:, None], part.X, 0.0).T
        log_p.append(np.where(own, -np.logaddexp(0.0, -eta), 0.0))
    stacked = np.stack(log_p, axis=-1) if log_p else np.zeros((len(counts), n, 0))
    probability = np.exp(stacked @ response.leads.T.astype(float))
    total = counts.sum(1)
    share = np.einsum("rn,nv->rv", counts, response.seen.astype(float)) / total[:, None]
    weights = share[:, None, :] / probability
    is_cut = np.zeros(weights.shape, dtype=bool)
    if limits is not None:
        for v in range(V):
            counted = counts * response.seen[:, v]
            low, high = (_quantile(weights[..., v], counted, q) for q in limits)
            is_cut[..., v] = (weights[..., v] < low) | (weights[..., v] > high)
            weights[..., v] = np.clip(weights[..., v], low, high)
    return Weighting(
        weights=weights,
        probability=probability,
        share=share,
        is_cut=is_cut,
        alpha=tuple(alpha),
        converged=converged,
    )


def effective_size(weights: Array) -> float:
    """(Σ w)² / Σ w²: how many equally weighted scores would tell as much.

    >>> effective_size(np.array([1.0, 1.0, 2.0])).__round__(3)
    2.667
    """
    return float(weights.sum() ** 2 / (weights**2).sum())


def weighted_equations(
    X: Array,
    y: Array,
    subject: NDArray[np.integer],
    visit: NDArray[np.integer],
    response: Response,
    weighting: Weighting,
    *,
    known: bool = False,
) -> tuple[Array, Array]:
    """β̂ (p,) and its covariance for rows X (N, p), y (N,) of subjects and visits, under the first of the weightings;
    with `known` the weights are taken as known. The columns of X are independent.
    """
    w = weighting.weights[0][subject, visit]
    gram = X.T @ (X * w[:, None])
    beta = np.linalg.solve(gram, X.T @ (w * y))
    scores = X * (w * (y - X @ beta))[:, None]
    n = len(response.seen)
    U = np.zeros((n, X.shape[1]))
    np.add.at(U, subject, scores)
    if not known:
        free = ~weighting.is_cut[0][subject, visit]
        for k, part in enumerate(response.parts):
            p = _fitted(part, weighting.alpha[k][0])
            here = free & response.leads[visit, k]
            of_row = part.X[subject[here]] * (1 - p[subject[here]])[:, None]
            U -= _influence(part, p) @ (scores[here].T @ of_row).T
        for v in range(response.seen.shape[1]):
            slope = scores[free & (visit == v)].sum(0) / weighting.share[0, v]
            U += np.outer(response.seen[:, v] - weighting.share[0, v], slope) / n
    bread = np.linalg.inv(gram)
    return beta, bread @ (U.T @ U) @ bread


def weighted_replicates(
    X: Array, y: Array, subject: NDArray[np.integer], visit: NDArray[np.integer], counts: Array, weighting: Weighting
) -> tuple[Array, Bools]:
    """β̂ (R, p) for every row of counts (R, n), and whether it exists."""
    p = X.shape[1]
    w = np.where(weighting.converged[:, None], weighting.weights[:, subject, visit], 0.0) * counts[:, subject]
    gram = (w @ (X[:, :, None] * X[:, None, :]).reshape(len(X), p * p)).reshape(-1, p, p)
    known = ~_singular(gram)
    beta = np.full((len(counts), p), np.nan)
    beta[known] = np.linalg.solve(gram[known], (w[known] @ (X * y[:, None]))[..., None])[..., 0]
    return beta, known


def augmented_means(
    Z: Array, Y: Array, response: Response, weighting: Weighting, *, known: bool = False
) -> tuple[Array, Array]:
    """μ̂ (V,) and its covariance, from regressions of the scores Y (n, V) on Z (n, q) among those seen at each visit;
    with `known` the variance is that of the influence function of known models.
    """
    n, V = Y.shape
    mu, influence = np.empty(V), np.empty((n, V))
    for v in range(V):
        r = response.seen[:, v]
        a = np.where(r, weighting.weights[0, :, v] / weighting.share[0, v], 0.0)
        gram = Z[r].T @ Z[r]
        gamma = np.linalg.solve(gram, Z[r].T @ Y[r, v])
        m = Z @ gamma
        e = np.where(r, np.where(r, Y[:, v], 0.0) - m, 0.0)
        pseudo = m + a * e
        mu[v] = pseudo.mean()
        influence[:, v] = pseudo - mu[v]
        if known:
            continue
        influence[:, v] += (Z * e[:, None]) @ np.linalg.solve(gram, (1 - a) @ Z)
        free = ~weighting.is_cut[0, :, v]
        for k in np.flatnonzero(response.leads[v]):
            part = response.parts[k]
            p = _fitted(part, weighting.alpha[k][0])
            influence[:, v] -= _influence(part, p) @ (part.X.T @ (free * a * e * (1 - p)))
    return mu, influence.T @ influence / n**2


def augmented_replicates(
    Z: Array, Y: Array, response: Response, counts: Array, weighting: Weighting
) -> tuple[Array, Bools]:
    """μ̂ (R, V) for every row of counts (R, n), and whether it exists."""
    n, V = Y.shape
    q = Z.shape[1]
    products = (Z[:, :, None] * Z[:, None, :]).reshape(n, q * q)
    mu, known = np.full((len(counts), V), np.nan), weighting.converged.copy()
    total = counts.sum(1)
    for v in range(V):
        r = response.seen[:, v].astype(float)
        y = np.where(response.seen[:, v], Y[:, v], 0.0)
        gram = ((counts * r) @ products).reshape(-1, q, q)
        known &= ~_singular(gram)
        gamma = np.linalg.solve(gram[known], ((counts[known] * (r * y)) @ Z)[..., None])[..., 0]
        m = gamma @ Z.T
        a = r * weighting.weights[known][..., v] / weighting.share[known][:, v, None]
        mu[known, v] = (counts[known] * (m + a * (y - m))).sum(1) / total[known]
    return mu, known


def _fitted(part: Part, alpha: Array) -> Array:
    """p (n,); 1 for those not at risk, whose weight this part does not change."""
    return np.where(part.at_risk, expit(np.where(part.at_risk[:, None], part.X, 0.0) @ alpha), 1.0)


def _influence(part: Part, p: Array) -> Array:
    """I⁻¹ S_i for every subject, (n, p)."""
    X = np.where(part.at_risk[:, None], part.X, 0.0)
    information = X.T @ (X * (p * (1 - p))[:, None])
    return np.asarray(np.linalg.solve(information, (X * (part.seen - p)[:, None]).T).T)


def _quantile(values: Array, counts: Array, q: float) -> Array:
    """The smallest value (R, 1) up to which at least the share q of the counts lies."""
    order = np.argsort(values, axis=1)
    reached = np.cumsum(np.take_along_axis(counts, order, 1), 1)
    place = np.argmax(reached >= q * reached[:, -1:] - 1e-9, axis=1)
    return np.take_along_axis(np.take_along_axis(values, order, 1), place[:, None], 1)


def _singular(gram: Array) -> Bools:
    values = np.linalg.eigvalsh(gram)
    return np.asarray(~(values[:, 0] > LOST * np.maximum(values[:, -1], 1e-300)))


def _loglik(beta: Array, X: Array, y: Array, counts: Array) -> Array:
    eta = beta @ X.T
    return np.asarray((counts * (y * eta - np.logaddexp(0.0, eta))).sum(1))
