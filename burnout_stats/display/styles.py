"""How numbers are written: rounding, decimals, p values, intervals; and the registry of number styles.

Rounding is half up on the shortest decimal text that stands for the number (`repr`), so 0.125 gives 0.13, and what a
reader rounds by hand from the CSV is what the table says. (Python's own formatting rounds the binary value, half to
even.)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType

from ..errors import one_of
from .table import Cell, Column, Hidden, Interval, Missing, Pair, Row

__all__ = [
    "ALPHA",
    "EM_DASH",
    "MINUS",
    "NUMBER_STYLES",
    "NumberStyle",
    "cell_text",
    "decimals_from",
    "fixed",
    "interval",
    "number_style",
    "p_clause",
    "p_value",
]

MINUS = "\N{MINUS SIGN}"
EM_DASH = "\N{EM DASH}"
ALPHA = Decimal("0.05")
"""The level at which readers look; no p value is rounded onto it from below."""


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """A journal's way with numbers.

    Attributes
    ----------
    name : str
    leading_zero : whether a p value is written 0.034 (or .034)
    limits : how an interval is written
    two_digits_up_to : a standard error is shown with two significant digits where its first three are at most this,
        else with one; 354 is the rule of the Particle Data Group, 999 always shows two
    """

    name: str
    leading_zero: bool = True
    limits: str = "{low} to {high}"
    two_digits_up_to: int = 354


NUMBER_STYLES: Mapping[str, NumberStyle] = MappingProxyType(
    {
        style.name: style
        for style in (
            NumberStyle("plain"),
            NumberStyle("apa", leading_zero=False, limits="[{low}, {high}]"),
        )
    }
)
"""The number styles by name; `plain` is the default."""


def number_style(style: str | NumberStyle) -> NumberStyle:
    """The number style of that name.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for an unknown name.
    """
    if isinstance(style, NumberStyle):
        return style
    return NUMBER_STYLES[one_of("style", style, list(NUMBER_STYLES))]


def fixed(value: float, decimals: int) -> str:
    """The number with this many decimals, rounded half up, with a true minus sign; a zero has no sign.

    >>> fixed(-0.125, 2), fixed(-0.001, 2), fixed(float("inf"), 1)
    ('−0.13', '0.00', '∞')
    """
    if math.isinf(value):
        return "∞" if value > 0 else MINUS + "∞"
    rounded = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    sign = MINUS if rounded < 0 else ""
    return sign + format(abs(rounded), "f")


def decimals_from(std_errors: Iterable[float], style: str | NumberStyle = "plain", *, default: int = 2) -> int:
    """How many decimals estimates with these standard errors deserve.

    They are those of the largest standard error under the style's rule, but enough for one digit of the smallest; the
    estimates and limits of a table share them.

    **Source.** Particle Data Group, Review of Particle Physics (Phys. Rev. D 98, 030001, 2018), Introduction, section
    5.3: two digits of the error where its first three lie between 100 and 354, one where they lie between 355 and 949,
    and 950 to 999 is rounded up. So no estimate is rounded by more than a seventh of its standard error.

    >>> decimals_from([0.0712]), decimals_from([0.0123]), decimals_from([0.964]), decimals_from([4.2, 0.03])
    (2, 3, 1, 2)
    """
    limit = number_style(style).two_digits_up_to
    known = [Decimal(repr(float(se))) for se in std_errors if math.isfinite(se) and se > 0]
    if not known:
        return default
    largest, smallest = max(known), min(known)
    first = -largest.adjusted()
    three = int(largest.scaleb(first + 2).to_integral_value(rounding=ROUND_HALF_UP))
    two_digits = three <= min(limit, 999)  # from 950 one digit is two: 0.96 is 1.0
    return max(first + two_digits, -smallest.adjusted(), 0)


def p_value(p: float, style: str | NumberStyle = "plain") -> str:
    """A p value with three decimals: never 0.000, never 1.000.

    One below 0.05 is never rounded onto it; it gets more decimals instead.

    >>> [p_value(p) for p in (0.0495, 0.04999, 0.0005, 0.034, 0.9996)]
    ['0.0495', '0.04999', '<0.001', '0.034', '>0.999']
    >>> p_value(0.034, "apa")
    '.034'
    """
    if math.isnan(p):
        return EM_DASH
    if not 0 <= p <= 1:
        raise ValueError(f"a p value of {p}")
    exact = Decimal(repr(float(p)))
    if exact < Decimal("0.001"):
        text = "<0.001"
    elif exact >= Decimal("0.9995"):
        text = ">0.999"
    else:
        text = _short_of_alpha(exact)
    return text if number_style(style).leading_zero else text.replace("0.", ".", 1)


def _short_of_alpha(exact: Decimal) -> str:
    for decimals in range(3, 7):
        rounded = exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
        if not exact < ALPHA <= rounded:
            return format(rounded, "f")
    return f"<{ALPHA}"


def p_clause(p: float, style: str | NumberStyle = "plain", *, symbol: str = "p") -> str:
    """A p value as it stands in a sentence.

    >>> p_clause(0.034), p_clause(0.0001)
    ('p = 0.034', 'p < 0.001')
    """
    text = p_value(p, style)
    return f"{symbol} {text[0]} {text[1:]}" if text[0] in "<>" else f"{symbol} = {text}"


def interval(low: float, high: float, decimals: int, style: str | NumberStyle = "plain") -> str:
    """Two limits.

    >>> interval(-0.609, -0.327, 2), interval(-0.609, -0.327, 2, "apa")
    ('−0.61 to −0.33', '[−0.61, −0.33]')
    """
    return number_style(style).limits.format(low=fixed(low, decimals), high=fixed(high, decimals))


FIXED_DECIMALS: Mapping[str, int] = MappingProxyType({"count": 0, "percent": 1, "df": 1, "statistic": 2})
"""The decimals of columns whose numbers do not take them from a standard error."""


def cell_text(cell: Cell, column: Column, row: Row, style: NumberStyle) -> str:
    """The text of a cell for people; labels are not yet escaped."""
    if isinstance(cell, str):
        return cell.replace(" - ", f" {MINUS} ") if column.kind == "contrast" else cell
    if isinstance(cell, Hidden):
        return "hidden"
    if cell is None or isinstance(cell, Missing):
        return EM_DASH
    if isinstance(cell, Pair):
        return _pair_text(cell, row.decimals if column.decimals is None else column.decimals, style)
    decimals = column.decimals if column.decimals is not None else FIXED_DECIMALS.get(column.kind, row.decimals)
    if isinstance(cell, Interval):
        return interval(cell.low, cell.high, decimals, style)
    if column.kind == "p":
        return p_value(cell, style)
    text = fixed(cell, decimals)
    return _grouped(text) if column.kind == "count" else text


def _pair_text(pair: Pair, decimals: int, style: NumberStyle) -> str:
    first, second = (decimals if own is None else own for own in pair.decimals)
    if isinstance(pair.second, Missing):
        inside = EM_DASH
    elif isinstance(pair.second, Interval):
        inside = interval(pair.second.low, pair.second.high, second, style)
    else:
        inside = fixed(pair.second, second)
    return f"{_grouped(fixed(pair.first, first)) if first == 0 else fixed(pair.first, first)} ({inside})"


def _grouped(digits: str) -> str:
    """Digits in groups of three from 10 000 on, set apart by a thin space."""
    return f"{int(digits):,}".replace(",", "\N{NARROW NO-BREAK SPACE}") if len(digits) > 4 else digits
