"""Would it have come back by itself? An observed change against regression to the mean, under a stated way of selection,
a norm and a stability from outside the cohort.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..cohort import Cohort
from ..describe._pairs import checked_level, estimates_of
from ..engine.regression_to_mean import SELECTIONS
from ..errors import StudyError, one_of
from ..estimates import Estimates, Sample
from ..instruments.norms import Norm, Stability
from ..notices import Notice, announce
from ._before_after import BeforeAfter, of_cohort, of_samples
from ._judged import Inputs, Question, judged

__all__ = [
    "regression_to_the_mean",
    "regression_to_the_mean_from_summaries",
    "stability_curve",
    "stability_curve_from_summaries",
]

Given = Stability | Mapping[str, Stability] | None

NOT_A_BOUND = (
    "None of these numbers is a bound: another norm, another stability or another way of selection gives a larger or a "
    "smaller expected change."
)
SELF_REFERRAL = (
    "Why people refer themselves, and when, is not identified by a norm and a correlation. People who seek help at a low "
    "point may come back further, and faster, than their score alone foretells; people who seek it when things have "
    "settled for the worse, less far."
)
CORRELATION = (
    "A correlation is the share of a distance that remains only where, without help, the spread of scores is the same at "
    "both times; a slope is that share outright."
)
GRID = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
LAG_APART = 0.1
"""A lag and a gap that differ by more than this part of the longer one are told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Everything that was given beside the scores."""

    inputs: Inputs
    stability: Given
    selections: tuple[str, ...]


def regression_to_the_mean(
    cohort: Cohort,
    outcome: str,
    *,
    norm: Norm,
    stability: Given = None,
    selection: str | Sequence[str] = "score",
    reliability: float | None = None,
    reliability_se: float = 0.0,
    visits: str | Iterable[str] | None = None,
    cutoff: float | None = None,
    carry: bool = False,
    draws: int = 0,
    seed: int | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """The observed change, the change that regression to the mean alone would bring, and what is left.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
    norm : Norm
        The population that the cohort came out of. Its `drift` moves its mean with the years.
    stability : Stability, or mapping of visit to Stability
        How much of a distance from the mean remains over the time to the visit where nothing is done, from outside the
        cohort. Needed for the selections "score" and "state".
    selection : "score", "state", "trait" or "crisis", or several of them
        What people were selected on, by themselves or by others: this very score (the share kept is the stability); how
        they truly were that day (stability/reliability); how they lastingly are (1); a crisis that is over at the later
        visit (0).
    reliability, reliability_se : float
        Of the score at baseline, for "state", with its standard error where there is one.
    visits : labels of later visits, optional
        All where left out.
    cutoff : float, optional
        Where people were let in because their own score lay beyond it: the distance from the norm then follows from the
        cut-off and the norm's mean and SD (James 1973), not from the baseline mean. With "score" only.
    carry : bool
        Whether a stability over another lag is carried to the gap between the visits, as stability^(gap/lag).
    draws, seed : int
        With draws, intervals are percentiles of that many simulated sets of inputs, not the delta method's; the seed is
        needed then. (The tipping stability keeps Fieller's.)
    conf_level : float

    Returns
    -------
    Estimates
        Kind "regression_to_the_mean": for each visit and selection the `measure` "baseline less norm", ["distance by
        the cut-off",] "observed change", "share kept", "expected change", "observed minus expected", and the "tipping
        stability" (or "tipping share") at which regression to the mean explains the whole change, with Fieller's
        interval. All are of the persons seen at both visits, and `vcov` is the joint covariance.

    Raises
    ------
    StudyError
        `E-STUDY-STABILITY` for a stability that is none (an alpha, a bare number, a slope without standard error) or is
        missing; `E-STUDY-VALUE`, `E-STUDY-OPTION`, `E-STUDY-COLUMN`, `E-STUDY-VISITS`.

    Notes
    -----
    Notices: `N-SENSITIVITY-CIRCULAR` for a stability from the treated cohort itself, `N-SENSITIVITY-LAG` for one over
    another time, `N-SENSITIVITY-CUTOFF` where people lie on the other side of the cut-off.

    **Source**: `engine.regression_to_mean` for the formulas, `sensitivity._judged` for the intervals.

    >>> from burnout_stats.studies import example
    >>> found = regression_to_the_mean(
    ...     example("villa_sana"),
    ...     "exhaustion",
    ...     norm=Norm(2.52, 0.92, 1070),
    ...     stability=Stability(0.62, n=293),
    ...     visits="1 year",
    ... )
    >>> found.frame["measure"].tolist()[1:5]
    ['observed change', 'share kept', 'expected change', 'observed minus expected']
    """
    inputs = _inputs(norm, reliability, reliability_se, cutoff, carry, draws, seed, conf_level)
    asked = _Asked(inputs=inputs, stability=stability, selections=_selections(selection, cutoff, reliability))
    return _answer(of_cohort(cohort, outcome, visits), asked)


def regression_to_the_mean_from_summaries(
    before: Sample,
    after: Sample,
    *,
    norm: Norm,
    stability: Given = None,
    r: float | None = None,
    t: float | None = None,
    sd_change: float | None = None,
    selection: str | Sequence[str] = "score",
    reliability: float | None = None,
    reliability_se: float = 0.0,
    cutoff: float | None = None,
    carry: bool = False,
    draws: int = 0,
    seed: int | None = None,
    conf_level: float = 0.95,
    outcome: str = "score",
    visit: str = "after",
    years: float | None = None,
) -> Estimates:
    """The same from the means, SDs and size of those seen at both visits, as a paper prints them.

    Parameters
    ----------
    before, after : Sample
        Of the same persons, so of the same n.
    r, t, sd_change : float
        Exactly one of: the correlation of their scores, the paired t as printed, the SD of the change. It is needed for
        standard errors only, and is no stability.
    outcome, visit : str
        What was measured, and what the later visit is called.
    years : float, optional
        From baseline to the later visit; needed for a norm that drifts, or to carry a stability.
    norm, stability, selection, reliability, reliability_se, cutoff, carry, draws, seed, conf_level
        As in `regression_to_the_mean`.

    Raises
    ------
    StudyError
        As `regression_to_the_mean`; `E-STUDY-VALUE` where the numbers cannot be of the same persons.

    Examples
    --------
    The doctors of Villa Sana after one year (BMJ 2008;337:a2004) and Norwegian doctors in 1993:

    >>> found = regression_to_the_mean_from_summaries(
    ...     Sample(3.00, 0.94, 185),
    ...     Sample(2.53, 0.76, 185),
    ...     t=6.76,
    ...     norm=Norm(2.52, 0.92, 1070),
    ...     stability=Stability(0.62, n=293),
    ... )
    >>> dict(found.frame.set_index("measure")["estimate"].round(2))["expected change"]
    -0.18
    """
    inputs = _inputs(norm, reliability, reliability_se, cutoff, carry, draws, seed, conf_level)
    asked = _Asked(inputs=inputs, stability=stability, selections=_selections(selection, cutoff, reliability))
    pairs = of_samples(before, after, r=r, t=t, sd_change=sd_change, outcome=outcome, visit=visit, years=years)
    return _answer(pairs, asked)


def stability_curve(
    cohort: Cohort,
    outcome: str,
    *,
    norm: Norm,
    stability: Given = None,
    over: Sequence[float] = GRID,
    selection: str = "score",
    reliability: float | None = None,
    visits: str | Iterable[str] | None = None,
    cutoff: float | None = None,
    carry: bool = False,
    conf_level: float = 0.95,
) -> Estimates:
    """The expected change over stabilities, so that no single one decides.

    Parameters
    ----------
    over : numbers
        The stabilities, each taken as known.
    stability : Stability, or mapping of visit to Stability, optional
        Marked on the curve, with its uncertainty.
    selection : "score" or "state"
        For the others no stability plays a part.
    cohort, outcome, norm, reliability, visits, cutoff, carry, conf_level
        As in `regression_to_the_mean`.

    Returns
    -------
    Estimates
        Kind "stability_curve": for each visit the observed change and the tipping stability (`stability` is "any"),
        those of the stability that is given ("given"), and for each of `over` the "expected change" and the "observed
        minus expected".

    Raises
    ------
    StudyError
        As `regression_to_the_mean`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> curve = stability_curve(example("villa_sana"), "exhaustion", norm=Norm(2.52, 0.92, 1070), visits="1 year")
    >>> curve.frame.query("measure == 'expected change'")["stability"].tolist()
    ['0.3', '0.4', '0.5', '0.6', '0.7', '0.8', '0.9']
    """
    asked = _curve_asked(norm, stability, selection, reliability, cutoff, carry, conf_level)
    return _curve(of_cohort(cohort, outcome, visits), asked, over)


def stability_curve_from_summaries(
    before: Sample,
    after: Sample,
    *,
    norm: Norm,
    stability: Given = None,
    r: float | None = None,
    t: float | None = None,
    sd_change: float | None = None,
    over: Sequence[float] = GRID,
    selection: str = "score",
    reliability: float | None = None,
    cutoff: float | None = None,
    carry: bool = False,
    conf_level: float = 0.95,
    outcome: str = "score",
    visit: str = "after",
    years: float | None = None,
) -> Estimates:
    """The same curve from printed summaries; arguments as in `stability_curve` and
    `regression_to_the_mean_from_summaries`.

    Raises
    ------
    StudyError
        As these.

    Examples
    --------
    >>> curve = stability_curve_from_summaries(
    ...     Sample(3.00, 0.94, 185), Sample(2.53, 0.76, 185), t=6.76, norm=Norm(2.52, 0.92, 1070)
    ... )
    >>> [round(value, 2) for value in curve.frame.query("measure == 'expected change'")["estimate"]]
    [-0.34, -0.29, -0.24, -0.19, -0.14, -0.1, -0.05]
    """
    asked = _curve_asked(norm, stability, selection, reliability, cutoff, carry, conf_level)
    pairs = of_samples(before, after, r=r, t=t, sd_change=sd_change, outcome=outcome, visit=visit, years=years)
    return _curve(pairs, asked, over)


# ---- what was asked ------------------------------------------------------------------------------------------------


def _inputs(
    norm: Norm,
    reliability: float | None,
    reliability_se: float,
    cutoff: float | None,
    carry: bool,
    draws: int,
    seed: int | None,
    conf_level: float,
) -> Inputs:
    checked_level(conf_level)
    rightful = reliability is None or 0 < reliability <= 1
    if not rightful or not reliability_se >= 0 or draws < 0 or (draws > 0 and seed is None):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The reliability is {reliability} with standard error {reliability_se}, draws are {draws}, the seed is "
            f"{seed}.",
            "A reliability lies above 0 and up to 1, a standard error is not negative, and a simulation needs a seed.",
            "Write for example reliability=0.90, or draws=10_000, seed=1.",
        )
    if cutoff is not None and not math.isfinite(cutoff):
        raise StudyError(
            "E-STUDY-VALUE", f"The cut-off is {cutoff}.", "It is a score.", "Write for example cutoff=3.0."
        )
    return Inputs(
        norm=norm,
        reliability=1.0 if reliability is None else reliability,
        reliability_se=reliability_se,
        cutoff=cutoff,
        carry=carry,
        draws=draws,
        seed=seed,
        conf_level=conf_level,
    )


def _selections(selection: str | Sequence[str], cutoff: float | None, reliability: float | None) -> tuple[str, ...]:
    names = (selection,) if isinstance(selection, str) else tuple(selection)
    found = tuple(dict.fromkeys(one_of("selection", name, SELECTIONS) for name in names))
    if not found or (cutoff is not None and found != ("score",)) or ("state" in found and reliability is None):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The selection is {', '.join(found) or 'empty'}, the cut-off {cutoff}, the reliability {reliability}.",
            'A cut-off belongs to selection="score"; selection="state" needs the reliability of the score.',
            "Write for example reliability=0.90, and name its source.",
        )
    return found


def _curve_asked(
    norm: Norm,
    stability: Given,
    selection: str,
    reliability: float | None,
    cutoff: float | None,
    carry: bool,
    conf_level: float,
) -> _Asked:
    inputs = _inputs(norm, reliability, 0.0, cutoff, carry, 0, None, conf_level)
    one_of("selection", selection, ["score", "state"])
    return _Asked(inputs=inputs, stability=stability, selections=_selections(selection, cutoff, reliability))


def _of_visit(asked: _Asked, visit: str, gap: float) -> Stability | None:
    """The stability for a visit, checked.

    Raises
    ------
    StudyError
        `E-STUDY-STABILITY`.
    """
    given = asked.stability
    one = given.get(visit) if isinstance(given, Mapping) else given
    needed = [name for name in asked.selections if name in ("score", "state")]
    if not needed:
        return None
    if not isinstance(one, Stability):
        raise StudyError(
            "E-STUDY-STABILITY",
            f"For {visit} the stability is {one!r}.",
            "It is a Stability from outside the cohort: a correlation over time with its n, or a slope with its "
            "standard error. A reliability such as alpha is none: it tells how well a score is measured on one day.",
            "Write for example stability=Stability(0.62, n=293), or give a mapping of visit to Stability.",
        )
    if one.kind == "slope" and one.n is not None:
        raise StudyError(
            "E-STUDY-STABILITY",
            f"For {visit} a slope of {one.value:g} is given with n = {one.n}.",
            "The error of a slope does not follow from n alone.",
            f"Write Stability({one.value:g}, std_error=..., kind='slope'), or give the correlation with its n.",
        )
    if asked.inputs.carry and (one.lag is None or one.value <= 0 or math.isnan(gap)):
        raise StudyError(
            "E-STUDY-STABILITY",
            f"The stability {one.value:g} with lag {one.lag} is to be carried over {gap:g} years.",
            "That needs a stability above 0, its lag, and the years between the visits.",
            "Write for example Stability(0.62, n=293, lag=5), and give the years.",
        )
    if "state" in asked.selections and one.value > asked.inputs.reliability:
        raise StudyError(
            "E-STUDY-STABILITY",
            f"The stability {one.value:g} is above the reliability {asked.inputs.reliability:g}.",
            "Scores of two occasions cannot go together more closely than measurement allows.",
            "Check whether both are of the same score, and of the same kind of people.",
        )
    return one


# ---- the answers ---------------------------------------------------------------------------------------------------


def _answer(pairs: BeforeAfter, asked: _Asked) -> Estimates:
    _check_drift(pairs, asked)
    gaps = pairs.years[1:] - pairs.years[0]
    given = [_of_visit(asked, visit, float(gap)) for visit, gap in zip(pairs.visits, gaps, strict=True)]
    questions = [
        Question(
            pair=at,
            selection=selection,
            stability=one if selection in ("score", "state") else None,
            naming={"visit": visit, "selection": selection},
        )
        for at, (visit, one) in enumerate(zip(pairs.visits, given, strict=True))
        for selection in asked.selections
    ]
    return _finished(pairs, asked, questions, given, "regression_to_the_mean", ("visit", "selection", "measure"))


def _curve(pairs: BeforeAfter, asked: _Asked, over: Sequence[float]) -> Estimates:
    _check_drift(pairs, asked)
    most = asked.inputs.reliability if asked.selections == ("state",) else math.inf
    grid = [Stability(float(value), kind="slope") for value in over if value <= most]
    gaps = pairs.years[1:] - pairs.years[0]
    given = [
        None if asked.stability is None else _of_visit(asked, visit, float(gap))
        for visit, gap in zip(pairs.visits, gaps, strict=True)
    ]
    selection = asked.selections[0]
    tipping = ("observed change", "tipping stability")
    questions: list[Question] = []
    for at, (visit, one) in enumerate(zip(pairs.visits, given, strict=True)):
        asking = ("share kept", "expected change", "observed minus expected")
        own = [(one, "given", asking)] if one is not None else []
        marks = [(grid[0] if grid else None, "any", tipping), *own]
        marks += [(point, f"{point.value:g}", asking[1:]) for point in grid]
        questions += [
            Question(
                pair=at,
                selection=selection,
                stability=point,
                naming={"visit": visit, "stability": label},
                measures=measures,
            )
            for point, label, measures in marks
        ]
    return _finished(pairs, asked, questions, given, "stability_curve", ("visit", "stability", "measure"))


def _check_drift(pairs: BeforeAfter, asked: _Asked) -> None:
    if asked.inputs.norm.drift and math.isnan(float(pairs.years[1:].sum())):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The norm drifts by {asked.inputs.norm.drift} per year, and the years between the visits are not given.",
            "A drift is added for each year.",
            "Give `years`, or a norm without drift.",
        )


def _finished(
    pairs: BeforeAfter,
    asked: _Asked,
    questions: Sequence[Question],
    given: Sequence[Stability | None],
    kind: str,
    factors: tuple[str, ...],
) -> Estimates:
    rows, vcov, counts = judged(pairs, asked.inputs, questions)
    notices = _notices(pairs, asked, given)
    announce(notices, stacklevel=4)
    about = replace(
        pairs.about,
        kind=kind,
        factors=factors,
        conf_level=asked.inputs.conf_level,
        notes=_notes(pairs, asked, given, kind),
    )
    found = estimates_of(rows, about, counts=counts if counts else None)
    return replace(found, vcov=vcov, notices=notices)


# ---- words ---------------------------------------------------------------------------------------------------------


def _notices(pairs: BeforeAfter, asked: _Asked, given: Sequence[Stability | None]) -> tuple[Notice, ...]:
    notices: list[Notice] = []
    if any(one is not None and one.from_cohort for one in given):
        notices.append(circular("The stability comes from the treated cohort itself."))
    gaps = (pairs.years[1:] - pairs.years[0]).tolist()
    apart = [
        (visit, one.lag, gap)
        for visit, one, gap in zip(pairs.visits, given, gaps, strict=True)
        if one is not None and one.lag is not None and abs(gap - one.lag) > LAG_APART * max(gap, one.lag)
    ]
    if apart and not asked.inputs.carry:
        told = "; ".join(f"over {lag:g} years, used for {visit} ({gap:g})" for visit, lag, gap in apart)
        notices.append(
            Notice(
                "N-SENSITIVITY-LAG",
                f"A stability is used for another time than it was found over: {told}.",
                "Over a shorter time more remains. Give a stability for each visit, or carry=True; look at the curve.",
            )
        )
    cutoff = asked.inputs.cutoff
    if cutoff is not None and not pairs.printed:
        above = pairs.means[:, 0] >= cutoff
        if (((pairs.lowest < cutoff) & above) | ((pairs.highest > cutoff) & ~above)).any():
            notices.append(
                Notice(
                    "N-SENSITIVITY-CUTOFF",
                    f"Not all scores at baseline lie beyond the cut-off {cutoff:g}.",
                    "The model of a cut-off is for people who were let in by this very score; leave `cutoff` out, and "
                    "the distance is that of the baseline mean.",
                )
            )
    return tuple(notices)


def circular(seen: str) -> Notice:
    """The notice that a stability is from the treated cohort itself."""
    return Notice(
        "N-SENSITIVITY-CIRCULAR",
        seen,
        "What help did to the scores is in it, so it cannot tell what would have happened without; take one from "
        "untreated people.",
    )


def _notes(pairs: BeforeAfter, asked: _Asked, given: Sequence[Stability | None], kind: str) -> tuple[str, ...]:
    inputs = asked.inputs
    what = "their distance from the norm's mean at baseline"
    if inputs.cutoff is not None:
        what = f"the distance of those beyond the cut-off {inputs.cutoff:g} in a normal population like the norm (James)"
    moved = "the drift of the norm less " if inputs.norm.drift else "less "
    notes = [f"Of those seen at both visits. Expected change: {moved}(1 - share kept) times {what}."]
    notes += [f"Selection by {name}: {SELECTIONS[name]}." for name in asked.selections]
    notes.append(_norm_note(inputs.norm))
    stabilities = [one for one in dict.fromkeys(given) if one is not None]
    notes += [_stability_note(one, inputs.carry) for one in stabilities]
    if any(one.kind == "correlation" for one in stabilities):
        notes.append(CORRELATION)
    if "state" in asked.selections:
        error = f", standard error {inputs.reliability_se:g}" if inputs.reliability_se else ", taken as known"
        notes.append(f"Reliability {inputs.reliability:g}{error}; share kept: stability over reliability.")
    if kind == "stability_curve":
        notes.append("Each stability of the curve is taken as known; the one that was given has its own uncertainty.")
    notes.append(_interval_note(inputs))
    tipping = "stability" if {"score", "state"} & set(asked.selections) else "share"
    notes.append(
        f"Tipping {tipping}: the one at which regression to the mean alone brings the observed change; Fieller's "
        "interval, which has no end where the baseline mean is not clearly away from the norm."
    )
    return (*notes, NOT_A_BOUND, SELF_REFERRAL)


def _norm_note(norm: Norm) -> str:
    size = f", n = {norm.n}" if norm.n is not None else ", taken as known without error"
    source = f" ({norm.source})" if norm.source else ""
    drift = f"; its mean is assumed to change by {norm.drift:+g} per year" if norm.drift else ""
    return f"{norm.label[:1].upper()}{norm.label[1:]}{source}: mean {norm.mean:g}, SD {norm.sd:g}{size}{drift}."


def _stability_note(one: Stability, carry: bool) -> str:
    error = f", n = {one.n}" if one.n is not None else ", taken as known without error"
    if one.std_error is not None:
        error = f", standard error {one.std_error:g}"
    lag = f", over {one.lag:g} years" if one.lag is not None else ", over a time that is not stated"
    source = f" ({one.source})" if one.source else ""
    where = "; from the treated cohort itself, which is circular" if one.from_cohort else ""
    told = f"Stability{source}: {one.value:g} ({one.kind}{error}{lag}){where}."
    if carry:
        told += (
            " It is carried to the time between the visits as stability^(time/lag), as if deviations faded at a "
            "constant rate and nothing lasted; where a lasting trait is part of the score, more remains over longer times."
        )
    return told


def _interval_note(inputs: Inputs) -> str:
    how = (
        f"percentiles of {inputs.draws} simulated sets of inputs"
        if inputs.draws
        else "delta method, with Satterthwaite's degrees of freedom"
    )
    return (
        "Intervals carry the errors of the means before and after, of the norm and of the stability, as far as given, "
        f"taken as independent of each other: {how}."
    )
