"""Covariance structures of the visits: Σ(θ) on an unconstrained scale, with first and second derivatives, as one table.

A structure is a row of `STRUCTURES`; validation, messages and dispatch all read that table. `Covariance` binds one to
the times of the visits and to groups that each have their own parameters. V is the number of visits, m the number of
parameters, G the number of groups.

    Σ = D R D     D diagonal with standard deviations exp(η), one for all visits or one each
    cs            R_ab = ρ,                 ρ in (−1/(V−1), 1)
    ar1           R_ab = ρ^|a−b|,           ρ in (−1, 1)
    sp_exp        R_ab = ρ^|t_a−t_b|,       ρ in (0, 1), t in years
    toep          R_ab = r_|a−b|,           through partial autocorrelations in (−1, 1)
    ad            R_ab = ρ_a ... ρ_(b−1),   each in (−1, 1)  (ante-dependence of first order)
    us            Σ = L L', L lower triangular with log-diagonal

**Source**: names and forms as in SAS PROC MIXED (TYPE=) and mmrm; log-Cholesky from Pinheiro & Bates 1996, Stat Comput
6:289; partial autocorrelations from Barndorff-Nielsen & Schou 1973, J Multivar Anal 3:408.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .jets import Jet, parameters

__all__ = ["STRUCTURES", "Covariance", "Structure"]

Array = NDArray[np.float64]
WIDEST = 0.95
"""Starts keep correlations this far inside their bounds."""


@dataclass(frozen=True, slots=True)
class Structure:
    """One covariance structure.

    Attributes
    ----------
    code, name : str
        `us`, "unstructured".
    n_parameters : V -> m
    sigma : θ (..., m), times (V,) -> Σ (..., V, V)
    derivatives : θ, times -> ∂Σ/∂θ_i (..., m, V, V) and ∂²Σ/∂θ_i∂θ_j (..., m, m, V, V)
    start : a positive definite Σ (..., V, V), times -> θ of a Σ of the structure near it
    """

    code: str
    name: str
    n_parameters: Callable[[int], int]
    sigma: Callable[[Array, Array], Array]
    derivatives: Callable[[Array, Array], tuple[Array, Array]]
    start: Callable[[Array, Array], Array]


@dataclass(frozen=True, slots=True, eq=False)
class Covariance:
    """A structure at the times of some visits, with its own parameters in each of G groups.

    θ holds the parameters of the first group, then of the second, and so on.
    """

    structure: Structure
    times: Array
    n_groups: int = 1

    @property
    def n_parameters(self) -> int:
        """Covariance parameters in all groups together."""
        return self.n_groups * self.structure.n_parameters(len(self.times))

    def sigma(self, theta: Array) -> Array:
        """Σ by group, shape (..., G, V, V)."""
        return self.structure.sigma(self._by_group(theta), self.times)

    def derivatives(self, theta: Array) -> tuple[Array, Array]:
        """∂Σ (..., Gm, G, V, V) and ∂²Σ (..., Gm, Gm, G, V, V); zero between groups."""
        first, second = self.structure.derivatives(self._by_group(theta), self.times)
        if self.n_groups == 1:
            at = theta.ndim - 1
            return np.swapaxes(first, -4, -3), second.transpose(*range(at), at + 1, at + 2, at, at + 3, at + 4)
        G, m, V = self.n_groups, first.shape[-3], len(self.times)
        lead = theta.shape[:-1]
        all_first = np.zeros((*lead, G, m, G, V, V))
        all_second = np.zeros((*lead, G, m, G, m, G, V, V))
        for g in range(G):
            all_first[..., g, :, g, :, :] = first[..., g, :, :, :]
            all_second[..., g, :, g, :, g, :, :] = second[..., g, :, :, :, :]
        return all_first.reshape(*lead, G * m, G, V, V), all_second.reshape(*lead, G * m, G * m, G, V, V)

    def start(self, sigma: Array) -> Array:
        """θ near Σ (..., V, V), the same in every group."""
        one = self.structure.start(sigma, self.times)
        return np.concatenate([one] * self.n_groups, axis=-1)

    def _by_group(self, theta: Array) -> Array:
        return theta.reshape(*theta.shape[:-1], self.n_groups, -1)


# ---- unstructured --------------------------------------------------------------------------------------------------


def _positions(n_visits: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column in L of each parameter: the diagonal first, then the rows below it."""
    rows, columns = np.tril_indices(n_visits, -1)
    diagonal = np.arange(n_visits)
    return np.concatenate([diagonal, rows]), np.concatenate([diagonal, columns])


def _cholesky_factor(theta: Array, n_visits: int) -> Array:
    rows, columns = _positions(n_visits)
    values = np.concatenate([np.exp(theta[..., :n_visits]), theta[..., n_visits:]], axis=-1)
    L = np.zeros((*theta.shape[:-1], n_visits, n_visits))
    L[..., rows, columns] = values
    return L


def _us_sigma(theta: Array, times: Array) -> Array:
    L = _cholesky_factor(theta, len(times))
    return L @ np.swapaxes(L, -1, -2)


def _us_derivatives(theta: Array, times: Array) -> tuple[Array, Array]:
    """∂Σ = ∂L L' + L ∂L' and ∂²Σ_ij = ∂L_i ∂L_j' + ∂L_j ∂L_i' + (∂²L_ij L' + L ∂²L_ij').

    ∂²L_ij is not zero only for i = j on the diagonal, where it is ∂L_i.
    """
    n_visits = len(times)
    rows, columns = _positions(n_visits)
    m = len(rows)
    L = _cholesky_factor(theta, n_visits)
    units = np.zeros((m, n_visits, n_visits))
    units[np.arange(m), rows, columns] = 1.0
    slopes = np.where(rows == columns, L[..., rows, columns], 1.0)
    dL = slopes[..., None, None] * units
    half = dL @ np.swapaxes(L, -1, -2)[..., None, :, :]
    first = half + np.swapaxes(half, -1, -2)
    cross = np.einsum("...iab,...jcb->...ijac", dL, dL)
    second = cross + np.swapaxes(cross, -1, -2)
    on_diagonal = np.arange(n_visits)
    second[..., on_diagonal, on_diagonal, :, :] += first[..., on_diagonal, :, :]
    return first, second


def _us_start(sigma: Array, times: Array) -> Array:
    rows, columns = _positions(len(times))
    values = np.linalg.cholesky(sigma)[..., rows, columns]
    return np.concatenate([np.log(values[..., : len(times)]), values[..., len(times) :]], axis=-1)


# ---- standard deviations and a correlation matrix ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Correlation:
    """A correlation matrix R as a jet of rank 2, from its parameters; and parameters near a given R."""

    code: str
    name: str
    n_parameters: Callable[[int], int]
    matrix: Callable[[list[Jet], Array], Jet]
    start: Callable[[Array, Array], Array]


def _sum(jets: list[Jet]) -> Jet:
    first, *rest = jets
    for jet in rest:
        first = first + jet
    return first


def _product(jets: list[Jet]) -> Jet:
    first, *rest = jets
    for jet in rest:
        first = first * jet
    return first


def _lags(times: Array) -> Array:
    position = np.arange(len(times), dtype=float)
    return np.abs(position[:, None] - position)


def _mean_by_lag(R: Array, times: Array) -> list[Array]:
    return [np.diagonal(R, lag, -2, -1).mean(-1) for lag in range(1, len(times))]


def _inside(r: Array) -> Array:
    return np.clip(r, -WIDEST, WIDEST)


def _cs_matrix(phi: list[Jet], times: Array) -> Jet:
    n_visits = len(times)
    low = -1.0 / (n_visits - 1)
    rho = phi[0].expit() * (1.0 - low) + low
    return rho.spread(2) * (1.0 - np.eye(n_visits)) + np.eye(n_visits)


def _cs_start(R: Array, times: Array) -> Array:
    n_visits = len(times)
    low = -1.0 / (n_visits - 1)
    mean = (R.sum((-1, -2)) - n_visits) / (n_visits * (n_visits - 1))
    share = np.clip((mean - low) / (1.0 - low), 1 - WIDEST, WIDEST)
    start: Array = np.log(share / (1 - share))[..., None]
    return start


def _toep_matrix(phi: list[Jet], times: Array) -> Jet:
    """Durbin's recursion from partial autocorrelations to autocorrelations."""
    partial = [jet.tanh() for jet in phi]
    r: list[Jet] = []
    weights: list[Jet] = []
    for k, pi in enumerate(partial):
        if not k:
            r, weights = [pi], [pi]
            continue
        explained = _sum([w * r[k - 1 - j] for j, w in enumerate(weights)])
        left = _product([p * p * -1.0 + 1.0 for p in partial[:k]])
        r.append(explained + pi * left)
        weights = [*(w - pi * weights[k - 1 - j] for j, w in enumerate(weights)), pi]
    lags = _lags(times)
    parts = [one.spread(2) * (lags == lag + 1).astype(float) for lag, one in enumerate(r)]
    return _sum(parts) + np.eye(len(times))


def _toep_start(R: Array, times: Array) -> Array:
    """Partial autocorrelations of the mean correlations by lag (Durbin-Levinson), kept inside their bounds."""
    r = _mean_by_lag(R, times)
    partial: list[Array] = []
    weights: list[Array] = []
    left = np.ones_like(r[0])
    for k, correlation in enumerate(r):
        explained = sum((w * r[k - 1 - j] for j, w in enumerate(weights)), np.zeros_like(r[0]))
        pi = _inside((correlation - explained) / left)
        weights = [*(w - pi * weights[k - 1 - j] for j, w in enumerate(weights)), pi]
        left = left * (1 - pi**2)
        partial.append(np.arctanh(pi))
    return np.stack(partial, axis=-1)


def _ad_matrix(phi: list[Jet], times: Array) -> Jet:
    position = np.arange(len(times))
    low = np.minimum(position[:, None], position)
    high = np.maximum(position[:, None], position)
    steps = []
    for k, jet in enumerate(phi):
        between = ((low <= k) & (k < high)).astype(float)
        steps.append((jet.tanh() + -1.0).spread(2) * between + 1.0)
    return _product(steps)


def _sp_exp_start(R: Array, times: Array) -> Array:
    a, b = np.triu_indices(len(times), 1)
    positive = np.clip(R[..., a, b], 1 - WIDEST, WIDEST)
    rho = np.clip((positive ** (1.0 / (times[b] - times[a]))).mean(-1), 1 - WIDEST, WIDEST)
    start: Array = np.log(rho / (1 - rho))[..., None]
    return start


CORRELATIONS = (
    _Correlation("cs", "compound symmetry", lambda V: 1, _cs_matrix, _cs_start),
    _Correlation(
        "ar1",
        "first-order autoregressive",
        lambda V: 1,
        lambda phi, times: phi[0].tanh().power(_lags(times)),
        lambda R, times: np.arctanh(_inside(_mean_by_lag(R, times)[0]))[..., None],
    ),
    _Correlation("toep", "Toeplitz", lambda V: V - 1, _toep_matrix, _toep_start),
    _Correlation(
        "ad",
        "first-order ante-dependence",
        lambda V: V - 1,
        _ad_matrix,
        lambda R, times: np.arctanh(_inside(np.diagonal(R, 1, -2, -1))),
    ),
)
SPATIAL = _Correlation(
    "sp_exp",
    "exponential in years",
    lambda V: 1,
    lambda phi, times: phi[0].expit().power(np.abs(times[:, None] - times)),
    _sp_exp_start,
)


def _with_deviations(correlation: _Correlation, heterogeneous: bool) -> Structure:
    """Σ = D R D with one standard deviation, or one for each visit."""

    def n_deviations(n_visits: int) -> int:
        return n_visits if heterogeneous else 1

    def n_parameters(n_visits: int) -> int:
        return n_deviations(n_visits) + (correlation.n_parameters(n_visits) if n_visits > 1 else 0)

    def jet(theta: Array, times: Array, derivatives: bool) -> Jet:
        jets = parameters(theta, derivatives=derivatives)
        n_visits = len(times)
        eta, phi = jets[: n_deviations(n_visits)], jets[n_deviations(n_visits) :]
        R = correlation.matrix(phi, times) if n_visits > 1 else None
        if heterogeneous:
            at = np.eye(n_visits)
            log_sd = _sum([one.spread(2) * (at[k][:, None] + at[k]) for k, one in enumerate(eta)])
        else:
            log_sd = eta[0].spread(2) * np.full((n_visits, n_visits), 2.0)
        scale = log_sd.exp()
        return scale if R is None else scale * R

    def sigma(theta: Array, times: Array) -> Array:
        return jet(theta, times, False).value

    def derivatives(theta: Array, times: Array) -> tuple[Array, Array]:
        whole = jet(theta, times, True)
        lead, m, V = theta.shape[:-1], theta.shape[-1], len(times)
        return np.broadcast_to(whole.gradient, (*lead, m, V, V)), np.broadcast_to(whole.hessian, (*lead, m, m, V, V))

    def start(given: Array, times: Array) -> Array:
        variances = np.diagonal(given, axis1=-2, axis2=-1)
        sd = np.sqrt(variances)
        eta = np.log(sd) if heterogeneous else np.log(variances.mean(-1, keepdims=True)) / 2
        if len(times) == 1:
            return eta
        return np.concatenate([eta, correlation.start(given / (sd[..., :, None] * sd[..., None, :]), times)], axis=-1)

    twin = "h" if heterogeneous else ""
    name = ("heterogeneous " if heterogeneous else "") + correlation.name
    return Structure(correlation.code + twin, name, n_parameters, sigma, derivatives, start)


STRUCTURES: dict[str, Structure] = {
    structure.code: structure
    for structure in (
        Structure("us", "unstructured", lambda V: V * (V + 1) // 2, _us_sigma, _us_derivatives, _us_start),
        *(_with_deviations(kind, heterogeneous) for kind in CORRELATIONS for heterogeneous in (False, True)),
        _with_deviations(SPATIAL, heterogeneous=False),
    )
}
