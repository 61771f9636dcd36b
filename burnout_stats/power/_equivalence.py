"""Planning to show that a change is small, or no worse than a margin: two scores of the same persons."""

from __future__ import annotations

import numpy as np

from ..engine.power import equivalence_power, expected_half_width, t_power
from ..errors import one_of
from ..estimates import Estimates
from ._answer import Goal, answer, between, enrolled_note, refused, row
from ._paired import sd_of_changes

__all__ = ["equivalence", "noninferiority"]


def equivalence(
    margin: float | tuple[float, float],
    *,
    sd: float | tuple[float, float],
    correlation: float | None = None,
    difference: float = 0.0,
    n: int | None = None,
    power: float | None = None,
    alpha: float = 0.05,
    retention: float = 1.0,
) -> Estimates:
    """The power of two one-sided paired t tests that the mean change lies within the margins, or the n that it takes.

    Parameters
    ----------
    margin : number, or (low, high)
        One number is taken to both sides.
    sd, correlation
        As in `paired`.
    difference : float
        The mean change that is assumed.
    n, power : exactly one of them
    alpha : float
        The level of each of the two tests; the interval that has to lie within the margins covers 1 − 2α.
    retention : float

    Returns
    -------
    Estimates
        Kind "power"; exact for normal changes, by integration over the standard deviation that will be found.

    Examples
    --------
    >>> from burnout_stats.power import equivalence
    >>> found = equivalence(0.3, sd=0.9, power=0.9).frame
    >>> found["measure"].tolist(), found["estimate"].round(3).tolist(), int(found["n"][0])
    (['difference', 'power', 'half-width'], [0.0, 0.901, 0.15], 99)
    """
    low, high = margin if isinstance(margin, tuple) else (-abs(margin), abs(margin))
    if not low < difference < high:
        raise refused(
            f"The assumed difference {difference:g} does not lie between the margins {low:g} and {high:g}.",
            "Only a difference within the margins can be shown to lie within them.",
            "Give wider margins, or another difference.",
        )
    between(alpha, 0, 0.5, "alpha")
    s = sd_of_changes(sd, correlation)

    def power_at(size: int) -> float:
        return float(equivalence_power(difference, s / np.sqrt(size), size - 1, low, high, alpha=alpha))

    goal = Goal(n=n, power=power)
    found = goal.persons(power_at=power_at, half_width_at=None, lowest=2)
    level = 1 - 2 * alpha
    error, df = s / np.sqrt(found), found - 1
    width = float(expected_half_width(error, df, conf_level=level))
    name: dict[str, object] = {"outcome": "score", "contrast": f"later - earlier within {low:g} to {high:g}"}
    limits, method = (difference - width, difference + width), "two one-sided paired t tests"
    return answer(
        "power",
        [
            row(name, "difference", difference, std_error=error, df=df, limits=limits, n=found, method=method),
            row(name, "power", power_at(found), df=df, n=found, method=method),
            row(name, "half-width", width, df=df, n=found, method=method),
        ],
        notes=(
            f"Assumed mean change {difference:g}, standard deviation of changes {s:.4g}; margins {low:g} and {high:g}.",
            f"Two one-sided paired t tests at level {alpha:g} each (Schuirmann 1987); exact for normal changes.",
            *enrolled_note(found, retention),
        ),
        conf_level=level,
    )


def noninferiority(
    margin: float,
    *,
    sd: float | tuple[float, float],
    correlation: float | None = None,
    difference: float = 0.0,
    better: str = "lower",
    n: int | None = None,
    power: float | None = None,
    alpha: float = 0.025,
    retention: float = 1.0,
) -> Estimates:
    """The power of a one-sided paired t test that the mean change is not worse than the margin, or the n that it takes.

    Parameters
    ----------
    margin : float
        How much worse is still accepted, above 0.
    sd, correlation
        As in `paired`.
    difference : float
        The mean change that is assumed.
    better : "lower" or "higher"
    n, power : exactly one of them
    alpha : float
    retention : float

    Examples
    --------
    >>> from burnout_stats.power import noninferiority
    >>> found = noninferiority(0.3, sd=0.9, power=0.9).frame
    >>> found["estimate"].round(3).tolist(), int(found["n"][0])
    ([0.0, 0.901, 0.181], 97)
    """
    one_of("better", better, ("lower", "higher"))
    if not margin > 0:
        raise refused(f"The margin is {margin:g}.", "It is how much worse is still accepted.", "Give one above 0.")
    between(alpha, 0, 0.5, "alpha")
    s = sd_of_changes(sd, correlation)
    null = margin if better == "lower" else -margin
    side = "less" if better == "lower" else "greater"

    def power_at(size: int) -> float:
        ncp = (difference - null) * np.sqrt(size) / s
        if better == "lower":
            return float(t_power(ncp, size - 1, alpha=alpha, alternative="less"))
        return float(t_power(ncp, size - 1, alpha=alpha, alternative="greater"))

    found = Goal(n=n, power=power).persons(power_at=power_at, half_width_at=None, lowest=2)
    level = 1 - 2 * alpha
    error, df = s / np.sqrt(found), found - 1
    width = float(expected_half_width(error, df, conf_level=level))
    name: dict[str, object] = {"outcome": "score", "contrast": f"later - earlier, {side} than {null:g}"}
    limits, method = (difference - width, difference + width), "one-sided paired t"
    return answer(
        "power",
        [
            row(name, "difference", difference, std_error=error, df=df, limits=limits, n=found, method=method),
            row(name, "power", power_at(found), df=df, n=found, method=method),
            row(name, "half-width", width, df=df, n=found, method=method),
        ],
        notes=(
            f"Assumed mean change {difference:g}, standard deviation of changes {s:.4g}.",
            f"{better.capitalize()} is better; a change of {null:g} is the least that counts as worse.",
            f"A one-sided paired t test at level {alpha:g}; exact for normal changes.",
            *enrolled_note(found, retention),
        ),
        conf_level=level,
    )
