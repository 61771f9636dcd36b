"""Would it have come back by itself? An observed change against regression to the mean, under a stated way of
selection, a norm and a stability from outside the cohort.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..cohort import Cohort
from ..estimates import Estimates, Sample
from ..instruments.norms import Norm, Stability
from ._before_after import BeforeAfter, of_cohort, of_samples
from ._judged import Question
from ._regression_asked import WITHOUT, Asked, Given, check_drift, finished, inputs_of, selections_of, stability_at

__all__ = ["regression_to_the_mean", "regression_to_the_mean_from_summaries"]


def regression_to_the_mean(
    cohort: Cohort,
    outcome: str,
    *,
    norm: Norm,
    stability: Given = None,
    selection: str | Sequence[str] = "score",
    reliability: float | None = None,
    reliability_se: float = 0.0,
    between: Stability | None = None,
    baselines: int = 1,
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
        cohort. Not needed for the selections "trait" and "crisis".
    selection : "score", "state", "trait", "crisis", "mean" or "earlier", or several of them
        What people were selected on, by themselves or by others: this very score (the share kept is the stability); how
        they truly were that day (stability/reliability); how they lastingly are (1); a crisis that is over at the later
        visit (0); the mean of several baselines, which is their score at baseline (Gardner & Heady 1973); or an earlier
        score than the one at baseline (after Davis 1976).
    reliability, reliability_se : float
        Of the score at baseline, for "state" and to carry a stability, with its standard error where there is one.
    between : Stability, optional
        The correlation of two baselines. For "earlier" it is needed, and the stability is that of the earlier score;
        for "mean" it is the stability where left out.
    baselines : int
        How many scores the one at baseline is the mean of, for "mean".
    visits : labels of later visits, optional
        All where left out.
    cutoff : float, optional
        Where people were let in because their own score lay beyond it: the distance from the norm then follows from the
        cut-off and the norm's mean and SD (James 1973), not from the baseline mean. Beyond is above where the cohort
        lies above the norm, else below. With "score" only.
    carry : bool
        Whether a stability over another lag is carried to the gap between the visits, as stability^(gap/lag), or with
        the reliability R, where that is given, as R (stability/R)^(gap/lag).
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
    inputs = inputs_of(norm, reliability, reliability_se, cutoff, carry, draws, seed, conf_level, between, baselines)
    asked = Asked(inputs=inputs, stability=stability, selections=selections_of(selection, inputs, reliability))
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
    between: Stability | None = None,
    baselines: int = 1,
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
    norm, stability, selection, reliability, reliability_se, between, baselines, cutoff, carry, draws, seed, conf_level
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
    >>> found.frame.set_index("measure")["estimate"].round(2).to_dict()["expected change"]
    -0.18
    """
    inputs = inputs_of(norm, reliability, reliability_se, cutoff, carry, draws, seed, conf_level, between, baselines)
    asked = Asked(inputs=inputs, stability=stability, selections=selections_of(selection, inputs, reliability))
    pairs = of_samples(before, after, r=r, t=t, sd_change=sd_change, outcome=outcome, visit=visit, years=years)
    return _answer(pairs, asked)


def _answer(pairs: BeforeAfter, asked: Asked) -> Estimates:
    check_drift(pairs, asked)
    gaps = pairs.years[1:] - pairs.years[0]
    given = [stability_at(asked, visit, float(gap)) for visit, gap in zip(pairs.visits, gaps, strict=True)]
    questions = [
        Question(
            pair=at,
            selection=selection,
            stability=None if selection in WITHOUT else one,
            naming={"visit": visit, "selection": selection},
        )
        for at, (visit, one) in enumerate(zip(pairs.visits, given, strict=True))
        for selection in asked.selections
    ]
    return finished(pairs, asked, questions, given, "regression_to_the_mean", ("visit", "selection", "measure"))
