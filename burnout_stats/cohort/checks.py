"""What is wrong with a source's cells: each check is a function of columns that answers with problems, all of which are
reported at once.

No message repeats an identifier. The text of a cell is repeated only where it resembles a declared label or stands in
so many rows that it tells about nobody; otherwise a message shows its shape (`99,9`, `aaa`) and its line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import Problem, did_you_mean
from ..notices import Notice
from .columns import Column, decimal_rows, shape_of
from .dialects import looks_like_data
from .places import Places
from .roles import RESERVED, Outcome, Visits

__all__ = [
    "Persons",
    "bad_levels",
    "bad_numbers",
    "bad_visits",
    "bad_years",
    "decimal_marks",
    "duplicates",
    "missing_columns",
    "missing_ids",
    "near_ids",
    "no_values",
    "out_of_range",
    "reserved",
]

Rows = NDArray[np.int64]
Array = NDArray[np.float64]

MISSING_WORDS = frozenset("na n/a nan null none nil . - -- ? missing #n/a #null!".split())
"""Words that often mean "no value" (in any case); they mean it here only where they are declared."""

CODE_LIKE = frozenset(
    [-999.0, -99.0, -9.0, -8.0, -7.0, -1.0, 8.0, 9.0, 77.0, 88.0, 97.0, 98.0, 99.0, 888.0, 998.0, 999.0, 9999.0]
)
"""Numbers that often mean "no value"."""


FEW = 12
"""With more undeclared labels than this the column may be another one (identifiers, for instance), and no message
repeats its cells.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Persons:
    """Whose row each row is, to tell a label that many bear from one that could point at a person."""

    subject: Rows
    min_cell: int

    def are_many(self, rows: NDArray[np.bool_]) -> bool:
        """Whether these rows belong to at least `min_cell` subjects."""
        return len(np.unique(self.subject[rows])) >= self.min_cell


def missing_columns(wanted: Iterable[str], names: Sequence[str]) -> list[Problem]:
    """Columns that are declared and not there."""
    absent = [name for name in wanted if name not in names]
    if absent and looks_like_data(names):
        return [
            Problem(
                "E-DATA-HEADER",
                "The first line holds numbers, and declared columns are not in it.",
                "The first line names the columns.",
                "Add a line of column names.",
                (1,),
            )
        ]
    listed = ", ".join(f"`{name}`" for name in names[:30]) + (f" and {len(names) - 30} more" if len(names) > 30 else "")
    return [
        Problem(
            "E-DATA-COLUMN",
            f"There is no column `{name}`.",
            f"The columns are: {listed}.",
            did_you_mean(name, names) or "Name a column of the data.",
        )
        for name in absent
    ]


def reserved(names: Iterable[str]) -> list[Problem]:
    """Outcomes and covariates that bear the name of a role or of a result."""
    return [
        Problem(
            "E-DATA-RESERVED",
            f"A score or covariate is called `{name}`.",
            f"That name has a meaning in formulas or results ({', '.join(sorted(RESERVED))}).",
            f"Rename the column, for example to `{name}_value`, or leave it out by naming the covariates.",
        )
        for name in names
        if name in RESERVED or not name.isprintable()
    ]


def missing_ids(rows: Rows, places: Places) -> list[Problem]:
    """Rows without a subject."""
    if not len(rows):
        return []
    return [
        Problem(
            "E-DATA-ID",
            f"{_rows(rows, places)} no subject identifier ({places.say(rows)}).",
            "Every row belongs to a subject.",
            "Fill in the identifier, or remove the row.",
            places.of(rows),
        )
    ]


def near_ids(ids: NDArray[np.object_], codes: Rows, places: Places) -> list[Notice]:
    """Identifiers that differ only by case, space or leading zeros: perhaps one person twice."""
    if not len(ids) or not isinstance(ids[0], str) or all(text[0] != "0" and text.isdigit() for text in ids):
        return []
    folded = [" ".join(str(text).casefold().split()).lstrip("0") for text in ids]
    found = pd.factorize(np.array(folded, dtype=object))[0]
    near = np.flatnonzero(np.bincount(found)[found] > 1)
    if not len(near):
        return []
    rows = np.flatnonzero(np.isin(codes, near))
    return [
        Notice(
            "N-DATA-IDS",
            f"{len(near)} subject identifiers differ from another one only by case, space or leading zeros "
            f"({places.say(rows)}).",
            "They count as different subjects; if they are not, write each identifier in one way.",
        )
    ]


def bad_visits(
    codes: Rows, labels: Sequence[str], known: Mapping[str, int], visits: Visits, places: Places, persons: Persons
) -> tuple[Rows, list[Problem]]:
    """For each row the place of its visit (-1 where unknown), and problems: blank labels and undeclared ones."""
    table = np.array([*(known.get(label, -1) for label in labels), -1], dtype=np.int64)
    found = table[codes]
    problems = []
    blank = np.flatnonzero(codes < 0)
    if len(blank):
        problems.append(
            Problem(
                "E-DATA-VISIT",
                f"{_rows(blank, places)} no visit ({places.say(blank)}).",
                f"Every row is one of the visits: {', '.join(visits.labels)}.",
                "Fill in the visit, or remove the row.",
                places.of(blank),
            )
        )
    unknown = [place for place, label in enumerate(labels) if label not in known]
    near = {place: did_you_mean(labels[place], known) for place in unknown} if len(unknown) <= FEW else {}
    for place in [place for place in unknown if near.get(place)]:
        rows = np.flatnonzero(codes == place)
        problems.append(_unknown_visit(f" `{labels[place]}`", rows, near[place], visits, places))
    others = [place for place in unknown if not near.get(place)]
    if others:
        rows = np.flatnonzero(np.isin(codes, others))
        frequent = (
            [f"`{labels[place]}`" for place in others if persons.are_many(codes == place)]
            if len(unknown) <= FEW
            else []
        )
        what = f" ({', '.join(frequent[:5])})" if frequent else ""
        advice = "Declare it under visits, or translate it with visit_codes."
        problems.append(_unknown_visit(f" that is not declared{what}", rows, advice, visits, places))
    return found, problems


def _unknown_visit(label: str, rows: Rows, advice: str, visits: Visits, places: Places) -> Problem:
    return Problem(
        "E-DATA-VISIT",
        f"{_rows(rows, places)} a visit label{label} ({places.say(rows)}).",
        f"The visits are: {', '.join(visits.labels)}.",
        advice,
        places.of(rows),
    )


def duplicates(subject: Rows, visit: Rows, places: Places) -> list[Problem]:
    """Rows that are the second of a subject's visit, with the first; `subject` and `visit` sorted, invalid ones left
    out.
    """
    again = np.flatnonzero((subject[1:] == subject[:-1]) & (visit[1:] == visit[:-1])) + 1
    if not len(again):
        return []
    rows = np.union1d(again, again - 1)
    keys = int((np.diff(again, prepend=-2) > 1).sum())
    return [
        Problem(
            "E-DATA-DUPLICATE",
            f"{keys} {'visit of a subject has' if keys == 1 else 'visits of subjects have'} more than one row "
            f"({places.say(rows)}).",
            "A subject has one row for each visit.",
            "Keep the right row; if they are two subjects, give them different identifiers.",
            places.of(rows),
        )
    ]


def decimal_marks(columns: Mapping[str, Column], places: Places) -> tuple[str, list[Problem]]:
    """The one decimal mark of the source, and a problem where there are two, or where a comma could be a thousands
    separator.
    """
    points, commas, is_certain = decimal_rows(columns.values())
    if len(points) and len(commas):
        fewer, mark = (commas, "comma") if len(commas) <= len(points) else (points, "point")
        problem = Problem(
            "E-DATA-DECIMAL",
            f"Some numbers have a decimal comma and some a decimal point; the {mark} stands in {places.say(fewer)}.",
            "A source has one decimal mark.",
            "Write all numbers in one way and without thousands separators.",
            places.of(fewer),
        )
        return "." if mark == "comma" else ",", [problem]
    if len(commas) and not is_certain:
        problem = Problem(
            "E-DATA-DECIMAL",
            f"The comma in numbers such as 1,234 could separate decimals or thousands ({places.say(commas)}).",
            "A decimal comma that could be a thousands separator is declared.",
            'Write decimal = ",", or remove the thousands separators.',
            places.of(commas),
        )
        return ",", [problem]
    return "," if len(commas) else ".", []


def bad_numbers(name: str, column: Column, rows: Rows, places: Places, decimal: str) -> list[Problem]:
    """Cells of a numeric column that are no numbers."""
    if not len(rows):
        return []
    if column.numbers is not None:
        what, advice = " that are infinite", "Replace them by numbers, or by nothing where the value is missing."
    else:
        texts = sorted({column.texts[place].strip() for place in np.unique(column.codes[rows])})
        words = sorted(text for text in texts if text.casefold() in MISSING_WORDS)
        shapes = sorted({shape_of(text) for text in texts if text not in words})
        what = f" of the form {', '.join(f'`{shape}`' for shape in shapes[:4])}" if shapes else ""
        if words:
            advice = (
                f"If {', '.join(f'`{word}`' for word in words)} means a missing value, declare it in missing_codes."
            )
        elif any(("," if decimal == "." else ".") in text for text in texts):
            advice = (
                f"The decimal mark here is `{decimal}`; write all numbers with it and without thousands separators."
            )
        else:
            advice = "Correct them, or declare levels where the column holds categories."
    cells = "cell that is not a number" if len(rows) == 1 else "cells that are not numbers"
    return [
        Problem(
            "E-DATA-NUMBER",
            f"Column `{name}` has {len(rows)} {cells}{what} ({places.say(rows)}).",
            "A numeric column holds numbers and blanks.",
            advice,
            places.of(rows),
        )
    ]


def out_of_range(outcome: Outcome, values: Array, places: Places, common: int) -> list[Problem]:
    """Scores outside the range of their scale; a number that stands there often, or looks like a code, is named."""
    if outcome.range is None:
        return []
    low, high = outcome.range
    rows = np.flatnonzero((values < low) | (values > high))
    if not len(rows):
        return []
    found, counts = np.unique(values[rows], return_counts=True)
    codes = [number for number, count in zip(found, counts, strict=True) if count >= common or number in CODE_LIKE]
    named = ", ".join(f"{number:g}" for number in codes[:4])
    advice = (
        f"If {named} means a missing value, declare missing_codes = [{named}]."
        if codes
        else "Correct the values, or the declared range."
    )
    return [
        Problem(
            "E-DATA-RANGE",
            f"Outcome `{outcome.name}` has {_counted(len(rows), 'value')} outside its range ({places.say(rows)}).",
            f"Its scale runs from {low:g} to {high:g}.",
            advice,
            places.of(rows),
        )
    ]


def no_values(name: str, values: Array | Rows) -> list[Problem]:
    """A declared column in which nothing stands."""
    empty = np.isnan(values).all() if values.dtype.kind == "f" else (values < 0).all()
    if not empty:
        return []
    return [
        Problem(
            "E-DATA-BLANK",
            f"Column `{name}` has no value in any row.",
            "A declared column holds at least one value.",
            "Check the column and missing_codes, or do not declare it.",
        )
    ]


def bad_levels(
    name: str, codes: Rows, labels: Sequence[str], levels: Sequence[str], places: Places, persons: Persons
) -> list[Problem]:
    """Categories that nobody declared."""
    unknown = [place for place, label in enumerate(labels) if label not in levels]
    if not unknown:
        return []
    rows = np.flatnonzero(np.isin(codes, unknown))
    few = unknown if len(unknown) <= FEW else []
    hints = {place: did_you_mean(labels[place], levels) for place in few}
    words = [labels[place] for place in few if labels[place].casefold() in MISSING_WORDS]
    told = [labels[place] for place in few if hints[place] or persons.are_many(codes == place)]
    shown = ", ".join(f"`{label}`" for label in dict.fromkeys([*words, *told[:5]]))
    advice = next((hint for hint in hints.values() if hint), "")
    if words:
        advice = f"If {', '.join(f'`{word}`' for word in words)} means a missing value, declare it in missing_codes."
    return [
        Problem(
            "E-DATA-LEVEL",
            f"Column `{name}` has {_counted(len(rows), 'cell')} with a level that is not declared"
            f"{f': {shown}' if shown else ''} ({places.say(rows)}).",
            f"Its levels are: {', '.join(levels)}.",
            advice or "Correct the cells, or declare the level.",
            places.of(rows),
        )
    ]


def bad_years(values: Array, years: Array, places: Places) -> list[Problem]:
    """A column called `years` that is not the time of the visits."""
    rows = np.flatnonzero(~(np.abs(values - years) < 1e-6))
    if not len(rows):
        return []
    return [
        Problem(
            "E-DATA-YEARS",
            f"Column `years` does not hold the declared time of the visit ({places.say(rows)}).",
            "`years` is the name of the nominal time of a visit since baseline.",
            "Rename the column if it means something else, or correct the times.",
            places.of(rows),
        )
    ]


def _counted(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


def _rows(rows: Rows, places: Places) -> str:
    n = places.count(rows)
    return "1 row has" if n == 1 else f"{n} rows have"
