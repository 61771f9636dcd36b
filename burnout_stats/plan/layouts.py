"""Whose rows these are, and at which visit: the columns of a long file, or the pattern of names of a wide one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ..cohort.columns import Column, MissingCodes
from ..cohort.dates import is_dates
from .recognition import SUBJECT, VISIT, YEARS, time_of
from .traits import FEW

__all__ = ["is_whole", "long_layout", "wide_layout"]

MAX_VISITS = 12
MOSTLY = 4
"""A column with so many times more numbers than words holds numbers, and the check tells where the words are."""

TOKEN = (
    r"(?:baseline|base|bl|pre|post\d*|fu\d*|follow_?up\d*"
    r"|(?:t|w|v|wave|time|visit|tid|tp|m[åa]ling|b[øo]lge)\d{1,2}"
    r"|[ymdw]\d{1,2}|\d{1,2} ?(?:years?|yrs?|y|[åa]r|aar|months?|mnd|mths?|mo|m|weeks?|wks?|w|uker?|d)|\d{1,2})"
)
"""How the visit is written in the name of a column."""


def is_whole(column: Column, n_rows: int) -> bool:
    """Whether every row has a value that may identify: no empty cell, no broken number."""
    if column.numbers is None:
        return len(column) == n_rows and bool((column.codes >= 0).all()) and not is_dates(column)
    numbers = column.numbers.astype(float)
    return not np.isnan(numbers).any() and bool((numbers == np.rint(numbers)).all())


def long_layout(columns: Mapping[str, Column], n: int, subject: str, visit: str) -> tuple[str, str] | None:
    """The columns of subject and visit of a long file, None where there are none."""
    best, chosen = -1.0, None
    persons = [name for name in ([subject] if subject else columns) if name in columns and is_whole(columns[name], n)]
    times = [name for name in ([visit] if visit else columns) if name in columns and is_whole(columns[name], n)]
    labelled = {name: columns[name].to_labels(MissingCodes()) for name in times}
    labelled = {name: (codes, texts) for name, (codes, texts) in labelled.items() if 2 <= len(texts) <= MAX_VISITS}
    for place, who in enumerate(persons):
        codes, ids, _ = columns[who].identifiers()
        rows = np.bincount(codes)
        if not (rows.max() <= MAX_VISITS and n >= 1.1 * len(ids) and len(ids) >= FEW):
            continue
        for when, (at, texts) in labelled.items():
            if when == who or (at < 0).any() or len(np.unique(codes * len(texts) + at)) < n:
                continue
            told = sum(time_of(text)[0] is not None for text in texts) / len(texts)
            points = 4.0 * bool(SUBJECT.fullmatch(who)) + 4.0 * bool(VISIT.fullmatch(when)) + told + (place == 0)
            points += 1.0 * (rows.max() == len(texts))
            is_named = bool(SUBJECT.fullmatch(who) or subject or place == 0)
            if points > best and is_named and (VISIT.fullmatch(when) or YEARS.fullmatch(when) or visit or told == 1):
                best, chosen = points, (who, when)
    return chosen


def wide_layout(columns: Mapping[str, Column], n: int, subject: str) -> tuple[str, str, tuple[str, ...]] | None:
    """The column of subjects, the pattern and the visits of a wide file, None where there are none."""
    whole = [name for name, column in columns.items() if is_whole(column, n)]
    unique = [name for name in whole if len(columns[name].identifiers()[1]) == n]
    named = [name for name in unique if SUBJECT.fullmatch(name)] or [
        name for name in unique if name == next(iter(columns))
    ]
    if subject:
        named = [name for name in unique if name == subject]
    found = _pattern([name for name in columns if name not in named[:1]])
    return (named[0], *found) if named and found and n >= FEW else None


def _pattern(names: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """The pattern by which most columns name a measurement and a visit, and the visits as the file writes them."""
    best, chosen = 0.0, None
    for pattern, regex in _patterns():
        stems: dict[str, list[str]] = {}
        for name in names:
            match = regex.fullmatch(name)
            if match:
                stems.setdefault(match["outcome"], []).append(match["visit"])
        sets = [frozenset(visits) for visits in stems.values() if 2 <= len(visits) <= MAX_VISITS]
        for visits in sorted(set(sets), key=lambda one: (-len(one), sorted(one))):
            bare = all(visit.isdigit() for visit in visits)
            if bare and len(visits) > 5:
                continue  # the numbers of items
            points = sum(len(one) for one in sets if one <= visits) * (1.0 if bare else 3.0) + len(visits) / 100
            points -= 0.5 * (pattern == "{outcome}{visit}") * bare
            if points > best:
                best, chosen = points, (pattern, tuple(sorted(visits, key=_natural)))
    return chosen


def _patterns() -> Iterable[tuple[str, re.Pattern[str]]]:
    for mark in ("_", ".", "-", " ", ""):
        escaped, stem = re.escape(mark), r"(?P<outcome>.*[^\d_. -])" if not mark else r"(?P<outcome>.+?)"
        yield f"{{outcome}}{mark}{{visit}}", re.compile(f"{stem}{escaped}(?P<visit>{TOKEN})", re.IGNORECASE)
        if mark:
            yield (
                f"{{visit}}{mark}{{outcome}}",
                re.compile(f"(?P<visit>{TOKEN}){escaped}(?P<outcome>.+)", re.IGNORECASE),
            )


def _natural(visit: str) -> tuple[float, str]:
    years = time_of(visit)[0]
    return (np.inf if years is None else years, visit)
