"""`draw`: one planned cohort, with its rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..cohort import Cohort, Covariate, Outcome
from ..cohort.cohort import Source
from ..cohort.roles import Visits
from ._batch import Scenario
from ._design import CohortDesign

__all__ = ["draw", "drawer"]


@dataclass(frozen=True, slots=True)
class _Drawer:
    """Draws cohorts of a design; a value, so that workers can be sent it."""

    design: CohortDesign
    scenario: Scenario

    def __call__(self, rng: np.random.Generator) -> Cohort:
        design = self.design
        y, pattern, arm = self.scenario.rows(design, 1, rng)
        seen = design.seen[pattern[0]]
        person, visit = np.nonzero(seen)
        code = np.cumsum(seen.any(1))[person]
        data = pd.DataFrame(
            {
                "subject": code.astype(np.int64),
                "visit": pd.Categorical.from_codes(visit, categories=pd.Index(design.labels), ordered=True),
                "years": design.years[visit],
                design.outcome: y[0][person, visit],
            }
        )
        roles = {}
        if len(design.arms) > 1:
            data["arm"] = pd.Categorical.from_codes(arm[person], categories=pd.Index(design.arms))
            roles["arm"] = Covariate(name="arm", levels=design.arms, constant=True)
        n = int(seen.any(1).sum())
        return Cohort(
            data=data,
            visits=Visits(design.labels, tuple(float(year) for year in design.years)),
            outcome_roles={design.outcome: Outcome(name=design.outcome, unit=design.unit, better=design.better)},
            covariate_roles=roles,
            ids=np.array([f"P{k:04d}" for k in range(1, n + 1)], dtype=object),
            source=Source(name="a planned cohort", rows_read=len(data), rows_kept=len(data)),
        )


def drawer(design: CohortDesign, scenario: Scenario) -> _Drawer:
    """What draws cohorts of a design from a generator of random numbers."""
    return _Drawer(design, scenario)


def draw(design: CohortDesign, *, seed: int, dropout_slope: float = 0.0, selected_above: float | None = None) -> Cohort:
    """A cohort as the design assumes it: rows of scores, with `arm` as a covariate where there are two.

    Parameters
    ----------
    design : CohortDesign
    seed : int
    dropout_slope, selected_above : as in `simulate`

    >>> from burnout_stats.power import CohortDesign
    >>> cohort = draw(CohortDesign((3.0, 2.6, 2.5), sd=0.9, correlation=0.5, n=30), seed=1)
    >>> cohort.n_subjects, cohort.visits.labels, cohort.outcomes
    (30, ('baseline', '1 year', '3 years'), ('score',))
    """
    scenario = Scenario(dropout_slope=dropout_slope, selected_above=selected_above)
    return _Drawer(design, scenario)(np.random.default_rng(np.random.SeedSequence(seed)))
