"""A dashboard of doubts told to a doctor, in the three steps of TARMOS: what was planned, what was found, and what
would change the conclusion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..display.escape import clean, for_html, for_markdown, for_terminal
from ..display.escape_latex import for_latex
from ..display.language import ENGLISH, label, language_of
from ..display.styles import NumberStyle, decimals_from, fixed, interval, number_style
from ..estimates import Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import in_sentence, percent_of, shown
from ..sensitivity import Dashboard

__all__ = ["SensitivityText", "sensitivity"]

LIMITS = (
    "None of these analyses can show what would have happened without help. They show how far the conclusion rests on "
    "what nobody has seen."
)
ANALYSES = {
    "Weighted": "weighting by the inverse probability of being seen",
    "Weighted, augmented": "the same augmented by a model of the scores",
    "Bounds": "bounds that assume nothing",
}
ALIKE = 1e-6
"""Of a standard error: estimates that differ by less are the same."""
UNANSWERED = "N-SENSITIVITY-UNANSWERED"
REASONS = {
    "return to baseline": "went back to where the cohort began",
    "no further change": "stayed as they were when last seen",
    "last mean carried forward": "stayed, on average, as they were when last seen",
    "copy increment": "went on changing as they had before",
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SensitivityText:
    """Paragraphs: what was `planned`, what was `found`, and what would change the conclusion (`changes`)."""

    planned: str
    found: str
    changes: str

    def __str__(self) -> str:
        return "\n\n".join(map(for_terminal, (self.planned, self.found, self.changes)))

    def __repr__(self) -> str:
        return f"<SensitivityText: {len(str(self).split())} words>"

    def _repr_html_(self) -> str:
        return "".join(f"<p>{for_html(part)}</p>" for part in (self.planned, self.found, self.changes))

    def _repr_markdown_(self) -> str:
        return "\n\n".join(map(for_markdown, (self.planned, self.found, self.changes)))

    def _repr_latex_(self) -> str:
        return "\n\n".join(map(for_latex, (self.planned, self.found, self.changes)))


def sensitivity(
    dashboard: Dashboard, *, style: str | NumberStyle = "plain", language: str = ENGLISH
) -> SensitivityText:
    """The words of a dashboard, in English or in Norwegian bokmål ("nb").

    A paragraph with a sentence that the catalog does not know stays English.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for an unknown style or language.

    **Source**: Lee et al. 2021, J Clin Epidemiol 134:79, for the three steps.
    """
    chosen, spoken = number_style(style), language_of(language)
    return SensitivityText(
        planned=label(clean(_planned(dashboard)), spoken),
        found=label(clean(_found(dashboard, chosen)), spoken),
        changes=label(clean(_changes(dashboard)), spoken),
    )


def _planned(dashboard: Dashboard) -> str:
    label = in_sentence(dashboard.outcome.label)
    others = list(dict.fromkeys(dashboard.triangulation.frame["analysis"].astype(str)))[1:]
    beside = [ANALYSES.get(name, in_sentence(name)) for name in others]
    primary = (
        f"The primary analysis of {label} is the mixed model {dashboard.model.formula}, which uses every score that "
        "was given and takes those that were not as explained by the ones that were (missing at random)."
    )
    sentences = [primary]
    if beside:
        sentences.append(f"Beside it stand, in the same units: {_listed(beside)}.")
    if dashboard.strategies is not None:
        assumed = [str(name) for name in dict.fromkeys(dashboard.strategies.frame["strategy"])][1:]
        given = next((note for note in dashboard.strategies.about.notes if note.startswith("Missing at random")), "")
        sentences += [f"{given.rstrip('.')}."] if given else []
        if assumed:
            sentences.append(
                "Other assumptions about those who were not seen are that they "
                f"{_listed([REASONS.get(name, name) for name in assumed], 'or')}."
            )
    if dashboard.unanswered or any(notice.code == UNANSWERED for notice in dashboard.triangulation.notices):
        sentences.append("Some of what was planned has no answer in these data; the notices say which, and why.")
    return " ".join(sentences)


def _found(dashboard: Dashboard, style: NumberStyle) -> str:
    told = shown(dashboard.triangulation)
    frame = told.frame
    sentences = []
    for contrast, rows in frame.groupby("contrast", sort=False):
        known = rows[~rows[HIDDEN] & rows["estimate"].notna()]
        if len(known) < 2:
            continue
        main, rest = known.iloc[0], known.iloc[1:]
        decimals = decimals_from(known["std_error"], style)
        low, high = rest["estimate"].min(), rest["estimate"].max()
        sentences.append(
            f"From {_from_to(str(contrast))} the primary analysis gives a change of {fixed(main['estimate'], decimals)}"
            f" ({percent_of(told.about.conf_level)} CI {_limits(main, decimals, style)}), the others between "
            f"{fixed(low, decimals)} and {fixed(high, decimals)}."
        )
    if dashboard.strategies is not None:
        sentences.append(_weakest(dashboard.strategies, style))
    return " ".join(filter(None, sentences)) or "The numbers rest on too few persons to be told."


def _weakest(strategies: Estimates, style: NumberStyle) -> str:
    """The assumption about the unseen that leaves least of the last change, or turns it round furthest."""
    frame = shown(strategies).frame
    last = frame["contrast"].iloc[-1]
    assumed = frame[frame["contrast"].eq(last) & ~frame[HIDDEN] & frame["estimate"].notna()]
    if len(assumed) < 2:
        return ""
    decimals = decimals_from(assumed["std_error"], style)
    estimates = assumed["estimate"].to_numpy(dtype=float)
    if np.ptp(estimates) <= ALIKE * float(assumed["std_error"].max()):
        return f"The change from {_from_to(str(last))} is the same under all assumptions about those who were not seen."
    toward = estimates * (np.sign(estimates[0]) or 1.0)
    weakest = assumed.iloc[int(toward.argmin())]
    what = "leaves least of" if toward.min() >= 0 else "turns round"
    return (
        f"Of the assumptions about those who were not seen, “{weakest['strategy']}” {what} the change "
        f"from {_from_to(str(last))}: {fixed(weakest['estimate'], decimals)} "
        f"({_limits(weakest, decimals, style)})."
    )


def _changes(dashboard: Dashboard) -> str:
    parts = [] if dashboard.tipping_point is None else [_tipping(dashboard.tipping_point, dashboard.outcome.range)]
    regression = dashboard.regression_to_the_mean
    if regression is not None:
        parts.append(_tipping_stability(regression))
    if dashboard.specification_curve is not None:
        parts.append(_choices(dashboard.specification_curve))
    return " ".join([*(part for part in parts if part), LIMITS])


def _tipping(tipping_point: Estimates, scale: tuple[float, float] | None) -> str:
    frame = shown(tipping_point).frame
    low, high = scale or (-math.inf, math.inf)
    sentences = []
    for contrast, rows in frame.groupby("contrast", sort=False):
        at_zero = rows[rows["delta"].eq(0.0)]
        tips = rows[rows["conclusion"].astype(str).str.startswith("tipping point") & ~rows[HIDDEN]]
        if not len(at_zero) or at_zero[HIDDEN].any():
            continue
        if str(at_zero["conclusion"].iloc[0]).startswith("includes"):
            sentences.append(f"The interval of the change from {_from_to(str(contrast))} includes 0 as it is.")
            continue
        if np.ptp(rows["estimate"].to_numpy(dtype=float)) <= ALIKE * float(rows["std_error"].max()):
            sentences.append(
                f"No score was missing that could move the change from {_from_to(str(contrast))}, so no shift does."
            )
            continue
        if not len(tips):
            sentences.append(
                f"No shift of the missing scores from {rows['delta'].min():+.1f} to {rows['delta'].max():+.1f} points "
                f"brings the interval of the change from {_from_to(str(contrast))} to 0."
            )
            continue
        deltas = tips["delta"].to_numpy(dtype=float)
        delta = float(deltas[abs(deltas).argmin()])
        far = " That is more than half of the scale." if abs(delta) > (high - low) / 2 else ""
        sentences.append(
            f"The interval of the change from {_from_to(str(contrast))} reaches 0 if those who were not seen had "
            f"scores {fixed(abs(delta), 1)} points {'higher' if delta > 0 else 'lower'} than foretold, every one of "
            f"them.{far}"
        )
    return " ".join(sentences)


def _tipping_stability(regression: Estimates) -> str:
    frame = shown(regression).frame
    rows = frame[frame["measure"].eq("tipping stability") & ~frame[HIDDEN] & frame["estimate"].notna()]
    return " ".join(
        _stability_sentence(str(row["visit"]), *(float(row[name]) for name in ("estimate", "conf_low", "conf_high")))
        for row in rows.to_dict("records")
    )


def _stability_sentence(visit: str, stability: float, low: float, high: float) -> str:
    """What the tipping stability says; where its interval reaches further than the estimate, that is said too."""
    if stability <= 0:
        sentence = (
            "Even if the scores of people who are not helped had kept nothing of their distance from the norm, "
            f"regression to the mean would not account for the whole change at {visit}"
        )
        sure = high <= 0
    elif stability >= 1:
        sentence = (
            f"The change at {visit} is in the other direction than regression to the mean, which cannot account for it"
        )
        sure = low >= 1
    else:
        return (
            f"Regression to the mean alone would account for the whole change at {visit} if the scores of people who "
            f"are not helped kept {fixed(stability, 2)} of their distance from the norm."
        )
    return f"{sentence}." if sure else f"{sentence}; so says the estimate, but its interval does not rule it out."


def _choices(curve: Estimates) -> str:
    frame = shown(curve).frame
    known = frame[frame["estimate"].notna() & ~frame[HIDDEN]]
    if not len(known):
        return ""
    primary = known[known["role"].eq("primary")]
    if not len(primary):
        return ""
    side = (known["conf_high"] < 0) if float(primary["estimate"].iloc[0]) < 0 else (known["conf_low"] > 0)
    none = len(frame) - len(known)
    without = f" ({none} more have no answer)" if none else ""
    return (
        f"Of {len(known)} ways to specify the analysis{without}, {int(side.sum())} give an interval on the same side "
        "of 0 as the primary one; they are of the same data, so this is no count of evidence."
    )


def _from_to(contrast: str) -> str:
    later, _, earlier = contrast.partition(" - ")
    return f"{earlier} to {later}" if earlier else contrast


def _limits(row: pd.Series, decimals: int, style: NumberStyle) -> str:
    return interval(float(row["conf_low"]), float(row["conf_high"]), decimals, style)


def _listed(words: list[str], last: str = "and") -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
