"""From a source's own layout to one row per subject and visit: long sources as they are, wide ones with their columns
stacked visit by visit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import Problem
from ..notices import Notice
from .checks import missing_columns, reserved
from .columns import Column, UntypedError
from .declaration import Declaration
from .places import Places

__all__ = ["Laid", "Table", "columns_by_visit", "lay_out", "left_out"]

Cells = NDArray[np.object_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """A source before its cells mean anything: named columns of text (a file) or series (a data frame), and where each
    row stands.
    """

    columns: Mapping[str, Cells | pd.Series | Column]
    places: Places
    n_rows: int

    def column(self, name: str) -> Column:
        """One column.

        Raises
        ------
        UntypedError
        """
        cells = self.columns[name]
        if isinstance(cells, Column):
            return cells
        return Column.of_series(cells) if isinstance(cells, pd.Series) else Column.of_cells(cells)

    def stacked(self, names: Sequence[str | None]) -> Column:
        """Several columns one below the other; None stands for a column without values.

        Raises
        ------
        UntypedError
        """
        parts = [self.columns[name] for name in names if name is not None]
        if isinstance(parts[0], Column):
            own = [part for part in parts if isinstance(part, Column)]
            stack = iter(own)
            return Column.stacked([None if name is None else next(stack) for name in names], self.n_rows)
        if isinstance(parts[0], pd.Series):
            nothing = pd.Series(np.full(self.n_rows, np.nan))
            series = [nothing if name is None else pd.Series(self.columns[name]) for name in names]
            if any(isinstance(part.dtype, pd.CategoricalDtype) for part in series):
                series = [part.astype(object) for part in series]
            return Column.of_series(pd.concat(series, ignore_index=True))
        blank = np.full(self.n_rows, "", dtype=object)
        return Column.of_cells(np.concatenate([blank if name is None else self.columns[name] for name in names]))


@dataclass(slots=True, kw_only=True, eq=False)
class Laid:
    """The columns of a source, one row per subject and visit, while they are being checked.

    `visit` is a column of labels (long) or already the place of the visit (wide). `at_visit` names what is measured
    visit by visit: in a wide source a row where none of it has a value is no visit.
    """

    places: Places
    subject: Column | None = None
    visit: Column | None = None
    visit_codes: NDArray[np.int64] | None = None
    date: Column | None = None
    columns: dict[str, Column] = field(default_factory=dict)
    at_visit: frozenset[str] = frozenset()
    undeclared: tuple[str, ...] = ()
    not_used: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


def lay_out(table: Table, said: Declaration) -> Laid:
    """The declared columns of a table, and where nothing is said about covariates, all others too."""
    return _wide(table, said) if said.wide is not None else _long(table, said)


def _long(table: Table, said: Declaration) -> Laid:
    names = tuple(table.columns)
    laid = Laid(places=table.places)
    roles = (said.subject, said.visit, said.date, *said.outcomes, *(said.covariates or ()))
    laid.problems += missing_columns([name for name in roles if name is not None], names)
    others = tuple(name for name in names if name not in roles)
    undeclared = others if said.covariates is None else ()
    laid.not_used = () if said.covariates is None else others
    laid.undeclared = tuple(name for name in undeclared if name != "years")
    laid.problems += reserved((*said.outcomes, *(said.covariates or ()), *laid.undeclared))
    laid.subject = _column(laid, table, [said.subject])
    laid.visit = _column(laid, table, [said.visit])
    laid.date = None if said.date is None else _column(laid, table, [said.date])
    for name in (*said.outcomes, *(said.covariates or ()), *undeclared):
        column = _column(laid, table, [name], is_declared=name not in laid.undeclared)
        if column is not None:
            laid.columns[name] = column
    return laid


def _wide(table: Table, said: Declaration) -> Laid:
    names = tuple(table.columns)
    n_visits = len(said.visits)
    laid = Laid(places=table.places.take(np.tile(np.arange(table.n_rows), n_visits)))
    laid.problems += missing_columns([said.subject], names)
    measured = columns_by_visit(names, str(said.wide), said.visits.labels, said.visit_codes, subject=said.subject)
    wanted = (*said.outcomes, *(said.covariates or ()))
    used: set[str | None] = {said.subject}
    found: dict[str, list[str | None]] = {}
    for name in wanted:
        if name in measured and (name in said.outcomes or name not in names):
            found[name] = measured[name]
        elif name in names and name not in said.outcomes:
            found[name] = [name] * n_visits
        else:
            laid.problems += missing_columns(
                [str(said.wide).format(outcome=name, visit=code) for code in _codes(said)], names
            )
    for columns in found.values():
        used.update(columns)
    dates = measured.pop(said.date, None) if said.date is not None else None
    if said.date is not None and dates is None:
        laid.problems += missing_columns(
            [str(said.wide).format(outcome=said.date, visit=code) for code in _codes(said)], names
        )
    used.update(dates or ())
    at_visit = {name for name in found if name in measured}
    rest = [name for name in names if name not in used]
    if said.covariates is None:
        by_visit = {
            name: columns
            for name, columns in measured.items()
            if name not in wanted and name not in names and not used & set(columns)
        }
        taken = {column for columns in by_visit.values() for column in columns}
        laid.undeclared = (*by_visit, *(name for name in rest if name not in taken))
        at_visit |= set(by_visit)
        found |= by_visit | {name: [name] * n_visits for name in rest if name not in taken}
    else:
        laid.not_used = tuple(rest)
    laid.at_visit = frozenset(at_visit)
    laid.problems += reserved((*wanted, *laid.undeclared))
    laid.subject = _column(laid, table, [said.subject] * n_visits)
    laid.visit_codes = np.repeat(np.arange(n_visits), table.n_rows)
    laid.date = None if dates is None else _column(laid, table, dates, label=said.date)
    for name, columns in found.items():
        column = _column(laid, table, columns, is_declared=name not in laid.undeclared, label=name)
        if column is not None:
            laid.columns[name] = column
        laid.notices += _not_measured(name, columns, said)
    return laid


def _codes(said: Declaration) -> list[str]:
    """What the source writes for each visit, in order of the visits: its code, or its label where it has none."""
    codes = {label: code for code, label in said.visit_codes.items()}
    return [codes.get(label, label) for label in said.visits.labels]


def columns_by_visit(
    names: Sequence[str], pattern: str, labels: Sequence[str], visit_codes: Mapping[str, str], *, subject: str
) -> dict[str, list[str | None]]:
    """Columns that follow the pattern, by what they measure: the name of the column at each visit, or None."""
    place = {label: at for at, label in enumerate(labels)}
    place |= {code: labels.index(label) for code, label in visit_codes.items()}
    codes = "|".join(re.escape(code) for code in sorted(place, key=len, reverse=True))
    parts = re.split(r"(\{outcome\}|\{visit\})", pattern)
    kinds = {"{outcome}": r"(?P<outcome>.+)", "{visit}": f"(?P<visit>{codes})"}
    follows = re.compile("".join(kinds.get(part) or re.escape(part) for part in parts))
    found: dict[str, list[str | None]] = {}
    for name in names:
        match = follows.fullmatch(name)
        if match and name != subject:
            found.setdefault(match["outcome"], [None] * len(labels))[place[match["visit"]]] = name
    return found


def _column(
    laid: Laid, table: Table, names: Sequence[str | None], *, is_declared: bool = True, label: str | None = None
) -> Column | None:
    if all(name is None or name not in table.columns for name in names):
        return None
    try:
        return table.column(str(names[0])) if len(names) == 1 else table.stacked(names)
    except UntypedError:
        label = label or str(names[0])
        if is_declared:
            laid.problems.append(
                Problem(
                    "E-DATA-TYPE",
                    f"Column `{label}` holds values that are neither numbers nor text.",
                    "A cell of a data frame is a number, a text, a category or nothing.",
                    "Convert the column first.",
                )
            )
        else:
            laid.notices.append(left_out(label, "it holds values that are neither numbers nor text"))
            laid.undeclared = tuple(name for name in laid.undeclared if name != label)
        return None


def _not_measured(name: str, columns: Sequence[str | None], said: Declaration) -> list[Notice]:
    absent = [said.visits.labels[at] for at, column in enumerate(columns) if column is None]
    if not absent:
        return []
    return [
        Notice(
            "N-DATA-WIDE",
            f"There is no column of `{name}` for the {'visit' if len(absent) == 1 else 'visits'} {', '.join(absent)}.",
            "It counts as missing there; check the pattern and visit_codes if it was measured.",
        )
    ]


def left_out(name: str, reason: str) -> Notice:
    """An undeclared column that does not become a covariate."""
    return Notice(
        "N-DATA-COLUMN",
        f"Column `{name}` is not taken as a covariate: {reason}.",
        "Declare it (with its levels) if it is one, or name the covariates to leave it out without this notice.",
    )
