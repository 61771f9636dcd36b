"""How long subjects were followed, by the dates of assessment."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..errors import StudyError
from ..estimates import About, Summaries, counted
from ._groups import groups_of

__all__ = ["LAST", "follow_up"]

Array = NDArray[np.float64]

STATISTICS = ("n", "missing", "mean", "sd", "median", "q1", "q3", "min", "max")

LAST = "last visit"
"""The level of the time from baseline to a subject's last dated assessment."""


def follow_up(cohort: Cohort, *, by: str | None = None) -> Summaries:
    """Exact years from baseline to each visit, and to the last one that a subject had: number, mean, SD, median,
    quartiles, range.

    Parameters
    ----------
    cohort : Cohort
        Read with a column of dates.
    by : str, optional
        A categorical covariate; everything is described within its levels.

    Returns
    -------
    Summaries
        Kind "follow_up": variable `exact_years`, a row for each follow-up visit (`level`), and one for the last visit,
        [group] and statistic. An assessment counts where it has a date, the subject has one at baseline, and any
        outcome has a value; `missing` counts everyone else, so that n + missing is the cohort (or the group). The last
        visit is that of subjects who came to any after baseline. SD with n - 1; quartiles of type 7 (Hyndman & Fan
        1996, Am Stat 50:361). Minimum and maximum, whose `n` counts those who have that very time, are withheld
        wherever the numbers are shown, unless the policy allows extremes.

    Raises
    ------
    StudyError
        `E-STUDY-DATES` where the cohort was read without dates.

    Examples
    --------
    >>> from burnout_stats.cohort import read_cohort
    >>> frame = pd.DataFrame(
    ...     {
    ...         "id": [1, 1, 2, 2],
    ...         "visit": ["start", "1 year"] * 2,
    ...         "assessed": ["2004-03-01", "2005-03-11", "2004-04-01", "2005-03-22"],
    ...         "stress": [3.0, 2.0, 4.0, 3.5],
    ...     }
    ... )
    >>> times = {"start": 0, "1 year": 1}
    >>> cohort = read_cohort(frame, subject="id", visit="visit", times=times, outcomes=["stress"], date="assessed")
    >>> found = follow_up(cohort).frame
    >>> [round(value, 3) for value in found["value"][:4]]
    [2.0, 0.0, 0.999, 0.039]
    """
    if "exact_years" not in cohort.data:
        raise StudyError(
            "E-STUDY-DATES",
            "The cohort has no dates of assessment.",
            "Follow-up time is counted from dates.",
            'Name their column: read_cohort(..., date="assessed").',
        )
    groups = groups_of(cohort, by)
    times = _times(cohort)
    labels = [label for label, years in zip(cohort.visits.labels, cohort.visits.years, strict=True) if years > 0]
    known = ~np.isnan(times)
    rows: list[dict[str, object]] = []
    members: list[NDArray[np.bool_] | None] = []
    for at, level in enumerate(groups.levels):
        for place, label in enumerate([*labels, LAST]):
            own = groups.codes == at
            values = times[own & known[:, place], place]
            missing = int(own.sum()) - len(values)
            row = {"variable": "exact_years", "level": label, **groups.naming(level)}
            for statistic, value in zip(STATISTICS, _statistics(values, missing), strict=True):
                n = missing if statistic == "missing" else len(values)
                n = int((values == value).sum()) if statistic in ("min", "max") else n
                rows.append(row | {"statistic": statistic, "value": value, "n": n})
            members += [own & known[:, place], own & ~known[:, place], *[None] * (len(STATISTICS) - 2)]
    return Summaries(
        frame=pd.DataFrame(rows),
        about=About(
            kind="follow_up",
            outcomes={"exact_years": "Years since baseline"},
            units={"exact_years": "years"},
            visit_years=cohort.visits.by_label(),
            factors=("level",),
            by=groups.by,
            policy=cohort.policy,
            notes=(
                "Years are days since the subject's own baseline date / 365.25.",
                "The last visit is the last dated assessment of those who came to any after baseline.",
            ),
        ),
        margins=counted(members),
    )


def _times(cohort: Cohort) -> Array:
    """Exact years at each visit after baseline and at the last one (subjects × visits), NaN where not assessed."""
    data = cohort.data
    has = data[list(cohort.outcomes)].notna().any(axis=1).to_numpy()
    exact = np.where(has, data["exact_years"].to_numpy(dtype=float), np.nan)
    later = [at for at, years in enumerate(cohort.visits.years) if years > 0]
    all_visits = np.full((cohort.n_subjects, len(cohort.visits)), np.nan)
    all_visits[data["subject"].to_numpy() - 1, data["visit"].cat.codes.to_numpy()] = exact
    found = all_visits[:, later]
    last = np.max(np.where(np.isnan(found), -np.inf, found), axis=1, initial=-np.inf)
    return np.column_stack([found, np.where(np.isfinite(last), last, np.nan)])


def _statistics(values: Array, missing: int) -> tuple[float, ...]:
    n = len(values)
    if n == 0:
        return (0.0, float(missing), *[np.nan] * 7)
    q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
    sd = float(np.std(values, ddof=1)) if n > 1 else np.nan
    return (
        float(n),
        float(missing),
        float(np.mean(values)),
        sd,
        float(median),
        float(q1),
        float(q3),
        float(values.min()),
        float(values.max()),
    )
