"""Adjusted p values for a family of tests; each method with the constant that its simultaneous intervals use, where it
has one.

**Source**: Holm 1979, Scand J Stat 6:65; Šidák 1967, JASA 62:626; Bonferroni as in Dunn 1961, JASA 56:52.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ADJUSTMENTS", "Adjustment"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One way to account for k tests.

    `p_values` maps raw to adjusted p values along the last axis (NaN rows are not counted). `level` maps a confidence
    level and k to the level that each interval needs to hold simultaneously; None where the method has no such
    intervals.
    """

    name: str
    p_values: Callable[[Array], Array]
    level: Callable[[float, int], float] | None


def _holm(p: Array) -> Array:
    k = p.size
    order = np.argsort(p)
    adjusted = np.maximum.accumulate(p[order] * (k - np.arange(k)))
    result = np.empty_like(p)
    result[order] = np.minimum(adjusted, 1.0)
    return result


def _counted(adjust: Callable[[Array], Array]) -> Callable[[Array], Array]:
    def over_known(p: Array) -> Array:
        p = np.asarray(p, dtype=float)
        known = ~np.isnan(p)
        result = np.full_like(p, np.nan)
        result[known] = adjust(p[known])
        return result

    return over_known


ADJUSTMENTS: dict[str, Adjustment] = {
    "none": Adjustment("none", _counted(lambda p: p), lambda level, k: level),
    "bonferroni": Adjustment(
        "bonferroni", _counted(lambda p: np.minimum(p * p.size, 1.0)), lambda level, k: 1 - (1 - level) / k
    ),
    "sidak": Adjustment(
        "sidak", _counted(lambda p: -np.expm1(p.size * np.log1p(-p))), lambda level, k: level ** (1 / k)
    ),
    "holm": Adjustment("holm", _counted(_holm), None),
}
