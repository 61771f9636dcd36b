"""The cohort against a norm sample known by its mean, SD and size: how far away, and whether within a margin."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..engine.norm_comparison import Against, against, equivalence, standardized
from ..engine.proportions import newcombe_independent
from ..errors import StudyError, one_of
from ..estimates import About, Estimates, Sample, Share
from ..estimates.margins import counted
from ..instruments.norms import Norm
from ._strata import Strata, strata_of

__all__ = [
    "against_norm",
    "against_norm_from_summaries",
    "equivalent_to_norm",
    "share_against_norm",
]

Array = NDArray[np.float64]
Bounds = tuple[float, float]

NO_MARGIN = (
    "No margin was declared, so nothing is said about being alike: a difference that these data do not show may still "
    "be there."
)


def against_norm(
    cohort: Cohort,
    outcome: str,
    *,
    norm: Norm | None = None,
    strata: Mapping[str | tuple[str, ...], Norm] | None = None,
    by: str | Sequence[str] = (),
    weights: Mapping[str | tuple[str, ...], float] | None = None,
    visits: str | Iterable[str] | None = None,
    margin: float | Bounds | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """Mean of the cohort less mean of the norm at each visit, with the norm's own sampling error.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
    norm : Norm
        Its `drift` per year is added for each year since baseline.
    strata : mapping of stratum to Norm
        Instead of `norm`: a norm for each stratum, keyed by the levels of the covariates `by`, such as ("F", "30-39").
        Ages and other numbers are cut into bands: "30-39", "<30", "60+".
    by : covariates, in the order of the parts of the keys
    weights : mapping of stratum to weight, optional
        A standard population; where left out, the composition of the cohort at the visit.
    visits : labels, optional
        All where left out.
    margin : number or (low, high), optional
        With it a row for equivalence is added, as by `equivalent_to_norm` with alpha = 1 - conf_level, and with the
        interval that belongs to it. It has no default.
    conf_level : float

    Returns
    -------
    Estimates
        Kind "against_norm". For each visit the `measure` "difference" (t with Welch's degrees of freedom), the measure
        "standardized difference" (over the norm's SD, with an interval but no test of its own) and, with a margin,
        "equivalence". `conclusion` stands beside
        equivalence only.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` or `E-STUDY-OPTION` for unknown names, `E-STUDY-VALUE` without a norm or with both,
        `E-STUDY-STRATA` where strata do not fit, `E-STUDY-EQUIVALENCE` for a margin that cannot be.

    Notes
    -----
    Within strata the difference is Σ w (ȳ − μ): direct standardization of the norm to the composition of the cohort, or
    of both to `weights`. The weights are taken as fixed, and the variance of scores as the same within all strata.

    **Source**: Welch 1947, Biometrika 34:28; Schuirmann 1987, J Pharmacokinet Biopharm 15:657.

    >>> from burnout_stats.studies import example
    >>> found = against_norm(example("villa_sana"), "exhaustion", norm=Norm(2.52, 0.92, 1070), visits="baseline")
    >>> found.frame["measure"].tolist()
    ['difference', 'standardized difference']
    """
    bounds = _bounds(margin) if margin is not None else None
    return _of_cohort(cohort, outcome, _Asked(norm, strata, by, weights), visits, bounds, conf_level, 1 - conf_level)


def equivalent_to_norm(
    cohort: Cohort,
    outcome: str,
    *,
    margin: float | Bounds | None = None,
    norm: Norm | None = None,
    strata: Mapping[str | tuple[str, ...], Norm] | None = None,
    by: str | Sequence[str] = (),
    weights: Mapping[str | tuple[str, ...], float] | None = None,
    visits: str | Iterable[str] | None = None,
    alpha: float = 0.05,
) -> Estimates:
    """Whether the mean of the cohort is shown to lie within a margin of the norm's, at each visit.

    Parameters
    ----------
    cohort, outcome, norm, strata, by, weights, visits
        As in `against_norm`.
    margin : number or (low, high)
        How far from the norm still counts as alike, in units of the score. It must be given: there is no default.
    alpha : float
        The level of each of the two one-sided tests; the interval has coverage 1 - 2 alpha.

    Returns
    -------
    Estimates
        Kind "against_norm", measure "equivalence": the difference, its interval, the larger p of the two one-sided
        tests, and the `conclusion`: "equivalent" (the interval lies within the margin), "beyond the margin" (it lies
        outside), or "neither shown". The last is no evidence of likeness.

    Raises
    ------
    StudyError
        `E-STUDY-EQUIVALENCE` without a margin, or with one that cannot be; else as `against_norm`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> norm = Norm(2.52, 0.92, 1070)
    >>> found = equivalent_to_norm(example("villa_sana"), "exhaustion", norm=norm, margin=0.3)
    >>> found.frame["conclusion"].tolist()[0]
    'beyond the margin'
    """
    if not 0 < alpha < 0.5:
        raise StudyError("E-STUDY-VALUE", f"`alpha` is {alpha}.", "It lies between 0 and 0.5.", "Write alpha=0.05.")
    bounds = _bounds(margin)
    found = _of_cohort(cohort, outcome, _Asked(norm, strata, by, weights), visits, bounds, 1 - 2 * alpha, alpha)
    return _only_equivalence(found)


def against_norm_from_summaries(
    samples: Sample | Mapping[str, Sample],
    *,
    norm: Norm,
    years: Mapping[str, float] | None = None,
    margin: float | Bounds | None = None,
    conf_level: float = 0.95,
    label: str = "score",
) -> Estimates:
    """A printed mean, SD and size, or one for each visit, against a norm.

    Parameters
    ----------
    samples : Sample, or mapping of visit to Sample
    norm : Norm
    years : mapping of visit to years since baseline, optional
        For a norm that drifts; must then be given.
    margin, conf_level
        As in `against_norm`.
    label : str
        What the score is called.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` where a drift is declared and no years are; `E-STUDY-EQUIVALENCE` for a margin that cannot be.

    Examples
    --------
    >>> found = against_norm_from_summaries(Sample(3.00, 0.94, 185), norm=Norm(2.52, 0.92, 1070)).frame
    >>> found["statistic"].round(2).tolist()[0]
    6.43
    """
    bounds = _bounds(margin) if margin is not None else None
    printed = samples if isinstance(samples, Mapping) else {"sample": samples}
    if norm.drift and (years is None or not set(printed) <= set(years)):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The norm drifts by {norm.drift} per year, and the years of {', '.join(printed)} are not given.",
            "A drift is added for each year since baseline.",
            "Give `years`, or a norm without drift.",
        )
    rows = []
    for visit, sample in printed.items():
        later = years[visit] if years is not None and visit in years else 0.0
        N = math.inf if norm.n is None else norm.n
        found = against(sample.mean, sample.n, sample.sd, sample.n - 1, norm.mean + norm.drift * later, norm.sd, N)
        rows += _rows(visit, found, sample.n, bounds, conf_level, 1 - conf_level, shown=True)
    about = About(
        kind="against_norm",
        outcomes={"score": label},
        factors=("visit", "measure", "conclusion"),
        conf_level=conf_level,
        df_method="welch",
        notes=_notes((norm,), bounds, 1 - conf_level, drift=norm.drift),
        min_cell=1,
    )
    return _estimates(rows, "score", about)


def share_against_norm(
    cohort: Cohort,
    outcome: str,
    *,
    cutoff: float,
    share: Share,
    visits: str | Iterable[str] | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """The share of the cohort at or above a cut-off less the share of a norm sample, with the uncertainty of both.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
    cutoff : float
        Scores from here on count.
    share : Share
        How many of how many in the norm sample scored so: `Share(268, 1070)`.
    visits : labels, optional
    conf_level : float

    Returns
    -------
    Estimates
        Kind "share_against_norm", in percentage points, with Newcombe's hybrid score interval for two independent
        shares. A visit is hidden where the persons on one side of the cut-off are fewer than may be shown.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` or `E-STUDY-OPTION` for unknown names.

    Notes
    -----
    **Source**: Newcombe 1998, Stat Med 17:873, method 10.

    >>> from burnout_stats.studies import example
    >>> found = share_against_norm(example("villa_sana"), "exhaustion", cutoff=3.0, share=Share(268, 1070))
    >>> found.frame["visit"].tolist()
    ['baseline', '1 year', '3 years']
    """
    role = cohort.outcome(outcome)
    rows, cells, behind = [], [], []
    for label in _visits(cohort, visits):
        scores = _scores(cohort, role.name, label)
        values = scores[~np.isnan(scores)]
        behind.append(~np.isnan(scores))
        n, count = len(values), int((values >= cutoff).sum())
        low, high = newcombe_independent(count, n, share.count, share.n, conf_level=conf_level) if n else (np.nan,) * 2
        row = _row(label, "share", 100 * (count / n - share.value) if n else np.nan, n)
        cells.append((count, n - count))
        rows.append(row | {"conf_low": 100 * float(low), "conf_high": 100 * float(high), "method": "newcombe"})
    about = About(
        kind="share_against_norm",
        outcomes={role.name: role.label},
        units={role.name: "percentage points"},
        visit_years=cohort.visits.by_label(),
        factors=("visit",),
        conf_level=conf_level,
        notes=(
            f"Share with a score of {cutoff:g} or more, less the norm's {share.count} of {share.n}, in points.",
            "Intervals: Newcombe's hybrid score method for two independent shares.",
        ),
        policy=cohort.policy,
    )
    found = _estimates(rows, role.name, about)
    frame = found.frame.drop(columns="measure")
    return replace(found, frame=frame, cells=np.array(cells, dtype=float), margins=counted(behind))


# ---- one visit -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Asked:
    """The norm, or norms of strata, as they were given."""

    norm: Norm | None
    strata: Mapping[str | tuple[str, ...], Norm] | None
    by: str | Sequence[str]
    weights: Mapping[str | tuple[str, ...], float] | None


def _of_cohort(
    cohort: Cohort,
    outcome: str,
    asked: _Asked,
    visits: str | Iterable[str] | None,
    bounds: Bounds | None,
    conf_level: float,
    alpha: float,
) -> Estimates:
    role = cohort.outcome(outcome)
    if (asked.norm is None) == (asked.strata is None) or not 0 < conf_level < 1:
        raise StudyError(
            "E-STUDY-VALUE",
            "Neither a norm nor norms of strata are given." if asked.norm is None else "Check `norm` and `conf_level`.",
            "A comparison needs one of `norm` and `strata`, and a level between 0 and 1.",
            "Write for example norm=Norm(mean=2.52, sd=0.92, n=1070).",
        )
    strata = strata_of(cohort, asked.norm, asked.strata, asked.by, asked.weights)
    years = cohort.visits.by_label()
    rows, behind = [], []
    for label in _visits(cohort, visits):
        scores = _scores(cohort, role.name, label)
        found, n = _at(scores, strata, years[label])
        new = _rows(label, found, n, bounds, conf_level, alpha, shown=n >= cohort.policy.min_cell)
        rows += new
        behind += [~np.isnan(scores)] * len(new)
    about = About(
        kind="against_norm",
        outcomes={role.name: role.label},
        units={role.name: role.unit} if role.unit else {},
        better={role.name: role.better} if role.better else {},
        ranges={role.name: role.range} if role.range is not None else {},
        visit_years=years,
        factors=("visit", "measure", "conclusion"),
        conf_level=conf_level,
        df_method="welch",
        notes=(*_notes(strata.norms, bounds, alpha, drift=strata.norms[0].drift), *strata.notes),
        policy=cohort.policy,
    )
    return replace(_estimates(rows, role.name, about), margins=counted(behind))


def _scores(cohort: Cohort, name: str, visit: str) -> Array:
    """The scores of all subjects at a visit, NaN where there is none."""
    at = cohort.data[cohort.data["visit"].eq(visit)]
    values = np.full(cohort.n_subjects, np.nan)
    values[at["subject"].to_numpy() - 1] = at[name].to_numpy(dtype=float)
    return values


def _visits(cohort: Cohort, visits: str | Iterable[str] | None) -> tuple[str, ...]:
    labels = cohort.visits.labels
    asked = labels if visits is None else (visits,) if isinstance(visits, str) else tuple(visits)
    return tuple(one_of("visits", visit, labels) for visit in asked)


def _at(scores: Array, strata: Strata, years: float) -> tuple[Against | None, int]:
    """The comparison at one visit and how many persons are behind it; None where the scores do not suffice."""
    strata.check(scores)
    known = ~np.isnan(scores)
    values, codes = scores[known], strata.codes[known]
    sizes = np.bincount(codes, minlength=len(strata.norms)).astype(float)
    present = sizes > 0
    n, df = len(values), len(values) - int(present.sum())
    if df < 1:
        return None, n
    sums = np.bincount(codes, weights=values, minlength=len(strata.norms))
    means = sums[present] / sizes[present]
    centered = values - (sums / np.maximum(sizes, 1))[codes]
    sd = math.sqrt(float(centered @ centered) / df)
    norms = [norm for norm, some in zip(strata.norms, present, strict=True) if some]
    weights = strata.weights_of(sizes)
    found = against(
        means,
        sizes[present],
        sd,
        df,
        [norm.mean + norm.drift * years for norm in norms],
        [norm.sd for norm in norms],
        [math.inf if norm.n is None else norm.n for norm in norms],
        weights[present],
    )
    return found, n


# ---- rows ----------------------------------------------------------------------------------------------------------


def _row(visit: str, measure: str, estimate: float, n: float, conclusion: str = "") -> dict[str, object]:
    nothing = dict.fromkeys(("std_error", "df", "statistic", "p_value", "conf_low", "conf_high"), np.nan)
    return {
        "visit": visit,
        "measure": measure,
        "conclusion": conclusion,
        "estimate": estimate,
        **nothing,
        "n": float(n),
        "method": "",
    }


def _rows(
    visit: str, found: Against | None, n: int, bounds: Bounds | None, conf_level: float, alpha: float, *, shown: bool
) -> list[dict[str, object]]:
    if found is None:
        names = ["difference", "standardized difference", *(["equivalence"] if bounds else [])]
        return [_row(visit, name, np.nan, n) | {"method": "welch"} for name in names]
    low, high = found.interval(conf_level)
    plain = {
        "std_error": found.std_error,
        "df": found.df,
        "statistic": found.t,
        "p_value": found.p,
        "conf_low": low,
        "conf_high": high,
        "method": "welch",
    }
    delta, error = standardized(found)
    reach = (high - low) / 2 / found.std_error * error
    rows = [
        _row(visit, "difference", found.estimate, n) | plain,
        _row(visit, "standardized difference", delta, n)
        | {"std_error": error, "df": found.df, "conf_low": delta - reach, "conf_high": delta + reach}
        | {"method": "delta method"},
    ]
    if bounds is not None:
        tested = equivalence(found, *bounds)
        inner = found.interval(1 - 2 * alpha)
        rows.append(
            _row(visit, "equivalence", found.estimate, n, _conclusion(inner, bounds) if shown else "")
            | plain
            | {"statistic": tested.t, "p_value": tested.p, "conf_low": inner[0], "conf_high": inner[1]}
            | {"method": "two one-sided tests"}
        )
    return rows


def _conclusion(limits: Bounds, bounds: Bounds) -> str:
    if bounds[0] < limits[0] and limits[1] < bounds[1]:
        return "equivalent"
    if limits[1] < bounds[0] or limits[0] > bounds[1]:
        return "beyond the margin"
    return "neither shown"


def _bounds(margin: float | Bounds | None) -> Bounds:
    pair: Sequence[float] = (
        margin if isinstance(margin, tuple) else (np.nan, np.nan) if margin is None else (-margin, margin)
    )
    if len(pair) != 2 or not (math.isfinite(pair[0]) and math.isfinite(pair[1]) and pair[0] < 0 < pair[1]):
        raise StudyError(
            "E-STUDY-EQUIVALENCE",
            "No margin is given." if margin is None else f"The margin is {margin}.",
            "It says how far from the norm still counts as alike: a number above 0, or (low, high) around 0.",
            "Decide on it before looking at the data, and write for example margin=0.3.",
        )
    return float(pair[0]), float(pair[1])


def _notes(norms: Sequence[Norm], bounds: Bounds | None, alpha: float, *, drift: float) -> tuple[str, ...]:
    first = norms[0]
    notes = ["Cohort less norm; the standard error is that of both samples, degrees of freedom after Welch."]
    if len(norms) == 1:
        size = f", n = {first.n}" if first.n is not None else ", taken as known without error"
        source = f" ({first.source})" if first.source else ""
        notes.append(f"{first.label[:1].upper()}{first.label[1:]}{source}: mean {first.mean:g}, SD {first.sd:g}{size}.")
    if any(norm.n is None for norm in norms) and len(norms) > 1:
        notes.append("Norms without a size are taken as known without error.")
    if drift:
        notes.append(f"The norm is assumed to change by {drift:+g} per year after baseline.")
    notes.append("Standardized difference: over the norm's SD.")
    if bounds is None:
        notes.append(NO_MARGIN)
    else:
        notes.append(
            f"Margin: {bounds[0]:g} to {bounds[1]:g}. Equivalent: the {100 * (1 - 2 * alpha):g}% interval is within "
            f"(two one-sided tests at {alpha:g}). Neither shown: it crosses a limit, and a difference that these data "
            "do not show may still be there."
        )
    return tuple(notes)


def _estimates(rows: list[dict[str, object]], outcome: str, about: About) -> Estimates:
    frame = pd.DataFrame(rows)
    frame.insert(0, "outcome", outcome)
    if frame["conclusion"].eq("").all():
        frame = frame.drop(columns="conclusion")
        about = replace(about, factors=tuple(name for name in about.factors if name != "conclusion"))
    error = frame["std_error"].to_numpy(dtype=float)
    vcov = np.full((len(frame), len(frame)), np.nan)
    np.fill_diagonal(vcov, error**2)
    return Estimates(frame=frame, vcov=vcov, about=about)


def _only_equivalence(found: Estimates) -> Estimates:
    keep = found.frame["measure"].eq("equivalence").to_numpy()
    assert found.margins is not None
    return replace(
        found,
        frame=found.frame[keep].reset_index(drop=True),
        vcov=found.vcov[np.ix_(keep, keep)],
        margins=replace(found.margins, members=found.margins.members[keep]),
    )
