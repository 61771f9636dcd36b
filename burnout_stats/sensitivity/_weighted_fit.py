"""Weighted estimating equations, solved: they answer questions as a `Fit` does."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort.roles import Outcome, Visits
from ..design import Design
from ..design.grid import ReferenceGrid
from ..display import Shown, Table
from ..display.escape import for_terminal
from ..errors import ModelError, one_of
from ..estimates.answers import Answer, JointAnswer
from ..estimates.tabulation import tabulate
from ..inference.summary import summarize
from ..models import MMRM
from ..models.estimability import estimable_rows
from ..models.representation import subjects
from ..notices import Notice
from ._follow_up_weights import FollowUpWeights

__all__ = ["ERRORS", "WeightedFit"]

Array = NDArray[np.float64]
ERRORS = MappingProxyType(
    {
        "sandwich": "sandwich, clustered on the subject, that carries the estimation of the weights",
        "sandwich-known": "sandwich, clustered on the subject, with the weights taken as known",
        "bootstrap": "bootstrap of subjects that refits the model of being seen",
    }
)
"""Where standard errors come from. Weights taken as known give the larger ones, as a rule (Robins, Rotnitzky & Zhao
1995); programs for generalized estimating equations print them. None has a correction for few subjects.
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class WeightedFit(Shown):
    """Weighted estimating equations, solved: `emmeans`, `contrast` and `summarize` take it as they take a `Fit`.

    Attributes
    ----------
    weights : FollowUpWeights
    kept : array of int, null : (p, number aliased) array
        Columns estimated, and combinations of columns that are zero.
    beta : array, covariance : array
        Of the columns estimated.
    se : a key of `ERRORS`
    n_replicates : int
        Of the bootstrap.
    notices : tuple of Notice
    """

    weights: FollowUpWeights
    kept: NDArray[np.intp]
    null: Array
    beta: Array
    covariance: Array
    se: str
    n_replicates: int
    notices: tuple[Notice, ...]

    @property
    def spec(self) -> MMRM:
        """The question."""
        return self.weights.spec

    @property
    def design(self) -> Design:
        """How the columns were made."""
        return self.weights.design

    @property
    def outcome(self) -> Outcome:
        """The outcome that was modeled."""
        return self.design.outcome

    @property
    def visits(self) -> Visits:
        """The visits."""
        return self.design.visits

    @property
    def grid(self) -> ReferenceGrid:
        """The reference grid."""
        return self.design.grid

    @property
    def n_subjects(self) -> int:
        """Subjects with a weighted score."""
        return int(self.weights.response.seen.any(1).sum())

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed, and where the standard errors come from."""
        return (*self.weights.notes, _errors_note(self.se, self.n_replicates))

    @property
    def coef(self) -> pd.Series:
        """Fixed effects by term; NaN for aliased columns."""
        beta = np.full(len(self.design.names), np.nan)
        beta[self.kept] = self.beta
        return pd.Series(beta, index=list(self.design.names), name="estimate")

    def answer(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> Answer:
        """L β with its covariance; the normal distribution stands behind intervals and tests.

        Raises
        ------
        StudyError
            `E-STUDY-OPTION` for other degrees of freedom or another covariance.
        """
        one_of("df", df or "asymptotic", ["asymptotic"])
        one_of("vcov", vcov or self.se, [self.se])
        L = np.atleast_2d(np.asarray(L, dtype=float))
        known = estimable_rows(self.null, L)
        own = L[:, self.kept]
        return Answer(
            estimate=np.where(known, own @ self.beta, np.nan),
            vcov=np.where(np.outer(known, known), own @ self.covariance @ own.T, np.nan),
            df=np.where(known, np.inf, np.nan),
            method="asymptotic",
            vcov_name=self.se,
        )

    def answer_joint(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> JointAnswer:
        """Wald's test of L β = 0.

        Raises
        ------
        ModelError
            `E-MODEL-NOT-ESTIMABLE`; otherwise as `answer`.
        """
        found = self.answer(L, df=df, vcov=vcov)
        values, vectors = np.linalg.eigh(np.where(np.isnan(found.vcov), 0.0, found.vcov))
        large = values > 1e-10 * max(float(values[-1]), 1e-300)
        if np.isnan(found.estimate).any() or not large.any():
            raise ModelError(
                "E-MODEL-NOT-ESTIMABLE",
                "The joint test asks for a combination of fixed effects that the data cannot estimate.",
                "Every row of L must be a combination of estimable effects, and not zero.",
                "Leave out the cells without data.",
            )
        z = vectors[:, large].T @ found.estimate / np.sqrt(values[large])
        rank = float(large.sum())
        return JointAnswer(
            statistic=float(z @ z) / rank, num_df=rank, df=np.inf, method="asymptotic", vcov_name=self.se
        )

    def _tables(self) -> tuple[Table, ...]:
        return (tabulate(summarize(self)),)

    def __repr__(self) -> str:
        size = subjects(self.n_subjects, self.design.policy, of=self.weights.n_cohort)
        return for_terminal(f"<WeightedFit: {self.spec.formula}, {self.weights.kind}; {size}>")


def _errors_note(se: str, n: int) -> str:
    often = f" ({n} resamples)" if n else ""
    return f"Standard errors: {ERRORS[se]}{often}; no correction for few subjects."
