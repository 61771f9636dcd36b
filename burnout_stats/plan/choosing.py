"""Which columns of a data file become scores, properties and items; what is left is for a person to choose."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..cohort.roles import RESERVED
from ..instruments import instrument
from .recognition import better_end, instruments_of, scores_of_items, words_of
from .traits import Trait

__all__ = ["Choice", "choose", "ends_of", "looks_coded"]

MAX_OUTCOMES = 12
"""So many scores are declared; the others are listed, and wait to be chosen."""

ITEM = re.compile(r"(?P<stem>.*?\D)(?P<item>\d{1,2})")
FEWEST_ITEMS = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """What the columns become.

    Attributes
    ----------
    outcomes, covariates : what is declared
    waiting : numbers that change over the visits, and might be either
    items : items of questionnaires, by the pattern of their names
    scores : the instrument and the pattern of items, by name of the score
    unused : what is neither
    """

    outcomes: Sequence[Trait]
    waiting: Sequence[Trait]
    covariates: Sequence[Trait]
    items: Mapping[str, Sequence[Trait]]
    scores: Mapping[str, tuple[str, str]]
    unused: Sequence[Trait]


def choose(seen: Sequence[Trait]) -> Choice:
    """What the columns become, by their kind, by whether they change over the visits, and by their names."""
    traits = [trait for trait in seen if not (trait.name in RESERVED or trait.name.startswith("__index_"))]
    items, scores = _items(traits)
    in_items = {trait.name for group in items.values() for trait in group}
    own = [trait for trait in traits if trait.name not in in_items]
    repeated = [trait for trait in own if trait.kind == "number" and trait.varies and not _is_age(trait)]
    scales = [trait for trait in repeated if _is_scale(trait)]
    outcomes = (scales or ([] if scores else repeated))[:MAX_OUTCOMES]
    covariates = [
        trait for trait in own if trait.kind in ("number", "category") and trait not in repeated and _usable(trait)
    ]
    return Choice(
        outcomes=outcomes,
        waiting=[trait for trait in repeated if trait not in outcomes],
        covariates=covariates,
        items=items,
        scores=scores,
        unused=[trait for trait in seen if trait.name not in in_items and trait not in (*repeated, *covariates)],
    )


def _items(traits: Sequence[Trait]) -> tuple[dict[str, list[Trait]], dict[str, tuple[str, str]]]:
    """The items of questionnaires by the pattern of their names, and the scores that known instruments make of them."""
    groups: dict[str, list[tuple[int, Trait]]] = {}
    for trait in traits:
        match = ITEM.fullmatch(trait.name)
        if match and trait.varies and (trait.kind == "number" or trait.coded) and _is_item(trait):
            groups.setdefault(match["stem"], []).append((int(match["item"]), trait))
    items, scores = {}, {}
    for stem, numbered in groups.items():
        if len(numbered) < FEWEST_ITEMS or sorted(number for number, _ in numbered) != list(
            range(1, len(numbered) + 1)
        ):
            continue
        pattern = f"{stem}{{item}}" if "{" not in stem else stem
        items[pattern] = [trait for _, trait in sorted(numbered, key=lambda pair: pair[0])]
        keys = scores_of_items(words_of(stem, *(trait.label for trait in items[pattern])), len(numbered))
        low = min(float(ends_of(trait)[0]) for trait in items[pattern])
        high = max(float(ends_of(trait)[1]) for trait in items[pattern])
        for key in keys:
            response = instrument(key).response
            if response.low <= low and high <= response.high and instrument(key).numbers:
                scores[key] = (key, pattern)
    taken = {trait.name for trait in traits}
    return items, {name: score for name, score in scores.items() if name not in taken}


def _is_item(trait: Trait) -> bool:
    values = np.unique(trait.values[~np.isnan(trait.values)])
    return bool((values == np.rint(values)).all()) and len(values) <= 11


def _is_age(trait: Trait) -> bool:
    return bool(trait.known_as & {"age", "alder", "ålder", "year", "år"})


def _is_scale(trait: Trait) -> bool:
    """Whether its names are those of a score."""
    low, high = ends_of(trait)
    return bool(instruments_of(trait.known_as, low, high)[0]) or bool(better_end(trait.known_as))


def _usable(trait: Trait) -> bool:
    return trait.kind != "category" or bool(trait.levels) or not trait.coded


def looks_coded(trait: Trait) -> bool:
    """Whether a few whole numbers may stand for categories."""
    values = np.unique(trait.values[~np.isnan(trait.values)])
    return len(values) <= 6 and bool((values == np.rint(values)).all())


def ends_of(trait: Trait) -> tuple[float, float]:
    """The lowest and the highest value, to judge what a column may be; never to be shown."""
    values = trait.values[~np.isnan(trait.values)]
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
