"""Arms compared by a mixed model with the baseline as an outcome; the arms share their baseline mean only where persons
were randomized to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..cohort import Cohort
from ..cohort.common_baseline import arm_contrasts, arms_of, common_baseline
from ..errors import StudyError
from ..estimates import Estimates
from ..models import MMRM, fit
from .contrasts import contrast
from .emmeans import emmeans

__all__ = ["arm_differences", "arm_means"]

FACTOR = "arm_at_visit"
CONSTRAINED = (
    "Baseline is an outcome, and the arms share their baseline mean because persons were randomized to them: a "
    "difference at a visit is the difference of the changes."
)
FREE = (
    "Baseline is an outcome, and each arm has its own baseline mean because persons were not randomized: differences "
    "are those of the changes, and what made the arms unlike at baseline may be behind them."
)


def arm_means(
    cohort: Cohort,
    outcome: str,
    *,
    arm: str,
    randomized: bool,
    adjust_for: Sequence[str] = (),
    covariance: str = "us",
    df: str | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """The means of the arms at the visits, from the model of `arm_differences`.

    Returns
    -------
    Estimates
        Kind "means", by `arm_at_visit` where persons were randomized (the baseline is one row), else by visit and arm.

    >>> from burnout_stats.studies import example
    >>> len(arm_means(example("villa_sana"), "exhaustion", arm="intervention", randomized=True))
    5
    """
    arms_of(cohort, arm)
    covariates = "".join(f" + `{name}`" for name in adjust_for)
    if arm in adjust_for or outcome in adjust_for:
        raise StudyError(
            "E-STUDY-VALUE",
            f"The model is adjusted for {', '.join(f'`{name}`' for name in adjust_for)}.",
            "The arm is in the model already, and the score at baseline is one of its outcomes.",
            "Leave them out of `adjust_for`.",
        )
    if randomized:
        shared = common_baseline(cohort, arm, name=FACTOR)
        fitted = fit(MMRM(f"`{outcome}` ~ {FACTOR}{covariates}", covariance=covariance), shared)
        means = emmeans(fitted, FACTOR, df=df, conf_level=conf_level)
    else:
        fitted = fit(MMRM(f"`{outcome}` ~ visit * `{arm}`{covariates}", covariance=covariance), cohort)
        means = emmeans(fitted, "visit", by=arm, df=df, conf_level=conf_level)
    return replace(means, about=replace(means.about, notes=(CONSTRAINED if randomized else FREE, *means.about.notes)))


def arm_differences(
    cohort: Cohort,
    outcome: str,
    *,
    arm: str,
    randomized: bool,
    adjust_for: Sequence[str] = (),
    covariance: str = "us",
    df: str | None = None,
    adjust: str = "none",
    conf_level: float = 0.95,
) -> Estimates:
    """How much more each other arm changed than the first, by a mixed model in which the baseline is an outcome.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
    arm : str
        A covariate with levels; the first is the one that the others are compared with.
    randomized : bool
        Whether persons were randomized to the arms after baseline. Then the arms share their baseline mean (constrained
        longitudinal data analysis); otherwise each has its own. There is no default: it is a fact of the design.
    adjust_for : names of covariates that do not come from after the baseline
    covariance, df, conf_level : as in `MMRM` and `emmeans`
    adjust : as in `contrast`, over the visits and arms

    Returns
    -------
    Estimates
        Kind "contrasts": a row for each later visit and other arm.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-VALUE`, and as `fit`.

    **Source**: Liang & Zeger 2000, Sankhya B 62:134; Liu et al. 2009, Stat Med 28:2509.

    >>> from burnout_stats.studies import example
    >>> cohort = example("villa_sana")
    >>> arm_differences(cohort, "exhaustion", arm="intervention", randomized=False).frame["contrast"].tolist()
    ['1 year - baseline, week - day', '3 years - baseline, week - day']
    """
    means = arm_means(
        cohort,
        outcome,
        arm=arm,
        randomized=randomized,
        adjust_for=adjust_for,
        covariance=covariance,
        df=df,
        conf_level=conf_level,
    )
    return contrast(means, arm_contrasts(cohort, arm) if randomized else "difference_in_differences", adjust=adjust)
