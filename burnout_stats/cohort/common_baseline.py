"""Arms that share one baseline mean: a factor whose levels are the first visit, and each arm at each later visit.

A model of the scores at all visits with this factor alone has the mean μ₀ at baseline for every arm, and a mean of its
own for each arm at each later visit: constrained longitudinal data analysis. Its columns span the same space as those
of `visit + visit:arm` without the column of the arm at baseline. The constraint holds by design where persons were
randomized after the baseline was measured; elsewhere it is an assumption that the data may contradict.

**Source**: Liang & Zeger 2000, Sankhya B 62:134; Liu, Lu, Mogg, Mallick & Mehrotra 2009, Stat Med 28:2509; van
Breukelen 2013, Multivariate Behav Res 48:895 (with two visits and complete data it is the analysis of covariance).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

from ..errors import StudyError, did_you_mean
from .cohort import Cohort
from .roles import RESERVED, Covariate

__all__ = ["arm_contrasts", "arms_of", "common_baseline"]


def arms_of(cohort: Cohort, arm: str) -> tuple[str, ...]:
    """The levels of the column of the arms.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for a column that is no covariate, `E-STUDY-VALUE` for one with fewer than two levels.
    """
    if arm not in cohort.covariates:
        raise StudyError(
            "E-STUDY-COLUMN",
            f"Column `{arm}` is not a covariate of the cohort.",
            f"Its covariates are: {', '.join(cohort.covariates) or 'none'}.",
            did_you_mean(arm, cohort.covariates) or "Name the column of the arms.",
        )
    levels = cohort.covariate_roles[arm].levels or ()
    if len(levels) < 2:
        raise StudyError(
            "E-STUDY-VALUE",
            f"Covariate `{arm}` has {len(levels)} levels.",
            "Arms are two levels or more.",
            "Declare them under [covariates], the one that the others are compared with first.",
        )
    return levels


def common_baseline(cohort: Cohort, arm: str, *, name: str = "arm_at_visit") -> Cohort:
    """The cohort with a further covariate: the first visit for all arms together, and visit and arm at each later one.

    `MMRM("score ~ arm_at_visit")` on it is the mixed model in which the arms share their baseline mean. Only for arms
    to which persons were randomized; `arm_differences(..., randomized=True)` does all of it.

    Parameters
    ----------
    cohort : Cohort
    arm : str
        A covariate with levels.
    name : str
        The name of the new covariate.

    Raises
    ------
    StudyError
        As `arms_of`; `E-STUDY-ROLES` for a name that is taken.

    >>> from burnout_stats.studies import example
    >>> common_baseline(example("villa_sana"), "intervention").covariate_roles["arm_at_visit"].levels[:3]
    ('baseline', '1 year, day', '1 year, week')
    """
    levels = arms_of(cohort, arm)
    if name in cohort.data or name in RESERVED:
        raise StudyError(
            "E-STUDY-ROLES",
            f"The new column is called `{name}`, and the cohort has that name already.",
            "A column is one thing.",
            "Choose another name.",
        )
    first, *later = cohort.visits.labels
    labels = (first, *(f"{visit}, {level}" for visit, level in product(later, levels)))
    visit = cohort.data["visit"].cat.codes.to_numpy().astype(int)
    own = np.asarray(pd.Categorical(cohort.data[arm], categories=list(levels)).codes, dtype=int)
    codes = np.where(visit == 0, 0, np.where(own < 0, -1, 1 + (visit - 1) * len(levels) + own))
    column = pd.Categorical.from_codes(codes, categories=pd.Index(labels))
    role = Covariate(name, label=f"Visit and {cohort.covariate_roles[arm].label.lower()}", levels=labels)
    return replace(
        cohort, data=cohort.data.assign(**{name: column}), covariate_roles={**cohort.covariate_roles, name: role}
    )


def arm_contrasts(cohort: Cohort, arm: str) -> dict[str, list[float]]:
    """Weights on the means of `common_baseline`'s factor: each other arm less the first, at each later visit.

    As the arms share their baseline mean, the difference at a visit is the difference of the changes.

    >>> from burnout_stats.studies import example
    >>> arm_contrasts(example("villa_sana"), "intervention")
    {'1 year: week - day': [0.0, -1.0, 1.0, 0.0, 0.0], '3 years: week - day': [0.0, 0.0, 0.0, -1.0, 1.0]}
    """
    levels = arms_of(cohort, arm)
    later = cohort.visits.labels[1:]
    weights: dict[str, list[float]] = {}
    for (k, visit), other in product(enumerate(later), range(1, len(levels))):
        row = np.zeros(1 + len(later) * len(levels))
        row[1 + k * len(levels)], row[1 + k * len(levels) + other] = -1.0, 1.0
        weights[f"{visit}: {levels[other]} - {levels[0]}"] = row.tolist()
    return weights
