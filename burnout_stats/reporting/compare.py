"""Two results.json laid side by side: which numbers moved, and what else changed that may be the reason.

Rows are matched by what they are about, not by their position. A number has moved where it differs by more than is
allowed for its kind (`ALLOWED`): these are drift. Notices, plan, input and software are told apart from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..display import Cell, Hidden, Missing
from ..errors import StudyError
from .comparison import GROUPS, Comparison, Difference
from .recorded import Recorded, Row, Value, read_recorded

__all__ = ["ALLOWED", "ATOL", "RTOL", "Comparison", "Difference", "compare_results"]

RTOL = 1e-4
"""A ten-thousandth of a standard error.

It is far above what machines and libraries move: with the oldest and the newest libraries that we promise, all numbers
of the synthetic cohort agree with an rtol of 1e-11. It is far below what shows: estimates are printed to two digits of
their standard error, half of the last of which is at least fifty times as much.
"""

ATOL = 1e-8
"""The smallest difference that counts, for numbers that are zero."""

Allowed = Callable[[float, float, float], float]

ALLOWED: Mapping[str, tuple[Allowed, str]] = {
    "count": (lambda _old, _scale, _rtol: 0.0, "counts: equal"),
    "estimate": (lambda _old, scale, rtol: rtol * scale, "estimates and limits: rtol times the standard error"),
    "std_error": (
        lambda old, _scale, rtol: rtol * abs(old),
        "standard errors, df and other numbers: rtol times themselves",
    ),
    "df": (lambda old, _scale, rtol: rtol * abs(old), ""),
    "other": (lambda old, _scale, rtol: rtol * abs(old), ""),
    "statistic": (lambda old, _scale, rtol: rtol * (1 + abs(old)), "test statistics: rtol times (1 + their size)"),
    "p": (lambda _old, _scale, rtol: 2 * rtol, "p: 2 rtol"),
    "covariance": (lambda _old, scale, rtol: rtol * scale, "covariances: rtol times the two standard deviations"),
    "criterion": (lambda _old, _scale, rtol: 10 * rtol, "log-likelihood and information criteria: 10 rtol"),
}
"""How far a number of each kind may move, of its old value, its scale and rtol; and how that is said.

An estimate that moves by rtol standard errors, and a standard error that moves by rtol of itself, move their quotient t
by at most rtol (1 + |t|), and p by 2 φ(t) of that, which is less than 1.1 rtol. Log-likelihoods are compared by their
difference, and matter from about 1; two decimals are printed.
"""

TABLE_NAMES = {
    "covariance": "covariance of the visits",
    "standardized_changes": "standardized changes",
}

_RULES = "; ".join(said for _, said in ALLOWED.values() if said)


def compare_results(old: str | Path, new: str | Path, *, rtol: float = RTOL, atol: float = ATOL) -> Comparison:
    """Lay the results.json of two runs side by side.

    Parameters
    ----------
    old, new : path
        A results.json of any version that this package has written, or the folder of a report.
    rtol : float
        What a number may move, by its kind: an estimate or a limit by rtol standard errors; standard errors, df and
        descriptive numbers by rtol of themselves; a test statistic t by rtol (1 + `|t|`); p by 2 rtol; the
        log-likelihood and information criteria by 10 rtol; covariances by rtol of the two standard deviations;
        counts not at all.
    atol : float
        The smallest difference that counts, but for counts.

    Returns
    -------
    Comparison
        `.has_drifted`, `.differences`, `.table()`; it prints as a table.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for a tolerance that is not a number from 0 on; `E-STUDY-FILE`, `E-REPORT-SIZE`,
        `E-REPORT-RESULTS`, `E-REPORT-VERSION` for a file that is no results.json of ours.

    Examples
    --------
    >>> compare_results("out/results.json", "out/results.json", rtol=-1)
    Traceback (most recent call last):
    burnout_stats.errors.StudyError: [E-STUDY-OPTION] `rtol` is -1. A tolerance is a number from 0 on. Often: 0.0001.
    """
    for name, value in (("rtol", rtol), ("atol", atol)):
        if not (math.isfinite(value) and value >= 0):
            raise StudyError(
                "E-STUDY-OPTION",
                f"`{name}` is {value!r}.",
                "A tolerance is a number from 0 on.",
                f"Often: {RTOL if name == 'rtol' else ATOL:g}.",
            )
    return _Sides(read_recorded(old), read_recorded(new), rtol, atol).compared()


class _Sides:
    """One comparison: the two documents and what was counted on the way."""

    def __init__(self, old: Recorded, new: Recorded, rtol: float, atol: float) -> None:
        self.old, self.new, self.rtol, self.atol = old, new, rtol, atol
        self.min_cell = max(old.min_cell, new.min_cell)
        self.n_compared = self.n_hidden = 0

    def compared(self) -> Comparison:
        found = [*self.results(), *self.notices()]
        for kind, old, new in (
            ("plan", self.old.plan, self.new.plan),
            ("input", self.old.inputs, self.new.inputs),
            ("software", self.old.software, self.new.software),
        ):
            found += _changed(kind, old, new)
        found += self.notes()
        order = list(GROUPS)
        found.sort(key=lambda one: (order.index(one.kind), -_excess(one)))
        return Comparison(
            differences=tuple(found),
            n_compared=self.n_compared,
            rtol=self.rtol,
            atol=self.atol,
            n_hidden=self.n_hidden,
            rules=_RULES,
        )

    def results(self) -> Iterator[Difference]:
        """Outcomes, their tables and rows, and the numbers of the rows that are in both."""
        for outcome, old, new in _both(self.old.outcomes, self.new.outcomes):
            if old is None or new is None:
                yield _came_or_went(old is None, outcome, "the outcome", "")
                continue
            for name, old_table, new_table in _both(old, new):
                place = _place(name)
                if not (self.old.knows(name) and self.new.knows(name)):
                    continue
                if old_table is None or new_table is None:
                    yield _came_or_went(old_table is None, outcome, place, "the table")
                    continue
                for label, old_row, new_row in _both(old_table, new_table):
                    where = f"{place}: {label}" if label else place
                    if old_row is None or new_row is None:
                        yield _came_or_went(old_row is None, outcome, where, "the row")
                    else:
                        yield from self.row(outcome, where, old_row, new_row)

    def row(self, outcome: str, where: str, old: Row, new: Row) -> Iterator[Difference]:
        is_few = self.is_few(old, new)
        for quantity, before, after in _both(old.values, new.values):
            if before is None or after is None:
                if not quantity.startswith("covariance with "):  # the row that it is with is told
                    yield _came_or_went(before is None, outcome, where, quantity)
                continue
            self.n_compared += 1
            found = self.difference(before, after)
            if found is None:
                continue
            kind, difference, allowed = found
            hides = is_few and kind == "number"
            self.n_hidden += hides
            yield Difference(
                kind=kind,
                outcome=outcome,
                where=where,
                quantity=quantity.replace("_", " "),
                old=Hidden() if hides else _cell(before),
                new=_cell(after),
                difference=None if hides else difference,
                allowed=allowed,
            )

    def difference(self, old: Value, new: Value) -> tuple[str, float | None, float | None] | None:
        """The kind of the difference between two values, its size and what is allowed; None where they agree."""
        if isinstance(old.value, str) or isinstance(new.value, str):
            return None if old.value == new.value else ("word", None, None)
        if old.value is None or new.value is None:
            return None if (old.value is new.value and old.reason == new.reason) else ("reason", None, None)
        rule, _ = ALLOWED[old.kind]
        scale = new.scale if math.isnan(old.scale) else old.scale
        allowed = rule(old.value, 0.0 if math.isnan(scale) else scale, self.rtol)
        if old.kind != "count":
            allowed = max(allowed, self.atol)
        difference = new.value - old.value
        return None if abs(difference) <= allowed else ("number", difference, allowed)

    def is_few(self, old: Row, new: Row) -> bool:
        """Whether the persons behind a row came or went in so small a number that both rows together would tell of
        them.
        """
        return any(0 < abs(b - a) < self.min_cell for a, b in zip(old.counts, new.counts, strict=False))

    def notes(self) -> Iterator[Difference]:
        """Notes of tables that are in both."""
        for (outcome, name), before, after in _both(self.old.notes, self.new.notes):
            for note, then, now in _both(dict.fromkeys(before or (), True), dict.fromkeys(after or (), True)):
                if None not in (before, after) and then != now:
                    where = _place(name)
                    old, new = (note, None) if then else (None, note)
                    yield Difference(kind="note", outcome=outcome, where=where, quantity="note", old=old, new=new)

    def notices(self) -> Iterator[Difference]:
        old, new = (
            {f"{code}: {message}": (code, message) for code, message in one.notices} for one in (self.old, self.new)
        )
        for _, before, after in _both(old, new):
            if before is None or after is None:
                code, message = before or after
                yield _told("notice", code, "notice", before and message, after and message)


def _place(table: str) -> str:
    return TABLE_NAMES.get(table, table.replace("_", " "))


def _both(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> Iterator[tuple[Any, Any, Any]]:
    """Every key with what stands on both sides, None where there is nothing."""
    for key in dict.fromkeys([*old, *new]):
        yield key, old.get(key), new.get(key)


def _came_or_went(is_new: bool, outcome: str, where: str, quantity: str) -> Difference:
    return Difference(kind="new" if is_new else "gone", outcome=outcome, where=where, quantity=quantity)


def _changed(kind: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Difference]:
    for key, before, after in _both(old, new):
        if before != after:
            yield _told(kind, key, "", before, after)


def _told(kind: str, where: str, quantity: str, old: str | None, new: str | None) -> Difference:
    return Difference(kind=kind, outcome="", where=where, quantity=quantity, old=old, new=new)


def _excess(one: Difference) -> float:
    """How many times more than allowed a number moved."""
    if one.difference is None or one.allowed is None:
        return 0.0
    return abs(one.difference) / one.allowed if one.allowed else math.inf


def _cell(value: Value) -> Cell:
    if value.value is None:
        return Hidden() if value.reason == "hidden" else Missing(value.reason)
    is_whole = value.kind == "count" and isinstance(value.value, float) and value.value.is_integer()
    return int(value.value) if is_whole else value.value
