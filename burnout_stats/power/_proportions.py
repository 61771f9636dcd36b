"""Planning for yes and no: one proportion, pairs (McNemar) and two groups."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from ..engine.power import (
    mcnemar_connor,
    mcnemar_exact,
    mcnemar_miettinen,
    paired_proportion_half_width,
    proportion_half_width,
    two_proportions_power,
)
from ..errors import one_of
from ..estimates import Estimates
from ._answer import Goal, answer, between, enrolled_note, refused, row
from ._design import ALTERNATIVES, Alternative, split

__all__ = ["mcnemar", "proportion", "two_proportions"]

McNemarMethod: TypeAlias = Literal["exact", "mid-p", "connor", "miettinen"]
METHODS: dict[McNemarMethod, str] = {
    "exact": "McNemar's exact test, averaged over the number who change (Duffy 1984)",
    "mid-p": "McNemar's mid-p test, averaged over the number who change",
    "connor": "McNemar's test, normal (Connor 1987)",
    "miettinen": "McNemar's test, normal to second order (Miettinen 1968)",
}
STEADY = 40
"""Exact powers go to and fro with n; the n that is told reaches the goal for so many n after it too."""


def proportion(
    p: float, *, n: int | None = None, half_width: float | None = None, conf_level: float = 0.95, retention: float = 1.0
) -> Estimates:
    """The expected half-width of Wilson's interval of a proportion, or the n that it takes.

    Examples
    --------
    >>> from burnout_stats.power import proportion
    >>> found = proportion(0.35, half_width=0.05).frame
    >>> found["estimate"].round(3).tolist(), int(found["n"][0])
    ([0.35, 0.05], 346)
    """
    between(p, 0, 1, "p")
    between(conf_level, 0.5, 1, "conf_level")

    def half_width_at(size: int) -> float:
        return proportion_half_width(p, size, conf_level=conf_level)

    goal = Goal(n=n, half_width=half_width)
    found = goal.persons(power_at=None, half_width_at=half_width_at, lowest=2)
    width = half_width_at(found)
    name: dict[str, object] = {"outcome": "proportion", "contrast": "proportion"}
    method = "Wilson's interval, averaged over the count"
    error = np.sqrt(p * (1 - p) / found)
    return answer(
        "power",
        [
            row(name, "proportion", p, std_error=error, limits=(p - width, p + width), n=found, method=method),
            row(name, "half-width", width, n=found, method=method),
        ],
        notes=(f"Assumed proportion {p:g}.", *enrolled_note(found, retention)),
        conf_level=conf_level,
    )


def mcnemar(
    before: float,
    after: float,
    *,
    correlation: float | None = None,
    both: float | None = None,
    n: int | None = None,
    power: float | None = None,
    half_width: float | None = None,
    method: McNemarMethod = "exact",
    alternative: Alternative = "two-sided",
    conf_level: float = 0.95,
    retention: float = 1.0,
) -> Estimates:
    """Power of McNemar's test and half-width of the interval of a difference of paired proportions, or the n they take.

    Parameters
    ----------
    before, after : float
        The proportions of the same persons.
    correlation, both : float, exactly one of them
        Of the two answers, or the share who say yes both times.
    n, power, half_width : exactly one of them
    method : "exact", "mid-p", "connor" or "miettinen"
    alternative : "less" is fewer after.
    conf_level, retention : float

    Returns
    -------
    Estimates
        Kind "power": `measure` "difference" (after less before), "power", "half-width" (of Newcombe's interval, method
        10, at the expected table).

    Examples
    --------
    >>> from burnout_stats.power import mcnemar
    >>> found = mcnemar(0.35, 0.20, both=0.15, n=80).frame
    >>> found["estimate"].round(3).tolist()
    [-0.15, 0.737, 0.107]
    """
    one_of("method", method, METHODS)
    one_of("alternative", alternative, ALTERNATIVES)
    alpha = 1 - between(conf_level, 0.5, 1, "conf_level")
    shared = _shared(before, after, correlation, both)
    up, down = after - shared, before - shared

    def power_at(size: int) -> float:
        if method in ("exact", "mid-p"):
            return mcnemar_exact(up, down, size, alpha=alpha, alternative=alternative, mid_p=method == "mid-p")
        normal = mcnemar_connor if method == "connor" else mcnemar_miettinen
        return float(normal(up, down, size, alpha=alpha, alternative=alternative))

    def half_width_at(size: int) -> float:
        return paired_proportion_half_width(shared, down, up, size, conf_level=conf_level)

    goal = Goal(n=n, power=power, half_width=half_width)
    stays = STEADY if method in ("exact", "mid-p") else 0
    found = goal.persons(power_at=power_at, half_width_at=half_width_at, lowest=2, stays=stays)
    width, difference = half_width_at(found), after - before
    name: dict[str, object] = {"outcome": "proportion", "contrast": "after - before"}
    error = np.sqrt((up + down - difference**2) / found)
    told, limits = METHODS[method], (difference - width, difference + width)
    return answer(
        "power",
        [
            row(name, "difference", difference, std_error=error, limits=limits, n=found, method=told),
            row(name, "power", power_at(found), n=found, method=told),
            row(name, "half-width", width, n=found, method="Newcombe's interval at the expected table"),
        ],
        notes=(
            f"Assumed proportions {before:g} before and {after:g} after; {up:.3g} turn to yes, {down:.3g} to no.",
            f"{told}; {alternative}, level {alpha:.3g}.",
            *(("Exact powers go to and fro with n: all n from this one on reach it.",) if power and stays else ()),
            *enrolled_note(found, retention),
        ),
        conf_level=conf_level,
    )


def _shared(before: float, after: float, correlation: float | None, both: float | None) -> float:
    """The share of those who say yes both times, checked to be possible."""
    between(before, 0, 1, "before")
    between(after, 0, 1, "after")
    if (correlation is None) == (both is None):
        raise refused(
            "Of correlation and both, exactly one is to be given.",
            "Two proportions alone do not say how many change.",
            "Give both=0.1, the share who say yes both times, or correlation=0.3.",
        )
    if both is None:
        r = float(correlation or 0.0)
        both = before * after + r * float(np.sqrt(before * (1 - before) * after * (1 - after)))
    low, high = max(0.0, before + after - 1), min(before, after)
    if not low - 1e-12 <= both <= high + 1e-12:
        raise refused(
            f"With {before:g} before and {after:g} after, a share of {both:.3g} who say yes both times cannot be.",
            f"It lies between {low:.3g} and {high:.3g}.",
            "Give another correlation or share.",
        )
    if before + after - 2 * both < 1e-12:
        raise refused(
            "Nobody is assumed to change.", "McNemar's test asks those who change.", "Give a smaller share for both."
        )
    return min(max(both, low), high)


def two_proportions(
    first: float,
    second: float,
    *,
    n: int | None = None,
    power: float | None = None,
    allocation: tuple[float, float] = (1.0, 1.0),
    alternative: Alternative = "two-sided",
    conf_level: float = 0.95,
    retention: float = 1.0,
) -> Estimates:
    """The normal power of the pooled test of two independent proportions, or the n of both groups together.

    Examples
    --------
    >>> from burnout_stats.power import two_proportions
    >>> found = two_proportions(0.5, 0.75, power=0.9).frame
    >>> found["estimate"].round(4).tolist(), int(found["n"][0])
    ([0.25, 0.9011], 154)
    """
    one_of("alternative", alternative, ALTERNATIVES)
    between(first, 0, 1, "first")
    between(second, 0, 1, "second")
    alpha = 1 - between(conf_level, 0.5, 1, "conf_level")
    if min(allocation) <= 0:
        raise refused(f"The allocation is {allocation}.", "Both shares are above 0.", "Give allocation=(1, 2).")
    shares = np.array(allocation) / sum(allocation)

    def power_at(size: int) -> float:
        a, b = split(np.array(size), shares)
        return float(two_proportions_power(first, second, a, b, alpha=alpha, alternative=alternative))

    lowest = int(np.ceil(1 / shares.min())) + 1
    found = Goal(n=n, power=power).persons(power_at=power_at, half_width_at=None, lowest=lowest)
    a, b = split(np.array(found), shares)
    error = np.sqrt(first * (1 - first) / a + second * (1 - second) / b)
    name: dict[str, object] = {"outcome": "proportion", "contrast": "second - first"}
    method = "pooled z test of two proportions"
    return answer(
        "power",
        [
            row(name, "difference", second - first, std_error=error, n=found, method=method),
            row(name, "power", power_at(found), n=found, method=method),
        ],
        notes=(
            f"Assumed proportions {first:g} (n = {a}) and {second:g} (n = {b}).",
            f"A {alternative} normal test at level {alpha:.3g}, without correction for continuity.",
            *enrolled_note(found, retention),
        ),
        conf_level=conf_level,
    )
