"""What is missing: the patterns of visits, whether gaps are monotone, and what stood in place of a value."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..cohort.missingness import observed_at
from ..estimates import About, Summaries
from ._completed import Completed
from ._counted import Counted
from ._groups import groups_of

__all__ = ["missing_values", "missingness"]

Bools = NDArray[np.bool_]
GAPS = ("complete", "monotone", "intermittent", "never observed")
GAP_NOTES = (
    "Patterns: 1 observed, 0 missing, one digit for each visit in its order ({visits}).",
    "Monotone: observed from the first visit on and, once missing, missing ever after; intermittent: any other gap.",
    "Mean and SD of the pattern's subjects at the first visit, {baseline}.",
)
OBSERVED, NO_ROW, BLANK = "observed", "no row", "blank"
KIND_NOTE = (
    "No row: the file has no line of the subject at the visit. Blank: nothing stands in the cell. Code: a declared "
    "code for a missing value stands there."
)


def missingness(
    cohort: Cohort, outcomes: str | Iterable[str] | None = None, *, by: str | Completed | None = None
) -> Summaries:
    """The patterns in which each outcome is observed over the visits, with the baseline scores of each pattern.

    Parameters
    ----------
    cohort : Cohort
    outcomes : names, optional
        All outcomes where left out.
    by : str or Completed, optional
        A categorical covariate; everything is described within its levels.

    Returns
    -------
    Summaries
        Kind "missingness": for each outcome (`variable`) and each pattern that occurs (`part` "pattern", `level` such
        as "110") the statistics `n`, `percent` (of all subjects, or all in the group), and `mean` and `sd` of the
        outcome at the first visit; and (`part` "gaps") `n` and `percent` of those complete, with monotone and with
        intermittent gaps, and never observed.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for an unknown outcome or covariate, `E-STUDY-VALUE` where `by` has no levels.

    **Source**: Little & Rubin 2020, Statistical Analysis with Missing Data (3rd edition), section 1.2, for patterns.

    Examples
    --------
    >>> import pandas as pd
    >>> from burnout_stats.cohort import read_cohort
    >>> frame = pd.DataFrame({"id": [1, 1, 2], "visit": ["a", "b", "a"], "stress": [2.0, 3.0, 4.0]})
    >>> cohort = read_cohort(frame, subject="id", visit="visit", times={"a": 0, "b": 1}, outcomes=["stress"])
    >>> found = missingness(cohort).frame
    >>> found[found["part"].eq("pattern")][["level", "statistic", "value"]].to_numpy().tolist()[:3]
    [['11', 'n', 1.0], ['11', 'percent', 50.0], ['11', 'mean', 2.0]]
    """
    names = cohort.outcomes if outcomes is None else (outcomes,) if isinstance(outcomes, str) else tuple(outcomes)
    roles = {name: cohort.outcome(name) for name in names}
    groups = groups_of(cohort, by)
    counted = Counted(groups)
    labels = cohort.visits.labels
    visit = cohort.data["visit"].cat.codes.to_numpy()
    subject = cohort.data["subject"].to_numpy() - 1
    for name in names:
        seen = observed_at(cohort, [name])
        at_first = np.full(cohort.n_subjects, np.nan)
        at_first[subject[visit == 0]] = cohort.data[name].to_numpy(dtype=float)[visit == 0]
        absent, place = np.unique(~seen, axis=0, return_inverse=True)
        place = place.reshape(-1)
        for k, pattern in enumerate(~absent):
            named = {"variable": name, "part": "pattern", "level": "".join("01"[int(is_seen)] for is_seen in pattern)}
            same = np.asarray(place == k)
            _patterns(counted, named, same, at_first)
        kinds = np.array([_gap(pattern) for pattern in ~absent])[place]
        for gap in GAPS:
            counted.count({"variable": name, "part": "gaps", "level": gap}, kinds == gap, counted.everyone)
    return Summaries(
        frame=pd.DataFrame(counted.rows),
        about=About(
            kind="missingness",
            outcomes={name: role.label for name, role in roles.items()},
            units={name: role.unit for name, role in roles.items() if role.unit},
            better={name: role.better for name, role in roles.items() if role.better},
            ranges={name: role.range for name, role in roles.items() if role.range is not None},
            visit_years=cohort.visits.by_label(),
            factors=("part", "level"),
            by=groups.by,
            notes=tuple(note.format(visits=", ".join(labels), baseline=labels[0]) for note in GAP_NOTES),
            policy=cohort.policy,
        ),
        margins=counted.margins(),
    )


def missing_values(cohort: Cohort, columns: str | Iterable[str] | None = None) -> Summaries:
    """What stood in place of a value at each visit: a declared code, nothing, or no row at all.

    Parameters
    ----------
    cohort : Cohort
    columns : names of outcomes or covariates, optional
        All outcomes where left out.

    Returns
    -------
    Summaries
        Kind "missing_values": for each column (`variable`), `visit` and kind (`level`: "observed", "code 99", "blank",
        "no row") the statistics `n` and `percent` of all subjects.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for an unknown column.

    Examples
    --------
    >>> import pandas as pd
    >>> from burnout_stats.cohort import read_cohort
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3], "visit": list("abab") + ["a"], "stress": [2, None, 99, 3.0, 4.0]})
    >>> cohort = read_cohort(
    ...     frame, subject="id", visit="visit", times={"a": 0, "b": 1}, outcomes=["stress"], missing_codes=[99]
    ... )
    >>> found = missing_values(cohort).frame
    >>> found[found["statistic"].eq("n") & found["visit"].eq("b")][["level", "value"]].to_numpy().tolist()
    [['observed', 1.0], ['code 99', 0.0], ['blank', 1.0], ['no row', 1.0]]
    """
    asked = cohort.outcomes if columns is None else (columns,) if isinstance(columns, str) else tuple(columns)
    roles = {name: cohort.covariate_roles.get(name) or cohort.outcome(name) for name in asked}
    visit = cohort.data["visit"].cat.codes.to_numpy()
    subject = cohort.data["subject"].to_numpy() - 1
    counted = Counted(groups_of(cohort, None))
    for name in asked:
        stands = _stands(cohort, name)
        kinds = [OBSERVED, *(kind for kind in dict.fromkeys(stands.cat.categories) if kind.startswith("code ")), BLANK]
        for at, label in enumerate(cohort.visits.labels):
            here = visit == at
            has_row = np.zeros(cohort.n_subjects, dtype=bool)
            has_row[subject[here]] = True
            for kind in kinds:
                member = np.zeros(cohort.n_subjects, dtype=bool)
                member[subject[here & stands.eq(kind).to_numpy()]] = True
                counted.count({"variable": name, "visit": label, "level": kind}, member, counted.everyone)
            counted.count({"variable": name, "visit": label, "level": NO_ROW}, ~has_row, counted.everyone)
    return Summaries(
        frame=pd.DataFrame(counted.rows),
        about=About(
            kind="missing_values",
            outcomes={name: role.label for name, role in roles.items()},
            visit_years=cohort.visits.by_label(),
            factors=("level",),
            by=("visit",),
            notes=(KIND_NOTE,),
            policy=cohort.policy,
        ),
        margins=counted.margins(),
    )


def _patterns(counted: Counted, named: dict[str, str], same: Bools, at_first: NDArray[np.float64]) -> None:
    """Who has a pattern, and their scores at the first visit."""
    counted.count(named, same, counted.everyone, leave_out_empty=True)
    for naming, part in counted.parts:
        member = same & part
        values = at_first[member & ~np.isnan(at_first)]
        if not member.any():
            continue
        mean = float(values.mean()) if len(values) else np.nan
        sd = float(values.std(ddof=1)) if len(values) > 1 else np.nan
        for statistic, value in (("mean", mean), ("sd", sd)):
            counted.add({**named, **naming, "statistic": statistic, "value": value, "n": len(values)})


def _gap(pattern: Bools) -> str:
    """The kind of a pattern of visits.

    >>> [_gap(np.array(pattern, dtype=bool)) for pattern in ([1, 1], [1, 0], [0, 1], [0, 0])]
    ['complete', 'monotone', 'intermittent', 'never observed']
    """
    if pattern.all():
        return "complete"
    if not pattern.any():
        return "never observed"
    return "monotone" if (np.diff(pattern.astype(int)) <= 0).all() else "intermittent"


def _stands(cohort: Cohort, name: str) -> pd.Series:
    """What stands in each row of a column: a value, a code, or nothing."""
    column = cohort.data[name]
    met = cohort.missing_as.get(name)
    codes = [] if met is None else [str(code) for code in met.cat.categories]
    kinds = [OBSERVED, *(f"code {code}" for code in codes), BLANK]
    place = np.where(column.notna(), 0, len(kinds) - 1).astype(np.int64)
    if met is not None:
        of_row = met.cat.codes.to_numpy()
        place = np.where(of_row >= 0, of_row + 1, place).astype(np.int64)
    return pd.Series(pd.Categorical.from_codes(place, dtype=pd.CategoricalDtype(kinds)))
