"""What every fit has whose answers stand on the scale of a link: its visits, its size, and what was left out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..cohort.roles import Outcome, Visits
from ..design import Design
from ..design.build import Rows
from ..design.grid import ReferenceGrid
from ..display import Shown
from ..notices import Notice
from .estimability import estimable_rows

__all__ = ["LinkFit", "aliased_notice"]

Array = NDArray[np.float64]


class LinkFit(Shown):
    """The nouns that fits share; a fit adds its optimum and how it answers."""

    __slots__ = ()

    design: Design
    rows: Rows
    seen: tuple[int, ...]
    null: Array

    @property
    def outcome(self) -> Outcome:
        """The outcome that was modeled."""
        return self.design.outcome

    @property
    def visits(self) -> Visits:
        """The visits at which the outcome was seen."""
        visits = self.design.visits
        return Visits(tuple(visits.labels[k] for k in self.seen), tuple(visits.years[k] for k in self.seen))

    @property
    def grid(self) -> ReferenceGrid:
        """The reference grid for marginal means."""
        return self.design.grid

    @property
    def n_subjects(self) -> int:
        """Subjects in the model."""
        return len(self.rows.ordinal)

    @property
    def n_obs(self) -> int:
        """Rows in the model."""
        return len(self.rows.subject)

    def is_estimable(self, L: Array) -> NDArray[np.bool_]:
        """Which rows of L (k × p) the data can estimate."""
        return estimable_rows(self.null, L)


def aliased_notice(design: Design, dropped: NDArray[np.intp]) -> tuple[Notice, ...]:
    """The notice that names the columns which were left out."""
    if not len(dropped):
        return ()
    names = ", ".join(f"`{design.names[k]}`" for k in dropped)
    return (
        Notice(
            "N-MODEL-ALIASED",
            f"In the model of `{design.outcome.name}`, {names} cannot be told from earlier columns, and is left out.",
            "Look for a level without subjects, or for a covariate that says the same as another.",
        ),
    )
