"""Two scores of the same persons: the paired t test, and two arms before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..engine.power import (
    ancova_variance,
    change_variance,
    expected_half_width,
    half_width_assurance,
    t_power,
)
from ..errors import one_of
from ..estimates import Estimates
from ._answer import Goal, answer, between, enrolled_note, refused, row
from ._design import ALTERNATIVES, Alternative, split

__all__ = ["paired", "sd_of_changes", "two_arms"]

Analysis: TypeAlias = Literal["ancova", "change", "post"]
ANALYSES: dict[Analysis, str] = {
    "ancova": "analysis of covariance with the baseline as a covariate",
    "change": "t test of change scores",
    "post": "t test of the later scores",
}


def sd_of_changes(sd: float | tuple[float, float], correlation: float | None) -> float:
    """The standard deviation of the changes: given as it is, or by the SDs before and after and their correlation.

    >>> sd_of_changes(0.9, None), round(sd_of_changes((0.94, 0.76), 0.40), 3)
    (0.9, 0.943)
    """
    if isinstance(sd, tuple):
        if correlation is None:
            raise refused(
                f"The SDs {sd[0]:g} and {sd[1]:g} are given without a correlation.",
                "The SD of changes follows from both SDs and their correlation.",
                "Give correlation=0.4, or the SD of the changes as one number.",
            )
        before, after = (_positive(value) for value in sd)
        return float(np.sqrt(change_variance(before, after, between(correlation, -1, 1, "correlation"))))
    if correlation is not None:
        raise refused(
            f"One SD, {sd:g}, is given with a correlation.",
            "One number is the SD of the changes; a correlation goes with the SDs before and after.",
            "Give sd=(before, after), or leave the correlation out.",
        )
    return _positive(sd)


def paired(
    difference: float,
    *,
    sd: float | tuple[float, float],
    correlation: float | None = None,
    n: int | None = None,
    power: float | None = None,
    half_width: float | None = None,
    assurance: float | None = None,
    null: float = 0.0,
    alternative: Alternative = "two-sided",
    conf_level: float = 0.95,
    retention: float = 1.0,
) -> Estimates:
    """Power and precision of a paired t test of n persons with both scores, or the n that it takes.

    Parameters
    ----------
    difference : float
        The mean change that is assumed.
    sd : number, or pair of numbers with `correlation`
        Of the changes; or before and after.
    n, power, half_width : exactly one of them
        Persons; or the power or the expected half-width of the interval that is looked for.
    assurance : float, optional
        The probability with which the half-width is kept.
    null, alternative, conf_level
    retention : float
        The share of those enrolled who have both scores; the note says how many to enroll.

    Returns
    -------
    Estimates
        Kind "power"; the power is exact for normal changes.

    Examples
    --------
    >>> from burnout_stats.power import paired
    >>> found = paired(-0.3, sd=0.9, power=0.9).frame
    >>> found["measure"].tolist(), found["estimate"].round(3).tolist(), int(found["n"][0])
    (['difference', 'power', 'half-width'], [-0.3, 0.901, 0.181], 97)
    """
    one_of("alternative", alternative, ALTERNATIVES)
    alpha, s = 1 - between(conf_level, 0.5, 1, "conf_level"), sd_of_changes(sd, correlation)

    def power_at(size: int) -> float:
        ncp = (difference - null) * np.sqrt(size) / s
        return float(t_power(ncp, size - 1, alpha=alpha, alternative=alternative))

    def half_width_at(size: int) -> float:
        return float(expected_half_width(s / np.sqrt(size), size - 1, conf_level=conf_level))

    def chance_at(size: int, width: float) -> float:
        return float(half_width_assurance(width, s / np.sqrt(size), size - 1, conf_level=conf_level))

    goal = Goal(n=n, power=power, half_width=half_width, assurance=assurance)
    found = goal.persons(power_at=power_at, half_width_at=half_width_at, chance_at=chance_at, lowest=2)
    width = half_width_at(found)
    name: dict[str, object] = {"outcome": "score", "contrast": "later - earlier"}
    method, df, limits = "paired t", found - 1, (difference - width, difference + width)
    return answer(
        "power",
        [
            row(
                name,
                "difference",
                difference,
                std_error=s / np.sqrt(found),
                df=df,
                limits=limits,
                n=found,
                method=method,
            ),
            row(name, "power", power_at(found), df=df, n=found, method=method),
            row(name, "half-width", width, df=df, n=found, method=method),
        ],
        notes=(
            f"Assumed mean change {difference:g} with a standard deviation of changes of {s:.4g}.",
            f"A {alternative} paired t test at level {alpha:.3g} against {null:g}; exact for normal changes.",
            *enrolled_note(found, retention),
        ),
        conf_level=conf_level,
    )


def two_arms(
    difference: float,
    *,
    sd: float | tuple[float, float],
    correlation: float,
    analysis: Analysis | Sequence[Analysis] = ("ancova", "change", "post"),
    n: int | None = None,
    power: float | None = None,
    half_width: float | None = None,
    assurance: float | None = None,
    allocation: tuple[float, float] = (1.0, 1.0),
    null: float = 0.0,
    alternative: Alternative = "two-sided",
    conf_level: float = 0.95,
    retention: float = 1.0,
) -> Estimates:
    """Two arms before and after: what the baseline brings when it is a covariate, when it is subtracted, and when it is
    left out.

    Parameters
    ----------
    difference : float
        Between the arms at the later visit; they are alike before (as randomized ones are), so it is the difference of
        their changes too.
    sd : number, or (before, after)
    correlation : float
        Of both scores.
    analysis : "ancova", "change", "post", or several of them
    n : int
        Persons in both arms together; n, power and half_width as in `paired`. Each analysis has its own n.
    allocation : shares of the two arms

    Examples
    --------
    >>> from burnout_stats.power import two_arms
    >>> found = two_arms(-0.3, sd=0.9, correlation=0.5, power=0.9).frame
    >>> found[found["measure"].eq("power")].set_index("analysis")["n"].to_dict()
    {'ancova': 287, 'change': 381, 'post': 381}
    """
    one_of("alternative", alternative, ALTERNATIVES)
    chosen = [analysis] if isinstance(analysis, str) else list(analysis)
    for one in chosen:
        one_of("analysis", one, ANALYSES)
    before, after = (_positive(value) for value in (sd if isinstance(sd, tuple) else (sd, sd)))
    rho = between(correlation, -1, 1, "correlation")
    alpha = 1 - between(conf_level, 0.5, 1, "conf_level")
    if min(allocation) <= 0:
        raise refused(f"The allocation is {allocation}.", "Both shares are above 0.", "Give allocation=(1, 2).")
    shares = np.array(allocation) / sum(allocation)
    goal = Goal(n=n, power=power, half_width=half_width, assurance=assurance)
    rows, notes = [], []
    lowest = int(np.ceil(2 / shares.min())) + 2
    for one in chosen:
        plan = _TwoArms(one, difference - null, before, after, rho, shares, alternative, conf_level)
        found = goal.persons(
            power_at=plan.power, half_width_at=plan.half_width, chance_at=plan.assurance, lowest=lowest
        )
        (error, df), width = plan.known(found), plan.half_width(found)
        name: dict[str, object] = {"outcome": "score", "contrast": "second vs first arm", "analysis": one}
        method, limits = ANALYSES[one], (difference - width, difference + width)
        rows += [
            row(name, "difference", difference, std_error=error, df=df, limits=limits, n=found, method=method),
            row(name, "power", plan.power(found), df=df, n=found, method=method),
            row(name, "half-width", width, df=df, n=found, method=method),
        ]
        notes += [f"{one}: {note}" for note in enrolled_note(found, retention)]
    return answer(
        "power",
        rows,
        notes=(
            f"Assumed difference between the arms {difference:g}; the arms are alike before.",
            f"Assumed standard deviations {before:g} before and {after:g} after, correlation {rho:g}.",
            f"A {alternative} test at level {alpha:.3g} against {null:g}; scores are normal.",
            "Analysis of covariance leaves 1 − ρ² of the variance, and pays for baselines that differ by chance.",
            *notes,
        ),
        conf_level=conf_level,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _TwoArms:
    """One analysis of two arms, as a function of how many there are."""

    analysis: Analysis
    gap: float
    before: float
    after: float
    correlation: float
    shares: NDArray[np.float64]
    alternative: Alternative
    conf_level: float

    def known(self, n: int) -> tuple[float, float]:
        """The standard error, and its degrees of freedom."""
        variance = {
            "post": np.asarray(self.after**2),
            "change": change_variance(self.before, self.after, self.correlation),
            "ancova": ancova_variance(self.after, self.correlation, n),
        }[self.analysis]
        by_arm = split(np.array(n), self.shares)
        return float(np.sqrt(variance * (1 / by_arm).sum())), float(n - (3 if self.analysis == "ancova" else 2))

    def power(self, n: int) -> float:
        error, df = self.known(n)
        return float(t_power(self.gap / error, df, alpha=1 - self.conf_level, alternative=self.alternative))

    def half_width(self, n: int) -> float:
        return float(expected_half_width(*self.known(n), conf_level=self.conf_level))

    def assurance(self, n: int, width: float) -> float:
        return float(half_width_assurance(width, *self.known(n), conf_level=self.conf_level))


def _positive(value: float) -> float:
    if not value > 0:
        raise refused(f"A standard deviation is {value:g}.", "It is above 0.", "Give the SD between persons.")
    return float(value)
