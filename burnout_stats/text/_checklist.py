"""`Checklist`: what a reporting guideline asks for, and where a report answers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..display import Column, Row, Shown, Table
from ..display.escape import clean
from ..errors import StudyError, one_of

__all__ = ["NOT_ADDRESSED", "Checklist", "Item", "answers_from", "filled"]

NOT_ADDRESSED = "not addressed"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a guideline asks for.

    `number` as the guideline counts it ("13(c)"), `part` of a paper, `asks` in our words, and `kinds`: what a report
    may hold that answers it, the first that is there wins (see `answers_from`).
    """

    number: str
    part: str
    asks: str
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist(Shown):
    """A guideline filled in.

    Attributes
    ----------
    name : str
    table : Table
        Item, what it asks for, where it is answered; one row for each item.
    anchors : tuple of (str, str)
        For the cells of the last column that name a section of the report: text and anchor.
    n_items, n_answered : int
    """

    name: str
    table: Table
    anchors: tuple[tuple[str, str], ...]
    n_items: int
    n_answered: int

    def __repr__(self) -> str:
        return f"<Checklist: {self.name}; {self.n_answered} of {self.n_items} items answered>"

    def _tables(self) -> tuple[Table, ...]:
        return (self.table,)


def filled(
    name: str, items: Sequence[Item], answers: Mapping[str, tuple[str, str]], *, notes: tuple[str, ...]
) -> Checklist:
    """The checklist of these items with these answers (number -> text and anchor; no anchor where it is empty).

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for an item that the guideline does not have, `E-STUDY-VALUE` for an answer without a text, or
        one text for two places.
    """
    numbers = [item.number for item in items]
    for number in answers:
        one_of("item", number, numbers)
    told = {number: (clean(text), anchor) for number, (text, anchor) in answers.items()}
    places: dict[str, str] = {}
    for number, (text, anchor) in told.items():
        if not text or text == NOT_ADDRESSED or places.setdefault(text, anchor) != anchor:
            raise StudyError(
                "E-STUDY-VALUE",
                f"The answer to item {number} of {name} is `{text}`"
                + (f", which stands for two places: `{places[text]}` and `{anchor}`." if places.get(text) else "."),
                "An answer is a text of its own and the anchor of the place that it leads to.",
                "Give each place its own text; leave out an item that nothing answers.",
            )
    rows = tuple(
        Row((item.number, item.asks, told[item.number][0] if item.number in told else NOT_ADDRESSED), item.part)
        for item in items
    )
    return Checklist(
        name=name,
        table=Table(
            title=name,
            columns=(Column("item", "Item"), Column("asks", "Asks for"), Column("answered", "Answered in")),
            rows=rows,
            notes=notes,
        ),
        anchors=tuple((text, anchor) for text, anchor in places.items() if anchor),
        n_items=len(items),
        n_answered=len(told),
    )


def answers_from(items: Sequence[Item], sections: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """The answers that a report with these sections (kind -> text and anchor) gives."""
    found = {}
    for item in items:
        kind = next((kind for kind in item.kinds if kind in sections), None)
        if kind is not None:
            found[item.number] = sections[kind]
    return found
