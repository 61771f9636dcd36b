"""How reliable a score is by a second administration, where nothing was done between the two."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ..cohort import Cohort
from ..engine import reliability as engine
from ..errors import StudyError, did_you_mean
from ..estimates import About, Estimates, Sample
from ._reliability import coefficient, own_variances

__all__ = ["test_retest", "test_retest_from_summaries"]

Array = NDArray[np.float64]


def test_retest(
    cohort: Cohort,
    outcome: str,
    visits: tuple[str, str],
    *,
    nothing_between: bool,
    conf_level: float = 0.95,  # noqa: PT028  (a verb of the user's, not a test)
) -> Estimates:
    """Agreement of two administrations between which nothing was done: correlation, intraclass correlations, and the
    standard error of measurement.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
    visits : two labels
    nothing_between : bool
        That nothing was done between the visits. A correlation across an intervention is no reliability: people
        respond to it differently, which looks like error of measurement.
    conf_level : float

    Returns
    -------
    Estimates
        Kind "test_retest", rows by `term`: "r" (Pearson, Fisher's interval), "ICC(A,1)" (absolute agreement) and
        "ICC(C,1)" (consistency) after McGraw & Wong, "SEM" (SD √(1 − ICC(C,1)) = SD of the differences / √2, with the
        interval of the χ² distribution), and "SDC" (smallest detectable change of a person, z √2 SEM at the level
        of the intervals). From the subjects with both scores.

    Raises
    ------
    StudyError
        `E-STUDY-RETEST` unless `nothing_between` is true; `E-STUDY-COLUMN`; `E-STUDY-VISITS` for unknown visits or
        fewer than 4 subjects with both.

    Notes
    -----
    Source: McGraw & Wong 1996, Psychol Methods 1:30; Lord & Novick 1968; de Vet et al. 2006, J Clin Epidemiol 59:1033
    (SEM and smallest detectable change).
    """
    _stated(nothing_between)
    role = cohort.outcome(outcome)
    first, second = (_at(cohort, outcome, label) for label in visits)
    both = ~(np.isnan(first) | np.isnan(second))
    n = int(both.sum())
    if n < 4:
        raise StudyError(
            "E-STUDY-VISITS",
            f"Too few subjects have `{outcome}` at both visits.",
            "At least 4 are needed.",
            "Choose other visits.",
        )
    x, y = first[both], second[both]
    r = float(np.corrcoef(x, y)[0, 1]) if np.ptp(x) > 0 and np.ptp(y) > 0 else np.nan
    return _retest(
        outcome,
        role.label,
        f"{visits[0]} and {visits[1]}",
        (float(x.mean()), float(y.mean()), float(x.std(ddof=1)), float(y.std(ddof=1)), r, n),
        conf_level,
        About(
            kind="test_retest",
            units={outcome: role.unit} if role.unit else {},
            ranges={outcome: role.range} if role.range else {},
            visit_years={label: years for label, years in cohort.visits.by_label().items() if label in visits},
            policy=cohort.policy,
        ),
    )


def test_retest_from_summaries(
    *,
    first: Sample,
    second: Sample,
    correlation: float,
    nothing_between: bool,
    name: str = "score",  # noqa: PT028  (a verb of the user's, not a test)
    conf_level: float = 0.95,  # noqa: PT028
) -> Estimates:
    """As `test_retest`, from printed means, SDs, size and correlation of the subjects with both scores.

    Raises
    ------
    StudyError
        `E-STUDY-RETEST`; `E-STUDY-VALUE` where the sizes differ or the correlation is not between -1 and 1.

    Examples
    --------
    >>> found = test_retest_from_summaries(
    ...     first=Sample(3.0, 0.9, 120), second=Sample(2.9, 0.9, 120), correlation=0.8, nothing_between=True
    ... )
    >>> dict(zip(found.frame["term"], found.frame["estimate"].round(3)))
    {'r': 0.8, 'ICC(A,1)': 0.796, 'ICC(C,1)': 0.8, 'SEM': 0.402, 'SDC': 1.116}
    """
    _stated(nothing_between)
    if first.n != second.n or first.n < 4 or not abs(correlation) < 1:
        raise StudyError(
            "E-STUDY-VALUE",
            f"The samples have n {first.n} and {second.n}, and the correlation is {correlation}.",
            "Both are the same subjects, at least 4 of them, and a correlation lies between -1 and 1.",
            "Give the means and SDs of the subjects with both scores.",
        )
    numbers = (first.mean, second.mean, first.sd, second.sd, correlation, first.n)
    return _retest(name, name, "as printed", numbers, conf_level, About(kind="test_retest"))


def _retest(
    name: str,
    label: str,
    visit: str,
    numbers: tuple[float, float, float, float, float, int],
    conf_level: float,
    about: About,
) -> Estimates:
    *_, r, n = numbers
    squares = engine.squares_of_pairs(n, *numbers[:5])
    rows = [coefficient(name, visit, "r", engine.correlation_interval(r, n, conf_level=conf_level), n, "Pearson")]
    for form in ("ICC(A,1)", "ICC(C,1)"):
        found = engine.icc(form, squares, conf_level=conf_level)
        rows.append(coefficient(name, visit, form, found, n, engine.ICC_FORMS[form]))
    tail = (1 - conf_level) / 2
    error = float(np.sqrt(squares.mse))
    low, high = (error * np.sqrt((n - 1) / float(special.chdtri(n - 1, p))) for p in (tail, 1 - tail))
    measurement = engine.Interval(
        estimate=error, std_error=error / np.sqrt(2 * (n - 1)), conf_low=float(low), conf_high=float(high)
    )
    times = float(special.ndtri(1 - tail)) * np.sqrt(2)
    rows.append(coefficient(name, visit, "SEM", measurement, n, "SD of the differences / √2"))
    detectable = engine.Interval(
        estimate=times * error,
        std_error=times * measurement.std_error,
        conf_low=times * measurement.conf_low,
        conf_high=times * measurement.conf_high,
    )
    rows.append(coefficient(name, visit, "SDC", detectable, n, "z √2 SEM"))
    return Estimates(
        frame=pd.DataFrame(rows),
        vcov=own_variances(rows),
        about=replace(
            about,
            outcomes={name: label},
            factors=("visit", "term"),
            conf_level=conf_level,
            notes=(
                "Two administrations between which nothing was done, as was stated.",
                "r: Pearson's correlation. ICC(A,1): absolute agreement, two-way random. ICC(C,1): consistency.",
                "SEM: standard error of measurement, SD √(1 - ICC(C,1)). SDC: smallest detectable change of a person.",
            ),
        ),
    )


def _at(cohort: Cohort, outcome: str, label: str) -> Array:
    """The scores at a visit, by subject."""
    if label not in cohort.visits.labels:
        raise StudyError(
            "E-STUDY-VISITS",
            f"There is no visit `{label}`.",
            f"The visits are: {', '.join(cohort.visits.labels)}.",
            did_you_mean(label, cohort.visits.labels),
        )
    rows = cohort.data["visit"].to_numpy() == label
    found = np.full(cohort.n_subjects, np.nan)
    found[cohort.data["subject"].to_numpy()[rows] - 1] = cohort.data[outcome].to_numpy(dtype=float)[rows]
    return found


def _stated(nothing_between: bool) -> None:
    if nothing_between is not True:
        raise StudyError(
            "E-STUDY-RETEST",
            "Something was done between the two administrations, or nobody said that nothing was.",
            "A test-retest reliability comes from two administrations without an intervention between them.",
            "Take the reliability from a published study, or internal consistency from describe.reliability().",
        )
