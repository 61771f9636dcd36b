"""Movement between states over the visits: cases recover and relapse, others become cases, and some are not seen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..errors import StudyError
from ..estimates import About, Summaries
from ..estimates.margins import counted
from ._case_rule import cases_of
from ._groups import groups_of

__all__ = ["ARROW", "STATES", "transitions"]

Bools = NDArray[np.bool_]
Counted = tuple[str, str, Bools, Bools]
"""Variable, level, who is counted, and of whom the percentage is."""

STATES = ("case", "not a case", "missing")
ARROW = " → "
FROM_CASE = ("case at every visit", "recovered", "recovered, then relapsed")
FROM_NO_CASE = ("never a case", "incident case", "incident case, then recovered")
TO_AND_FRO = "moved three times or more"
UNSEEN = "missing at a visit"
PERCENTAGES = (
    "Percentages of states and courses are of those who were seen (at the visit, at every visit), those of the missing "
    "are of all; percentages of movements are of all who were in the earlier state."
)


def transitions(
    cohort: Cohort,
    name: str,
    cutoff: float | str | None = None,
    *,
    direction: str | None = None,
    level: str | None = None,
    by: str | None = None,
) -> Summaries:
    """Who was a case at which visit, how persons moved from visit to visit, and their course over all visits.

    Parameters
    ----------
    cohort, name, cutoff, direction, level, by
        As in `describe.caseness`.

    Returns
    -------
    Summaries
        Kind "transitions", with the statistics `n` and `percent`. The variables: `subjects` (all); `state` (level
        "visit: state", the states being "case", "not a case" and "missing"); "visit → visit" (level "state → state",
        for neighboring visits); `course` ("case at every visit", "recovered", "recovered, then relapsed", "never a
        case", "incident case", "incident case, then recovered", with four visits and more "moved three times or more",
        and "missing at a visit").

    Raises
    ------
    StudyError
        As in `describe.caseness`; `E-STUDY-VISITS` for a cohort with one visit.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> found = transitions(example("villa_sana"), "sick_leave").frame
    >>> int(found.loc[found["variable"].eq("course") & found["statistic"].eq("n"), "value"].sum())
    227
    """
    labels = cohort.visits.labels
    if len(labels) < 2:
        raise StudyError(
            "E-STUDY-VISITS",
            "The cohort has one visit.",
            "Movement needs two visits.",
            "Count cases at the visit with describe.caseness(cohort, ...).",
        )
    cases = cases_of(cohort, name, cutoff, direction, level)
    groups = groups_of(cohort, by)
    rows: list[dict[str, object]] = []
    counts: list[Bools | None] = []
    for at, group in enumerate(groups.levels):
        own = groups.codes == at
        for variable, words, member, among in _counts(cases.is_case, labels):
            inside = member & own
            n, total = int(inside.sum()), int((among & own).sum())
            row = {"variable": variable, "level": words, **groups.naming(group)}
            rows.append(row | {"statistic": "n", "value": float(n), "n": n})
            counts.append(inside)
            if variable != "subjects":
                percent = 100.0 * n / total if total else np.nan
                rows.append(row | {"statistic": "percent", "value": percent, "n": n})
                counts.append(None)
    return Summaries(
        frame=pd.DataFrame(rows),
        about=About(
            kind="transitions",
            outcomes={
                "subjects": "Subjects",
                "state": "State at each visit",
                **{pair: f"From {pair.replace(ARROW, ' to ')}" for pair in map(ARROW.join, _neighbors(labels))},
                "course": "Course over all visits",
            },
            visit_years=cohort.visits.by_label(),
            factors=("level",),
            by=groups.by,
            notes=(
                f"Cases: {cases.rule}.",
                PERCENTAGES,
            ),
            policy=cohort.policy,
        ),
        margins=counted(counts),
    )


def _neighbors(labels: tuple[str, ...]) -> list[tuple[str, str]]:
    return list(pairwise(labels))


def _counts(is_case: NDArray[np.float64], labels: tuple[str, ...]) -> Iterator[Counted]:
    missing = np.isnan(is_case)
    state = np.where(missing, 2, np.where(is_case > 0, 0, 1))
    everyone = np.ones(len(state), dtype=bool)
    yield "subjects", "all", everyone, everyone
    for at, visit in enumerate(labels):
        for code, word in enumerate(STATES):
            yield "state", f"{visit}: {word}", state[:, at] == code, everyone if code == 2 else ~missing[:, at]
    for at, pair in enumerate(_neighbors(labels)):
        for first, source in enumerate(STATES):
            there = state[:, at] == first
            for second, target in enumerate(STATES):
                yield ARROW.join(pair), ARROW.join((source, target)), there & (state[:, at + 1] == second), there
    yield from _courses(state, np.asarray(missing.any(axis=1)))


def _courses(state: NDArray[np.int64], unseen: Bools) -> Iterator[Counted]:
    """Everyone in one course: by the first state and the number of moves of those seen at every visit."""
    moves = (np.diff(state, axis=1) != 0).sum(axis=1)
    most = state.shape[1] - 1
    for start, courses in ((0, FROM_CASE), (1, FROM_NO_CASE)):
        for number, word in enumerate(courses[: most + 1]):
            yield "course", word, ~unseen & (state[:, 0] == start) & (moves == number), ~unseen
    if most >= len(FROM_CASE):
        yield "course", TO_AND_FRO, ~unseen & (moves >= len(FROM_CASE)), ~unseen
    yield "course", UNSEEN, unseen, np.ones(len(state), dtype=bool)
