"""The shares of a population, given by the user, to average marginal means over."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import StudyError
from .encode import Variable

__all__ = ["shares_of_combinations"]

Array = NDArray[np.float64]


def shares_of_combinations(
    population: Mapping[str, Mapping[str, float]] | pd.DataFrame,
    variables: Mapping[str, Variable],
    combos: NDArray[np.int64],
) -> Array:
    """The share of each combination of levels (C × factors, codes), summing to 1.

    A mapping {factor: {level: share}} takes the factors as independent; a frame has one row for each combination, a
    column for each factor and a column `weight`. Visits count equally where nothing is said of them. Levels that are
    not named have no share.

    Raises
    ------
    StudyError
        `E-STUDY-GRID` for factors without shares, unknown levels, and shares that are not numbers from 0.
    """
    frames = (
        [population]
        if isinstance(population, pd.DataFrame)
        else [
            pd.DataFrame({name: list(shares), "weight": list(shares.values())}) for name, shares in population.items()
        ]
    )
    told = {str(name) for frame in frames for name in frame.columns if name != "weight"}
    silent = [name for name in variables if name != "visit" and name not in told]
    if silent:
        raise _error(
            f"The population is silent on {', '.join(f'`{name}`' for name in silent)}, over which means are averaged.",
            "It needs a share for the levels of every factor that is averaged.",
            f'Write weights={{"{silent[0]}": {{"{variables[silent[0]].levels[0]}": 0.5, ...}}}}.',
        )
    shares = np.ones(len(combos))
    for frame in frames:
        names = [name for name in frame.columns if name in variables]
        if names:
            shares *= _matched(frame, names, variables, combos)
    if not shares.sum() > 0:
        raise _error(
            "The population has no share in any of the combinations that are averaged.",
            "Shares are numbers from 0, and one of them is above 0.",
            "Name the levels as the cohort does.",
        )
    return np.asarray(shares / shares.sum())


def _matched(
    frame: pd.DataFrame, names: list[str], variables: Mapping[str, Variable], combos: NDArray[np.int64]
) -> Array:
    if "weight" not in frame:
        raise _error(
            f"The population has the columns {', '.join(map(str, frame.columns))}.",
            "It needs a column `weight` with the share of each row.",
            "Name the column of shares `weight`.",
        )
    weight = pd.to_numeric(frame["weight"], errors="coerce").to_numpy(dtype=float)
    if not (weight >= 0).all() or not np.isfinite(weight).all():
        raise _error(
            "The population has shares that are not numbers from 0.",
            "A share is a number from 0; they need not sum to 1.",
            "Look at the column `weight`.",
        )
    order = list(variables)
    match = np.ones((len(combos), len(frame)), dtype=bool)
    for name in names:
        levels = variables[name].levels
        unknown = [str(level) for level in frame[name] if str(level) not in levels]
        if unknown:
            raise _error(
                f"The population names `{unknown[0]}`, which is not a level of `{name}`.",
                f"Its levels are: {', '.join(levels)}.",
                "Name the levels as the cohort does.",
            )
        codes = np.array([levels.index(str(level)) for level in frame[name]])
        match &= combos[:, [order.index(name)]] == codes
    share: Array = match @ weight
    return share


def _error(seen: str, expected: str, advice: str) -> StudyError:
    return StudyError("E-STUDY-GRID", seen, expected, advice)
