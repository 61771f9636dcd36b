"""The checker of a whole report: every number in its prose must stand in a table beside it, rounded in the same way."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from ..display import Cell, Column, Interval, Pair, Row, Table
from ..display.language import ENGLISH
from ..display.styles import ALPHA, MINUS, NumberStyle, cell_text, fixed, number_style, style_of

__all__ = ["NumbersInTables"]

_BOUNDS = (Decimal("0.001"), Decimal("0.999"), Decimal("0.99"), ALPHA)
_POINTER = re.compile(r"(?:Table|Figure|Tabell|Figur)s? \d+")
_NULL = frozenset({"0"})
"""What a change is compared with; it stands in no table."""
WITHIN_WORD = re.compile(r"(?<=[^\W\d_])[-_]?\d+(?:[.,]\d+)*|\d+(?:[.,]\d+){2,}")
"""Digits that belong to a name (SCL-5, mbi2) or a version (0.7.1)."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that has an interval: how its numbers are written, their values with decimals, and its intervals."""

    written: frozenset[str]
    values: tuple[tuple[float, int], ...]
    intervals: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class NumbersInTables:
    """The numbers that stand in tables as these are written, and a check of prose against them.

    A number in prose is supported where a cell is written so, or would be if it had as few decimals; signs are not
    compared, since "fell by 0.47" tells of −0.47. Where a sentence gives an estimate with its interval, all of them
    must stand in one row: the limits as one interval, and beside it the estimate, the test and the p value. Labels
    (visits, outcomes, levels) are left out, and so are the bounds of p values after `<` or `>`, references to tables
    and figures, digits in names, and 0 as what a change is compared with. Numbers in the notes and headers of a table
    count as standing in it; those in its title do not.

    Parameters
    ----------
    tables : iterable of Table
    style : str or NumberStyle
        How the tables and the prose set their numbers.
    language : str

    Examples
    --------
    >>> from burnout_stats.display import Column, Row
    >>> table = Table(title="", columns=(Column("n", "n", "estimate"),), rows=(Row((0.4712,)),))
    >>> NumbersInTables([table]).unsupported("fell by 0.47, or 0.48"), NumbersInTables([table]).unsupported("by 0.471")
    (('0.48',), ('0.471',))
    """

    tables: Iterable[Table]
    style: str | NumberStyle = "plain"
    language: str = ENGLISH
    _written: frozenset[str] = field(init=False, repr=False)
    _values: tuple[tuple[float, int], ...] = field(init=False, repr=False)
    _rows: tuple[_Row, ...] = field(init=False, repr=False)
    _chosen: NumberStyle = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", tuple(self.tables))
        object.__setattr__(self, "_chosen", number_style(self.style, language=self.language))
        written: set[str] = set(_NULL)
        values: set[tuple[float, int]] = set()
        rows: list[_Row] = []
        for table in self.tables:
            chosen = style_of(table, self._chosen)
            for note in (*table.notes, *(column.header for column in table.columns)):
                written.update(_bare(number, ".") for number in _found(note, number_style("plain")))
            for row in table.rows:
                made = _row(row, table.columns, chosen)
                written |= made.written
                values.update(made.values)
                rows += [made] if made.intervals else []
        object.__setattr__(self, "_written", frozenset(written))
        object.__setattr__(self, "_values", tuple(sorted(values)))
        object.__setattr__(self, "_rows", tuple(dict.fromkeys(rows)))

    def unsupported(self, text: str, *, labels: Iterable[str] = ()) -> tuple[str, ...]:
        """The numbers of a text that stand in none of the tables, as they are written in it; and estimates with
        intervals that stand in no single row, as "0.47 (0.33 to 0.61)".
        """
        for label in sorted(set(labels), key=len, reverse=True):
            if label:
                text = re.sub(rf"(?<![\w.]){re.escape(label)}(?![\w])", " ", text)
        mark = self._chosen.decimal_mark
        for bound in _BOUNDS:
            tail = str(bound).partition(".")[2]
            text = re.sub(rf"[<>]\s*0?{re.escape(mark)}{tail}(?!\d)", " ", text)
        text = _POINTER.sub(" ", text)
        alone = [number for number in _found(text, self._chosen) if not self._stands(_bare(number, mark))]
        return (*alone, *([] if alone else self._apart(text)))

    def _stands(self, number: str) -> bool:
        return _is_among(number, self._written, self._values)

    def _apart(self, text: str) -> Iterator[str]:
        """Estimates with intervals whose numbers stand in different rows."""
        mark = self._chosen.decimal_mark
        one = rf"[{MINUS}-]?\d*(?:{re.escape(mark)}\d+|\d)"
        limits = re.escape(self._chosen.limits)
        limits = limits.replace(r"\{low\}", f"(?P<low>{one})").replace(r"\{high\}", f"(?P<high>{one})")
        before = rf"(?P<estimate>{one})[^\d()]*"
        level = rf"(?:\d[\d.,]*\s?%[^\d{MINUS}\[]*)?"
        after = r"(?P<rest>(?:[^()]|\([^()]*\))*)"
        for found in re.finditer(rf"{before}\({level}{limits}{after}\)", text):
            low, high = (_bare(found[name].lstrip(MINUS + "-"), mark) for name in ("low", "high"))
            others = [found["estimate"].lstrip(MINUS + "-"), *_found(found["rest"], self._chosen)]
            wanted = [_bare(number, mark) for number in others]
            if not any(_holds(row, low, high, wanted) for row in self._rows):
                yield f"{found['estimate']} ({self._chosen.limits.format(low=found['low'], high=found['high'])})"


def _row(row: Row, columns: Sequence[Column], style: NumberStyle) -> _Row:
    written: set[str] = set()
    values: set[tuple[float, int]] = set()
    intervals = []
    for cell, column in zip(row.cells, columns, strict=True):
        if isinstance(cell, str):
            told = [_bare(number, ".") for number in _found(cell, number_style("plain"))]
            values.update((float(number), len(number.partition(".")[2])) for number in told)
        else:
            told = [_bare(number, style.decimal_mark) for number in _found(cell_text(cell, column, row, style), style)]
        written.update(told)
        decimals = max((len(number.partition(".")[2]) for number in told), default=0)
        values.update((value, decimals) for value in _raw(cell))
        both = cell.second if isinstance(cell, Pair) else cell
        if isinstance(both, Interval):
            intervals.append((abs(both.low), abs(both.high), decimals))
    return _Row(frozenset(written), tuple(sorted(values)), tuple(intervals))


def _is_among(number: str, written: Container[str], values: Iterable[tuple[float, int]]) -> bool:
    if number in written:
        return True
    decimals = len(number.partition(".")[2])
    wanted = Decimal(number)
    return any(decimals <= own and Decimal(fixed(value, decimals)) == wanted for value, own in values)


def _holds(row: _Row, low: str, high: str, others: Iterable[str]) -> bool:
    """Whether a row has this interval, in this order or (for a fall told by its size) turned round, and the numbers."""
    for first, second, decimals in row.intervals:
        for a, b in ((first, second), (second, first)):
            if _is_among(low, (), [(a, decimals)]) and _is_among(high, (), [(b, decimals)]):
                return all(_is_among(number, row.written, row.values) for number in others)
    return False


def _found(text: str, style: NumberStyle) -> list[str]:
    mark, group = re.escape(style.decimal_mark), re.escape(style.thousands_mark)
    number = re.compile(rf"\d{{1,3}}(?:{group}\d{{3}})+(?:{mark}\d+)?|\d+(?:{mark}\d+)?|(?<!\d){mark}\d+")
    return [found.replace(style.thousands_mark, "") for found in number.findall(WITHIN_WORD.sub(" ", text))]


def _bare(number: str, mark: str) -> str:
    """The number with a point and a leading zero."""
    told = number.replace(mark, ".")
    return f"0{told}" if told.startswith(".") else told


def _raw(cell: Cell) -> Iterator[float]:
    """The numbers of a cell, without their signs."""
    if isinstance(cell, Pair):
        yield from _raw(cell.first)
        yield from _raw(cell.second)
    elif isinstance(cell, Interval):
        yield from (abs(limit) for limit in (cell.low, cell.high) if math.isfinite(limit))
    elif isinstance(cell, int | float) and math.isfinite(cell):
        yield abs(float(cell))
