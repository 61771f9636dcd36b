"""Power and precision of the contrasts of a mixed model for repeated measures, with the visits that will be missed.

Lu, Luo & Chen 2008 give the large-sample formula for the last visit of two arms with dropout. Here the expected
information of any pattern, contrast and structure is built by the engine that will fit the model, and the planned test
is a noncentral t with the degrees of freedom that its method would find at the assumed covariance. That is an
approximation of ours, as is the part of chance in who misses which visit (of second order; left out with df
"asymptotic", which is Lu, Luo & Chen's formula as it stands). Both are checked against simulated cohorts (`simulate`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..engine.covariance import STRUCTURES, Covariance
from ..engine.expected_information import expected_information
from ..engine.power import expected_half_width, half_width_assurance, t_power
from ..estimates import Estimates
from ..models.degrees_of_freedom import DF_METHODS, Counting
from ._answer import Goal, answer, refused, row
from ._design import CohortDesign, split

__all__ = ["Planned", "assumptions", "mmrm", "planned", "planned_at", "pointers", "sized"]

Array = NDArray[np.float64]
UNADJUSTED = ("satterthwaite", "between-within", "residual")
"""Methods that take the estimate of Φ as it is: it falls short by Λ where the variance exceeds it by Λ."""
THREE_POINTS = ((-1, 1 / 6), (0, 2 / 3), (1, 1 / 6))
"""In units of √3 standard deviations, with their weights."""
FIT = 1e-8
"""Relative difference up to which the assumed Σ is one of its structure."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Planned:
    """What is expected of the contrasts (K) at sizes n (B).

    Attributes
    ----------
    n : (B,) array
    difference : (K,) array
    variance : (B, K) array
        v, of the estimated contrast.
    estimated : (B, K) array
        E v̂, what its own estimate is on average.
    df : (B, K) array
    doubt : (B, K) array
        The squared coefficient of variation of v that comes from visits missed by chance.
    design : CohortDesign
    """

    n: NDArray[np.integer]
    difference: Array
    variance: Array
    estimated: Array
    df: Array
    doubt: Array
    design: CohortDesign

    @property
    def std_error(self) -> Array:
        """√E v̂, (B, K)."""
        return np.sqrt(self.estimated)

    def power(self, difference: Array | None = None) -> Array:
        """(B, K); of other differences where they are given."""
        gap = (self.difference if difference is None else np.asarray(difference, dtype=float)) - self.design.null
        return self._averaged(
            lambda times: t_power(
                gap / np.sqrt(self.variance * times),
                self.df,
                alpha=1 - self.design.conf_level,
                alternative=self.design.alternative,
                ratio=np.sqrt(self.estimated / self.variance),
            )
        )

    def half_width(self) -> Array:
        """The expected half-width of the two-sided interval, (B, K)."""
        level = self.design.conf_level
        return self._averaged(
            lambda times: expected_half_width(self.std_error * np.sqrt(times), self.df, conf_level=level)
        )

    def assurance(self, half_width: float) -> Array:
        """The probability that the half-width stays below this, (B, K)."""
        level = self.design.conf_level
        return self._averaged(
            lambda times: half_width_assurance(half_width, self.std_error * np.sqrt(times), self.df, conf_level=level)
        )

    def _averaged(self, at: Callable[[Array], Array]) -> Array:
        """The mean over v times a lognormal number with mean 1, by Gauss and Hermite's three points."""
        log = np.log1p(self.doubt)
        points = [(np.exp(-log / 2 + step * np.sqrt(3 * log)), share) for step, share in THREE_POINTS]
        return np.asarray(sum(share * at(times) for times, share in points))


def planned(design: CohortDesign, n: Sequence[int] | NDArray[np.integer] | None = None) -> Planned:
    """What is expected at the size of the design, or at others."""
    sizes = np.array([design.n] if n is None else n)
    return planned_at(design, sizes, split(sizes, design.shares)[..., None] * design.probabilities, design.sigma)


def planned_at(design: CohortDesign, sizes: NDArray[np.integer], expected: Array, sigma: Array) -> Planned:
    """What is expected with so many persons by arm and pattern (B, A, P), and Σ (V, V) or (B, V, V)."""
    covariance = Covariance(STRUCTURES[design.covariance], design.years)
    off = np.abs(covariance.sigma(covariance.start(sigma))[..., 0, :, :] - sigma).max() / sigma.max()
    if not off < FIT:
        raise refused(
            f"The standard deviations and correlations are not those of the structure {design.covariance}.",
            "A plan for a structure assumes that it holds.",
            'Take covariance="us", or standard deviations and correlations of that structure.',
        )
    known = expected_information(design.X, design.seen, expected, covariance, sigma)
    L, method = design.L, DF_METHODS[design.df]
    Phi = np.einsum("kp,...pq,kq->...k", L, known.Phi, L)
    if method.counted is None:
        df = method.rows(known, L)
    else:
        came = expected.sum(-2)
        subjects, rows = came[..., design.seen.any(1)].sum(-1), came @ design.seen.sum(1)
        counts = [Counting(round(n), round(m), design.columns) for m, n in zip(subjects, rows, strict=True)]
        df = np.array([method.counted(count, L) for count in counts])
    df = np.broadcast_to(np.where(df > 0, df, np.nan), Phi.shape)
    variance = estimated = Phi
    doubt = np.zeros_like(Phi)
    if design.df != "asymptotic":
        excess = np.einsum("kp,...pq,kq->...k", L, known.excess, L)
        raised, by_chance = known.spread(L)
        variance = Phi + raised + excess
        estimated = np.where(design.df in UNADJUSTED, np.maximum(Phi + raised - excess, 0.0), variance)
        doubt = by_chance / variance**2
    return Planned(
        n=sizes,
        difference=design.differences(),
        variance=variance,
        estimated=estimated,
        df=df,
        doubt=doubt,
        design=design,
    )


def mmrm(design: CohortDesign) -> Estimates:
    """Power and precision of the planned contrasts at the size of the design.

    Returns
    -------
    Estimates
        Kind "power": for each contrast the `measure` "difference" (assumed, with its expected standard error and
        interval), "power" and "half-width" (of the interval, on average); n counts all who are enrolled.

    Raises
    ------
    StudyError
        `E-STUDY-DESIGN` where the assumed covariance is not of the planned structure, or nothing can be estimated.

    Examples
    --------
    >>> from burnout_stats.power import CohortDesign, mmrm, monotone_patterns
    >>> lost = monotone_patterns((1, 0.85, 0.7))
    >>> design = CohortDesign((3.0, 2.8, 2.75), sd=0.9, correlation=0.5, patterns=lost, n=100)
    >>> [round(value, 3) for value in mmrm(design).frame["estimate"]]
    [-0.25, 0.669, 0.204]
    """
    return _told(planned(design))


def sized(
    design: CohortDesign,
    *,
    power: float | None = None,
    half_width: float | None = None,
    assurance: float | None = None,
) -> CohortDesign:
    """The design with the smallest number of persons, enrolled and lost visits included, that reaches the goal in every
    contrast.

    Parameters
    ----------
    design : CohortDesign
        Its own n is not looked at.
    power : float
        The least power of each contrast; or
    half_width : float
        the largest expected half-width of its interval,
    assurance : float, optional
        or one that is kept with at least this probability.

    Examples
    --------
    >>> from burnout_stats.power import CohortDesign, monotone_patterns, sized
    >>> lost = monotone_patterns((1, 0.85, 0.7))
    >>> design = CohortDesign((3.0, 2.8, 2.75), sd=0.9, correlation=0.5, patterns=lost)
    >>> sized(design, power=0.9).n, sized(design, half_width=0.15).n, sized(design, half_width=0.15, assurance=0.9).n
    (181, 184, 211)
    """
    goal = Goal(power=power, half_width=half_width, assurance=assurance)
    n = goal.persons(
        power_at=lambda size: _least(planned(design, [size]).power()),
        half_width_at=lambda size: -_least(-planned(design, [size]).half_width(), missing=-np.inf),
        chance_at=lambda size, width: _least(planned(design, [size]).assurance(width)),
        lowest=len(design.labels) * len(design.arms) + 1,
    )
    return design.with_n(n)


def _least(values: Array, missing: float = 0.0) -> float:
    return float(np.where(np.isnan(values), missing, values).min())


def _told(plan: Planned) -> Estimates:
    design = plan.design
    (power,), (width,), (error,), (df,) = plan.power(), plan.half_width(), plan.std_error, plan.df
    if np.isnan(power).any():
        raise refused(
            f"With {design.n} persons the planned contrasts cannot be estimated.",
            "Someone has to be expected at each visit of each arm that a contrast asks for.",
            "Take a larger n, or look at the patterns.",
        )
    method = method_of(design)
    rows = []
    for k, contrast in enumerate(design.contrasts):
        name = {"outcome": design.outcome, "contrast": named(design, contrast)}
        delta = plan.difference[k]
        limits = (delta - width[k], delta + width[k])
        rows += [
            row(name, "difference", delta, std_error=error[k], df=df[k], limits=limits, n=design.n, method=method),
            row(name, "power", power[k], df=df[k], n=design.n, method=method),
            row(name, "half-width", width[k], df=df[k], n=design.n, method=method),
        ]
    return answer(
        "power",
        rows,
        notes=(*assumptions(design), *pointers(design)),
        conf_level=design.conf_level,
        units={design.outcome: design.unit} if design.unit else {},
        better={design.outcome: design.better} if design.better else {},
        visit_years=dict(design.visits),
        df_method=design.df,
    )


def method_of(design: CohortDesign) -> str:
    """Which method the rows rest on."""
    return f"MMRM ({design.covariance}), expected information, {DF_METHODS[design.df].name}"


def named(design: CohortDesign, contrast: str) -> str:
    """The contrast with its arms, where there are two."""
    if len(design.arms) == 1:
        return contrast
    return f"{design.arms[1]} vs {design.arms[0]}: {contrast}"


def assumptions(design: CohortDesign) -> tuple[str, ...]:
    """Every assumption of the plan, a sentence each."""
    means = "; ".join(
        (f"{arm} " if len(design.arms) > 1 else "") + ", ".join(f"{mean:g}" for mean in row)
        for arm, row in zip(design.arms, design.mu, strict=True)
    )
    sd, R = design.sds, np.asarray(design.correlation)
    pairs = [
        f"{R[a, b]:.3g} between {design.labels[a]} and {design.labels[b]}"
        for a in range(len(R))
        for b in range(a + 1, len(R))
    ]
    told = [
        f"Assumed means at {', '.join(design.labels)}: {means}.",
        f"Assumed standard deviations: {', '.join(f'{value:g}' for value in sd)}; correlations: {', '.join(pairs)}."
        if pairs
        else f"Assumed standard deviation: {sd[0]:g}.",
    ]
    for arm in design.arms:
        shares = design.probabilities[design.arms.index(arm)] @ design.seen
        told.append(
            f"Expected at the visits{f' of {arm}' if len(design.arms) > 1 else ''}: "
            + ", ".join(f"{100 * share:.3g}%" for share in shares)
            + " of those enrolled."
        )
    if len(design.arms) == 2:
        common = " The model gives the arms one mean at the first visit." if design.baseline == "common" else ""
        sizes = ", ".join(f"{n} in {arm}" for arm, n in zip(design.arms, design.n_by_arm, strict=True))
        told.append(f"Enrolled: {sizes}.{common}")
    side = {"two-sided": "two-sided", "less": "one-sided (less)", "greater": "one-sided (greater)"}[design.alternative]
    told.append(
        f"A {side} t test at level {1 - design.conf_level:.3g} against {design.null:g}, with the degrees of freedom "
        "that the method would find at the assumed covariance; scores are normal and missing at random."
    )
    told += [f"Source of the {name}: {source}." for name, source in design.sources.items()]
    return tuple(told)


def pointers(design: CohortDesign) -> tuple[str, ...]:
    """What the plan does not know, and which verb tells more of it."""
    told = ["The approximations of the method can be checked by power.simulate()."]
    if len(design.arms) == 1:
        told.append(
            "With one arm, a difference from 0 is also what regression to the mean brings where people come because "
            "they feel unwell: see power.expected_fall()."
        )
    return tuple(told)
