"""Who stayed in the study: a grouping of subjects that any `by` takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..cohort.missingness import observed_at
from ..errors import StudyError, did_you_mean, one_of

__all__ = ["COMPLETED", "COMPLETION", "LOST", "Completed"]

COMPLETION = "completion"
"""The column that tells the two groups apart."""
COMPLETED, LOST = "completed", "lost"


@dataclass(frozen=True, slots=True)
class Completed:
    """Subjects by whether they were seen at a visit: the groups "completed" and "lost".

    Parameters
    ----------
    visit : str or tuple of str, optional
        One visit or several; every visit after the first where left out.
    need : "all" or "any"
        Of several visits: whether a completer was seen at all of them, or at one at least.
    outcomes : tuple of str, optional
        Seen means that one of these outcomes has a value; all outcomes where left out.

    Examples
    --------
    >>> Completed("3 years")
    Completed(visit='3 years', need='all', outcomes=())
    """

    visit: str | tuple[str, ...] = ()
    need: str = "all"
    outcomes: str | tuple[str, ...] = ()

    def __post_init__(self) -> None:
        one_of("need", self.need, ("all", "any"))

    def visits(self, cohort: Cohort) -> tuple[str, ...]:
        """The visits that count.

        Raises
        ------
        StudyError
            `E-STUDY-VALUE` for a visit that the cohort has not.
        """
        labels = cohort.visits.labels
        asked = (self.visit,) if isinstance(self.visit, str) else tuple(self.visit)
        for label in asked:
            if label not in labels:
                raise StudyError(
                    "E-STUDY-VALUE",
                    f"Completion is asked at the visit `{label}`.",
                    f"The cohort's visits are: {', '.join(labels)}.",
                    did_you_mean(label, labels) or "Name one of them.",
                )
        return asked or labels[1:] or labels

    def seen(self, cohort: Cohort) -> NDArray[np.bool_]:
        """Whether each subject completed.

        Raises
        ------
        StudyError
            `E-STUDY-VALUE` for an unknown visit, `E-STUDY-COLUMN` for an unknown outcome.
        """
        asked = (self.outcomes,) if isinstance(self.outcomes, str) else tuple(self.outcomes)
        names = [cohort.outcome(name).name for name in asked] or list(cohort.outcomes)
        places = [cohort.visits.labels.index(label) for label in self.visits(cohort)]
        at = observed_at(cohort, names)[:, places]
        return np.asarray(at.all(axis=1) if self.need == "all" else at.any(axis=1))

    def words(self, cohort: Cohort) -> str:
        """What completed means, as a sentence."""
        visits = self.visits(cohort)
        which = visits[0] if len(visits) == 1 else f"{'all' if self.need == 'all' else 'one or more'} of"
        listed = "" if len(visits) == 1 else f" {', '.join(visits)}"
        asked = (self.outcomes,) if isinstance(self.outcomes, str) else tuple(self.outcomes)
        value = " or ".join(cohort.outcome(name).label for name in asked) or "at least one outcome"
        return f"Completed: {value} was observed at {which}{listed}; lost: it was not."
