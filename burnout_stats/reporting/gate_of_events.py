"""What the gate does with outcomes that are counted: the numbers of persons and of events at each visit are protected
with all other counts of the report, and a contrast is hidden where one of its means is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..errors import DisclosureError
from ..estimates import About, Estimates, Policy, Summaries, counted, protect
from ..estimates.disclosure import HIDDEN
from ..inference.counting import contributing, counting, scores_by_subject
from ..plan.events import EventResults

__all__ = ["counted_pieces", "shown_events"]


def counted_pieces(event: EventResults, cohort: Cohort) -> tuple[Summaries, Estimates]:
    """What counts persons: the size of the model, and the means with the persons and events behind each.

    Raises
    ------
    DisclosureError
        `E-DISCLOSURE-COHORT` where the model rests on fewer subjects than may be shown at all.
    """
    fit, policy = event.fit, cohort.policy
    if fit.n_subjects < policy.min_cell:
        raise DisclosureError(
            "E-DISCLOSURE-COHORT",
            f"The model of `events.{event.name}` rests on fewer than {policy.min_cell} subjects.",
            "Numbers about so few persons may not be shown.",
            "Leave it out; set `min_cell` under [disclosure] only as the data owner allows.",
        )
    frame = pd.DataFrame(
        {
            "variable": event.name,
            "level": ["subjects", "scores"],
            "statistic": "n",
            "value": [float(fit.n_subjects), float(fit.n_obs)],
            "n": [fit.n_subjects, fit.n_obs],
        }
    )
    margins = counted([contributing(fit, cohort), scores_by_subject(fit, cohort)])
    size = Summaries(frame=frame, about=About(kind="size", policy=policy), margins=margins)
    return size, replace(event.means, margins=counting(event.means, fit, cohort))


def shown_events(
    events: Sequence[EventResults], pieces: Sequence[Estimates | Summaries], policy: Policy
) -> tuple[EventResults, ...]:
    """The results with their protected pieces, and the contrasts hidden where one of their means is."""
    found = []
    for k, event in enumerate(events):
        size, means = pieces[2 * k], pieces[2 * k + 1]
        assert isinstance(size, Summaries)
        assert isinstance(means, Estimates)
        hidden = means.frame[HIDDEN].to_numpy(dtype=bool)
        differences = _beside(event.differences, event.differences, hidden, means, policy)
        ratios = _beside(event.ratios, event.differences, hidden, means, policy)
        found.append(replace(event, size=size, means=means, differences=differences, ratios=ratios))
    return tuple(found)


def _beside(
    estimates: Estimates, differences: Estimates, hidden: NDArray[np.bool_], means: Estimates, policy: Policy
) -> Estimates:
    """Contrasts without those of hidden means, and without the n of means whose n may not be told.

    The weights of the differences say which means a contrast compares; those of ratios of ordered categories have one
    row for all categories, and are hidden with any of them.
    """
    K = differences.attached()[0] != 0
    gone = (K & hidden).any(axis=1)
    untold = (K & means.frame["n"].isna().to_numpy()).any(axis=1)
    if len(estimates) != len(K):
        gone, untold = np.full(len(estimates), gone.any()), np.full(len(estimates), untold.any())
    n = np.where(untold & ~gone, np.nan, estimates.frame["n"].to_numpy(dtype=float))
    about = replace(estimates.about, n_withheld=estimates.about.n_withheld or bool(np.isnan(n).any()))
    frame = estimates.frame.assign(n=n, **{HIDDEN: gone})
    return protect(replace(estimates, frame=frame, about=about), policy)
