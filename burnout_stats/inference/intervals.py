"""From an Answer to the columns of Estimates: statistic, p value, interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ..engine.multiplicity import ADJUSTMENTS, Family, t_quantile, two_sided_p
from ..errors import StudyError
from ..estimates.answers import Answer, JointAnswer

__all__ = ["checked_level", "f_tests", "numbers", "two_sided_p"]

Array = NDArray[np.float64]


def numbers(
    answer: Answer,
    n: Array,
    *,
    conf_level: float,
    adjust: str = "none",
    families: Sequence[tuple[NDArray[np.intp], int]] | None = None,
    names: Mapping[str, object] | None = None,
) -> pd.DataFrame:
    """The number columns of Estimates for the rows of an answer, behind the columns `names` that name them.

    `families` lists the rows that are adjusted together, each with the number of means that they compare. Intervals are
    simultaneous where the adjustment has such intervals, and unadjusted where it has none.
    """
    method = ADJUSTMENTS[adjust]
    std_error = np.sqrt(np.maximum(np.diag(answer.vcov), 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = answer.estimate / std_error
    p_value = two_sided_p(statistic, answer.df)
    critical = t_quantile(conf_level, answer.df)
    known = np.isfinite(p_value) & (std_error > 0)
    for rows, means in (families or ()) if adjust != "none" else ():
        told = rows[known[rows]]
        if not len(told):
            continue
        correlation = answer.vcov[np.ix_(told, told)] / np.outer(std_error[told], std_error[told])
        family = Family(statistic[told], answer.df[told], correlation, means)
        p_value[told] = method.p_values(family)
        if method.critical is not None:
            critical[told] = method.critical(family, conf_level)
    return pd.DataFrame(
        {
            **(names or {}),
            "estimate": answer.estimate,
            "std_error": std_error,
            "df": answer.df,
            "statistic": statistic,
            "p_value": p_value,
            "conf_low": answer.estimate - critical * std_error,
            "conf_high": answer.estimate + critical * std_error,
            "n": n,
            "method": answer.method,
        }
    )


def f_tests(joints: Sequence[JointAnswer | None], n: float, method: str) -> pd.DataFrame:
    """The number columns of Estimates for F tests; NaN where there is no answer."""
    columns: dict[str, list[float]] = {name: [] for name in ("num_df", "df", "statistic", "p_value")}
    for joint in joints:
        numbers = (np.nan,) * 3 if joint is None else (joint.num_df, joint.df, joint.statistic)
        for name, value in zip(("num_df", "df", "statistic"), numbers, strict=True):
            columns[name].append(value)
        columns["p_value"].append(np.nan if joint is None else _f_tail(joint))
    frame = pd.DataFrame(columns)
    for place, name in enumerate(("estimate", "std_error")):
        frame.insert(place, name, np.nan)
    return frame.assign(conf_low=np.nan, conf_high=np.nan, n=n, method=method)


def _f_tail(joint: JointAnswer) -> float:
    if np.isposinf(joint.df):
        return float(special.chdtrc(joint.num_df, joint.statistic * joint.num_df))
    return float(special.fdtrc(joint.num_df, joint.df, joint.statistic))


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
