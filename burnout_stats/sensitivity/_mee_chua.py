"""Mee and Chua: the change of someone who starts at the mean of a norm, and over which means of a norm it holds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from ..cohort import Cohort
from ..describe._pairs import checked_level, estimates_of
from ..engine.mee_chua import Line, line, range_over_means
from ..errors import ModelError, StudyError
from ..estimates import Estimates, Sample
from ..instruments.norms import Norm
from ..notices import announce
from ._before_after import BeforeAfter, of_cohort, of_samples
from ._regression_words import NOT_A_BOUND, SELF_REFERRAL, circular, norm_note

__all__ = ["mee_chua", "mee_chua_from_summaries", "mee_chua_range", "mee_chua_range_from_summaries"]

LINE = (
    "Regression of the later score on the one at baseline, of those seen at both visits. It rests on selection by the "
    "score at baseline alone, on a straight line, and on a change that is the same wherever people start."
)
TWO_SIDED = "Tests are two-sided (Mee and Chua's is one-sided)."


def mee_chua(
    cohort: Cohort,
    outcome: str,
    *,
    norm: Norm,
    visits: str | Iterable[str] | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """The change apart from regression to the mean, read from the cohort's own line at the mean of a norm.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
    norm : Norm
        Its `drift` moves its mean with the years.
    visits : labels of later visits, optional
        All where left out.
    conf_level : float

    Returns
    -------
    Estimates
        Kind "mee_chua": for each visit the `measure` "slope" of the later score on that at baseline, the "change at the
        norm mean, taken as known" (t on n - 2 degrees of freedom), and, where the norm has a size, the "change at the
        norm mean" with the norm's own error.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-OPTION`, `E-STUDY-VALUE`, `E-STUDY-VISITS`.
    ModelError
        `E-MODEL-NO-SPREAD` where all scores at baseline are alike, or there are fewer than three pairs.

    Notes
    -----
    Notice `N-SENSITIVITY-CIRCULAR`, always: the slope is that of the people who were helped.

    **Source**: as in `engine.mee_chua`.

    >>> from burnout_stats.studies import example
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     found = mee_chua(example("villa_sana"), "exhaustion", norm=Norm(2.52, 0.92, 1070), visits="1 year")
    >>> found.frame["measure"].tolist()
    ['slope', 'change at the norm mean, taken as known', 'change at the norm mean']
    """
    checked_level(conf_level)
    return _at_norm(of_cohort(cohort, outcome, visits), norm, conf_level)


def mee_chua_from_summaries(
    before: Sample,
    after: Sample,
    *,
    norm: Norm,
    r: float | None = None,
    t: float | None = None,
    sd_change: float | None = None,
    conf_level: float = 0.95,
    outcome: str = "score",
    visit: str = "after",
    years: float | None = None,
) -> Estimates:
    """The same from means, SDs and size, and one of the correlation, the paired t and the SD of the change.

    Raises
    ------
    StudyError
        As `mee_chua`; `E-STUDY-VALUE` where the numbers cannot be of the same persons, or a norm drifts without years.

    Examples
    --------
    >>> import warnings
    >>> before, after, norm = Sample(3.00, 0.94, 185), Sample(2.53, 0.76, 185), Norm(2.52, 0.92, 1070)
    >>> with warnings.catch_warnings(action="ignore"):
    ...     found = mee_chua_from_summaries(before, after, t=6.76, norm=norm).frame
    >>> found["estimate"].round(3).tolist(), found["std_error"].round(3).tolist()
    ([0.321, -0.144, -0.144], [0.055, 0.058, 0.061])
    """
    checked_level(conf_level)
    pairs = of_samples(before, after, r=r, t=t, sd_change=sd_change, outcome=outcome, visit=visit, years=years)
    return _at_norm(pairs, norm, conf_level)


def mee_chua_range(
    cohort: Cohort,
    outcome: str,
    *,
    means: Sequence[float],
    visits: str | Iterable[str] | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """The change apart from regression to the mean over a range of norm means, where none is known for sure.

    Parameters
    ----------
    means : numbers
        The means of a norm that could be; each is taken as known.
    cohort, outcome, visits, conf_level
        As in `mee_chua`.

    Returns
    -------
    Estimates
        Kind "mee_chua_range": for each visit the "change" at each of `means` (column `norm_mean`); the "mean without
        change", at which there is none, with the means at which none is shown as its interval (which has no end where
        that is so on one side for ever); and the "mean of the largest t", with that t.

    Raises
    ------
    StudyError, ModelError
        As `mee_chua`.

    Notes
    -----
    **Source**: Ostermann, Willich & Lüdtke 2008, BMC Med Res Methodol 8:52, as in `engine.mee_chua.range_over_means`.

    >>> from burnout_stats.studies import example
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     found = mee_chua_range(example("villa_sana"), "exhaustion", means=[2.0, 2.5, 3.0], visits="1 year")
    >>> found.frame["norm_mean"].tolist()
    ['2', '2.5', '3', 'any', 'any']
    """
    checked_level(conf_level)
    return _over_means(of_cohort(cohort, outcome, visits), means, conf_level)


def mee_chua_range_from_summaries(
    before: Sample,
    after: Sample,
    *,
    means: Sequence[float],
    r: float | None = None,
    t: float | None = None,
    sd_change: float | None = None,
    conf_level: float = 0.95,
    outcome: str = "score",
    visit: str = "after",
) -> Estimates:
    """The same range from printed summaries; arguments as in `mee_chua_range` and `mee_chua_from_summaries`.

    Raises
    ------
    StudyError, ModelError
        As these.
    """
    checked_level(conf_level)
    pairs = of_samples(before, after, r=r, t=t, sd_change=sd_change, outcome=outcome, visit=visit, years=None)
    return _over_means(pairs, means, conf_level)


# ---- the line ------------------------------------------------------------------------------------------------------


def _line(pairs: BeforeAfter, at: int) -> Line:
    n, (sd_0, sd_1), r = int(pairs.n[at]), pairs.sds[at], float(pairs.r[at])
    if n < 3 or not (sd_0 > 0 and sd_1 > 0 and abs(r) < 1):
        raise ModelError(
            "E-MODEL-NO-SPREAD",
            f"At {pairs.visits[at]} no line can be drawn through the scores before and after.",
            "A line with an error needs three or more persons whose scores differ, and do not all lie on one line.",
            "Leave the visit out.",
        )
    before, after = (float(value) for value in pairs.means[at])
    return line(before, after, float(sd_0), float(sd_1), r, n)


def _at_norm(pairs: BeforeAfter, norm: Norm, conf_level: float) -> Estimates:
    if norm.drift and math.isnan(float(pairs.years[1:].sum())):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The norm drifts by {norm.drift} per year, and the years between the visits are not given.",
            "A drift is added for each year.",
            "Give `years`, or a norm without drift.",
        )
    rows: list[dict[str, object]] = []
    counts: list[NDArray[np.bool_]] = []
    for at, visit in enumerate(pairs.visits):
        start, end = float(pairs.years[0]), float(pairs.years[at + 1])
        shift = norm.drift * (end - start) if norm.drift else 0.0
        mean = norm.mean + (norm.drift * start if norm.drift else 0.0)
        found = _line(pairs, at)
        delta, error = (float(value) for value in found.change_at(mean, shift))
        naming = {"outcome": pairs.outcome, "visit": visit, "n": float(found.n)}
        own = [
            ("slope", found.slope, found.slope_error, float(found.df)),
            ("change at the norm mean, taken as known", delta, error, float(found.df)),
        ]
        if norm.n is not None:
            other = ((1 - found.slope) * norm.std_error) ** 2
            whole = error**2 + other
            df = whole**2 / (error**4 / found.df + other**2 / (norm.n - 1))
            own.append(("change at the norm mean", delta, math.sqrt(whole), df))
        for measure, estimate, std_error, df in own:
            row = _row(estimate, std_error, df, conf_level)
            if measure == "slope":
                row |= {"statistic": np.nan, "p_value": np.nan}
            rows.append({**naming, "measure": measure, **row, "method": "mee-chua"})
            counts += [pairs.seen[at]] if pairs.seen else []
    note = (
        f"{norm_note(norm)} Change at the norm mean: the later score expected of someone who starts there, less the "
        "norm's mean then."
    )
    return _finished(pairs, rows, counts, "mee_chua", ("visit", "measure"), conf_level, (note,))


def _over_means(pairs: BeforeAfter, means: Sequence[float], conf_level: float) -> Estimates:
    grid = np.asarray(means, dtype=float)
    if grid.ndim != 1 or not len(grid) or not np.isfinite(grid).all():
        raise StudyError(
            "E-STUDY-VALUE",
            f"The means are {means!r}.",
            "They are one or more numbers in the units of the score.",
            "Write for example means=[2.0, 2.5, 3.0].",
        )
    rows: list[dict[str, object]] = []
    counts: list[NDArray[np.bool_]] = []
    for at, visit in enumerate(pairs.visits):
        found = _line(pairs, at)
        naming = {"outcome": pairs.outcome, "visit": visit, "n": float(found.n)}
        delta, error = found.change_at(grid)
        for mean, estimate, std_error in zip(grid.tolist(), delta.tolist(), error.tolist(), strict=True):
            row = _row(estimate, std_error, float(found.df), conf_level)
            rows.append({**naming, "norm_mean": f"{mean:g}", "measure": "change", **row, "method": "mee-chua"})
        whole = range_over_means(found, conf_level)
        rows.append(
            {
                **naming,
                "norm_mean": "any",
                "measure": "mean without change",
                "estimate": whole.none.estimate,
                "std_error": whole.none.std_error,
                "conf_low": whole.none.conf_low,
                "conf_high": whole.none.conf_high,
                "method": "fieller",
            }
        )
        largest = {"estimate": whole.best, "df": float(found.df), "statistic": whole.t, "p_value": whole.p_value}
        measure = {"norm_mean": "any", "measure": "mean of the largest t"}
        rows.append({**naming, **measure, **largest, "method": "mee-chua"})
        if math.isfinite(whole.shown[0]):
            low, high = whole.shown
            shown = {"norm_mean": "any", "measure": "means with a change", "estimate": whole.best}
            rows.append({**naming, **shown, "conf_low": low, "conf_high": high, "method": "fieller"})
        counts += [pairs.seen[at]] * (len(rows) - len(counts)) if pairs.seen else []
    note = (
        "Each mean is taken as known. Mean without change: where the line meets that of no change, with the means at "
        "which no change is shown as its interval (Fieller)."
    )
    return _finished(pairs, rows, counts, "mee_chua_range", ("visit", "norm_mean", "measure"), conf_level, (note,))


def _row(estimate: float, std_error: float, df: float, conf_level: float) -> dict[str, object]:
    reach = float(stdtrit(df, (1 + conf_level) / 2)) * std_error
    t = estimate / std_error
    return {
        "estimate": estimate,
        "std_error": std_error,
        "df": df,
        "statistic": t,
        "p_value": float(2 * stdtr(df, -abs(t))),
        "conf_low": estimate - reach,
        "conf_high": estimate + reach,
    }


def _finished(
    pairs: BeforeAfter,
    rows: list[dict[str, object]],
    counts: list[NDArray[np.bool_]],
    kind: str,
    factors: tuple[str, ...],
    conf_level: float,
    notes: tuple[str, ...],
) -> Estimates:
    notices = (circular("The slope is that of the people who were helped (Mee and Chua)."),)
    announce(notices, stacklevel=5)
    about = replace(
        pairs.about,
        kind=kind,
        factors=factors,
        conf_level=conf_level,
        notes=(LINE, *notes, TWO_SIDED, notices[0].advice, NOT_A_BOUND, SELF_REFERRAL),
    )
    found = estimates_of(rows, about, counts=counts or None)
    return replace(found, notices=notices)
