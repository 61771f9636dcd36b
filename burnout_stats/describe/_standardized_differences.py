"""How far apart groups were at baseline, in standard deviations, with intervals."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
import pandas as pd

from ..cohort import Cohort
from ..engine.standardized_difference import interval, std_error
from ..estimates import About, Estimates, Policy
from ._baseline import OPEN
from ._characteristics import Characteristic, Printed, at_baseline, characteristic_of, characteristics_from
from ._completed import Completed
from ._groups import MISSING, groups_of

__all__ = ["standardized_differences", "standardized_differences_from_summaries"]

DIFFERENCE_NOTE = (
    "Difference / √((s₁² + s₂²) / 2); of a categorical variable the distance of Yang and Dalton (2012), which has no "
    "sign. n: the smallest number of persons that a difference rests on."
)


def standardized_differences(
    cohort: Cohort, by: str | Completed, variables: Iterable[str] | None = None, *, conf_level: float = 0.95
) -> Estimates:
    """Standardized differences between groups at the first visit, with intervals: one row for each variable and pair.

    Parameters
    ----------
    cohort : Cohort
    by : str or Completed
        The groups; subjects whose group is not known are left out.
    variables : names, optional
        As in `baseline`.
    conf_level : float
        Coverage of the intervals.

    Returns
    -------
    Estimates
        Kind "standardized_differences": `contrast` "second - first", d in `estimate`, its standard error and normal
        interval; no test. `n` is the smallest number of persons that d rests on: the smaller group, of a categorical
        variable the smallest cell.

    Raises
    ------
    StudyError
        As `baseline`.

    **Source**: Yang & Dalton 2012, SAS Global Forum 335-2012.

    Examples
    --------
    >>> import pandas as pd
    >>> from burnout_stats.cohort import read_cohort
    >>> frame = pd.DataFrame({"id": range(6), "visit": "start", "stress": [1, 2, 3, 2, 3, 4.0], "sex": list("FFFMMM")})
    >>> cohort = read_cohort(frame, subject="id", visit="visit", times={"start": 0}, outcomes=["stress"])
    >>> standardized_differences(cohort, "sex").frame[["contrast", "estimate"]].to_numpy().tolist()
    [['M - F', 1.0]]
    """
    groups = groups_of(cohort, by)
    known = at_baseline(cohort, variables, leave_out=groups.by)
    found = [characteristic_of(variable, groups) for variable in known]
    notes = (by.words(cohort),) if isinstance(by, Completed) else ()
    return _differences(found, conf_level, cohort.policy, notes)


def standardized_differences_from_summaries(
    printed: Printed, *, groups: tuple[str, ...] = ("completed", "lost"), conf_level: float = 0.95
) -> Estimates:
    """Standardized differences from the numbers that a paper prints; arguments as in `baseline_from_summaries`.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` where a variable does not have one entry for each group.

    Examples
    --------
    >>> from burnout_stats.estimates import Sample
    >>> found = standardized_differences_from_summaries({"Sex": {"women": (101, 16), "men": (83, 27)}}).frame
    >>> found[["contrast", "estimate", "conf_low", "conf_high"]].round(2).to_numpy().tolist()
    [['lost - completed', 0.36, 0.03, 0.69]]
    """
    return _differences(characteristics_from(printed, groups), conf_level, OPEN, ("From printed summaries.",))


def _differences(
    found: list[Characteristic], conf_level: float, policy: Policy, notes: tuple[str, ...] = ()
) -> Estimates:
    rows: list[dict[str, object]] = []
    for variable in found:
        at = [place for place, level in enumerate(variable.groups) if level != MISSING]
        for first, second in combinations(at, 2):
            d = variable.difference(first, second)
            n_1, n_2 = variable.n[first], variable.n[second]
            low, high = interval(d, n_1, n_2, conf_level)
            rows.append(
                {
                    "outcome": variable.name,
                    "contrast": f"{variable.groups[second]} - {variable.groups[first]}",
                    "estimate": d,
                    "std_error": float(std_error(d, n_1, n_2)) if np.isfinite(d) else np.nan,
                    "df": np.inf,
                    "statistic": np.nan,
                    "p_value": np.nan,
                    "conf_low": low,
                    "conf_high": high,
                    "n": variable.fewest((first, second)),
                    "method": "yang-dalton" if variable.levels else "mean difference / SD",
                }
            )
    frame = pd.DataFrame(rows)
    variance = frame["std_error"].to_numpy() ** 2
    return Estimates(
        frame=frame,
        vcov=np.where(np.eye(len(frame), dtype=bool), variance[:, None], np.nan),
        about=About(
            kind="standardized_differences",
            outcomes={variable.name: variable.label for variable in found},
            factors=("contrast",),
            conf_level=conf_level,
            notes=(
                *notes,
                DIFFERENCE_NOTE,
            ),
            policy=policy,
        ),
    )
