"""Whether those who start high change more: by Oldham, by Blomqvist, by the variances, never by the raw correlation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..engine.level_and_change import Answer, blomqvist, oldham, pitman_morgan
from ..errors import StudyError, one_of
from ..estimates import About, Estimates
from ._groups import groups_of
from ._pairs import by_subject, checked_level, estimates_of, pair_label, pairs_of_visits

__all__ = ["level_and_change", "level_and_change_from_summaries"]

METHODS: Mapping[str, str] = {
    "oldham": (
        "Oldham's correlation (1962) of the change with the mean of both scores; 0 where the variances are equal. It "
        "also moves when persons change differently for reasons that have nothing to do with their level."
    ),
    "blomqvist": "Blomqvist's slope (1977) of the true change on the true level at baseline, given {given}.",
    "pitman-morgan": (
        "Ratio of the later variance to the earlier one, with the Pitman-Morgan test (1939) that they are equal; below "
        "1 where those who start high change more."
    ),
}
RAW = ("raw", "correlation", "pearson")
PRINTED = "after - before"


def level_and_change(
    cohort: Cohort,
    outcome: str,
    *,
    method: str = "oldham",
    visits: str = "vs_baseline",
    by: str | None = None,
    reliability: float | None = None,
    error_variance: float | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """How the change of those seen at both visits goes with their level.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
    method : "oldham", "blomqvist" or "pitman-morgan"
        The raw correlation of the change with the baseline score is refused.
    visits : "vs_baseline", "consecutive" or "all_pairs"
    by : str, optional
        A categorical covariate; each of its levels is asked on its own.
    reliability, error_variance : float
        For Blomqvist, one of them, known from outside the cohort: the reliability of the earlier score among such
        persons, or the variance of its measurement error. Taken as known without error.
    conf_level : float

    Returns
    -------
    Estimates
        Kind "level_and_change": `estimate` is Oldham's correlation (Fisher's interval), Blomqvist's slope (t interval
        where the reliability is known, delta method where the error variance is) or the ratio of the variances.

    Raises
    ------
    StudyError
        `E-STUDY-RAW-CHANGE` where the raw correlation is asked for; `E-STUDY-OPTION`, `E-STUDY-VALUE`,
        `E-STUDY-COLUMN`, `E-STUDY-VISITS`.

    **Source**: as in `engine.level_and_change`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> found = level_and_change(example("villa_sana"), "exhaustion", method="blomqvist", reliability=0.9)
    >>> found.frame["contrast"].tolist()
    ['1 year - baseline', '3 years - baseline']
    """
    _checked(method, reliability, error_variance, conf_level)
    role = cohort.outcome(outcome)
    wide, groups = by_subject(cohort, outcome), groups_of(cohort, by)
    rows: list[dict[str, object]] = []
    counts: list[NDArray[np.bool_]] = []
    for at, group in enumerate(groups.levels):
        for pair in pairs_of_visits(cohort, visits):
            both = (groups.codes == at) & ~np.isnan(wide[:, list(pair)]).any(axis=1)
            scores = wide[both][:, list(pair)]
            counts.append(both)
            row: dict[str, object] = {"outcome": outcome, "contrast": pair_label(cohort, pair), **groups.naming(group)}
            row |= {"n": len(scores), "method": method}
            if len(scores) > 3 and (np.ptp(scores, axis=0) > 0).all():
                sd_0, sd_1 = scores.std(axis=0, ddof=1)
                S = np.cov(scores, rowvar=False)
                r = float(S[0, 1] / np.sqrt(S[0, 0] * S[1, 1]))
                row |= _numbers(
                    float(sd_0), float(sd_1), r, len(scores), method, reliability, error_variance, conf_level
                )
            rows.append(row)
    about = About(
        kind="level_and_change",
        outcomes={outcome: role.label},
        visit_years=cohort.visits.by_label(),
        factors=("contrast",),
        by=groups.by,
        conf_level=conf_level,
        notes=_notes(method, reliability, error_variance),
        policy=cohort.policy,
    )
    return estimates_of(rows, about, counts=counts)


def level_and_change_from_summaries(
    *,
    sd0: float,
    sd1: float,
    r: float,
    n: int,
    method: str = "oldham",
    reliability: float | None = None,
    error_variance: float | None = None,
    outcome: str = "score",
    conf_level: float = 0.95,
) -> Estimates:
    """The same from the SDs before and after, their correlation and n.

    Raises
    ------
    StudyError
        As in `describe.level_and_change`; `E-STUDY-VALUE` for SDs that are not above 0, a correlation not between -1
        and 1, or n below 4.

    Examples
    --------
    >>> found = level_and_change_from_summaries(sd0=0.94, sd1=0.76, r=0.40, n=185).frame
    >>> round(float(found.loc[0, "estimate"]), 2), round(float(found.loc[0, "p_value"]), 3)
    (-0.23, 0.002)
    """
    _checked(method, reliability, error_variance, conf_level)
    if not (sd0 > 0 and sd1 > 0 and abs(r) < 1 and n > 3):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The SDs are {sd0} and {sd1}, their correlation is {r}, and n is {n}.",
            "SDs are above 0, the correlation lies between -1 and 1, and there are at least 4 persons.",
            "Write for example level_and_change_from_summaries(sd0=0.94, sd1=0.76, r=0.40, n=185).",
        )
    row: dict[str, object] = {"outcome": outcome, "contrast": PRINTED, "n": n, "method": method}
    row |= _numbers(sd0, sd1, r, n, method, reliability, error_variance, conf_level)
    about = About(
        kind="level_and_change",
        outcomes={outcome: outcome[:1].upper() + outcome[1:].replace("_", " ")},
        factors=("contrast",),
        conf_level=conf_level,
        notes=(*_notes(method, reliability, error_variance), "From printed summaries."),
    )
    return estimates_of([row], about)


def _checked(method: str, reliability: float | None, error_variance: float | None, conf_level: float) -> None:
    checked_level(conf_level)
    if method in RAW:
        raise StudyError(
            "E-STUDY-RAW-CHANGE",
            "The raw correlation of the change with the baseline score is asked for.",
            "It is negative by arithmetic alone, because the change contains the baseline score with a minus sign.",
            'Use method="oldham", or method="blomqvist" with the reliability of the score.',
        )
    one_of("method", method, list(METHODS))
    given = [value for value in (reliability, error_variance) if value is not None]
    if (method == "blomqvist") != (len(given) == 1):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The method is {method}, the reliability {reliability}, and the error variance {error_variance}.",
            "Blomqvist's slope needs exactly one of them, from outside the cohort; the other methods need none.",
            'Write for example method="blomqvist", reliability=0.85, and name its source.',
        )
    if (reliability is not None and not 0 < reliability <= 1) or (error_variance is not None and error_variance < 0):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The reliability is {reliability}, the error variance {error_variance}.",
            "A reliability lies above 0 and up to 1; a variance is not negative.",
            "A standard error of measurement is squared to give the error variance.",
        )


def _numbers(
    sd_0: float,
    sd_1: float,
    r: float,
    n: int,
    method: str,
    reliability: float | None,
    error_variance: float | None,
    conf_level: float,
) -> dict[str, object]:
    found: Answer
    if method == "blomqvist":
        if error_variance is not None and error_variance >= sd_0**2:
            raise StudyError(
                "E-STUDY-VALUE",
                f"The error variance is {error_variance:g}, the variance of the score {sd_0**2:.3g}.",
                "Measurement error is a part of the variance of a score.",
                "Check whether a standard deviation was given for a variance, or another scale.",
            )
        known = {"reliability": reliability, "error_variance": error_variance}
        found = blomqvist(sd_0, sd_1, r, n, conf_level=conf_level, **known)
    else:
        found = (oldham if method == "oldham" else pitman_morgan)(sd_0, sd_1, r, n, conf_level=conf_level)
    return {
        name: getattr(found, name)
        for name in ("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high")
    }


def _notes(method: str, reliability: float | None, error_variance: float | None) -> tuple[str, ...]:
    given = f"a reliability of {reliability:g}" if reliability is not None else f"an error variance of {error_variance}"
    kept = "The raw correlation of change with baseline is not given: it is negative by arithmetic alone."
    taken = (f"{given[:1].upper()}{given[1:]} is taken as known, without error.",) if method == "blomqvist" else ()
    return (METHODS[method].format(given=given), *taken, kept)
