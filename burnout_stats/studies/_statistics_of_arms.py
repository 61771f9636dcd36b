"""Further statistics that papers print, of a whole stack at once: arms compared, limits of a change, standardized
change of each person. Changes are later less earlier.

**Source**: Welch 1947, Biometrika 34:28; `engine.two_arms`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ..engine.two_arms import Adjusted, Arms, ancova, arms_of_scores, standardized_difference_of_change
from ._stack import Stack, among

__all__ = ["STATISTICS_OF_ARMS"]

Array = NDArray[np.float64]
Of = Mapping[str, Any]


def _scores(stack: Stack, of: Of, visit: str) -> Array:
    """The scores at a visit; 0 and 1 where `of["cut"]` says from which score on."""
    values = stack.at(of["variable"], visit)
    return np.where(np.isnan(values), np.nan, values >= float(of["cut"])) if "cut" in of else values


def _arms(stack: Stack, of: Of) -> Arms:
    """Those seen at both of `of["visits"]`, in the levels `of["levels"]` of `of["factor"]`."""
    before, after = (_scores(stack, of, visit) for visit in of["visits"])
    base = among(stack, of)
    member = np.stack([stack.level(of["factor"], level) for level in of["levels"]], axis=-1) & base[..., None]
    return arms_of_scores(before, after, member)


def _one(stack: Stack, of: Of) -> Arms:
    before, after = (_scores(stack, of, visit) for visit in of["visits"])
    return arms_of_scores(before, after, among(stack, of)[..., None])


def _scale(of: Of) -> float:
    return float(of.get("times", 1.0))


# ---- arms ----------------------------------------------------------------------------------------------------------


def _difference_of_change(stack: Stack, of: Of) -> Array:
    change = _arms(stack, of).change
    return np.asarray(_scale(of) * (change[..., 1] - change[..., 0]))


def _d_of_change(stack: Stack, of: Of) -> Array:
    arms = _arms(stack, of)
    first, second = ((arms.change[..., k], arms.sd_change[..., k], arms.n[..., k]) for k in (0, 1))
    return standardized_difference_of_change(*first, *second)[0]


def _p_of_change(stack: Stack, of: Of) -> Array:
    """Two-sided p of Welch's t."""
    arms = _arms(stack, of)
    v = arms.sd_change**2 / arms.n
    variance = v.sum(axis=-1)
    df = variance**2 / (v**2 / (arms.n - 1)).sum(axis=-1)
    t = (arms.change[..., 1] - arms.change[..., 0]) / np.sqrt(variance)
    return np.asarray(2 * special.stdtr(df, -np.abs(t)))


def _adjusted(stack: Stack, of: Of) -> Adjusted:
    return ancova(_arms(stack, of))


def _ancova_difference(stack: Stack, of: Of) -> Array:
    return np.asarray(_scale(of) * _adjusted(stack, of).difference[..., 0])


def _ancova_p(stack: Stack, of: Of) -> Array:
    found = _adjusted(stack, of)
    t = found.difference[..., 0] / found.std_error[..., 0]
    return np.asarray(2 * special.stdtr(found.df, -np.abs(t)))


def _share(stack: Stack, of: Of, visit: str) -> Array:
    """The percentage of `yes`, or of scores from the cut on, of all who were seen at the visit."""
    values = _scores(stack, of, visit)
    kept = among(stack, of) & ~np.isnan(values)
    return np.asarray(100.0 * np.where(kept, values, 0.0).sum(axis=1) / kept.sum(axis=1))


def _change_of_share(stack: Stack, of: Of) -> Array:
    """Percentage points, each visit of all who were seen there (available cases)."""
    before, after = of["visits"]
    return np.asarray(_share(stack, of, after) - _share(stack, of, before))


def _difference_of_change_of_share(stack: Stack, of: Of) -> Array:
    first, second = (
        _change_of_share(stack, {**of, "where": {**of.get("where", {}), of["factor"]: level}}) for level in of["levels"]
    )
    return np.asarray(second - first)


# ---- change of one group -------------------------------------------------------------------------------------------


def _limits(stack: Stack, of: Of) -> tuple[Array, Array]:
    arms = _one(stack, of)
    n = arms.n[..., 0]
    half = special.stdtrit(n - 1, 0.975) * arms.sd_change[..., 0] / np.sqrt(n)
    return np.asarray(arms.change[..., 0] - half), np.asarray(arms.change[..., 0] + half)


def _paired_t(stack: Stack, of: Of) -> Array:
    """The paired t with the sign of the change."""
    arms = _one(stack, of)
    return np.asarray(arms.change[..., 0] / (arms.sd_change[..., 0] / np.sqrt(arms.n[..., 0])))


def _improvement(stack: Stack, of: Of) -> Array:
    """Each person's improvement over the SD at baseline (replicates × subjects), NaN where a visit is missing.

    The SD is that of those seen at both visits; `of["better"]` is "higher" where a rise is an improvement.
    """
    before, after = (stack.at(of["variable"], visit) for visit in of["visits"])
    arms = _one(stack, of)
    sd = np.sqrt(arms.Sxx[..., 0] / (arms.n[..., 0] - 1))
    moved = np.where(among(stack, of), (after - before) / sd[:, None], np.nan)
    return np.asarray(moved if of.get("better") == "higher" else -moved)


def _es(stack: Stack, of: Of) -> Array:
    return np.asarray(np.nanmean(_improvement(stack, of), axis=1))


def _es_limits(stack: Stack, of: Of) -> tuple[Array, Array]:
    """Normal limits of the mean of the persons' effect sizes, the SD at baseline taken as known."""
    values = _improvement(stack, of)
    n = (~np.isnan(values)).sum(axis=1)
    mean, sd = np.nanmean(values, axis=1), np.nanstd(values, axis=1, ddof=1)
    half = special.ndtri(0.975) * sd / np.sqrt(n)
    return np.asarray(mean - half), np.asarray(mean + half)


def _es_percent(stack: Stack, of: Of) -> Array:
    """The percentage whose improvement is `of["least"]` SDs or more."""
    values = _improvement(stack, of)
    known = ~np.isnan(values)
    return np.asarray(100.0 * (known & (values >= float(of["least"]))).sum(axis=1) / known.sum(axis=1))


def _es_percent_none(stack: Stack, of: Of) -> Array:
    """The percentage who improved by so much on none of `of["measures"]`, a mapping of variable to "lower" or
    "higher".
    """
    known = np.ones(stack.seen.shape[:2], dtype=bool)
    improved = np.zeros_like(known)
    for name, better in of["measures"].items():
        values = _improvement(stack, {**of, "variable": name, "better": better})
        known &= ~np.isnan(values)
        improved |= values >= float(of["least"])
    return np.asarray(100.0 * (known & ~improved).sum(axis=1) / known.sum(axis=1))


STATISTICS_OF_ARMS: Mapping[str, Callable[[Stack, Of], Array]] = MappingProxyType(
    {
        "difference_of_change": _difference_of_change,
        "d_of_change": _d_of_change,
        "p_of_change_between_arms": _p_of_change,
        "p_of_share_between_arms": _p_of_change,
        "ancova_difference": _ancova_difference,
        "ancova_p": _ancova_p,
        "change_of_share": _change_of_share,
        "difference_of_change_of_share": _difference_of_change_of_share,
        "change_low": lambda stack, of: _limits(stack, of)[0],
        "change_high": lambda stack, of: _limits(stack, of)[1],
        "paired_t_of_change": _paired_t,
        "person_es": _es,
        "person_es_low": lambda stack, of: _es_limits(stack, of)[0],
        "person_es_high": lambda stack, of: _es_limits(stack, of)[1],
        "person_es_percent": _es_percent,
        "person_es_percent_none": _es_percent_none,
    }
)
"""Statistics by name: of a stack, and of what a number is asked of."""
