"""What changed, in words: one sentence for each contrast."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

from ..display.escape import clean
from ..display.language import ENGLISH, label, word
from ..display.styles import MINUS, NumberStyle, decimals_from, fixed, interval, number_style, p_clause
from ..errors import StudyError
from ..estimates import About, Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.quantities import RATIOS
from ..estimates.tabulation import in_sentence, percent_of, shown
from ._counted import counted_sentence, levels_of
from ._finding import Finding
from ._result_nb import sentence as norwegian

__all__ = ["result"]


def result(
    changes: Estimates,
    *,
    style: str | NumberStyle = "plain",
    decimals: int | None = None,
    language: str = ENGLISH,
    means: Estimates | None = None,
) -> str:
    """One sentence for each contrast, with its interval, test and direction.

    A change is told as a fall or a rise where its interval leaves out zero and its p value agrees, otherwise as an
    estimate with an uncertain direction. Whether a fall is good is told where the outcome says which end of its scale
    is better.

    Parameters
    ----------
    changes : Estimates
        From `contrast`: differences, or ratios.
    style : str or NumberStyle
    decimals : int, optional
        Of estimates and limits; where left out, from the standard errors.
    language : str
        "en", or "nb" for Norwegian bokmål with a decimal comma; labels and units stay as the study has them.

    means : Estimates, optional
        The probabilities or mean counts that the contrasts compare, so that a change is told from one to the other.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind, `E-STUDY-OPTION` for an unknown style or language.
    """
    if changes.about.kind != "contrasts" and changes.about.kind not in RATIOS:
        raise StudyError(
            "E-STUDY-VALUE",
            f"The text of a result was asked of {changes.about.kind}.",
            "It tells of contrasts.",
            'Give it contrast(means, "vs_baseline").',
        )
    safe = shown(changes)
    chosen = number_style(style, language=language)
    digits = {
        str(outcome): decimals_from(rows["std_error"], chosen) if decimals is None else decimals
        for outcome, rows in safe.frame.groupby("outcome", sort=False)
    }
    if safe.about.quantity or safe.about.kind in RATIOS:
        return _counted(safe, None if means is None else shown(means), digits, chosen)
    told = english if chosen.language == ENGLISH else norwegian
    rows = safe.frame.to_dict("records")
    return clean(" ".join(_start(told(_finding(row, safe.about, digits[row["outcome"]], chosen))) for row in rows))


def _counted(safe: Estimates, means: Estimates | None, digits: Mapping[str, int], style: NumberStyle) -> str:
    sentences = []
    for row in safe.frame.to_dict("records"):
        visits = _visits(str(row["contrast"]).replace(" / ", " - "), safe.about)
        sentences.append(
            counted_sentence(
                row,
                safe.about,
                style,
                visits=visits,
                decimals=digits[row["outcome"]],
                before=levels_of(row, safe.about, visits, means),
                p_symbol=_symbol(safe.about.adjust, style),
            )
        )
    return clean(" ".join(map(_start, sentences)))


_DOUBT = {
    "agreed": "",
    "adjusted": "; with the p value adjusted for several tests, its direction remains uncertain",
}


def english(found: Finding) -> str:
    """The sentence of one contrast."""
    opening = f"For {found.where}, " if found.where else ""
    outcome = in_sentence(found.label)
    what = f"from {found.visits[1]} to {found.visits[0]}" if found.visits else f"({found.contrast})"
    noun = "change" if found.visits else "difference"
    if found.state == "hidden":
        return f"{opening}the {noun} in {outcome} {what} is hidden: it rests on too few persons."
    if found.state == "absent":
        return f"{opening}the {noun} in {outcome} {what} cannot be estimated from these data."
    numbers = f"({found.interval}; {found.test}, {found.p})"
    unit = found.unit or "points"
    if found.is_told_as_move:
        judgment = f", a change for the {found.judgment}" if found.judgment else ""
        verb = "fell" if found.is_fall else "rose"
        moved = f"{opening}{outcome if opening else found.label} {verb}"
        return f"{moved} by {found.size} {unit} {what} {numbers}{judgment}."
    holds = "a fall as well as a rise" if found.visits else "differences in both directions"
    doubt = _DOUBT.get(found.state, f"; the interval holds {holds}")
    return f"{opening}the estimated {noun} in {outcome} {what} was {found.size} {unit} {numbers}{doubt}."


def _finding(row: Mapping[Hashable, object], about: About, decimals: int, style: NumberStyle) -> Finding:
    """What the sentence of a row tells; a move is told by its size, so its numbers are those of a fall turned round."""
    outcome, contrast = str(row["outcome"]), str(row["contrast"])
    visits = _visits(contrast, about)
    estimate, low, high = (_float(row[name]) for name in ("estimate", "conf_low", "conf_high"))
    decided = low > 0 or high < 0
    agreed = decided and _float(row["p_value"]) < 1 - about.conf_level + 1e-12
    state = "agreed" if agreed else "adjusted" if decided else "open"
    state = "hidden" if row[HIDDEN] else "absent" if math.isnan(estimate) else state
    found = Finding(
        where=", ".join(f"{name.replace('_', ' ')} {row[name]}" for name in about.by if name in row),
        label=about.outcomes.get(outcome, outcome),
        unit=about.units.get(outcome, ""),
        contrast=contrast.replace(" - ", f" {MINUS} "),
        visits=visits,
        state=state,
    )
    if state in {"hidden", "absent"}:
        return found
    flip = -1 if agreed and visits and estimate < 0 else 1
    limits = sorted((flip * low, flip * high))
    df, statistic = _float(row["df"]), flip * _float(row["statistic"])
    better = about.better.get(outcome, "")
    good = (estimate < 0) == (better == "lower")
    return replace(
        found,
        is_fall=estimate < 0,
        judgment=("better" if good else "worse") if better in {"lower", "higher"} else "",
        size=fixed(flip * estimate, decimals, style),
        interval=_interval(about, limits, decimals, style),
        test=f"{'z' if math.isinf(df) else f't({fixed(df, 1, style)})'} = {fixed(statistic, 2, style)}",
        p=p_clause(_float(row["p_value"]), style, symbol=_symbol(about.adjust, style)),
    )


def _interval(about: About, limits: Sequence[float], decimals: int, style: NumberStyle) -> str:
    level = label(f"{percent_of(about.conf_level)} CI", style.language)
    return f"{level} {interval(limits[0], limits[1], decimals, style)}"


def _symbol(adjust: str, style: NumberStyle) -> str:
    if adjust == "none":
        return style.p_symbol
    return f"{adjust.capitalize()}-{word('adjusted', style.language)} {style.p_symbol}"


def _visits(contrast: str, about: About) -> tuple[str, str] | None:
    """The two visits that a contrast compares, the one it counts from last; None where it compares something else."""
    for later in about.visit_years:
        for earlier in about.visit_years:
            if later != earlier and contrast == f"{later} - {earlier}":
                return later, earlier
    return None


def _start(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _float(value: object) -> float:
    return float(value)  # type: ignore[arg-type]  # a number of the frame, or its NaN
