"""The search for the optimum of a generalized mixed model: where it starts, and what lies at an edge.

At an edge a parameter has run as far as it can: the variance of a random effect to 0, a correlation to ±1, the size of
a negative binomial to infinity (Poisson), a share of extra zeros to 0. The simpler model is then fitted by itself, and
verified: a small step back into the larger model does not gain. Parameters at the edge leave the information matrix.

**Source**: Self & Liang 1987, JASA 82:605, section 2, for what an optimum at the edge is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from ..engine.families import FAMILIES, Family, truncated, zero_inflated
from ..engine.glmm import Optimum, Penalty, Problem, likelihood, maximize
from ..engine.soft_penalty import soft_covariance, soft_penalty

__all__ = ["Found", "in_columns", "search", "standardized", "without_random"]

Array = NDArray[np.float64]
Blocks = tuple[tuple[int, ...], ...]
SAME = 1e-6
"""A log-likelihood that the simpler model lacks by less than this part of 1 + |ℓ| is the same."""
SUSPECT = 0.1
"""A standard deviation on the scale of the link, below which the model without it is tried."""
BACK = 0.05
"""The standard deviation of the step back from an edge."""
FAR = {"log_size": 6.0, "zero_inflation": -5.0}
"""Beyond these, the model without the parameter is tried."""
NEAR_EDGE = {"log_size": 9.0, "zero_inflation": -9.0}
"""Where the step back from an edge ends."""
EDGES = {
    "log_size": "the counts vary no more than a Poisson distribution says (the size is infinite)",
    "zero_inflation": "there are no extra zeros (their share is 0)",
}
SCALES = (1.0, 0.3, 2.5)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """The best optimum, its problem (without what is at an edge), what is at an edge in words, and whether the edge was
    verified.
    """

    optimum: Optimum
    problem: Problem
    edges: tuple[str, ...] = ()
    verified: bool = True


def standardized(problem: Problem) -> tuple[Problem, Array]:
    """The problem with columns of X that are uncorrelated and of size 1, and A: (β, γ) = A (β̃, γ̃).

    With ordered categories, columns are centered too, and the thresholds moved.
    """
    p, _, g = problem.sizes
    on = problem.mask > 0
    weight = np.broadcast_to(problem.counts[:, None], on.shape)[on]
    X = problem.X[on]
    ordinal = problem.family.name == "ordinal"
    center = weight @ X / weight.sum() if ordinal else np.zeros(p)
    size = np.maximum(np.sqrt(weight @ (X - center) ** 2 / weight.sum()), 1e-300)
    R = np.linalg.qr(np.sqrt(weight / weight.sum())[:, None] * (X - center) / size, mode="r")
    T = np.linalg.inv(R) / size[:, None]
    A = np.eye(p + g)
    A[:p, :p] = T
    if ordinal:
        A[p:, :p] = center @ T
    return replace(problem, X=((problem.X - center) * problem.mask[..., None]) @ T), A


def in_columns(found: Found, A: Array) -> Optimum:
    """The optimum in the coordinates of the columns that were given; verified only if the edges are."""
    optimum, problem = found.optimum, found.problem
    p, t, g = problem.sizes
    whole = np.eye(p + t + g)
    rows = np.r_[np.arange(p), p + t + np.arange(g)]
    whole[np.ix_(rows, rows)] = A[: p + g, : p + g]
    inverse = np.linalg.inv(whole)
    value = replace(optimum.value, scores=optimum.value.scores @ inverse, drift=optimum.value.drift @ inverse)
    return replace(
        optimum,
        psi=whole @ optimum.psi,
        vcov=whole @ optimum.vcov @ whole.T,
        value=value,
        converged=optimum.converged and found.verified,
    )


def without_random(problem: Problem, penalty: bool) -> Optimum:
    """The optimum of the model without random effects."""
    plain = problem.without_random()
    return maximize(plain, _start(plain), 1, penalty=soft_penalty(plain) if penalty else None)


def search(
    problem: Problem, blocks: Blocks, names: Sequence[str], n_nodes: int, plain: Optimum, *, penalty: bool
) -> Found:
    """The best of searches from several sizes of the random effects, with the edges looked at.

    `blocks` are the random effects that may correlate, `names` those of the random effects; `plain` is the optimum
    without random effects.
    """
    size = _sizes(problem)
    added: Penalty | None = soft_penalty(problem) if penalty else None
    best = _from_scales(problem, plain, size, n_nodes, added)
    if penalty:
        vcov, definite = soft_covariance(problem, best, n_nodes)
        return Found(optimum=replace(best, vcov=vcov, converged=best.converged and definite), problem=problem)
    for place, name in enumerate(problem.family.further):
        if name not in FAR:
            continue
        at = float(best.psi[len(best.psi) - len(problem.family.further) + place])
        if (at > FAR[name]) if FAR[name] > 0 else (at < FAR[name]):
            simpler = _without_parameter(problem, place)
            ended = search(simpler, blocks, names, n_nodes, without_random(simpler, penalty=False), penalty=False)
            if ended.optimum.loglik >= best.loglik - _slack(best):
                verified = ended.verified and _is_edge(problem, ended, n_nodes)
                return replace(ended, edges=(*ended.edges, EDGES[name]), verified=verified)
    return _at_edges_of_covariance(problem, blocks, names, n_nodes, plain, best, size)


def _slack(optimum: Optimum) -> float:
    return SAME * (1 + 1e-3 * abs(optimum.loglik))


def _sizes(problem: Problem) -> Array:
    """The root mean square of each column of Z."""
    on = problem.mask[..., None]
    weight = problem.counts[:, None, None] * on
    return np.asarray(np.sqrt((problem.Z**2 * weight).sum(axis=(0, 1)) / max(float(weight.sum()), 1.0)))


def _start(problem: Problem) -> Array:
    """β = 0 but for the intercept, and further predictors from the shares or counts that were seen."""
    p, t, g = problem.sizes
    on = problem.mask > 0
    y, counts = problem.y[on], np.broadcast_to(problem.counts[:, None], on.shape)[on]
    beta, gamma = np.zeros(p), np.zeros(g)
    mean = float(counts @ y / counts.sum())
    if problem.family.name == "ordinal":
        shares = np.cumsum([counts[y == k].sum() for k in range(g)]) / counts.sum()
        return np.concatenate([beta, np.zeros(t), np.asarray(logit(shares))])
    level = float(logit(np.clip(mean, 0.01, 0.99))) if problem.family.name == "binomial" else float(np.log(mean))
    X = problem.X[on]
    beta = np.asarray(
        np.linalg.lstsq(X * np.sqrt(counts)[:, None], np.sqrt(counts) * level, rcond=None)[0], dtype=float
    )
    for k, name in enumerate(problem.family.further):
        if name == "zero_inflation":
            gamma[k] = float(logit(np.clip((y == 0).mean() / 2, 0.02, 0.9)))
    return np.concatenate([beta, np.zeros(t), gamma])


def _from_scales(problem: Problem, plain: Optimum, size: Array, n_nodes: int, penalty: Penalty | None) -> Optimum:
    p, _, g = problem.sizes
    gamma = plain.psi[len(plain.psi) - g :] if g else plain.psi[:0]
    if problem.family.name != "ordinal":
        gamma = np.clip(gamma, -3.0, 3.0)
    best: Optimum | None = None
    several = problem.Z.shape[2] > 1 or bool(problem.family.further)
    for tried, scale in enumerate(SCALES):
        diagonal = [scale / max(float(size[i]), 1e-8) if i == j else 0.0 for i, j in problem.free]
        found = maximize(problem, np.concatenate([plain.psi[:p], diagonal, gamma]), n_nodes, penalty=penalty)
        if best is None or _is_better(found, best):
            best = found
        if best.converged and tried >= several:
            break
    assert best is not None
    return best


def _is_better(new: Optimum, old: Optimum) -> bool:
    if not np.isfinite(old.loglik):
        return bool(np.isfinite(new.loglik))
    if new.converged != old.converged and abs(new.loglik - old.loglik) < _slack(old):
        return new.converged
    return new.loglik > old.loglik + 1e-9


def _without_parameter(problem: Problem, place: int) -> Problem:
    """The problem without a further predictor."""
    names = [name for k, name in enumerate(problem.family.further) if k != place]
    inflated = "zero_inflation" in names
    plain = FAMILIES["negative_binomial/log" if "log_size" in names else "poisson/log"]
    family: Family = zero_inflated(plain) if inflated else plain
    if problem.family.name.startswith("truncated"):
        family = truncated(plain)
    keep = [k for k in range(len(problem.W)) if k != place]
    return replace(
        problem,
        family=family,
        W=tuple(problem.W[k] for k in keep),
        tied=tuple(np.array([k]) for k, _ in enumerate(keep)),
        fixed=tuple(problem.fixed[k] for k in keep),
    )


def _is_edge(problem: Problem, ended: Found, n_nodes: int) -> bool:
    """Whether a small step back into the model with what was left out does not gain."""
    left = ended.problem.family.further
    before = len(ended.optimum.psi) - len(left)
    known = dict(zip(left, ended.optimum.psi[before:], strict=True))
    gamma = [known.get(name, NEAR_EDGE.get(name, 0.0)) for name in problem.family.further]
    larger = replace(problem, Z=ended.problem.Z, free=ended.problem.free)
    there = likelihood(larger, np.concatenate([ended.optimum.psi[:before], gamma]), n_nodes)
    return bool(there.loglik <= ended.optimum.loglik + _slack(ended.optimum))


# ---- the covariance of the random effects ----------------------------------------------------------------------------


def _at_edges_of_covariance(
    problem: Problem,
    blocks: Blocks,
    names: Sequence[str],
    n_nodes: int,
    plain: Optimum,
    best: Optimum,
    size: Array,
) -> Found:
    """The optimum with as few directions of random effects as the data ask for."""
    p = problem.sizes[0]
    ranks = [len(block) for block in blocks]
    verified = True
    while sum(ranks):
        theta = best.psi[p : p + len(problem.free)]
        root = _root(problem, theta) * size[:, None]
        spread = [np.linalg.svd(root[list(block)], compute_uv=False) for block in blocks]
        smallest = [values[rank - 1] if rank else np.inf for values, rank in zip(spread, ranks, strict=True)]
        which = int(np.argmin(smallest))
        if smallest[which] > SUSPECT * max(1.0, *(float(values.max()) for values in spread)) and best.converged:
            break
        fewer = [rank - (k == which) for k, rank in enumerate(ranks)]
        simpler, start = _of_rank(problem, blocks, fewer, best, size)
        found = maximize(simpler, start, n_nodes) if sum(fewer) else plain
        if sum(fewer) and not found.converged and best.converged:
            break
        if not found.loglik >= best.loglik - _slack(best):
            break
        is_edge = _no_gain_from_rank(simpler, blocks[which], fewer[which], found, n_nodes, size)
        verified = verified and is_edge
        problem = simpler if sum(fewer) else problem.without_random()
        best, ranks = found, fewer
    edges = tuple(
        _said(block, rank, names, best, problem, size)
        for block, rank in zip(blocks, ranks, strict=True)
        if rank < len(block)
    )
    return Found(optimum=best, problem=problem, edges=edges, verified=verified)


def _root(problem: Problem, theta: Array) -> Array:
    q = problem.Z.shape[2]
    root = np.zeros((q, q))
    root[problem.free[:, 0], problem.free[:, 1]] = theta
    return root


def _of_rank(
    problem: Problem, blocks: Blocks, ranks: Sequence[int], best: Optimum, size: Array
) -> tuple[Problem, Array]:
    """The problem whose blocks of Λ have so many columns, and ψ nearest to the best one."""
    p = problem.sizes[0]
    root = _root(problem, best.psi[p : p + len(problem.free)]) * size[:, None]
    free: list[tuple[int, int]] = []
    theta: list[float] = []
    for block, rank in zip(blocks, ranks, strict=True):
        rows = list(block)
        u, s, _ = np.linalg.svd(root[rows])
        lower = np.asarray(np.linalg.qr((u[:, :rank] * s[:rank]).T)[1]).T  # (block, rank), lower trapezoidal
        for i, row in enumerate(rows):
            for j in range(min(i + 1, rank)):
                free.append((row, rows[j]))
                theta.append(float(lower[i, j] / max(float(size[row]), 1e-8)))
    simpler = replace(problem, free=np.array(free, dtype=np.int64).reshape(-1, 2))
    return simpler, np.concatenate([best.psi[:p], theta, best.psi[p + len(problem.free) :]])


def _no_gain_from_rank(
    simpler: Problem, block: tuple[int, ...], rank: int, found: Optimum, n_nodes: int, size: Array
) -> bool:
    """Whether a small variance in a direction that the block does not have yet does not gain."""
    p, rows = simpler.sizes[0], list(block)
    t = len(simpler.free) if len(found.psi) > p + simpler.sizes[2] else 0
    root = _root(simpler, found.psi[p : p + t]) * size[:, None] if t else np.zeros((len(size), len(size)))
    u = np.linalg.svd(root[rows])[0]
    direction = u[:, rank] * BACK / np.maximum(size[rows], 1e-8)
    free = np.array([(row, rows[rank]) for row in rows], dtype=np.int64)
    before = simpler.free[:t]
    larger = replace(simpler, free=np.concatenate([before, free]))
    there = likelihood(larger, np.concatenate([found.psi[: p + t], direction, found.psi[p + t :]]), n_nodes)
    base = likelihood(larger, np.concatenate([found.psi[: p + t], np.zeros(len(rows)), found.psi[p + t :]]), n_nodes)
    return bool(there.loglik <= base.loglik + _slack(found))


def _said(block: tuple[int, ...], rank: int, names: Sequence[str], best: Optimum, problem: Problem, size: Array) -> str:
    """What is at the edge in a block."""
    told = [f"the random {'intercept' if names[k] == 'Intercept' else f'slope of `{names[k]}`'}" for k in block]
    if rank == 0:
        return f"the variance of {' and '.join(told)} is 0"
    p = problem.sizes[0]
    root = _root(problem, best.psi[p : p + len(problem.free)]) * size[:, None]
    none = [word for word, k in zip(told, block, strict=True) if np.linalg.norm(root[k]) < 1e-4]
    if len(block) - len(none) <= rank:
        return f"the variance of {' and '.join(none)} is 0"
    return f"{' and '.join(told)} are perfectly correlated"
