"""Thousands of planned cohorts drawn, fitted and tested as one batch.

Cohorts are drawn in blocks that have a stream of random numbers each, so that an answer depends on the seed only. A
cohort that the model has no answer for is counted under the code that `fit` would give, or as "no verified optimum",
which `fit` tells as E-MODEL-SINGULAR, E-MODEL-NOT-IDENTIFIED or by a notice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ..engine import kenward_roger, satterthwaite
from ..engine.cell_sandwich import CellSandwich
from ..engine.covariance import STRUCTURES, Covariance
from ..engine.drawn_cohorts import CellSums, draw_sums, sums_of_rows
from ..engine.moments import Moments
from ..engine.regression_to_mean import inverse_mills
from ..engine.sandwich import ADJUSTMENTS
from ..engine.scoring import Optimum, Status, optimize
from ..engine.steps import theta_covariance
from ..errors import StudyError
from ..models.degrees_of_freedom import DF_METHODS, Counting
from ._design import CohortDesign

__all__ = ["BLOCK", "FittedCohorts", "Scenario", "Tests", "fitted_blocks"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
BLOCK = 500
"""Cohorts that share one stream of random numbers and are fitted together."""
LOST = 1e-10
"""Smallest eigenvalue of X'X, as part of the largest, at which a cohort has lost a column of X."""
MAX_ITERATIONS = 50
NODES = 61
"""Of Gauss-Hermite quadrature, for the average probability of being lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is true beside the design.

    Attributes
    ----------
    dropout_slope : float
        Log odds ratio of missing a visit for each SD of the baseline score; the shares of the patterns stay those of
        the design. 0 is missing completely at random.
    selected_above : float or None
        Persons enter because their baseline score lies above it.
    """

    dropout_slope: float = 0.0
    selected_above: float | None = None

    def draw(self, design: CohortDesign, n_cohorts: int, rng: np.random.Generator) -> CellSums:
        """The sums of R cohorts; patterns without any visit are left out."""
        patterns = design.seen
        if not self.dropout_slope and self.selected_above is None:
            sums = draw_sums(
                rng,
                n_cohorts,
                n=design.n_by_arm,
                means=design.mu,
                Sigma=design.sigma,
                patterns=patterns,
                shares=design.probabilities,
            )
        else:
            y, pattern, arm = self.rows(design, n_cohorts, rng)
            sums = sums_of_rows(y, pattern, arm, patterns=patterns, n_arms=len(design.arms))
        known = patterns.any(1)
        return CellSums(
            patterns=patterns[known], n=sums.n[..., known], s=sums.s[..., known, :], SS=sums.SS[:, :, known]
        )

    def rows(
        self, design: CohortDesign, n_cohorts: int, rng: np.random.Generator
    ) -> tuple[Array, NDArray[np.intp], NDArray[np.intp]]:
        """Scores (R, n, V) before anything is lost, the pattern (R, n) of each person, and the arms (n,)."""
        arm = np.repeat(np.arange(len(design.arms)), design.n_by_arm)
        mu, sigma = design.mu, design.sigma
        sd = np.sqrt(sigma[0, 0])
        if self.selected_above is None:
            z = rng.standard_normal((n_cohorts, len(arm)))
        else:
            beyond = special.ndtr(-(self.selected_above - mu[arm, 0]) / sd)
            z = -special.ndtri(beyond * rng.uniform(np.finfo(float).tiny, 1.0, (n_cohorts, len(arm))))
        y = mu[arm] + z[..., None] * sigma[0] / sd
        if len(sigma) > 1:
            C = np.linalg.cholesky(sigma[1:, 1:] - np.outer(sigma[0, 1:], sigma[0, 1:]) / sigma[0, 0])
            y[..., 1:] += rng.standard_normal((n_cohorts, len(arm), len(C))) @ C.T
        return y, self._patterns(design, z, arm, rng), arm

    def _patterns(
        self, design: CohortDesign, z: Array, arm: NDArray[np.intp], rng: np.random.Generator
    ) -> NDArray[np.intp]:
        shares, u = design.probabilities, rng.random(z.shape)
        whole = np.asarray(design.seen.all(1))
        lost = 1 - shares[:, whole].sum(1)
        if self.dropout_slope:
            tilted = np.array([_tilted(q, self.dropout_slope) for q in lost])
            lost_here = np.where((lost > 0)[arm], special.expit(tilted[arm] + self.dropout_slope * z), 0.0)
        else:
            lost_here = np.broadcast_to(lost[arm], z.shape)
        within = np.where(whole, 0.0, shares) / np.maximum(lost, 1e-300)[:, None]
        complete = np.where(whole, 1.0, 0.0) if whole.any() else np.zeros(len(whole))
        ends = np.cumsum(lost_here[..., None] * within[arm] + (1 - lost_here)[..., None] * complete, axis=-1)
        return np.asarray((u[..., None] > ends[..., :-1]).sum(-1), dtype=np.intp)


def _tilted(share: float, slope: float) -> float:
    """The a at which E expit(a + slope z) is the share, z standard normal; by bisection."""
    if not 0 < share < 1:
        return -np.inf if share <= 0 else np.inf
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    weights = weights / weights.sum()
    low, high = special.logit(share) - abs(slope) * 8, special.logit(share) + abs(slope) * 8
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if weights @ special.expit(middle + slope * nodes) < share else (low, middle)
    return float((low + high) / 2)


def expected_baseline(design: CohortDesign, cutoff: float) -> Array:
    """The mean baseline score of those above a cut-off, by arm: μ + σ φ(z)/(1 − Φ(z))."""
    sd = np.sqrt(design.sigma[0, 0])
    return np.asarray(design.mu[:, 0] + sd * inverse_mills((cutoff - design.mu[:, 0]) / sd))


@dataclass(frozen=True, eq=False)
class FittedCohorts:
    """R cohorts with their optimum, in the units of the scores."""

    design: CohortDesign
    sums: CellSums
    moments: Moments
    optimum: Optimum

    @cached_property
    def inner(self) -> Array:
        """L in the coordinates of the engine, (R, K, p)."""
        return self.moments.basis.functions(self.design.L)[0]

    @property
    def estimate(self) -> Array:
        """L β̂, (R, K)."""
        return np.asarray(np.einsum("rkp,rp->rk", self.inner, self.optimum.at.beta))

    @property
    def verified(self) -> Mask:
        """(R,)."""
        return np.asarray(self.optimum.status == Status.VERIFIED)

    def tests(self, df: str, vcov: str = "model") -> Tests:
        """Standard errors and degrees of freedom by a df method, from the model or a robust covariance."""
        if vcov == "model":
            V = VCOVS.get(df, _phi)(self)
            variance = np.einsum("rkp,rpq,rkq->rk", self.inner, V, self.inner, optimize=True)
            degrees = ROWS[df](self)
        else:
            sandwich = self._sandwich(vcov)
            L = self.design.L
            variance = np.einsum("kp,rpq,kq->rk", L, sandwich.vcov(), L, optimize=True)
            degrees = sandwich.row_df(L) if df == "satterthwaite" else ROWS[df](self)
        with np.errstate(invalid="ignore"):
            std_error = np.sqrt(variance)
        rests = np.zeros(self.estimate.shape, dtype=bool) if vcov == "model" else self._rests_on_one()
        sound = self.verified[:, None] & np.isfinite(std_error) & (std_error > 0) & (degrees > 0) & ~rests
        return Tests(self.estimate, std_error, degrees, sound, rests & self.verified[:, None])

    def joint(self, df: str, null: Array) -> tuple[Array, Array]:
        """F of all contrasts together against their values `null` (K,), and its denominator df, each (R,)."""
        at, P = self.optimum.at, self.optimum.curvature.P
        off = self.estimate - null
        if df == "satterthwaite":
            return satterthwaite.joint_test(self.inner, off, at.Phi, P, self.W)
        V = VCOVS.get(df, _phi)(self)
        if df in VCOVS:
            W = self.W_expected if df == "kenward-roger-expected" else self.W
            return kenward_roger.joint_test(self.inner, off, at.Phi, V, P, W)
        square = self.inner @ V @ np.swapaxes(self.inner, -1, -2)
        wald = np.einsum("rk,rk->r", off, np.linalg.solve(square, off[..., None])[..., 0])
        return wald / off.shape[-1], ROWS[df](self).min(-1)

    def _sandwich(self, kind: str) -> CellSandwich:
        basis = self.moments.basis
        C = basis.map
        square = np.broadcast_to(basis.scale, self.verified.shape)[:, None, None] ** 2
        M = square * (C @ self.optimum.at.Phi @ np.swapaxes(C, -1, -2))
        beta = basis.coefficients(self.optimum.at.beta)
        return CellSandwich.of(self.sums, self.design.X, beta, square * self.optimum.at.sigma[:, 0], M, kind=kind)

    def _rests_on_one(self) -> Mask:
        """Which contrasts use a mean that fewer than two persons have a score for, (R, K)."""
        seen = self.sums.seen
        if self.design.baseline == "common":
            seen = np.concatenate(
                [np.broadcast_to(seen[..., :1].sum(1, keepdims=True), seen[..., :1].shape), seen[..., 1:]], axis=-1
            )
        used = self.design.weights != 0
        return np.asarray((used & (seen < 2)[:, None]).any((-2, -1)))

    @cached_property
    def W(self) -> Array:
        """The covariance of θ̂ from the observed information, (R, m, m)."""
        return theta_covariance(self.optimum.curvature.observed)

    @cached_property
    def W_expected(self) -> Array:
        """The same from the expected information."""
        return theta_covariance(self.optimum.curvature.expected)

    def counted(self, method: str) -> Array:
        """df that count rows and subjects, (R, K)."""
        L = np.where(np.abs(self.design.L) < 1e-12, 0.0, self.design.L)
        n_obs, n_subjects = self.moments.n_obs, self.moments.n_subjects
        both = np.stack([n_obs, n_subjects], axis=-1)
        found, where = np.unique(both, axis=0, return_inverse=True)
        each = np.array([getattr(Counting(int(a), int(b), self.design.columns), method)(L) for a, b in found])
        return np.asarray(each[where.reshape(-1)])


@dataclass(frozen=True, slots=True, eq=False)
class Tests:
    """By cohort and contrast (R, K): estimates, standard errors, df; where they are `sound`, an answer; and where a
    robust one is refused because a mean `rests` on one person.
    """

    estimate: Array
    std_error: Array
    df: Array
    sound: Mask
    rests: Mask

    def statistic(self, null: float | Array) -> Array:
        """t of every cohort and contrast."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((self.estimate - null) / self.std_error)

    def p_value(self, null: float | Array, alternative: str) -> Array:
        """Of t on its df."""
        t = self.statistic(null)
        if alternative == "two-sided":
            return np.asarray(2 * special.stdtr(self.df, -np.abs(t)))
        return np.asarray(special.stdtr(self.df, t if alternative == "less" else -t))

    def half_width(self, conf_level: float) -> Array:
        """Of the two-sided interval."""
        return np.asarray(special.stdtrit(self.df, (1 + conf_level) / 2) * self.std_error)


# ---- the table of df methods, over stacks ---------------------------------------------------------------------------


def _phi(fitted: FittedCohorts) -> Array:
    return fitted.optimum.at.Phi


def _adjusted(information: str, *, second_order: bool = False) -> Callable[[FittedCohorts], Array]:
    def vcov(fitted: FittedCohorts) -> Array:
        o, m = fitted.optimum, fitted.moments
        W = fitted.W if information == "observed" else fitted.W_expected
        Q = kenward_roger.weighted_Q(o.at.A, o.curvature.first, m.T, W)
        R = None
        if second_order:
            structure = Covariance(STRUCTURES[fitted.design.covariance], fitted.design.years)
            R = kenward_roger.weighted_R(o.at.A, structure, o.theta, m.groups, m.T, W)
        return kenward_roger.adjusted_covariance(Q, o.at.Phi, o.curvature.P, W, R)

    return vcov


def _rows(information: str) -> Callable[[FittedCohorts], Array]:
    def rows(fitted: FittedCohorts) -> Array:
        W = fitted.W if information == "observed" else fitted.W_expected
        return satterthwaite.row_df(fitted.inner, fitted.optimum.at.Phi, fitted.optimum.curvature.P, W)

    return rows


VCOVS: Mapping[str, Callable[[FittedCohorts], Array]] = MappingProxyType(
    {
        "kenward-roger": _adjusted("observed"),
        "kenward-roger-expected": _adjusted("expected"),
        "kenward-roger-second-order": _adjusted("observed", second_order=True),
    }
)
"""Covariances other than Φ."""
ROWS: Mapping[str, Callable[[FittedCohorts], Array]] = MappingProxyType(
    {
        "kenward-roger": _rows("observed"),
        "kenward-roger-expected": _rows("expected"),
        "kenward-roger-second-order": _rows("observed"),
        "satterthwaite": _rows("observed"),
        "between-within": lambda fitted: fitted.counted("between_within"),
        "residual": lambda fitted: fitted.counted("residual"),
        "asymptotic": lambda fitted: np.full(fitted.estimate.shape, np.inf),
    }
)
"""Degrees of freedom; the same methods as `models.degrees_of_freedom.DF_METHODS`, one for each of its names."""
KINDS = {"model": "of the model", **{code: kind.name for code, kind in ADJUSTMENTS.items()}}
METHODS = tuple(DF_METHODS)


# ---- blocks ---------------------------------------------------------------------------------------------------------


def fitted_blocks(
    design: CohortDesign,
    scenario: Scenario,
    replicates: int,
    seed: int,
    refused: Counter[str],
    *,
    truth: CohortDesign | None = None,
) -> Iterator[FittedCohorts]:
    """The fits of all cohorts, block by block; those that have no fit are counted in `refused` by their code.

    They are drawn from `truth` where it is not the design that is fitted.
    """
    if scenario.dropout_slope and not design.seen[:, 0].all():
        raise StudyError(
            "E-STUDY-DESIGN",
            "Dropout is to depend on the baseline score, and some patterns have no baseline.",
            "Missing at random depends on what was seen.",
            "Leave the patterns without the first visit out, or dropout_slope.",
        )
    structure = Covariance(STRUCTURES[design.covariance], design.years)
    X = design.X
    for block in range(-(-replicates // BLOCK)):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(block,)))
        sums = scenario.draw(truth or design, BLOCK, rng)
        sums = sums.take(np.arange(min(BLOCK, replicates - block * BLOCK)))
        sums = _answerable(sums, X, design.covariance, refused)
        if not len(sums.n):
            continue
        moments = sums.moments(X).orthonormal()
        optimum = optimize(moments, structure, reml=True, max_iterations=MAX_ITERATIONS)
        fitted = FittedCohorts(design, sums, moments, optimum)
        if (left := int((~fitted.verified).sum())) > 0:
            refused["no verified optimum"] += left
        yield fitted


def _answerable(sums: CellSums, X: Array, covariance: str, refused: Counter[str]) -> CellSums:
    """The cohorts whose mean of every arm at every visit can be estimated, and whose visits were seen in pairs."""
    gram = np.einsum("rgv,gvi,gvj->rij", sums.seen, X, X, optimize=True)
    values = np.linalg.eigvalsh(gram)
    missing = values[:, 0] <= LOST * np.maximum(values[:, -1], 1e-300)
    rows = sums.seen.sum((1, 2))
    saturated = ~missing & (rows <= X.shape[-1])
    both = (sums.patterns[:, :, None] & sums.patterns[:, None, :]).astype(float)
    pairs = np.einsum("rgp,pab->rab", sums.n, both)
    unseen = ~missing & ~saturated & (pairs == 0).any((1, 2)) & (covariance == "us")
    for code, which in (
        ("N-MODEL-ALIASED", missing),
        ("E-MODEL-SATURATED", saturated),
        ("E-MODEL-PAIR-UNSEEN", unseen),
    ):
        if which.any():
            refused[code] += int(which.sum())
    return sums.take(~(missing | saturated | unseen))
