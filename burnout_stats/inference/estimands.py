"""What a cohort with a first gain and a later visit asks, as one-liners: how much of the gain is kept, the area under
the curve, and whether the later visit is not worse than the earlier one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ..engine.multiplicity import t_quantile, two_sided_p
from ..errors import StudyError, did_you_mean
from ..estimates import About, Estimates
from .contrasts import contrast
from .intervals import checked_level
from .ratios import refuse_linked, refuse_ratios

__all__ = ["area_under_curve", "fieller", "gain_kept", "noninferiority"]

Array = NDArray[np.float64]


def gain_kept(
    means: Estimates,
    *,
    baseline: str | None = None,
    first: str | None = None,
    last: str | None = None,
    conf_level: float | None = None,
) -> Estimates:
    """The change from baseline to the last visit as a share of the change to the first one after baseline.

    Parameters
    ----------
    means : Estimates
        From `emmeans(fit, "visit")`, perhaps with `by`.
    baseline, first, last : str, optional
        Visits; the first, the second and the last of the means where they are not named.
    conf_level : float, optional
        As the means were asked, unless said otherwise.

    Returns
    -------
    Estimates
        One row per level of `by`: 1 is all of the gain kept, 0 none of it. The standard error is that of the delta
        method; statistic and p value test that nothing is left (the change to the last visit is 0).

        The confidence set is Fieller's, on the degrees of freedom of the contrast that the estimate makes 0. Where the
        first change could be 0 it has no ends, and the column `confidence_set` says what it is: "interval" (from
        `conf_low` to `conf_high`), "all but a gap" (up to `conf_high` and from `conf_low`, which then is the larger
        number), or "whole line" (from -inf to inf: the data say nothing of the share).

    **Source**: Fieller 1954, J R Stat Soc B 16:175; von Luxburg & Franz 2009, Stat Sinica 19:1095, section 2, for the
    three kinds of sets.

    >>> from burnout_stats.inference import emmeans
    >>> from burnout_stats.models import MMRM, fit
    >>> from burnout_stats.studies import example
    >>> means = emmeans(fit(MMRM("exhaustion ~ visit"), example("villa_sana")), "visit")
    >>> gain_kept(means).frame["confidence_set"].tolist()
    ['interval']
    """
    refuse_linked(means.about, "The share of a gain that is kept is")
    visits = _visits(means)
    if len(visits) < 3:
        raise _visit_error(f"The means are of {len(visits)} visits.", "A gain that is kept needs three visits.", "")
    labels = [baseline or visits[0], first or visits[1], last or visits[-1]]
    for label in labels:
        if label not in visits:
            raise _visit_error(
                f"`{label}` is not a visit of these means.",
                f"Their visits are: {', '.join(visits)}.",
                did_you_mean(label, visits),
            )
    if len(set(labels)) < 3:
        raise _visit_error(
            f"Baseline, first and last are {', '.join(labels)}.",
            "They are three different visits.",
            'Write first="1 year", last="3 years".',
        )
    from_, to, end = (np.array([float(name == label) for name in visits]) for label in labels)
    level = means.about.conf_level if conf_level is None else checked_level(conf_level)
    changes = contrast(means, {"last": end - from_, "first": to - from_}, conf_level=level)
    L, answers = changes.attached()
    a, b = (changes.frame["estimate"].to_numpy(dtype=float)[k::2] for k in (0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = a / b
    # the difference of both changes that the estimate makes 0 carries the degrees of freedom
    solved = L[0::2] - np.where(np.isfinite(share), share, 0.0)[:, None] * L[1::2]
    df = answers.answer(solved, df=changes.about.df_method, vcov=changes.about.vcov).df
    V = changes.vcov
    slopes = np.zeros((len(a), len(V)))
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes[np.arange(len(a)), np.arange(0, len(V), 2)] = 1 / b
        slopes[np.arange(len(a)), np.arange(1, len(V), 2)] = -share / b
        vcov = slopes @ np.where(np.isnan(V), 0.0, V) @ slopes.T
    sets = [
        fieller(a[k], b[k], V[2 * k : 2 * k + 2, 2 * k : 2 * k + 2], float(t_quantile(level, df[k : k + 1])[0]))
        for k in range(len(a))
    ]
    rows = changes.frame.iloc[0::2].reset_index(drop=True)
    statistic = rows["statistic"].to_numpy(dtype=float)
    frame = rows[["outcome", *means.about.by]].assign(
        confidence_set=[kind for kind, _, _ in sets],
        estimate=np.where(np.isfinite(share), share, np.nan),
        std_error=np.sqrt(np.diag(vcov)),
        df=df,
        statistic=statistic,
        p_value=two_sided_p(statistic, rows["df"].to_numpy(dtype=float)),
        conf_low=[low for _, low, _ in sets],
        conf_high=[high for _, _, high in sets],
        n=np.minimum(changes.frame["n"].to_numpy()[0::2], changes.frame["n"].to_numpy()[1::2]),
        method=rows["method"],
    )
    frame.insert(1, "contrast", f"change to {labels[2]} / change to {labels[1]}")
    notes = [f"The change from {labels[0]} to {labels[2]} as a share of the change to {labels[1]}; Fieller's set."]
    if any(kind == "all but a gap" for kind, _, _ in sets):
        notes.append("Where the lower limit stands above the upper one, the set is all but what lies between them.")
    if any(kind == "whole line" for kind, _, _ in sets):
        notes.append("Where the limits are infinite, every share is compatible with the data.")
    about = replace(_plain(changes.about), kind="gain_kept", notes=(*means.about.notes, *notes))
    return Estimates(frame=frame, vcov=vcov, about=about, notices=means.notices)


def fieller(a: float, b: float, V: Array, t: float) -> tuple[str, float, float]:
    """Fieller's set for a / b: the ρ with (a − ρb)² ≤ t² (V₁₁ − 2ρV₁₂ + ρ²V₂₂), as its kind, lower and upper limit.

    With A = b² − t²V₂₂, B = ab − t²V₁₂, C = a² − t²V₁₁ these are Aρ² − 2Bρ + C ≤ 0: an interval where A > 0; all but
    the gap between the roots where A < 0 and B² > AC (the upper limit is then the lower root); everything otherwise.
    """
    A, B, C = b**2 - t**2 * V[1, 1], a * b - t**2 * V[0, 1], a**2 - t**2 * V[0, 0]
    if np.isnan(A + B + C):
        return "interval", np.nan, np.nan
    discriminant = B**2 - A * C
    if A == 0 or discriminant < 0:
        return "whole line", -np.inf, np.inf
    root = np.sqrt(discriminant)
    low, high = sorted(((B - root) / A, (B + root) / A))
    return ("interval", low, high) if A > 0 else ("all but a gap", high, low)


def area_under_curve(means: Estimates, *, above_baseline: bool = False, conf_level: float | None = None) -> Estimates:
    """The area under the curve of the means over the years, by trapezoids.

    Parameters
    ----------
    means : Estimates
        From `emmeans(fit, "visit")`, perhaps with `by`.
    above_baseline : bool
        Whether to take off the rectangle under the baseline: what was gained or lost over the whole time.
    conf_level : float, optional

    Returns
    -------
    Estimates
        One row per level of `by`, in points × years. The weights follow the gaps between visits: for 0, 1 and 3 years
        they are 0.5, 1.5 and 1.

    **Source**: Matthews et al. 1990, BMJ 300:230 (summary measures); Pruessner et al. 2003,
    Psychoneuroendocrinology 28:916, with respect to ground and, with `above_baseline`, to increase.
    """
    refuse_linked(means.about, "The area under the curve is")
    visits = _visits(means)
    years = np.array([means.about.visit_years[visit] for visit in visits])
    if len(years) < 2:
        raise _visit_error("The means are of one visit.", "An area needs two visits or more.", "")
    gaps = np.diff(years)
    weights = (np.r_[gaps, 0.0] + np.r_[0.0, gaps]) / 2
    shown = ", ".join(f"{weight:.3g}" for weight in weights)
    if above_baseline:
        weights = weights - np.r_[gaps.sum(), np.zeros(len(gaps))]
    name = "area above baseline" if above_baseline else "area under the curve"
    area = contrast(means, {f"{name}, {years[0]:g} to {years[-1]:g} years": weights.tolist()}, conf_level=conf_level)
    units = {outcome: f"{unit or 'points'} × years" for outcome, unit in area.about.units.items()}
    note = f"Trapezoids between the visits (weights {shown})" + (", less the baseline." if above_baseline else ".")
    about = replace(area.about, kind="area_under_curve", units=units, ranges={}, notes=(*area.about.notes, note))
    return replace(area, about=about)


def noninferiority(change: Estimates, margin: float | None = None, *, better: str | None = None) -> Estimates:
    """Test that a change for the worse, if any, is smaller than a margin.

    Parameters
    ----------
    change : Estimates
        Contrasts of one outcome without adjustment, such as `contrast(means, {"3 years - 1 year": [0, -1, 1]})`.
    margin : float
        The largest worsening that would not matter, above 0, in points of the outcome. It has no default: it is a
        judgment about the outcome, made before the data are seen.
    better : "lower" or "higher", optional
        Which direction is better; where not given, what the cohort says of the outcome.

    Returns
    -------
    Estimates
        Estimates and intervals as they were; `statistic` and `p_value` are one-sided, against a worsening by the
        margin. Worsening stays within the margin where p is below half of 1 - conf_level: then the interval ends before
        the margin.

    Raises
    ------
    StudyError
        `E-STUDY-NONINFERIORITY` without a margin above 0 or a direction, `E-STUDY-VALUE` for adjusted contrasts.

    **Source**: Piaggio et al. 2012, JAMA 308:2594 (CONSORT for non-inferiority); ICH E9, section 3.3.2.
    """
    refuse_ratios(change.about)
    if margin is None or not np.isfinite(margin) or not margin > 0:
        raise StudyError(
            "E-STUDY-NONINFERIORITY",
            "No margin is given." if margin is None else f"The margin is {margin}.",
            "It is the largest worsening that would not matter: a number above 0, fixed before the data are seen.",
            "Write noninferiority(change, margin=0.2), and say in the report why.",
        )
    if change.about.adjust != "none":
        raise StudyError(
            "E-STUDY-VALUE",
            f"The contrasts are adjusted ({change.about.adjust}).",
            "The test against a margin is made of contrasts without adjustment.",
            'Ask contrast(..., adjust="none").',
        )
    frame = change.frame
    directions = {name: better or change.about.better.get(name, "") for name in dict.fromkeys(frame["outcome"])}
    for name, direction in directions.items():
        if direction not in ("lower", "higher"):
            raise StudyError(
                "E-STUDY-NONINFERIORITY",
                f"Nobody said which direction of `{name}` is better.",
                "Worse is higher for burnout scales, and lower for scales of well-being.",
                'Write better="lower", or declare it under [outcomes].',
            )
    sign = np.array([1.0 if directions[name] == "lower" else -1.0 for name in frame["outcome"]])
    df = frame["df"].to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = (frame["estimate"].to_numpy() - sign * margin) / frame["std_error"].to_numpy()
    p_value = _below(sign * statistic, df)
    alpha = (1 - change.about.conf_level) / 2
    note = (
        f"Non-inferiority: one-sided tests against a worsening by {margin:g}; the worsening is smaller than that where "
        f"p is below {alpha:.3g}, which is where the interval ends before the margin."
    )
    about = replace(change.about, kind="noninferiority", notes=(*change.about.notes, note))
    return replace(change, frame=frame.assign(statistic=statistic, p_value=p_value), about=about)


def _below(statistic: Array, df: Array) -> Array:
    """P(t <= statistic)."""
    finite = np.where(np.isfinite(df), df, 1.0)
    p: Array = np.where(np.isposinf(df), special.ndtr(statistic), special.stdtr(finite, statistic))
    return np.where(np.isnan(df), np.nan, p)


def _visits(means: Estimates) -> list[str]:
    if means.about.kind != "means" or means.about.factors != ("visit",):
        raise _visit_error(
            f"These are {means.about.kind} by {', '.join(means.about.factors) or 'nothing'}.",
            "This estimand is made of means by visit.",
            'Ask emmeans(fit, "visit", by=...) first.',
        )
    frame: pd.DataFrame = means.frame
    return list(dict.fromkeys(frame["visit"].astype(str)))


def _plain(about: About) -> About:
    """What is said of a number that is no longer on the scale of the outcome."""
    return replace(about, units={}, better={}, ranges={}, quantity="")


def _visit_error(seen: str, expected: str, advice: str) -> StudyError:
    return StudyError("E-STUDY-ESTIMAND", seen, expected, advice or "Look at the rows of the means.")
