"""`PathFit`: a fitted panel model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..display import Shown, Table
from ..display.escape import for_terminal
from ..engine.structural import StructuralFit, Template
from ..estimates import Policy
from ..estimates.tabulation import in_sentence, tabulate
from ..models.representation import subjects
from ..notices import Notice
from ._nodes import Node

__all__ = ["PathFit"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PathFit(Shown):
    """A fitted panel model.

    Attributes
    ----------
    model : "cross-lagged", "synchronous" or "random-intercept"
    structure : Template
    estimated : StructuralFit
        Parameters, covariances, log-likelihoods and fit indices.
    nodes : the variables of the template, in its order
    outcomes : labels by name, x first
    visit_years : years since baseline by visit
    seen : array (subjects,)
        Who has at least one value.
    notes : sentences that belong under every table of the fit
    notices : tuple of Notice
    policy : Policy
    """

    model: str
    structure: Template
    estimated: StructuralFit
    nodes: tuple[Node, ...]
    outcomes: Mapping[str, str]
    visit_years: Mapping[str, float]
    seen: NDArray[np.bool_]
    notes: tuple[str, ...]
    notices: tuple[Notice, ...]
    policy: Policy

    def _tables(self) -> tuple[Table, ...]:
        from ._paths import fit_indices, paths

        found = tabulate(paths(self))
        return (found, tabulate(fit_indices(self))) if self.df > 0 else (found,)

    def __repr__(self) -> str:
        names = " and ".join(in_sentence(label) for label in self.outcomes.values())
        return for_terminal(
            f"<PathFit: {self.model} model of {names}, {len(self.visit_years)} visits, "
            f"{subjects(int(self.seen.sum()), self.policy)}, {self.estimated.indices.df} df>"
        )

    @property
    def loglik(self) -> float:
        """The log-likelihood."""
        return self.estimated.loglik

    @property
    def df(self) -> int:
        """Degrees of freedom: what the model leaves over of the means, variances and covariances."""
        return self.estimated.indices.df

    @property
    def converged(self) -> bool:
        """Whether gradient and Hessian were verified."""
        return self.estimated.verified

    @property
    def n_subjects(self) -> int:
        """Persons with at least one value."""
        return int(self.seen.sum())
