"""What a data file seems to hold: `look(table, labels) -> Look`: whose rows these are, at which visit, and which
columns are scores, properties, dates, items or free text. Nothing of a person leaves this file: names of columns,
labels of variables, and levels that enough people share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cohort.columns import Column, MissingCodes, UntypedError, decimal_rows
from ..cohort.dates import DAYS, days_of, is_dates
from ..cohort.layout import Table, columns_by_visit
from ..errors import StudyError
from .layouts import is_whole, long_layout, wide_layout
from .recognition import YEARS, time_of
from .traits import FEW, Trait, differs, trait_of

__all__ = ["Look", "look"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """A whole file, as it looks.

    `years` are by visit as the file writes it: the number, and whence it is known (empty where it is only a guess).
    """

    subject: str
    visit: str = ""
    wide: str = ""
    years: Mapping[str, tuple[float, str]]
    date: str = ""
    traits: tuple[Trait, ...]
    n_subjects: int
    decimal: str


def look(table: Table, labels: Mapping[str, str], *, subject: str = "", visit: str = "") -> Look:
    """What a table seems to hold; `labels` are those of its variables.

    Raises
    ------
    StudyError
        `E-STUDY-DRAFT` where no column tells the person, or nothing tells the visit.
    """
    columns = _columns(table)
    points, commas, _ = decimal_rows(columns.values())
    decimal = "," if len(commas) > len(points) else "."
    long = long_layout(columns, table.n_rows, subject, visit)
    if long is not None:
        return _look_long(columns, labels, *long, decimal)
    wide = None if visit else wide_layout(columns, table.n_rows, subject)
    if wide is not None:
        return _look_wide(columns, table, labels, *wide, decimal)
    people = [name for name, column in columns.items() if is_whole(column, table.n_rows)]
    raise StudyError(
        "E-STUDY-DRAFT",
        f"Of the {len(columns)} columns none that tells whose row it is could be found."
        if not people
        else "Nothing tells which visit a row, or a column, belongs to.",
        "A long file has a row for each person and visit, with a column for each of the two; a wide one has a row for "
        "each person, and the visit at the end of the names of columns, as in burnout_t0 and burnout_t1.",
        "Name them: burnout-stats init data.csv --subject COLUMN --visit COLUMN.",
    )


def _columns(table: Table) -> dict[str, Column]:
    found = {}
    for name in table.columns:
        try:
            found[name] = table.column(name)
        except UntypedError:
            continue
    return found


def _look_long(
    columns: Mapping[str, Column], labels: Mapping[str, str], subject: str, visit: str, decimal: str
) -> Look:
    who, ids, _ = columns[subject].identifiers()
    at, texts = columns[visit].to_labels(MissingCodes())
    rest = {name: column for name, column in columns.items() if name not in (subject, visit)}
    traits = tuple(trait_of(name, labels.get(name, ""), column, who, decimal) for name, column in rest.items())
    dates = _dates(rest, who)
    told = {name: _times(columns[name], name, at, len(texts), decimal) for name in columns if YEARS.fullmatch(name)}
    since = next((years for years in told.values() if years is not None), None)
    measured = since if since is not None else _since(rest[dates], who, at, len(texts)) if dates else None
    how = "as the file says" if since is not None else "the median of the dates"
    return Look(
        subject=subject,
        visit=visit,
        years=_years(texts, measured, how),
        date=dates,
        traits=tuple(trait for trait in traits if trait.name != dates and trait.name not in told),
        n_subjects=len(ids),
        decimal=decimal,
    )


def _look_wide(
    columns: Mapping[str, Column],
    table: Table,
    labels: Mapping[str, str],
    subject: str,
    pattern: str,
    visits: tuple[str, ...],
    decimal: str,
) -> Look:
    n, k = table.n_rows, len(visits)
    measured = columns_by_visit(tuple(columns), pattern, visits, {}, subject=subject)
    measured = {stem: names for stem, names in measured.items() if sum(name is not None for name in names) > 1}
    taken = {name for names in measured.values() for name in names}
    once = {name: column for name, column in columns.items() if name not in taken and name != subject}
    who = np.tile(np.arange(n), k)
    stacks = {
        stem: Column.stacked([None if name is None else columns[name] for name in names], n)
        for stem, names in measured.items()
    }
    told = {stem: _own_label([labels.get(str(name), "") for name in names]) for stem, names in measured.items()}
    by_visit = tuple(trait_of(stem, told[stem], column, who, decimal, moves=True) for stem, column in stacks.items())
    traits = (
        *by_visit,
        *(trait_of(name, labels.get(name, ""), one, np.arange(n), decimal) for name, one in once.items()),
    )
    dates = _dates(stacks, who)
    since = _since(stacks[dates], who, np.repeat(np.arange(k), n), k) if dates else None
    return Look(
        subject=subject,
        wide=pattern,
        years=_years(visits, since, "the median of the dates"),
        date=dates,
        traits=tuple(trait for trait in traits if trait.name != dates),
        n_subjects=n,
        decimal=decimal,
    )


def _own_label(labels: Sequence[str]) -> str:
    """What the labels of a measurement's columns have in common: the first, without what tells the visit."""
    given = [label for label in labels if label]
    if not given:
        return ""
    words = given[0].split()
    kept = [word for word in words if all(word in other.split() for other in given)]
    told = " ".join(kept).strip(" ,;:-–")
    return told or given[0]


def _dates(columns: Mapping[str, Column], who: Codes) -> str:
    """The column of dates that differ within persons, an assessment's; nothing where there is none or several."""
    moving = []
    for name, column in columns.items():
        if is_dates(column) and differs(days_of(column.texts)[column.codes] if len(column.texts) else np.empty(0), who):
            moving.append(name)
    return moving[0] if len(moving) == 1 else ""


def _since(column: Column, who: Codes, at: Codes, n_visits: int) -> tuple[float, ...] | None:
    """The median time since each person's first date at each visit, in years; None where too few have one."""
    days = np.append(days_of(column.texts), np.nan)[column.codes]
    first = np.full(int(who.max()) + 1, np.inf)
    known = ~np.isnan(days)
    np.minimum.at(first, who[known], days[known])
    since = (days - first[who]) / DAYS
    medians = []
    for visit in range(n_visits):
        there = since[known & (at == visit)]
        if len(there) < FEW:
            return None
        medians.append(float(np.median(there)))
    return tuple(medians)


def _times(column: Column, name: str, at: Codes, n_visits: int, decimal: str) -> tuple[float, ...] | None:
    """The time of each visit in a column that tells it, in years; None where rows of a visit differ."""
    values, wrong = column.to_numbers(MissingCodes(), decimal)
    match = YEARS.fullmatch(name)
    unit = 1 / 12 if match and match["months"] else 1.0
    found = [np.unique(values[at == visit]) for visit in range(n_visits)]
    if len(wrong) or any(len(one) != 1 or np.isnan(one).any() for one in found):
        return None
    return tuple(float(one[0]) * unit for one in found)


def _years(labels: Sequence[str], measured: tuple[float, ...] | None, how: str) -> dict[str, tuple[float, str]]:
    """Years since baseline by visit, in order, each with how it is known; a guess has no word for that."""
    told = [time_of(label) for label in labels]
    found: dict[str, tuple[float, str]] = {}
    for place, (label, (years, is_sure)) in enumerate(zip(labels, told, strict=True)):
        if is_sure and years is not None:
            found[label] = (round(years, 3), "the label says so")
        elif measured is not None:
            near = round(measured[place])
            found[label] = (float(near) if abs(measured[place] - near) < 0.15 else round(measured[place], 2), how)
        elif years is not None and not any(sure for _, sure in told):
            least = min(year for year, _ in told if year is not None)
            found[label] = (years - least, "")
        else:
            found[label] = (float(place), "")
    if len({years for years, _ in found.values()}) < len(found):
        found = {label: (float(place), "") for place, label in enumerate(labels)}
    return dict(sorted(found.items(), key=lambda item: item[1][0]))
