"""What changed, in words: one sentence for each contrast."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping

from ..display.escape import clean
from ..display.styles import MINUS, NumberStyle, decimals_from, fixed, interval, number_style, p_clause
from ..errors import StudyError
from ..estimates import About, Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import in_sentence, percent_of, shown

__all__ = ["result"]


def result(changes: Estimates, *, style: str | NumberStyle = "plain", decimals: int | None = None) -> str:
    """One sentence for each contrast, with its interval, test and direction.

    A change is told as a fall or a rise where its interval leaves out zero and its p value agrees, otherwise as an
    estimate with an uncertain direction. Whether a fall is good is told where the outcome says which end of its scale
    is better.

    Parameters
    ----------
    changes : Estimates
        From `contrast`.
    style : str or NumberStyle
    decimals : int, optional
        Of estimates and limits; where left out, from the standard errors.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind, `E-STUDY-OPTION` for an unknown style.
    """
    if changes.about.kind != "contrasts":
        raise StudyError(
            "E-STUDY-VALUE",
            f"The text of a result was asked of {changes.about.kind}.",
            "It tells of contrasts.",
            'Give it contrast(means, "vs_baseline").',
        )
    safe = shown(changes)
    chosen = number_style(style)
    digits = {
        outcome: decimals_from(rows["std_error"], chosen) if decimals is None else decimals
        for outcome, rows in safe.frame.groupby("outcome", sort=False)
    }
    rows = safe.frame.to_dict("records")
    return clean(" ".join(_sentence(row, safe.about, digits[row["outcome"]], chosen) for row in rows))


def _sentence(row: Mapping[Hashable, object], about: About, decimals: int, style: NumberStyle) -> str:
    outcome, contrast = str(row["outcome"]), str(row["contrast"])
    label = about.outcomes.get(outcome, outcome)
    where = ", ".join(f"{name.replace('_', ' ')} {row[name]}" for name in about.by if name in row)
    opening = f"For {where}, " if where else ""
    visits = _visits(contrast, about)
    what = f"from {visits[1]} to {visits[0]}" if visits else f"({contrast.replace(' - ', f' {MINUS} ')})"
    noun = "change" if visits else "difference"
    estimate = _float(row["estimate"])
    if row[HIDDEN]:
        return _start(f"{opening}the {noun} in {in_sentence(label)} {what} is hidden: it rests on too few persons.")
    if math.isnan(estimate):
        return _start(f"{opening}the {noun} in {in_sentence(label)} {what} cannot be estimated from these data.")
    low, high = _float(row["conf_low"]), _float(row["conf_high"])
    decided = low > 0 or high < 0
    agreed = decided and _float(row["p_value"]) < 1 - about.conf_level + 1e-12
    unit = about.units.get(outcome) or "points"
    if agreed and visits:
        flip = -1 if estimate < 0 else 1
        numbers = _numbers(row, about, decimals, style, flip)
        verb = "fell" if estimate < 0 else "rose"
        size = fixed(abs(estimate), decimals)
        return _start(
            f"{opening}{in_sentence(label) if opening else label} {verb} by {size} {unit} {what} ({numbers})"
            f"{_judgment(estimate, about.better.get(outcome, ''))}."
        )
    numbers = _numbers(row, about, decimals, style, 1)
    told = f"{opening}the estimated {noun} in {in_sentence(label)} {what} was {fixed(estimate, decimals)} {unit}"
    return _start(f"{told} ({numbers}){_doubt(decided, agreed, bool(visits))}.")


def _visits(contrast: str, about: About) -> tuple[str, str] | None:
    """The two visits that a contrast compares, the one it counts from last; None where it compares something else."""
    for later in about.visit_years:
        for earlier in about.visit_years:
            if later != earlier and contrast == f"{later} - {earlier}":
                return later, earlier
    return None


def _numbers(row: Mapping[Hashable, object], about: About, decimals: int, style: NumberStyle, flip: int) -> str:
    limits = sorted(flip * _float(row[name]) for name in ("conf_low", "conf_high"))
    df, statistic = _float(row["df"]), flip * _float(row["statistic"])
    test = "z" if math.isinf(df) else f"t({fixed(df, 1)})"
    symbol = "p" if about.adjust == "none" else f"{about.adjust.capitalize()}-adjusted p"
    return (
        f"{percent_of(about.conf_level)} CI {interval(limits[0], limits[1], decimals, style)}; "
        f"{test} = {fixed(statistic, 2)}, {p_clause(_float(row['p_value']), style, symbol=symbol)}"
    )


def _judgment(estimate: float, better: str) -> str:
    if better not in {"lower", "higher"}:
        return ""
    return ", a change for the better" if (estimate < 0) == (better == "lower") else ", a change for the worse"


def _doubt(decided: bool, agreed: bool, is_change: bool) -> str:
    if agreed:
        return ""
    if decided:
        return "; with the p value adjusted for several tests, its direction remains uncertain"
    return f"; the interval holds {'a fall as well as a rise' if is_change else 'differences in both directions'}"


def _start(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _float(value: object) -> float:
    return float(value)  # type: ignore[arg-type]  # a number of the frame, or its NaN
