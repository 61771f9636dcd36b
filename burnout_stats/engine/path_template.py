"""What a structural model says about mean and covariance: the reticular action model, or any function with derivatives.

    v = m + A v + u,   u ~ N(0, S),   y = F v      (A[i, j] is the path j -> i; F picks the observed variables)
    B = (I − A)⁻¹,   μ = F B m,   Σ = F B S B' F'

With E_ij the matrix with a single 1, dB = B E_ij B for dA_ij; all first and second derivatives follow from it without
a difference quotient.

**Source**: McArdle & McDonald 1984, Br J Math Stat Psychol 37:234 (the reticular action model); Bentler &
Weeks 1980, Psychometrika 45:289, for the class of models.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .pattern_sums import coordinates

__all__ = ["Function", "Moments", "Saturated", "Structure", "Template"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
STEP = 1e-5
"""Relative step of the difference quotients of first derivatives, where second ones are not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """`mu` (R, D), `Sigma` (R, D, D), and their derivatives `d_mu` (R, q, D), `d_Sigma` (R, q, D, D)."""

    mu: Array
    Sigma: Array
    d_mu: Array
    d_Sigma: Array  # noqa: N815  # the derivative of Sigma, in the paper's letter


class Structure(Protocol):
    """What `fit_structural` needs of a model; θ comes as a stack (R, q)."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the q parameters."""

    @property
    def n_observed(self) -> int:
        """D, the number of observed variables."""

    def moments(self, theta: Array) -> tuple[Array, Array]:
        """μ (R, D) and Σ (R, D, D)."""

    def derivatives(self, theta: Array) -> Moments:
        """Moments and their first derivatives."""

    def curvature(self, theta: Array, by_mu: Array, by_Sigma: Array) -> Array:
        """g'∂²μ + tr G ∂²Σ (R, q, q) for g (R, D) and symmetric G (R, D, D)."""

    def start(self, mean: Array, variance: Array) -> Array:
        """θ to begin with (R, q), from the means and variances (R, D) of the available cases."""

    def variances(self) -> tuple[int, ...]:
        """The parameters that are variances."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Template:
    """A reticular action model: fixed values, and beside them the number of the free parameter or -1.

    Parameters
    ----------
    names : the variables, observed ones first
    n_observed : how many are observed
    A, S, m : arrays (v, v), (v, v) and (v,): fixed values
    A_free, S_free, m_free : integers of the same shapes; the same number twice is an equality
    labels : names of the parameters
    """

    names: tuple[str, ...]
    n_observed: int
    A: Array
    S: Array
    m: Array
    A_free: Index
    S_free: Index
    m_free: Index
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("A", "S", "m"):
            fixed = np.array(getattr(self, name), dtype=float)
            free = np.array(getattr(self, f"{name}_free"), dtype=np.intp)
            fixed[free >= 0] = 0.0
            fixed.setflags(write=False)
            free.setflags(write=False)
            object.__setattr__(self, name, fixed)
            object.__setattr__(self, f"{name}_free", free)
        if not np.array_equal(self.S_free, self.S_free.T):
            raise ValueError("S_free is not symmetric")
        used = np.unique(np.concatenate([self.A_free.ravel(), self.S_free.ravel(), self.m_free]))
        if not np.array_equal(used[used >= 0], np.arange(len(self.labels))):
            raise ValueError("the numbers of the parameters are not 0, 1, ..., q - 1")

    # ---- elements: (row, column, parameter) of the free ones

    def _paths(self) -> tuple[Index, Index, Index]:
        i, j = np.nonzero(self.A_free >= 0)
        return i, j, self.A_free[i, j]

    def _covariances(self) -> tuple[Index, Index, Index]:
        i, j = np.nonzero(np.triu(self.S_free >= 0))
        return i, j, self.S_free[i, j]

    def _intercepts(self) -> tuple[Index, Index]:
        i = np.flatnonzero(self.m_free >= 0)
        return i, self.m_free[i]

    def filled(self, theta: Array) -> tuple[Array, Array, Array]:
        """A, S and m (R, ...) with the parameters in place; complex θ gives complex matrices."""
        out: list[Array] = []
        for fixed, free in ((self.A, self.A_free), (self.S, self.S_free), (self.m, self.m_free)):
            whole: Array = np.broadcast_to(fixed, (len(theta), *fixed.shape)).astype(theta.dtype)
            whole[:, free >= 0] = theta[:, free[free >= 0]]
            out.append(whole)
        return out[0], out[1], out[2]

    def whole(self, theta: Array) -> tuple[Array, Array, Array]:
        """B, the mean of all variables (R, v) and their covariance V (R, v, v)."""
        A, S, m = self.filled(theta)
        B = np.asarray(np.linalg.inv(np.eye(len(self.names)) - A))
        return B, (B @ m[..., None])[..., 0], B @ S @ np.swapaxes(B, 1, 2)

    def moments(self, theta: Array) -> tuple[Array, Array]:
        """μ and Σ of the observed variables."""
        D = self.n_observed
        _, mean, V = self.whole(theta)
        return mean[:, :D], V[:, :D, :D]

    def derivatives(self, theta: Array) -> Moments:
        """μ and Σ with their first derivatives."""
        D, R, q = self.n_observed, len(theta), len(self.labels)
        B, mean, V = self.whole(theta)
        F, G = B[:, :D], V[:, :D]
        d_mu, d_Sigma = np.zeros((R, q, D)), np.zeros((R, q, D, D))
        i, j, at = self._paths()
        left, right = np.moveaxis(F[:, :, i], 2, 1), np.moveaxis(G[:, :, j], 2, 1)
        outer = left[..., :, None] * right[..., None, :]
        _add(d_Sigma, at, outer + np.swapaxes(outer, 2, 3))
        _add(d_mu, at, left * mean[:, j, None])
        i, j, at = self._covariances()
        outer = np.moveaxis(F[:, :, i], 2, 1)[..., :, None] * np.moveaxis(F[:, :, j], 2, 1)[..., None, :]
        half = np.where(i == j, 0.5, 1.0)[:, None, None]
        _add(d_Sigma, at, half * (outer + np.swapaxes(outer, 2, 3)))
        i, at = self._intercepts()
        _add(d_mu, at, np.moveaxis(F[:, :, i], 2, 1))
        return Moments(mean[:, :D], V[:, :D, :D], d_mu, d_Sigma)

    def curvature(self, theta: Array, by_mu: Array, by_Sigma: Array) -> Array:
        """g'∂²μ + tr G ∂²Σ."""
        D, R, q, v = self.n_observed, len(theta), len(self.labels), len(self.names)
        B, mean, V = self.whole(theta)
        G, g = np.zeros((R, v, v)), np.zeros((R, v))
        G[:, :D, :D], g[:, :D] = by_Sigma, by_mu
        GB = G @ B
        U, W = V @ GB, np.swapaxes(B, 1, 2) @ GB
        h = (np.swapaxes(B, 1, 2) @ g[..., None])[..., 0]
        out = np.zeros((R, q, q))
        i, j, at = self._paths()
        a, b = np.meshgrid(np.arange(len(i)), np.arange(len(i)), indexing="ij")
        first, second = B[:, j[a], i[b]], B[:, j[b], i[a]]
        paths = 2 * (first * U[:, j[b], i[a]] + second * U[:, j[a], i[b]] + W[:, i[b], i[a]] * V[:, j[a], j[b]])
        paths += h[:, i[a]] * first * mean[:, j[b]] + h[:, i[b]] * second * mean[:, j[a]]
        _add_pairs(out, at[a], at[b], paths)
        k, m, to = self._covariances()
        a, b = np.meshgrid(np.arange(len(i)), np.arange(len(k)), indexing="ij")
        mixed = 2 * (W[:, m[b], i[a]] * B[:, j[a], k[b]] + W[:, k[b], i[a]] * B[:, j[a], m[b]])
        mixed = mixed * np.where(k == m, 0.5, 1.0)[b]
        _add_pairs(out, at[a], to[b], mixed)
        _add_pairs(out, to[b], at[a], mixed)
        k, to = self._intercepts()
        a, b = np.meshgrid(np.arange(len(i)), np.arange(len(k)), indexing="ij")
        mixed = h[:, i[a]] * B[:, j[a], k[b]]
        _add_pairs(out, at[a], to[b], mixed)
        _add_pairs(out, to[b], at[a], mixed)
        return out

    def start(self, mean: Array, variance: Array) -> Array:
        """No paths, no covariances, half the mean variance for every latent variable."""
        D = self.n_observed
        theta = np.zeros((len(mean), len(self.labels)))
        latent = np.flatnonzero(np.diagonal(self.S_free)[D:] >= 0) + D
        theta[:, self.S_free[latent, latent]] = variance.mean(1, keepdims=True) / 2
        own = np.flatnonzero(np.diagonal(self.S_free)[:D] >= 0)
        theta[:, self.S_free[own, own]] = variance[:, own]
        own = np.flatnonzero(self.m_free[:D] >= 0)
        theta[:, self.m_free[own]] = mean[:, own]
        return theta

    def variances(self) -> tuple[int, ...]:
        """The parameters on the diagonal of S."""
        diagonal = np.diagonal(self.S_free)
        return tuple(int(at) for at in np.unique(diagonal[diagonal >= 0]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Function:
    """A model given as a function of θ (q,) that answers μ (D,), Σ (D, D), ∂μ (q, D) and ∂Σ (q, D, D).

    Its second derivatives are central differences of the first ones. `begin` is θ to begin with; `variance_parameters`
    are told when they are below 0.
    """

    labels: tuple[str, ...]
    n_observed: int
    of: Callable[[Array], tuple[Array, Array, Array, Array]]
    begin: Array
    variance_parameters: tuple[int, ...] = ()

    def moments(self, theta: Array) -> tuple[Array, Array]:
        """μ and Σ."""
        found = self.derivatives(theta)
        return found.mu, found.Sigma

    def derivatives(self, theta: Array) -> Moments:
        """μ and Σ with their first derivatives."""
        parts = [self.of(one) for one in theta]
        return Moments(*(np.stack([np.asarray(part[k], dtype=float) for part in parts]) for k in range(4)))

    def curvature(self, theta: Array, by_mu: Array, by_Sigma: Array) -> Array:
        """g'∂²μ + tr G ∂²Σ by central differences of the first derivatives."""
        R, q = theta.shape
        out = np.empty((R, q, q))
        for b in range(q):
            step = STEP * np.maximum(np.abs(theta[:, b]), 0.1)
            ends = []
            for sign in (1.0, -1.0):
                moved = theta.copy()
                moved[:, b] += sign * step
                found = self.derivatives(moved)
                along = np.einsum("rqd,rd->rq", found.d_mu, by_mu)
                ends.append(along + np.einsum("rqde,rde->rq", found.d_Sigma, by_Sigma))
            out[:, b] = (ends[0] - ends[1]) / (2 * step[:, None])
        return (out + np.swapaxes(out, 1, 2)) / 2

    def start(self, mean: Array, variance: Array) -> Array:
        """`begin`, once for each sample."""
        del variance
        return np.broadcast_to(np.asarray(self.begin, dtype=float), (len(mean), len(self.labels))).copy()

    def variances(self) -> tuple[int, ...]:
        """As they were named."""
        return self.variance_parameters


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Saturated:
    """Every mean and every covariance of D variables free."""

    n_observed: int

    @property
    def labels(self) -> tuple[str, ...]:
        """mean[0], ..., cov[0,0], cov[0,1], ..."""
        i, j, _ = coordinates(self.n_observed)
        pairs = tuple(f"cov[{a},{b}]" for a, b in zip(i, j, strict=True))
        return (*(f"mean[{k}]" for k in range(self.n_observed)), *pairs)

    def moments(self, theta: Array) -> tuple[Array, Array]:
        """θ itself."""
        D = self.n_observed
        i, j, _ = coordinates(D)
        Sigma = np.zeros((len(theta), D, D), dtype=theta.dtype)
        Sigma[:, i, j] = Sigma[:, j, i] = theta[:, D:]
        return theta[:, :D], Sigma

    def derivatives(self, theta: Array) -> Moments:
        """μ and Σ with their first derivatives, which are constant."""
        D = self.n_observed
        i, j, _ = coordinates(D)
        q = D + len(i)
        d_mu, d_Sigma = np.zeros((q, D)), np.zeros((q, D, D))
        d_mu[np.arange(D), np.arange(D)] = 1.0
        at = D + np.arange(len(i))
        d_Sigma[at, i, j] = d_Sigma[at, j, i] = 1.0
        mu, Sigma = self.moments(theta)
        return Moments(
            mu,
            Sigma,
            np.broadcast_to(d_mu, (len(theta), q, D)),
            np.broadcast_to(d_Sigma, (len(theta), q, D, D)),
        )

    def curvature(self, theta: Array, by_mu: Array, by_Sigma: Array) -> Array:
        """Zero."""
        del by_mu, by_Sigma
        q = theta.shape[1]
        return np.zeros((len(theta), q, q))

    def start(self, mean: Array, variance: Array) -> Array:
        """The available cases, without covariances."""
        D = self.n_observed
        i, j, _ = coordinates(D)
        return np.concatenate([mean, np.where(i == j, variance[:, i], 0.0)], axis=1)

    def variances(self) -> tuple[int, ...]:
        """The diagonal."""
        D = self.n_observed
        i, j, _ = coordinates(D)
        return tuple(int(at) for at in D + np.flatnonzero(i == j))


def _add(total: Array, at: Index, parts: Array) -> None:
    """Add the parts (R, e, ...) of elements to the parameters (R, q, ...) that they belong to."""
    np.add.at(np.moveaxis(total, 1, 0), at, np.moveaxis(parts, 1, 0))


def _add_pairs(total: Array, first: Index, second: Index, parts: Array) -> None:
    """Add parts (R, e, f) of pairs of elements to the pairs of parameters (R, q, q) that they belong to."""
    places = first * total.shape[2] + second
    _add(total.reshape(len(total), -1), places.reshape(-1), parts.reshape(len(parts), -1))
