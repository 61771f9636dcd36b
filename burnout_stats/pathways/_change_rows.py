"""What is asked of change scores, row by row: means, variances and correlations of the baseline and the changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..engine.jets import Jet
from ..estimates.tabulation import in_sentence
from ._asymptotic import Quantity, correlation
from ._fitting import Wide

__all__ = ["Asked", "between", "covariance_label", "levels", "means", "within"]

Array = NDArray[np.float64]


def covariance_label(a: str, j: int, b: str, k: int) -> str:
    """The covariance of the j-th of the baseline and changes of a with the k-th of b, among the parameters."""
    return f"cov {a}:{j} {b}:{k}"


def levels(K: int, changes: str) -> Array:
    """L = T⁻¹: levels from the baseline and the changes."""
    L = np.eye(K)
    L[:, 0] = 1.0
    return np.tril(np.ones((K, K))) if changes == "consecutive" else L


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """What is asked of one fit: the parameters `theta` by label, the changes between which visits, and how the scores
    are called; `errors` are taken off the variances.
    """

    wide: Wide
    changes: str
    theta: Mapping[str, Jet]
    scores: str
    errors: Mapping[str, float] = field(default_factory=dict)

    def cov(self, a: str, j: int, b: str, k: int) -> Jet:
        """Covariance of the j-th of the baseline and changes of a with the k-th of b."""
        names = self.wide.names
        if (names.index(a), j) > (names.index(b), k):
            a, j, b, k = b, k, a, j
        T = np.linalg.inv(levels(len(self.wide.visits), self.changes))
        off = float((T[j] * T[k]).sum() * self.errors.get(a, 0.0)) if a == b else 0.0
        return self.theta[covariance_label(a, j, b, k)] + (-off)

    def r(self, outcome: str, term: str, first: tuple[str, int], second: tuple[str, int]) -> Quantity:
        """A correlation as a row."""
        jet = correlation(self.cov(*first, *second), self.cov(*first, *first), self.cov(*second, *second))
        return Quantity(outcome=outcome, names={"term": term, "scores": self.scores}, jet=jet, is_correlation=True)

    def spans(self) -> list[str]:
        """The baseline's visit, then the name of each change."""
        visits = self.wide.visits
        before = range(len(visits) - 1) if self.changes == "consecutive" else [0] * (len(visits) - 1)
        return [visits[0], *(f"{visits[k + 1]} - {visits[i]}" for k, i in enumerate(before))]


def means(asked: Asked) -> list[Quantity]:
    spans = asked.spans()
    return [
        Quantity(
            outcome=name,
            names={"term": f"mean{' change' if k else ''}, {span}", "scores": asked.scores},
            jet=asked.theta[f"mean {name}:{k}"],
        )
        for name in asked.wide.names
        for k, span in enumerate(spans)
    ]


def within(asked: Asked) -> list[Quantity]:
    """Variances and correlations of the baseline and changes of each variable."""
    first, *changes = asked.spans()
    rows = []
    for name in asked.wide.names:
        rows += [
            Quantity(
                outcome=name,
                names={"term": f"variance{' of the change' if k else ''}, {span}", "scores": asked.scores},
                jet=asked.cov(name, k, name, k),
                is_variance=True,
            )
            for k, span in enumerate([first, *changes])
        ]
        rows += [
            asked.r(name, f"correlation of {first} with the change, {span}", (name, 0), (name, k))
            for k, span in enumerate(changes, 1)
        ]
        rows += [
            asked.r(name, f"correlation of the changes, {changes[j - 1]} with {changes[k - 1]}", (name, j), (name, k))
            for j, k in combinations(range(1, len(changes) + 1), 2)
        ]
    return rows


def between(asked: Asked) -> list[Quantity]:
    """Correlations between variables: of the baselines, of the changes over the same time, of one baseline with the
    other's change.
    """
    first, *changes = asked.spans()
    labels = dict(zip(asked.wide.names, asked.wide.labels, strict=True))
    rows = []
    for a, b in combinations(asked.wide.names, 2):
        pair = f"{a}, {b}"
        rows.append(asked.r(pair, f"correlation, {first}", (a, 0), (b, 0)))
        rows += [
            asked.r(pair, f"correlation of the changes, {span}", (a, k), (b, k)) for k, span in enumerate(changes, 1)
        ]
        for k, span in enumerate(changes, 1):
            for one, other in ((a, b), (b, a)):
                ends = f"{in_sentence(labels[one])}, {first}, with the change of {in_sentence(labels[other])}"
                rows.append(asked.r(pair, f"correlation of {ends}, {span}", (one, 0), (other, k)))
    return rows
