"""How one column of a data file looks: a number, a category, dates, words; and what in it seems to mean "no value"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..cohort.assemble import MAX_LEVELS
from ..cohort.checks import MISSING_WORDS
from ..cohort.columns import Column, MissingCodes
from ..cohort.dates import is_dates
from ..cohort.identity import identifying
from ..cohort.places import Places
from ..cohort.suspicions import codes_apart
from .recognition import words_of

__all__ = ["FEW", "Trait", "differs", "trait_of"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

FEW = 5
"""What fewer people share may be one person's."""

MOSTLY = 4
"""A column with so many times more numbers than words holds numbers, and the check tells where the words are."""

CATEGORIES = 2
"""A column of so many different numbers holds categories."""

ASKED = re.compile(
    r"missing|no answer|not answered|unanswered|refused|don.?t know|not applicable|ikke besvart|ubesvart|vet ikke"
    r"|ikke svart|ikke aktuelt|mangler|ej svar|vet ej|ved ikke",
    re.IGNORECASE,
)
"""Value labels of codes that mean "no value"."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trait:
    """One column, or in a wide file the columns of one measurement, as it looks.

    Attributes
    ----------
    name, label : str
        The label is the file's own; empty where it has none.
    kind : "number", "category", "date", "text", "identity" or "empty"
    varies : bool
        Whether it changes within some persons.
    values : array
        Of a number: without blanks and without what seems to mean "no value".
    levels : tuple of str
        Of a category: all of them, where at least `FEW` people share each; else nothing.
    coded : bool
        Whether `levels` are codes of the file, and not words.
    codes, words : what seems to mean "no value": numbers that stand apart or are labelled so, and words
    declared : how many user-missing codes the file itself declares for it
    """

    name: str
    label: str
    kind: str
    varies: bool = False
    values: Array = field(default_factory=lambda: np.empty(0))
    levels: tuple[str, ...] = ()
    coded: bool = False
    codes: tuple[float, ...] = ()
    words: tuple[str, ...] = ()
    declared: int = 0

    @property
    def known_as(self) -> frozenset[str]:
        """The words of its name and its label."""
        return words_of(self.name, self.label)


def trait_of(name: str, label: str, column: Column, who: Codes, decimal: str, *, moves: bool = False) -> Trait:
    """How a column looks, whose rows belong to the persons `who`; `moves` where it is measured at every visit."""
    said = {"name": name, "label": label, "declared": len(column.asked_texts)}
    if is_dates(column):
        return Trait(kind="date", **said)  # type: ignore[arg-type]
    if identifying(name, column, Places(np.arange(len(column)))):
        return Trait(kind="identity", **said)  # type: ignore[arg-type]
    words = _words(column)
    missing = MissingCodes.of([*words, *(code for code, told in column.labels.items() if ASKED.search(told))])
    numbers, others = column.look(missing, decimal)
    labelled = [label for label in column.labels.values() if not ASKED.search(label)]
    if not numbers and not others:
        return Trait(kind="empty", **said)  # type: ignore[arg-type]
    are_scores = len(labelled) > FEW and column.numbers is not None
    if others and not are_scores and numbers < MOSTLY * others:
        return _category(said, column, missing, words, who, moves=moves)
    values, _ = column.to_numbers(missing, decimal)
    if np.isnan(values).all():
        return Trait(kind="empty", **said)  # type: ignore[arg-type]
    plainly, _ = column.to_numbers(MissingCodes(), decimal)
    stated = [float(code) for code, told in column.labels.items() if ASKED.search(told) and _is_number(code)]
    stated = [code for code in stated if code in plainly]
    apart = codes_apart(values)
    values = np.where(np.isin(values, apart), np.nan, values)
    if len(np.unique(values[~np.isnan(values)])) <= CATEGORIES:
        return _category(said, column, MissingCodes.of([*words, *stated, *apart]), words, who, moves=moves)
    return Trait(
        kind="number",
        varies=moves or differs(values, who),
        values=values,
        codes=tuple(dict.fromkeys([*stated, *apart])),
        words=words,
        **said,  # type: ignore[arg-type]
    )


def _category(
    said: Mapping[str, object],
    column: Column,
    missing: MissingCodes,
    words: tuple[str, ...],
    who: Codes,
    *,
    moves: bool,
) -> Trait:
    codes, levels = column.to_labels(missing)
    codes_stated = tuple(sorted(missing.numbers))
    varies = moves or differs(np.where(codes < 0, np.nan, codes.astype(float)), who)
    if len(levels) > min(MAX_LEVELS, max(10, len(np.unique(who)) // 4)):
        return Trait(kind="text", **said)  # type: ignore[arg-type]
    people = [len(np.unique(who[codes == place])) for place in range(len(levels))]
    coded = bool(levels) and all(_is_number(level) for level in levels)
    order = sorted(range(len(levels)), key=lambda place: float(levels[place])) if coded else range(len(levels))
    if not coded and not column.labels:
        order = sorted(order, key=lambda place: levels[place])
    shown = tuple(levels[place] for place in order) if coded or min(people, default=0) >= FEW else ()
    return Trait(
        kind="category",
        varies=varies,
        levels=shown,
        coded=coded,
        codes=codes_stated,
        words=words,
        **said,  # type: ignore[arg-type]
    )


def _is_number(text: object) -> bool:
    try:
        float(str(text))
    except ValueError:
        return False
    return True


def _words(column: Column) -> tuple[str, ...]:
    """The words in the cells that often mean "no value"."""
    cells = {column.texts[place].strip() for place in column.used()} if column.numbers is None else set()
    return tuple(sorted(cell for cell in cells if cell.lower() in MISSING_WORDS))


def differs(values: Array, who: Codes) -> bool:
    """Whether the values of some persons differ."""
    known = ~np.isnan(values)
    order = np.lexsort((values[known], who[known]))
    person, value = who[known][order], values[known][order]
    changed = (person[1:] == person[:-1]) & (value[1:] != value[:-1])
    return bool(changed.sum() > 0.02 * len(person))
