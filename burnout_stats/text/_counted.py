"""What changed in events, ordered categories and counts, in words: differences of probabilities in percentage points,
ratios of odds, probabilities and means; in English and in Norwegian bokmål.

Every sentence begins with the outcome and a colon, since a label such as "on full-time sick leave" bends into no other
sentence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

from ..display.language import ENGLISH, label
from ..display.styles import MINUS, NumberStyle, fixed, interval, p_clause
from ..estimates import About, Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.quantities import RATIOS, decimals_of_ratio, is_percent
from ..estimates.tabulation import percent_of

__all__ = ["Before", "counted_sentence", "levels_of"]

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "probability": "the probability",
        "count": "the mean",
        "log_odds": "the log odds",
        "latent": "the log odds of a higher category",
        "probits": "the probit",
        "log_mean": "the logarithm of the mean",
        "log_probability": "the logarithm of the probability",
        "odds": "the odds",
        "mean": "the mean",
    },
    "nb": {
        "probability": "sannsynligheten",
        "count": "gjennomsnittet",
        "log_odds": "log-oddsen",
        "latent": "log-oddsen for en høyere kategori",
        "probits": "probiten",
        "log_mean": "logaritmen til gjennomsnittet",
        "log_probability": "logaritmen til sannsynligheten",
        "odds": "oddsen",
        "mean": "gjennomsnittet",
    },
}
_PHRASES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "hidden": "{what} {between} is hidden: it rests on too few persons.",
        "absent": "{what} {between} cannot be estimated from these data.",
        "fell": "{quantity} fell by {size} {path} ({numbers}){judgment}.",
        "rose": "{quantity} rose by {size} {path} ({numbers}){judgment}.",
        "fell_from": "{quantity} fell from {before} at {first} to {after} at {last} (difference {signed}, {numbers})"
        "{judgment}.",
        "rose_from": "{quantity} rose from {before} at {first} to {after} at {last} (difference {signed}, {numbers})"
        "{judgment}.",
        "differs": "{quantity} differed by {signed} ({contrast}; {numbers}){doubt}.",
        "open": "the estimated change in {quantity} {path} was {signed} ({numbers}){doubt}.",
        "ratio": "{quantity} at {last} {verb} {ratio} times {those} at {first} ({numbers}){doubt}.",
        "ratio_of": "the {name} was {ratio} ({contrast}; {numbers}){doubt}.",
        "path": "from {first} to {last}",
        "better": ", a change for the better",
        "worse": ", a change for the worse",
        "adjusted": "; with the p value adjusted for several tests, its direction remains uncertain",
        "doubt": "; the interval holds a fall as well as a rise",
        "doubt_other": "; the interval holds differences in both directions",
        "points": "percentage points",
        "change": "the change",
    },
    "nb": {
        "hidden": "{what} {between} er skjult: tallet bygger på for få personer.",
        "absent": "{what} {between} kan ikke estimeres fra disse dataene.",
        "fell": "{quantity} sank med {size} {path} ({numbers}){judgment}.",
        "rose": "{quantity} økte med {size} {path} ({numbers}){judgment}.",
        "fell_from": "{quantity} sank fra {before} ved {first} til {after} ved {last} (forskjell {signed}; {numbers})"
        "{judgment}.",
        "rose_from": "{quantity} økte fra {before} ved {first} til {after} ved {last} (forskjell {signed}; {numbers})"
        "{judgment}.",
        "differs": "{quantity} var forskjellig med {signed} ({contrast}; {numbers}){doubt}.",
        "open": "den estimerte endringen i {quantity} {path} var {signed} ({numbers}){doubt}.",
        "ratio": "{quantity} ved {last} var {ratio} ganger {those} ved {first} ({numbers}){doubt}.",
        "ratio_of": "{name} var {ratio} ({contrast}; {numbers}){doubt}.",
        "path": "fra {first} til {last}",
        "better": ", en endring til det bedre",
        "worse": ", en endring til det verre",
        "adjusted": "; når p-verdien er justert for flere tester, er retningen fortsatt usikker",
        "doubt": "; intervallet rommer både en nedgang og en økning",
        "doubt_other": "; intervallet rommer forskjeller i begge retninger",
        "points": "prosentpoeng",
        "change": "endringen",
    },
}
_RATIO_NB = {"odds ratio": "oddsratioen", "risk ratio": "risikoratioen", "rate ratio": "rateratioen"}


@dataclass(frozen=True, slots=True)
class Before:
    """The two means that a contrast compares, the one it counts from first."""

    first: float
    last: float


def counted_sentence(
    row: Mapping[Hashable, object],
    about: About,
    style: NumberStyle,
    *,
    visits: tuple[str, str] | None,
    decimals: int,
    before: Before | None = None,
    p_symbol: str = "p",
) -> str:
    """The sentence of one contrast; `visits` are the later and the earlier one where it compares two."""
    language = "en" if style.language == ENGLISH else "nb"
    phrases = _PHRASES[language]
    outcome = str(row["outcome"])
    where = ", ".join(f"{name.replace('_', ' ')} {row[name]}" for name in about.by if name in row)
    start = f"{about.outcomes.get(outcome, outcome)}{f', {where}' if where else ''}: "
    last, first = visits or ("", "")
    contrast = str(row["contrast"]).replace(" - ", f" {MINUS} ")
    path = phrases["path"].format(first=first, last=last) if visits else f"({contrast})"
    estimate, low, high, p = (_float(row[name]) for name in ("estimate", "conf_low", "conf_high", "p_value"))
    for state, holds in (("hidden", bool(row[HIDDEN])), ("absent", math.isnan(estimate))):
        if holds:
            return start + phrases[state].format(what=phrases["change"], between=path)
    is_ratio = about.kind in RATIOS
    none = 1.0 if is_ratio else 0.0
    decided = low > none or high < none
    agreed = decided and p < 1 - about.conf_level + 1e-12
    doubt = "" if agreed else phrases["adjusted"] if decided else phrases["doubt" if visits else "doubt_other"]
    level = label(f"{percent_of(about.conf_level)} CI", style.language)
    separator = "; " if language == "nb" else ", "

    def tested(limits: str, sign: int = 1) -> str:
        df, statistic = _float(row["df"]), sign * _float(row["statistic"])
        name = "z" if math.isinf(df) else f"t({fixed(df, 1, style)})"
        told = p_clause(p, style, symbol=p_symbol)
        return f"{level} {limits}; {name} = {fixed(statistic, 2, style)}{separator}{told}"

    if is_ratio:
        ends = (estimate, low, high)
        return start + _ratio_sentence(about, ends, visits, contrast, doubt, tested, style)
    percent = is_percent(about.quantity)
    factor = 100.0 if percent else 1.0
    digits = max(decimals - 2, 0) if percent else decimals
    unit = phrases["points"] if percent else about.units.get(outcome, "")
    quantity = _WORDS[language][about.quantity]

    def sized(value: float) -> str:
        return f"{fixed(factor * value, digits, style)}{f' {unit}' if unit else ''}"

    def limits(sign: int = 1) -> str:
        ends = sorted((sign * factor * low, sign * factor * high))
        return interval(ends[0], ends[1], digits, style)

    if not visits:
        return start + phrases["differs"].format(
            quantity=quantity, signed=sized(estimate), contrast=contrast, numbers=tested(limits()), doubt=doubt
        )
    if not agreed:
        return start + phrases["open"].format(
            quantity=quantity, path=path, signed=sized(estimate), numbers=tested(limits()), doubt=doubt
        )
    is_fall = estimate < 0
    better = about.better.get(outcome, "")
    judgment = ""
    if better in {"lower", "higher"}:
        judgment = phrases["better" if is_fall == (better == "lower") else "worse"]
    if before is not None:
        sign = ("%" if language == "en" else " %") if percent else ""
        return start + phrases["fell_from" if is_fall else "rose_from"].format(
            quantity=quantity,
            before=fixed(factor * before.first, digits, style) + sign,
            after=fixed(factor * before.last, digits, style) + sign,
            first=first,
            last=last,
            signed=sized(estimate),
            numbers=tested(limits()),
            judgment=judgment,
        )
    turn = -1 if is_fall else 1
    return start + phrases["fell" if is_fall else "rose"].format(
        quantity=quantity, size=sized(abs(estimate)), path=path, numbers=tested(limits(turn), turn), judgment=judgment
    )


def _ratio_sentence(
    about: About,
    ends: tuple[float, float, float],
    visits: tuple[str, str] | None,
    contrast: str,
    doubt: str,
    tested: Callable[[str], str],
    style: NumberStyle,
) -> str:
    """The sentence of a ratio; `ends` are the estimate and its limits."""
    language = "en" if style.language == ENGLISH else "nb"
    one, digits = RATIOS[about.kind], decimals_of_ratio(*ends)
    numbers, ratio = tested(interval(ends[1], ends[2], digits, style)), fixed(ends[0], digits, style)
    if visits is None:
        name = one.name if language == "en" else _RATIO_NB[one.name]
        return _PHRASES[language]["ratio_of"].format(
            name=name, ratio=ratio, contrast=contrast, numbers=numbers, doubt=doubt
        )
    plural = one.of == "odds"
    those = {"en": "those" if plural else "that", "nb": "det" if one.of == "mean" else "den"}[language]
    return _PHRASES[language]["ratio"].format(
        quantity=_WORDS[language][one.of],
        last=visits[0],
        first=visits[1],
        verb="were" if plural else "was",
        ratio=ratio,
        those=those,
        numbers=numbers,
        doubt=doubt,
    )


def levels_of(
    row: Mapping[Hashable, object], about: About, visits: tuple[str, str] | None, means: Estimates | None
) -> Before | None:
    """The means that the contrast compares, where they were given and may be shown."""
    if means is None or visits is None or means.about.quantity != about.quantity or "visit" not in means.frame:
        return None
    frame = means.frame
    here = frame["outcome"].astype(str).eq(str(row["outcome"]))
    for name in about.by:
        if name in frame:
            here &= frame[name].astype(str).eq(str(row[name]))
    found = []
    for visit in (visits[1], visits[0]):
        rows = frame[here & frame["visit"].astype(str).eq(visit)]
        if len(rows) != 1 or (HIDDEN in rows and bool(rows[HIDDEN].iloc[0])):
            return None
        found.append(float(rows["estimate"].iloc[0]))
    return None if any(math.isnan(value) for value in found) else Before(*found)


def _float(value: object) -> float:
    return float(value)  # type: ignore[arg-type]  # a number of the frame, or its NaN
