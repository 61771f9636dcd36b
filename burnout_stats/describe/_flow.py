"""Who was seen when: the numbers of a participant flow."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..cohort.missingness import observed_at
from ..errors import StudyError
from ..estimates import About, Summaries
from ._completed import Completed
from ._counted import Counted
from ._groups import groups_of

__all__ = ["flow"]

LEFT = "left after "
VARIABLES: dict[str, str] = {
    "before": "Before the data",
    "subjects": "In the cohort",
    "visit": "Seen at the visit",
    "not_seen": "Not seen at the visit",
    "lost": "Not seen at the visit, nor later",
    "complete": "Seen at every visit",
    "contributing": "With at least one value of",
    "pattern": "Pattern of visits",
}
NOTES = (
    "Seen: at least one outcome was observed at the visit. Percentages are of all subjects in the cohort.",
    "A subject with one observed value of an outcome contributes to its model, whichever visit it is from.",
)
DECLARED_NOTE = "Numbers before the data are declared, not counted; their percentages are of the first of them."

Bools = NDArray[np.bool_]


def flow(
    cohort: Cohort,
    *,
    by: str | Completed | None = None,
    before: Mapping[str, int] | None = None,
    reasons: Mapping[str, Mapping[str, int]] | None = None,
) -> Summaries:
    """Subjects seen at each visit, at all visits, contributing to each outcome's model, and by pattern of visits; and,
    where they are declared, how many came before the data.

    Parameters
    ----------
    cohort : Cohort
    by : str or Completed, optional
        A categorical covariate; everything is counted within its levels.
    before : mapping of stage to number, optional
        Numbers from outside the data in their order: {"Invited": 242, "Consented": 227}.
    reasons : mapping of stage to mapping of reason to number, optional
        Why persons took no part after a stage: {"Invited": {"Declined": 9, "No answer": 6}}.

    Returns
    -------
    Summaries
        Kind "flow", with the statistics `n` and `percent` (of all subjects, or of all in the group). The variables:
        `before` (the declared stages, with percentages of the first one); `left after <stage>` (who took no part after
        it, all and by reason); `subjects` (all in the cohort); `visit` (at least one outcome observed there);
        `not_seen` (none there); `lost` (none there, nor later, where there is a later one); `complete` (at every
        visit); `contributing` (at least one value of the outcome, which is what its mixed model uses); `pattern` (the
        visits at which a subject was seen, for each pattern that occurs).

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` or `E-STUDY-VALUE` where `by` is no categorical covariate; `E-STUDY-VALUE` for declared numbers
        that grow from stage to stage, or reasons of more persons than left.

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
    declared = _declared(before or {}, reasons or {}, cohort.n_subjects)
    if declared and groups.by:
        raise StudyError(
            "E-STUDY-VALUE",
            "Numbers from outside the data are declared, and the flow is asked by group.",
            "How many were invited is known of all, not of each group.",
            "Leave out `before`, or `by`.",
        )
    counted = Counted(groups)
    everyone = counted.everyone
    for row in declared:
        counted.add(row)
    seen = observed_at(cohort, cohort.outcomes)
    counted.count({"variable": "subjects", "level": "all"}, everyone, everyone)
    for at, label in enumerate(labels):
        counted.count({"variable": "visit", "level": label}, seen[:, at], everyone)
    for at, label in enumerate(labels):
        if at or not seen[:, 0].all():
            counted.count({"variable": "not_seen", "level": label}, ~seen[:, at], everyone)
    for at, label in enumerate(labels[1:-1], start=1):
        counted.count({"variable": "lost", "level": label}, np.asarray(~seen[:, at:].any(axis=1)), everyone)
    counted.count({"variable": "complete", "level": "all visits"}, np.asarray(seen.all(axis=1)), everyone)
    for name, label in zip(cohort.outcomes, _labels(cohort), strict=True):
        member = np.asarray(observed_at(cohort, [name]).any(axis=1))
        counted.count({"variable": "contributing", "level": label}, member, everyone)
    absent, place = np.unique(~seen, axis=0, return_inverse=True)
    for k, pattern in enumerate(~absent):
        named = {"variable": "pattern", "level": _pattern(pattern, labels)}
        counted.count(named, np.equal(place.reshape(-1), k), everyone, leave_out_empty=True)
    return Summaries(
        frame=pd.DataFrame(counted.rows),
        about=About(
            kind="flow",
            outcomes=VARIABLES | {_left(stage): f"Not taking part after: {stage}" for stage in before or {}},
            visit_years=cohort.visits.by_label(),
            factors=("level",),
            by=groups.by,
            notes=(*((DECLARED_NOTE,) if declared else ()), *NOTES),
            policy=cohort.policy,
        ),
        margins=counted.margins(),
    )


def _left(stage: str) -> str:
    return f"{LEFT}{stage}"


def _declared(
    before: Mapping[str, int], reasons: Mapping[str, Mapping[str, int]], n_subjects: int
) -> list[dict[str, object]]:
    """Rows of the numbers from outside the data, and of those who went from each stage to none."""
    stages = [(str(stage), _whole(stage, n)) for stage, n in before.items()]
    for stage in reasons:
        if stage not in before:
            raise StudyError(
                "E-STUDY-VALUE",
                f"Reasons for not taking part are given after `{stage}`.",
                f"The stages before the data are: {', '.join(before) or 'none'}.",
                "Name the stage after which these persons took no part.",
            )
    rows: list[dict[str, object]] = []
    gone: list[dict[str, object]] = []
    for place, (stage, n) in enumerate(stages):
        following = stages[place + 1][1] if place + 1 < len(stages) else n_subjects
        left = n - following
        told = {str(reason): _whole(reason, count) for reason, count in reasons.get(stage, {}).items()}
        if left < 0 or sum(told.values()) > left:
            raise StudyError(
                "E-STUDY-VALUE",
                f"After `{stage}` ({n}) there are {following}"
                + (f", and reasons of {sum(told.values())} for not taking part." if told else "."),
                "Each stage has at least as many persons as the next, the last at least as many as the data, and "
                "reasons are those of persons who left between them.",
                'Write for example before={"Invited": 242, "Consented": 227}, reasons={"Invited": {"Declined": 15}}.',
            )
        percent = 100.0 * n / stages[0][1] if stages[0][1] else np.nan
        rests_on = min(n, left) if left else n  # a number and the next tell how many are between them
        rows += _counts("before", stage, n, rests_on, percent)
        if left:
            if told and sum(told.values()) < left:
                told["Reason not known"] = left - sum(told.values())
            gone += _counts(_left(stage), "all", left, left)
            fewest = min((count for count in told.values() if count), default=0)
            for reason, count in told.items():
                gone += _counts(_left(stage), reason, count, fewest)  # one that is hidden hides all, or they tell it
    return rows + gone


def _counts(variable: str, level: str, value: int, n: int, percent: float | None = None) -> list[dict[str, object]]:
    named: dict[str, object] = {"variable": variable, "level": level}
    rows = [named | {"statistic": "n", "value": float(value), "n": n}]
    return rows if percent is None else [*rows, named | {"statistic": "percent", "value": percent, "n": n}]


def _whole(name: str, n: object) -> int:
    if isinstance(n, bool) or not isinstance(n, int) or n < 0:
        raise StudyError(
            "E-STUDY-VALUE",
            f"The number of `{name}` is {n!r}.",
            "It counts persons.",
            "Give a whole number of 0 or more.",
        )
    return n


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
