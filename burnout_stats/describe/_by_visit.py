"""Observed scores, visit by visit."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..cohort.missingness import observed_at
from ..estimates import About, Summaries, counted
from ._completed import Completed
from ._groups import groups_of

__all__ = ["by_visit"]

Array = NDArray[np.float64]
STATISTICS = ("n", "missing", "mean", "sd", "median", "q1", "q3")


def by_visit(
    cohort: Cohort, outcomes: str | Iterable[str] | None = None, *, by: str | Completed | None = None
) -> Summaries:
    """Number observed and missing, mean, SD, median and quartiles of each outcome at each visit.

    Parameters
    ----------
    cohort : Cohort
    outcomes : names, optional
        All outcomes where left out.
    by : str or Completed, optional
        A categorical covariate, or who completed; everything is described within its levels.

    Returns
    -------
    Summaries
        Kind "by_visit": a row for each outcome (`variable`), visit (`level`), [group] and statistic. `missing` counts
        the subjects of the cohort (or the group) without a value at the visit, so that n + missing is everyone. The SD
        has n - 1 in its denominator; quartiles interpolate linearly between order statistics (Hyndman & Fan's type 7,
        as R and numpy do).

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for an unknown outcome or covariate, `E-STUDY-VALUE` where `by` has no levels.

    Examples
    --------
    >>> import pandas as pd
    >>> from burnout_stats.cohort import read_cohort
    >>> frame = pd.DataFrame({"id": [1, 2, 3], "visit": "start", "stress": [2.0, 3.0, 4.0]})
    >>> cohort = read_cohort(frame, subject="id", visit="visit", times={"start": 0}, outcomes=["stress"])
    >>> dict(by_visit(cohort).frame[["statistic", "value"]].to_numpy()[:4])
    {'n': 3.0, 'missing': 0.0, 'mean': 3.0, 'sd': 1.0}
    """
    names = cohort.outcomes if outcomes is None else (outcomes,) if isinstance(outcomes, str) else tuple(outcomes)
    roles = {name: cohort.outcome(name) for name in names}
    groups = groups_of(cohort, by)
    subject = cohort.data["subject"].to_numpy() - 1
    visit = cohort.data["visit"].cat.codes.to_numpy()
    group = groups.codes[subject]
    rows: list[dict[str, object]] = []
    counts: list[NDArray[np.bool_] | None] = []
    for name in names:
        values = cohort.data[name].to_numpy(dtype=float)
        seen = observed_at(cohort, [name])
        for at, level in enumerate(groups.levels):
            for place, label in enumerate(cohort.visits.labels):
                observed = values[(group == at) & (visit == place) & ~np.isnan(values)]
                absent = (groups.codes == at) & ~seen[:, place]
                missing = int(absent.sum())
                row = {"variable": name, "level": label, **groups.naming(level)}
                for statistic, value in zip(STATISTICS, _statistics(observed, missing), strict=True):
                    n = missing if statistic == "missing" else len(observed)
                    rows.append(row | {"statistic": statistic, "value": value, "n": n})
                counts += [(groups.codes == at) & seen[:, place], absent]
                counts += [None] * (len(STATISTICS) - 2)
    return Summaries(
        frame=pd.DataFrame(rows),
        about=About(
            kind="by_visit",
            outcomes={name: role.label for name, role in roles.items()},
            units={name: role.unit for name, role in roles.items() if role.unit},
            better={name: role.better for name, role in roles.items() if role.better},
            ranges={name: role.range for name, role in roles.items() if role.range is not None},
            visit_years=cohort.visits.by_label(),
            factors=("level",),
            by=groups.by,
            policy=cohort.policy,
        ),
        margins=counted(counts),
    )


def _statistics(values: Array, missing: int) -> tuple[float, ...]:
    n = len(values)
    if n == 0:
        return (0.0, float(missing), np.nan, np.nan, np.nan, np.nan, np.nan)
    q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
    sd = float(np.std(values, ddof=1)) if n > 1 else np.nan
    return (float(n), float(missing), float(np.mean(values)), sd, float(median), float(q1), float(q3))
