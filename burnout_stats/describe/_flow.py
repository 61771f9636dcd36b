"""Who was seen when: the numbers of a participant flow."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..cohort.missingness import observed_at, partition
from ..estimates import About, Margins, Summaries
from ._groups import groups_of

__all__ = ["flow"]

VARIABLES: Mapping[str, str] = {
    "subjects": "In the cohort",
    "visit": "Seen at the visit",
    "complete": "Seen at every visit",
    "contributing": "With at least one value of",
    "pattern": "Pattern of visits",
}
NOTES = (
    "Seen: at least one outcome was observed at the visit. Percentages are of all subjects in the cohort.",
    "A subject with one observed value of an outcome contributes to its model, whichever visit it is from.",
)

Bools = NDArray[np.bool_]


def flow(cohort: Cohort, *, by: str | None = None) -> Summaries:
    """Subjects seen at each visit, at all visits, contributing to each outcome's model, and by pattern of visits.

    Parameters
    ----------
    cohort : Cohort
    by : str, optional
        A categorical covariate; everything is counted within its levels.

    Returns
    -------
    Summaries
        Kind "flow", with the statistics `n` and `percent` (of all subjects, or of all in the group). The variables:
        `subjects` (all in the cohort); `visit` (at least one outcome observed there); `complete` (at every visit);
        `contributing` (at least one value of the outcome, which is what its mixed model uses); `pattern` (the visits at
        which a subject was seen, for each pattern that occurs).

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` or `E-STUDY-VALUE` where `by` is no categorical covariate.

    Examples
    --------
    >>> import pandas as pd
    >>> from burnout_stats.cohort import read_cohort
    >>> frame = pd.DataFrame({"id": [1, 1, 2], "visit": ["start", "end", "start"], "stress": [3.0, 2.5, 4.0]})
    >>> cohort = read_cohort(frame, subject="id", visit="visit", times={"start": 0, "end": 1}, outcomes=["stress"])
    >>> found = flow(cohort).frame
    >>> seen = found[found["variable"].eq("visit") & found["statistic"].eq("percent")]
    >>> dict(zip(seen["level"], seen["value"]))
    {'start': 100.0, 'end': 50.0}
    """
    groups = groups_of(cohort, by)
    labels = cohort.visits.labels
    n_visits = len(labels)
    contributes = [observed_at(cohort, [name]).any(axis=1) for name in cohort.outcomes]
    known = np.column_stack([observed_at(cohort, cohort.outcomes), *contributes])
    code, has, sizes = partition(groups.codes, known)
    seen = has[:, :n_visits]
    everyone = np.ones(len(sizes), dtype=bool)
    counts: list[tuple[str, str, Bools]] = [("subjects", "all", everyone)]
    counts += [("visit", label, seen[:, at]) for at, label in enumerate(labels)]
    complete: Bools = np.asarray(seen.all(axis=1))
    counts += [("complete", "all visits", complete)]
    counts += [("contributing", label, has[:, n_visits + at]) for at, label in enumerate(_labels(cohort))]
    for absent in np.unique(~seen, axis=0):
        same: Bools = np.equal(seen, ~absent).all(axis=1)
        counts.append(("pattern", _pattern(~absent, labels), same))

    rows: list[dict[str, object]] = []
    members: list[Bools] = []
    untold: list[Bools] = []
    for at, level in enumerate(groups.levels):
        group = code == at
        total = int(sizes[group].sum())
        for variable, name, counted in counts:
            member = counted & group
            n = int(sizes[member].sum())
            if variable == "pattern" and not n:
                continue
            row = {"variable": variable, "level": name, **groups.naming(level)}
            rows.append(row | {"statistic": "n", "value": float(n), "n": n})
            members.append(member)
            untold.append(group & ~counted)
            percent = 100.0 * n / total if total else np.nan
            rows.append(row | {"statistic": "percent", "value": percent, "n": n})
            members.append(np.zeros_like(member))
    return Summaries(
        frame=pd.DataFrame(rows),
        about=About(
            kind="flow",
            outcomes=VARIABLES,
            visit_years=cohort.visits.by_label(),
            factors=("level",),
            by=groups.by,
            notes=NOTES,
            min_cell=cohort.policy.min_cell,
        ),
        margins=Margins(
            members=np.array(members),
            sizes=sizes,
            tables=np.zeros(len(sizes), dtype=np.int64),
            untold=np.array(untold),
        ),
    )


def _labels(cohort: Cohort) -> list[str]:
    labels = [cohort.outcome(name).label for name in cohort.outcomes]
    return labels if len(set(labels)) == len(labels) else list(cohort.outcomes)


def _pattern(seen: Bools, labels: tuple[str, ...]) -> str:
    """A pattern of visits in words."""
    if not seen.any():
        return "no visit"
    if seen.all() and len(labels) > 1:
        return "every visit"
    return f"only {' and '.join(label for label, is_seen in zip(labels, seen, strict=True) if is_seen)}"
