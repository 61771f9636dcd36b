"""How many scores lie at the ends of their scale, where change can no longer be seen."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from ..cohort import Cohort
from ..errors import StudyError
from ..estimates import About, Summaries
from ._counted import Counted
from ._groups import groups_of

__all__ = ["floor_ceiling"]

TOLERANCE = 1e-9


def floor_ceiling(cohort: Cohort, outcomes: str | Iterable[str] | None = None, *, by: str | None = None) -> Summaries:
    """Scores at the lowest and at the highest possible value, visit by visit.

    Parameters
    ----------
    cohort : Cohort
    outcomes : names, optional
        All outcomes with a declared range where left out.
    by : str, optional
        A categorical covariate; everything is counted within its levels.

    Returns
    -------
    Summaries
        Kind "floor_ceiling": for each outcome (`variable`) at each visit, how many scores were observed, lie at the
        lowest and at the highest end of the range (`level`), as `n` and, of the observed ones, `percent`. Shares above
        15% are customarily called floor and ceiling effects (McHorney & Tarlov 1995, Qual Life Res 4:293).

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for an unknown outcome or covariate, `E-STUDY-VALUE` where an outcome has no declared range or
        `by` has no levels.

    Examples
    --------
    >>> from burnout_stats.cohort import read_cohort
    >>> frame = pd.DataFrame({"id": range(8), "visit": "start", "stress": [1.0, 1, 1, 1, 1, 2, 3, 5]})
    >>> cohort = read_cohort(
    ...     frame, subject="id", visit="visit", times={"start": 0}, outcomes={"stress": {"range": [1, 5]}}
    ... )
    >>> found = floor_ceiling(cohort).frame
    >>> found.loc[found["level"].eq("start, lowest"), "value"].tolist()
    [5.0, 62.5]
    """
    asked = (outcomes,) if isinstance(outcomes, str) else outcomes
    names = [name for name in cohort.outcomes if cohort.outcome(name).range] if asked is None else list(asked)
    roles = {name: cohort.outcome(name) for name in names}
    for name in names or cohort.outcomes[:1]:
        if cohort.outcome(name).range is None:
            raise StudyError(
                "E-STUDY-VALUE",
                f"Outcome `{name}` has no declared range.",
                "The ends of a scale are those of its range.",
                'Declare it, for example outcomes={"exhaustion": {"range": [1, 5]}}.',
            )
    found = Counted(groups_of(cohort, by))
    subject = cohort.data["subject"].to_numpy() - 1
    visit = cohort.data["visit"].cat.codes.to_numpy()
    for name, role in roles.items():
        values = np.full((cohort.n_subjects, len(cohort.visits)), np.nan)
        values[subject, visit] = cohort.data[name].to_numpy(dtype=float)
        assert role.range is not None
        for place, label in enumerate(cohort.visits.labels):
            own = values[:, place]
            observed = ~np.isnan(own)
            found.count({"variable": name, "level": f"{label}, observed"}, observed)
            for end, word in zip(role.range, ("lowest", "highest"), strict=True):
                with np.errstate(invalid="ignore"):
                    member = np.abs(own - end) <= TOLERANCE
                found.count({"variable": name, "level": f"{label}, {word}"}, member, observed)
    return Summaries(
        frame=pd.DataFrame(found.rows),
        about=About(
            kind="floor_ceiling",
            outcomes={name: role.label for name, role in roles.items()},
            ranges={name: role.range for name, role in roles.items() if role.range},
            visit_years=cohort.visits.by_label(),
            factors=("level",),
            by=(by,) if by else (),
            notes=("Lowest and highest: the ends of the declared range. Percentages are of the observed scores.",),
            policy=cohort.policy,
        ),
        margins=found.margins(),
    )
