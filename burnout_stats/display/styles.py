"""How numbers are written: rounding, decimals, p values, intervals; and the registry of number styles.

Rounding is half up on the shortest decimal text that stands for the number (`repr`), so 0.125 gives 0.13, and what a
reader rounds by hand from the CSV is what the table says. (Python's own formatting rounds the binary value, half to
even.)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType

from ..errors import one_of
from .language import ENGLISH, cell_label, label, language_of, word
from .table import Cell, Column, Hidden, Interval, Missing, Pair, Row, Table

__all__ = [
    "ALPHA",
    "EM_DASH",
    "MINUS",
    "NUMBER_STYLES",
    "NumberStyle",
    "cell_text",
    "decimals_from",
    "fixed",
    "header_text",
    "interval",
    "number_style",
    "p_clause",
    "p_value",
    "style_of",
]

MINUS = "\N{MINUS SIGN}"
EM_DASH = "\N{EM DASH}"
THIN_SPACE = "\N{NARROW NO-BREAK SPACE}"
ALPHA = Decimal("0.05")
"""The level at which readers look; no p value is rounded onto it from below."""


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """A journal's way with numbers, in the language of the reader.

    Attributes
    ----------
    name : str
    leading_zero : whether a p value is written 0.034 (or .034)
    limits : how an interval is written
    two_digits_up_to : a standard error is shown with two significant digits where its first three are at most this,
        else with one; 354 is the rule of the Particle Data Group, 999 always shows two
    p_symbol : "p" or "P"
    coarse_p : whether p values of 0.01 and more have two decimals (the others have three)
    percent_by_size : whether percentages have no decimals where no group of the table has 100 persons
    percent_decimals : of a percentage; `style_of` lowers it for a table of small groups
    decimal_mark : between the whole number and its decimals
    thousands_mark : between groups of three digits, from 10 000 on
    language : of the words between the numbers, such as "hidden"
    """

    name: str
    leading_zero: bool = True
    limits: str = "{low} to {high}"
    two_digits_up_to: int = 354
    p_symbol: str = "p"
    coarse_p: bool = False
    percent_by_size: bool = False
    percent_decimals: int = 1
    decimal_mark: str = "."
    thousands_mark: str = THIN_SPACE
    language: str = ENGLISH


NUMBER_STYLES: Mapping[str, NumberStyle] = MappingProxyType(
    {
        style.name: style
        for style in (
            NumberStyle("plain"),
            NumberStyle("apa", leading_zero=False, limits="[{low}, {high}]"),
            NumberStyle(
                "ama", leading_zero=False, p_symbol="P", coarse_p=True, percent_by_size=True, thousands_mark=","
            ),
            NumberStyle("nejm", p_symbol="P", coarse_p=True),
            NumberStyle("bmj", p_symbol="P", coarse_p=True),
        )
    }
)
"""The number styles by name; `plain` is the default."""


def number_style(style: str | NumberStyle, *, language: str = ENGLISH) -> NumberStyle:
    """The number style of that name, with the decimal mark and the words of the language.

    A style that has a language already keeps it where `language` is English. Only English drops the zero of a p value.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for an unknown name or language.

    Examples
    --------
    >>> interval(-0.609, -0.327, 2, number_style("plain", language="nb"))
    '−0,61 til −0,33'
    """
    chosen = style if isinstance(style, NumberStyle) else NUMBER_STYLES[one_of("style", style, list(NUMBER_STYLES))]
    spoken = language_of(language)
    if spoken == ENGLISH or spoken == chosen.language:
        return chosen
    limits = chosen.limits.replace(" to ", f" {word('to', spoken)} ").replace(",", ";")
    return replace(
        chosen,
        limits=limits,
        leading_zero=True,
        decimal_mark=word("decimal_mark", spoken),
        thousands_mark=THIN_SPACE,
        language=spoken,
    )


def fixed(value: float, decimals: int, style: str | NumberStyle = "plain") -> str:
    """The number with this many decimals, rounded half up, with a true minus sign; a zero has no sign.

    >>> fixed(-0.125, 2), fixed(-0.001, 2), fixed(float("inf"), 1)
    ('−0.13', '0.00', '∞')
    """
    if math.isinf(value):
        return "∞" if value > 0 else MINUS + "∞"
    rounded = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    sign = MINUS if rounded < 0 else ""
    return sign + format(abs(rounded), "f").replace(".", number_style(style).decimal_mark)


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
    """A p value with the decimals of the style: never 0.000, never 1.000.

    One below 0.05 is never rounded onto it; it gets more decimals instead.

    **Sources.** `plain` and `bmj` write three decimals. `apa`: Publication Manual, 7th ed., section 6.36 (exact, two or
    three decimals, no leading zero). `ama` (JAMA, JMIR): AMA Manual of Style, sections 18.7.1 and 19.5 (11th ed.; two
    decimals, three below .01 or where two would change the meaning, no leading zero, P<.001 below that). `nejm`: New
    England Journal of Medicine, statistical reporting guidelines of 2019 (two decimals above 0.01, three from 0.01 to
    0.001).

    >>> [p_value(p) for p in (0.0495, 0.04999, 0.0005, 0.034, 0.9996)]
    ['0.0495', '0.04999', '<0.001', '0.034', '>0.999']
    >>> [p_value(p, "ama") for p in (0.0495, 0.046, 0.0042, 0.34, 0.9996)]
    ['.0495', '.046', '.004', '.34', '>.99']
    """
    if math.isnan(p):
        return EM_DASH
    if not 0 <= p <= 1:
        raise ValueError(f"a p value of {p}")
    chosen = number_style(style)
    exact = Decimal(repr(float(p)))
    decimals = 2 if chosen.coarse_p and exact >= Decimal("0.01") else 3
    if exact < Decimal("0.001"):
        text = "<0.001"
    elif exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP) >= 1:
        text = f">0.{'9' * decimals}"
    else:
        text = _short_of_alpha(exact, decimals)
    text = text if chosen.leading_zero else text.replace("0.", ".", 1)
    return text.replace(".", chosen.decimal_mark)


def _short_of_alpha(exact: Decimal, fewest: int) -> str:
    for decimals in range(fewest, 7):
        rounded = exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
        if not exact < ALPHA <= rounded:
            return format(rounded, "f")
    return f"<{ALPHA}"


def p_clause(p: float, style: str | NumberStyle = "plain", *, symbol: str = "") -> str:
    """A p value as it stands in a sentence, with the symbol of the style where no other is given.

    >>> p_clause(0.034), p_clause(0.0001), p_clause(0.034, "nejm")
    ('p = 0.034', 'p < 0.001', 'P = 0.03')
    """
    text = p_value(p, style)
    told = symbol or number_style(style).p_symbol
    return f"{told} {text[0]} {text[1:]}" if text[0] in "<>" else f"{told} = {text}"


def interval(low: float, high: float, decimals: int, style: str | NumberStyle = "plain") -> str:
    """Two limits.

    >>> interval(-0.609, -0.327, 2), interval(-0.609, -0.327, 2, "apa")
    ('−0.61 to −0.33', '[−0.61, −0.33]')
    """
    chosen = number_style(style)
    return chosen.limits.format(low=fixed(low, decimals, chosen), high=fixed(high, decimals, chosen))


def style_of(table: Table, style: str | NumberStyle, *, language: str = ENGLISH) -> NumberStyle:
    """The style as it suits the table: percentages of small groups have no decimals where the journal wants it so.

    **Source.** AMA Manual of Style, section 4.1 (visual presentation of data: a percentage has no more digits than its
    denominator); JMIR Publications, guidelines for reporting statistics (no decimals where N < 100, one from 100, and
    one rule for the whole of a table).
    """
    chosen = number_style(style, language=language)
    if not chosen.percent_by_size:
        return chosen
    sizes = [size for row in table.rows for size in _sizes(row, table.columns)]
    return replace(chosen, percent_decimals=0) if sizes and max(sizes) < 100 else chosen


def _sizes(row: Row, columns: Sequence[Column]) -> Iterator[int]:
    """How many persons the percentages of a row are of: a count and its percentage tell it."""
    counts: dict[str, int] = {}
    for cell, column in zip(row.cells, columns, strict=True):
        if column.kind == "count" and isinstance(cell, int):
            counts[column.spanner] = cell
        elif column.kind == "percent" and isinstance(cell, float) and cell > 0 and column.spanner in counts:
            yield round(100 * counts[column.spanner] / cell)
        elif isinstance(cell, Pair) and _is_share(cell) and isinstance(cell.second, float) and cell.second > 0:
            yield round(100 * cell.first / cell.second)


def _is_share(pair: Pair) -> bool:
    """Whether the pair is a count with its percentage."""
    return isinstance(pair.first, int) and pair.decimals == (0, 1)


FIXED_DECIMALS: Mapping[str, int] = MappingProxyType({"count": 0, "df": 1, "statistic": 2})
"""The decimals of columns whose numbers do not take them from a standard error."""


def cell_text(cell: Cell, column: Column, row: Row, style: NumberStyle) -> str:
    """The text of a cell for people; labels are not yet escaped."""
    if isinstance(cell, str):
        return _words(cell, column, style.language)
    if isinstance(cell, Hidden):
        return word("hidden", style.language)
    if cell is None or isinstance(cell, Missing):
        return EM_DASH
    if isinstance(cell, Pair):
        return _pair_text(cell, row.decimals if column.decimals is None else column.decimals, style)
    fallback = style.percent_decimals if column.kind == "percent" else FIXED_DECIMALS.get(column.kind, row.decimals)
    decimals = fallback if column.decimals is None else column.decimals
    if isinstance(cell, Interval):
        return interval(cell.low, cell.high, decimals, style)
    if column.kind == "p":
        return p_value(cell, style)
    if column.kind == "count":
        return _grouped(fixed(cell, decimals, style), style)
    return fixed(cell, decimals, style)


def _words(cell: str, column: Column, language: str) -> str:
    if column.kind == "contrast":
        return cell.replace(" - ", f" {MINUS} ")
    return cell if column.kind == "verbatim" else cell_label(cell, language)


def _pair_text(pair: Pair, decimals: int, style: NumberStyle) -> str:
    first, second = (decimals if own is None else own for own in pair.decimals)
    second = min(second, style.percent_decimals) if _is_share(pair) else second
    if isinstance(pair.second, Missing):
        inside = EM_DASH
    elif isinstance(pair.second, Interval):
        inside = interval(pair.second.low, pair.second.high, second, style)
    else:
        inside = fixed(pair.second, second, style)
    before = fixed(pair.first, first, style)
    return f"{_grouped(before, style) if first == 0 else before} ({inside})"


def _grouped(digits: str, style: NumberStyle) -> str:
    """Digits in groups of three from 10 000 on, set apart by the mark of the style."""
    return f"{int(digits):,}".replace(",", style.thousands_mark) if len(digits) > 4 else digits


def header_text(column: Column, style: NumberStyle) -> str:
    """The header of a column for people: the journal's symbol over p values, else its label in the language."""
    if column.kind == "p" and column.header == "p":
        return style.p_symbol
    return label(column.header, style.language)
