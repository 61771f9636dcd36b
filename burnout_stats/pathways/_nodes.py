"""What the variables of a panel model are called: a score at a visit, its within-person part, what stays between
persons, a covariate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["BETWEEN", "COVARIATE", "SCORE", "WITHIN", "Node", "between", "nodes_of", "score", "within"]

SCORE, WITHIN, BETWEEN, COVARIATE = "score", "within", "between", "covariate"


@dataclass(frozen=True, slots=True)
class Node:
    """A variable: what sort it is, of which outcome and visit (empty where it has none), and its name for people."""

    sort: str
    outcome: str
    visit: str
    label: str


def score(outcome: str, label: str, visit: str) -> Node:
    """A score at a visit.

    >>> score("exhaustion", "Exhaustion", "1 year").label
    'Exhaustion, 1 year'
    """
    return Node(SCORE, outcome, visit, f"{label}, {visit}")


def within(outcome: str, label: str, visit: str) -> Node:
    """How far a person stands from the own level at a visit."""
    return Node(WITHIN, outcome, visit, f"{label}, {visit} (within)")


def between(outcome: str, label: str) -> Node:
    """The level of a person over all visits: the random intercept."""
    return Node(BETWEEN, outcome, "", f"{label} (between)")


def nodes_of(outcomes: Mapping[str, str], visits: Iterable[str]) -> dict[str, Node]:
    """All nodes that outcomes (labels by name) can have at these visits, by their name for people."""
    labels = list(visits)
    found = [
        make(name, label, visit) for name, label in outcomes.items() for visit in labels for make in (score, within)
    ]
    found += [between(name, label) for name, label in outcomes.items()]
    return {node.label: node for node in found}
