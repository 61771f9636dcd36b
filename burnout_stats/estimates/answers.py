"""What a question needs from whatever it is asked of: a protocol that a Fit, a pooled fit and a joint fit implement.

L is a matrix of linear functions of the coefficients (k × p); an `Answer` gives L β̂, its covariance and the degrees of
freedom of each row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Answer", "Answers", "Grid", "JointAnswer"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """Row by row: `estimate` (k,), covariance `vcov` (k × k), `df` (k,), the name of the df method, and which
    covariance of the coefficients was asked for ("model", "cr2", ...).

    A row that cannot be estimated from the data is NaN in all three.
    """

    estimate: Array
    vcov: Array
    df: Array
    method: str
    vcov_name: str = "model"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointAnswer:
    """One test of all rows at once: `statistic` is F on `num_df` and `df` degrees of freedom."""

    statistic: float
    num_df: float
    df: float
    method: str
    vcov_name: str = "model"


class Grid(Protocol):
    """A reference grid: the combinations of factor levels at which means are asked, with covariates held at a stated
    value.
    """

    def factors(self) -> Mapping[str, tuple[str, ...]]:
        """The factors of the model with their levels, in declared order."""
        ...

    def means(
        self, specs: tuple[str, ...], *, weights: str, at: Mapping[str, object] | None
    ) -> tuple[pd.DataFrame, Array, Array, tuple[str, ...]]:
        """For the cells of `specs`: their labels, L (cells × p), the number of subjects seen in each, and notes on what
        was averaged.
        """
        ...


class Answers(Protocol):
    """Something that knows estimates of β and their uncertainty."""

    @property
    def grid(self) -> Grid:
        """The reference grid of the model's design."""
        ...

    def answer(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> Answer:
        """L β̂ with covariance and degrees of freedom by the method `df`, from the covariance `vcov` of the
        coefficients ("model", or a robust one).
        """
        ...

    def answer_joint(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> JointAnswer:
        """The F test of L β = 0."""
        ...
