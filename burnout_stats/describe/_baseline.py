"""Table 1: who the subjects were when the study began."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..engine.two_samples import combined
from ..errors import StudyError
from ..estimates import About, Policy, Summaries
from ._characteristics import Characteristic, Known, Printed, at_baseline, characteristic_of, characteristics_from
from ._completed import Completed
from ._counted import Counted
from ._groups import MISSING, Groups, groups_of

__all__ = [
    "ALL",
    "OVERALL",
    "SUBJECTS",
    "baseline",
    "baseline_from_summaries",
]

Array = NDArray[np.float64]
ALL = "(all)"
"""The level of a row that is about the whole variable."""
OVERALL = "Overall"
"""The group of everyone."""
SUBJECTS = "subjects"
"""The variable that counts the members of the groups."""
OPEN = Policy(min_cell=1)
"""Numbers of a paper are public already."""

SMD_NOTES = {
    2: "SMD: standardized mean difference, {second} less {first}: difference / √((s₁² + s₂²) / 2); of a categorical "
    "variable the distance of Yang and Dalton (2012), which has no sign.",
    3: "SMD: the largest standardized mean difference between two groups, without sign: difference / √((s₁² + s₂²) / "
    "2), of a categorical variable the distance of Yang and Dalton (2012).",
}
PERCENT_NOTE = "Percentages are of those whose value is known; the rest stand under Missing."


def baseline(
    cohort: Cohort,
    by: str | Completed | None = None,
    variables: Iterable[str] | None = None,
    *,
    medians: Iterable[str] = (),
    overall: bool = True,
) -> Summaries:
    """Covariates and outcomes at the first visit, in all or by group: Table 1.

    Parameters
    ----------
    cohort : Cohort
    by : str or Completed, optional
        A categorical covariate, or `Completed("3 years")`: the groups.
    variables : names, optional
        Covariates and outcomes in their order; all of them where left out.
    medians : names, optional
        Numbers that are described by median and quartiles; all others by mean and SD. It is a choice to declare, not
        one that a test of normality makes.
    overall : bool
        With groups, whether everyone is described too.

    Returns
    -------
    Summaries
        Kind "baseline". For each variable and group a row for each statistic: at the level "(all)" `n` (known) and
        `missing` (not known), of numbers `mean` and `sd` or `median`, `q1` and `q3`; at each level of a categorical
        variable `n` and `percent` (of those known). The variable `subjects` counts the members of the groups. Of two
        groups or more, the group "Overall" has the standardized mean difference `smd`.
        A covariate that does not change within any subject is taken from the first visit where it is known, everything
        else from the first visit alone.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for an unknown variable, `E-STUDY-VALUE` where `by` has no levels or `medians` names a variable
        that has.

    **Source**: Yang & Dalton 2012, SAS Global Forum 335-2012, for the standardized differences.

    Examples
    --------
    >>> import pandas as pd
    >>> from burnout_stats.cohort import read_cohort
    >>> frame = pd.DataFrame({"id": [1, 2, 3], "visit": "start", "stress": [2.0, 3.0, 4.0], "sex": ["F", "M", "F"]})
    >>> cohort = read_cohort(frame, subject="id", visit="visit", times={"start": 0}, outcomes=["stress"])
    >>> found = baseline(cohort).frame
    >>> found[found["statistic"].eq("percent")][["level", "value"]].round(1).to_numpy().tolist()
    [['F', 66.7], ['M', 33.3]]
    """
    groups = groups_of(cohort, by)
    known = at_baseline(cohort, variables, leave_out=groups.by)
    as_medians = _medians(known, medians)
    with_overall = bool(groups.by) and overall
    _refuse_overall(groups, with_overall)
    counted = Counted(groups, OVERALL if with_overall else "")
    counted.count({"variable": SUBJECTS, "level": ALL}, counted.everyone)
    compared = [at for at, level in enumerate(groups.levels) if groups.by and level != MISSING]
    for variable in known:
        has = variable.known
        whole = {"variable": variable.name, "level": ALL}
        counted.count(whole, has)
        counted.count(whole, ~has, statistic="missing")
        for code, level in enumerate(variable.levels):
            counted.count({"variable": variable.name, "level": level}, variable.values == code, has)
        if not variable.levels:
            _describe(counted, variable, as_median=variable.name in as_medians)
        if with_overall and len(compared) > 1:
            found = characteristic_of(variable, groups)
            d, fewest = found.largest_difference(compared), found.fewest(compared)
            counted.add({**whole, **groups.naming(OVERALL), "statistic": "smd", "value": d, "n": fewest})
    return Summaries(
        frame=pd.DataFrame(counted.rows),
        about=About(
            kind="baseline",
            outcomes={SUBJECTS: "Subjects"} | {variable.name: variable.label for variable in known},
            units=_units(cohort, known),
            visit_years=cohort.visits.by_label(),
            factors=("level",),
            by=groups.by,
            notes=(
                *((by.words(cohort),) if isinstance(by, Completed) else ()),
                *((PERCENT_NOTE,) if any(variable.levels for variable in known) else ()),
                *(_smd_note([groups.levels[at] for at in compared]) if with_overall else ()),
            ),
            policy=cohort.policy,
        ),
        margins=counted.margins(),
    )


def baseline_from_summaries(
    printed: Printed, *, groups: tuple[str, ...] = ("completed", "lost"), by: str = "group"
) -> Summaries:
    """Table 1 from the numbers that a paper prints, with everyone taken together and standardized differences.

    Parameters
    ----------
    printed : mapping
        By variable, (Sample, Sample, ...) for a number and {level: (count, count, ...)} for a categorical variable, one
        entry for each group.
    groups : tuple of str
        What the groups are called.
    by : str
        What tells them apart.

    Returns
    -------
    Summaries
        As `baseline` answers; what is missing is not known. Numbers of a paper are public already, so nothing is
        hidden.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` where a variable does not have one entry for each group.

    Examples
    --------
    >>> from burnout_stats.estimates import Sample
    >>> found = baseline_from_summaries({"Exhaustion": (Sample(3.01, 0.94, 184), Sample(3.33, 0.88, 43))}).frame
    >>> found[found["group"].eq("Overall")][["statistic", "value"]].round(2).to_numpy().tolist()
    [['n', 227.0], ['mean', 3.07], ['sd', 0.94], ['smd', 0.35]]
    """
    found = characteristics_from(printed, groups)
    rows: list[dict[str, object]] = []
    for variable in found:
        for at, group in enumerate(groups):
            rows += _printed(variable, by, group, variable.n[at], variable.mean[at], variable.sd[at], at)
        mean, sd = np.nan, np.nan
        if not variable.levels:
            mean, sd, _ = combined(variable.mean, variable.sd, variable.n)
        rows += _printed(variable, by, OVERALL, variable.n.sum(), mean, sd, None)
        d, fewest = variable.largest_difference(range(len(groups))), variable.fewest(range(len(groups)))
        rows.append({"variable": variable.name, "level": ALL, by: OVERALL, "statistic": "smd", "value": d, "n": fewest})
    return Summaries(
        frame=pd.DataFrame(rows),
        about=About(
            kind="baseline",
            outcomes={variable.name: variable.label for variable in found},
            factors=("level",),
            by=(by,),
            notes=("From printed summaries.", *_smd_note(list(groups))),
            policy=OPEN,
        ),
    )


def _describe(counted: Counted, variable: Known, *, as_median: bool) -> None:
    """Mean and SD, or median and quartiles, in each group and in all."""
    for naming, part in counted.parts:
        values = variable.values[part & variable.known]
        for statistic, value in (_median(values) if as_median else _mean(values)).items():
            named = {"variable": variable.name, "level": ALL, **naming, "statistic": statistic}
            counted.add(named | {"value": value, "n": len(values)})


def _mean(values: Array) -> dict[str, float]:
    n = len(values)
    return {
        "mean": float(values.mean()) if n else np.nan,
        "sd": float(values.std(ddof=1)) if n > 1 else np.nan,
    }


def _median(values: Array) -> dict[str, float]:
    found = np.quantile(values, [0.5, 0.25, 0.75]) if len(values) else np.full(3, np.nan)
    return {name: float(value) for name, value in zip(("median", "q1", "q3"), found, strict=True)}


def _smd_note(groups: list[str]) -> tuple[str, ...]:
    if len(groups) < 2:
        return ()
    return (SMD_NOTES[min(len(groups), 3)].format(first=groups[0], second=groups[1]),)


def _medians(known: list[Known], medians: Iterable[str]) -> set[str]:
    asked = {medians} if isinstance(medians, str) else set(medians)
    numbers = [variable.name for variable in known if not variable.levels]
    for name in sorted(asked):
        if name not in numbers:
            raise StudyError(
                "E-STUDY-VALUE",
                f"A median is asked of `{name}`.",
                f"The numbers that are described are: {', '.join(numbers) or 'none'}.",
                "Name one of them, and add it to `variables` where these are named.",
            )
    return asked


def _refuse_overall(groups: Groups, with_overall: bool) -> None:
    if with_overall and OVERALL in groups.levels:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`{groups.by[0]}` has a level called {OVERALL}.",
            "This is what everyone together is called.",
            "Rename the level, or say overall=False.",
        )


def _units(cohort: Cohort, known: list[Known]) -> dict[str, str]:
    units = {name: role.unit for name, role in cohort.covariate_roles.items()}
    units |= {name: role.unit for name, role in cohort.outcome_roles.items()}
    return {variable.name: units[variable.name] for variable in known if units[variable.name]}


def _printed(
    variable: Characteristic, by: str, group: str, n: float, mean: float, sd: float, at: int | None
) -> list[dict[str, object]]:
    """The rows of one group of one variable."""

    def row(level: str, statistic: str, value: float, count: float) -> dict[str, object]:
        named = {"variable": variable.name, "level": level, by: group}
        return named | {"statistic": statistic, "value": float(value), "n": int(count)}

    if not variable.levels:
        return [row(ALL, "n", n, n), row(ALL, "mean", mean, n), row(ALL, "sd", sd, n)]
    counts = variable.counts.sum(axis=1) if at is None else variable.counts[:, at]
    rows = [row(ALL, "n", n, n)]
    for level, count in zip(variable.levels, counts, strict=True):
        rows += [row(level, "n", count, count), row(level, "percent", 100 * count / n if n else np.nan, count)]
    return rows
