"""A panel whose waves, however far apart, share one drift matrix: means and covariances with their first derivatives.

    y_i(t_j) = μ_j + τ_i + x_i(t_j),     dx = A x dt + G dW,    GG' = Q,    x(t_0) ~ N(0, P_0),    τ ~ N(0, B)

so that over a gap Δ

    x(t + Δ) = Φ x(t) + w,   Φ = exp(AΔ),   cov(w) = Ψ = ∫₀^Δ exp(As) Q exp(A's) ds
    vec Ψ = J(Δ) vec Q,      J(Δ) = ∫₀^Δ exp(Ks) ds,   K = A ⊗ I + I ⊗ A

and J stands in the upper right corner of exp([[K, I], [0, 0]] Δ), in which nothing grows where A has only
negative eigenvalues (in Van Loan's exp of [[−A, Q], [0, A']] something does, and digits are lost when the rates differ
much). P_0 is free: the first wave need not be stationary. What stands for Q among the
parameters is Ψ over the shortest gap (vec Q = J⁻¹ vec Ψ), which stays finite where a rate grows without end.

Rates. Every matrix with real eigenvalues is A = R T R' with R a rotation and T upper triangular (Schur). With
T_kk = −exp(ρ_k) all eigenvalues are real and negative, so exp(AΔ) has eigenvalues between 0 and 1 at every lag, and no
number of parameters is lost: P rates, P(P − 1)/2 angles, P(P − 1)/2 elements above the diagonal make P². What is
shut out is swinging (complex eigenvalues); its border is where two rates are equal.

**Source**: Oud & Jansen 2000, Psychometrika 65:199; Voelkle, Oud, Davidov & Schmidt 2012, Psychol Methods 17:176, for
the model and K; Van Loan 1978, IEEE Trans Autom Control 23:395, theorem 1, for integrals as corners of an exponential;
Najfeld & Havel 1995, Adv Appl Math 16:321, for the derivative of exp in a direction as such a corner; Hamaker, Kuiper &
Grasman 2015, Psychol Methods 20:102, for traits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from .matrix_exponential import asymptotic, integral, lagged, process_noise, units
from .path_template import Moments

__all__ = ["FASTEST", "ContinuousTime", "Held", "Jacobian", "drift_of"]

Array = NDArray[np.float64]
STEP = 1e-5
"""Relative step of the difference quotients of first derivatives."""
FASTEST, SLOWEST = 12.0, 1e-3
"""Rates times the shortest gap, and times all years, beyond which a search is turned back: exp(-12) is 6e-6."""


# ---- real negative rates ---------------------------------------------------------------------------------------------


def drift_of(eta: Array, n_processes: int) -> tuple[Array, Array]:
    """A for η (..., P²) = (ρ, angles, elements of T above the diagonal), and ∂A/∂η as (..., P², P, P).

    >>> drift_of(np.array([np.log(0.5)]), 1)[0].tolist()
    [[-0.5]]
    """
    P = n_processes
    places = _planes(P)
    turns = len(places)
    T = np.zeros((*eta.shape[:-1], P, P))
    diagonal = np.arange(P)
    T[..., diagonal, diagonal] = -np.exp(eta[..., :P])
    dT = np.zeros((*eta.shape[:-1], P * P, P, P))
    dT[..., diagonal, diagonal, diagonal] = -np.exp(eta[..., :P])
    for at, (k, m) in enumerate(places):
        T[..., k, m] = eta[..., P + turns + at]
        dT[..., P + turns + at, k, m] = 1.0
    R = np.broadcast_to(np.eye(P), T.shape)
    dR = np.zeros(dT.shape)
    for at, plane in enumerate(places):
        G, dG = _givens(eta[..., P + at], plane, P)
        dR = dR @ G[..., None, :, :]
        dR[..., P + at, :, :] = R @ dG
        R = R @ G
    half = dR @ (T @ np.swapaxes(R, -1, -2))[..., None, :, :]
    other = (R @ T)[..., None, :, :] @ np.swapaxes(dR, -1, -2)
    inner = R[..., None, :, :] @ dT @ np.swapaxes(R, -1, -2)[..., None, :, :]
    return R @ T @ np.swapaxes(R, -1, -2), half + inner + other


# ---- the panel -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Jacobian:
    """A quantity g (..., m) with ∂g/∂θ (..., q, m)."""

    value: Array
    change: Array


@dataclass(frozen=True, slots=True)
class ContinuousTime:
    """Means and covariances of P processes seen at given times; columns go visit by visit, then process by process.

    Parameters are, in this order, A (P² of them: η of `drift_of` where `is_real`, else its elements row by row), the
    lower triangles of Ψ(shortest gap), of P_0, of B where `has_traits` (row by row), and the means: one for each
    column, or where `has_shift` one for each process at the first visit and one shift of each that holds from the
    second visit on.
    """

    times: tuple[float, ...]
    n_processes: int
    has_traits: bool = True
    has_shift: bool = False
    is_real: bool = True

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the parameters."""
        P = self.n_processes
        i, j = np.tril_indices(P)
        if self.is_real:
            turns = [f"{k},{m}" for k, m in _planes(P)]
            own = [f"rate[{k}]" for k in range(P)] + [f"angle[{t}]" for t in turns] + [f"above[{t}]" for t in turns]
        else:
            own = [f"A[{k},{m}]" for k in range(P) for m in range(P)]
        names = ("Psi", "P0", "B") if self.has_traits else ("Psi", "P0")
        halves = [f"{name}[{a},{b}]" for name in names for a, b in zip(i, j, strict=True)]
        return (*own, *halves, *(f"mean[{k}]" for k in range(self.n_parameters - self.n_covariance)))

    def variances(self) -> tuple[int, ...]:
        """Where in θ the diagonals of Ψ, P_0 and B stand."""
        P = self.n_processes
        i, j = np.tril_indices(P)
        diagonal = np.flatnonzero(i == j)
        names = ("Psi", "P0", "B") if self.has_traits else ("Psi", "P0")
        return tuple(int(self.part(name).start + at) for name in names for at in diagonal)

    @property
    def n_observed(self) -> int:
        """D."""
        return len(self.times) * self.n_processes

    @property
    def n_covariance(self) -> int:
        """Parameters of the covariances."""
        P = self.n_processes
        return P * P + (3 if self.has_traits else 2) * (P * (P + 1) // 2)

    @property
    def n_parameters(self) -> int:
        """Parameters in all."""
        return self.n_covariance + (2 * self.n_processes if self.has_shift else self.n_observed)

    def part(self, name: str) -> slice:
        """Where in θ "A", "Psi", "P0", "B" and "means" stand."""
        P = self.n_processes
        half = P * (P + 1) // 2
        ends = {"A": (0, P * P), "Psi": (P * P, P * P + half), "P0": (P * P + half, P * P + 2 * half)}
        ends["B"] = (P * P + 2 * half, self.n_covariance)
        ends["means"] = (self.n_covariance, self.n_parameters)
        return slice(*ends[name])

    def drift(self, theta: Array) -> tuple[Array, Array]:
        """A (..., P, P) and ∂A/∂(its parameters) (..., P², P, P)."""
        P = self.n_processes
        own = theta[..., self.part("A")]
        if self.is_real:
            return drift_of(own, P)
        return own.reshape(*own.shape[:-1], P, P), np.broadcast_to(units(P), (*own.shape[:-1], P * P, P, P))

    def symmetric(self, theta: Array, name: str) -> Array:
        """The matrix (..., P, P) of one of "Psi", "P0" and "B"."""
        P = self.n_processes
        return np.asarray(np.einsum("...h,hij->...ij", theta[..., self.part(name)], _symmetric_units(P)))

    def moments(self, theta: Array) -> tuple[Array, Array]:
        """μ (..., D) and Σ (..., D, D)."""
        P, V, lead = self.n_processes, len(self.times), theta.shape[:-1]
        outside = self.is_outside(theta)
        theta = np.where(outside[..., None], self._inside(), theta)
        A, _ = self.drift(theta)
        gaps = np.diff(self.times)
        J = {gap: integral(A, float(gap)) for gap in set(gaps)}
        Q = np.linalg.solve(J[gaps.min()], self.symmetric(theta, "Psi").reshape(*lead, P * P, 1))
        rows = [self.symmetric(theta, "P0")]
        Sigma = np.zeros((*lead, V, P, V, P))
        Sigma[..., 0, :, 0, :] = rows[0]
        for j, gap in enumerate(gaps, start=1):
            Phi = np.asarray(expm(A * gap))
            rows = [Phi @ C for C in rows]
            rows.append(rows[-1] @ np.swapaxes(Phi, -1, -2) + (J[gap] @ Q).reshape(*lead, P, P))
            for k, C in enumerate(rows):
                Sigma[..., j, :, k, :], Sigma[..., k, :, j, :] = C, np.swapaxes(C, -1, -2)
        if self.has_traits:
            Sigma += self.symmetric(theta, "B")[..., None, :, None, :]
        Sigma = Sigma.reshape(*lead, self.n_observed, self.n_observed)
        Sigma[outside] = -np.eye(self.n_observed)
        return theta[..., self.part("means")] @ self._mean_design().T, Sigma

    def derivatives(self, theta: Array) -> Moments:
        """μ and Σ with their derivatives (..., q, D), (..., q, D, D)."""
        P, V = self.n_processes, len(self.times)
        lead, q, D = theta.shape[:-1], self.n_parameters, self.n_observed
        outside = self.is_outside(theta)
        theta = np.where(outside[..., None], self._inside(), theta)
        halves = _symmetric_units(P)
        S, dS = self.symmetric(theta, "P0"), np.zeros((*lead, q, P, P))
        dS[..., self.part("P0"), :, :] = halves
        Sigma, dSigma = np.zeros((*lead, V, P, V, P)), np.zeros((*lead, q, V, P, V, P))
        rows: list[tuple[Array, Array]] = [(S, dS)]  # cov(x_j, x_k) for k up to j
        Sigma[..., 0, :, 0, :], dSigma[..., 0, :, 0, :] = S, dS
        gaps = np.diff(self.times)
        known: dict[float, tuple[Array, Array, Array, Array]] = {}
        for j, gap in enumerate(gaps, start=1):
            if float(gap) not in known:
                carried, noise = self.lag_elements(theta, float(gap)), self._noise(theta, float(gap))
                square = (*lead, P, P), (*lead, q, P, P)
                known[float(gap)] = (
                    carried.value.reshape(square[0]),
                    carried.change.reshape(square[1]),
                    noise.value.reshape(square[0]),
                    noise.change.reshape(square[1]),
                )
            Phi, dPhi, Psi, dPsi = known[float(gap)]
            rows = [_product(Phi, dPhi, C, dC) for C, dC in rows]
            S, dS = _product(*rows[-1], np.swapaxes(Phi, -1, -2), np.swapaxes(dPhi, -1, -2))
            rows.append((S + Psi, dS + dPsi))
            for k, (C, dC) in enumerate(rows):
                Sigma[..., j, :, k, :], dSigma[..., j, :, k, :] = C, dC
                Sigma[..., k, :, j, :], dSigma[..., k, :, j, :] = np.swapaxes(C, -1, -2), np.swapaxes(dC, -1, -2)
        if self.has_traits:
            Sigma += self.symmetric(theta, "B")[..., None, :, None, :]
            dSigma[..., self.part("B"), :, :, :, :] += halves[:, None, :, None, :]
        X = self._mean_design()
        dmu = np.zeros((*lead, q, D))
        dmu[..., self.part("means"), :] = X.T
        mu = theta[..., self.part("means")] @ X.T
        Sigma = Sigma.reshape(*lead, D, D)
        Sigma[outside] = -np.eye(D)
        return Moments(mu, Sigma, dmu, dSigma.reshape(*lead, q, D, D))

    def is_outside(self, theta: Array) -> NDArray[np.bool_]:
        """Whether a carry-over over the shortest gap, or a return over all years, is too small for numbers to tell:
        there Σ is given as −I, so that no search goes on.
        """
        own = theta[..., self.part("A")]
        wild = np.asarray(~(np.abs(own) < 1e3).all(-1))
        if self.is_real:
            wild = wild | (own[..., : self.n_processes].max(-1) > np.log(1e3))
        A, _ = self.drift(np.where(wild[..., None], self._inside(), theta))
        rates = np.linalg.eigvals(A)
        fastest, slowest = np.abs(rates).max(-1), np.abs(rates).min(-1)
        gaps = np.diff(self.times)
        return np.asarray(wild | (fastest * gaps.min() > FASTEST) | (slowest * gaps.sum() < SLOWEST))

    def _inside(self) -> Array:
        """A point θ (q,) that is inside."""
        inner = np.zeros(self.n_parameters)
        if not self.is_real:
            inner[self.part("A")] = -np.eye(self.n_processes).ravel()
        return inner

    def curvature(self, theta: Array, by_mu: Array, by_Sigma: Array) -> Array:  # noqa: ARG002 (as in Structure)
        """g'∂²μ + tr G ∂²Σ (R, q, q) by central differences of the first derivatives along the parameters of A: in all
        others together Σ is linear, and so is μ.
        """
        out = np.zeros((*theta.shape, theta.shape[-1]))
        own = self.part("A")
        for a in range(own.start, own.stop):
            step = STEP * np.maximum(np.abs(theta[..., a]), 0.1)
            ends = []
            for sign in (1.0, -1.0):
                moved = theta.copy()
                moved[..., a] += sign * step
                ends.append(np.einsum("...qde,...de->...q", self.derivatives(moved).d_Sigma, by_Sigma))
            out[..., a] = (ends[0] - ends[1]) / (2 * step[..., None])
        both = (out[..., own, own] + np.swapaxes(out[..., own, own], -1, -2)) / 2
        out = out + np.swapaxes(out, -1, -2)
        out[..., own, own] = both
        return out

    def _mean_design(self) -> Array:
        """X (D, means) with μ = X·means."""
        P, V = self.n_processes, len(self.times)
        if not self.has_shift:
            return np.eye(V * P)
        later = (np.arange(V) > 0).astype(float)
        return np.kron(np.column_stack([np.ones(V), later]), np.eye(P))

    # ---- what is asked of θ

    def drift_elements(self, theta: Array) -> Jacobian:
        """vec A, row by row."""
        A, dA = self.drift(theta)
        P = self.n_processes
        change = np.zeros((*theta.shape, P * P))
        change[..., self.part("A"), :] = dA.reshape(*dA.shape[:-2], P * P)
        return Jacobian(A.reshape(*A.shape[:-2], P * P), change)

    def lag_elements(self, theta: Array, lag: float) -> Jacobian:
        """vec exp(A·lag), row by row."""
        P = self.n_processes
        inner = self.drift_elements(theta)
        Phi, dPhi = lagged(inner.value.reshape(*theta.shape[:-1], P, P), lag)
        change = inner.change @ dPhi.reshape(*dPhi.shape[:-2], P * P)
        return Jacobian(Phi.reshape(*Phi.shape[:-2], P * P), change)

    def diffusion_elements(self, theta: Array) -> Jacobian:
        """The lower triangle of Q."""
        found, lower = self._diffusion(theta), _lower(self.n_processes)
        return Jacobian(found.value[..., lower], found.change[..., lower])

    def noise_elements(self, theta: Array, lag: float) -> Jacobian:
        """The lower triangle of Ψ(lag)."""
        found, lower = self._noise(theta, lag), _lower(self.n_processes)
        return Jacobian(found.value[..., lower], found.change[..., lower])

    def asymptotic_elements(self, theta: Array) -> Jacobian:
        """The lower triangle of P_∞."""
        P = self.n_processes
        lower = _lower(P)
        inner, Q = self.drift_elements(theta), self._diffusion(theta)
        shape = (*theta.shape[:-1], P, P)
        end, dA, taking = asymptotic(inner.value.reshape(shape), Q.value.reshape(shape))
        change = inner.change @ dA.reshape(*dA.shape[:-2], P * P) + Q.change @ np.swapaxes(taking, -1, -2)
        return Jacobian(end.reshape(*end.shape[:-2], P * P)[..., lower], change[..., lower])

    def _diffusion(self, theta: Array) -> Jacobian:
        """vec Q = J⁻¹ vec Ψ over the shortest gap."""
        P = self.n_processes
        inner = self.drift_elements(theta)
        J, dJ = process_noise(inner.value.reshape(*theta.shape[:-1], P, P), float(np.diff(self.times).min()))
        back = np.linalg.inv(J)
        Q = (back @ self.symmetric(theta, "Psi").reshape(*theta.shape[:-1], P * P, 1))[..., 0]
        change = -inner.change @ np.einsum("...kab,...b->...ka", dJ, Q) @ np.swapaxes(back, -1, -2)
        change[..., self.part("Psi"), :] += _symmetric_units(P).reshape(-1, P * P) @ np.swapaxes(back, -1, -2)
        return Jacobian(Q, change)

    def _noise(self, theta: Array, lag: float) -> Jacobian:
        """vec Ψ(lag) = J(lag) vec Q."""
        P = self.n_processes
        inner, Q = self.drift_elements(theta), self._diffusion(theta)
        J, dJ = process_noise(inner.value.reshape(*theta.shape[:-1], P, P), lag)
        change = inner.change @ np.einsum("...kab,...b->...ka", dJ, Q.value) + Q.change @ np.swapaxes(J, -1, -2)
        return Jacobian((J @ Q.value[..., None])[..., 0], change)

    def start(self, mean: Array, variance: Array) -> Array:
        """θ (R, q) from means and variances (R, D) of the columns alone."""
        return np.stack([self.begin(m, np.diag(v), 0.7, 0.4) for m, v in zip(mean, variance, strict=True)])

    def begin(self, mean: Array, covariance: Array, rate: float, share: float) -> Array:
        """θ (q,) from the moments of the columns: no cross-lags, rates about `rate`, and traits with that share of the
        first visit's variance.
        """
        P, V = self.n_processes, len(self.times)
        C = covariance.reshape(V, P, V, P)
        last = np.mean([C[j, :, j, :] for j in range(1, V)], axis=0)
        B = share * C[0, :, 0, :] if self.has_traits else np.zeros((P, P))
        ends = last - B
        ends = ends if np.linalg.eigvalsh(ends).min() > 0 else (1 - share) * last
        rates = rate * np.linspace(0.85, 1.2, P) if P > 1 else np.array([rate])
        A = -np.diag(rates)
        kept = np.exp(-rates * np.diff(self.times).min())
        Psi = ends * (1 - np.outer(kept, kept))
        own = np.concatenate([np.log(rates), np.zeros(P * P - P)]) if self.is_real else A.ravel()
        parts = [Psi, C[0, :, 0, :] - B, *([B] if self.has_traits else [])]
        lower = np.tril_indices(P)
        wide = mean.reshape(V, P)
        means = np.concatenate([wide[0], wide[1:].mean(0) - wide[0]]) if self.has_shift else mean
        return np.concatenate([own, *(part[lower] for part in parts), means])


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A panel in which some parameters have known values: what is left of θ is free."""

    panel: ContinuousTime
    at: tuple[int, ...]
    values: tuple[float, ...]

    @property
    def free(self) -> NDArray[np.intp]:
        """Which parameters are left."""
        return np.setdiff1d(np.arange(self.panel.n_parameters), self.at)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the parameters that are left."""
        return tuple(self.panel.labels[k] for k in self.free)

    @property
    def n_observed(self) -> int:
        """D."""
        return self.panel.n_observed

    def whole(self, theta: Array) -> Array:
        """All parameters (..., q)."""
        out = np.empty((*theta.shape[:-1], self.panel.n_parameters))
        out[..., self.free] = theta
        out[..., list(self.at)] = self.values
        return out

    def moments(self, theta: Array) -> tuple[Array, Array]:
        """μ and Σ."""
        return self.panel.moments(self.whole(theta))

    def derivatives(self, theta: Array) -> Moments:
        """μ and Σ with the derivatives that are left."""
        found = self.panel.derivatives(self.whole(theta))
        return Moments(found.mu, found.Sigma, found.d_mu[..., self.free, :], found.d_Sigma[..., self.free, :, :])

    def curvature(self, theta: Array, by_mu: Array, by_Sigma: Array) -> Array:
        """g'∂²μ + tr G ∂²Σ of what is left."""
        found = self.panel.curvature(self.whole(theta), by_mu, by_Sigma)
        return found[..., self.free[:, None], self.free]

    def start(self, mean: Array, variance: Array) -> Array:
        """As the panel's."""
        return self.panel.start(mean, variance)[..., self.free]

    def variances(self) -> tuple[int, ...]:
        """Those that are left."""
        return tuple(int(np.flatnonzero(self.free == at)[0]) for at in self.panel.variances() if at not in self.at)


def _product(a: Array, da: Array, b: Array, db: Array) -> tuple[Array, Array]:
    return a @ b, da @ b[..., None, :, :] + a[..., None, :, :] @ db


def _symmetric_units(P: int) -> Array:
    """(P(P + 1)/2, P, P): 1 at (i, j) and (j, i), over the lower triangle row by row."""
    i, j = np.tril_indices(P)
    halves = np.zeros((len(i), P, P))
    at = np.arange(len(i))
    halves[at, i, j] = halves[at, j, i] = 1.0
    return halves


def _lower(P: int) -> NDArray[np.intp]:
    """Where the lower triangle stands in vec, row by row."""
    i, j = np.tril_indices(P)
    return i * P + j


def _planes(P: int) -> list[tuple[int, int]]:
    return [(k, m) for k in range(P) for m in range(k + 1, P)]


def _givens(angle: Array, plane: tuple[int, int], P: int) -> tuple[Array, Array]:
    """A rotation in one plane, and its derivative in the angle."""
    k, m = plane
    G = np.broadcast_to(np.eye(P), (*angle.shape, P, P)).copy()
    dG = np.zeros(G.shape)
    c, s = np.cos(angle), np.sin(angle)
    G[..., k, k] = G[..., m, m] = c
    G[..., m, k], G[..., k, m] = s, -s
    dG[..., k, k] = dG[..., m, m] = -s
    dG[..., m, k], dG[..., k, m] = c, -c
    return G, dG
