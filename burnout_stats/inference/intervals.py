"""From an Answer to the columns of Estimates: statistic, p value, interval."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ..engine.multiplicity import ADJUSTMENTS
from ..errors import StudyError
from ..estimates.answers import Answer

__all__ = ["checked_level", "numbers", "two_sided_p"]

Array = NDArray[np.float64]


def two_sided_p(statistic: Array, df: Array) -> Array:
    """P(|t| >= |statistic|) on `df` degrees of freedom; the normal limit for infinite df."""
    size = np.abs(np.asarray(statistic, dtype=float))
    finite = np.where(np.isfinite(df), df, 1.0)
    p: Array = np.where(np.isposinf(df), 2 * special.ndtr(-size), 2 * special.stdtr(finite, -size))
    return np.where(np.isnan(df), np.nan, p)


def _quantile(level: float, df: Array) -> Array:
    finite = np.where(np.isfinite(df), df, 1.0)
    upper = (1 + level) / 2
    q: Array = np.where(np.isposinf(df), special.ndtri(upper), special.stdtrit(finite, upper))
    return np.where(np.isnan(df), np.nan, q)


def numbers(
    answer: Answer, n: Array, *, conf_level: float, adjust: str = "none", families: list[NDArray[np.intp]] | None = None
) -> pd.DataFrame:
    """The number columns of Estimates for the rows of an answer.

    `families` lists the rows that are adjusted together. Intervals are simultaneous where the adjustment has such
    intervals, and unadjusted where it has none.
    """
    method = ADJUSTMENTS[adjust]
    std_error = np.sqrt(np.maximum(np.diag(answer.vcov), 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = answer.estimate / std_error
    p_value = two_sided_p(statistic, answer.df)
    level = np.full(len(n), conf_level)
    for rows in families or [np.arange(len(n))]:
        p_value[rows] = method.p_values(p_value[rows])
        if method.level is not None:
            level[rows] = method.level(conf_level, int(np.isfinite(p_value[rows]).sum()) or 1)
    margin = np.array([float(_quantile(one, df)) for one, df in zip(level, answer.df, strict=True)]) * std_error
    return pd.DataFrame(
        {
            "estimate": answer.estimate,
            "std_error": std_error,
            "df": answer.df,
            "statistic": statistic,
            "p_value": p_value,
            "conf_low": answer.estimate - margin,
            "conf_high": answer.estimate + margin,
            "n": n,
            "method": answer.method,
        }
    )


def checked_level(conf_level: float) -> float:
    """A confidence level between 0 and 1.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` otherwise.
    """
    if not 0 < conf_level < 1:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`conf_level` is {conf_level}.",
            "A confidence level lies between 0 and 1.",
            "Use 0.95 for 95% intervals.",
        )
    return float(conf_level)
