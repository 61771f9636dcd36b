"""Effort and reward of Norwegian doctors in 2010, 2016 and 2019 (BMJ Open 2020;10:e037474): three overlapping surveys
of one panel, which doctors enter and leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from .. import describe
from ..cohort import Cohort
from ..estimates import Estimates, Summaries
from ..inference import emmeans
from ..models import LMM, fit
from ._associations import with_associations
from ._stack import Stack
from ._study import Study

if TYPE_CHECKING:
    from ._analyze import Analysis

__all__ = ["STUDY", "OverlappingSurveys"]

MODEL = "{outcome} ~ visit * position + sex + age + (1 | subject)"


class OverlappingSurveys(Study):
    """A study whose subjects need not be seen at the first visit: [[panel]] says who answered which surveys."""

    __slots__ = ()

    def stack(self, n_replicates: int, *, seed: int | Sequence[int]) -> Stack:
        """So many synthetic sets of surveys; each pattern of answers has as many persons as the file says."""
        whole = Study.stack(self, n_replicates, seed=seed)
        rows = self.tables["panel"]
        kinds = np.array([row["seen"] for row in rows], dtype=bool)
        which = np.repeat(np.arange(len(rows)), [int(row["count"]) for row in rows])
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([*np.atleast_1d(seed).tolist(), 2])))
        order = np.argsort(rng.random(whole.seen.shape[:2]), axis=1)
        seen = kinds[which[order]]
        constant = {name for name in whole.scores if len(self.tables["variables"][name]["moments"]) == 1}
        scores = {
            name: values if name in constant else np.where(seen, values, np.nan)
            for name, values in whole.scores.items()
        }
        return Stack(
            visits=whole.visits, scores=scores, groups=whole.groups, seen=seen, roles=whole.roles, title=whole.title
        )

    def analyze(self, cohort: Cohort) -> Analysis:
        """The plan as printed on one cohort: mixed models with a random intercept of the person, means by position and
        year adjusted for sex and age (at their mean and proportions over subjects), and shares.
        """
        from ._analyze import Analysis, _estimates

        means = {
            name: emmeans(fit(LMM(MODEL.format(outcome=name)), cohort), "visit", by="position", df="asymptotic")
            for name in self.design.outcomes
        }
        shares = describe.caseness(cohort, "imbalance", by="position")
        numbers: dict[str, float] = {}
        answers: dict[str, Estimates | Summaries] = {}
        for number in self.printed:
            of = number.of
            if number.statistic == "adjusted_mean":
                answers[number.id] = means[of["variable"]]
                numbers[number.id] = _read(answers[number.id], of["visit"], of["level"])
            elif number.statistic == "percent":
                answers[number.id] = shares
                numbers[number.id] = 100.0 * _read(shares, of["visit"], of["where"]["position"])
            elif number.statistic == "count":
                numbers[number.id] = float(cohort.data["visit"].isin(of["seen"]).sum())
        return Analysis(study=self.name, numbers=numbers, answers=answers, estimates=_estimates(self, cohort, numbers))


def _read(found: Estimates | Summaries, visit: str, position: str) -> float:
    frame = found.frame
    return float(frame.loc[frame["visit"].eq(visit) & frame["position"].eq(position), "estimate"].iloc[0])


_READ = with_associations("rosta_2020")
STUDY = OverlappingSurveys(**{field.name: getattr(_READ, field.name) for field in fields(_READ)})
