"""What `inference` asks of a fit: a protocol that `Fit` implements, and fits pooled over imputed data sets too."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..cohort.roles import Outcome, Visits
from ..design import Design
from ..design.grid import ReferenceGrid
from ..estimates.answers import Answer, JointAnswer
from ..notices import Notice
from .gee import GEE
from .generalized import GLMM
from .spec import Model

__all__ = ["Fitted"]

Array = NDArray[np.float64]


class Fitted(Protocol):
    """A model that was fitted, however often: it names its design and answers linear questions."""

    @property
    def spec(self) -> Model | GLMM | GEE:
        """The question."""
        ...

    @property
    def design(self) -> Design:
        """How the columns were made."""
        ...

    @property
    def outcome(self) -> Outcome:
        """The outcome that was modeled."""
        ...

    @property
    def visits(self) -> Visits:
        """The visits at which the outcome was seen."""
        ...

    @property
    def grid(self) -> ReferenceGrid:
        """The reference grid for marginal means."""
        ...

    @property
    def null(self) -> Array:
        """Combinations of columns that are zero, (p, number aliased)."""
        ...

    @property
    def n_subjects(self) -> int:
        """Subjects in the model."""
        ...

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the user should know."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that belong under every table of its numbers."""
        ...

    def answer(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> Answer:
        """L β̂ with covariance and degrees of freedom."""
        ...

    def answer_joint(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> JointAnswer:
        """The F test of L β = 0."""
        ...
