"""`Estimates`: one long frame of numbers with their joint covariance and what they are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..display import Shown, Table
from ..display.escape import for_terminal
from ..errors import ModelError
from ..notices import Notice
from .answers import Answers
from .margins import Margins
from .policy import Policy

__all__ = ["NUMBERS", "About", "Estimates"]

NUMBERS = ("estimate", "std_error", "num_df", "df", "statistic", "p_value", "conf_low", "conf_high")
"""The columns of `Estimates.frame` that hold numbers about persons, in order; `num_df` stands only in F tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the numbers are about.

    Attributes
    ----------
    kind : "coefficients", "means", "slopes", "contrasts", "tests", or the name of another question ("gain_kept", ...)
    outcomes : labels by outcome name, as they stand in the `outcome` column
    units, better : by outcome name; `better` is "lower", "higher" or "" where nobody said
    ranges : (lowest, highest) score of the scale by outcome name
    visit_years : years since baseline by visit label
    factors : the columns that name a row beside `outcome` (`visit`, `contrast`, `term`, ...)
    by : the columns within which contrasts and adjustments were made
    conf_level : coverage of the intervals
    df_method : how degrees of freedom were found
    vcov : which covariance of the coefficients stands behind the standard errors ("model", or a robust one)
    adjust : how p values were adjusted for several tests ("none" where they were not)
    notes : sentences that belong under every table of these numbers (what was averaged, how intervals were adjusted)
    quantity : what the numbers are where they are no means in the units of the outcome (a name in `QUANTITIES`)
    policy : Policy
        What may be shown wherever the numbers are rendered (the cohort's policy).
    min_cell : the smallest group that may be shown; that of the policy unless said otherwise
    n_withheld : whether some `n` are missing because they would tell a small number
    """

    kind: str
    outcomes: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    better: Mapping[str, str] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    visit_years: Mapping[str, float] = field(default_factory=dict)
    factors: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    conf_level: float = 0.95
    df_method: str = ""
    vcov: str = "model"
    adjust: str = "none"
    notes: tuple[str, ...] = ()
    min_cell: int = 0  # where left out, that of `policy`
    policy: Policy = field(default_factory=Policy)
    n_withheld: bool = False
    quantity: str = ""

    def __post_init__(self) -> None:
        if not self.min_cell:
            object.__setattr__(self, "min_cell", self.policy.min_cell)
        elif self.min_cell != self.policy.min_cell:
            object.__setattr__(self, "policy", replace(self.policy, min_cell=self.min_cell))
        for name in ("outcomes", "units", "better", "ranges", "visit_years"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Estimates(Shown):
    """Numbers with their uncertainty: what every question answers with.

    Attributes
    ----------
    frame : DataFrame
        `outcome`, the naming columns (`term`, `contrast` or factors such as `visit`), `by` columns, `estimate`,
        `std_error`, [`num_df`,] `df`, `statistic`, `p_value`, `conf_low`, `conf_high`, `n` (subjects behind the row),
        `method`.
    vcov : array (rows × rows)
        Joint covariance of the estimates.
    about : About
    notices : tuple of Notice
    L : array (rows × p) or None, and answers : Answers or None
        The linear functions and whom they were asked of; None once detached (read back from a file, or protected).
    margins : Margins or None
        Which subjects the `n` of each row counts, for the gate; None where nobody said, and after the gate.
    cells : array (rows × any number) or None
        Counts that the numbers of a row tell beside its n, for the gate: the cases of a prevalence, those who moved. A
        row with one that is too small is hidden.
    """

    frame: pd.DataFrame
    vcov: NDArray[np.float64]
    about: About
    notices: tuple[Notice, ...] = ()
    L: NDArray[np.float64] | None = None
    answers: Answers | None = None
    margins: Margins | None = None
    cells: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        vcov = np.array(self.vcov, dtype=float)
        vcov.setflags(write=False)
        object.__setattr__(self, "vcov", vcov)

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        outcomes = ", ".join(dict.fromkeys(self.frame["outcome"]))
        return for_terminal(
            f"<Estimates of {self.about.kind}: {outcomes}; {len(self.frame)} rows, {self.about.df_method or 'no df'}>"
        )

    def _tables(self) -> tuple[Table, ...]:
        from .tabulation import tabulate

        return (tabulate(self),)

    def attached(self) -> tuple[NDArray[np.float64], Answers]:
        """L and the Answers behind the rows, needed to ask again.

        Raises
        ------
        ModelError
            `E-MODEL-DETACHED` where the estimates no longer know their model.
        """
        if self.L is None or self.answers is None:
            raise ModelError(
                "E-MODEL-DETACHED",
                "These estimates no longer know the model they came from.",
                "A contrast needs the covariance and degrees of freedom of the model.",
                "Ask again from the fit: emmeans(fit, ...), then contrast(...).",
            )
        return self.L, self.answers
