"""Cells that identify people outside the study: national identity numbers, addresses and telephone numbers.

A number that only looks like an identity number passes its checks now and then (one in about 550 for eleven random
digits), so a column is refused where at least `SHARE` of the cells of that shape pass. Bare Danish numbers are judged
by their old check digit, and with their hyphen by their date, because numbers issued since 2007 need not have it.

Source of the rules. Norway, Skatteetaten: weights 3 7 6 1 8 9 4 5 2 and 5 4 3 2 7 6 5 4 3 2, modulo 11; D-numbers add
40 to the day, H-numbers 40 to the month, synthetic ones of the tax administration 80. Sweden, Skatteverket: modulus 10
(Luhn) over ten digits; coordination numbers add 60 to the day. Denmark, CPR-kontoret: weights 4 3 2 7 6 5 4 3 2 1,
modulo 11. Finland, DVV: the nine digits modulo 31 choose among `HETU`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import Problem
from .columns import Column
from .places import Places

__all__ = ["identifying", "lost_digits"]

Bools = NDArray[np.bool_]
Digits = NDArray[np.int64]
Rows = NDArray[np.int64]

SHARE = 0.2
HETU = "0123456789ABCDEFHJKLMNPRSTUVWXY"

CANDIDATE = re.compile(
    r"(?<![\w.,+-])(?:(?P<twelve>(?:18|19|20)\d{6}[-+]?\d{4})|(?P<eleven>\d{6} ?\d{5})|(?P<bare>\d{10})"
    r"|(?P<signed>\d{6}[-+]\d{4})|(?P<lettered>\d{6}[-+A-FU-Y]\d{3}[0-9A-HJ-NPR-Y]))(?!\w|[.,+-]\d)",
    re.ASCII,
)
ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\.[A-Za-z]{2,}")
TELEPHONE = re.compile(
    r"(?<![\w.,])(?:\+[1-9]|00[1-9]\d?[ -])\d?(?:[ -]?\d){7,13}(?![\d.,])"
    r"|(?<![\w.,-])(?:\d{2} \d{2} \d{2} \d{2}|[2-9]\d{2} \d{2} \d{3})(?![\w.,-]| \d)",
    re.ASCII,
)
"""International form, or eight digits in the Norwegian and Danish groups; without spaces they could be anything."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A country's number: which shapes it has, and which of them pass; `share` of them make it the column's content."""

    country: str
    shapes: tuple[str, ...]
    passes: Callable[[Digits], Bools]
    share: float = SHARE


def identifying(name: str, column: Column, places: Places) -> list[Problem]:
    """A column that holds identity numbers, e-mail addresses or telephone numbers."""
    problems = []
    rows, country = _national(column)
    if len(rows):
        problems.append(
            Problem(
                "E-DATA-IDENTITY",
                f"Column `{name}` holds {country} identity numbers ({places.say(rows)}).",
                "No file for analysis names persons; a subject has a pseudonym, and the study keeps the key.",
                "Replace the numbers by pseudonyms before the file leaves the place where the key is kept.",
                places.of(rows),
            )
        )
    rows = _contacts(column)
    if len(rows):
        problems.append(
            Problem(
                "E-DATA-CONTACT",
                f"Column `{name}` holds e-mail addresses or telephone numbers ({places.say(rows)}).",
                "No file for analysis holds what persons can be reached by.",
                "Delete the column; replace addresses that serve as identifiers by pseudonyms.",
                places.of(rows),
            )
        )
    return problems


def lost_digits(column: Column, places: Places) -> list[Problem]:
    """Identifiers that were numbers with decimals for a while and have lost their last digits."""
    numbers = column.numbers
    if numbers is None or numbers.dtype.kind != "f":
        return []
    rows = np.flatnonzero(np.abs(numbers.astype(np.float64)) >= 2.0**53)
    if not len(rows):
        return []
    return [
        Problem(
            "E-DATA-DIGITS",
            f"{len(rows)} {'identifier is a number' if len(rows) == 1 else 'identifiers are numbers'} of more digits "
            f"than a floating-point number holds ({places.say(rows)}).",
            "Two different identifiers of 17 digits or more can be the same number.",
            'Read the column as text: pandas.read_csv(..., dtype={"id": str}), or hand over the file itself.',
            places.of(rows),
        )
    ]


def _national(column: Column) -> tuple[Rows, str]:
    """The rows of the first country whose number the column holds."""
    if column.numbers is not None:
        found = _of_numbers(column.numbers)
        at = np.arange(len(column)) if found else np.empty(0, dtype=np.int64)
    else:
        found, at = _of_texts(column.texts)
    for rule in RULES if found else ():
        shapes = [shape for shape in rule.shapes if shape in found]
        passed = {shape: rule.passes(found[shape][1]) for shape in shapes}
        n = sum(len(hits) for hits in passed.values())
        if n and sum(int(hits.sum()) for hits in passed.values()) >= max(1.0, rule.share * n):
            where = np.concatenate([found[shape][0][hits] for shape, hits in passed.items()])
            return _rows(column, at[where]), rule.country
    return np.empty(0, dtype=np.int64), ""


def _rows(column: Column, where: Rows) -> Rows:
    if column.numbers is not None:
        return where
    is_hit = np.zeros(len(column.texts) + 1, dtype=bool)
    is_hit[where] = True
    return np.flatnonzero(is_hit[column.codes])


def _of_texts(texts: Sequence[str]) -> tuple[dict[str, tuple[Rows, Digits]], Rows]:
    """By shape, the places of texts that hold a candidate and its characters' values (rows × 10 or 11)."""
    joined = "\n".join(texts)
    cells: dict[str, list[str]] = {}
    starts: dict[str, list[int]] = {}
    for match in CANDIDATE.finditer(joined):
        shape = str(match.lastgroup)
        text = match[0]
        if shape in ("signed", "lettered"):
            text = text[:6] + text[7:]
        elif shape == "twelve":
            text = text.replace("-", "").replace("+", "")[-10:]
        else:
            text = text.replace(" ", "")
        cells.setdefault(shape, []).append(text)
        starts.setdefault(shape, []).append(match.start())
    if not cells:
        return {}, np.empty(0, dtype=np.int64)
    ends = np.cumsum([len(text) + 1 for text in texts])
    values = np.full(128, -1, dtype=np.int64)
    values[[ord(letter) for letter in HETU]] = np.arange(len(HETU))
    found = {}
    for shape, own in cells.items():
        width = len(own[0])
        letters = np.frombuffer("".join(own).encode("ascii", "replace"), dtype=np.uint8).reshape(-1, width)
        found[shape] = (np.searchsorted(ends, starts[shape], side="right").astype(np.int64), values[letters])
    return found, np.arange(len(texts))


def _of_numbers(numbers: NDArray[np.generic]) -> dict[str, tuple[Rows, Digits]]:
    """As `_of_texts`, for numbers whose leading zero has been lost."""
    values = numbers.astype(np.float64, copy=False)
    if not np.fmax.reduce(values, initial=0.0) >= 1e8:
        return {}
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero((values >= 1e8) & (values < 1e11) & (values == np.rint(values)))
    if not len(rows):
        return {}
    whole = values[rows].astype(np.int64)
    found = {}
    for shape, width in (("eleven", 11), ("bare", 10)):
        fits = (whole < 10**width) & (whole >= 10 ** (width - 2))
        if fits.any():
            powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
            found[shape] = (rows[fits], (whole[fits, None] // powers) % 10)
    return found


def _contacts(column: Column) -> Rows:
    if column.numbers is not None:
        return np.empty(0, dtype=np.int64)
    joined = "\n".join(column.texts)
    starts = [match.start() for match in ADDRESS.finditer(joined)] if "@" in joined else []
    if "+" in joined or " " in joined:
        starts += [match.start() for match in TELEPHONE.finditer(joined)]
    if not starts:
        return np.empty(0, dtype=np.int64)
    ends = np.cumsum([len(text) + 1 for text in column.texts])
    return _rows(column, np.unique(np.searchsorted(ends, starts, side="right")).astype(np.int64))


def _norwegian(d: Digits) -> Bools:
    day, month = 10 * d[:, 0] + d[:, 1], 10 * d[:, 2] + d[:, 3]
    first = (d[:, :9] @ np.array([3, 7, 6, 1, 8, 9, 4, 5, 2]) + d[:, 9]) % 11 == 0
    second = (d[:, :10] @ np.array([5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) + d[:, 10]) % 11 == 0
    return np.asarray(first & second & _is_day(day, month, days=(0, 40), months=(0, 40, 80)), dtype=bool)


def _swedish(d: Digits) -> Bools:
    doubled = d * np.array([2, 1, 2, 1, 2, 1, 2, 1, 2, 1])
    passes = (doubled // 10 + doubled % 10).sum(1) % 10 == 0
    is_day = _is_day(10 * d[:, 4] + d[:, 5], 10 * d[:, 2] + d[:, 3], days=(0, 60))
    return np.asarray(passes & is_day, dtype=bool)


def _danish_date(d: Digits) -> Bools:
    return _is_day(10 * d[:, 0] + d[:, 1], 10 * d[:, 2] + d[:, 3])


def _danish(d: Digits) -> Bools:
    passes = d @ np.array([4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0
    return np.asarray(_danish_date(d) & passes, dtype=bool)


def _finnish(d: Digits) -> Bools:
    number = d[:, :9] @ 10 ** np.arange(8, -1, -1, dtype=np.int64)
    return np.asarray(_danish_date(d) & (number % 31 == d[:, 9]), dtype=bool)


def _is_day(day: Digits, month: Digits, days: tuple[int, ...] = (0,), months: tuple[int, ...] = (0,)) -> Bools:
    is_day = np.logical_or.reduce([(day > more) & (day <= more + 31) for more in days])
    is_month = np.logical_or.reduce([(month > more) & (month <= more + 12) for more in months])
    return np.asarray(is_day & is_month, dtype=bool)


RULES = (
    Rule("Norwegian", ("eleven",), _norwegian),
    Rule("Finnish", ("lettered", "signed"), _finnish),
    Rule("Swedish", ("twelve", "signed", "bare"), _swedish),
    Rule("Danish", ("bare",), _danish, 0.5),
    Rule("Danish", ("signed",), _danish_date, 0.5),
)
