"""The checker of prose: every number in a sentence must stand in the results that it is about."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from decimal import Decimal

import pandas as pd

from ..display.language import ENGLISH, language_of
from ..display.styles import ALPHA, fixed
from ..estimates import Estimates
from ..estimates.estimates import NUMBERS
from ..estimates.quantities import is_percent
from ..estimates.tabulation import percent_of

__all__ = ["numbers_in", "unsupported_numbers"]

_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
_BOUND = re.compile(r"[<>]\s*(?=[\d.])")
_BOUNDS = (Decimal("0.001"), Decimal("0.99"), Decimal("0.999"), ALPHA)


def numbers_in(text: str, *, labels: Iterable[str] = ()) -> tuple[str, ...]:
    """The numbers in a text, without their signs, in order; those inside the labels are not counted.

    >>> numbers_in("fell by 0.47 points from baseline to 1 year (p < .001)", labels=["1 year"])
    ('0.47', '.001')
    """
    for label in sorted(set(labels), key=len, reverse=True):
        if label:
            text = re.sub(rf"(?<![\w.]){re.escape(label)}(?![\w])", " ", text)
    return tuple(_NUMBER.findall(text))


def unsupported_numbers(
    text: str, *results: Estimates, labels: Iterable[str] = (), language: str = ENGLISH
) -> tuple[str, ...]:
    """The numbers in a text that, rounded as they are written, stand in none of the results.

    Signs are not compared, since "fell by 0.47" tells of −0.47. Labels of outcomes, visits, contrasts and groups are
    left out, and further `labels`; so are the levels of intervals, and the bounds of p values where a `<` or `>` stands
    before them. In another language than English a comma between digits is the decimal mark.
    """
    if language_of(language) != ENGLISH:
        text = _DECIMAL_COMMA.sub(".", text)
    known = [
        abs(float(value)) * factor
        for one in results
        for value in _values(one.frame)
        for factor in ((1, 100) if is_percent(one.about.quantity) else (1,))
    ]
    levels = {percent_of(one.about.conf_level).rstrip("%") for one in results}
    names = [*labels, *(name for one in results for name in _names(one))]
    for bound in _BOUNDS:
        written = re.escape(str(bound).lstrip("0"))
        text = re.sub(rf"{_BOUND.pattern}0?{written}(?!\d)", " ", text)
    return tuple(
        number for number in numbers_in(text, labels=names) if number not in levels and not _stands(number, known)
    )


def _values(frame: pd.DataFrame) -> Iterable[float]:
    columns = [name for name in (*NUMBERS, "n") if name in frame]
    values = frame[columns].to_numpy(dtype=float).ravel()
    return [float(value) for value in values if math.isfinite(value)]


def _stands(number: str, known: Iterable[float]) -> bool:
    decimals = len(number.partition(".")[2])
    written = Decimal(number)
    return any(Decimal(fixed(value, decimals)) == written for value in known)


def _names(results: Estimates) -> Iterable[str]:
    about, frame = results.about, results.frame
    yield from about.outcomes.values()
    yield from about.outcomes
    yield from about.visit_years
    for name in {*about.by, *about.factors} & set(frame.columns):
        yield from frame[name].astype(str)
