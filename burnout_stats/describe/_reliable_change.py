"""Whose change is more than the error of measurement, and who passed from dysfunctional to functional scores."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..cohort.roles import Outcome
from ..engine.reliable_change import verdicts
from ..errors import ModelError, StudyError, one_of
from ..estimates import About, Sample, Summaries
from ..estimates.margins import Margins, counted
from ..instruments.norms import Norm
from ..notices import Notice
from ._criterion import CRITERION, Reliability, Rule, rule_of

__all__ = [
    "CATEGORIES",
    "Reliability",
    "reliable_change",
    "reliable_change_from_summaries",
    "reliable_change_points",
]

Array = NDArray[np.float64]

CATEGORIES = ("recovered", "improved", "unchanged", "deteriorated")
BINS_PER_SD = 2.5


def reliable_change(
    cohort: Cohort,
    outcome: str,
    *,
    after: str,
    before: str | None = None,
    reliability: Reliability | None = None,
    method: str = "jacobson-truax",
    norm: Norm | None = None,
    cutoff: str | float | None = None,
    sd: float | None = None,
    better: str | None = None,
    conf_level: float = 0.95,
) -> Summaries:
    """How many persons recovered, improved, stayed unchanged or deteriorated beyond the error of measurement.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
    after, before : labels of visits
        `before` is the first visit where left out. Persons with a score at both are judged.
    reliability : Reliability
        Must be given; there is no default.
    method : "jacobson-truax", "edwards-nunnally" or "hageman-arrindell"
    norm : Norm, optional
        The functional population, for the cut-offs b and c.
    cutoff : "a", "b", "c" or a number, optional
        Between dysfunctional and functional scores; "c" where a norm is given, none where there is no norm: then nobody
        is called recovered.
    sd : float, optional
        The SD that goes with the reliability, for the standard error of measurement; that of the earlier visit where
        left out.
    better : "lower" or "higher", optional
        Where the cohort does not say which end of the scale is better.
    conf_level : float
        1.96 at 0.95 for the first two methods; the third is one-sided, 1.645.

    Returns
    -------
    Summaries
        Kind "reliable_change": `n` and `percent` of each category, and under the variable "criterion" the standard
        error of measurement, the band of scores after that are no reliable change (slope · before + intercepts), and
        the cut-off. The cut-off is compared with the scores as they are, with every method; Hageman and Arrindell's own
        cut-off for true scores is not used.

    Raises
    ------
    StudyError
        `E-STUDY-RELIABILITY`, `E-STUDY-RETEST`; `E-STUDY-COLUMN` or `E-STUDY-OPTION` for unknown names; `E-STUDY-VALUE`
        where the direction is not known, a norm is missing, or lies on the wrong side.
    ModelError
        `E-MODEL-EMPTY` with fewer than 3 pairs, `E-MODEL-NO-TRUE-CHANGE` where the index has no answer.

    Notes
    -----
    Recovered: reliably improved, before on the dysfunctional side of the cut-off, after on the functional one.

    **Source**: Jacobson & Truax 1991, J Consult Clin Psychol 59:12; Speer 1992, J Consult Clin Psychol 60:402; Hageman
    & Arrindell 1999, Behav Res Ther 37:1169.

    >>> from burnout_stats.studies import example
    >>> alpha = Reliability(0.90, kind="alpha", source="Falkum 2000")
    >>> found = reliable_change(example("villa_sana"), "exhaustion", after="1 year", reliability=alpha).frame
    >>> found.loc[found["statistic"].eq("n"), "level"].tolist()
    ['improved', 'unchanged', 'deteriorated']
    """
    judged = _judged(cohort, outcome, after, before, reliability, method, norm, cutoff, sd, better, conf_level)
    rule, role = judged.rule, judged.role
    category = verdicts(judged.before, judged.after, rule.band, lower_is_better=rule.lower_is_better, cut=rule.cut)
    total = len(category)
    rows: list[dict[str, object]] = []
    members: list[NDArray[np.bool_] | None] = []
    for name in CATEGORIES if not math.isnan(rule.cut) else CATEGORIES[1:]:
        of_category = category == CATEGORIES.index(name)
        n = int(of_category.sum())
        row = {"variable": role.name, "level": name}
        rows.append(row | {"statistic": "n", "value": float(n), "n": n})
        rows.append(row | {"statistic": "percent", "value": 100.0 * n / total, "n": n})
        members += [judged.among_all(of_category), None]
    criteria = rule.rows(total)
    return Summaries(
        frame=pd.DataFrame(rows + criteria),
        about=_about("reliable_change", judged, cohort),
        notices=judged.notices,
        margins=counted([*members, *[None] * len(criteria)]),
    )


def reliable_change_points(
    cohort: Cohort,
    outcome: str,
    *,
    after: str,
    before: str | None = None,
    reliability: Reliability | None = None,
    method: str = "jacobson-truax",
    norm: Norm | None = None,
    cutoff: str | float | None = None,
    sd: float | None = None,
    better: str | None = None,
    conf_level: float = 0.95,
) -> Summaries:
    """How many persons have which scores before and after, in square bins, for a scatter that shows no single person.

    Parameters
    ----------
    cohort, outcome, after, before, reliability, method, norm, cutoff, sd, better, conf_level
        As in `reliable_change`.

    Returns
    -------
    Summaries
        Kind "reliable_change_points": the count `n` of each bin with anybody in it, with the centers of the bin in the
        columns `before` and `after`, and the criterion as in `reliable_change`. Bins are about a quarter of an SD wide.

    Raises
    ------
    StudyError, ModelError
        As `reliable_change`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> alpha = Reliability(0.90, kind="alpha", source="Falkum 2000")
    >>> found = reliable_change_points(example("villa_sana"), "exhaustion", after="1 year", reliability=alpha)
    >>> found.about.kind
    'reliable_change_points'
    """
    judged = _judged(cohort, outcome, after, before, reliability, method, norm, cutoff, sd, better, conf_level)
    role, total = judged.role, len(judged.before)
    low, width, count = _bins(judged, role)
    place = [np.clip(np.floor((x - low) / width + 1e-9), 0, count - 1) for x in (judged.before, judged.after)]
    bins, of_bin, sizes = np.unique(
        np.column_stack(place).astype(np.int64), axis=0, return_inverse=True, return_counts=True
    )
    rows: list[dict[str, object]] = []
    for (i, j), n in zip(bins.tolist(), sizes.tolist(), strict=True):
        level = f"{_span(low, width, i)}, then {_span(low, width, j)}"
        centers = {"before": low + (i + 0.5) * width, "after": low + (j + 0.5) * width}
        rows.append({"variable": role.name, "level": level, **centers, "statistic": "n", "value": float(n), "n": n})
    criteria = [row | {"before": np.nan, "after": np.nan} for row in judged.rule.rows(total)]
    frame = pd.DataFrame(rows + criteria)[["variable", "level", "before", "after", "statistic", "value", "n"]]
    return Summaries(
        frame=frame,
        about=_about("reliable_change_points", judged, cohort),
        notices=judged.notices,
        margins=Margins(
            members=np.vstack([np.eye(len(sizes), dtype=bool), np.zeros((len(criteria), len(sizes)), dtype=bool)]),
            sizes=sizes.astype(np.int64),
            tables=np.zeros(len(sizes), dtype=np.int64),
            of_subject=judged.place_of(of_bin.ravel()),
        ),
    )


def reliable_change_from_summaries(
    before: Sample,
    *,
    reliability: Reliability | None = None,
    better: str,
    after: Sample | None = None,
    r: float | None = None,
    method: str = "jacobson-truax",
    norm: Norm | None = None,
    cutoff: str | float | None = None,
    sd: float | None = None,
    conf_level: float = 0.95,
) -> Summaries:
    """The criterion of reliable change from printed means and SDs; who met it cannot be told from them.

    Parameters
    ----------
    before, after : Sample
        Hageman and Arrindell's index needs both, and the correlation `r`.
    reliability, method, norm, cutoff, sd, conf_level
        As in `reliable_change`.
    better : "lower" or "higher"

    Raises
    ------
    StudyError, ModelError
        As `reliable_change`.

    Examples
    --------
    >>> alpha = Reliability(0.90, kind="alpha", source="Falkum 2000")
    >>> found = reliable_change_from_summaries(Sample(3.00, 0.94, 185), reliability=alpha, better="lower").frame
    >>> found.set_index("level")["value"].round(2).to_dict()["band: upper intercept"]
    0.82
    """
    later = (after.mean, after.sd) if after is not None else (np.nan, np.nan)
    group = (before.mean, before.sd, *later, np.nan if r is None else r)
    rule = rule_of(
        group, reliability, method, norm, cutoff, sd, one_of("better", better, ["lower", "higher"]), conf_level
    )
    return Summaries(
        frame=pd.DataFrame(rule.rows(before.n)),
        about=About(
            kind="reliable_change",
            outcomes={CRITERION: "Criterion"},
            factors=("level",),
            conf_level=conf_level,
            notes=rule.notes,
            min_cell=1,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Judged:
    """The complete pairs of a cohort and the rule that they are judged by."""

    before: Array
    after: Array
    both: NDArray[np.bool_]
    visits: tuple[str, str]
    role: Outcome
    rule: Rule
    conf_level: float
    notices: tuple[Notice, ...]

    def among_all(self, of_pairs: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which of all subjects are these of the pairs."""
        chosen = np.zeros(len(self.both), dtype=bool)
        chosen[np.flatnonzero(self.both)[of_pairs]] = True
        return chosen

    def place_of(self, of_pairs: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """The place of all subjects, -1 for who is in no pair."""
        place = np.full(len(self.both), -1, dtype=np.int64)
        place[self.both] = of_pairs
        return place


def _judged(
    cohort: Cohort,
    outcome: str,
    after: str,
    before: str | None,
    reliability: Reliability | None,
    method: str,
    norm: Norm | None,
    cutoff: str | float | None,
    sd: float | None,
    better: str | None,
    conf_level: float,
) -> _Judged:
    role, labels = cohort.outcome(outcome), cohort.visits.labels
    visits = (one_of("before", labels[0] if before is None else before, labels), one_of("after", after, labels))
    direction = better or role.better
    if direction not in ("lower", "higher") or visits[0] == visits[1]:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`better` is {direction!r}, and the visits are {visits[0]} and {visits[1]}.",
            'Reliable change needs two visits, and to know whether "lower" or "higher" scores are better.',
            f'Declare `better` under [outcomes.{outcome}], or write better="lower".',
        )
    wide = _pairs(cohort, role.name, visits)
    both: NDArray[np.bool_] = np.asarray(~np.isnan(wide).any(axis=1))
    pairs: Array = wide[both]
    mean, spread = np.asarray(pairs.mean(axis=0)), np.asarray(pairs.std(axis=0, ddof=1))
    varies = bool((spread > 0).all())
    r = float(np.asarray(np.corrcoef(pairs.T))[0, 1]) if varies else np.nan
    group = (float(mean[0]), float(spread[0]), float(mean[1]), float(spread[1]), r)
    rule = rule_of(group, reliability, method, norm, cutoff, sd, direction, conf_level)
    assert reliability is not None
    return _Judged(
        before=pairs[:, 0],
        after=pairs[:, 1],
        both=both,
        visits=visits,
        role=role,
        rule=rule,
        conf_level=conf_level,
        notices=_coincidence(reliability, r),
    )


def _pairs(cohort: Cohort, name: str, visits: tuple[str, str]) -> Array:
    """The scores of all subjects at the two visits (subjects × 2)."""
    data, labels = cohort.data, cohort.visits.labels
    wide = np.full((cohort.n_subjects, len(labels)), np.nan)
    wide[data["subject"].to_numpy() - 1, data["visit"].cat.codes.to_numpy()] = data[name].to_numpy(dtype=float)
    pairs = wide[:, [labels.index(visit) for visit in visits]]
    known = pairs[~np.isnan(pairs).any(axis=1)]
    if len(known) < 3 or np.ptp(known[:, 0]) == 0:
        raise ModelError(
            "E-MODEL-EMPTY",
            f"`{name}` has fewer than 3 persons with scores at {visits[0]} and {visits[1]}, or no spread there.",
            "Reliable change is judged for persons with both scores, whose scores differ at the earlier visit.",
            "Choose other visits.",
        )
    return pairs


def _coincidence(reliability: Reliability, r: float) -> tuple[Notice, ...]:
    if reliability.kind != "test-retest" or math.isnan(r) or abs(reliability.value - r) > 0.005:
        return ()
    return (
        Notice(
            "N-STUDY-RETEST",
            "The test-retest reliability equals the correlation of the two visits in this cohort.",
            "If it was taken from there, it is no reliability; use one from a sample where nothing was done.",
        ),
    )


def _about(kind: str, judged: _Judged, cohort: Cohort) -> About:
    role = judged.role
    years = cohort.visits.by_label()
    return About(
        kind=kind,
        outcomes={role.name: role.label, CRITERION: "Criterion"},
        units={role.name: role.unit} if role.unit else {},
        better={role.name: "lower" if judged.rule.lower_is_better else "higher"},
        ranges={role.name: role.range} if role.range is not None else {},
        visit_years={visit: years[visit] for visit in judged.visits},
        factors=("level",),
        conf_level=judged.conf_level,
        notes=(f"Persons with scores at {judged.visits[0]} and {judged.visits[1]}.", *judged.rule.notes),
        policy=cohort.policy,
    )


def _bins(judged: _Judged, role: Outcome) -> tuple[float, float, int]:
    """The lower edge, width and number of bins: a round width near a quarter of an SD, from the end of the scale."""
    rough = float(judged.before.std(ddof=1)) / BINS_PER_SD
    unit = 10.0 ** math.floor(math.log10(rough))
    width = unit * min((1, 2, 2.5, 5, 10), key=lambda step: abs(math.log(step * unit / rough)))
    scores = np.concatenate([judged.before, judged.after])
    low, high = role.range or (math.floor(scores.min() / width) * width, float(scores.max()) + width / 2)
    return low, width, max(math.ceil((high - low) / width - 1e-9), 1)


def _span(low: float, width: float, k: int) -> str:
    return f"{low + k * width:g} to {low + (k + 1) * width:g}"
