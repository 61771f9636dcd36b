"""Observed change between visits: tests, the scores behind them, and change in standard deviations; from a cohort or
from the numbers that a paper prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..engine.effect_size import MEASURES, STANDARDIZERS, Pairs, effect_size
from ..engine.paired import (
    PairedT,
    correlation_from_change,
    hodges_lehmann,
    paired_t,
    sd_of_change,
    sd_of_change_from_t,
    signed_rank,
)
from ..errors import StudyError, one_of
from ..estimates import About, Estimates, Sample, Summaries
from ..estimates.margins import counted
from ._groups import Groups, groups_of
from ._pairs import by_subject, checked_level, estimates_of, listed, pair_label, pairs_of_visits, printed_about

__all__ = [
    "change",
    "change_from_summaries",
    "change_scores",
    "change_scores_from_summaries",
    "standardized_change",
    "standardized_change_from_summaries",
]

Array = NDArray[np.float64]
Pair = tuple[dict[str, object], NDArray[np.bool_], Array]

METHODS: Mapping[str, str] = {"t": "paired t test", "wilcoxon": "Wilcoxon's signed-rank test"}
ZEROS: Mapping[str, str] = {
    "drop": "left out before the ranking",
    "pratt": "ranked and then left out",
}
NOTES: Mapping[str, str] = {
    "t": "Mean change of those seen at both visits, later minus earlier; paired t test.",
    "wilcoxon": (
        "Hodges-Lehmann estimate of the change of those seen at both visits, later minus earlier, with the interval "
        "of Walsh averages; Wilcoxon's signed-rank test: exact for at most 50 changes without ties or zeros, otherwise "
        "normal with the variance corrected for ties; z has no continuity correction; changes of zero are {zeros}."
    ),
}
FROM_SUMMARIES = "after - before"


def change(
    cohort: Cohort,
    outcomes: str | Sequence[str] | None = None,
    *,
    visits: str = "vs_baseline",
    method: str = "t",
    by: str | None = None,
    zeros: str = "drop",
    conf_level: float = 0.95,
) -> Estimates:
    """Observed change of those seen at both visits, with its interval and test.

    Parameters
    ----------
    cohort : Cohort
    outcomes : name or names, optional
        All outcomes where left out.
    visits : "vs_baseline", "consecutive" or "all_pairs"
    method : "t" or "wilcoxon"
        The mean change and the paired t test; or the Hodges-Lehmann estimate and the signed-rank test, whose
        `statistic` is z as papers print it (no continuity correction; negative where scores fall).
    by : str, optional
        A categorical covariate; change is tested within its levels.
    zeros : "drop" or "pratt"
        What the signed-rank test does with changes of zero.
    conf_level : float

    Returns
    -------
    Estimates
        Kind "change": a row for each outcome, pair of visits (`contrast`, later minus earlier) [and group]; `n` is the
        number of persons seen at both. The scores behind it are in `describe.change_scores`.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-OPTION`, `E-STUDY-VALUE`, `E-STUDY-VISITS`.

    **Source**: as in `engine.paired`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> found = change(example("villa_sana"), "exhaustion").frame
    >>> found["contrast"].tolist(), found["estimate"].lt(0).all().item()
    (['1 year - baseline', '3 years - baseline'], True)
    """
    one_of("method", method, METHODS)
    one_of("zeros", zeros, ZEROS)
    checked_level(conf_level)
    rows: list[dict[str, object]] = []
    counts: list[NDArray[np.bool_]] = []
    for name in listed(cohort, outcomes):
        for naming, both, scores in _complete(cohort, name, visits, groups_of(cohort, by)):
            moved = scores[:, 1] - scores[:, 0]
            test = _t_row(moved, conf_level) if method == "t" else _wilcoxon_row(moved, zeros, conf_level)
            rows.append(naming | {"n": len(scores)} | test)
            counts.append(both)
    notes = (NOTES[method].format(zeros=ZEROS[zeros]),)
    return estimates_of(rows, _about(cohort, outcomes, "change", by, conf_level, notes), counts=counts)


def _complete(cohort: Cohort, name: str, visits: str, groups: Groups) -> Iterator[Pair]:
    """What names a change, the subjects seen at both visits, and their scores (persons × 2), for each pair of visits
    and each group.
    """
    wide = by_subject(cohort, name)
    for at, level in enumerate(groups.levels):
        for pair in pairs_of_visits(cohort, visits):
            scores = wide[:, list(pair)]
            both = np.asarray((groups.codes == at) & ~np.isnan(scores).any(axis=1))
            naming: dict[str, object] = {"outcome": name, "contrast": pair_label(cohort, pair)}
            yield naming | groups.naming(level), both, scores[both]


def _t_row(moved: Array, conf_level: float) -> dict[str, object]:
    n = len(moved)
    mean = float(moved.mean()) if n else np.nan
    sd = float(moved.std(ddof=1)) if n > 1 else np.nan
    return _numbers(paired_t(mean, sd, n, conf_level=conf_level))


def _numbers(test: PairedT) -> dict[str, object]:
    return {
        "estimate": float(test.estimate),
        "std_error": float(test.std_error),
        "df": float(test.df) if test.df > 0 else np.nan,
        "statistic": float(test.t),
        "p_value": float(test.p_value),
        "conf_low": float(test.conf_low),
        "conf_high": float(test.conf_high),
        "method": "paired t",
    }


def _wilcoxon_row(moved: Array, zeros: str, conf_level: float) -> dict[str, object]:
    test = signed_rank(moved, zeros=zeros)
    estimate, low, high = hodges_lehmann(moved, conf_level=conf_level)
    return {
        "estimate": estimate,
        "df": np.inf,
        "statistic": test.z,
        "p_value": test.p_value,
        "conf_low": low,
        "conf_high": high,
        "method": f"signed-rank, {'exact' if test.is_exact else 'normal'}",
    }


def _about(
    cohort: Cohort,
    outcomes: str | Sequence[str] | None,
    kind: str,
    by: str | None,
    conf_level: float,
    notes: tuple[str, ...],
    factors: tuple[str, ...] = ("contrast",),
) -> About:
    roles = {name: cohort.outcome(name) for name in listed(cohort, outcomes)}
    return About(
        kind=kind,
        outcomes={name: role.label for name, role in roles.items()},
        units={name: role.unit for name, role in roles.items() if role.unit},
        better={name: role.better for name, role in roles.items() if role.better},
        ranges={name: role.range for name, role in roles.items() if role.range is not None},
        visit_years=cohort.visits.by_label(),
        factors=factors,
        by=() if by is None else (by,),
        conf_level=conf_level,
        notes=notes,
        policy=cohort.policy,
    )


# ---- the scores behind a change ------------------------------------------------------------------------------------

SCORES = ("n", "mean_before", "sd_before", "mean_after", "sd_after", "mean_change", "sd_change", "correlation")
SCORE_NOTES = (
    "Of a change: those seen at both visits; the correlation is Pearson's, between the two visits.",
    "Of a visit: all who were seen there.",
)


def change_scores(
    cohort: Cohort,
    outcomes: str | Sequence[str] | None = None,
    *,
    visits: str = "vs_baseline",
    by: str | None = None,
) -> Summaries:
    """Scores before and after of those seen at both visits, the mean and SD of their change, and the correlation.

    Returns
    -------
    Summaries
        Kind "change_scores". For each outcome (`variable`) and each visit (`level`): `n`, `mean`, `sd` of all who were
        seen; for each pair of visits (`level`, "later - earlier"): `n`, `mean_before`, `sd_before`, `mean_after`,
        `sd_after`, `mean_change`, `sd_change`, `correlation` of those seen at both.

    Raises
    ------
    StudyError
        As in `describe.change`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> found = change_scores(example("villa_sana"), "exhaustion").frame
    >>> found.loc[found["level"].eq("1 year - baseline"), "statistic"].tolist()[:3]
    ['n', 'mean_before', 'sd_before']
    """
    groups = groups_of(cohort, by)
    rows: list[dict[str, object]] = []
    counts: list[NDArray[np.bool_] | None] = []
    for name in listed(cohort, outcomes):
        wide = by_subject(cohort, name)
        seen = ~np.isnan(wide)
        for at, level in enumerate(groups.levels):
            own = groups.codes == at
            told: list[tuple[str, dict[str, float], NDArray[np.bool_]]] = [
                (label, _one_visit(wide[own, place]), seen[:, place])
                for place, label in enumerate(cohort.visits.labels)
            ]
            told += [
                (pair_label(cohort, pair), _both_visits(wide[own][:, list(pair)]), seen[:, pair[0]] & seen[:, pair[1]])
                for pair in pairs_of_visits(cohort, visits)
            ]
            for label, statistics, counts_in in told:
                row = {"variable": name, "level": label, **groups.naming(level)}
                for statistic, value in statistics.items():
                    rows.append(row | {"statistic": statistic, "value": value, "n": int(statistics["n"])})
                    counts.append(own & counts_in if statistic == "n" else None)
    about = _about(cohort, outcomes, "change_scores", by, 0.95, SCORE_NOTES, ("level",))
    return Summaries(frame=pd.DataFrame(rows), about=about, margins=counted(counts))


def _one_visit(scores: Array) -> dict[str, float]:
    known = scores[~np.isnan(scores)]
    mean = float(known.mean()) if len(known) else np.nan
    return {"n": float(len(known)), "mean": mean, "sd": float(known.std(ddof=1)) if len(known) > 1 else np.nan}


def _correlation(scores: Array) -> float:
    S = np.atleast_2d(np.cov(scores, rowvar=False))
    return float(S[0, 1] / np.sqrt(S[0, 0] * S[1, 1]))


def _both_visits(scores: Array) -> dict[str, float]:
    known = scores[~np.isnan(scores).any(axis=1)]
    n = len(known)
    means = known.mean(axis=0) if n else np.full(2, np.nan)
    sds = known.std(axis=0, ddof=1) if n > 1 else np.full(2, np.nan)
    moved = known[:, 1] - known[:, 0]
    sd_moved = float(moved.std(ddof=1)) if n > 1 else np.nan
    r = _correlation(known) if n > 2 and (np.ptp(known, axis=0) > 0).all() else np.nan
    values = (n, means[0], sds[0], means[1], sds[1], means[1] - means[0], sd_moved, r)
    return {name: float(value) for name, value in zip(SCORES, values, strict=True)}


# ---- in standard deviations ----------------------------------------------------------------------------------------


def standardized_change(
    cohort: Cohort,
    outcomes: str | Sequence[str] | None = None,
    *,
    visits: str = "vs_baseline",
    measure: str = "d_av",
    by: str | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """Observed change over a standard deviation that is named, of those seen at both visits.

    Parameters
    ----------
    cohort, outcomes, visits, by, conf_level
        As in `describe.change`, whose rows these are.
    measure : str
        One of the measures of `engine.effect_size`: "d_av" (average SD), "d_z" (SD of the change), "glass" (SD at
        baseline), "smcrh", ...

    Returns
    -------
    Estimates
        Kind "effect_sizes". There is no test: that there is a change is tested by the change itself.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for an unknown measure, and as in `describe.change`.

    **Source**: as in `engine.effect_size`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> len(standardized_change(example("villa_sana"), "exhaustion", measure="glass"))
    2
    """
    checked_level(conf_level)
    one_of("measure", measure, {code: STANDARDIZERS[one.standardizer].name for code, one in MEASURES.items()})
    rows: list[dict[str, object]] = []
    counts: list[NDArray[np.bool_]] = []
    for name in listed(cohort, outcomes):
        for naming, both, scores in _complete(cohort, name, visits, groups_of(cohort, by)):
            found = _both_visits(scores)
            if len(scores) < 3:
                found = dict.fromkeys(found, np.nan) | {"n": float(len(scores))}
            rows.append(naming | _size_row(found, measure, conf_level))
            counts.append(both)
    about = _about(cohort, outcomes, "effect_sizes", by, conf_level, (_measure_note(measure),), ("contrast", "measure"))
    return estimates_of(rows, _in_sd(about), counts=counts)


def _in_sd(about: About) -> About:
    return replace(about, units=dict.fromkeys(about.outcomes, "SD"), ranges={}, df_method="asymptotic")


def _size_row(found: Mapping[str, float], measure: str, conf_level: float) -> dict[str, object]:
    pairs = Pairs.of(
        n=found["n"],
        mean_1=found["mean_before"],
        mean_2=found["mean_after"],
        sd_1=found["sd_before"],
        sd_2=found["sd_after"],
        r=found["correlation"],
    )
    size = effect_size(pairs, measure, conf_level=conf_level)
    return {
        "measure": measure,
        "estimate": float(size.estimate),
        "std_error": float(np.sqrt(size.variance)),
        "conf_low": float(size.conf_low),
        "conf_high": float(size.conf_high),
        "n": found["n"],
        "method": "noncentral t" if MEASURES[measure].exact else "asymptotic",
    }


def _measure_note(code: str) -> str:
    measure = MEASURES[code]
    corrected = ", corrected for bias" if measure.m is not None else ""
    return f"{code}: change over {STANDARDIZERS[measure.standardizer].name}{corrected}; complete pairs."


# ---- from published summaries --------------------------------------------------------------------------------------


def change_from_summaries(
    *,
    before: Sample,
    after: Sample,
    r: float | None = None,
    t: float | None = None,
    sd_change: float | None = None,
    outcome: str = "score",
    conf_level: float = 0.95,
) -> Estimates:
    """The paired t test from the means, SDs and n that a paper prints, and one number that ties the visits together.

    Parameters
    ----------
    before, after : Sample
        Of the same persons, so with the same n.
    r, t, sd_change : float
        Exactly one of: the correlation of the two scores; the paired t as printed (its sign does not matter); the SD of
        the change.
    outcome : what was measured

    Returns
    -------
    Estimates
        Kind "change", one row; the note tells the SD of the change and the correlation that belong to it.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` where the numbers cannot belong together.

    Examples
    --------
    The doctors of Villa Sana after one year (BMJ 2008;337:a2004), with the printed t:

    >>> found = change_from_summaries(before=Sample(3.00, 0.94, 185), after=Sample(2.53, 0.76, 185), t=6.76)
    >>> found.about.notes[-1]
    'From printed summaries: SD of the change 0.946, correlation of the two scores 0.397.'
    """
    checked_level(conf_level)
    s, correlation = _tied(before, after, r, t, sd_change)
    test = paired_t(after.mean - before.mean, s, before.n, conf_level=conf_level)
    row = {"outcome": outcome, "contrast": FROM_SUMMARIES, "n": before.n} | _numbers(test)
    note = f"From printed summaries: SD of the change {s:.3g}, correlation of the two scores {correlation:.3g}."
    return estimates_of([row], printed_about("change", outcome, ("contrast",), conf_level, (NOTES["t"], note)))


def change_scores_from_summaries(
    *,
    before: Sample,
    after: Sample,
    r: float | None = None,
    t: float | None = None,
    sd_change: float | None = None,
    outcome: str = "score",
) -> Summaries:
    """The scores behind a printed change: means, SDs, the SD of the change and the correlation, one from the others.

    Raises
    ------
    StudyError
        As in `describe.change_from_summaries`.

    Examples
    --------
    >>> found = change_scores_from_summaries(before=Sample(2.87, 0.79, 160), after=Sample(2.52, 0.80, 160), t=5.3)
    >>> round(float(found.frame.set_index("statistic").loc["correlation", "value"]), 2)
    0.45
    """
    s, correlation = _tied(before, after, r, t, sd_change)
    values = (before.n, before.mean, before.sd, after.mean, after.sd, after.mean - before.mean, s, correlation)
    rows = [
        {"variable": outcome, "level": FROM_SUMMARIES, "statistic": name, "value": float(value), "n": before.n}
        for name, value in zip(SCORES, values, strict=True)
    ]
    about = printed_about("change_scores", outcome, ("level",), 0.95, ("From printed summaries.",))
    return Summaries(frame=pd.DataFrame(rows), about=about)


def standardized_change_from_summaries(
    *,
    before: Sample,
    after: Sample,
    r: float | None = None,
    t: float | None = None,
    sd_change: float | None = None,
    measure: str = "d_av",
    outcome: str = "score",
    conf_level: float = 0.95,
) -> Estimates:
    """Standardized change from printed summaries.

    Raises
    ------
    StudyError
        As in `describe.change_from_summaries`; `E-STUDY-OPTION` for an unknown measure.

    Examples
    --------
    >>> villa_sana = {"before": Sample(3.00, 0.94, 185), "after": Sample(2.53, 0.76, 185), "t": 6.76}
    >>> [
    ...     round(float(standardized_change_from_summaries(**villa_sana, measure=code).frame.loc[0, "estimate"]), 2)
    ...     for code in ("d_av", "d_z")
    ... ]
    [-0.55, -0.5]
    """
    checked_level(conf_level)
    one_of("measure", measure, {code: STANDARDIZERS[one.standardizer].name for code, one in MEASURES.items()})
    _, correlation = _tied(before, after, r, t, sd_change)
    found = {
        "n": float(before.n),
        "mean_before": before.mean,
        "mean_after": after.mean,
        "sd_before": before.sd,
        "sd_after": after.sd,
        "correlation": correlation,
    }
    row = {"outcome": outcome, "contrast": FROM_SUMMARIES} | _size_row(found, measure, conf_level)
    notes = (_measure_note(measure), "From printed summaries.")
    about = printed_about("effect_sizes", outcome, ("contrast", "measure"), conf_level, notes)
    return estimates_of([row], _in_sd(about))


def _tied(
    before: Sample, after: Sample, r: float | None, t: float | None, sd_change: float | None
) -> tuple[float, float]:
    """The SD of the change and the correlation, from the one of the three that is known."""
    if sum(value is not None for value in (r, t, sd_change)) != 1:
        raise StudyError(
            "E-STUDY-VALUE",
            f"r is {r}, t is {t}, and the SD of the change is {sd_change}.",
            "Exactly one of them ties the two visits together; the others follow from it.",
            "Write for example change_from_summaries(before=..., after=..., t=6.76).",
        )
    if before.n != after.n:
        raise StudyError(
            "E-STUDY-VALUE",
            f"There are {before.n} persons before and {after.n} after.",
            "A paired change is of the same persons, so both have one n.",
            "Use the number of persons seen at both visits.",
        )
    if t == 0:
        raise StudyError(
            "E-STUDY-VALUE",
            "The printed t is 0.",
            "A t of 0 says nothing of the SD of the change.",
            "Give r or sd_change instead.",
        )
    if r is not None:
        s = float(sd_of_change(before.sd, after.sd, r))
    else:
        s = (
            float(sd_of_change_from_t(after.mean - before.mean, t, before.n))
            if t is not None
            else float(sd_change or 0)
        )
    correlation = float(correlation_from_change(before.sd, after.sd, s)) if r is None else r
    if not abs(correlation) <= 1:
        raise StudyError(
            "E-STUDY-VALUE",
            f"SDs of {before.sd:g} and {after.sd:g} with an SD of the change of {s:.3g} need a correlation of "
            f"{correlation:.3g}.",
            "A correlation lies between -1 and 1, so these numbers are not of the same persons, or one is misprinted.",
            "Check the n of the paired test, which may be smaller than that of the table.",
        )
    return s, correlation
