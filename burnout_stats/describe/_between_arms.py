"""Change compared between arms: as the difference of changes, and adjusted for the score at baseline; from a cohort or
from the changes that a paper prints.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr, stdtrit

from ..cohort import Cohort
from ..engine.two_arms import Arms, ancova, arms_of_scores, standardized_difference_of_change
from ..engine.two_samples import compare_means
from ..errors import StudyError, one_of
from ..estimates import About, Estimates, Sample
from ._groups import groups_of
from ._pairs import by_subject, checked_level, estimates_of, pair_label, printed_about

__all__ = ["between_arms", "between_arms_from_summaries", "standardized_between_arms_from_summaries"]

METHODS: Mapping[str, tuple[str, ...]] = {
    "both": ("change", "ancova"),
    "change": ("change",),
    "ancova": ("ancova",),
}
ANALYSES: Mapping[str, str] = {
    "change": "change score",
    "ancova": "baseline-adjusted",
}
NOTES: Mapping[str, str] = {
    "change": "Change score: mean change of each arm less that of the first, of those seen at both visits; {test}.",
    "ancova": (
        "Baseline-adjusted: least squares of the later score on the baseline score and the arms, of those seen at both "
        "visits; the change in place of the later score gives the same difference."
    ),
}
TESTS: Mapping[bool, str] = {True: "Student's t with pooled variance", False: "Welch's t"}
LORD: Mapping[bool, str] = {
    True: (
        "Persons were randomized to the arms, so both analyses estimate the same difference; the baseline-adjusted one "
        "has the smaller variance and no bias from a chance difference at baseline."
    ),
    False: (
        "The arms were not randomized. Where they differ at baseline, the two analyses may disagree (Lord's paradox): "
        "the change score asks how the arms would compare had each kept its distance from the other, the "
        "baseline-adjusted one how persons with the same baseline score compare. The data cannot tell which is meant."
    ),
}
LATER = "after - before"


def between_arms(
    cohort: Cohort,
    outcome: str,
    *,
    arm: str,
    visit: str | None = None,
    method: str = "both",
    randomized: bool = False,
    equal_variances: bool = False,
    conf_level: float = 0.95,
) -> Estimates:
    """How much more one arm changed than the first: by change scores, and adjusted for the score at baseline.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
    arm : str
        A covariate with levels; the first is the one that the others are compared with.
    visit : str, optional
        A later visit; all of them where left out.
    method : "both", "change" or "ancova"
    randomized : bool
        Whether persons were randomized to the arms: which of two notes on Lord's paradox is printed.
    equal_variances : bool
        Student's t with pooled variance in place of Welch's, for the change score.
    conf_level : float

    Returns
    -------
    Estimates
        Kind "between_arms": a row for each later visit and other arm (`contrast`), and `analysis`; `n` counts those
        seen at both visits in the two arms (all arms, for the pooled slope of the baseline-adjusted analysis).

    Raises
    ------
    StudyError
        `E-STUDY-OPTION`, `E-STUDY-VALUE`, `E-STUDY-COLUMN`, `E-STUDY-VISITS`.

    **Source**: Lord 1967, Psychol Bull 68:304; Senn 2006, Stat Med 25:4334 (change and adjusted analysis in trials);
    van Breukelen 2013, Multivariate Behav Res 48:895 (arms that were not randomized); as in `engine.two_arms`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> found = between_arms(example("villa_sana"), "exhaustion", arm="intervention", visit="1 year").frame
    >>> found[["contrast", "analysis"]].values.tolist()
    [['1 year - baseline, week - day', 'change score'], ['1 year - baseline, week - day', 'baseline-adjusted']]
    """
    checked_level(conf_level)
    one_of("method", method, METHODS)
    role, groups = cohort.outcome(outcome), groups_of(cohort, arm)
    levels = cohort.covariate_roles[arm].levels or ()
    if len(levels) < 2:
        raise StudyError(
            "E-STUDY-VALUE",
            f"Covariate `{arm}` has {len(levels)} level.",
            "A comparison needs two arms or more.",
            "Name the column of the arms.",
        )
    wide = by_subject(cohort, outcome)
    member = groups.codes[:, None] == np.arange(len(levels))
    rows: list[dict[str, object]] = []
    counts: list[NDArray[np.bool_]] = []
    cells: list[tuple[float, ...]] = []
    for later in _later(cohort, visit):
        arms = arms_of_scores(wide[:, 0], wide[:, later], member)
        both = ~np.isnan(wide[:, [0, later]]).any(axis=1)
        for other in range(1, len(levels)):
            naming: dict[str, object] = {
                "outcome": outcome,
                "contrast": f"{pair_label(cohort, (0, later))}, {levels[other]} - {levels[0]}",
            }
            for analysis in METHODS[method]:
                whose = list(range(len(levels))) if analysis == "ancova" else [0, other]
                counts.append(both & member[:, whose].any(axis=1))
                cells.append(tuple(float(arms.n[k]) for k in ({0, other} if analysis == "change" else set(whose))))
                rows.append(
                    naming
                    | {"analysis": ANALYSES[analysis], "n": float(arms.n[whose].sum())}
                    | (
                        _adjusted(arms, other, conf_level)
                        if analysis == "ancova"
                        else _plain(arms, other, equal_variances, conf_level)
                    )
                )
    width = max(len(cell) for cell in cells)
    about = About(
        kind="between_arms",
        outcomes={outcome: role.label},
        units={outcome: role.unit} if role.unit else {},
        better={outcome: role.better} if role.better else {},
        ranges={outcome: role.range} if role.range is not None else {},
        visit_years=cohort.visits.by_label(),
        factors=("contrast", "analysis"),
        conf_level=conf_level,
        notes=(
            *(NOTES[analysis].format(test=TESTS[equal_variances]) for analysis in METHODS[method]),
            LORD[randomized],
        ),
        policy=cohort.policy,
    )
    padded = [cell + (cell[-1],) * (width - len(cell)) for cell in cells]
    return estimates_of(rows, about, cells=padded, counts=counts)


def _later(cohort: Cohort, visit: str | None) -> list[int]:
    labels = cohort.visits.labels
    if len(labels) < 2:
        raise StudyError(
            "E-STUDY-VISITS",
            "The cohort has one visit.",
            "A change needs two visits.",
            "Describe the visit with describe.by_visit(cohort).",
        )
    if visit is None:
        return list(range(1, len(labels)))
    one_of("visit", visit, list(labels[1:]))
    return [labels.index(visit)]


def _plain(arms: Arms, other: int, equal_variances: bool, conf_level: float) -> dict[str, object]:
    if min(arms.n[0], arms.n[other]) < 2:
        return {"method": "not estimable"}
    first, second = ((float(arms.change[k]), float(arms.sd_change[k]), float(arms.n[k])) for k in (0, other))
    return _t_row(first, second, equal_variances, conf_level)


def _t_row(
    first: tuple[float, float, float], second: tuple[float, float, float], equal_variances: bool, conf_level: float
) -> dict[str, object]:
    found = compare_means(*first, *second, equal_variances=equal_variances)
    low, high = found.interval(conf_level)
    return {
        "estimate": found.difference,
        "std_error": found.std_error,
        "df": found.df,
        "statistic": found.t,
        "p_value": found.p,
        "conf_low": low,
        "conf_high": high,
        "method": "pooled t" if equal_variances else "Welch t",
    }


def _adjusted(arms: Arms, other: int, conf_level: float) -> dict[str, object]:
    found = ancova(arms)
    difference, error = float(found.difference[other - 1]), float(found.std_error[other - 1])
    df = float(found.df)
    if not error > 0:
        return {"method": "not estimable"}
    half = float(stdtrit(df, (1 + conf_level) / 2)) * error
    return {
        "estimate": difference,
        "std_error": error,
        "df": df,
        "statistic": difference / error,
        "p_value": float(2 * stdtr(df, -abs(difference / error))),
        "conf_low": difference - half,
        "conf_high": difference + half,
        "method": "least squares",
    }


# ---- from published summaries --------------------------------------------------------------------------------------


def between_arms_from_summaries(
    *,
    first: Sample,
    second: Sample,
    names: tuple[str, str] = ("control", "treated"),
    equal_variances: bool = False,
    outcome: str = "score",
    conf_level: float = 0.95,
) -> Estimates:
    """The difference of two printed mean changes, with its t test.

    Parameters
    ----------
    first, second : Sample
        Mean and SD of the *change* in each arm, and the persons behind it; the difference is second minus first.
    names : the two arms, the first first
    equal_variances : bool
        Student's t in place of Welch's.

    Returns
    -------
    Estimates
        Kind "between_arms", one row. A baseline-adjusted difference needs the scores, or their means, SDs and
        correlations by arm.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for a level of confidence outside 0 to 1.

    Examples
    --------
    Coached and other doctors in Dyrbye 2019 (JAMA Intern Med 179:1406), emotional exhaustion:

    >>> found = between_arms_from_summaries(first=Sample(1.5, 7.7, 44), second=Sample(-5.2, 8.7, 44)).frame
    >>> found[["estimate", "statistic", "p_value"]].round(4).values.tolist()
    [[-6.7, -3.8253, 0.0002]]
    """
    checked_level(conf_level)
    row: dict[str, object] = _printed_naming(outcome, names) | {"analysis": ANALYSES["change"]}
    row |= {"n": first.n + second.n} | _t_row(
        (first.mean, first.sd, first.n), (second.mean, second.sd, second.n), equal_variances, conf_level
    )
    notes = (NOTES["change"].format(test=TESTS[equal_variances]), "From printed summaries.")
    factors = ("contrast", "analysis")
    return estimates_of([row], printed_about("between_arms", outcome, factors, conf_level, notes))


def standardized_between_arms_from_summaries(
    *,
    first: Sample,
    second: Sample,
    names: tuple[str, str] = ("control", "treated"),
    corrected: bool = False,
    outcome: str = "score",
    conf_level: float = 0.95,
) -> Estimates:
    """The difference of two printed mean changes over the pooled SD of the changes: d, or Hedges' g where `corrected`.

    It is larger than a difference over the SD of the scores wherever the two visits correlate above 0.5, so it is not
    to be pooled with such.

    Examples
    --------
    >>> found = standardized_between_arms_from_summaries(first=Sample(1.5, 7.7, 44), second=Sample(-5.2, 8.7, 44))
    >>> round(float(found.frame.loc[0, "estimate"]), 2)
    -0.82
    """
    checked_level(conf_level)
    d, variance = standardized_difference_of_change(
        first.mean, first.sd, first.n, second.mean, second.sd, second.n, corrected=corrected
    )
    error = float(np.sqrt(variance))
    half = float(ndtri((1 + conf_level) / 2)) * error
    measure = "g of change" if corrected else "d of change"
    row = _printed_naming(outcome, names) | {
        "measure": measure,
        "estimate": float(d),
        "std_error": error,
        "conf_low": float(d) - half,
        "conf_high": float(d) + half,
        "n": first.n + second.n,
        "method": "asymptotic",
    }
    note = f"{measure}: difference of the mean changes over the pooled SD of the changes"
    notes = (note + (", corrected for bias." if corrected else "."), "From printed summaries.")
    factors = ("contrast", "measure")
    return estimates_of([row], printed_about("effect_sizes", outcome, factors, conf_level, notes))


def _printed_naming(outcome: str, names: tuple[str, str]) -> dict[str, object]:
    return {"outcome": outcome, "contrast": f"{LATER}, {names[1]} - {names[0]}"}
