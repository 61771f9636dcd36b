"""Families of margins on the attainable values of a scale: a mean and an SD become the probability of each value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln, ndtr

from ..errors import StudyError
from .parameters import Grid, Margin, Variable

__all__ = ["FAMILIES", "margin_probabilities"]

Array = NDArray[np.float64]


def _beta_binomial(steps: int, mean: float, sd: float) -> Array | None:
    """P(k), k = 0..steps, with this mean and SD (in steps); None where no beta-binomial has them.

    mean = n pi, variance = n pi (1 - pi) (1 + (n - 1) rho), a = pi (1 - rho) / rho, b = (1 - pi) (1 - rho) / rho.
    """
    share = mean / steps
    plain = steps * share * (1.0 - share)
    rho = (sd**2 / plain - 1.0) / (steps - 1.0) if 0.0 < share < 1.0 and steps > 1 else np.nan
    if not 0.0 < rho < 1.0:
        return None
    a, b = share * (1.0 / rho - 1.0), (1.0 - share) * (1.0 / rho - 1.0)
    k = np.arange(steps + 1.0)
    choose = gammaln(steps + 1.0) - gammaln(k + 1.0) - gammaln(steps - k + 1.0)
    p: Array = np.exp(choose + betaln(k + a, steps - k + b) - betaln(a, b))
    return p


def _scale(grid: Grid, margin: Margin) -> Array | None:
    step = (grid.highest - grid.lowest) / grid.steps
    return _beta_binomial(grid.steps, (margin.mean - grid.lowest) / step, margin.sd / step)


def _rounded_normal(grid: Grid, margin: Margin) -> Array | None:
    if not margin.sd > 0:
        return None
    values = grid.values
    below = ndtr(((values[1:] + values[:-1]) / 2 - margin.mean) / margin.sd)
    p: Array = np.diff(below, prepend=0.0, append=1.0)
    return p


def _hurdle(grid: Grid, margin: Margin) -> Array | None:
    """Zero with probability `zero`; beyond the hurdle a beta-binomial from the first to the last step."""
    over = 1.0 - margin.zero
    if not 0.0 < over < 1.0 or grid.lowest != 0.0:
        return None
    mean = margin.mean / over
    variance = (margin.sd**2 + margin.mean**2) / over - mean**2
    step = grid.highest / grid.steps
    beyond = _beta_binomial(grid.steps - 1, mean / step - 1.0, np.sqrt(max(variance, 0.0)) / step)
    return None if beyond is None else np.concatenate([[margin.zero], over * beyond])


def _binary(grid: Grid, margin: Margin) -> Array | None:
    return np.array([1.0 - margin.mean, margin.mean]) if grid.steps == 1 and 0.0 < margin.mean < 1.0 else None


FAMILIES: Mapping[str, Callable[[Grid, Margin], Array | None]] = MappingProxyType(
    {"beta_binomial": _scale, "normal": _rounded_normal, "hurdle": _hurdle, "binary": _binary}
)
"""The families of margins: grid and margin to the probabilities of the grid's values (None: no such distribution)."""


def margin_probabilities(variable: Variable, margin: Margin) -> Array:
    """The probability of each grid value.

    >>> from burnout_stats.cohort import Covariate
    >>> weeks = Variable(Covariate("weeks"), Grid(0, 52, 52), "hurdle", (Margin(4.4, 7.9, zero=0.5),))
    >>> p = margin_probabilities(weeks, weeks.margins[0])
    >>> print(f"{p[0]:.3f} {p @ weeks.grid.values:.3f}")
    0.500 4.400

    Raises
    ------
    StudyError
        `E-STUDY-MARGIN` where no distribution of the family has this mean and SD on the grid.
    """
    p = FAMILIES[variable.family](variable.grid, margin) if variable.family in FAMILIES else None
    if p is None:
        grid = variable.grid
        raise StudyError(
            "E-STUDY-MARGIN",
            f"No `{variable.family}` margin has mean {margin.mean:g}, SD {margin.sd:g} and share of zeros "
            f"{margin.zero:g} on the {grid.steps} steps from {grid.lowest:g} to {grid.highest:g} of `{variable.name}`.",
            f"Families are: {', '.join(FAMILIES)}. The mean lies inside the range; a beta-binomial SD lies between the "
            "binomial one and the one of a scale used at its ends only; a hurdle begins at 0.",
            "Change the mean, the SD, the number of steps or the family.",
        )
    return p
