"""One number for running text, with its interval and p value: what stands in parentheses in a sentence of one's own."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from ..display.escape import clean
from ..display.language import ENGLISH, label
from ..display.styles import NumberStyle, decimals_from, fixed, interval, number_style, p_clause
from ..errors import StudyError, did_you_mean
from ..estimates import Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.estimates import NUMBERS
from ..estimates.tabulation import percent_of, shown

__all__ = ["inline"]

PATTERN = "{estimate} ({level} {interval}; {p})"
_NAMING_LEFT_OUT = frozenset({*NUMBERS, "n", "method", HIDDEN})


def inline(
    estimates: Estimates,
    *,
    pattern: str = PATTERN,
    style: str | NumberStyle = "plain",
    decimals: int | None = None,
    language: str = ENGLISH,
    **row: object,
) -> str:
    """One row of the estimates for a sentence: "−0.52 (95% CI −0.66 to −0.38; p < 0.001)".

    Parameters
    ----------
    estimates : Estimates
    pattern : str
        What to write: text with any of `{estimate}`, `{interval}`, `{level}` ("95% CI"), `{p}` ("p = 0.034"), `{n}`,
        `{df}`, `{statistic}`, `{std_error}`. Only these names are looked up; nothing else in the pattern is read.
    style : str or NumberStyle
    decimals : int, optional
        Of estimate, limits and standard error; where left out, from the standard errors of the outcome, as in tables.
    language : str
        "en", or "nb" for the decimal comma and words of bokmål.
    **row
        Which row: `contrast="3 years - baseline"`, `visit=..., sex=...`, `outcome=...` where there are several.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for a name that the estimates do not have, `E-STUDY-VALUE` where not exactly one row is meant,
        `E-STUDY-OPTION` for an unknown style or an unknown name in the pattern.

    Examples
    --------
    >>> import burnout_stats as bs
    >>> fit = bs.fit(bs.MMRM("exhaustion ~ visit"), bs.example("villa_sana"))
    >>> changes = bs.contrast(bs.emmeans(fit, "visit"), "vs_baseline")
    >>> inline(changes, contrast="1 year - baseline", pattern="{estimate} points (n = {n})")
    '−0.47 points (n = 185)'
    """
    safe = shown(estimates)
    chosen = number_style(style, language=language)
    one = _row(safe, row)
    of_outcome = safe.frame[safe.frame["outcome"].eq(one["outcome"])]
    digits = decimals_from(of_outcome["std_error"], chosen) if decimals is None else decimals
    words = _words(one, safe, digits, chosen)
    return clean(_filled(pattern, words))


def _row(safe: Estimates, asked: dict[str, object]) -> dict[str, Any]:
    frame = safe.frame
    naming = [str(name) for name in frame.columns if name not in _NAMING_LEFT_OUT]
    match = pd.Series(True, index=frame.index)
    for name, value in asked.items():
        if name not in naming:
            raise StudyError(
                "E-STUDY-COLUMN",
                f"`{name}` does not name a row of these estimates.",
                f"Their rows are named by: {', '.join(naming)}.",
                did_you_mean(name, naming) or "Use one of these.",
            )
        match &= frame[name].astype(str).eq(str(value))
    found = frame[match]
    if len(found) != 1:
        rows = [", ".join(f"{name}={one[name]!r}" for name in naming) for one in frame[naming].to_dict("records")]
        raise StudyError(
            "E-STUDY-VALUE",
            f"{len(found)} rows of these estimates are meant.",
            f"The rows are: {'; '.join(rows[:12])}{'; ...' if len(rows) > 12 else ''}.",
            "Name exactly one of them.",
        )
    return {str(name): value for name, value in found.iloc[0].to_dict().items()}


def _words(row: dict[str, Any], safe: Estimates, digits: int, style: NumberStyle) -> dict[str, str]:
    names = ("estimate", "interval", "level", "p", "n", "df", "statistic", "std_error")
    words = dict.fromkeys(names, "hidden")
    words["level"] = label(f"{percent_of(safe.about.conf_level)} CI", style.language)
    if row[HIDDEN]:
        return words
    number = {name: float(row[name]) for name in (*NUMBERS, "n") if name in row}
    if math.isnan(number["estimate"]):
        return dict.fromkeys(names, "not estimable") | {"level": words["level"]}
    p, df = number["p_value"], number["df"]
    limits = (number["conf_low"], number["conf_high"])
    symbol = style.p_symbol if safe.about.adjust == "none" else f"{safe.about.adjust.capitalize()}-adjusted p"
    return words | {
        "estimate": fixed(number["estimate"], digits, style),
        "std_error": _or_unknown(number["std_error"], digits, style),
        "interval": "unknown" if math.isnan(limits[0]) else interval(*limits, digits, style),
        "p": f"{symbol} unknown" if math.isnan(p) else p_clause(p, style, symbol=symbol),
        "n": "hidden" if math.isnan(number["n"]) and safe.about.n_withheld else _or_unknown(number["n"], 0, style),
        "df": _or_unknown(df, 1, style),
        "statistic": _or_unknown(number["statistic"], 2, style),
    }


def _or_unknown(value: float, digits: int, style: NumberStyle) -> str:
    return "unknown" if math.isnan(value) else fixed(value, digits, style)


def _filled(pattern: str, words: dict[str, str]) -> str:
    """The pattern with its names replaced; no format language, so nothing in it can be reached."""
    pieces = pattern.split("{")
    told = [pieces[0]]
    for piece in pieces[1:]:
        name, closed, rest = piece.partition("}")
        if not closed or name not in words:
            raise StudyError(
                "E-STUDY-OPTION",
                f"The pattern has `{{{name}{closed}`.",
                f"Its names are: {', '.join(f'{{{word}}}' for word in words)}.",
                did_you_mean(name, words) or "Use one of these.",
            )
        told += [words[name], rest]
    return "".join(told)
