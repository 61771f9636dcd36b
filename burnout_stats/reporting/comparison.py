"""What differs between two runs, as a value: each difference with its size, all of them as a table."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from ..display import Cell, Column, Hidden, Missing, Row, Shown, Table

__all__ = ["DRIFT", "GROUPS", "Comparison", "Difference"]

GROUPS = {
    "gone": "No longer there",
    "new": "Not there before",
    "number": "Numbers that moved",
    "reason": "Numbers that came or went",
    "word": "Answers in words",
    "notice": "Notices",
    "plan": "Plan",
    "input": "Input",
    "software": "Software",
    "note": "Notes",
}
DRIFT = frozenset({"gone", "new", "number", "reason", "word"})
LONGEST = 48
COLUMNS = (
    Column("where", "Where", "contrast"),
    Column("quantity", "Quantity"),
    Column("old", "Old", "estimate"),
    Column("new", "New", "estimate"),
    Column("difference", "Difference", "estimate"),
    Column("allowed", "Allowed"),
)

_TOLD_FEW = (
    "Where the number of persons behind a row moved by only a few, its old numbers are hidden: old and new together "
    "would tell about these persons."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as it was.

    Attributes
    ----------
    kind : "gone", "new", "number", "reason", "word" (these are drift), "notice", "plan", "input", "software" or "note"
    outcome, where, quantity : what it is about
    old, new : a number, words, `Hidden()` or `Missing(reason)`; None where there was nothing
    difference, allowed : of a number
    """

    kind: str
    outcome: str
    where: str
    quantity: str
    old: Cell = None
    new: Cell = None
    difference: float | None = None
    allowed: float | None = None

    @property
    def is_drift(self) -> bool:
        """Whether the results themselves differ, not only what surrounds them."""
        return self.kind in DRIFT


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison(Shown):
    """What differs between two runs, the largest first within each kind."""

    differences: tuple[Difference, ...]
    n_compared: int
    rtol: float
    atol: float
    n_hidden: int = 0
    rules: str = ""

    @property
    def drift(self) -> tuple[Difference, ...]:
        """The differences in the results themselves."""
        return tuple(one for one in self.differences if one.is_drift)

    @property
    def has_drifted(self) -> bool:
        """Whether the results differ by more than is allowed."""
        return any(one.is_drift for one in self.differences)

    def sentence(self) -> str:
        """The outcome in one sentence."""
        if not self.has_drifted:
            others = len(self.differences)
            more = f" {_counted(others, 'thing')} around them changed." if others else ""
            return f"No drift: {_counted(self.n_compared, 'number')} agree.{more}"
        by_kind = {kind: sum(one.kind == kind for one in self.drift) for kind in DRIFT}
        said = [
            f"{_counted(by_kind['number'], 'number')} of {self.n_compared} moved" if by_kind["number"] else "",
            f"{by_kind['reason']} came or went" if by_kind["reason"] else "",
            f"{by_kind['word']} in words changed" if by_kind["word"] else "",
            f"{by_kind['gone']} no longer there" if by_kind["gone"] else "",
            f"{by_kind['new']} not there before" if by_kind["new"] else "",
        ]
        outcomes = list(dict.fromkeys(one.outcome for one in self.drift if one.outcome))
        place = f" in {', '.join(outcomes)}" if outcomes else ""
        return f"Drift{place}: {'; '.join(filter(None, said))}."

    def _tables(self) -> tuple[Table, ...]:
        return (self.table(),)

    def table(self, *, limit: int | None = 25) -> Table:
        """The differences as a Table, one line for each row of the results; of each kind at most `limit`."""
        rows: list[Row] = []
        left_out = 0
        for kind, title in GROUPS.items():
            own = _together([one for one in self.differences if one.kind == kind])
            kept = own if limit is None else own[:limit]
            left_out += len(own) - len(kept)
            rows += [_table_row(one, title) for one in kept]
        notes = [f"{left_out} more are not shown."] if left_out else []
        notes += [_TOLD_FEW] if self.n_hidden else []
        if any(one.kind == "number" for one in self.differences):
            notes += [
                f"Allowed, with rtol = {self.rtol:g} and never less than {self.atol:g} but for counts: {self.rules}."
            ]
        return Table(title="Old and new results", columns=COLUMNS, rows=tuple(rows), notes=tuple(notes))

    def to_dict(self) -> dict[str, Any]:
        """The comparison for machines."""
        return {
            "drift": self.has_drifted,
            "sentence": self.sentence(),
            "numbers_compared": self.n_compared,
            "rtol": self.rtol,
            "atol": self.atol,
            "differences": [
                {
                    "kind": one.kind,
                    "drift": one.is_drift,
                    "outcome": one.outcome,
                    "where": one.where,
                    "quantity": one.quantity,
                    "old": _machine(one.old),
                    "new": _machine(one.new),
                    "difference": one.difference,
                    "allowed": one.allowed,
                    **({"reasons": reasons} if (reasons := _reasons(one)) else {}),
                }
                for one in self.differences
            ],
        }

    def __str__(self) -> str:
        return f"{self.table()}\n{self.sentence()}" if self.differences else self.sentence()

    def __repr__(self) -> str:
        state = "drift" if self.has_drifted else "no drift"
        return f"<Comparison: {state}; {self.n_compared} numbers, {len(self.differences)} differences>"


def _table_row(one: Difference, title: str) -> Row:
    """A row with as many decimals as show the difference."""
    size = abs(one.difference) if one.difference else 0.0
    whole = isinstance(one.new, int) and isinstance(one.old, int | Hidden)
    decimals = 0 if whole else min(max(2, 1 - math.floor(math.log10(size))), 12) if size else 4
    is_number = one.kind == "number"
    return Row(
        (
            ", ".join(filter(None, (one.outcome, one.where))),
            one.quantity,
            _brief(one.old, is_number),
            _brief(one.new, is_number),
            (Hidden() if one.difference is None else one.difference) if is_number else "",
            f"{one.allowed:.1g}" if is_number and one.allowed is not None else "",
        ),
        title,
        decimals,
    )


def _brief(cell: Cell, is_number: bool) -> Cell:
    """A cell of the table: numbers that are not compared to six digits, words that are long with their beginning."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell if len(cell) <= LONGEST else f"{cell[:LONGEST].rstrip()}…"
    return cell if is_number or not isinstance(cell, int | float) else f"{cell:.6g}"


def _together(differences: list[Difference]) -> list[Difference]:
    """One difference for each row of the results, that of its estimate where there is one, and for each text of a note;
    with the number of the others.
    """
    groups: dict[tuple[Any, ...], list[Difference]] = {}
    for one in differences:
        is_note = one.kind == "note"
        key = (one.old, one.new) if is_note else (one.outcome, one.where, None if one.is_drift else (one.old, one.new))
        groups.setdefault(key, []).append(one)
    found = []
    for own in groups.values():
        head = next((one for one in own if one.quantity == "estimate"), own[0])
        places = head.where if head.kind == "note" else head.quantity
        more = f"{places} and {len(own) - 1} more" if len(own) > 1 else places
        found.append(replace(head, where=more) if head.kind == "note" else replace(head, quantity=more))
    return found


def _machine(cell: Cell) -> float | int | str | None:
    return cell if isinstance(cell, str | int | float) else None


def _reasons(one: Difference) -> dict[str, str]:
    cells = {"old": one.old, "new": one.new}
    found = {side: cell.reason for side, cell in cells.items() if isinstance(cell, Missing)}
    return found | {side: "hidden" for side, cell in cells.items() if isinstance(cell, Hidden)}


def _counted(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
