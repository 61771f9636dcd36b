"""Dates of assessment: cells become days, days become years since the subject's own baseline date, and visits are held
against their windows.

A year has 365.25 days, so that nominal years and exact years are one unit; the time of day and the time zone of a date
cell do not count. No message holds a date.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from ..errors import Problem, StudyError, did_you_mean
from ..notices import Notice
from .columns import Column, MissingCodes, shape_of
from .places import Places
from .roles import Visits

__all__ = ["DAYS", "OUTSIDE", "Dated", "Timing", "dated", "days_of", "is_dates"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

DAYS = 365.25
"""Days in a year."""

OUTSIDE = {
    "keep": "kept, and counted in a notice",
    "drop": "left out, and counted in a notice",
    "refuse": "refused",
}
"""What may happen to an assessment outside the window of its visit."""

ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?")
SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?")
FIRST = float(np.datetime64("1900-01-01", "D").astype(np.int64))
MARGIN = 10.0
"""So many years after the upper quartile of all dates and the planned follow-up a date cannot be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The column of dates, the window of days before and after the nominal day of a visit, and what happens outside."""

    column: str
    windows: Mapping[str, tuple[float, float]]
    outside: str = "keep"

    @classmethod
    def of(
        cls, column: str | None, windows: Mapping[str, object] | None, outside: str, visits: Visits
    ) -> Timing | None:
        """What a user declares; None where there are no dates.

        Raises
        ------
        StudyError
            `E-STUDY-WINDOW` for windows without dates, of unknown visits or of the baseline, or that are no numbers of
            days; `E-STUDY-VISITS` where no visit stands at 0 years; `E-STUDY-OPTION` for an unknown policy.
        """
        if column is None:
            if windows:
                raise _window_error("Windows of visits are declared, and no column of dates.")
            return None
        if outside not in OUTSIDE:
            raise StudyError(
                "E-STUDY-OPTION",
                f"`outside` is {outside!r}.",
                f"It is one of: {', '.join(f'{name} ({what})' for name, what in OUTSIDE.items())}.",
                did_you_mean(str(outside), OUTSIDE),
            )
        if 0.0 not in visits.years:
            raise StudyError(
                "E-STUDY-VISITS",
                "There are dates, and no visit stands at 0 years.",
                "Exact years are counted from the date of the visit at 0 years.",
                'Declare it, for example times={"baseline": 0, "1 year": 1}.',
            )
        days = {str(label): _window(str(label), said, visits) for label, said in (windows or {}).items()}
        return cls(column=column, windows=days, outside=outside)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dated:
    """Exact years since baseline of each row (NaN where unknown), rows outside their windows, and what is to be said of
    them.
    """

    years: Array
    outside: NDArray[np.bool_]
    problems: tuple[Problem, ...]
    notices: tuple[Notice, ...]


def dated(
    timing: Timing, column: Column, subject: Rows, visit: Rows, visits: Visits, missing: MissingCodes, places: Places
) -> Dated:
    """The dates of a source, checked: cells that are no dates, dates that cannot be, visits out of order, baselines
    without date, assessments outside their windows.

    `subject` and `visit` are codes, negative where the row has none.
    """
    days, problems = _days(timing.column, column, visits, missing, places)
    known = np.flatnonzero((subject >= 0) & (visit >= 0) & ~np.isnan(days))
    problems += _out_of_order(days[known], subject[known], visit[known], known, visits, places)
    base = np.full(int(subject.max(initial=0)) + 1, np.nan)
    first = known[visit[known] == visits.years.index(0.0)]
    base[subject[first]] = days[first]
    since = days - np.where(subject >= 0, base[subject], np.nan)
    outside = np.zeros(len(days), dtype=bool)
    for label, (before, after) in timing.windows.items():
        at = visits.labels.index(label)
        apart = since - np.rint(visits.years[at] * DAYS)
        outside |= (visit == at) & ((apart < -before) | (apart > after))
    notices = _without_baseline(subject[known], since[known], known, places)
    told = _outside(timing, visit, outside, visits, places) if outside.any() else None
    if isinstance(told, Problem):
        problems.append(told)
    elif told is not None:
        notices.append(told)
    return Dated(years=since / DAYS, outside=outside, problems=tuple(problems), notices=tuple(notices))


def days_of(texts: tuple[str, ...]) -> Array:
    """Days since 1970 of each text in ISO form (2004-05-31, a time of day ignored), NaN for anything else.

    >>> days_of(("1970-01-02", "2004-02-30", "31.05.2004"))
    array([ 1., nan, nan])
    """
    epoch = date(1970, 1, 1).toordinal()
    found = np.full(len(texts), np.nan)
    for place, text in enumerate(texts):
        match = ISO.fullmatch(text.strip())
        if match is not None:
            try:
                found[place] = date(int(match[1]), int(match[2]), int(match[3])).toordinal() - epoch
            except ValueError:
                continue  # the thirtieth of February
    return found


def is_dates(column: Column) -> bool:
    """Whether every text of a column is a date in ISO form."""
    used = [column.texts[place] for place in column.used()] if column.numbers is None else []
    return bool(used) and all(ISO.fullmatch(text.strip()) for text in used)


def _days(
    name: str, column: Column, visits: Visits, missing: MissingCodes, places: Places
) -> tuple[Array, list[Problem]]:
    """Days of each row, NaN where there is no usable date."""
    if column.numbers is not None:
        numbers = column.numbers.astype(np.float64)
        rows = np.flatnonzero(~np.isnan(numbers))
        problems = [_no_date(name, rows, [], is_serial=True, places=places)] if len(rows) else []
        return np.full(len(numbers), np.nan), problems
    texts = column.texts
    of_text = days_of(texts)
    wrong = np.array([text.strip() not in missing.texts for text in texts], dtype=bool) & np.isnan(of_text)
    days = np.append(of_text, np.nan)[column.codes]
    problems = []
    if (rows := np.flatnonzero(np.append(wrong, False)[column.codes])).size:
        cells = [texts[place].strip() for place in np.unique(column.codes[rows])]
        serial = all(SERIAL.fullmatch(cell) for cell in cells)
        problems.append(_no_date(name, rows, cells, is_serial=serial, places=places))
    there = days[~np.isnan(days)]
    if not there.size:
        return days, problems
    span = max(visits.years) - min(visits.years) + MARGIN
    latest = float(np.quantile(there, 0.75)) + span * DAYS
    rows = np.flatnonzero((days < FIRST) | (days > latest))
    if rows.size:
        problems.append(
            Problem(
                "E-DATA-DATE-RANGE",
                f"Column `{name}` has {_counted(len(rows), 'date')} before 1900 or long after all others "
                f"({places.say(rows)}).",
                f"The last plausible date is {span:g} years after the upper quartile of the column: the planned "
                f"follow-up and {MARGIN:g} years.",
                "Correct the year; leave the cell blank where the date is not known.",
                places.of(rows),
            )
        )
        days[rows] = np.nan
    return days, problems


def _no_date(name: str, rows: Rows, cells: list[str], *, is_serial: bool, places: Places) -> Problem:
    shapes = sorted({shape_of(cell) for cell in cells})
    what = f" of the form {', '.join(f'`{shape}`' for shape in shapes[:4])}" if shapes else ""
    advice = (
        "These look like a spreadsheet's serial numbers, whose first day is 1900 or 1904: format the column as "
        "yyyy-mm-dd there, and save it again."
        if is_serial
        else "Write them in that form: 03.04.2004 is one day in Norway and another in the United States."
    )
    return Problem(
        "E-DATA-DATE",
        f"Column `{name}` has {_counted(len(rows), 'cell')} without a valid date{what} ({places.say(rows)}).",
        "A date is written as 2004-05-31, or is a date cell of a data frame.",
        advice,
        places.of(rows),
    )


def _out_of_order(days: Array, subject: Rows, visit: Rows, rows: Rows, visits: Visits, places: Places) -> list[Problem]:
    order = np.argsort(subject * len(visits) + visit, kind="stable")
    days, subject, visit, rows = days[order], subject[order], visit[order], rows[order]
    wrong = np.flatnonzero((subject[1:] == subject[:-1]) & (visit[1:] > visit[:-1]) & (days[1:] <= days[:-1])) + 1
    if not wrong.size:
        return []
    both = rows[np.union1d(wrong, wrong - 1)]
    return [
        Problem(
            "E-DATA-DATE-ORDER",
            f"{_counted(len(wrong), 'visit')} {'is' if len(wrong) == 1 else 'are'} dated on or before the day of the "
            f"subject's visit before it ({places.say(both)}).",
            "The dates of a subject's visits are in the order of the visits.",
            "Correct the dates, or the visits if the rows were exchanged.",
            places.of(both),
        )
    ]


def _without_baseline(subject: Rows, since: Array, rows: Rows, places: Places) -> list[Notice]:
    lost = np.isnan(since)
    if not lost.any():
        return []
    n = len(np.unique(subject[lost]))
    return [
        Notice(
            "N-DATA-BASELINE",
            f"{_counted(n, 'subject')} with dates {'has' if n == 1 else 'have'} none at baseline "
            f"({places.say(rows[lost])}).",
            "Their exact years are missing; a model with `exact_years` leaves these rows out.",
        )
    ]


def _outside(
    timing: Timing, visit: Rows, outside: NDArray[np.bool_], visits: Visits, places: Places
) -> Problem | Notice:
    rows = np.flatnonzero(outside)
    counts = np.bincount(visit[rows], minlength=len(visits))
    each = ", ".join(f"{label}: {counts[at]}" for at, label in enumerate(visits.labels) if counts[at])
    n = len(rows)
    seen = f"{_counted(n, 'assessment')} {'lies' if n == 1 else 'lie'} outside the declared windows "
    seen += f"({each}; {places.say(rows)})."
    if timing.outside == "refuse":
        return Problem(
            "E-DATA-WINDOW",
            seen,
            "Windows are declared, with outside = refuse.",
            "Correct the dates, widen the windows, or declare outside = keep or drop.",
            places.of(rows),
        )
    what = "They were left out." if timing.outside == "drop" else "They are kept, under the visit that the source says."
    return Notice("N-DATA-WINDOW", seen, what)


def _window(label: str, said: object, visits: Visits) -> tuple[float, float]:
    if label not in visits.labels:
        raise _window_error(
            f"A window is declared for the visit `{label}`.", did_you_mean(label, visits.labels), visits=visits
        )
    if visits.by_label()[label] == 0.0:
        raise _window_error(f"A window is declared for the visit `{label}`, from which all days are counted.")
    if isinstance(said, Mapping) and set(said) == {"before", "after"}:
        pair = (said["before"], said["after"])
    elif isinstance(said, (tuple, list)) and len(said) == 2:
        pair = (said[0], said[1])
    else:
        pair = (said, said)
    if not all(isinstance(number, (int, float)) and 0 <= number < np.inf for number in pair):
        raise _window_error(f"The window of the visit `{label}` is {said!r}.")
    return float(pair[0]), float(pair[1])


def _window_error(seen: str, advice: str = "", *, visits: Visits | None = None) -> StudyError:
    return StudyError(
        "E-STUDY-WINDOW",
        seen,
        f"The visits are: {', '.join(visits.labels)}."
        if visits is not None
        else "A window is a number of days around the nominal day of a dated follow-up visit.",
        advice
        or 'Write for example date = "assessed" and windows {"1 year": 20, "3 years": {"before": 20, "after": 45}}.',
    )


def _counted(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
