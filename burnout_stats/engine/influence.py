"""What the estimates would be without one subject: exact, from the subject's own cross-products.

With V held, leaving out subject i takes H_i = Z_i' A Z_i (Z_i its rows of (X, y)) from Z'V⁻¹Z, so

    β̂_(i) = (X'V⁻¹X − X_i'AX_i)⁻¹ (X'V⁻¹y − X_i'Ay_i)

needs no second look at other subjects. With θ estimated anew, its rows z_a z_b' are taken from the `Moments`, and all
data sets without one subject are fitted as stacks, started at the optimum of all. Letters: n subjects, P patterns, V
visits, p columns of X, q = p + 1.

**Source**: Cook 1977, Technometrics 19:15; Belsley, Kuh & Welsch 1980, Regression Diagnostics, chapter 2, for DFBETA
and COVRATIO; Christensen, Pearson & Johnson 1992, Technometrics 34:38, and Schabenberger 2004, SUGI 29, paper 189, for
mixed models and the deletion of all rows of a subject.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .covariance import Covariance
from .likelihood import contract, evaluate
from .moments import Moments
from .scoring import Status, optimize

__all__ = ["Deletion", "Subjects", "held", "refitted", "subjects_of"]

Array = NDArray[np.float64]
CELLS = 4_000_000
"""Numbers in the cross-products of one stack of refits: 32 megabytes."""
DEPENDENT = 1e-10
"""Squared sine below which the columns of X count as dependent without a subject (as in `moments.aliased`)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subjects:
    """The rows of single subjects in the coordinates of some Moments.

    Attributes
    ----------
    z : (N, q) array
        Sorted by subject, then visit.
    starts, which : (n,) integer arrays
        The first row of each subject, and its pattern in the Moments.
    weight : (n,) array
        1, or how often each counts.
    """

    z: Array
    starts: NDArray[np.intp]
    which: NDArray[np.intp]
    weight: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Deletion:
    """The estimates without each subject in turn, in the coordinates of the Moments; NaN where there are none.

    Attributes
    ----------
    beta : (n, p), Phi : (n, p, p), sigma : (n, G, V, V) arrays
    """

    beta: Array
    Phi: Array
    sigma: Array


def subjects_of(
    moments: Moments,
    z: Array,
    subject: NDArray[np.integer],
    visit: NDArray[np.integer],
    *,
    group: NDArray[np.integer] | None = None,
    weights: Array | None = None,
) -> Subjects:
    """The rows that `moments` were built from, as `moments_of_rows` took them, with the same columns of X."""
    p = moments.n_columns
    basis = moments.basis
    inner = np.empty_like(z)
    inner[:, :p] = (z[:, :p] - basis.center[:p]) @ basis.transform
    inner[:, p] = (z[:, p] - basis.center[p]) / float(basis.scale)
    starts = np.flatnonzero(np.r_[True, subject[1:] != subject[:-1]])
    n_visits = moments.patterns.shape[1]
    power = np.left_shift(np.int64(1), np.arange(n_visits, dtype=np.int64))
    codes = np.bitwise_or.reduceat(power[visit], starts) + (
        0 if group is None else np.asarray(group, dtype=np.int64) << n_visits
    )
    known = moments.patterns @ power + (moments.groups.astype(np.int64) << n_visits)
    order = np.argsort(known)
    which = order[np.searchsorted(known, codes, sorter=order)]
    weight = np.ones(len(starts)) if weights is None else np.asarray(weights, dtype=float)
    return Subjects(z=inner, starts=starts, which=which, weight=weight)


def products(moments: Moments, subjects: Subjects, A: Array) -> Array:
    """H_i = Z_i' A_S Z_i of every subject, shape (n, q, q)."""
    H = np.zeros((len(subjects.starts), subjects.z.shape[1], subjects.z.shape[1]))
    for s, pattern in enumerate(moments.patterns):
        members = np.flatnonzero(subjects.which == s)
        visits = np.flatnonzero(pattern)
        z = _rows(subjects, members, len(visits))
        H[members] = np.swapaxes(z, -1, -2) @ (A[s][np.ix_(visits, visits)] @ z)
    return H * subjects.weight[:, None, None]


def held(moments: Moments, subjects: Subjects, A: Array, sigma: Array) -> tuple[Deletion, Array]:
    """The deletion of each subject with V held, and each subject's leverage tr(ΦX_i'AX_i): these add up to p."""
    p = moments.n_columns
    H = products(moments, subjects, A)
    whole = contract(A, moments.T)
    leverage = np.einsum("ab,nba->n", np.linalg.inv(whole[:p, :p]), H[:, :p, :p])
    sound = _estimable(moments, subjects)
    left = np.where(sound[:, None, None], whole - H, np.eye(p + 1))
    Phi = np.linalg.inv(left[:, :p, :p])
    beta = np.einsum("nab,nb->na", Phi, left[:, :p, p])
    none = ~sound
    beta[none], Phi[none] = np.nan, np.nan
    return Deletion(beta=beta, Phi=Phi, sigma=np.broadcast_to(sigma, (len(beta), *sigma.shape))), leverage


def refitted(moments: Moments, subjects: Subjects, covariance: Covariance, theta: Array, *, reml: bool) -> Deletion:
    """The deletion of each subject with everything estimated anew, from `theta` on."""
    n, p, V = len(subjects.starts), moments.n_columns, moments.patterns.shape[1]
    beta, Phi = np.full((n, p), np.nan), np.full((n, p, p), np.nan)
    sigma = np.full((n, covariance.n_groups, V, V), np.nan)
    sound = np.flatnonzero(_estimable(moments, subjects))
    at_once = max(1, CELLS // moments.T.size)
    for first in range(0, len(sound), at_once):
        members = sound[first : first + at_once]
        stack = without(moments, subjects, members)
        start = np.repeat(theta[None], len(members), axis=0)
        optimum = optimize(stack, covariance, reml=reml, theta=start)
        verified = optimum.status == Status.VERIFIED
        at = evaluate(stack, covariance, optimum.theta, reml=reml)
        kept = members[verified]
        beta[kept], Phi[kept], sigma[kept] = at.beta[verified], at.Phi[verified], at.sigma[verified]
    return Deletion(beta=beta, Phi=Phi, sigma=sigma)


def without(moments: Moments, subjects: Subjects, members: NDArray[np.intp]) -> Moments:
    """The stack of the moments without each of some subjects."""
    which, weight = subjects.which[members], subjects.weight[members]
    n = np.repeat(moments.n[None], len(members), axis=0)
    n[np.arange(len(members)), which] -= weight
    T = np.repeat(moments.T[None], len(members), axis=0)
    for s, pattern in enumerate(moments.patterns):
        here = np.flatnonzero(which == s)
        visits = np.flatnonzero(pattern)
        z = _rows(subjects, members[here], len(visits))
        blocks = np.einsum("nax,nby,n->nabxy", z, z, weight[here])
        T[here[:, None, None], s, visits[:, None], visits] -= blocks
    return replace(moments, n=n, T=T)


def _rows(subjects: Subjects, members: NDArray[np.intp], k: int) -> Array:
    """The rows of subjects with k visits, shape (members, k, q)."""
    rows: Array = subjects.z[subjects.starts[members, None] + np.arange(k)]
    return rows


def _estimable(moments: Moments, subjects: Subjects) -> NDArray[np.bool_]:
    """Without which subjects the columns of X stay independent."""
    p = moments.n_columns
    identity = np.where(moments.patterns[:, :, None] & np.eye(moments.patterns.shape[1], dtype=bool), 1.0, 0.0)
    left = moments.gram[:p, :p] - products(moments, subjects, identity)[:, :p, :p]
    values = np.linalg.eigvalsh(left)
    sound: NDArray[np.bool_] = values[:, 0] > DEPENDENT * values[:, -1] if p else np.ones(len(left), dtype=bool)
    return sound
