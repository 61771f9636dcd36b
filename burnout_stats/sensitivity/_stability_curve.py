"""The change that regression to the mean would bring, over all stabilities that could be."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ..cohort import Cohort
from ..errors import one_of
from ..estimates import Estimates, Sample
from ..instruments.norms import Norm, Stability
from ._before_after import BeforeAfter, of_cohort, of_samples
from ._judged import Question
from ._regression_asked import Asked, Given, check_drift, finished, inputs_of, selections_of, stability_at

__all__ = ["stability_curve", "stability_curve_from_summaries"]

GRID = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


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
        the stability that is given and what it brings ("given"), and for each of `over` the "expected change" and the
        "observed minus expected".

    Raises
    ------
    StudyError
        As `regression_to_the_mean`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> curve = stability_curve(example("villa_sana"), "exhaustion", norm=Norm(2.52, 0.92, 1070), visits="1 year")
    >>> curve.frame[curve.frame["measure"].eq("expected change")]["stability"].tolist()
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
    >>> rows = curve.frame["measure"].eq("expected change")
    >>> [round(value, 2) for value in curve.frame[rows]["estimate"]]
    [-0.34, -0.29, -0.24, -0.19, -0.14, -0.1, -0.05]
    """
    asked = _curve_asked(norm, stability, selection, reliability, cutoff, carry, conf_level)
    pairs = of_samples(before, after, r=r, t=t, sd_change=sd_change, outcome=outcome, visit=visit, years=years)
    return _curve(pairs, asked, over)


def _curve_asked(
    norm: Norm,
    stability: Given,
    selection: str,
    reliability: float | None,
    cutoff: float | None,
    carry: bool,
    conf_level: float,
) -> Asked:
    inputs = inputs_of(norm, reliability, 0.0, cutoff, carry, 0, None, conf_level)
    one_of("selection", selection, ["score", "state"])
    return Asked(inputs=inputs, stability=stability, selections=selections_of(selection, inputs, reliability))


def _curve(pairs: BeforeAfter, asked: Asked, over: Sequence[float]) -> Estimates:
    check_drift(pairs, asked)
    most = asked.inputs.reliability if asked.selections == ("state",) else math.inf
    grid = [Stability(float(value), kind="slope") for value in over if value <= most]
    gaps = pairs.years[1:] - pairs.years[0]
    given = [
        None if asked.stability is None else stability_at(asked, visit, float(gap))
        for visit, gap in zip(pairs.visits, gaps, strict=True)
    ]
    selection = asked.selections[0]
    tipping = ("observed change", "tipping stability")
    questions: list[Question] = []
    for at, (visit, one) in enumerate(zip(pairs.visits, given, strict=True)):
        asking = ("stability", "expected change", "observed minus expected")
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
    return finished(pairs, asked, questions, given, "stability_curve", ("visit", "stability", "measure"))
